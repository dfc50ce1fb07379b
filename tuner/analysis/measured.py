"""Numbers of several trainings, and whether those of one kind really are higher than those of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.significance import holm
from tuner.analysis.variance import Difference, combine, compare_all, probability, quantile

#: So many images that they leave no degrees of freedom to think of.
_MANY = 10**9


@dataclass(frozen=True)
class Spread:
    """The variance over seeds of a single training, as the retrainings of a model on a data set tell it."""

    of: str
    variance: float
    retrainings: int


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of a model, or of all trials with a value of a parameter.

    `values` has a number for each training. `images`, `(trainings, n)`, has of each the value of each image, whose mean
    is that number; `by_epoch`, `(epochs,)`, of a single training the value after each epoch. A single training borrows
    its `spread` over seeds, where that is known; `by_images` is then its variance by images, where `images` are not
    given.
    """

    name: str
    values: NDArray[np.float64]
    images: NDArray[np.float64] | None = None
    by_epoch: NDArray[np.float64] | None = None
    spread: Spread | None = None
    by_images: float = 0.0

    @property
    def mean(self) -> float:
        """The mean over trainings."""
        return float(self.values.mean())

    @property
    def sd(self) -> float | None:
        """The sample standard deviation over trainings; None of one."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else None


def differences(measured: Sequence[Measured]) -> list[Difference | None]:
    """Return the differences of all pairs, in the order of `itertools.combinations`, p not adjusted.

    None where a single training has no spread over seeds to borrow, so that nothing can be told.
    """
    images = [one.images for one in measured if one.images is not None and len(one.images) > 1]
    if len(images) == len(measured) and len({one.shape[1] for one in images}) == 1:
        return list(compare_all(images))
    return [_difference(a, b) for a, b in combinations(measured, 2)]


def adjusted_p(found: Sequence[Difference | None]) -> list[float | None]:
    """Return the p-values of differences that are judged together, after Holm; None where there is none."""
    told = [(place, one.p_value) for place, one in enumerate(found) if one is not None and one.p_value is not None]
    p_of = dict(zip([place for place, _ in told], holm([p for _, p in told]), strict=True))
    return [p_of.get(place) for place in range(len(found))]


def _difference(a: Measured, b: Measured) -> Difference | None:
    if a.by_epoch is not None and b.by_epoch is not None:
        return _by_epochs(a.by_epoch, b.by_epoch)
    if (
        a.images is not None
        and b.images is not None
        and min(len(a.images), len(b.images)) > 1
        and a.images.shape[1] == b.images.shape[1]
    ):
        return compare_all([a.images, b.images])[0]
    variances, counts = [], []
    for one in (a, b):
        if len(one.values) > 1:
            variances.append(float(one.values.var(ddof=1)))
            counts.append(len(one.values))
        elif one.spread is not None:
            variances.append(one.spread.variance * one.spread.retrainings)  # which `combine` divides by them
            counts.append(one.spread.retrainings)
        else:
            return None
    least, freedom = [0.0, 0.0], np.inf
    if len(a.values) == len(b.values) == 1 and a.spread == b.spread and a.spread is not None:
        least, freedom = variances, float(a.spread.retrainings - 1)  # one estimate, borrowed twice
    images, n = _images(a, b)
    return _told(a.mean - b.mean, *combine(variances, counts, least, freedom, images, n), len(a.values) + len(b.values))


def _images(a: Measured, b: Measured) -> tuple[float, int]:
    """Return the variance of the difference of two single trainings by images, and how many images tell of it."""
    if a.images is not None and b.images is not None and a.images.shape == b.images.shape:
        apart = a.images.mean(axis=0) - b.images.mean(axis=0)
        return float(apart.var(ddof=1)) / len(apart), len(apart)
    return a.by_images + b.by_images, _MANY


def _told(mean: float, variance: float, df: float, trainings: int) -> Difference:
    error = float(np.sqrt(variance))
    half = float(quantile(df, 0.05)) * error if error else 0.0
    p = float(probability(mean, error, df, trainings))
    return Difference(mean, mean - half, mean + half, p, float(df), error)


def _by_epochs(a: NDArray[np.float64], b: NDArray[np.float64]) -> Difference | None:
    """Return the difference of two trainings' values after the same epochs, judged by the sign test over epochs."""
    from scipy import stats

    epochs = min(len(a), len(b))
    apart = a[:epochs] - b[:epochs]
    higher, lower = int((apart > 0).sum()), int((apart < 0).sum())
    if not higher + lower:
        return None
    p = float(stats.binomtest(higher, higher + lower).pvalue)
    return Difference(float(apart.mean()), np.nan, np.nan, p, np.nan, np.nan)


def difference_of(one: Difference, other: Difference) -> Difference:
    """Return the difference of two differences that share neither trainings nor images, `one` − `other`.

    Its variance is the sum of theirs, with Satterthwaite's degrees of freedom. p is None where one has none.
    """
    parts = [(d.standard_error**2, d.df) for d in (one, other)]
    variance = sum(v for v, _ in parts)
    scatter = sum(v**2 / df for v, df in parts if df > 0)
    told = _told(one.mean - other.mean, variance, variance**2 / scatter if scatter > 0 else np.inf, 2)
    known = one.p_value is not None and other.p_value is not None
    return told if known else Difference(told.mean, told.low, told.high, None, told.df, told.standard_error)
