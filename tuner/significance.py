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
#: Resamples of retrainings and images together, which cost more each.
PAIRED_RESAMPLES = 2_000


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


def wilson_interval(share: float, n: int) -> Interval:
    """Return the 95 % interval of a share of `n` images (Wilson, 1927), where only the share is known."""
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return Interval(middle - half, middle + half)


def difference_interval(a: NDArray[np.bool_], b: NDArray[np.bool_], seed: int = 0) -> Interval:
    """Return the bootstrap 95 % interval of the difference of two configurations' mean accuracies.

    Args:
        a: `(retrainings, n)`, whether each retraining of the first configuration classified each image rightly.
        b: the same of the second, on the same n images; it may have another number of retrainings.
        seed: of the resampling.

    A resample draws the retrainings of either side and the images, each with replacement (a bootstrap of crossed
    random effects, Owen, 2007), so that the interval covers the luck of the seeds and of the test images. Of few
    retrainings it covers too little: of n of them the bootstrap sees (n - 1)/n of their variance, of one none.
    """
    rng = np.random.default_rng(seed)
    n = a.shape[1]
    differences = np.empty(PAIRED_RESAMPLES)
    for index in range(PAIRED_RESAMPLES):
        shares = [rng.multinomial(len(side), np.full(len(side), 1 / len(side))) / len(side) for side in (a, b)]
        per_image = shares[0] @ a - shares[1] @ b
        differences[index] = per_image[rng.integers(0, n, n)].mean()
    return _percentiles(differences)


def mean_interval(correct: NDArray[np.bool_], seed: int = 0) -> Interval:
    """Return the bootstrap 95 % interval of a configuration's mean accuracy over its retrainings.

    Args:
        correct: `(retrainings, n)`, whether each retraining classified each image rightly.
        seed: of the resampling, of retrainings and images as in `difference_interval`.
    """
    return difference_interval(correct, np.zeros((1, correct.shape[1]), dtype=np.bool_), seed)


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
    return float(stats.chi2.sf(max(abs(only_a - only_b) - 1, 0) ** 2 / disagree, df=1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for being several, in the order given (Holm, 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted
