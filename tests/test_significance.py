"""Intervals and tests, against figures worked out by hand."""

from __future__ import annotations

from math import comb, erfc, sqrt

import numpy as np
import pytest

from tuner.significance import Interval, accuracy_interval, difference_interval, holm, mcnemar


def models(only_a: int, only_b: int, both: int = 20, neither: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return which images two models got right, given on how many only the one, only the other, both and none did."""
    a = [True] * only_a + [False] * only_b + [True] * both + [False] * neither
    b = [False] * only_a + [True] * only_b + [True] * both + [False] * neither
    return np.array(a), np.array(b)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p_value"),
    [
        (1, 8, 0.0390625),  # 2 x (1 + 9) / 2^9
        (0, 5, 0.0625),  # 2 x 1 / 2^5
        (0, 6, 0.03125),  # 2 x 1 / 2^6
        (2, 8, 0.109375),  # 2 x (1 + 10 + 45) / 2^10
        (3, 4, 1.0),  # 2 x (1 + 7 + 21 + 35) / 2^7, exactly
        (4, 4, 1.0),
        (1, 0, 1.0),
        (0, 25, 2 / 2**25),  # the last that is exact
        (8, 17, 2 * sum(comb(25, k) for k in range(9)) / 2**25),
    ],
)
def test_mcnemar_is_exact_for_few_disagreements(only_a, only_b, p_value):
    assert mcnemar(*models(only_a, only_b)) == pytest.approx(p_value)


@pytest.mark.parametrize(
    ("only_a", "only_b", "chi_square"),
    [
        (10, 20, 2.7),  # (10 - 1)^2 / 30
        (5, 35, 21.025),  # (30 - 1)^2 / 40
        (0, 26, 625 / 26),  # the first that is approximate
        (121, 59, 3721 / 180),  # (62 - 1)^2 / 180
        (13, 14, 0.0),
    ],
)
def test_mcnemar_is_a_corrected_chi_square_for_many_disagreements(only_a, only_b, chi_square):
    # The upper tail of chi-square with one degree of freedom is erfc(sqrt(x / 2)).
    assert mcnemar(*models(only_a, only_b)) == pytest.approx(erfc(sqrt(chi_square / 2)))


def test_the_continuity_correction_decides_near_the_critical_value():
    # Significant at 5 % is a chi-square over 3.84, which 180 against 220 would have without the correction: 40^2 / 400.
    assert mcnemar(*models(180, 220)) > 0.05  # 39^2 / 400 = 3.80
    assert mcnemar(*models(179, 221)) < 0.05  # 41^2 / 400 = 4.20


def test_mcnemar_is_1_for_models_that_never_disagree():
    a, b = models(0, 0)
    assert mcnemar(a, b) == 1.0
    assert mcnemar(np.ones(4, bool), np.ones(4, bool)) == 1.0


@pytest.mark.parametrize(("only_a", "only_b"), [(1, 8), (10, 20)])
def test_mcnemar_does_not_depend_on_order_or_on_images_both_get_alike(only_a, only_b):
    a, b = models(only_a, only_b)
    more = models(only_a, only_b, both=300, neither=0)
    assert mcnemar(a, b) == mcnemar(b, a) == mcnemar(*more)


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([], []),
        ([0.02], [0.02]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3 x .01, then 2 x .03, then 1 x .04, which may not be less
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.6, 0.5], [1.0, 1.0]),  # 2 x .5 = 1, and no p-value is more
        ([0.9, 0.001], [0.9, 0.002]),
        ([0.02, 0.02], [0.04, 0.04]),
    ],
)
def test_holm_adjusts_as_worked_out_by_hand_and_keeps_the_order(p_values, adjusted):
    assert holm(p_values) == pytest.approx(adjusted)


@pytest.mark.parametrize(("right", "n"), [(900, 1000), (9150, 10_000), (150, 297)])
def test_the_interval_of_an_accuracy_is_close_to_the_normal_approximation(right, n):
    share = right / n
    half = 1.96 * sqrt(share * (1 - share) / n)
    interval = accuracy_interval(np.arange(n) < right)
    assert interval.low == pytest.approx(share - half, abs=half / 10)
    assert interval.high == pytest.approx(share + half, abs=half / 10)


@pytest.mark.parametrize("right", [True, False])
def test_the_interval_of_all_right_or_all_wrong_is_a_point(right):
    assert accuracy_interval(np.full(50, right)) == Interval(float(right), float(right))


def test_the_same_seed_gives_the_same_interval_of_an_accuracy():
    correct = np.arange(300) % 3 > 0
    assert accuracy_interval(correct, seed=4) == accuracy_interval(correct, seed=4)
    assert accuracy_interval(correct, seed=4) == accuracy_interval(correct[::-1], seed=4)


def retrainings(accuracies: list[float], n: int = 400, seed: int = 0) -> np.ndarray:
    """Return `(retrainings, n)` with exactly these shares of right images, at random places."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(np.arange(n) < round(share * n)) for share in accuracies])


def test_the_difference_of_one_model_to_itself_is_exactly_0():
    same = retrainings([0.8])
    assert difference_interval(same, same) == Interval(0.0, 0.0)


def test_the_difference_of_equally_good_models_contains_0():
    interval = difference_interval(retrainings([0.8, 0.8, 0.8], seed=1), retrainings([0.8, 0.8, 0.8], seed=2))
    assert interval.low < 0 < interval.high


def test_the_difference_of_clearly_unlike_models_excludes_0_on_the_side_of_the_better():
    good, bad = retrainings([0.9, 0.91]), retrainings([0.6, 0.62, 0.61])
    better, worse = difference_interval(good, bad), difference_interval(bad, good)
    assert 0.2 < better.low < 0.295 < better.high < 0.4
    assert worse.high < 0


def test_both_models_are_resampled_on_the_same_images():
    # b errs where a does and on 20 of 1,000 more: the difference is a share of .02 with the standard error
    # sqrt(.02 x .98 / 1000) = .0044, whereas independent images would give sqrt(2 x .25 / 1000) = .022.
    a = np.arange(1000) < 500
    b = np.arange(1000) < 480
    interval = difference_interval(a[np.newaxis], b[np.newaxis])
    assert interval.low == pytest.approx(0.02 - 1.96 * 0.0044, abs=0.002)
    assert interval.high == pytest.approx(0.02 + 1.96 * 0.0044, abs=0.002)


def test_the_luck_of_the_seeds_widens_the_interval():
    other = retrainings([0.7, 0.7, 0.7], seed=3)
    steady = difference_interval(retrainings([0.8, 0.8, 0.8]), other)
    lucky = difference_interval(retrainings([0.7, 0.8, 0.9]), other)
    assert lucky.high - lucky.low > 1.3 * (steady.high - steady.low)


def test_the_same_seed_gives_the_same_interval_of_a_difference():
    a, b = retrainings([0.8, 0.82], n=100), retrainings([0.75], n=100)
    assert difference_interval(a, b, seed=1) == difference_interval(a, b, seed=1)
    assert difference_interval(a, b, seed=1) != difference_interval(a, b, seed=2)


def test_mcnemar_of_models_that_err_equally_often_is_1_however_many_images_they_disagree_on() -> None:
    a = np.array([True] * 13 + [False] * 13)
    assert mcnemar(a, ~a) == pytest.approx(1.0)
