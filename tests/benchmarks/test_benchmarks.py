"""What the benchmarks check, count and compute; nothing is timed or trained here."""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_project import server
from written import row

from benchmarks import cluster, grids, growth, memory, million, overhead, phases, repeats, sizes
from benchmarks.agreement import Difference, check, difference
from benchmarks.competitors.base import Trained
from benchmarks.competitors.this_tool import search_file
from benchmarks.driving import DIGITS, grid_trials, job_maker, prepare, search_of
from benchmarks.measuring import Run, report_file, run_process, table
from benchmarks.run import PARTS, read_sections, report_of
from benchmarks.workloads import WORKLOADS, Workload
from tuner.datasets.store import load_from_store
from tuner.protocol import training_images
from tuner.running.planned import Prepared
from tuner.trial import Attempt, Job, Trial

ROOT = Path(__file__).parents[2]
DIGITS36 = WORKLOADS["digits36"]


def trained(workload: Workload = DIGITS36, accuracy: Callable[[int], float] = lambda number: 0.9) -> Trained:
    """What an honest competitor prints."""
    return [
        {**values, "val_accuracy": accuracy(number), "epochs": workload.epochs}
        for number, values in enumerate(workload.configurations())
    ]


def run_of(trials: Trained, seconds: float = 10.0) -> Run:
    return Run(seconds, 1000.0, "what a library prints\n" + json.dumps(trials) + "\n", proportional_megabytes=600.0)


class TestWorkloads:
    @pytest.mark.parametrize(("name", "count"), [("digits36", 36), ("fashion20", 20)])
    def test_have_as_many_configurations_as_their_names_say(self, name: str, count: int) -> None:
        assert len(WORKLOADS[name].configurations()) == count

    @pytest.mark.parametrize("name", WORKLOADS)
    def test_are_the_same_grid_to_this_tool(self, name: str, tmp_path: Path) -> None:
        search = search_of(search_file(WORKLOADS[name], 0), tmp_path)
        found = [
            {
                "filters": [values[f"filters_{i}"] for i in range(1, int(values["conv_depth"]) + 1)],
                "dense_units": values["dense_units"],
                "dropout": values["dropout"],
            }
            for model_search in search.model_searches
            for values in model_search.space.grid()
        ]
        assert found == WORKLOADS[name].configurations()
        assert search.epochs == WORKLOADS[name].epochs

    @pytest.mark.parametrize("seed", [0, 1])
    def test_are_split_as_this_tool_splits_them(self, seed: int, tmp_path: Path) -> None:
        x, y = DIGITS36.images()
        np.savez(tmp_path / "workload.npz", x_train=x, y_train=y, x_test=x, y_test=y)
        search = search_of(search_file(DIGITS36, seed), tmp_path)
        data = prepare(search, tmp_path)
        trial = search.trial(search.model_searches[0], "workload.npz", data.fingerprint, {}, None)
        fit, held = training_images(trial, load_from_store(data.folder))
        assert held is not None
        for ours, theirs in zip((x[fit], y[fit], x[held], y[held]), DIGITS36.split(seed), strict=True):
            np.testing.assert_array_equal(ours, theirs)


class TestCheck:
    def test_accepts_the_whole_grid_in_any_order(self) -> None:
        assert check(DIGITS36, trained()[::-1]) == 0

    def test_counts_what_was_trained_twice(self) -> None:
        assert check(DIGITS36, [*trained(), *trained()[:2]]) == 2

    def test_refuses_too_few_epochs(self) -> None:
        trials = trained()
        trials[5]["epochs"] = 2
        with pytest.raises(RuntimeError, match="for 2 epochs instead of 3"):
            check(DIGITS36, trials)

    def test_refuses_a_configuration_left_out(self) -> None:
        with pytest.raises(RuntimeError, match="1 of the 36 configurations of digits36 were not trained"):
            check(DIGITS36, trained()[1:])

    def test_refuses_a_configuration_of_its_own(self) -> None:
        trials = trained()
        with pytest.raises(RuntimeError, match="1 configurations were trained that digits36 does not have"):
            check(DIGITS36, [*trials, {**trials[0], "dense_units": 33}])


class TestDifference:
    def test_is_the_paired_interval_over_rounds(self) -> None:
        # Gaps of 0.01 and 0.03: mean 0.02, sd 0.01·√2, t(1) = 12.7062.
        ours = [trained(accuracy=lambda n: n / 100), trained(accuracy=lambda n: n / 100 + 0.5)]
        theirs = [trained(accuracy=lambda n: n / 100 + 0.01)[::-1], trained(accuracy=lambda n: n / 100 + 0.53)]
        gap = difference(theirs, ours)
        assert (gap.mean, gap.low, gap.high) == pytest.approx((0.02, 0.02 - 0.127062, 0.02 + 0.127062), abs=1e-6)

    def test_counts_a_configuration_that_was_trained_twice_once(self) -> None:
        theirs = trained(accuracy=lambda n: 0.5 + 0.36 * (n == 0))
        assert difference([[*theirs, *theirs[:1]]], [trained(accuracy=lambda n: 0.5)]).mean == pytest.approx(0.01)

    def test_one_round_has_no_interval(self) -> None:
        gap = difference([trained(accuracy=lambda n: 0.9)], [trained(accuracy=lambda n: 0.8)])
        assert str(gap) == "+0.1000"
        assert not gap.is_large

    @pytest.mark.parametrize(
        ("low", "high", "large", "small"),
        [
            (0.021, 0.05, True, False),
            (-0.05, -0.021, True, False),
            (0.019, 0.05, False, False),
            (-0.03, 0.01, False, False),
            (-0.01, 0.01, False, True),
        ],
    )
    def test_is_large_beyond_the_tolerance_and_small_within_it(
        self, low: float, high: float, large: bool, small: bool
    ) -> None:
        gap = Difference((low + high) / 2, low, high)
        assert (gap.is_large, gap.is_small) == (large, small)
        assert str(gap).endswith(" *") == large


RUNS = {
    "this tool": [run_of(trained(), 10.0), run_of(trained(), 12.0), run_of(trained(), 30.0)],
    "peer": [run_of(trained(accuracy=lambda _: 0.85), 24.0)] * 3,
}


class TestGridTable:
    def test_has_medians_ratios_and_differences(self) -> None:
        text = grids.grid_table(RUNS)
        assert row(text, "this tool") == ["12.0", "10.0 to 30.0", "1.00", "1,000", "600", "0.9000", ""]
        gap = "-0.0500 (-0.0500 to -0.0500) *"
        assert row(text, "peer") == ["24.0", "24.0 to 24.0", "2.00", "1,000", "600", "0.8500", gap]

    def test_verdict_names_who_learned_something_else(self) -> None:
        assert "peer did not learn the same" in grids.verdict(RUNS)

    def test_verdict_says_when_all_is_well(self) -> None:
        assert "all learned the same" in grids.verdict({**RUNS, "peer": RUNS["this tool"]})

    def test_verdict_of_one_round_is_none(self) -> None:
        once = {name: runs[:1] for name, runs in RUNS.items()}
        assert grids.verdict(once) == "One round says nothing of a difference in what is learned."

    def test_leaves_out_a_competitor_that_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def run_module(module: str, *_: str, environment: object) -> Run:
            return run_of(trained()[1:] if module.endswith("keras_loop") else trained())

        monkeypatch.setattr(grids, "run_module", run_module)
        text = grids.digits36(2)
        assert "| loop around fit" not in text
        assert "loop around fit is left out: 1 of the 36 configurations of digits36 were not trained." in text
        assert "| this tool (one worker)" in text

    def test_notes_what_was_trained_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def run_module(module: str, _: str, __: str, option: str, environment: object) -> Run:
            twice = module.endswith("optuna_grid") and option == "2"
            return run_of([*trained(), *trained()[:3]] if twice else trained())

        monkeypatch.setattr(grids, "run_module", run_module)
        monkeypatch.setattr(
            grids, "COMPETITORS", {**grids.COMPETITORS, "o": grids.Competitor("optuna_grid", "json", "2")}
        )
        assert "o trained 6 more than once over all rounds." in grids.digits36(2)


class TestParts:
    def test_repeats_differ_in_their_seed_alone_and_structures_in_their_width(self, tmp_path: Path) -> None:
        search = search_of(DIGITS.format(epochs=repeats.EPOCHS, dense_units=repeats.WIDTHS), tmp_path)
        repeated, structures = repeats.repeats_and_structures(grid_trials(search, prepare(search, tmp_path)))
        assert [len(repeated), len(structures)] == [repeats.REPEATS, repeats.REPEATS]
        assert {trial.values["dense_units"] for trial in repeated} == {repeats.REPEATED_WIDTH}
        assert len({trial.id for trial in repeated}) == repeats.REPEATS
        assert len({trial.compile_group for trial in repeated}) == 1
        assert len({trial.compile_group for trial in structures}) == repeats.REPEATS

    def test_idle_share_counts_every_worker(self) -> None:
        assert overhead.idle_share(trials=15, wall=10, workers=2) == pytest.approx(0.25)

    def test_phases_add_up_to_the_whole_and_what_workers_did_to_those_of_training(self) -> None:
        trainings = [
            phases.Training("search", Attempt(103.0, 105.0, worker=1), epochs=1.5),
            phases.Training("search", Attempt(104.0, 108.0, worker=2), epochs=2.0),
            phases.Training("final", Attempt(109.0, 110.0, worker=1), epochs=0.5),
        ]
        found = list(phases.seconds_of(trainings, begun=100.0, ended=115.0).values())
        assert found == [3.0, 5.0, 1.0, 1.0, 5.0, 15.0, 2.0, 1.5, 2.5]
        assert sum(found[:5]) == found[5]
        assert sum(found[6:]) == found[1] + found[3], "of two workers, the second that of one"

    def test_memory_compares_the_20th_trial_with_the_last(self) -> None:
        main = [float(number) for number in range(1, 201)]
        found = memory.early_and_late(main, [*[5.0] * 10, 9.0, *[4.0] * 169, *[7.0] * 20])
        assert found == {"main_early": 20, "main_late": 200, "worker_early": 9, "worker_late": 7}

    def test_growth_has_ten_thousand_structures(self, tmp_path: Path) -> None:
        search = growth.grid_search(growth.SIDE, tmp_path)
        assert search.model_searches[0].planned() == 10_000
        assert (
            len({trial.compile_group for trial in grid_trials(search, Prepared("f", tmp_path, (8, 8, 1), 10, 0))})
            == 10_000
        )

    def test_growth_runs_everything_once_and_knows_it_afterwards(self) -> None:
        found = growth.measure("inside", 5)
        assert found["trials"] == 25
        assert 0 < sum(found[name] for name in growth.TENTHS) < found["all"]

    def test_a_simulated_cluster_moves_its_clock_by_calls_and_by_the_time_of_its_caller(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slow, clock = 0.2, [0.0]
        monkeypatch.setattr(cluster, "perf_counter", lambda: clock[0])
        simulated = cluster.SimulatedCluster(slots=4, mean=100, per_call=7)
        assert simulated.slots == 5
        job = Job(Trial("cnn", "digits", "0" * 16, {}, epochs=1, seed=0), Path(), Path())
        for number in range(5):
            simulated.submit(str(number), job)
        clock[0] += slow
        assert simulated.seconds == 5 * 7  # until it is asked, it knows of calls alone
        ended = [outcome.key for _ in range(5) for outcome in simulated.wait()]
        assert sorted(ended[:4]) == ["0", "1", "2", "3"]
        assert ended[4] == "4"  # had to wait for a place
        assert 5 * 50 <= simulated.busy <= 5 * 150
        assert 100 + slow < simulated.seconds <= 5 * 7 + 2 * 150 + 1

    def test_a_simulated_cluster_runs_every_trial_and_loses_places_to_short_ones(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cluster, "SIDE", 20)
        monkeypatch.setattr(cluster, "MANY_SLOTS", 20)
        long, short = cluster.simulate(mean=100, per_call=0.01), cluster.simulate(mean=0.01, per_call=0.01)
        assert long["trials"] == 400
        assert long["busy"] > 0.8
        assert short["busy"] < 0.1

    def test_growth_cuts_the_trials_into_tenths(self) -> None:
        times = [0.0, *(float(number**2) for number in range(1, 21))]
        assert [growth.seconds_of_tenth(times, number) for number in growth.TENTHS.values()] == [4, 12, 68, 76]

    def test_the_large_grid_has_a_million_combinations(self, tmp_path: Path) -> None:
        (model_search,) = search_of(million.search_text(million.VALUES), tmp_path).model_searches
        sizes = [len(model_search.space.domains[name].grid()) for name in model_search.space.varying()]
        assert math.prod(sizes) == 1_000_000
        assert len(model_search.space.rules) == 2

    def test_every_part_is_named_once(self) -> None:
        assert list(PARTS) == [
            "digits36",
            "fashion20",
            "learned",
            "repeats20",
            "quality",
            "heads",
            "large",
            "overhead",
            "phases",
            "memory",
            "growth",
            "cluster",
            "grid",
        ]


#: Parts that import no Keras, and start their processes themselves; those of the others are forked.
REALLY = ("growth", "grid")


@pytest.mark.slow
@pytest.mark.timeout(1200)  # nine peers import what they need, however busy the machine is
class TestSmallest:
    """Every part runs, peers included: a part that nobody runs breaks unnoticed when a signature changes."""

    @pytest.mark.parametrize("part", PARTS)
    def test_every_part_runs_at_its_smallest_size(self, part: str, tmp_path: Path) -> None:
        report = tmp_path / "benchmarks.md"
        if part in REALLY:
            command = [sys.executable, "-m", "benchmarks.run", part, "--rounds=1", "--smallest", f"--report={report}"]
            ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stderr[-2000:]
        else:
            code = f"import sys; sys.path.append({str(ROOT / 'tests' / 'helpers')!r})\n"
            code += f"from forked_benchmarks import run_part; run_part({part!r}, {str(report)!r})"
            where = {"TMPDIR": tempfile.gettempdir(), sizes.VARIABLE: "smallest"}  # Ray's sockets have short names
            answer = server().execute(ROOT, code, where, timeout=1100)
            assert answer.code == 0, answer.err[-2000:]
        text = report.read_text()
        assert list(read_sections(report)) == [part]
        assert "|---" in text.replace(":", "-")
        for trouble in ("is left out", "is not installed", "Not measured", "stopped after"):
            assert trouble not in text, text

    @pytest.mark.parametrize("size", ["--smallest", "--quick"])
    def test_less_than_all_never_takes_the_place_of_the_report(self, size: str) -> None:
        before = (ROOT / "reports" / "benchmarks.md").read_bytes()
        command = [sys.executable, "-m", "benchmarks.run", size]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ran.returncode == 2
        assert "pass --report FILE" in ran.stderr
        assert (ROOT / "reports" / "benchmarks.md").read_bytes() == before


class TestMeasuring:
    def test_a_process_that_fails_says_why(self) -> None:
        with pytest.raises(RuntimeError, match="ended with exit code 1: ValueError: a bad one"):
            run_process(["python3", "-c", "raise ValueError('a bad one')"])

    def test_memory_counts_the_processes_that_a_process_starts(self) -> None:
        hold = "import time; kept = bytearray(range(250)) * 800_000; time.sleep(4)"
        script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{hold}'], start_new_session=True)"
        run = run_process(["python3", "-c", script])
        assert run.megabytes > 200
        assert run.seconds > 1

    @pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
    def test_a_page_that_processes_share_counts_for_each_and_once(self) -> None:
        script = "import os, time; kept = bytearray(range(250)) * 800_000; os.fork(); time.sleep(5)"
        run = run_process(["python3", "-c", script])
        assert run.megabytes > 400
        assert 200 < run.proportional_megabytes < 300

    def test_a_table_is_markdown(self) -> None:
        assert table(("a", "b"), [("x", "1.50")]).splitlines()[-1].split() == ["|", "x", "|", "1.50", "|"]


def test_jobs_find_their_data(tmp_path: Path) -> None:
    search = search_of(DIGITS.format(epochs=1, dense_units=8), tmp_path)
    prepared = prepare(search, tmp_path)
    (trial,) = grid_trials(search, prepared)
    job = job_maker(prepared, tmp_path)(trial)
    assert isinstance(job, Job)
    assert (job.data / "x_train.npy").is_file()


def test_a_part_that_is_measured_again_replaces_its_section_alone(tmp_path: Path) -> None:
    report = tmp_path / "benchmarks.md"
    assert read_sections(report) == {}
    report.write_text(report_of({"memory": "## Memory\n\nlittle", "digits36": "## Digits\n\n| a |"}))
    sections = read_sections(report)
    assert sections == {"digits36": "## Digits\n\n| a |", "memory": "## Memory\n\nlittle"}
    again = report_of({**sections, "memory": "## Memory\n\nless"})
    assert again.index("## Digits") < again.index("## Memory\n\nless")
    assert "little" not in again


def test_where_no_report_can_be_written_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    assert report_file(str(tmp_path / "new" / "folder" / "x.md")).parent.is_dir()
    (tmp_path / "file").touch()
    for name in ("file/x.md", "new"):
        with pytest.raises(argparse.ArgumentTypeError, match=re.escape(str(tmp_path / name))):
            report_file(str(tmp_path / name))


@pytest.mark.parametrize("module", ["run", "chaos", "statistics", "importance"])
def test_each_benchmark_refuses_such_a_report(module: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", "--report", str(tmp_path / "file" / "x.md")],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ran.returncode == 2
    assert "its folder cannot be made (File exists)" in ran.stderr
    assert "Traceback" not in ran.stderr
