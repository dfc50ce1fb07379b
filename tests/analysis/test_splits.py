"""The corrected resampled t-test of `[compare] splits`, against numbers worked out by hand and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.analysis.splits import corrected


def test_the_corrected_t_by_hand() -> None:
    # mean 0.03, s^2 = 0.001 / 4; V = (1/5 + 20/80) 0.00025 = 0.0001125; t = 0.03 / 0.0106066 = 2 sqrt(2), 4 degrees.
    # P(|T| > 2 sqrt(2)) = 1 - (3/4) (2 sqrt(2) / sqrt(3)) (1 - 8/36) = 0.047421; t(0.975) = 2.776445
    told = corrected([0.02, 0.04, 0.03, 0.01, 0.05], tested=20, trained=80)
    assert told.mean == pytest.approx(0.03)
    assert told.df == 4
    assert told.standard_error == pytest.approx(0.01060660)
    assert told.p_value == pytest.approx(1 - 0.75 * (2 * 2**0.5 / 3**0.5) * (1 - 8 / 36))
    assert (told.low, told.high) == pytest.approx((0.03 - 2.776445 * 0.0106066, 0.03 + 2.776445 * 0.0106066), rel=1e-4)


def test_without_the_share_of_tested_images_it_is_the_t_test_of_the_differences() -> None:
    from scipy import stats

    apart = np.random.default_rng(1).normal(0.01, 0.02, 7)
    expected = stats.ttest_1samp(apart, 0)
    told = corrected(apart, tested=0, trained=100)
    assert told.p_value == pytest.approx(expected.pvalue)
    assert (told.low, told.high) == pytest.approx(expected.confidence_interval(0.95))


@pytest.mark.parametrize("apart", [[0.1], [0.1, 0.1, 0.1], [0.0, 0.0]])
def test_of_differences_that_do_not_vary_nothing_is_concluded(apart: list[float]) -> None:
    told = corrected(apart, tested=20, trained=80)
    assert (told.p_value, told.low, told.high) == (1.0, -np.inf, np.inf)
