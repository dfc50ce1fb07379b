"""Metrics of classes over all retrainings, and the intervals of their differences."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import Project, first
from sklearn.metrics import f1_score

from tuner.analysis.class_scores import class_differences, mean_of, over_retrainings, sd_of
from tuner.analysis.scoring import per_class
from tuner.analysis.variance import compare


def test_mean_and_spread_are_those_of_the_retrainings(project: Project) -> None:
    chosen = project.findings().chosen[1]
    frame = over_retrainings(chosen)
    each = np.array([per_class(predictions)["f1"] for predictions in chosen.all_predictions])
    assert frame["f1"][:3].tolist() == each[0].tolist(), "the saved model's"
    assert frame[mean_of("f1")][:3].tolist() == pytest.approx(each.mean(axis=0))
    assert frame[sd_of("f1")][:3].tolist() == pytest.approx(each.std(axis=0, ddof=1))
    macro = each.mean(axis=1)
    assert frame[mean_of("f1")][3] == pytest.approx(macro.mean())
    assert frame[sd_of("f1")][3] == pytest.approx(macro.std(ddof=1))


def test_a_retraining_without_the_metric_is_left_out_of_the_mean(project: Project) -> None:
    trial = project.searched("ann", [0.5])[0]
    never = project.data.y_test != 1  # every image of class 1 is taken for class 2, and none of class 0 for it
    wrong_for_one = first(45) & never & (project.data.y_test != 0)
    project.retrained("ann", trial, [wrong_for_one | (project.data.y_test == 0), first(45)])
    chosen = next(c for c in project.findings().chosen if c.model == "ann")
    frame = over_retrainings(chosen)
    each = np.array([per_class(predictions)["precision"] for predictions in chosen.all_predictions])
    assert np.isnan(each).any()
    known = [row[np.isfinite(row)] for row in each.T]
    assert frame[mean_of("precision")][:3].tolist() == pytest.approx([row.mean() for row in known])
    assert np.isnan(frame[sd_of("precision")][1])


def test_a_difference_is_of_the_means_over_retrainings_in_every_class_and_metric(project: Project) -> None:
    ann, cnn = project.findings().chosen
    found = list(class_differences([(cnn, ann)]))
    assert [(label, metric) for _, _, label, metric, _ in found] == [
        (label, metric) for label in (0, 1, 2, None) for metric in ("f1", "roc_auc", "average_precision")
    ]
    for _, _, label, metric, difference in found:
        here = slice(None) if label is None else label  # all classes: the macro average
        means = [np.mean([per_class(p)[metric].to_numpy()[here] for p in one.all_predictions]) for one in (cnn, ann)]
        assert difference.mean == pytest.approx(means[0] - means[1])
        assert difference.low <= difference.mean <= difference.high


def test_the_interval_is_that_of_pseudo_values_found_by_leaving_images_out(project: Project) -> None:
    ann, cnn = project.findings().chosen
    labels = cnn.predictions.labels
    (difference,) = [d for _, _, label, metric, d in class_differences([(cnn, ann)]) if (label, metric) == (1, "f1")]
    pseudo = []
    for one in (cnn, ann):
        rows = []
        for predictions in one.all_predictions:
            truth, said = labels == 1, predictions.predicted == 1
            whole = f1_score(truth, said)
            left = np.array([f1_score(np.delete(truth, i), np.delete(said, i)) for i in range(45)])
            values = 45 * whole - 44 * left
            rows.append(values - values.mean() + whole)
        pseudo.append(np.stack(rows))
    expected = compare(*pseudo)
    assert (difference.low, difference.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
