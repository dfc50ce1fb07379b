"""How far two models are apart in what models are chosen by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first

from tuner.analysis.class_scores import class_differences
from tuner.analysis.objective_differences import difference_in
from tuner.analysis.per_image import values_of
from tuner.analysis.scoring import Predictions
from tuner.analysis.variance import compare
from tuner.datasets.base import Dataset
from tuner.objective import ACCURACY, Objective, objective_of

NAMES = (
    "accuracy", "log_loss", "balanced_accuracy", "macro_f1", "macro_roc_auc", "macro_average_precision", "f1:b",
    "recall:b", "precision:b", "roc_auc:b",
)  # fmt: skip


def answers(seed: int, n: int = 90) -> Predictions:
    """Return made-up answers on images of three classes of which two occur, mostly right."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    scores = rng.dirichlet(np.ones(3), n) + 0.4 * np.eye(3)[labels]
    probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return Predictions(labels, probabilities, ("a", "b", "c"))


@pytest.mark.parametrize("name", NAMES)
def test_the_mean_of_what_images_add_is_the_objective(name: str) -> None:
    objective, found = objective_of(name), answers(0)
    values = values_of(objective, found)
    assert values is not None
    assert values.shape == (90,)
    score = objective.score(found.labels, found.probabilities, found.class_names)
    assert values.mean() == pytest.approx(score, abs=1e-6)
    assert values.std() > 0


def test_of_a_class_that_is_not_there_and_of_an_own_objective_nothing_tells() -> None:
    class Own(Objective):
        name = label = doc = "own"

        def score(self, labels: object, probabilities: object, class_names: object) -> float:
            return 0.5

    assert values_of(objective_of("f1:none"), answers(0)) is None
    assert values_of(Own(), answers(0)) is None


def test_a_difference_is_that_of_the_values_of_all_retrainings(tmp_path: Path, blobs: Dataset) -> None:
    project = Project(tmp_path, blobs, RAW)
    ann, cnn = project.searched("ann", [0.5]), project.searched("cnn", [0.6])
    project.retrained("ann", ann[0], [first(30), first(33)])
    project.retrained("cnn", cnn[0], [first(40), first(41)])
    a, c = project.findings().chosen
    found = difference_in(ACCURACY, c, a)
    assert found == compare(c.correct, a.correct)
    assert found is not None
    assert found.mean == pytest.approx((81 - 63) / 90)
    balanced = difference_in(objective_of("balanced_accuracy"), c, a)
    assert balanced is not None
    assert balanced.low < balanced.mean < balanced.high
    project.ledger.close()


def test_an_interval_ends_where_differences_of_the_objective_do(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, {**RAW, "objective": "macro_f1"})
    for model, right in (("ann", [44, 1]), ("cnn", [45, 2])):  # all or nearly nothing: t reaches beyond what there is
        made.retrained(model, made.searched(model, [0.5])[0], [first(count) for count in right])
    ann, cnn = made.findings().chosen
    found = difference_in(objective_of("macro_f1"), cnn, ann)
    assert found is not None
    assert (found.low, found.high) == (-1.0, 1.0)
    lost = difference_in(objective_of("log_loss"), cnn, ann)
    assert lost is not None
    assert lost.low < -1
    assert lost.high > 1
    assert all((one.low, one.high) == (-1.0, 1.0) for *_, name, one in class_differences([(cnn, ann)]) if name == "f1")
