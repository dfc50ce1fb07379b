"""`import tuner`: the tables as numbers, the errors, and runs that scripts start, interrupt and go on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import Project
from small_project import SEARCH_TRIALS, make_project
from small_project import tuner as command

import tuner
from tuner.analysis.scoring import per_class
from tuner.analysis.significance import mcnemar
from tuner.analysis.variance import compare
from tuner.errors import InputError, ResourceError


def test_everything_public_is_there_and_nothing_else() -> None:
    assert set(tuner.__all__) <= set(dir(tuner))
    for name in tuner.__all__:
        assert getattr(tuner, name).__module__.startswith("tuner."), name
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        tuner.runn  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, tuner; print({'numpy', 'pandas', 'matplotlib', 'keras', 'pydantic', 'rich'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_results_are_the_rows_of_the_command_with_types(finished: Path) -> None:
    answer = command(finished, "results", "small", "--format", "json")
    rows = json.loads(answer.stdout)
    frame = tuner.results("small", runs_dir=finished / "runs")
    assert frame["trial"].tolist() == [row["trial"] for row in rows]
    for row, (_, ours) in zip(rows, frame.iterrows(), strict=True):
        assert {name: value for name, value in ours.items() if not pd.isna(value)} == {
            name: value for name, value in row.items() if value is not None
        }
    kinds = frame.dtypes.astype(str)
    assert kinds["epochs"] == kinds["parameters"] == kinds["dense_units"] == "int64"
    assert kinds["conv_depth"] == kinds["best_epoch"] == "Int64"  # which an ANN has not, and which no trial has
    assert kinds["val_accuracy"] == kinds["dropout"] == "float64"


def test_failed_trials_stand_last_and_have_no_score(project: Project) -> None:
    frame = tuner.results(project.findings())
    assert frame["val_accuracy"].tolist()[:2] == [0.9, 0.85]
    assert frame["status"].tolist()[-1] == "failed"
    assert frame["val_accuracy"].isna().tolist() == [False] * 7 + [True]
    assert str(frame["parameters"].dtype) == "Int64"


def test_the_history_has_a_row_for_each_value(project: Project) -> None:
    frame = tuner.history(project.findings())
    assert len(frame) == 7 * 4 * 3  # completed search trials, metrics, epochs
    one = frame[(frame["trial"] == frame["trial"][0]) & (frame["metric"] == "val_accuracy")]
    assert one[["epoch", "value"]].to_numpy().tolist() == [[1, 0.1], [2, 0.2], [3, 0.3]]
    assert set(frame["role"]) == {"search"}


def test_scores_are_those_of_the_saved_predictions(project: Project) -> None:
    findings = project.findings()
    frame = tuner.scores(findings)
    mine = frame[frame["model"] == "cnn"]
    assert mine["class"].tolist() == ["top", "middle", "bottom", "macro average", "weighted average"]
    (cnn,) = [chosen for chosen in findings.chosen if chosen.model == "cnn"]
    assert mine["f1"].tolist()[:3] == per_class(cnn.predictions)["f1"].tolist()
    assert str(mine["precision"].dtype) == "float64"


def test_scores_of_a_search_without_a_chosen_model_are_an_empty_table(project: Project) -> None:
    findings = Project(project.workspace.runs.parent / "other", project.data).findings()
    assert tuner.scores(findings).empty
    assert "f1" in tuner.scores(findings)
    assert tuner.compare(findings).empty
    assert tuner.results(findings).empty
    assert tuner.history(findings).empty


def test_the_comparison_is_in_numbers_best_first(project: Project) -> None:
    findings = project.findings()
    frame = tuner.compare(findings).set_index("model")
    assert frame.index.tolist() == ["cnn", "ann"]
    assert frame["retrained_mean"].to_dict() == pytest.approx({"cnn": 43.5 / 45, "ann": 30.5 / 45})
    assert frame["retrained_sd"]["ann"] == pytest.approx(np.std([30 / 45, 31 / 45], ddof=1))
    ann, cnn = findings.chosen
    difference = compare(ann.correct, cnn.correct)
    assert frame["delta"]["ann"] == pytest.approx(-13 / 45)
    interval = (frame["delta_ci_low"]["ann"], frame["delta_ci_high"]["ann"])
    assert interval == pytest.approx((difference.low, difference.high))
    assert frame["p_value"]["ann"] == pytest.approx(difference.p_value)
    assert frame["least_shown"]["ann"] == pytest.approx(difference.least_shown())
    assert frame["chance_ahead"]["ann"] == 0
    assert frame["mcnemar_mid_p"]["ann"] == mcnemar(ann.predictions.correct, cnn.predictions.correct)
    against = ["delta", "delta_ci_low", "delta_ci_high", "p_value", "least_shown", "chance_ahead", "mcnemar_mid_p"]
    assert frame.loc["cnn", against].isna().all()


def test_a_search_is_given_by_name_path_or_itself(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished)
    path = finished / "searches" / "small.toml"
    by_name = tuner.compare("small")
    for same in ("searches/small.toml", path, tuner.load_search(path), tuner.load_findings("small")):
        pd.testing.assert_frame_equal(tuner.compare(same), by_name)
        pd.testing.assert_frame_equal(tuner.results(same), tuner.results("small"))


@pytest.mark.parametrize("table", [tuner.results, tuner.history, tuner.scores, tuner.compare, tuner.load_findings])
def test_a_search_that_never_ran_is_one_line(
    table: object, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(table)
    monkeypatch.chdir(finished)
    none = r"^smal: no such search, and none of this name has been run here; did you mean 'small'\?$"
    with pytest.raises(tuner.TunerError, match=none):
        table("smal")
    with pytest.raises(tuner.TunerError, match=r"^small: has not been run here \(.*\); run: tuner\.run\('small'\)$"):
        table("small", runs_dir=tmp_path)


@pytest.mark.parametrize("table", [tuner.results, tuner.history, tuner.scores, tuner.compare, tuner.load_findings])
def test_what_is_no_name_of_a_search_is_one_line(table: object) -> None:
    assert callable(table)
    for given in (3, None, ["small"]):
        with pytest.raises(tuner.TunerError, match="is no name of a search"):
            table(given)


def test_a_comparison_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="no search is named"):
        tuner.compare()


def test_a_search_is_loaded_with_its_stand_ins(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished)
    search = tuner.load_search("small", epochs=2, repeats=1)
    assert (search.epochs, search.repeats, search.overrides.train_size) == (2, 1, None)
    for wrong in ({"epochs": 0}, {"train_size": 1}, {"test_size": 2.5}, {"repeats": True}):
        (option,) = wrong
        with pytest.raises(InputError, match=f"^{option}: is .* it must be a whole number from"):
            tuner.load_search("small", **wrong)
    with pytest.raises(InputError, match="did you mean 'small'"):
        tuner.load_search("smal")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"workers": 0}, "workers: is 0; it must be a whole number from 1 on"),
        ({"cpus_per_trial": -1}, "cpus_per_trial: is -1; it must be above 0"),
        ({"gpus_per_trial": 2}, "gpus_per_trial: 2 is not from 0 to 1: a trial computes on one GPU"),
        ({"executor": "cloud"}, "no executor is named 'cloud'"),
    ],
)
def test_a_wrong_argument_of_run_is_one_line_before_anything_is_written(
    wrong: dict[str, object], message: str, finished: Path, tmp_path: Path
) -> None:
    folders = {"runs_dir": tmp_path / "runs", "reports_dir": tmp_path / "reports"}
    with pytest.raises(InputError) as refused:
        tuner.run(finished / "searches" / "small.toml", **folders, **wrong)  # type: ignore[arg-type]
    assert message in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_another_backend_than_the_workers_have_is_refused(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.api.functions._backend_of_this_process", lambda: "tensorflow")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(InputError, match="KERAS_BACKEND: is 'jax' now, and this process began with 'tensorflow'"):
        tuner.run(finished / "searches" / "small.toml")


def interrupted(*_: object, **__: object) -> None:
    """Fail as a compiled module does that is interrupted while it is imported."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt as error:
        raise ImportError("initialization failed") from error


def test_an_interrupt_is_a_keyboard_interrupt_whatever_foreign_code_makes_of_it(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tuner.running.search.run_search", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            tuner.run(finished / "searches" / "small.toml")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert "stopped; nothing that finished is lost" in capsys.readouterr().err


def test_what_the_machine_lacks_is_said_in_a_line(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "runs")

    monkeypatch.setattr("tuner.running.search.run_search", full)
    raised: list[BaseException] = []

    def call() -> None:  # signals are not to be had in a thread, and need not be
        try:
            tuner.run(finished / "searches" / "small.toml")
        except ResourceError as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert "make room" in str(raised[0])


SCRIPT = """
print("main runs", flush=True)
import os, signal, threading, time, sqlite3
import tuner

def interrupt():
    while True:
        time.sleep(0.02)
        try:
            ledger = sqlite3.connect("file:runs/ledger.sqlite?mode=ro", uri=True)
            (count,) = ledger.execute("SELECT count(*) FROM trials").fetchone()
            ledger.close()  # one is opened fifty times a second, and a process may hold a thousand files
        except sqlite3.OperationalError:
            continue
        if count >= 1:
            os.kill(os.getpid(), signal.SIGINT)
            return

threading.Thread(target=interrupt, daemon=True).start()
try:
    tuner.run("small", workers=1)
except KeyboardInterrupt:
    print("interrupted after", len(tuner.results("small")), flush=True)
found = tuner.run("small", workers=1)
print("finished", found.finished, len(tuner.results(found)), flush=True)
"""


@pytest.mark.slow
def test_a_script_without_a_guard_runs_a_search_is_interrupted_and_goes_on(finished: Path, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", finished / "searches" / "blobs.npz")
    (folder / "script.py").write_text(SCRIPT)
    ran = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr
    begun, stopped, done = ran.stdout.splitlines()
    assert begun == "main runs"  # and no worker ran it again
    assert 1 <= int(stopped.removeprefix("interrupted after ")) < SEARCH_TRIALS
    assert done == f"finished True {SEARCH_TRIALS}"
    assert "main runs" not in (folder / "runs" / "workers.log").read_text()
    assert "from before" in ran.stderr
    for name in ("comparison.csv", "trials.csv", "per_class.csv"):
        assert (folder / "reports/small" / name).read_bytes() == (finished / "reports/small" / name).read_bytes()
