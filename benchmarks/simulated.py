"""Made-up retrainings of models whose true accuracies are known, and what they answer.

The model of the answers is a probit: retraining r of model m classifies image i rightly where

    μ_m + difficulty_i + model×image_mi + seed_mr + seed×image_mri > 0

with normal effects, and seeds that are normal or, with heavy tails, t-distributed with 3 degrees of freedom. Of each
simulated test set only the Gram matrix of the answers is kept: every rule (`benchmarks.rules`) is a function of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: Standard deviations of the effects on the probit scale, beside 1 of seed by image.
DIFFICULTY, MODEL_BY_IMAGE = 2.5, 0.8


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
    rightly, so that its diagonal holds the accuracies. `counts` are the retrainings of each model that count, the
    first ones; by default all.
    """

    gram: Numbers
    n: int
    counts: tuple[int, ...] = ()

    def first(self, *retrainings: int) -> Answers:
        """Return the same with the first retrainings of each model alone: so many of each, or numbers dealt round."""
        most = max(retrainings)
        counts = tuple(retrainings[m % len(retrainings)] for m in range(self.gram.shape[1]))
        return Answers(self.gram[:, :, :most, :, :most], self.n, counts)

    @property
    def retrainings(self) -> tuple[int, ...]:
        """How many retrainings of each model count."""
        return self.counts or (self.gram.shape[2],) * self.gram.shape[1]

    def some(self, sets: int) -> Answers:
        """Return the first of the test sets alone."""
        return Answers(self.gram[:sets], self.n, self.counts)

    def of(self, models: int) -> Answers:
        """Return the same of the first models alone."""
        return Answers(self.gram[:, :models, :, :models], self.n, self.counts[:models])

    def stuck(self, share: float) -> Answers:
        """Return the same with the first retraining of the last model at chance, right on this share of any images."""
        gram = self.gram.copy()
        gram[:, -1, 0] = share * self.accuracies
        gram[:, :, :, -1, 0] = gram[:, -1, 0]
        gram[:, -1, 0, -1, 0] = share
        return Answers(gram, self.n, self.counts)

    @cached_property
    def accuracies(self) -> Numbers:
        """The accuracy of each retraining, `(sets, models, retrainings)`."""
        diagonal: Numbers = np.einsum("smrmr->smr", self.gram)
        return diagonal

    @cached_property
    def both(self) -> Numbers:
        """The mean product of the images' means over retrainings, `(sets, models, models)`."""
        counts, found = self.retrainings, np.empty((len(self.gram), self.gram.shape[1], self.gram.shape[1]))
        for a, mine in enumerate(counts):
            for b, theirs in enumerate(counts):
                found[:, a, b] = self.gram[:, a, :mine, b, :theirs].mean(axis=(1, 2))
        return found

    @cached_property
    def means(self) -> Numbers:
        """The mean accuracy of each model, `(sets, models)`."""
        counts = enumerate(self.retrainings)
        return np.stack([self.accuracies[:, m, :count].mean(axis=1) for m, count in counts], axis=1)

    @cached_property
    def spreads(self) -> Numbers:
        """The variance of each model's accuracies over its retrainings, `(sets, models)`."""
        counts = enumerate(self.retrainings)
        return np.stack([self.accuracies[:, m, :count].var(axis=1, ddof=1) for m, count in counts], axis=1)


def simulate(models: Models, n: int, retrainings: int, sets: int, rng: np.random.Generator) -> Answers:
    """Draw the answers of retrainings on test sets of n images."""
    count = len(models.accuracies)
    gram = np.empty((sets, count * retrainings, count * retrainings))
    for number, right in enumerate(draw(models, n, retrainings, sets, rng)):
        flat = right.reshape(count * retrainings, n).astype(np.float32)
        gram[number] = flat @ flat.T / n
    return Answers(gram.reshape(sets, count, retrainings, count, retrainings), n)


def draw(models: Models, n: int, retrainings: int, sets: int, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """Yield of each test set which images each retraining classifies rightly, `(models, retrainings, n)`."""
    from scipy import stats

    count = len(models.accuracies)
    image = np.sqrt(1 + DIFFICULTY**2 + MODEL_BY_IMAGE**2)
    levels = (np.arange(4000) + 0.5) / 4000
    shape: Numbers = stats.t.ppf(levels, 3) / np.sqrt(3) if models.heavy_tails else stats.norm.ppf(levels)
    scales = [_scale(a, sd, shape) * image for a, sd in zip(models.accuracies, models.sds, strict=True)]
    mu = [_centre(a, s / image, shape) * image for a, s in zip(models.accuracies, scales, strict=True)]
    normal = stats.norm.ppf((np.arange(2**16) + 0.5) / 2**16).astype(np.float32)
    for _ in range(sets):
        drawn = rng.standard_t(3, (count, retrainings)) / np.sqrt(3) if models.heavy_tails else None
        seeds = rng.standard_normal((count, retrainings)) if drawn is None else drawn
        level = (np.array(mu)[:, None] + np.array(scales)[:, None] * seeds).astype(np.float32)
        of_model = MODEL_BY_IMAGE * rng.standard_normal((count, 1, n), dtype=np.float32)
        of_model += DIFFICULTY * rng.standard_normal(n, dtype=np.float32)
        of_seed = normal[rng.integers(0, 2**16, (count, retrainings, n), dtype=np.uint16)]
        yield of_seed + level[:, :, None] > -of_model


def _scale(accuracy: float, sd: float, shape: Numbers) -> float:
    """Return the scale of the seeds, in sds of what images and their effects add up to, that gives this sd."""
    from scipy import optimize, stats

    def excess(scale: float) -> float:
        return float(stats.norm.cdf(_centre(accuracy, scale, shape) + scale * shape).std() - sd)

    return float(optimize.brentq(excess, 0, 2)) if sd else 0.0


def _centre(accuracy: float, scale: float, shape: Numbers) -> float:
    from scipy import optimize, stats

    return float(optimize.brentq(lambda mu: stats.norm.cdf(mu + scale * shape).mean() - accuracy, -6, 6))
