"""Made-up retrainings of models whose true accuracies are known, and what each rule says of them.

The model of the answers is a probit: retraining r of model m classifies image i rightly where

    μ_m + difficulty_i + model×image_mi + seed_mr + seed×image_mri > 0

with normal effects, and seeds that are normal or, with heavy tails, t-distributed with 3 degrees of freedom. Of each
simulated test set only the Gram matrix of the answers is kept: every rule here is a function of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.variance import FEW, combine, lent, probability, quantile

Numbers = NDArray[np.float64]

#: Standard deviations of the effects on the probit scale, beside 1 of seed by image.
DIFFICULTY, MODEL_BY_IMAGE = 2.5, 0.8
#: Resamples of the bootstrap that the rule before this one drew.
RESAMPLES = 1_000


@dataclass(frozen=True)
class Models:
    """Some models: their true accuracies, and the sd of each one's accuracy over seeds, as shares (0.01 is a point)."""

    accuracies: tuple[float, ...]
    sds: tuple[float, ...]
    heavy_tails: bool = False


@dataclass(frozen=True, eq=False)
class Answers:
    """What is kept of many simulated test sets of `n` images.

    `gram[s, m, r, k, q]` is the share of the images of set s that retraining r of model m and q of k both classified
    rightly, so that its diagonal holds the accuracies.
    """

    gram: Numbers
    n: int

    def first(self, retrainings: int) -> Answers:
        """Return the same with the first retrainings of each model alone."""
        return Answers(self.gram[:, :, :retrainings, :, :retrainings], self.n)

    def some(self, sets: int) -> Answers:
        """Return the first of the test sets alone."""
        return Answers(self.gram[:sets], self.n)

    def of(self, models: int) -> Answers:
        """Return the same of the first models alone."""
        return Answers(self.gram[:, :models, :, :models], self.n)

    def stuck(self, share: float) -> Answers:
        """Return the same with the first retraining of the last model at chance, right on this share of any images."""
        gram = self.gram.copy()
        gram[:, -1, 0] = share * self.accuracies
        gram[:, :, :, -1, 0] = gram[:, -1, 0]
        gram[:, -1, 0, -1, 0] = share
        return Answers(gram, self.n)

    @cached_property
    def accuracies(self) -> Numbers:
        """The accuracy of each retraining, `(sets, models, retrainings)`."""
        diagonal: Numbers = np.einsum("smrmr->smr", self.gram)
        return diagonal

    @cached_property
    def both(self) -> Numbers:
        """The mean product of the images' means over retrainings, `(sets, models, models)`."""
        means: Numbers = self.gram.mean(axis=(2, 4))
        return means


def simulate(models: Models, n: int, retrainings: int, sets: int, rng: np.random.Generator) -> Answers:
    """Draw the answers of retrainings on test sets of n images."""
    from scipy import stats

    count = len(models.accuracies)
    image = np.sqrt(1 + DIFFICULTY**2 + MODEL_BY_IMAGE**2)
    levels = (np.arange(4000) + 0.5) / 4000
    shape: Numbers = stats.t.ppf(levels, 3) / np.sqrt(3) if models.heavy_tails else stats.norm.ppf(levels)
    scales = [_scale(a, sd, shape) * image for a, sd in zip(models.accuracies, models.sds, strict=True)]
    mu = [_centre(a, s / image, shape) * image for a, s in zip(models.accuracies, scales, strict=True)]
    gram = np.empty((sets, count * retrainings, count * retrainings))
    normal = stats.norm.ppf((np.arange(2**16) + 0.5) / 2**16).astype(np.float32)
    for number in range(sets):
        drawn = rng.standard_t(3, (count, retrainings)) / np.sqrt(3) if models.heavy_tails else None
        seeds = rng.standard_normal((count, retrainings)) if drawn is None else drawn
        level = (np.array(mu)[:, None] + np.array(scales)[:, None] * seeds).astype(np.float32)
        of_model = MODEL_BY_IMAGE * rng.standard_normal((count, 1, n), dtype=np.float32)
        of_model += DIFFICULTY * rng.standard_normal(n, dtype=np.float32)
        of_seed = normal[rng.integers(0, 2**16, (count, retrainings, n), dtype=np.uint16)]
        right = of_seed + level[:, :, None] > -of_model
        flat = right.reshape(count * retrainings, n).astype(np.float32)
        gram[number] = flat @ flat.T / n
    return Answers(gram.reshape(sets, count, retrainings, count, retrainings), n)


def _scale(accuracy: float, sd: float, shape: Numbers) -> float:
    """Return the scale of the seeds, in sds of what images and their effects add up to, that gives this sd."""
    from scipy import optimize, stats

    def excess(scale: float) -> float:
        return float(stats.norm.cdf(_centre(accuracy, scale, shape) + scale * shape).std() - sd)

    return float(optimize.brentq(excess, 0, 2)) if sd else 0.0


def _centre(accuracy: float, scale: float, shape: Numbers) -> float:
    from scipy import optimize, stats

    return float(optimize.brentq(lambda mu: stats.norm.cdf(mu + scale * shape).mean() - accuracy, -6, 6))


@dataclass(frozen=True)
class Parts:
    """What the variance of the difference of two models is made of, a value for each test set.

    See `tuner.analysis.variance`. `pool` is the variance of seeds pooled over all models; `lent` and `freedom` are
    what models lend each other, and its degrees of freedom.
    """

    difference: Numbers
    spreads: tuple[Numbers, ...]
    pool: Numbers
    lent: Numbers
    freedom: Numbers
    models: int
    images: Numbers
    shared: Numbers
    retrainings: int
    n: int


def parts(answers: Answers, a: int, b: int) -> Parts:
    """Return the parts for models a and b of all that are judged together, from the Gram matrix."""
    n, accuracies = answers.n, answers.accuracies
    _, models, retrainings = accuracies.shape
    both = answers.both
    difference = accuracies[:, a].mean(axis=1) - accuracies[:, b].mean(axis=1)
    images = (both[:, a, a] - 2 * both[:, a, b] + both[:, b, b] - difference**2) / (n - 1)
    zero = np.zeros(len(difference))
    if retrainings == 1:
        return Parts(difference, (), zero, zero, zero + np.inf, models, images, zero, 1, n)
    spreads = accuracies.var(axis=2, ddof=1)
    shared = zero
    for m in (a, b):
        rest = accuracies[:, m].sum(axis=1) - retrainings * both[:, m, m] - (retrainings - 1) * spreads[:, m]
        shared = shared + rest / ((retrainings - 1) * (n - 1) * retrainings)
    mine = (spreads[:, a], spreads[:, b])
    borrowed = lent(spreads, np.full(models, retrainings - 1))
    return Parts(difference, mine, spreads.mean(axis=1), *borrowed, models, images, shared, retrainings, n)


@dataclass(frozen=True)
class Judged:
    """An interval and a p for each test set."""

    low: Numbers
    high: Numbers
    p: Numbers

    def covers(self, truth: float) -> float:
        """Return the share of intervals that hold the truth."""
        return float(((self.low <= truth) & (truth <= self.high)).mean())

    @property
    def width(self) -> float:
        """The mean width."""
        return float((self.high - self.low).mean())


def kept(found: Parts) -> Judged:
    """The rule of `tuner.analysis.variance`."""
    return _lending(found, found.lent, found.freedom)


def lending_all(found: Parts) -> Judged:
    """The same, with what all models lend, however much more the seeds of one vary."""
    return _lending(found, found.pool)


def _lending(found: Parts, pool: Numbers, freedom: Numbers | None = None) -> Judged:
    """Judge where more than two models with few retrainings lend each other the variance of their seeds."""
    if found.models < 3 or found.retrainings > FEW:
        return separate(found)
    return _t(found, found.images - found.shared, pool=pool, freedom=freedom)


def separate(found: Parts) -> Judged:
    """The variance of each model's seeds by itself (Welch)."""
    return _t(found, found.images - found.shared)


def floored(found: Parts) -> Judged:
    """The variance of a model's seeds no less than that of all models together, however few or many."""
    return _t(found, found.images - found.shared, pool=found.pool)


def pooled(found: Parts) -> Judged:
    """One variance of seeds for all models."""
    return _t(found, found.images - found.shared, own=0.0, pool=found.pool)


def cautious(found: Parts) -> Judged:
    """Each by itself, the seeds' part counted twice where the degrees of freedom are told, and once in the variance."""
    counts, nothing = [found.retrainings] * len(found.spreads), [0.0] * len(found.spreads)
    seeds, df_of_seeds = combine(found.spreads, counts, nothing, np.inf, 0.0, found.n)
    images = np.maximum(found.images - found.shared, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = (2 * seeds + images) ** 2 / ((2 * seeds) ** 2 / df_of_seeds + images**2 / (found.n - 1))
    return _by_t(found, seeds + images, np.where(seeds + images > 0, df, found.n - 1.0))


def separate_plus(found: Parts) -> Judged:
    """Each by itself, without subtracting what seeds and images both contain: V = S + I."""
    return _t(found, found.images)


def pooled_plus(found: Parts) -> Judged:
    """One variance of seeds for all models, and V = S + I."""
    return _t(found, found.images, own=0.0, pool=found.pool)


def seeds_alone(found: Parts) -> Judged:
    """Welch's t-test of the retrainings' accuracies, as if these test images were all that there are."""
    return _t(found, 0.0 * found.images)


def _t(
    found: Parts,
    images: Numbers,
    own: float = 1.0,
    pool: Numbers | None = None,
    freedom: Numbers | None = None,
) -> Judged:
    """Judge by t.

    `own` is 1, or 0 where the models' own variances do not count; `freedom` is by default that of all models' pool.
    """
    counts = [found.retrainings] * len(found.spreads)
    least = [0.0 * found.pool if pool is None else pool] * len(counts)
    if freedom is None:
        freedom = np.full(len(found.pool), np.inf if pool is None else found.models * (found.retrainings - 1.0))
    variance, df = combine([own * spread for spread in found.spreads], counts, least, freedom, images, found.n)
    return _by_t(found, variance, df)


def _by_t(found: Parts, variance: Numbers, df: Numbers) -> Judged:
    error = np.sqrt(variance)
    half = quantile(df, 0.05) * error
    return Judged(found.difference - half, found.difference + half, probability(found.difference, error, df, found.n))


def bootstrap(answers: Answers, a: int, b: int, rng: np.random.Generator) -> Judged:
    """The interval before: percentiles of a bootstrap of retrainings and images, and McNemar's test of the first ones.

    The mean over images drawn with replacement is drawn from its normal limit: there are hundreds of images.
    """
    retrainings, n = answers.accuracies.shape[2], answers.n
    sets = len(answers.gram)
    ends = np.empty((sets, 2))
    pick = [a, b]
    for number in range(sets):
        gram = answers.gram[number][np.ix_(pick, range(retrainings), pick, range(retrainings))]
        gram = gram.reshape(2 * retrainings, -1)
        share = np.full(retrainings, 1 / retrainings)
        weights = np.hstack(
            [rng.multinomial(retrainings, share, RESAMPLES), -rng.multinomial(retrainings, share, RESAMPLES)]
        )
        weights = weights / retrainings
        mean = weights @ np.diagonal(gram)
        spread = np.einsum("kr,rq,kq->k", weights, gram, weights, optimize=True) - mean**2
        ends[number] = np.percentile(
            mean + np.sqrt(np.maximum(spread, 0) / n) * rng.standard_normal(RESAMPLES), [2.5, 97.5]
        )
    return Judged(ends[:, 0], ends[:, 1], mcnemar(answers, a, b))


def mcnemar(answers: Answers, a: int, b: int) -> Numbers:
    """Return McNemar's p of the first retrainings: exact up to 25 disagreements, else with Edwards' correction."""
    from scipy import stats

    n = answers.n
    both = answers.gram[:, a, 0, b, 0]
    only = [np.rint(n * (answers.accuracies[:, m, 0] - both)) for m in (a, b)]
    disagree = only[0] + only[1]
    exact = np.minimum(2 * stats.binom.cdf(np.minimum(*only), disagree, 0.5), 1)
    chi_square = np.maximum(np.abs(only[0] - only[1]) - 1, 0) ** 2 / np.maximum(disagree, 1)
    p: Numbers = np.where(disagree <= 25, exact, stats.chi2.sf(chi_square, 1))
    return p


def holm(p: Numbers) -> Numbers:
    """Return p-values adjusted after Holm (1979), of `(sets, tests)` those of each set."""
    order = p.argsort(axis=1)
    count = p.shape[1]
    ranked = np.take_along_axis(p, order, axis=1) * (count - np.arange(count))
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(np.maximum.accumulate(ranked, axis=1), 1), axis=1)
    return adjusted


def pairs_of(count: int) -> Sequence[tuple[int, int]]:
    """Return all pairs of so many models."""
    return list(combinations(range(count), 2))
