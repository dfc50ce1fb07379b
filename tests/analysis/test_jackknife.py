"""Jackknife pseudo-values against leaving out each image in turn with scikit-learn, and by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from tuner.analysis.jackknife import average_precision, f1, precision, recall, roc_auc

METRICS = {
    "f1": (f1, f1_score),
    "recall": (recall, recall_score),
    "precision": (precision, precision_score),
    "roc_auc": (roc_auc, roc_auc_score),
    "ap": (average_precision, average_precision_score),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("decimals", [1, 6], ids=["with ties", "without ties"])
@pytest.mark.parametrize("seed", range(4))
def test_pseudo_values_are_what_leaving_out_each_image_gives(metric: str, decimals: int, seed: int) -> None:
    ours, theirs = METRICS[metric]
    rng = np.random.default_rng(seed)
    positive = rng.random(50) < 0.3
    scores = np.round(0.7 * rng.random(50) + 0.3 * positive, decimals)
    given = scores > 0.6 if metric in ("f1", "recall", "precision") else scores
    whole = theirs(positive, given)
    without = np.array([theirs(np.delete(positive, i), np.delete(given, i)) for i in range(50)])
    plain = 50 * whole - 49 * without
    found = ours(positive, given)
    assert found.mean() == pytest.approx(whole)
    assert found - found.mean() == pytest.approx(plain - plain.mean(), abs=1e-9)


def test_the_pseudo_values_of_an_f1_worked_out_by_hand() -> None:
    # 1 found, 1 missed, 1 taken for it, 1 left alone: F1 = 2/4. Without them in turn: 0, 2/3, 2/3, 1/2; mean 11/24.
    found = f1(np.array([True, True, False, False]), np.array([True, False, True, False]))
    assert found == pytest.approx([0.5 - 3 * (w - 11 / 24) for w in (0, 2 / 3, 2 / 3, 1 / 2)])


def test_the_pseudo_values_of_a_share_of_pairs_worked_out_by_hand() -> None:
    # Scores .9 and .4 of the class against .6 and .1: 3 of 4 pairs. Without them in turn: 1/2, 1, 1, 1/2.
    found = roc_auc(np.array([True, True, False, False]), np.array([0.9, 0.4, 0.6, 0.1]))
    assert found == pytest.approx([0.75 - 3 * (w - 0.75) for w in (0.5, 1, 1, 0.5)])


@pytest.mark.parametrize("metric", [roc_auc, average_precision])
@pytest.mark.parametrize("occurs", [0, 1])
def test_a_class_that_one_image_at_most_is_of_has_none(metric: Callable[..., np.ndarray], occurs: int) -> None:
    assert np.isnan(metric(np.arange(9) < occurs, np.linspace(0, 1, 9))).all()


def test_where_an_f1_or_one_without_some_image_is_0_over_0_it_has_none() -> None:
    never = np.zeros(9, dtype=bool)
    assert np.isnan(f1(never, never)).all()
    assert np.isnan(f1(np.arange(9) < 1, np.arange(9) < 1)).all()
    assert f1(np.arange(9) < 2, never) == pytest.approx(np.zeros(9))
