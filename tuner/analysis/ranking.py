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

    `share` of the variance between single trainings lies between configurations, and the rest is what a seed does to
    one and not to another, by the two-way analysis of variance without replication (the intraclass correlation for
    consistency, ICC(C,1) of McGraw and Wong, 1996, at least 0). What a seed does to all alike changes no ranking, and
    is no part of either: it is `common`, a share of all that seeds do. `correlation` is the mean rank correlation of
    the rankings that any two seeds give.
    """

    configurations: int
    trainings: int
    share: float
    common: float
    correlation: float


def luck(scores: Sequence[ArrayLike]) -> Luck | None:
    """Return how much of a ranking is luck; None of fewer than `LEAST` configurations, or of one training each.

    Args:
        scores: of each configuration those of its trainings, `(configurations, trainings)`, a column for each seed.

        luck([[0.90, 0.92], [0.88, 0.90], [0.87, 0.89], [0.85, 0.87]])  # share 1, common 1: a seed moves all alike
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim < 2 or len(table) < LEAST or table.shape[1] < 2:
        return None
    count, trainings = table.shape
    between = trainings * float(table.mean(axis=1).var(ddof=1))
    of_seeds = count * float(table.mean(axis=0).var(ddof=1))
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    alone = float((rest**2).sum()) / ((count - 1) * (trainings - 1))
    together = max(0.0, of_seeds - alone) / count
    whole = between + (trainings - 1) * alone
    found = [agreement(table[:, i], table[:, j]) for i, j in combinations(range(trainings), 2)]
    known = [one.correlation for one in found if one is not None]
    if not known or whole == 0:
        return None
    common = together / (together + alone) if together else 0.0
    return Luck(count, trainings, max(0.0, (between - alone) / whole), common, float(np.mean(known)))
