"""Rankings of configurations: how far two agree, and how much of one is the luck of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

#: Of fewer no ranking is told.
LEAST = 4


@dataclass(frozen=True)
class Agreement:
    """How far two rankings of the same configurations agree: Spearman's rank correlation with its two-sided p."""

    configurations: int
    correlation: float
    p: float


def agreement(one: ArrayLike, other: ArrayLike) -> Agreement | None:
    """Return how far two rankings by score agree; None of fewer than `LEAST`, or where one has all alike."""
    from scipy import stats

    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if len(a) < LEAST or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    found = stats.spearmanr(a, b)
    return Agreement(len(a), float(found.statistic), float(found.pvalue))


@dataclass(frozen=True)
class Luck:
    """How much of a ranking by one training each is luck.

    `share` of the variance between single trainings lies between configurations, the rest within them, by the one-way
    analysis of variance (the intraclass correlation, at least 0); `correlation` is the mean rank correlation of the
    rankings that any two seeds give.
    """

    configurations: int
    trainings: int
    share: float
    correlation: float


def luck(scores: Sequence[ArrayLike]) -> Luck | None:
    """Return how much of a ranking is luck; None of fewer than `LEAST` configurations, or of one training each.

    Args:
        scores: of each configuration those of its trainings; the fewest trainings of any count.
    """
    given = [np.asarray(one, dtype=np.float64) for one in scores]
    trainings = min((len(one) for one in given), default=0)
    if len(given) < LEAST or trainings < 2:
        return None
    table = np.stack([one[:trainings] for one in given])
    count = len(table)
    between = trainings * float(table.mean(axis=1).var(ddof=1))
    within = float(((table - table.mean(axis=1, keepdims=True)) ** 2).sum()) / (count * (trainings - 1))
    whole = between + (trainings - 1) * within
    found = [agreement(table[:, i], table[:, j]) for i, j in combinations(range(trainings), 2)]
    known = [one.correlation for one in found if one is not None]
    if not known or whole == 0:
        return None
    return Luck(count, trainings, max(0.0, (between - within) / whole), float(np.mean(known)))
