"""Operating points: what a threshold counts, which one each rule takes, and of which class they are told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from tuner.analysis.operating_points import RULES, Counts, counts_at, operating_points

HIGHEST, RECALL, PRECISION = RULES


def test_an_image_whose_score_reaches_the_threshold_is_taken_for_the_class() -> None:
    scores, wanted = np.array([0.1, 0.4, 0.5, 0.8]), np.array([False, True, False, True])
    assert counts_at([0.5, 0.0, 0.9], scores, wanted) == [Counts(1, 1, 1, 1), Counts(2, 0, 2, 0), Counts(0, 2, 0, 2)]


def test_its_metrics_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    wanted = rng.random(200) < 0.3
    scores = np.clip(rng.normal(0.3 + 0.3 * wanted, 0.2), 0, 1)
    for threshold, counts in zip((0.2, 0.5, 0.7), counts_at((0.2, 0.5, 0.7), scores, wanted), strict=True):
        precision, recall, f1, _ = precision_recall_fscore_support(wanted, scores >= threshold, average="binary")
        assert (counts.precision, counts.recall, counts.f1) == pytest.approx((precision, recall, f1))
        assert counts.false_positive_rate == pytest.approx((scores[~wanted] >= threshold).mean())


def test_what_is_not_defined_is_nan() -> None:
    nothing = Counts(0, 0, 0, 5)
    assert all(map(math.isnan, (nothing.precision, nothing.recall, nothing.f1)))
    assert (nothing.precision_interval, nothing.recall_interval) == (None, None)
    assert math.isnan(Counts(3, 1, 0, 0).false_positive_rate)
    assert Counts(0, 4, 2, 3).f1 == 0


def test_each_rule_takes_the_threshold_that_it_says() -> None:
    # 20 of the class: 19 of them from 0.60 on and one at 0.05; 20 others: 18 below 0.5, one at 0.65, one at 0.9.
    scores = np.concatenate(([0.05], np.linspace(0.60, 0.98, 19), np.linspace(0.10, 0.44, 18), [0.65, 0.9]))
    wanted = np.arange(40) < 20
    points = {point.rule: point for point in operating_points((scores, wanted), (scores, wanted))}
    assert list(points) == ["0.5", HIGHEST, RECALL, PRECISION]
    assert points["0.5"].validation == points["0.5"].test == Counts(19, 1, 2, 18)
    # Between 0.44 and 0.60 recall is 19/20 and precision 19/21; lower ones only add others.
    assert 0.44 < points[HIGHEST].threshold < 0.60
    assert points[RECALL].validation.recall == 0.95
    assert points[RECALL].threshold == pytest.approx((0.44 + 0.60) / 2)
    # 0.9 stands above all but the last four of the class: from there on precision is 1.
    assert points[PRECISION].validation.precision >= 0.95
    assert points[PRECISION].threshold > 0.9


def test_of_equal_scores_no_threshold_is_between_and_what_no_threshold_reaches_is_left_out() -> None:
    scores, wanted = np.full(10, 0.5), np.arange(10) < 3
    points = operating_points((scores, wanted), (scores, wanted))
    assert [point.rule for point in points] == ["0.5", HIGHEST, RECALL]
    assert {point.threshold for point in points[1:]} == {0.25}


def test_the_test_images_have_no_part_in_the_choice() -> None:
    rng = np.random.default_rng(1)
    validation = rng.random(50), rng.random(50) < 0.5
    one = operating_points(validation, (rng.random(80), rng.random(80) < 0.5))
    other = operating_points(validation, (rng.random(30), rng.random(30) < 0.1))
    assert [point.threshold for point in one] == [point.threshold for point in other]
    assert [point.validation for point in one] == [point.validation for point in other]
    assert all(sum(vars(point.test).values()) == 80 for point in one)
