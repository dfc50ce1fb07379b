"""Shares of images with their intervals, the test of two single files, and p-values adjusted for being several.

Whether models are better, over their retrainings, is for `tuner.analysis.variance` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Correct = NDArray[np.bool_]


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


def accuracy_interval(correct: Correct) -> Interval:
    """Return the 95 % interval of the accuracy of one file over test images; `correct` is `(n,)`, right or wrong."""
    return share_interval(int(np.count_nonzero(correct)), len(correct))


def share_interval(right: int, n: int) -> Interval:
    """Return the 95 % interval of a share, `right` of `n` images, by Wilson's score (Wilson, 1927).

    Near 0 and 1 it stays within them and has a width, where a bootstrap of nothing but right answers has none.
    """
    from scipy import stats

    found = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    return Interval(float(found.low), float(found.high))


def mcnemar(a: Correct, b: Correct) -> float:
    """Return the two-sided mid-p of McNemar's test that two files err equally often (Fagerland and others, 2013).

    Under the hypothesis the images on which one is right and the other wrong fall to either by a coin; the mid-p counts
    half of the probability of what was seen, which the exact test counts whole and is too cautious by. Without any such
    image it is 1.
    """
    from scipy import stats

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    coin = stats.binom(only_a + only_b, 0.5)
    fewer = min(only_a, only_b)
    return min(1.0, float(2 * coin.cdf(fewer) - coin.pmf(fewer)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being several, in the order given (Holm, 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted
