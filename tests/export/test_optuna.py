"""Trials exported to Optuna: loaded back by Optuna itself, they are what the ledger holds."""

from __future__ import annotations

import importlib.util
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import optuna
import pytest
from click.testing import CliRunner
from made_up import RAW, Project, first
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from tuner.cli import app
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.export import EXPORTERS, Recorded
from tuner.ledger import Member
from tuner.parameters import Value
from tuner.trial import Record, Result

RANGES = {
    "dense_units": {"min": 8, "max": 40, "step": 16},
    "dense_depth": [1, 2],
    "dropout": {"min": 0.0, "max": 0.35, "step": 0.1},
    "learning_rate": {"min": 1e-4, "max": 1e-2, "sampling": "log"},
    "l2": {"min": 1e-5, "max": 1e-3, "step": 10, "sampling": "log"},
    "batch_norm": [False, True],
}


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset) -> Project:
    made = Project(tmp_path, blobs)
    ann = made.searched("ann", [0.5, 0.6])
    made.searched("cnn", [0.7, 0.8, None, 0.9, 0.85, 0.6])
    made.retrained("ann", ann[1], [first(30), first(31)])
    return made


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


def exported(project: Project, storage: str) -> list[str]:
    return list(EXPORTERS["optuna"](Recorded.read(project.ledger, project.search.name), storage))


def study(storage: str, name: str) -> optuna.Study:
    return optuna.load_study(study_name=name, storage=storage)


def test_there_is_a_study_for_each_search_on_each_data_set(project: Project, storage: str) -> None:
    lines = exported(project, storage)
    assert lines == ["small/ann/blobs: 2 trials", "small/cnn/blobs: 6 trials"]
    assert sorted(optuna.get_all_study_names(storage)) == ["small/ann/blobs", "small/cnn/blobs"]


def test_trials_have_the_values_scores_and_curves_of_the_ledger(project: Project, storage: str) -> None:
    exported(project, storage)
    trials = study(storage, "small/cnn/blobs").trials
    recorded = [record for member, record in project.ledger.members("small") if member.model == "cnn" and record]
    searched = [record for record in recorded if record.trial.role == "search"]
    assert [trial.user_attrs["trial"] for trial in trials] == [record.trial.id for record in searched]
    assert [trial.value for trial in trials] == [0.7, 0.8, None, 0.9, 0.85, 0.6]
    for trial, record in zip(trials, searched, strict=True):
        varying = {
            name: v for name, v in record.trial.values.items() if name in ("conv_depth", "filters_1", "filters_2")
        }
        assert trial.params == varying
        assert trial.intermediate_values == {1: 0.1, 2: 0.2, 3: 0.3} or trial.state == TrialState.FAIL
        assert trial.user_attrs["seed"] == 0
    assert study(storage, "small/cnn/blobs").best_trial.user_attrs["trial"] == searched[3].trial.id


def test_a_failed_trial_is_failed_and_keeps_its_reason(project: Project, storage: str) -> None:
    exported(project, storage)
    failed = study(storage, "small/cnn/blobs").trials[2]
    assert failed.state == TrialState.FAIL
    assert failed.value is None
    assert failed.user_attrs["error"] == "it | <broke>"


def test_a_trial_began_and_ended_when_the_ledger_says(project: Project, storage: str) -> None:
    with sqlite3.connect(project.places.ledger) as ledger:
        ledger.execute("UPDATE trials SET began = '2026-03-01T11:58:30+00:00', finished = '2026-03-01T12:00:00+00:00'")
    ledger.close()
    exported(project, storage)
    trial = study(storage, "small/ann/blobs").trials[0]
    assert trial.datetime_complete is not None
    assert trial.duration is not None
    assert trial.duration.total_seconds() == 90
    assert trial.datetime_complete.astimezone(UTC) == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_study_says_what_is_fixed_and_what_came_of_the_retrainings(project: Project, storage: str) -> None:
    exported(project, storage)
    about = study(storage, "small/ann/blobs").user_attrs
    assert about["fixed"]["batch_size"] == 64
    assert "dense_units" not in about["fixed"]
    assert about["retrained_test_accuracy"] == pytest.approx([30 / 45, 31 / 45])
    assert about["overrides"] == {"train_size": 60}
    assert about["objective"] == "val_accuracy on validation images"


@pytest.fixture
def ranged(tmp_path: Path, blobs: Dataset) -> Project:
    """A search over every kind of domain, with trials at the ends of its ranges."""
    search = {"family": "ann", "algorithm": "random", "max_trials": 2, "space": RANGES}
    made = Project(tmp_path, blobs, {**RAW, "search": [search], "published": {"study": "-"}, "report": {}})
    (entry,) = made.search.entries
    ends: list[dict[str, Value]] = [
        {"dense_depth": 1, "dense_units": 40, "dropout": 0.1 + 0.1 + 0.1, "learning_rate": 1e-2, "l2": 1e-3},
        {"dense_depth": 2, "dense_units": 8, "dense_units_2": 24, "dropout": 0.0, "learning_rate": 1e-4, "l2": 1e-5},
    ]
    for number, values in enumerate(ends):
        whole = {**entry.space.fixed(), "batch_norm": bool(number), **values}
        trial = made.search.trial(entry, "blobs", blobs.fingerprint, whole, None)
        made.ledger.record(Record(trial, Result("completed", val_accuracy=0.5, seconds=1.0)))
        made.ledger.enlist("small", Member("ann", "blobs", "search", number, trial.id))
    return made


def test_domains_are_optuna_s_distributions_and_hold_their_ends(ranged: Project, storage: str) -> None:
    exported(ranged, storage)
    one, two = study(storage, "small/ann/blobs").trials
    assert two.distributions == {
        "dense_units": IntDistribution(8, 40, step=16),
        "dense_units_2": IntDistribution(8, 40, step=16),
        "dense_depth": CategoricalDistribution((1, 2)),
        "dropout": FloatDistribution(0.0, 0.3, step=0.1),
        "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
        "l2": FloatDistribution(1e-5, 1e-3, log=True),
        "batch_norm": CategoricalDistribution((False, True)),
    }
    assert "dense_units_2" not in one.params
    assert (one.params["dropout"], one.params["dense_units"], one.params["learning_rate"]) == (0.3, 40, 1e-2)
    assert (one.params["batch_norm"], two.params["batch_norm"]) == (False, True)


def test_exported_again_a_study_is_replaced_and_no_other(project: Project, storage: str) -> None:
    optuna.create_study(study_name="mine", storage=storage).add_trial(optuna.trial.create_trial(value=1.0))
    exported(project, storage)
    exported(project, storage)
    assert len(study(storage, "small/cnn/blobs").trials) == 6
    assert len(study(storage, "mine").trials) == 1
    assert len(optuna.get_all_study_names(storage)) == 3


def test_a_study_of_somebody_else_s_is_left_alone(project: Project, storage: str) -> None:
    optuna.create_study(study_name="small/ann/blobs", storage=storage).add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(InputError, match=r"--storage: the study 'small/ann/blobs' is there already"):
        exported(project, storage)
    assert [trial.value for trial in study(storage, "small/ann/blobs").trials] == [1.0]


def test_an_unfinished_search_gives_the_trials_that_have_finished(project: Project, storage: str) -> None:
    with sqlite3.connect(project.places.ledger) as ledger:
        ledger.execute("DELETE FROM trials WHERE trial IN (SELECT trial FROM members WHERE model='ann' AND number=0)")
    ledger.close()
    assert exported(project, storage)[0] == "small/ann/blobs: 1 trials"


@pytest.mark.parametrize("wrong", ["nonsense", "sqlite:////nowhere/at/all/study.db", "mystery://user:secret@host/x"])
def test_a_storage_that_cannot_be_opened_is_one_line_without_its_password(project: Project, wrong: str) -> None:
    with pytest.raises(
        InputError, match=r"^--storage: cannot be used \(.*\); give a URL like sqlite:///study\.db$"
    ) as e:
        exported(project, wrong)
    assert "secret" not in str(e.value)


def test_a_file_that_is_no_database_stays_as_it_is(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database at all\n" * 100)
    with pytest.raises(InputError, match="cannot be used"):
        exported(project, f"sqlite:///{file}")
    assert file.read_text() == "no database at all\n" * 100


def test_without_optuna_it_says_how_to_get_it(project: Project, storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"Optuna is not installed; install it: pip install 'tunetable\[optuna\]'"):
        exported(project, storage)
    assert InputError.exit_code == 2


def test_the_command_writes_studies_and_prints_them(project: Project, storage: str) -> None:
    options = ["--to", "optuna", "--storage", storage, "--runs-dir", str(project.places.runs)]
    answer = CliRunner().invoke(app, ["export", "small", *options])
    assert answer.stdout.splitlines() == ["small/ann/blobs: 2 trials", "small/cnn/blobs: 6 trials"]
    never = CliRunner().invoke(app, ["export", "never", *options]).exception
    assert isinstance(never, InputError)
    assert "never: has not been run here" in str(never)


@pytest.mark.parametrize(
    "change",
    [
        "val_accuracy = NULL",
        "finished = 'yesterday'",
        """content = replace(content, '"dense_units": 4', '"dense_units": 5')""",
        """content = replace(content, '"seed": 0', '"seed": 9')""",
    ],
)
def test_a_trial_that_no_run_wrote_is_refused_in_one_line(project: Project, storage: str, change: str) -> None:
    with sqlite3.connect(project.places.ledger) as ledger:
        ledger.execute(f"UPDATE trials SET {change}")  # noqa: S608  # ours
    ledger.close()
    with pytest.raises(InputError, match=r"the ledger holds what no run wrote \(|is not a ledger, or is damaged \("):
        exported(project, storage)
