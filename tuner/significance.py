"""Is one model really better? Intervals and tests on the images that two models were both scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Correct = NDArray[np.bool_]

#: Up to so many images on which two models disagree, McNemar's test is exact.
EXACT_UP_TO = 25
RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


def accuracy_interval(correct: Correct, seed: int = 0) -> Interval:
    """Return the bootstrap 95 % interval of an accuracy.

    Args:
        correct: `(n,)`, whether each image was classified rightly.
        seed: of the resampling.

    Drawing n images with replacement and counting the right ones is one draw of a binomial distribution, so that
    the percentile bootstrap (Efron and Tibshirani, 1993, chapter 13) needs no loop over images.
    """
    n = len(correct)
    shares = np.random.default_rng(seed).binomial(n, correct.mean(), RESAMPLES) / n
    return _percentiles(shares)


def difference_interval(a: Correct, b: Correct, seed: int = 0) -> Interval:
    """Return the paired bootstrap 95 % interval of accuracy(a) - accuracy(b) on the same images.

    Args:
        a: `(n,)`, whether model a classified each image rightly.
        b: `(n,)`, the same of model b.
        seed: of the resampling.

    An image counts 1 where only a is right, -1 where only b is, and 0 elsewhere, so that a resample is one draw of
    a multinomial distribution.
    """
    n = len(a)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    draws = np.random.default_rng(seed).multinomial(n, [only_a / n, only_b / n, 1 - (only_a + only_b) / n], RESAMPLES)
    return _percentiles((draws[:, 0] - draws[:, 1]) / n)


def _percentiles(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))


def mcnemar(a: Correct, b: Correct) -> float:
    """Return the two-sided p-value of McNemar's test that two models err equally often (McNemar, 1947).

    Exact (binomial over the images on which one is right and the other wrong) when there are at most
    `EXACT_UP_TO` of these, else the chi-square approximation with Edwards' correction for continuity. Without any
    such image it is 1.
    """
    from scipy import stats

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    disagree = only_a + only_b
    if disagree == 0:
        return 1.0
    if disagree <= EXACT_UP_TO:
        return float(stats.binomtest(only_a, disagree, 0.5).pvalue)
    return float(stats.chi2.sf((abs(only_a - only_b) - 1) ** 2 / disagree, df=1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being several, in the order given (Holm, 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted
