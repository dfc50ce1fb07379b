"""Differences of what was measured of trainings, against scipy and against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tuner.analysis.measured import Measured, Spread, adjusted_p, difference_of, differences
from tuner.analysis.variance import Difference


def of(name: str, *values: float) -> Measured:
    return Measured(name, np.array(values, dtype=np.float64))


def only(*measured: Measured) -> Difference:
    (found,) = differences(measured)
    assert found is not None
    return found


def test_numbers_of_several_trainings_are_told_apart_by_welch_s_test() -> None:
    found = only(of("a", 1, 2, 4), of("b", 4, 5, 7, 9))
    known = stats.ttest_ind([1, 2, 4], [4, 5, 7, 9], equal_var=False)
    assert found.p_value == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(known.confidence_interval(0.95))


def test_a_single_training_borrows_its_spread_over_seeds_and_without_one_nothing_is_told() -> None:
    spread = Spread("cnn", 0.0001, 3)
    a, b = (Measured(name, np.array([value]), spread=spread) for name, value in (("a", 0.95), ("b", 0.90)))
    found = only(a, b)
    # One estimate of two degrees of freedom, of which t is 4.3027, used for both
    assert found.high - found.mean == pytest.approx(4.3027 * np.sqrt(0.0002), rel=1e-4)
    assert differences([a, of("c", 0.5)]) == [None]


def test_two_single_trainings_on_the_same_images_differ_by_those_that_one_alone_has_right() -> None:
    right = np.array([[1.0, 1, 1, 0]]), np.array([[1.0, 0, 0, 0]])
    spread = Spread("cnn", 0.0, 2)
    a, b = (Measured(name, one.mean(axis=1), one, spread=spread) for name, one in zip("ab", right, strict=True))
    found = only(a, b)
    assert found.mean == 0.5
    assert found.standard_error == pytest.approx(np.sqrt(np.var([0, 1, 1, 0], ddof=1) / 4))


def test_values_after_each_epoch_are_judged_by_the_sign_test() -> None:
    rough, smooth = np.arange(1.0, 11.0), np.full(10, 0.5)
    found = only(*(Measured(n, np.array([v.mean()]), by_epoch=v) for n, v in (("a", rough), ("b", smooth))))
    assert found.p_value == pytest.approx(2 * 0.5**10)
    assert differences([Measured(n, smooth[:1], by_epoch=smooth) for n in "ab"]) == [None], "no epoch tells them apart"


def test_p_values_of_a_claim_are_adjusted_together_and_what_has_none_stays_so() -> None:
    found = [Difference(1, 0, 2, p, 5, 1) for p in (0.01, None, 0.04)]
    assert adjusted_p([*found, None]) == [0.02, None, 0.04, None]


def test_a_difference_of_differences_has_the_sum_of_their_variances() -> None:
    one, other = Difference(0.03, 0, 0, 0.01, 4, 0.003), Difference(0.01, 0, 0, 0.01, 2, 0.004)
    found = difference_of(one, other)
    assert (found.mean, found.standard_error) == pytest.approx((0.02, 0.005))
    df = 25**2 / (9**2 / 4 + 16**2 / 2)
    assert found.df == pytest.approx(df)
    assert found.high - found.mean == pytest.approx(stats.t(df).ppf(0.975) * 0.005)
    assert difference_of(one, Difference(0.01, 0, 0, None, 2, 0.004)).p_value is None
