"""Intervals and tests, against figures worked out by hand."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from tuner.analysis.significance import accuracy_interval, holm, mcnemar, share_interval


def models(only_a: int, only_b: int, both: int = 20, neither: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return which images two models got right, given on how many only the one, only the other, both and none did."""
    a = [True] * only_a + [False] * only_b + [True] * both + [False] * neither
    b = [False] * only_a + [True] * only_b + [True] * both + [False] * neither
    return np.array(a), np.array(b)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p_value"),
    [
        (
            1,
            7,
            0.0390625,
        ),  # Fagerland and others (2013), airways of 21 children: exact 0.070, mid-p 0.039
        (1, 8, 0.021484375),  # 2 x (1 + 9 / 2) / 2^9
        (0, 5, 0.03125),  # 2 x (1 / 2) / 2^5
        (2, 8, 0.06542968750),  # 2 x (1 + 10 + 45 / 2) / 2^10
        (3, 4, 0.7265625),  # 2 x (1 + 7 + 21 + 35 / 2) / 2^7
        (4, 4, 1.0),
        (1, 0, 0.5),
        (8, 17, (2 * sum(comb(25, k) for k in range(8)) + comb(25, 8)) / 2**25),
        (180, 220, (2 * sum(comb(400, k) for k in range(180)) + comb(400, 180)) / 2**400),
    ],
)
def test_the_mid_p_of_mcnemar_counts_half_of_what_was_seen(only_a: int, only_b: int, p_value: float) -> None:
    assert mcnemar(*models(only_a, only_b)) == pytest.approx(p_value)


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


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        # Newcombe (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_a_share_is_wilsons_as_newcombe_printed_it(right: int, n: int, low: float, high: float) -> None:
    interval = share_interval(right, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)
    assert accuracy_interval(np.arange(n) < right) == interval


def test_the_interval_of_all_right_has_a_width_and_stays_within_1() -> None:
    interval = accuracy_interval(np.ones(50, bool))
    assert interval.high == 1
    assert interval.low == pytest.approx(50 / (50 + 1.959964**2))  # n / (n + z^2), where all are right


def test_mcnemar_of_models_that_err_equally_often_is_1_however_many_images_they_disagree_on() -> None:
    a = np.array([True] * 13 + [False] * 13)
    assert mcnemar(a, ~a) == pytest.approx(1.0)
