"""`tuner import kerastuner`: a project's trials in the ledger, with nothing made up; other folders in one line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import tuner
from tuner.cli import app
from tuner.errors import InputError
from tuner.running.imported import import_kerastuner
from tuner.untrusted.kerastuner_project import read_project
from tuner.workspace import Workspace

#: Scores by the number of units, of a made-up project.
UNITS = (4, 8, 16, 32, 64, 128)


def trial(name: str, **values: Any) -> dict[str, Any]:
    """Return the state of a completed trial as KerasTuner 1.4 writes it."""
    score = 0.5 + values["units"] / 1000 + (0.2 if values["learning_rate"] < 0.005 else 0)
    metrics = {"accuracy": score + 0.05, "loss": 0.4, "val_accuracy": score, "val_loss": 1 - score}
    observed = {
        metric: {"direction": "min" if "loss" in metric else "max", "observations": [{"value": [value], "step": 3}]}
        for metric, value in metrics.items()
    }
    return {
        "trial_id": name,
        "hyperparameters": {"space": [], "values": values},
        "metrics": {"metrics": observed},
        "score": score,
        "best_step": 3,
        "status": "COMPLETED",
        "message": None,
    }


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of twelve trials, one of which failed and one of which had not ended."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "kt" / "my digits"
    states = [
        trial(f"{2 * place + second:02d}", units=units, learning_rate=rate, optimizer=["adam", "nadam"][second])
        for place, units in enumerate(UNITS)
        for second, rate in enumerate((0.01, 0.001))
    ]
    states[3] |= {"status": "FAILED", "score": None, "message": "Traceback (most recent call last):\n  x\nE: no room\n"}
    states[4] |= {"status": "RUNNING", "score": None}
    for state in states:
        place = folder / f"trial_{state['trial_id']}"
        place.mkdir(parents=True)
        (place / "trial.json").write_text(json.dumps(state))
        (place / "checkpoint.weights.h5").write_bytes(b"never read")
    order = [state["trial_id"] for state in states][::-1]
    (folder / "oracle.json").write_text(json.dumps({"start_order": order, "seed": 7}))
    return folder


def test_what_a_project_holds_is_in_the_ledger_and_nothing_else_is(made: Path) -> None:
    lines = import_kerastuner(made, Workspace())
    assert lines == [
        "read 11 trials of KerasTuner's project my digits as the search my-digits, 1 of them failed; 1 that had not "
        "ended are left out",
        "its parameter learning_rate is called hp_learning_rate here",
        "its parameter optimizer is called hp_optimizer here",
        "it holds no learning curves, only the values of each trial's best epoch",
        "it holds no predictions, test scores, images, times, sizes and seeds: none are shown",
        "tuner report my-digits writes its report",
    ]
    frame = tuner.results("my-digits")
    assert frame["val_accuracy"][0] == pytest.approx(0.5 + 0.128 + 0.2)
    assert (frame["units"][0], frame["hp_learning_rate"][0], frame["hp_optimizer"][0]) == (128, 0.001, "nadam")
    assert frame["status"].value_counts().to_dict() == {"completed": 10, "failed": 1}
    assert frame["error"].iloc[-1] == "E: no room"
    assert set(frame["best_epoch"].dropna()) == {4}
    for unknown in ("seed", "seconds", "parameters", "train_size", "retrained_mean"):
        assert frame[unknown].isna().all(), unknown
    assert tuner.history("my-digits").empty
    found = tuner.load_findings("my-digits")
    assert found.finished
    assert found.chosen == ()
    # In the order of their start.
    assert [record.trial.values["units"] for record in found.trials()][:2] == [128, 128]


@pytest.mark.usefixtures("undrawn")
def test_its_report_has_what_can_be_had_and_says_what_is_missing(made: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    for arguments in (["import", "kerastuner", str(made)], ["report", "my-digits"], ["results", "my-digits"]):
        ran = runner.invoke(app, arguments)
        assert ran.exit_code == 0, ran.output
    assert " 128 |" in ran.output
    assert "seed" not in ran.output
    folder = tmp_path / "reports" / "my-digits"
    text = (folder / "report.md").read_text()
    assert "nothing tells whether it is really better" in text
    assert "| predictions on test images " in text
    assert "| the score of every epoch " in text
    assert "## What matters" in text
    for absent in ("## Provenance", "## Time", "seed 0", "## ROC", "Sample images", "never left chance."):
        assert absent not in text, absent
    assert (folder / "importance.csv").is_file()
    assert "units" in (folder / "report.html").read_text()
    display = tuner.ImportanceDisplay.from_findings("my-digits")
    assert set(display.frame()["parameter"]) >= {"units"}
    assert "nothing tells" in tuner.load_findings("my-digits")._repr_html_()  # type: ignore[operator]


def test_curves_are_there_where_the_project_has_them(made: Path) -> None:
    for file in made.glob("trial_*/trial.json"):
        state = json.loads(file.read_text())
        for metric in state["metrics"]["metrics"].values():
            (last,) = metric["observations"]
            metric["observations"] = [{"value": [last["value"][0] / 2, last["value"][0]], "step": s} for s in range(3)]
            metric["observations"].append(last)
        file.write_text(json.dumps(state))
    lines = import_kerastuner(made, Workspace(), "curves")
    assert not any("learning curves" in line for line in lines)
    frame = tuner.history("curves")
    assert set(frame["metric"]) == {"accuracy", "val_accuracy", "loss", "val_loss"}
    best = frame[(frame["trial"] == tuner.results("curves")["trial"][0]) & (frame["metric"] == "val_accuracy")]
    assert best["value"].tolist() == pytest.approx([0.621, 0.621, 0.621, 0.828])


def test_what_is_imported_again_takes_the_place_of_what_was_there(made: Path) -> None:
    import_kerastuner(made, Workspace())
    before = tuner.results("my-digits")["trial"].tolist()
    import_kerastuner(made, Workspace())
    assert tuner.results("my-digits")["trial"].tolist() == before
    shutil.rmtree(made / "trial_00")
    import_kerastuner(made, Workspace())
    assert len(tuner.results("my-digits")) == len(before) - 1


def test_a_search_that_was_run_here_keeps_its_name(made: Path, blobs: Any, tmp_path: Path) -> None:
    from made_up import Project

    Project(tmp_path, blobs).searched("ann", [0.5, 0.6])
    with pytest.raises(InputError, match="--name: a search 'small' has been run here; take another name"):
        import_kerastuner(made, Workspace(), "small")
    assert len(tuner.results("small")) == 2


def test_hyperband_s_epochs_are_its_own(made: Path) -> None:
    for number, file in enumerate(sorted(made.glob("trial_*/trial.json"))):
        state = json.loads(file.read_text())
        state["hyperparameters"]["values"] |= {"tuner/epochs": 5 + number % 2, "tuner/bracket": 1, "tuner/round": 0}
        file.write_text(json.dumps(state))
    import_kerastuner(made, Workspace())
    frame = tuner.results("my-digits")
    assert set(frame["epochs"]) == {5, 6}
    assert not [name for name in frame if "tuner/" in str(name)]


def test_another_score_than_validation_accuracy_is_said(made: Path) -> None:
    for file in made.glob("trial_*/trial.json"):
        state = json.loads(file.read_text())
        state["score"] = state["score"] and 1 - state["score"]
        file.write_text(json.dumps(state))
    assert "KerasTuner chose by something else; here they are ranked by validation accuracy" in import_kerastuner(
        made, Workspace()
    )


def change(file: str, **to: Any) -> Callable[[Path], None]:
    def of(folder: Path) -> None:
        (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **to}))

    return of


def write(file: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(content)


FIRST = "trial_00/trial.json"
NO_ACCURACY = {"metrics": {"val_auc": {"direction": "max", "observations": [{"value": [0.5], "step": 3}]}}}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda folder: (folder / "oracle.json").unlink(),
            "is no project of KerasTuner's: it has no oracle.json; give",
        ),
        (write("oracle.json", b"{"), "oracle.json: is not JSON"),
        (write("oracle.json", b"[]"), "oracle.json: holds a list, and no object of JSON"),
        (write("oracle.json", b"\xff"), "oracle.json: is not JSON"),
        (write("oracle.json", b"[" * 100_000), "oracle.json: is not JSON"),
        (change("oracle.json", start_order=[1]), "oracle.json: its start_order is no list of names"),
        (write(FIRST, b" " * 2_000_000), "trial_00/trial.json: is larger than 1 MB"),
        (lambda folder: (folder / FIRST).unlink(), "trial_00/trial.json: cannot be read"),
        (write(FIRST, b"{}"), "trial_00/trial.json: is not as KerasTuner writes it (KeyError: 'trial_id')"),
        (change(FIRST, trial_id=3), "trial.json: is not as KerasTuner writes it (ValueError: 3 is no name)"),
        (change(FIRST, trial_id="a\nb"), "is no name)"),
        (change(FIRST, status="DONE"), "status is 'DONE'"),
        (change(FIRST, best_step=True), "best_step is True"),
        (change(FIRST, score="high"), "'high' is no number"),
        (change(FIRST, score=10**400), "is no number"),
        (change(FIRST, metrics=[]), "trial.json: is not as KerasTuner writes it"),
        (change(FIRST, metrics=NO_ACCURACY), "trial '00' has no validation accuracy; only classifiers"),
        (change(FIRST, hyperparameters={"values": {"units": [1]}}), "[1] is no value of a parameter"),
        (change(FIRST, hyperparameters={"values": {"a": 1, "tuner/epochs": 0}}), "tuner/epochs is 0"),
        (lambda folder: [shutil.rmtree(one) for one in folder.glob("trial_*")], "it has no trial; give the folder"),
    ],
)
def test_what_is_no_project_is_one_line_and_exit_code_2(
    made: Path, damage: Callable[[Path], object], says: str, tmp_path: Path
) -> None:
    damage(made)
    with pytest.raises(InputError) as refused:
        import_kerastuner(made, Workspace())
    assert says in str(refused.value)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "runs").exists()


def test_a_pipe_is_not_waited_for(made: Path) -> None:
    (made / FIRST).unlink()
    os.mkfifo(made / FIRST)
    with pytest.raises(InputError, match="is not a file"):
        read_project(made)


def test_a_score_that_is_no_number_is_a_failed_trial(made: Path) -> None:
    state = (made / FIRST).read_text()
    (made / FIRST).write_text(state.replace('"score": 0.504', '"score": NaN'))
    import_kerastuner(made, Workspace())
    assert "its score is no number" in tuner.results("my-digits")["error"].tolist()


def test_a_project_of_kerastuner_s_own_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keras_tuner = pytest.importorskip("keras_tuner")
    monkeypatch.chdir(tmp_path)

    def score(hp: Any) -> float:
        width = hp.Choice("width", [1, 2, 4])
        with hp.conditional_scope("width", [2, 4]):
            return float(width + hp.Float("rate", 0, 0.5, step=0.25)) / 10 if width > 1 else 0.05

    class Search(keras_tuner.RandomSearch):  # type: ignore[misc]
        def run_trial(self, trial: Any, *_: object, **__: object) -> dict[str, float]:
            return {"val_accuracy": score(trial.hyperparameters)}

    search = Search(
        lambda hp: score(hp) and None,
        objective=keras_tuner.Objective("val_accuracy", "max"),
        max_trials=5,
        seed=3,
        directory="kt",
        project_name="own",
    )
    search.search()
    import_kerastuner(Path("kt/own"), Workspace())
    frame = tuner.results("own")
    theirs = sorted((one.score for one in search.oracle.trials.values()), reverse=True)
    assert frame["val_accuracy"].tolist() == pytest.approx(theirs)
    assert set(frame["width"]) <= {1, 2, 4}
