"""What the fault bench draws, does and finds; that it finds what is wrong is what makes its zeros worth something."""

from __future__ import annotations

import io
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from forked_chaos import ForkedRuns
from recorded import whole, whole_final

from benchmarks.chaos import searches
from benchmarks.chaos.__main__ import break_searches, main, plan
from benchmarks.chaos.faults import KINDS, OF_RAY, Fault, Inside, Moment, Pace, Progress, Stage
from benchmarks.chaos.judging import Judge, Problems, Snapshot, compare, final_tables, left_over, snapshot
from benchmarks.chaos.lives import Ended, Life, Reference, Suffered, Tally, how_badly, run_reference
from benchmarks.chaos.processes import Run, are_gone, processes_of
from benchmarks.chaos.report import report_of
from benchmarks.chaos.searches import ALGORITHMS, COMMAND, NAME, make_project
from tuner.ledger.events import Event, Stop
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.search_file.file import load_search
from tuner.trial import Record, Result, Trial, artifact_path

INSIDE = Path(__file__).parents[2] / "benchmarks" / "chaos" / "inside"
PACE = Pace(seconds=20, until_first_row=6, between_rows=0.5, after_last_row=3, report_files=26)
BEFORE, HALF, RETRAINING, DONE = Progress(0, 9, 0, 4), Progress(5, 9, 0, 4), Progress(9, 9, 1, 4), Progress(9, 9, 4, 4)


def trial(number: int) -> Trial:
    return Trial("ann", "bands.npz", "f" * 16, {"dense_units": number}, 3, 0)


def write_ledger(path: Path, numbers: range) -> Path:
    """A ledger in which so many trials of a search are recorded, three of which were proposed."""
    with Ledger(path) as ledger:
        ledger.open_search(NAME, "key", "{}")
        ledger.add(NAME, *(SearchTrial("ann", "bands.npz", "search", n, trial(n).id) for n in range(3)))
        for n in numbers:
            result = whole(
                Result("completed", seconds=1.0 + n, val_accuracy=0.5 + n / 10, history={"loss": [1.0, 0.5]})
            )
            ledger.record(Record(trial(n), result))
    return path


def change(path: Path, statement: str, *values: object) -> Snapshot:
    database = sqlite3.connect(path)
    assert database.execute(statement, values).rowcount == 1
    database.commit()
    database.close()
    return snapshot(path)


class TestJudge:
    @pytest.fixture
    def reference(self, tmp_path: Path) -> Snapshot:
        return snapshot(write_ledger(tmp_path / "reference.sqlite", range(3)))

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Path:
        return write_ledger(tmp_path / "ledger.sqlite", range(3))

    def test_finds_nothing_wrong_with_a_search_that_goes_on(self, tmp_path: Path, reference: Snapshot) -> None:
        judge = Judge(reference)
        assert not judge.look(snapshot(tmp_path / "not-made-yet.sqlite"))
        for recorded in range(4):
            path = write_ledger(tmp_path / "growing.sqlite", range(recorded))
            assert not judge.look(snapshot(path)), "seconds and dates are no findings"
        assert not judge.look(snapshot(path), is_over=True)

    def test_finds_a_lost_trial_once(self, reference: Snapshot, ledger: Path) -> None:
        judge = Judge(reference)
        judge.look(snapshot(ledger))
        without = change(ledger, "DELETE FROM trials WHERE trial = ?", trial(1).id)
        assert judge.look(without) == Problems(lost=[trial(1).id])
        assert not judge.look(without, is_over=True)

    def test_finds_a_trial_that_is_missing_at_the_end(self, reference: Snapshot, tmp_path: Path) -> None:
        short = snapshot(write_ledger(tmp_path / "short.sqlite", range(2)))
        assert not Judge(reference).look(short)
        assert Judge(reference).look(short, is_over=True) == Problems(lost=[trial(2).id])

    def test_finds_a_place_that_is_missing_at_the_end(self, reference: Snapshot, ledger: Path) -> None:
        found = Judge(reference).look(change(ledger, "DELETE FROM members WHERE number = 2"), is_over=True)
        assert found == Problems(lost=["place ('ann', 'bands.npz', 'search', 2)"])

    def test_finds_a_trial_that_was_trained_again(self, reference: Snapshot, ledger: Path) -> None:
        judge = Judge(reference)
        judge.look(snapshot(ledger))
        again = change(ledger, "UPDATE trials SET seconds = 7.5 WHERE trial = ?", trial(0).id)
        assert judge.look(again) == Problems(doubled=[trial(0).id])

    def test_finds_a_trial_that_was_trained_again_although_its_row_stayed(
        self, reference: Snapshot, tmp_path: Path
    ) -> None:
        judge = Judge(reference)
        now = snapshot(write_ledger(tmp_path / "growing.sqlite", range(2)))
        assert not judge.look(now, {trial(0).id, trial(1).id, trial(2).id}), "none stood there before it was trained"
        assert judge.look(now, {trial(1).id, trial(2).id}) == Problems(doubled=[trial(1).id])

    def test_finds_a_trial_beyond_the_references(self, reference: Snapshot, tmp_path: Path) -> None:
        more = snapshot(write_ledger(tmp_path / "more.sqlite", range(4)))
        assert Judge(reference).look(more) == Problems(doubled=[trial(3).id])

    def test_finds_a_content_that_stands_there_twice(self, reference: Snapshot, ledger: Path) -> None:
        twice = change(ledger, "UPDATE trials SET content = ? WHERE trial = ?", trial(0).to_json(), trial(1).id)
        found = Judge(reference).look(twice)
        assert found.doubled == sorted([trial(0).id, trial(1).id])

    def test_finds_a_place_that_is_listed_beyond_the_references(self, reference: Snapshot, ledger: Path) -> None:
        found = Judge(reference).look(
            change(ledger, "INSERT INTO members VALUES (?, 'ann', 'bands.npz', 'search', 3, ?)", NAME, trial(0).id)
        )
        assert found == Problems(doubled=["place ('ann', 'bands.npz', 'search', 3)"])

    def test_lets_what_was_best_as_the_hours_of_a_run_were_over_be_trained_again_beside_the_search(
        self, reference: Snapshot, ledger: Path
    ) -> None:
        best_then = trial(1).as_final(1)
        with Ledger(ledger) as one:
            one.record(Record(best_then, whole_final(Result("completed", test_accuracy=0.9))))
        assert Judge(reference).look(snapshot(ledger)) == Problems(doubled=[best_then.id])
        with Ledger(ledger) as one:
            one.note(NAME, Event("ended", 0.01, (Stop("ann", "bands.npz", 1, 3),)))
        assert not Judge(reference).look(snapshot(ledger), is_over=True)
        searched = write_ledger(ledger, range(4))
        assert Judge(reference).look(snapshot(searched)) == Problems(doubled=[trial(3).id]), "no trial of the search"

    def test_lets_the_best_be_trained_to_the_end_that_was_pruned_as_the_hours_of_a_run_were_over(
        self, tmp_path: Path
    ) -> None:
        pruned = [replace(trial(number), stop_after=1) for number in range(2)]
        whole_one, another = replace(pruned[0], stop_after=None), trial(7)
        path = tmp_path / "pruned.sqlite"

        def record(place: int, *trials: Trial) -> Snapshot:
            with Ledger(path) as one:
                one.open_search(NAME, "key", "{}")
                for made in trials:
                    one.record(Record(made, whole(Result("completed", val_accuracy=0.5, history={"loss": [1.0]}))))
                one.add(NAME, SearchTrial("ann", "bands.npz", "search", place, trials[0].id))
            return snapshot(path)

        record(0, pruned[0])
        reference = record(1, pruned[1])
        path.unlink()
        record(0, pruned[0])
        early = record(1, whole_one)
        assert Judge(reference).look(early).doubled == [whole_one.id], "no hours were over"
        with Ledger(path) as one:
            one.note(NAME, Event("ended", 0.01, (Stop("ann", "bands.npz", 1, 3),)))
        assert not Judge(reference).look(snapshot(path))
        assert Judge(reference).look(record(2, another)).doubled[0] == another.id, "no training of what was pruned"

    @pytest.mark.parametrize("column", ["val_accuracy = 0.51", "history = '{}'", "status = 'failed'"])
    def test_finds_another_result(self, reference: Snapshot, ledger: Path, column: str) -> None:
        found = Judge(reference).look(change(ledger, f"UPDATE trials SET {column} WHERE trial = ?", trial(2).id))  # noqa: S608
        assert found == Problems(different=[trial(2).id])

    def test_finds_another_trial_at_a_place(self, reference: Snapshot, ledger: Path) -> None:
        found = Judge(reference).look(change(ledger, "UPDATE members SET trial = ? WHERE number = 1", trial(0).id))
        assert found == Problems(different=["place ('ann', 'bands.npz', 'search', 1)"])

    def test_finds_a_damaged_file(self, reference: Snapshot, ledger: Path) -> None:
        content = bytearray(ledger.read_bytes())
        content[4096:8192] = bytes(4096)
        ledger.write_bytes(content)
        assert Judge(reference).look(snapshot(ledger)).ended_badly

    def test_reads_what_a_killed_process_left_and_leaves_it_so(self, ledger: Path) -> None:
        script = (
            "import os, signal, sqlite3, sys\n"
            "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "database.execute('DELETE FROM trials WHERE seconds > 2.5')\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        subprocess.run([sys.executable, "-c", script, ledger], check=False)
        log = ledger.with_name("ledger.sqlite-wal")
        before = log.read_bytes()
        assert before
        assert len(snapshot(ledger).rows) == 2
        assert log.read_bytes() == before


class TestFinalTables:
    """A finished search, made up: a trial whose model and predictions are saved, and a report with two tables."""

    def write(self, folder: Path, *, score: float = 0.9, weight: float = 1.0, guess: float = 0.5, day: int = 1) -> Path:
        models, report = folder / "runs" / "models", folder / "reports" / NAME
        for place in (models, report):
            place.mkdir(parents=True)
        (report / "trials.csv").write_text(f"trial,seconds,val_accuracy\na,{day}.5,{score}\n")
        (report / "timing_models.csv").write_text(f"model,best_trial_seconds_to_0.95\nann,{day}\n")
        files = {"model": f"{day}" * 64, "predictions": f"{day}" * 64}
        final = trial(0).as_final(1)
        weights = io.BytesIO()
        with h5py.File(weights, "w") as arrays:
            arrays["layers/dense/vars/0"] = np.full((2, 3), weight)
        for model in (report / "ann-bands.keras", artifact_path(models, final.id, files["model"], ".keras")):
            with zipfile.ZipFile(model, "w") as archive:
                archive.writestr(zipfile.ZipInfo("model.weights.h5", (2026, 1, day, 0, 0, 0)), weights.getvalue())
        saved = artifact_path(models, final.id, files["predictions"], ".npz")
        np.savez(saved, probabilities=np.array([[guess, 1 - guess]]), labels=np.array([0]))
        with Ledger(folder / "runs" / "ledger.sqlite") as ledger:
            ledger.record(Record(final, whole_final(Result("completed", test_accuracy=1.0, files=files))))
        return folder

    @pytest.mark.parametrize(
        ("other", "differ"),
        [
            ({"day": 2}, []),
            ({"score": 0.91}, ["trials.csv"]),
            ({"guess": 0.6}, ["predictions of TRIAL"]),
            ({"weight": 1.1}, ["ann-bands.keras", "weights of TRIAL"]),
        ],
    )
    def test_differ_in_what_is_found_and_not_in_what_is_measured(
        self, tmp_path: Path, other: dict[str, Any], differ: list[str]
    ) -> None:
        one, two = (final_tables(self.write(tmp_path / name, **o)) for name, o in (("one", {}), ("two", other)))
        assert compare(one, two) == [name.replace("TRIAL", trial(0).as_final(1).id) for name in differ]

    def test_leave_out_what_lies_beside_the_search(self, tmp_path: Path) -> None:
        tables = final_tables(self.write(tmp_path / "one"), {trial(0).as_final(1).id})
        assert sorted(tables) == ["ann-bands.keras", "trials.csv", "tuner results"]

    def test_differ_where_a_file_is_gone_or_not_whole(self, tmp_path: Path) -> None:
        whole = final_tables(self.write(tmp_path / "whole"))
        broken = self.write(tmp_path / "broken")
        for file in (broken / "runs" / "models").iterdir():
            file.write_bytes(file.read_bytes()[:-30])
        (broken / "reports" / NAME / "trials.csv").unlink()
        assert len(compare(final_tables(broken), whole)) == 3


def test_final_tables_are_compared_by_name() -> None:
    assert compare({"a": [1], "b": 2, "c": 3}, {"a": [1], "b": 3, "d": 4}) == ["b", "c", "d"]


def test_what_is_left_half_written_is_found_in_every_folder(tmp_path: Path) -> None:
    for name in ("runs/models/.partial-1-a.keras", "runs/data/.partial-1-data", "reports/.partial-1-README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "runs" / "models" / "a.keras").touch()
    assert len(left_over(tmp_path)) == 3


class TestEndings:
    NO_DATA = "runs/data/x: the data set's copy is missing; run the search again, which makes it anew"
    NO_RAY = "Ray: its head has died; start again: nothing that finished is lost"
    GO_ON = f"search: 9 trials\nstopped; nothing that finished is lost. Go on with: tuner {' '.join(COMMAND)}\n"

    @pytest.mark.parametrize(
        ("code", "printed", "errors", "sent", "begun"),
        [
            (-9, "", "search: 9 trials", "SIGKILL", True),
            (130, "", GO_ON, "SIGTERM", True),
            (130, "", "", "SIGINT", False),
            (-15, "", "", "SIGTERM", False),
            (-15, "report: reports/quick/report.md", "", "SIGTERM", True),
            (0, "report: reports/quick/report.md", "again: trial x", None, True),
            (130, "", GO_ON, "SIGHUP", True),
            (1, "", f"search: 9 trials\ntuner: {NO_DATA}", "removal", True),
            (0, "report: reports/quick/report.md", "", "removal", True),
            (1, "", f"search: 9 trials\ntuner: {NO_RAY}", "loss of Ray", True),
            (0, "report: reports/quick/report.md", "", "loss of Ray", True),
        ],
    )
    def test_that_are_good(self, code: int, printed: str, errors: str, sent: str | None, begun: bool) -> None:
        assert how_badly(code, printed, errors, sent, begun) == []

    @pytest.mark.parametrize(
        ("code", "printed", "errors", "sent", "begun"),
        [
            (1, "", "Traceback (most recent call last):\nImportError", "SIGTERM", True),
            (-9, "", "Traceback (most recent call last):", "SIGKILL", True),
            (-2, "", "Traceback (most recent call last):", "SIGINT", False),
            (130, "", "search: 9 trials", "SIGINT", True),
            (-15, "", "search: 9 trials", "SIGTERM", True),
            (1, "", "tuner: workers: no process can be started", None, True),
            (0, "", "", None, True),
            (-9, "", "", None, True),
            (2, "", "tuner: quick: is being run by process 7", "SIGKILL", False),
            (0, "", "", "removal", True),
            (1, "", "search: 9 trials", "removal", True),
            (1, "", f"Traceback (most recent call last):\ntuner: {NO_DATA}", "removal", True),
            (2, "", f"tuner: {NO_DATA}", "removal", True),
            (1, "", "search: 9 trials\nraylet died", "loss of Ray", True),
            (-9, "", f"tuner: {NO_RAY}", "loss of Ray", True),
            (1, "", f"Traceback (most recent call last):\ntuner: {NO_RAY}", "loss of Ray", True),
        ],
    )
    def test_that_are_bad(self, code: int, printed: str, errors: str, sent: str | None, begun: bool) -> None:
        assert len(how_badly(code, printed, errors, sent, begun)) >= 1

    @pytest.mark.parametrize("command", ["report", "verify"])
    def test_of_a_command_on_a_search_that_has_ended(self, command: str) -> None:
        words = (command, "quick")
        line = f"stopped; nothing that is recorded is lost. Again with: tuner {command} quick\n"
        assert how_badly(130, "", line, "SIGHUP", True, words) == []
        assert how_badly(-9, "", "", "SIGKILL", True, words) == []
        assert how_badly(0, "report: reports/quick/report.md", "", None, True, words) == []
        assert len(how_badly(130, "", line.replace(command, "run"), "SIGHUP", True, words)) == 1
        assert len(how_badly(-15, "", "", "SIGTERM", True, words)) == 1
        assert len(how_badly(1, "", "tuner: other scores", None, True, words)) == 1
        verify = ("verify", "quick")
        assert how_badly(-1, "ann-blobs.keras: 0.9000 as recorded", "", "SIGHUP", True, verify) == []
        assert len(how_badly(-1, "", "", "SIGHUP", True, verify)) == 1
        ignored = (
            'Exception ignored in: <f>\nTraceback (most recent call last):\n  File "a", line 1, in f\nKeyError: 1\n'
        )
        assert how_badly(130, "", f"{ignored}{line}", "SIGHUP", True, words) == ["a traceback, of KeyError: 1"]


#: What strikes while trials are trained, and nothing else.
TRAINS = ("worker", "server", "stream", "data", *OF_RAY)


class TestDrawing:
    @pytest.mark.parametrize("progress", [BEFORE, HALF, RETRAINING, DONE])
    def test_a_fault_fits_what_is_left_of_the_search(self, progress: Progress) -> None:
        rng = random.Random(1)  # noqa: S311
        for kind, about in KINDS.items():
            for _ in range(50):
                fault = about.draw(progress, PACE, rng)
                if fault is None:
                    continue
                assert fault.kind == kind
                if isinstance(fault.moment, Moment):
                    assert fault.moment.rows <= 13
                    assert fault.moment.seconds <= PACE.until_first_row + PACE.after_last_row
                elif fault.moment.event in ("checkpoint", "scoring"):
                    assert progress.retrainings_left

    def test_nothing_but_the_report_is_left_of_a_finished_search_for_what_trains(self) -> None:
        rng = random.Random(1)  # noqa: S311
        left = {kind for kind, about in KINDS.items() if about.draw(DONE, PACE, rng) is not None}
        assert set(KINDS) - left == {"preparation", *TRAINS, "retraining", "checkpoint", "hours", "timed"}

    def test_the_same_seed_draws_the_same(self) -> None:
        def drawn() -> list[str]:
            rng = random.Random(4)  # noqa: S311
            return [str(about.draw(HALF, PACE, rng)) for about in KINDS.values() for _ in range(5)]

        assert drawn() == drawn()

    def test_lives_visit_every_kind_about_equally_and_in_an_order_that_leaves_something(self) -> None:
        counted: Counter[str] = Counter()
        rng = random.Random(2)  # noqa: S311
        for _ in range(40):
            kinds = plan(counted, 6, rng)
            stages = [KINDS[kind].stage for kind in kinds]
            assert stages == sorted(stages)
            assert len(set(kinds)) == len(kinds) == 6
            assert stages.count(Stage.TO_THE_END) <= (0 if Stage.RETRAINING in stages else 1)
            counted.update(kinds)
        assert set(counted) == set(KINDS)
        assert max(counted.values()) <= 2 * min(counted.values()), "what excludes others comes less often"

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_searches_are_what_they_are_called(self, algorithm: str, tmp_path: Path) -> None:
        search = load_search(make_project(tmp_path / "p", algorithm) / "searches" / f"{NAME}.toml")
        named = "random" if algorithm in ("pruned", "folds") else algorithm
        assert {model_search.algorithm.name for model_search in search.model_searches} == {named}
        assert [one.pruning is not None for one in search.model_searches].count(True) == (algorithm == "pruned")
        families = [model_search.family.__class__.__name__.lower() for model_search in search.model_searches]
        assert families == (["ann"] if algorithm in ("tpe", "pruned", "folds") else ["ann", "cnn"])
        assert search.folds == (3 if algorithm == "folds" else 0)
        trainings = sum(model_search.planned() for model_search in search.model_searches) * (search.folds or 1)
        assert 8 <= trainings <= 13
        assert search.repeats == 2


WRITES_A_LEDGER = """
import sqlite3
database = sqlite3.connect("ledger.sqlite", isolation_level=None)
database.execute("CREATE TABLE rows (number)")
for number in range(3):
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO rows VALUES (?)", (number,))
    database.execute("COMMIT")
"""
WRITES_FILES = """
from pathlib import Path
Path("reports/quick").mkdir(parents=True)
for name in "abc":
    partial = Path("reports/quick/.partial-" + name)
    partial.write_text(name)
    partial.replace(partial.with_name(name))
"""
CALLS = """
from tuner.worker.saving import predict
for number in range(3):
    print(predict(number), flush=True)
"""


class TestFromWithin:
    """The faults of `inside/sitecustomize.py`, in small programs that do what the tool does."""

    def strike(self, folder: Path, program: str, fault: Inside) -> subprocess.CompletedProcess[str]:
        (folder / "tuner" / "worker").mkdir(parents=True)
        for package in ("tuner", "tuner/worker"):
            (folder / package / "__init__.py").touch()
        (folder / "tuner" / "worker" / "training.py").write_text("def train(job):\n    pass\n")
        (folder / "tuner" / "worker" / "saving.py").write_text(
            "import time\ndef predict(n):\n    time.sleep(3 if n == 1 else 0)\n    return n\n"
        )
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=folder,
            env={
                "PYTHONPATH": str(INSIDE),
                "TUNER_CHAOS": fault.to_json(str(folder / "mark")),
                "TUNER_CHAOS_TRAINED": str(folder / "trained"),
            },
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )

    @pytest.mark.parametrize(("when", "rows"), [("before", 1), ("after", 2)])
    def test_strike_at_a_write_of_the_ledger(self, tmp_path: Path, when: str, rows: int) -> None:
        ran = self.strike(tmp_path, WRITES_A_LEDGER, Inside("ledger", 2, when, 0, "SIGKILL", "main"))
        assert ran.returncode == -signal.SIGKILL, ran.stderr
        assert (tmp_path / "mark").exists()
        found = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT count(*) FROM rows").fetchone()
        assert found == (rows,)

    @pytest.mark.parametrize(("number", "left"), [(3, ["a"]), (4, [".partial-b", "a"]), (5, ["a", "b"])])
    def test_strike_as_a_file_is_opened_or_moved_into_place(self, tmp_path: Path, number: int, left: list[str]) -> None:
        ran = self.strike(tmp_path, WRITES_FILES, Inside("report", number, "before", 0, "SIGKILL", "main"))
        assert ran.returncode == -signal.SIGKILL, ran.stderr
        assert sorted(file.name for file in (tmp_path / "reports" / "quick").iterdir()) == left

    @pytest.mark.parametrize(("when", "printed"), [("before", "0\n"), ("amid", "0\n"), ("after", "0\n")])
    def test_strike_around_a_call(self, tmp_path: Path, when: str, printed: str) -> None:
        ran = self.strike(tmp_path, CALLS, Inside("scoring", 2, when, 0.01, "SIGKILL", "group"))
        assert (ran.returncode, ran.stdout) == (-signal.SIGKILL, printed), ran.stderr

    def test_strike_once_in_all_processes_of_a_run(self, tmp_path: Path) -> None:
        program = "import subprocess, sys\n"
        for folder in ("reports/one", "reports/two"):
            worker = WRITES_FILES.replace("reports/quick", folder)
            program += f"print(subprocess.run([sys.executable, '-c', {worker!r}]).returncode)\n"
        ran = self.strike(tmp_path, program, Inside("report", 1, "before", 0, "SIGKILL", "worker"))
        assert ran.stdout.split() == ["-9", "0"], ran.stderr

    def test_come_beside_notes_of_what_is_trained(self, tmp_path: Path) -> None:
        program = (
            "from pathlib import Path\n"
            "from types import SimpleNamespace\n"
            "from tuner.worker.saving import predict\n"
            "from tuner.worker.training import train\n"
            "for number in 'abc':\n"
            "    for place in ('runs/models', 'probe/models'):\n"
            "        train(SimpleNamespace(trial=SimpleNamespace(id=number), artifacts=Path(place)))\n"
            "    predict(number)\n"
        )
        ran = self.strike(tmp_path, program, Inside("scoring", 2, "before", 0, "SIGKILL", "main"))
        assert ran.returncode == -signal.SIGKILL, ran.stderr
        assert (tmp_path / "trained").read_text().split() == ["a", "b"]

    def test_never_strike_where_no_fault_is_asked_for(self, tmp_path: Path) -> None:
        ran = self.strike(tmp_path, WRITES_FILES, Inside("report", 99, "before", 0, "SIGKILL", "main"))
        assert ran.returncode == 0
        assert not (tmp_path / "mark").exists()


def test_a_run_had_begun_if_it_was_ever_seen_to_hold_its_search(tmp_path: Path) -> None:
    holder = tmp_path / "runs" / "locks" / f"{NAME}.holder"
    holder.parent.mkdir(parents=True)
    for held in (True, False):
        run = Run(tmp_path, command=("--version",))
        holder.write_text(str(run.session if held else run.session + 1))
        assert run.wait(600)
        holder.unlink()  # as a run does at its end
        assert run.had_begun == held


def test_a_run_that_ends_while_it_is_looked_at_is_none_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, command=("--version",))
    monkeypatch.setattr(run, "_look", run._process.wait)
    assert run.wait(600)
    assert run.code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_run_hears_what_its_starter_ignores(number: signal.Signals, tmp_path: Path) -> None:
    before = signal.signal(number, signal.SIG_IGN)  # as nohup and a shell's background do
    try:
        run = Run(tmp_path, command=("--version",))
        ignored = int(re.findall(r"SigIgn:\s*(\w+)", Path(f"/proc/{run.session}/status").read_text())[0], 16)
    finally:
        signal.signal(number, before)
        run.kill()
    assert not ignored >> (number - 1) & 1


def test_the_processes_of_a_run_are_found_after_its_main_process_has_ended() -> None:
    script = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'input()']).pid)"
    main_process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    session = main_process.pid
    assert main_process.stdout is not None
    assert main_process.stdin is not None
    left = int(main_process.stdout.readline())
    main_process.wait()
    assert set(processes_of(session)) == {left}
    assert not are_gone({session}, 0)
    main_process.stdin.close()
    assert are_gone({session}, 30)


class TestReport:
    def tally(self, problems: Problems) -> Tally:
        kill = Fault("kill", "SIGKILL", "main", Moment(1.0, 3))
        return Tally([Suffered("grid", kill, problems)], [Ended("grid", Problems())], [kill])

    def text(self, problems: Problems, asked: int = 1) -> str:
        reference = Reference(Snapshot(), {}, PACE)
        return report_of(self.tally(problems), {"grid": reference}, asked, 6, 0, 90.0, "python -m benchmarks.chaos")

    def test_counts_faults_and_what_went_wrong_by_kind(self) -> None:
        text = self.text(Problems(lost=["a", "b"], ended_badly=["a traceback", "exit code 1"]))
        assert "1 fault struck 1 search" in text
        assert "**2 trials lost, 0 doubled, 0 different**; 1 ended badly" in text
        (line,) = [line for line in text.splitlines() if line.startswith("| SIGKILL to the main process  ")]
        assert [cell.strip() for cell in line.split("|")[2:-1]] == ["1", "1", "2", "0", "0", "1"]
        assert "- grid, SIGKILL to main, 1.00 s after 3 trials: lost: a, b; bad: a traceback, exit code 1" in text

    def test_says_what_was_not_counted_and_what_was_not_done(self) -> None:
        assert "1 more was drawn and never struck" in self.text(Problems())
        assert "asked for" not in self.text(Problems())
        assert "120 faults were asked for; the time was up before." in self.text(Problems(), asked=120)
        assert "What went wrong" not in self.text(Problems())


@pytest.mark.parametrize(("problems", "code"), [(Problems(), None), (Problems(different=["trials.csv"]), 1)])
def test_the_command_writes_its_report_and_ends_with_1_if_anything_was_wrong(
    problems: Problems, code: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Tally(ended=[Ended("grid", problems)])
    monkeypatch.setattr("benchmarks.chaos.__main__.break_searches", lambda *_: (tally, {}))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["chaos", "--faults", "7", "--report", str(tmp_path / "chaos.md")])
    ended = None
    try:
        main()
    except SystemExit as end:
        ended = end.code
    assert ended == code
    assert "7 faults were asked for" in (tmp_path / "chaos.md").read_text()
    kept = list(tmp_path.glob("chaos-*"))
    assert len(kept) == (1 if code else 0), "what went wrong is kept for a look"


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a short name: the sockets of a run lie in it, and the name of a socket has a limit."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_strangers_file_that_a_run_has_removed_is_found_missing(tmp_path: Path) -> None:
    life = Life(tmp_path / "p", "grid", Reference(Snapshot(), {}, PACE), random.Random(1), lambda line: None)  # noqa: S311
    for there, wrong in ((False, 1), (True, 0)):
        (tmp_path / "p" / "elsewhere.txt").touch()
        if there:
            life._strange.parent.mkdir(parents=True)
            life._strange.touch()
        problems = Problems()
        life._take_strangers_file_away(problems)
        assert len(problems.ended_badly) == wrong
        assert not life._strange.exists()


#: Fewer trials than the bench's own search, and as many models.
SHORT = """
[[search]]
family = "ann"
[search.space]
dense_units = [4, 8]
[[search]]
family = "cnn"
[search.space]
conv_depth = 1
filters = 2
dense_units = 8
"""


@pytest.mark.slow
class TestRealSearches:
    """Searches that train and are struck; their main processes are forked: see `helpers/forked_chaos.py`."""

    @pytest.fixture(scope="class")
    def reference(self) -> Iterator[Reference]:
        """The search as it ends undisturbed, once for both tests, whose runs are forked as well."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("benchmarks.chaos.processes.subprocess", ForkedRuns)
            patch.setitem(searches._ENTRIES, "grid", SHORT)
            folder = Path(tempfile.mkdtemp(prefix="chaos-"))
            yield run_reference(folder / "reference", "grid")
            shutil.rmtree(folder, ignore_errors=True)

    def test_struck_by_what_is_no_kill_go_on_as_they_have_to(self, short_folder: Path, reference: Reference) -> None:
        said: list[str] = []
        folder = short_folder / "life"
        life = Life(folder, "grid", reference, random.Random(3), said.append)  # noqa: S311
        for kind in ("strange", "raylet", "hours", "hangup", "data", "stream", "rewriting", "verifying"):
            came = life.suffer(kind)
            for _ in range(2):
                if kind == "raylet" and not isinstance(came, Suffered):  # on a busy machine Ray may not start
                    came = life.suffer(kind)
            assert not isinstance(came, Suffered) or not came.problems, said
            assert kind not in ("strange", "raylet") or isinstance(came, Suffered)
            if kind == "raylet":
                self.check_what_the_loss_of_the_raylet_left(folder)
        assert not life.end().problems, said
        verify = Run(folder, command=("verify", NAME))
        assert verify.wait(600)
        assert verify.code == 0, verify.errors
        assert verify.had_begun, "it was not seen to have its ledger open"

    def check_what_the_loss_of_the_raylet_left(self, folder: Path) -> None:
        """See that the run ended in a line, and that the real processes in which Ray trains noted what they train."""
        errors = (folder / "errors.txt").read_text()
        last = errors.splitlines()[-1]
        assert last.startswith("tuner: Ray: its process on this machine, the raylet, has died; "), errors
        assert last.endswith("start again: nothing that finished is lost"), errors
        assert errors.count("tuner: ") == 1, errors
        recorded = set(snapshot(folder / "runs" / "ledger.sqlite").rows)
        assert recorded
        assert recorded <= set((folder / "trained.txt").read_text().split())

    def test_struck_by_a_few_faults_end_as_if_nothing_had_happened(
        self, short_folder: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Draw a kill of a run with hours, one of the retraining, and one from within while the report is written."""
        monkeypatch.setattr("benchmarks.chaos.__main__.run_reference", lambda *_: reference)
        tally, references = break_searches(short_folder, ["grid"], faults=3, seconds=1500, seed=1077)
        assert len(tally.suffered) == 3
        assert not any(tally.problems)
        assert len(references["grid"].ledger.rows) == 3 + 4
