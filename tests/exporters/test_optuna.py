"""What is Optuna's own about an export: studies, distributions and attributes."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from made_up import RAW, Project
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from recorded import whole

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.exporters import EXPORTERS, Recorded
from tuner.ledger.ledger import SearchTrial
from tuner.space.parameters import Value
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
def storage(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


def exported(project: Project, storage: str) -> list[str]:
    return list(EXPORTERS["optuna"](Recorded.read(project.ledger, project.search.name), storage))


def study(storage: str, name: str) -> optuna.Study:
    return optuna.load_study(study_name=name, storage=storage)


def test_there_is_a_study_for_each_search_on_each_data_set(project: Project, storage: str) -> None:
    exported(project, storage)
    assert sorted(optuna.get_all_study_names(storage)) == ["small/ann/blobs", "small/cnn/blobs"]
    cnn = study(storage, "small/cnn/blobs")
    assert (cnn.best_trial.number, cnn.best_value, cnn.metric_names) == (3, 0.9, ["val_accuracy"])
    assert set(cnn.best_params) == {"conv_depth", "filters_1", "filters_2"}


def test_a_value_that_the_search_does_not_have_is_refused(project: Project, storage: str) -> None:
    (model_search, _) = project.search.model_searches
    trial = project.search.trial(model_search, "blobs", project.data.fingerprint, {"dense_units": 5}, None)
    project.ledger.record(Record(trial, whole(Result("completed", val_accuracy=0.5))))
    project.ledger.add("small", SearchTrial("ann", "blobs", "search", 2, trial.id))
    with pytest.raises(InputError, match=rf"trial {trial.id}: the ledger holds what no run wrote \("):
        exported(project, storage)


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
    (model_search,) = made.search.model_searches
    ends: list[dict[str, Value]] = [
        {"dense_depth": 1, "dense_units": 40, "dropout": 0.1 + 0.1 + 0.1, "learning_rate": 1e-2, "l2": 1e-3},
        {"dense_depth": 2, "dense_units": 8, "dense_units_2": 24, "dropout": 0.0, "learning_rate": 1e-4, "l2": 1e-5},
    ]
    for number, values in enumerate(ends):
        every = {**model_search.space.fixed(), "batch_norm": bool(number), **values}
        trial = made.search.trial(model_search, "blobs", blobs.fingerprint, every, None)
        made.ledger.record(Record(trial, whole(Result("completed", val_accuracy=0.5, seconds=1.0))))
        made.ledger.add("small", SearchTrial("ann", "blobs", "search", number, trial.id))
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
