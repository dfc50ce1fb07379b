"""The analytic interval of a mean over retrainings and test images, and of the difference of two such means.

A value of an image may be whether it was classified rightly, its loss, or a metric's pseudo-value (`tuner.jackknife`).

The retrainings of two models are all scored on the same images, so that an image is crossed with everything and a
retraining nested in its model: the readers nested in modality of Obuchowski and Rockette (1995) and of Gallas (2006).
Per model m with R_m retrainings on n images,

    S_m = sample variance of the retrainings' means / R_m      luck of seeds, with what a seed does to single images
    I   = sample variance over images of the difference of the images' means / n      luck of the test images
    E   = Σ residual mean square of image × retraining of m / (n R_m)      what S and I both contain
    V   = Σ S_m + max(I − E, 0)

and the interval is the difference ± t √V with Satterthwaite's degrees of freedom, as Hillis (2007) has them:
`V² / (Σ S_m² / (R_m − 1) + max(I − E, 0)² / (n − 1))`. `reports/statistics.md` shows by simulation what it covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuner.significance import Interval

#: Numbers, or arrays with a number for each of many differences.
Numbers = Any


@dataclass(frozen=True)
class Difference:
    """The difference of two models' means, with its 95 % interval over retrainings and test images.

    `p_value` is of the hypothesis that it is 0; None where a model has one retraining, which tells nothing of its
    seeds: the interval then holds for this one file. All is NaN where the values are.

        Difference(mean=0.019, low=0.012, high=0.026, p_value=0.002, df=5.3, standard_error=0.0027)
    """

    mean: float
    low: float
    high: float
    p_value: float | None
    df: float
    standard_error: float

    @property
    def interval(self) -> Interval:
        """Its 95 % interval."""
        return Interval(self.low, self.high)

    def least_shown(self, pairs: int = 1) -> float:
        """Return the difference from which on it is shown for certain, if it is one of so many `pairs` (Bonferroni)."""
        if not 0 < self.standard_error < np.inf:
            return self.standard_error
        return float(quantile(self.df, 0.05 / pairs) * self.standard_error)


def compare(a: ArrayLike, b: ArrayLike) -> Difference:
    """Return the difference of two models' means, a − b, on the same images.

    Args:
        a: `(retrainings, n)`, the value of each image by each retraining of the first model.
        b: the same of the second, which may have another number of retrainings.
    """
    ours, theirs = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    mean = float(ours.mean() - theirs.mean())
    return _judge(mean, (ours, theirs), ours.mean(axis=0) - theirs.mean(axis=0))


def mean_interval(values: ArrayLike, lowest: float = -np.inf, highest: float = np.inf) -> Interval:
    """Return the 95 % interval of one model's mean over its retrainings and the test images.

    Args:
        values: `(retrainings, n)`, the value of each image by each retraining; of one, the interval is of that file.
        lowest: what no mean can fall below, such as 0 of an accuracy.
        highest: what none can exceed.
    """
    ours = np.asarray(values, dtype=np.float64)
    found = _judge(float(ours.mean()), (ours,), ours.mean(axis=0))
    return Interval(max(found.low, lowest), min(found.high, highest))


def _judge(mean: float, models: tuple[NDArray[np.float64], ...], per_image: NDArray[np.float64]) -> Difference:
    if not np.isfinite(per_image).all():
        return Difference(np.nan, np.nan, np.nan, None, np.nan, np.nan)
    n = len(per_image)
    known = all(len(model) > 1 for model in models)
    if n < 2:  # of one image nothing tells how images vary
        return Difference(mean, -np.inf, np.inf, 1.0 if known else None, 0.0, np.inf)
    several = [model for model in models if len(model) > 1]
    seeds = [float(model.mean(axis=1).var(ddof=1)) / len(model) for model in several]
    shared = sum(_residual(model) / (n * len(model)) for model in several)
    variance, df = combine(seeds, [len(model) for model in several], float(per_image.var(ddof=1)) / n - shared, n)
    rounding = 1e-12 * max(float(np.abs(model).max()) for model in models)
    mean = mean if abs(mean) > rounding else 0.0
    error = float(np.sqrt(variance)) if variance > rounding**2 else 0.0
    p = probability(mean, error, df, n)
    half = float(quantile(df, 0.05)) * error
    return Difference(mean, mean - half, mean + half, float(p) if known else None, float(df), error)


def _residual(values: NDArray[np.float64]) -> float:
    """Return the residual mean square of image × retraining of one model, `(retrainings, n)`."""
    rest = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    return float((rest**2).sum() / ((len(values) - 1) * (values.shape[1] - 1)))


def combine(seeds: Numbers, retrainings: Numbers, images: Numbers, n: int) -> tuple[Numbers, Numbers]:
    """Return the variance V of a difference and its degrees of freedom, of one difference or of many at once.

    Args:
        seeds: S_m of each model.
        retrainings: R_m of each model.
        images: I − E.
        n: the number of images.
    """
    images = np.maximum(images, 0.0)
    variance = images + sum(seeds)
    scatter = images**2 / (n - 1) + sum(s**2 / (r - 1) for s, r in zip(seeds, retrainings, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.where(scatter > 0, variance**2 / scatter, n - 1.0)
    return variance, df


def quantile(df: Numbers, level: float) -> Numbers:
    """Return the half width, in standard errors, of a two-sided interval that leaves out `level`."""
    from scipy.special import stdtrit

    return stdtrit(df, 1 - level / 2)


def probability(mean: Numbers, error: Numbers, df: Numbers, n: int) -> Numbers:
    """Return the two-sided p of a mean difference with its standard error, of one or of many at once.

    Without any spread it is 1 for no difference; where each image of each retraining says the same, it is that of the
    sign test on n images.
    """
    from scipy.special import stdtr

    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * stdtr(df, -np.abs(mean) / error)
    return np.where(np.asarray(error) > 0, p, np.where(np.asarray(mean) == 0, 1.0, 2.0 ** (1 - n)))
