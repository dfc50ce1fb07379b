"""The analytic interval, against numbers worked out by hand and against SciPy's tests at its two ends."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tuner.analysis.jackknife import f1
from tuner.analysis.variance import (
    OUTLYING,
    combine,
    compare,
    compare_all,
    least_spread,
    lent,
    mean_interval,
    prediction_interval,
)

#: Two retrainings of two models on four images. By hand: accuracies 3/4, 1/2 and 1/4, 1/4, so S_a = (1/32)/2, S_b = 0;
#: the difference by image is 1, -1/2, 1, 0, so I = (27/16)/3/4 = 9/64; the residual squares of a are 3/8 over 3, so
#: E = (1/8)/(4 x 2) = 1/64; V = 1/64 + 8/64, whose root is 3/8, as is the difference: t = 1.
A = [[1, 1, 1, 0], [1, 0, 1, 0]]
B = [[0, 1, 0, 0], [0, 1, 0, 0]]


def test_the_interval_of_a_difference_is_what_it_is_by_hand() -> None:
    found = compare(A, B)
    df = 9**2 / (1**2 / 1 + 8**2 / 3)
    assert found.mean == pytest.approx(3 / 8)
    assert found.standard_error == pytest.approx(3 / 8)
    assert found.df == pytest.approx(df)
    half = stats.t.ppf(0.975, df) * 3 / 8
    assert (found.low, found.high) == pytest.approx((3 / 8 - half, 3 / 8 + half))
    assert found.p_value == pytest.approx(2 * stats.t.sf(1, df))
    assert found.least_shown() == pytest.approx(half)
    assert found.least_shown(3) == pytest.approx(stats.t.ppf(1 - 0.05 / 6, df) * 3 / 8)


def test_more_than_two_models_lend_each_other_the_variance_of_their_seeds() -> None:
    # A third model like A: 1/32, 0 and 1/32 are 1/48 together, with 3 degrees of freedom, which B takes; all in 384ths
    first, between, _ = compare_all([A, B, A])
    assert first.standard_error == pytest.approx(np.sqrt((6 + 4 + 48) / 384))
    assert first.df == pytest.approx(58**2 / (6**2 / 1 + 4**2 / 3 + 48**2 / 3))
    assert between.mean == 0
    # Two that take it from all have its degrees of freedom once: 1/8, 0 and 0 are 1/24 together, so V = 2 x 1/48
    calm, wild = np.tile([[1.0, 0.0], [1.0, 0.0]], (1, 2)), np.array([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    *_, last = compare_all([wild, calm, calm])
    assert last.df == pytest.approx(3)
    assert last.standard_error == pytest.approx(np.sqrt(2 / 48))


def test_a_model_whose_seeds_vary_far_more_than_the_others_lends_them_nothing() -> None:
    freedoms = np.array([2, 1, 2, 2])
    # (2 x 2 + 1 x 3 + 2 x 1) / 5 = 1.8 of the first three, with 5 degrees of freedom
    limit = stats.f.isf(OUTLYING, 2, 5) * 1.8
    for last, spread, freedom in [(0.99 * limit, (9 + 2 * 0.99 * limit) / 7, 7), (1.01 * limit, 1.8, 5)]:
        assert lent(np.array([2.0, 3.0, 1.0, last]), freedoms) == pytest.approx((spread, freedom))
        assert lent(np.array([last, 3.0, 1.0, 2.0]), freedoms) == pytest.approx((spread, freedom))
    # Two of five may be left out, the smaller of which decides, half of four may not, and to no spread nothing is one
    assert lent(np.array([1.0, 1.0, 1.0, 1e9, 2e9]), np.full(5, 2)) == pytest.approx((1.0, 6))
    assert lent(np.array([1.0, 1.0, 1e9, 2e9]), np.full(4, 2)) == pytest.approx((7.5e8 + 0.5, 8))
    assert lent(np.array([0.0, 0.0, 1.0]), np.full(3, 2)) == pytest.approx((1 / 3, 6))
    # Three equal accuracies have a variance of rounding, or of 0; whichever, they tell nothing of a third model's
    assert lent(np.array([1.8e-32, 0.0, 1.2e-4]), np.full(3, 2)) == pytest.approx((4e-5, 6))
    assert lent(np.array([1.0, 1.0, 1.0, 1.0, 1e9]), np.array([9, 1, 2, 2, 2]))[1] == 14
    tied = [lent(np.array([1.0, 1e9, 1e9, 1.0, 1.0]), np.array(df)) for df in ([2, 1, 9, 2, 2], [2, 9, 1, 2, 2])]
    assert tied[0] == tied[1], "whichever comes first"
    several = np.array([[2.0, 3.0, 1.0, 1e9], [1e9, 3.0, 1.0, 2.0], [2.0, 3.0, 1.0, 2.0]])
    spreads, freedom = lent(several, np.full(4, 2))
    assert (spreads.tolist(), freedom.tolist()) == ([2, 2, 2], [6, 6, 8])


def test_a_model_that_is_stuck_at_chance_does_not_hide_what_is_shown_of_the_others() -> None:
    rng = np.random.default_rng(0)
    easy = rng.random(2000)

    def model(*shares: float) -> NDArray[np.bool_]:
        return np.stack([easy + 0.02 * rng.standard_normal(2000) < share for share in shares])

    good, bad, stuck = model(0.95, 0.953, 0.951), model(0.90, 0.902, 0.897), model(0.94, 0.1, 0.1)
    shown, one, other = compare_all([good, bad, stuck])
    assert shown.p_value is not None and shown.p_value < 0.001
    assert one.p_value is not None and one.p_value > 0.05
    assert other.p_value is not None and other.p_value > 0.05
    assert shown.standard_error < 0.01 < other.standard_error


def test_the_more_retrainings_a_model_has_the_less_it_takes_from_the_others() -> None:
    assert [least_spread(1.0, count) for count in (2, 3, 5, 101)] == [1, 1 / 2, 1 / 4, 1 / 100]
    # Seeds alone, so that I is E: of three retrainings each, spreads 4, 1 and 1 have the mean 2, half of which is 1
    spreads = {"wild": (0.0, 2.0, 4.0), "calm": (1.0, 2.0, 3.0), "calmer": (1.5, 2.0, 2.5)}
    wild, calm, calmer = (np.repeat(np.array(one)[:, np.newaxis], 50, axis=1) for one in spreads.values())
    assert compare_all([wild, calm, calm])[1].standard_error == pytest.approx(np.sqrt((4 + 1) / 3))
    # 4, 1 and 1/4 have the mean 7/4, of which 7/8 is more than 1/4, and less than 1, which so keeps its own freedom
    *_, found = compare_all([wild, calm, calmer])
    assert found.standard_error == pytest.approx(np.sqrt((1 + 7 / 8) / 3))
    assert found.df == pytest.approx((1 + 7 / 8) ** 2 / (1**2 / 2 + (7 / 8) ** 2 / 6))
    rng = np.random.default_rng(4)
    many = [rng.random((30, 60)) < share for share in (0.9, 0.8, 0.7)]
    assert compare_all(many)[0] == compare(many[0], many[1]), "with many retrainings none takes anything"


def test_a_difference_turned_round_is_the_same_with_the_other_sign() -> None:
    found, turned = compare(A, B), compare(B, A)
    assert (turned.mean, turned.low, turned.high) == pytest.approx((-found.mean, -found.high, -found.low))
    assert turned.p_value == found.p_value


def test_without_luck_of_images_it_is_welchs_t_test_of_the_retrainings() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.3, 0.1, 4), rng.normal(0.5, 0.02, 3)
    found = compare(np.repeat(a[:, None], 50, axis=1), np.repeat(b[:, None], 50, axis=1))
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.df == pytest.approx(expected.df)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_without_luck_of_seeds_it_is_the_paired_t_test_of_the_images() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(60) < 0.9, rng.random(60) < 0.7
    found = compare(np.tile(a, (3, 1)), np.tile(b, (5, 1)))
    expected = stats.ttest_rel(a.astype(float), b.astype(float))
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_one_retraining_gives_an_interval_of_the_file_and_no_p() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random((1, 80)) < 0.9, rng.random((1, 80)) < 0.7
    found = compare(a, b)
    expected = stats.ttest_rel(a[0].astype(float), b[0].astype(float))
    assert found.p_value is None
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert compare(a, rng.random((3, 80)) < 0.7).p_value is None


def test_no_spread_at_all_is_guarded() -> None:
    same = np.tile([True, True, False], (3, 1))
    nothing = compare(same, same)
    assert (nothing.mean, nothing.low, nothing.high, nothing.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert nothing.least_shown() == 0
    always = compare(np.ones((3, 4)), np.zeros((3, 4)))
    assert (always.low, always.high) == (1.0, 1.0)
    assert always.p_value == pytest.approx(2 / 2**4)  # the sign test: 4 images, all one way
    # Rounding of sums is no spread: thirds and tenths, whose means differ in their last digits
    assert compare(np.full((3, 7), 0.1), np.full((2, 7), 0.1)).p_value == 1.0


def test_one_image_can_show_nothing() -> None:
    found = compare(np.ones((3, 1)), np.zeros((3, 1)))
    assert (found.low, found.high, found.p_value) == (-np.inf, np.inf, 1.0)
    assert found.least_shown() == np.inf
    assert mean_interval(np.ones((3, 1)), 0, 1).low == 0


def test_the_mean_of_one_model_has_its_interval_within_what_it_can_be() -> None:
    # Of A: S = 1/64; by image 1, 1/2, 1, 0, so I = (11/16)/3/4 = 11/192; E = 1/64; V = 11/192.
    found = mean_interval(A)
    df = 11**2 / (3**2 / 1 + 8**2 / 3)
    half = stats.t.ppf(0.975, df) * np.sqrt(11 / 192)
    assert (found.low, found.high) == pytest.approx((5 / 8 - half, 5 / 8 + half))
    bounded = mean_interval(A, 0, 1)
    assert (bounded.low, bounded.high) == (pytest.approx(max(0, 5 / 8 - half)), 1)


def test_a_metric_that_is_no_mean_is_compared_by_its_pseudo_values() -> None:
    rng = np.random.default_rng(3)
    positive = rng.random(300) < 0.3
    good, bad = (np.stack([f1(positive, positive ^ (rng.random(300) < e)) for _ in range(3)]) for e in (0.05, 0.2))
    found = compare(good, bad)
    assert found.mean == pytest.approx(good.mean() - bad.mean())
    assert 0 < found.low < found.mean < found.high
    undefined = compare(good, np.full((3, 300), np.nan))
    assert np.isnan(undefined.mean)
    assert undefined.p_value is None


def test_the_values_of_one_model_that_are_undefined_leave_the_other_pairs_alone() -> None:
    nothing = np.full((2, 4), np.nan)
    with_nothing, with_fewer = compare_all([A, nothing, B, A]), compare_all([A, B, A])
    assert [np.isnan(found.mean) for found in with_nothing] == [True, False, False, True, True, False]
    assert [with_nothing[place] for place in (1, 2, 5)] == with_fewer


def test_a_further_run_lies_in_hahns_prediction_interval() -> None:
    # Mean 0.9 and s = 0.01 of three: 0.9 +- t_2 x 0.01 x sqrt(1 + 1/3); the mean of two further ones: sqrt(1/2 + 1/3)
    of_one, of_two = prediction_interval([0.89, 0.9, 0.91]), prediction_interval([0.89, 0.9, 0.91], runs=2)
    assert of_one is not None
    assert of_two is not None
    assert of_one.high - 0.9 == pytest.approx(stats.t.ppf(0.975, 2) * 0.01 * np.sqrt(4 / 3))
    assert of_two.high - 0.9 == pytest.approx(stats.t.ppf(0.975, 2) * 0.01 * np.sqrt(1 / 2 + 1 / 3))
    assert prediction_interval([0.9]) is None
    other_images = prediction_interval([0.9, 0.9, 0.9], images=0.0004, n=1001)
    assert other_images is not None
    assert 0.9 - other_images.low == pytest.approx(stats.t.ppf(0.975, 1000) * 0.02)


def test_of_three_models_with_one_retraining_each_nothing_is_lent_and_nothing_judged() -> None:
    rng = np.random.default_rng(0)
    models = [(rng.random((1, 40)) < share).astype(float) for share in (0.5, 0.7, 0.9)]
    for (a, b), found in zip(combinations(models, 2), compare_all(models), strict=True):
        assert found == compare(a, b)
        assert found.p_value is None
        assert np.isfinite([found.low, found.high]).all()


#: Seconds to assemble a part, by layout of the workplace, operator, fixture: the means of two tries. The design, its
#: sums of squares and its F are those of Montgomery, Design and Analysis of Experiments, chapter 14, "Designs with both
#: nested and factorial factors": operators are nested in layouts, as retrainings in models, and crossed with fixtures,
#: as those are with test images. The single times are ours, made to have these sums, and need not be the book's.
ASSEMBLY = np.array(
    [
        [[23.0, 28.5, 23.0], [23.5, 28.5, 23.0], [28.5, 31.0, 26.0], [24.0, 26.0, 24.5]],
        [[27.0, 28.5, 26.0], [26.0, 28.5, 25.0], [26.5, 23.5, 25.5], [23.5, 29.0, 27.5]],
    ]
)
#: The mean squares that the book's table has.
LAYOUTS, OPERATORS, LAYOUTS_BY_FIXTURES, OPERATORS_BY_FIXTURES = 4.08 / 1, 71.91 / 6, 19.04 / 2, 65.84 / 12


def test_a_design_with_the_sums_of_squares_of_a_textbook_has_our_components_and_our_statistic() -> None:
    first, second = ASSEMBLY
    tries, operators, fixtures = 2, 4, 3
    spreads = [layout.mean(axis=1).var(ddof=1) for layout in ASSEMBLY]
    assert tries * fixtures * float(np.mean(spreads)) == pytest.approx(OPERATORS, rel=1e-3)
    per_fixture = first.mean(axis=0) - second.mean(axis=0)
    assert tries * operators * float(per_fixture.var(ddof=1)) / 2 == pytest.approx(LAYOUTS_BY_FIXTURES, rel=1e-3)
    found = compare(first, second)
    # Fixtures drawn at random make it a quasi-F: layouts over operators + layouts x fixtures - operators x fixtures.
    below = OPERATORS + LAYOUTS_BY_FIXTURES - OPERATORS_BY_FIXTURES
    assert found.mean**2 / found.standard_error**2 == pytest.approx(LAYOUTS / below, rel=2e-3)
    # The book takes its fixtures as they are: its F of layouts is 0.34, over the operators alone.
    variance, _ = combine(spreads, [operators] * 2, [0.0] * 2, np.inf, 0.0, fixtures)
    assert round(found.mean**2 / variance, 2) == 0.34
