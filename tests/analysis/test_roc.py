"""ROC curves as files and pages hold them: fewer points, and the same line."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.analysis.roc import RocCurve, RocCurves, roc_frame, thinned


def curve(*points: tuple[float, float]) -> RocCurve:
    false_rate, true_rate = np.array(points, float).reshape(-1, 2).T
    return RocCurve(0, "top", 0.5, false_rate, true_rate)


def test_points_on_a_straight_line_are_left_out_and_bends_and_ends_are_kept() -> None:
    bends = [(0, 0), (0, 0.75), (0.25, 0.75), (0.5, 0.875), (1, 1)]
    whole = curve((0, 0), (0, 0.5), (0, 0.75), (0.125, 0.75), (0.25, 0.75), (0.5, 0.875), (0.75, 0.9375), (1, 1))
    assert np.transpose(whole.points).tolist() == [list(point) for point in bends]


@pytest.mark.parametrize("points", [(), ((0.0, 0.0), (1.0, 1.0))])
def test_a_curve_that_is_not_defined_or_one_line_stays_what_it_is(points: tuple[tuple[float, float], ...]) -> None:
    assert np.transpose(curve(*points).points).tolist() == [list(point) for point in points]


@pytest.mark.parametrize("images", [300, 100_000])
def test_the_area_of_a_curve_stays_to_the_last_digit_that_is_written(images: int) -> None:
    rng = np.random.default_rng(0)
    steps = rng.random(90) < 0.5
    counts = rng.integers(1, images // 100, 90)
    up, right = (np.cumsum(np.concatenate([[0], counts * side])) for side in (steps, ~steps))
    whole = RocCurve(0, "top", 0.5, right / right[-1], up / up[-1])
    x, y = whole.points
    assert len(x) < len(right)
    assert np.trapezoid(y, x) == pytest.approx(np.trapezoid(whole.true_rate, whole.false_rate), rel=1e-12)
    written = roc_frame([RocCurves("ann", "ANN", "blobs", images, (whole,))])
    area = np.trapezoid(written["true_positive_rate"], written["false_positive_rate"])
    assert area == pytest.approx(np.trapezoid(y, x), abs=1e-6)
    assert written.astype(str).map(len).max().max() <= len("false_positive_rate")


def smooth(count: int) -> RocCurve:
    false_rate = np.concatenate([[0], np.geomspace(1e-4, 1, count)])
    return RocCurve(0, "top", 0.5, false_rate, false_rate**0.1)


def test_of_a_long_curve_the_points_that_are_left_draw_it_on_even_and_logarithmic_axes() -> None:
    whole = smooth(5000)
    x, y = whole.points
    assert 20 < len(x) <= 100
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert set(zip(x, y, strict=True)) <= set(zip(whole.false_rate, whole.true_rate, strict=True))
    seen = whole.false_rate[1:]
    drawn = np.interp(np.log(seen), np.log(np.maximum(x, 5e-5)), y)
    assert np.abs(drawn - whole.true_rate[1:]).max() < 0.002, "a thousandth across the line, which is steeper than that"
    assert np.trapezoid(y, x) == pytest.approx(np.trapezoid(whole.true_rate, whole.false_rate), abs=0.001)


def test_of_a_jagged_curve_the_furthest_points_are_kept_first() -> None:
    """A stair of 400 equal steps is worth no point but its ends; three that are far off are."""
    steps = np.arange(401) / 400
    false_rate, true_rate = np.repeat(steps, 2)[1:], np.repeat(steps, 2)[:-1]
    far = [100, 400, 700]
    true_rate[far[0]], true_rate[far[1]], true_rate[far[2]] = 0.5, 0.8, 0.95
    x, y = RocCurve(0, "top", 0.5, false_rate, true_rate).points
    assert len(x) == 100
    assert {0.5, 0.8, 0.95} <= set(y)


def test_a_curve_that_rises_before_the_only_false_positives_keeps_its_corner() -> None:
    rates = np.concatenate([np.zeros(150), [1.0]])
    x, y = thinned(rates, np.concatenate([np.linspace(0, 0.9, 150), [1.0]]))
    assert (x.tolist(), y.tolist()) == ([0, 0, 1], [0, 0.9, 1])
