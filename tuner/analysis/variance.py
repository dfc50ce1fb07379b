"""The analytic interval of a mean over retrainings and test images, and of the difference of two such means.

A value of an image may be whether it was classified rightly, its loss, or a metric's pseudo-value
(`tuner.analysis.jackknife`).

The retrainings of two models are all scored on the same images, so that an image is crossed with everything and a
retraining nested in its model: the readers nested in modality of Obuchowski and Rockette (1995) and of Gallas (2006).
Per model m with R_m retrainings on n images,

    s²_m = sample variance of the retrainings' means
    S_m  = s²_m / R_m      luck of seeds, with what a seed does to single images
    I    = sample variance over images of the difference of the images' means / n      luck of the test images
    E    = Σ residual mean square of image × retraining of m / (n R_m)      what S and I both contain
    V    = Σ S_m + max(I − E, 0)

and the interval is the difference ± t √V with Satterthwaite's degrees of freedom, as Hillis (2007) has them: V² over
the sum of the squares of V's parts, each over its own degrees of freedom, R_m − 1 of an S_m and n − 1 of I − E.

Of several pairs judged together one looks further into the tails, and there a few retrainings that by chance lie close
together promise what they cannot hold. Therefore, where more than two models are judged together, the seeds of a model
count as varying no less than a share of what those of all these models vary on average: s²_m is at least s² / (R_m −
1), s² being the same variance pooled. With two retrainings that is the whole of s², with five a quarter, and with many
next to nothing. Where s²_m is raised to that, it takes the degrees of freedom of s², Σ (R_m − 1), which are also the
most that all seeds can have. Of s² is left out a model whose seeds vary so much more than the others' that an F test of
its variance against theirs has a p below `OUTLYING`, as where some of its retrainings never leave chance: what such a
network does tells nothing of the seeds of others.
`reports/statistics.md` shows by simulation what that covers, beside other rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuner.analysis.significance import Interval

#: A model whose variance over seeds has a smaller p than this against that of the others lends them nothing.
OUTLYING = 1e-5

#: A variance that is smaller by this factor than another is 0 but for how numbers are rounded.
_ROUNDING = 1e-20

#: Numbers, or arrays with a number for each of many differences.
Numbers = Any
Values = NDArray[np.float64]


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

    def within(self, most: float) -> Difference:
        """Return the same with its interval cut where differences end: at −most and at most."""
        return replace(self, low=max(self.low, -most), high=min(self.high, most))

    def matters(self, region: float) -> bool | None:
        """Whether it is beyond `region` throughout its interval, or within it throughout; None if neither is known."""
        if self.low > region or self.high < -region:
            return True
        return False if max(-self.low, self.high) < region else None

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
    return compare_all([a, b])[0]


def compare_all(models: Sequence[ArrayLike]) -> list[Difference]:
    """Return the differences of all pairs of models that are judged together, in the order of `itertools.combinations`.

    Args:
        models: of each its values as `compare` takes them, all on the same images.
    """
    values = [np.asarray(model, dtype=np.float64) for model in models]
    pool = _pool(values) if len(values) > 2 else None
    return [
        _judge(float(a.mean() - b.mean()), (a, b), a.mean(axis=0) - b.mean(axis=0), pool)
        for a, b in combinations(values, 2)
    ]


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


def prediction_interval(accuracies: ArrayLike, runs: int = 1, images: float = 0.0, n: int = 2) -> Interval | None:
    """Return the 95 % interval of the mean accuracy of further runs of the same kind; None of one retraining.

    Args:
        accuracies: of the retrainings.
        runs: how many further runs.
        images: variance of a difference of accuracies by the images, where the runs are scored on others.
        n: how many images tell of that.

    It is the mean ± t √(s² (1 / runs + 1 / retrainings) + images) (Hahn, 1969), of one run ± t s √(1 + 1 / R).
    """
    ours = np.asarray(accuracies, dtype=np.float64)
    return _predicted(float(ours.mean()), ours, 1 / runs + 1 / len(ours), images, n)


def single_prediction(score: float, accuracies: ArrayLike, images: float = 0.0, n: int = 2) -> Interval | None:
    """Return the 95 % interval of one more run's accuracy after a run that scored so: score ± t √(2 s² + images).

    Args:
        score: accuracy of the one run.
        accuracies: of retrainings whose spread over seeds is taken to be the same; None is returned of one.
        images: as `prediction_interval` takes it.
        n: as `prediction_interval` takes it.
    """
    return _predicted(score, np.asarray(accuracies, dtype=np.float64), 2.0, images, n)


def _predicted(middle: float, accuracies: Values, times: float, images: float, n: int) -> Interval | None:
    """Return an interval of shares from `times` the variance of accuracies and a variance by images."""
    if len(accuracies) < 2:
        return None
    spread = float(accuracies.var(ddof=1)) * times * len(accuracies)  # which `combine` divides by the retrainings
    variance, df = combine([spread], [len(accuracies)], [0.0], np.inf, images, n)
    half = float(quantile(df, 0.05) * np.sqrt(variance))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def _pool(models: Sequence[Values]) -> tuple[float, float]:
    """Return the variance of retrainings' means pooled over models that lend it, and its degrees of freedom."""
    models = [model for model in models if np.isfinite(model).all() and len(model) > 1]
    if not models:
        return 0.0, np.inf  # of one retraining each nothing can be lent
    freedoms = np.array([len(model) - 1 for model in models])
    spread, freedom = lent(np.array([model.mean(axis=1).var(ddof=1) for model in models]), freedoms)
    return float(spread), float(freedom)


def lent(spreads: Values, freedoms: NDArray[np.int_]) -> tuple[Numbers, Numbers]:
    """Return the variance of seeds that models lend each other, s², and its degrees of freedom.

    Left out are as many of the largest variances, fewer than half, as all lie outside what the rest allows: the
    smallest of them has a p below `OUTLYING` in an F test against the rest, pooled. Of three models with two
    retrainings each hardly any is, since two variances of one degree of freedom allow almost everything.

    Args:
        spreads: `(..., models)`, s²_m of each model; in front may stand many searches at once.
        freedoms: `(models,)`, R_m − 1 of each model, at least 1.

        lent(np.array([2e-6, 3e-6, 1e-6, 0.25]), np.array([2, 2, 2, 2]))  # 2e-6 with 6 degrees of freedom
    """
    from scipy.special import fdtrc

    order = np.lexsort((np.broadcast_to(freedoms, spreads.shape), spreads))
    ranked, freedom = np.take_along_axis(spreads, order, axis=-1), freedoms[order]
    among = np.cumsum(freedom, axis=-1)
    pooled = np.cumsum(freedom * ranked, axis=-1) / among
    count = spreads.shape[-1]
    left = np.full(spreads.shape[:-1], count)
    for kept in range(count - 1, count // 2, -1):
        rest, own = pooled[..., kept - 1], ranked[..., kept]
        with np.errstate(invalid="ignore", divide="ignore"):
            p = fdtrc(freedom[..., kept], among[..., kept - 1], own / rest)
        left = np.where((rest > _ROUNDING * own) & (p < OUTLYING), kept, left)
    last = (left - 1)[..., np.newaxis]
    return (np.take_along_axis(pooled, last, axis=-1)[..., 0], np.take_along_axis(among, last, axis=-1)[..., 0])


def least_spread(pool: Numbers, retrainings: int) -> Numbers:
    """Return the least that s²_m of a model with so many retrainings counts as: s², the `pool`, over R_m − 1.

    least_spread(2e-6, retrainings=5)  # 5e-07
    """
    return pool / (retrainings - 1)


def _judge(
    mean: float, models: tuple[Values, ...], per_image: Values, pool: tuple[float, float] | None = None
) -> Difference:
    if not np.isfinite(per_image).all():
        return Difference(np.nan, np.nan, np.nan, None, np.nan, np.nan)
    n = len(per_image)
    known = all(len(model) > 1 for model in models)
    if n < 2:  # of one image nothing tells how images vary
        return Difference(mean, -np.inf, np.inf, 1.0 if known else None, 0.0, np.inf)
    several = [model for model in models if len(model) > 1]
    spreads = [float(model.mean(axis=1).var(ddof=1)) for model in several]
    shared = sum(_residual(model) / (n * len(model)) for model in several)
    images = float(per_image.var(ddof=1)) / n - shared
    counts = [len(model) for model in several]
    least, freedom = pool or (0.0, np.inf)
    variance, df = combine(spreads, counts, [least_spread(least, count) for count in counts], freedom, images, n)
    rounding = 1e-12 * max(float(np.abs(model).max()) for model in models)
    mean = mean if abs(mean) > rounding else 0.0
    error = float(np.sqrt(variance)) if variance > rounding**2 else 0.0
    p = probability(mean, error, df, n)
    half = float(quantile(df, 0.05)) * error
    return Difference(mean, mean - half, mean + half, float(p) if known else None, float(df), error)


def _residual(values: Values) -> float:
    """Return the residual mean square of image × retraining of one model, `(retrainings, n)`."""
    rest = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    return float((rest**2).sum() / ((len(values) - 1) * (values.shape[1] - 1)))


def combine(
    spreads: Sequence[Numbers],
    retrainings: Sequence[int],
    least: Sequence[Numbers],
    freedom: Numbers,
    images: Numbers,
    n: int,
) -> tuple[Numbers, Numbers]:
    """Return the variance V of a difference and its degrees of freedom, of one difference or of many at once.

    Args:
        spreads: s²_m of each model.
        retrainings: R_m of each model.
        least: what s²_m of each model counts as at least, by `least_spread`, or 0.
        freedom: degrees of freedom of s²; infinite where it is not used.
        images: I − E.
        n: the number of images.
    """
    images = np.maximum(images, 0.0)
    seeds: Numbers = 0.0
    lent: Numbers = 0.0
    alone: Numbers = 0.0
    for spread, count, floor in zip(spreads, retrainings, least, strict=True):
        mine = np.maximum(spread, floor) / count
        seeds = seeds + mine
        lent = lent + np.where(spread > floor, 0.0, mine)
        alone = alone + np.where(spread > floor, mine**2 / (count - 1), 0.0)
    scatter = np.maximum(alone + lent**2 / freedom, seeds**2 / freedom) + images**2 / (n - 1)
    variance = seeds + images
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
