"""Pairs of chosen models that were scored on the same test images, and whether the better one really is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.significance import holm, mcnemar
from tuner.analysis.variance import Difference, compare_all

#: Standard deviations over retrainings that are seen to differ so much hide no unlucky seeds (`reports/statistics.md`).
APART = 3
#: A search and a model that it chose.
Owned = tuple[Findings, Chosen]


@dataclass(frozen=True, eq=False)
class Pair:
    """Two models of one data set, the one with the better mean first, and what tells them apart.

    `difference` of the mean test accuracies, with its interval, is over all retrainings of both and over test
    images. `p` is its p-value, adjusted after Holm for all `pairs` that are judged together; None where nothing can
    be judged: a model has one retraining, or was chosen on the very images that it is scored on (`published`).
    `mcnemar` is about the two saved files alone. `trials` are how many search trials each was chosen from, `region`
    how far apart two models may be without its mattering.
    """

    better: Chosen
    worse: Chosen
    difference: Difference
    p: float | None
    pairs: int
    mcnemar: float
    trials: tuple[int, int]
    region: float
    published: bool

    @property
    def proven(self) -> bool:
        """Whether the better one is better beyond the luck of seeds and test images."""
        return self.p is not None and self.p < 0.05

    @property
    def retrainings(self) -> int:
        """How many retrainings there are of the model with fewer."""
        return min(len(self.better.finals), len(self.worse.finals))

    @property
    def seeds_alike(self) -> bool:
        """Whether the larger standard deviation over retrainings is less than `APART` times the smaller, as seen."""
        a, b = (float(chosen.test_accuracies.var(ddof=1)) for chosen in (self.better, self.worse))
        return max(a, b) < APART**2 * min(a, b) or a == b

    @property
    def least_shown(self) -> float | None:
        """The difference from which on it would have been shown for certain; None where nothing is judged."""
        return None if self.p is None else self.difference.least_shown(self.pairs)

    @property
    def ahead(self) -> tuple[float, int]:
        """In how many pairs of a retraining of each the better one is ahead, a tie as half, and of how many."""
        a, b = self.better.test_accuracies[:, np.newaxis], self.worse.test_accuracies
        return float((a > b).sum() + 0.5 * (a == b).sum()), a.size * b.size

    @property
    def matters(self) -> bool | None:
        """Whether the difference is over `region` throughout its interval, or below throughout; None if neither."""
        return None if self.p is None else self.difference.matters(self.region)


def paired(models: Sequence[Owned]) -> list[Pair]:
    """Return every pair of models of one data set, scored on the same images, p not yet adjusted; best pairs first."""
    ordered = sorted(models, key=lambda owned: -owned[1].mean)
    found = []
    differences = compare_all([chosen.correct for _, chosen in ordered])
    for (one, other), difference in zip(combinations(ordered, 2), differences, strict=True):
        (ours, a), (theirs, b) = one, other
        published = "published" in (ours.search.protocol, theirs.search.protocol)
        found.append(
            Pair(
                a,
                b,
                difference.within(1.0),
                None if published else difference.p_value,
                1,
                mcnemar(a.predictions.correct, b.predictions.correct),
                (_trials(ours, a), _trials(theirs, b)),
                max(ours.search.report.matters, theirs.search.report.matters),
                published,
            )
        )
    return found


def judged_on(findings: Findings, dataset: str) -> tuple[Pair, ...]:
    """Return every pair of chosen models on a data set, pairs of the best model first, judged together."""
    return tuple(adjusted(paired([(findings, chosen) for chosen in findings.on(dataset)])))


def adjusted(pairs: Sequence[Pair]) -> list[Pair]:
    """Return pairs with their p adjusted after Holm for being judged together."""
    judged = [(place, pair.p) for place, pair in enumerate(pairs) if pair.p is not None]
    p_of = dict(zip([place for place, _ in judged], holm([p for _, p in judged]), strict=True))
    return [replace(pair, p=p_of.get(place), pairs=len(judged) or 1) for place, pair in enumerate(pairs)]


def _trials(findings: Findings, chosen: Chosen) -> int:
    searched = findings.trials(chosen.model, findings.search.chosen_on(chosen.dataset))
    return sum(record.completed for record in searched)
