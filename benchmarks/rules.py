"""What each rule, the kept one, those before it and those that were tried, says of made-up retrainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from benchmarks.simulated import Answers, Numbers
from tuner.analysis.variance import combine, least_spread, lent, probability, quantile

#: Resamples of the bootstrap that the rule before this one drew.
RESAMPLES = 1_000


@dataclass(frozen=True)
class Parts:
    """What the variance of the difference of two models is made of, a value for each test set.

    See `tuner.analysis.variance`. `pool` is the variance of seeds pooled over all models, and `pool_freedom` its
    degrees of freedom; `lent` and `freedom` are what models lend each other, and its degrees of freedom.
    `retrainings` are those of the two models.
    """

    difference: Numbers
    spreads: tuple[Numbers, Numbers]
    pool: Numbers
    pool_freedom: float
    lent: Numbers
    freedom: Numbers
    models: int
    images: Numbers
    shared: Numbers
    retrainings: tuple[int, int]
    n: int


def parts(answers: Answers, a: int, b: int) -> Parts:
    """Return the parts for models a and b of all that are judged together, each with two retrainings or more."""
    n, both, means, spreads = answers.n, answers.both, answers.means, answers.spreads
    counts = np.array(answers.retrainings)
    difference = means[:, a] - means[:, b]
    images = (both[:, a, a] - 2 * both[:, a, b] + both[:, b, b] - difference**2) / (n - 1)
    shared = 0.0 * difference
    for m in (a, b):
        count = int(counts[m])
        rest = count * (means[:, m] - both[:, m, m]) - (count - 1) * spreads[:, m]
        shared = shared + rest / ((count - 1) * (n - 1) * count)
    freedom = int((counts - 1).sum())
    pool = (spreads * (counts - 1)).sum(axis=1) / freedom
    borrowed = lent(spreads, counts - 1)
    mine = (spreads[:, a], spreads[:, b])
    two = (int(counts[a]), int(counts[b]))
    return Parts(difference, mine, pool, freedom, *borrowed, len(counts), images, shared, two, n)


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
    """Judge where more than two models lend each other a part of the variance of their seeds."""
    if found.models < 3:
        return separate(found)
    least = [least_spread(pool, count) for count in found.retrainings]
    return _t(found, found.images - found.shared, least=least, freedom=freedom)


def separate(found: Parts) -> Judged:
    """The variance of each model's seeds by itself (Welch)."""
    return _t(found, found.images - found.shared)


def floored(found: Parts) -> Judged:
    """The variance of a model's seeds no less than that of all models together, however few or many."""
    return _t(found, found.images - found.shared, least=[found.pool] * 2)


def pooled(found: Parts) -> Judged:
    """One variance of seeds for all models."""
    return _t(found, found.images - found.shared, own=0.0, least=[found.pool] * 2)


def cautious(found: Parts) -> Judged:
    """Each by itself, the seeds' part counted twice where the degrees of freedom are told, and once in the variance."""
    seeds, df_of_seeds = combine(found.spreads, found.retrainings, (0.0, 0.0), np.inf, 0.0, found.n)
    images = np.maximum(found.images - found.shared, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = (2 * seeds + images) ** 2 / ((2 * seeds) ** 2 / df_of_seeds + images**2 / (found.n - 1))
    return by_t(found, seeds + images, np.where(seeds + images > 0, df, found.n - 1.0))


def separate_plus(found: Parts) -> Judged:
    """Each by itself, without subtracting what seeds and images both contain: V = S + I."""
    return _t(found, found.images)


def pooled_plus(found: Parts) -> Judged:
    """One variance of seeds for all models, and V = S + I."""
    return _t(found, found.images, own=0.0, least=[found.pool] * 2)


def seeds_alone(found: Parts) -> Judged:
    """Welch's t-test of the retrainings' accuracies, as if these test images were all that there are."""
    return _t(found, 0.0 * found.images)


def _t(
    found: Parts,
    images: Numbers,
    own: float = 1.0,
    least: Sequence[Numbers] | None = None,
    freedom: Numbers | None = None,
) -> Judged:
    """Judge by t.

    `own` is 1, or 0 where the models' own variances do not count; `least` is what the variance of either model counts
    as at least, and `freedom` its degrees of freedom, by default those of all models' pool.
    """
    if freedom is None:
        freedom = np.full(len(found.pool), np.inf if least is None else found.pool_freedom)
    spreads = [own * spread for spread in found.spreads]
    variance, df = combine(spreads, found.retrainings, least or [0.0 * found.pool] * 2, freedom, images, found.n)
    return by_t(found, variance, df)


def by_t(found: Parts, variance: Numbers, df: Numbers) -> Judged:
    """Judge by t with this variance of the difference and these degrees of freedom."""
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
