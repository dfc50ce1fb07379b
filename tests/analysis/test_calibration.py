"""Calibration errors and scores of probabilities, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tuner.analysis.calibration import BINS, Calibration, confident_mistakes
from tuner.analysis.scoring import Predictions


def predictions(probabilities: list[list[float]] | np.ndarray, labels: list[int] | np.ndarray) -> Predictions:
    array = np.asarray(probabilities, dtype=np.float32)
    return Predictions(np.asarray(labels), array, tuple(f"class {k}" for k in range(array.shape[1])))


#: Confidence 0.95 twice, once right; 0.6 twice, both right.
FOUR = predictions([[0.95, 0.05], [0.95, 0.05], [0.4, 0.6], [0.6, 0.4]], [0, 1, 1, 0])


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    found = Calibration(FOUR)
    # Gaps 0.95 - 0.5 and 1 - 0.6, half of the images each
    assert found.ece == pytest.approx(0.5 * 0.45 + 0.5 * 0.4)
    assert found.mean_confidence == pytest.approx(0.775)


def test_log_loss_and_brier_score_are_those_of_the_formulas() -> None:
    found = Calibration(FOUR)
    assert found.nll == pytest.approx(-(math.log(0.95) + math.log(0.05) + 2 * math.log(0.6)) / 4)
    # 2 * 0.05**2, 2 * 0.95**2 and twice 2 * 0.4**2
    assert found.brier == pytest.approx((0.005 + 1.805 + 2 * 0.32) / 4)


def test_the_curve_has_a_point_per_bin_that_has_images() -> None:
    curve = Calibration(FOUR).reliability
    assert np.flatnonzero(curve.images).tolist() == [8, 14]  # 0.6 = 9/15 is the upper end of the ninth bin
    assert curve.images.sum() == 4
    assert curve.accuracy[[8, 14]].tolist() == [1.0, 0.5]
    assert curve.confidence[[8, 14]] == pytest.approx([0.6, 0.95])
    assert np.isnan(curve.accuracy[0])
    assert len(curve.images) == BINS


def test_a_bin_holds_its_upper_end() -> None:
    ends = predictions([[0.8, 0.2], [0.8001, 0.1999], [1.0, 0.0], [0.5, 0.5]], [0, 0, 0, 0])
    assert Calibration(ends).bins.tolist() == [11, 12, 14, 7]


def test_a_model_that_is_sure_and_never_wrong_has_no_error_at_all() -> None:
    found = Calibration(predictions(np.eye(3)[[0, 1, 2, 0]], [0, 1, 2, 0]))
    assert [found.ece, found.ece_if_calibrated, found.nll, found.brier] == [0, 0, 0, 0]


def test_equal_probabilities_of_a_hundred_classes_are_calibrated_and_know_nothing() -> None:
    found = Calibration(predictions(np.full((100, 100), 0.01), list(range(100))))
    assert found.ece == pytest.approx(0, abs=1e-6)  # the first class is named each time, and right once
    assert found.nll == pytest.approx(math.log(100), abs=1e-5)
    assert found.brier == pytest.approx(0.99**2 + 99 * 0.01**2, abs=1e-6)


def test_a_wrong_zero_costs_much_but_not_everything() -> None:
    assert Calibration(predictions([[1.0, 0.0]], [1])).nll == pytest.approx(-math.log(1e-7))


def test_a_confidence_a_little_above_one_is_one() -> None:
    found = Calibration(predictions([[1.000001, 0.0]], [0]))
    assert found.mean_confidence == 1
    assert found.bins.tolist() == [14]


def test_the_error_of_a_calibrated_model_is_that_of_its_coin() -> None:
    # One bin of 400 images at 0.5: |share - 0.5| is below 1.96 * sqrt(0.25 / 400) = 0.049 in 95 of 100 test sets
    found = Calibration(predictions(np.full((400, 2), 0.5), np.arange(400) % 2))
    assert found.ece == 0
    assert found.ece_if_calibrated == pytest.approx(0.049, abs=0.004)
    assert Calibration(found.predictions).ece_if_calibrated == found.ece_if_calibrated


def of_confidences(*groups: tuple[int, float, float]) -> Calibration:
    """Return the calibration of a model that is so sure of so many images each, and right on a share of them."""
    confidence = np.concatenate([np.full(count, sure) for count, sure, _ in groups])
    right = np.concatenate([np.arange(count) < round(count * share) for count, _, share in groups])
    return Calibration(predictions(np.stack([confidence, 1 - confidence], axis=1), np.where(right, 0, 1)))


def test_a_model_that_is_too_sure_in_one_half_and_not_sure_enough_in_the_other_is_off_both_ways() -> None:
    both = of_confidences((500, 0.6, 0.4), (500, 0.8, 0.99))
    assert both.mean_confidence == pytest.approx(0.7)
    assert (both.over, both.under) == (pytest.approx(0.1, abs=1e-6), pytest.approx(0.095, abs=1e-6))
    assert both.ece == pytest.approx(0.195, abs=1e-6)
    assert both.verdict == "off both ways: overconfident where it is less sure, underconfident where it is surer"
    turned = of_confidences((500, 0.6, 0.8), (500, 0.95, 0.75))
    assert turned.verdict == "off both ways: underconfident where it is less sure, overconfident where it is surer"


def test_a_model_that_is_off_one_way_is_told_so_though_no_bin_is_quite_true() -> None:
    assert of_confidences((500, 0.6, 0.3), (500, 0.8, 0.81)).verdict == "overconfident"
    assert of_confidences((500, 0.6, 0.59), (500, 0.8, 0.99)).verdict == "underconfident"
    assert of_confidences((50, 0.6, 0.58), (50, 0.8, 0.82)).verdict == "not shown to be off"


def test_calibrated_models_are_told_to_be_off_both_ways_next_to_never() -> None:
    rng = np.random.default_rng(0)
    told = []
    for _ in range(60):
        confidence = rng.uniform(0.5, 1, 300)
        labels = np.where(rng.random(300) < confidence, 0, 1)
        told.append(Calibration(predictions(np.stack([confidence, 1 - confidence], axis=1), labels)).verdict)
    assert sum(verdict != "not shown to be off" for verdict in told) <= 7
    assert sum("both" in verdict for verdict in told) <= 2


def test_the_most_confident_mistakes_come_first_and_equal_ones_in_their_order() -> None:
    wrong = predictions([[0.7, 0.3], [0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.7, 0.3]], [1, 1, 0, 1, 1])
    assert confident_mistakes(wrong, 10).tolist() == [1, 0, 2, 4]
    assert confident_mistakes(wrong, 2).tolist() == [1, 0]
    assert confident_mistakes(predictions([[0.7, 0.3]], [0]), 5).tolist() == []
