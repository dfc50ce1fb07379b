"""Operating points: from which probability on an image is taken for one class, chosen where trials were chosen.

A threshold is chosen by what the winning trial of a search answered to its validation images, and said with what the
saved model does at it on the test images, which had no part in the choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.significance import Interval, share_interval
from tuner.objective.one_class import OfAClass
from tuner.trial import Record

#: The recall, or the precision, that is asked of a threshold on the validation images.
WANTED = 0.95


@dataclass(frozen=True)
class Counts:
    """Images by what they are and what they are taken for, of one class against the others.

    >>> Counts(hits=8, misses=2, false_alarms=4, rejections=86).precision
    0.6666666666666666
    """

    hits: int
    misses: int
    false_alarms: int
    rejections: int

    @property
    def recall(self) -> float:
        """The share of the class's images that are found; NaN where it has none."""
        return _share(self.hits, self.hits + self.misses)

    @property
    def precision(self) -> float:
        """The share of the class's images among those taken for it; NaN where there are none."""
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 0 where nothing is found; NaN where the class has no image."""
        wanted = self.hits + self.misses
        return _share(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses) if wanted else float("nan")

    @property
    def false_positive_rate(self) -> float:
        """The share of the others' images that are taken for the class; NaN where there are none."""
        return _share(self.false_alarms, self.false_alarms + self.rejections)

    @property
    def recall_interval(self) -> Interval | None:
        """The 95 % interval of the recall (Wilson); None where there is none."""
        wanted = self.hits + self.misses
        return share_interval(self.hits, wanted) if wanted else None

    @property
    def precision_interval(self) -> Interval | None:
        """The 95 % interval of the precision (Wilson); None where there is none."""
        taken = self.hits + self.false_alarms
        return share_interval(self.hits, taken) if taken else None


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with the rule that chose it, and what comes of it on the validation and on the test images."""

    rule: str
    threshold: float
    validation: Counts
    test: Counts


#: Returns which of several thresholds it takes, by their counts, the lowest first; None for none.
Rule = Callable[[list[Counts]], int | None]


def _highest_f1(counts: list[Counts]) -> int | None:
    return int(np.argmax([one.f1 for one in counts]))  # of equal ones the lowest


def _recall(counts: list[Counts]) -> int | None:
    reached = [place for place, one in enumerate(counts) if one.recall >= WANTED]
    return reached[-1] if reached else None  # the highest threshold: the fewest false alarms


def _precision(counts: list[Counts]) -> int | None:
    reached = [place for place, one in enumerate(counts) if one.precision >= WANTED]
    return reached[0] if reached else None  # the lowest: the most found


RULES: dict[str, Rule] = {
    "highest F1": _highest_f1,
    f"recall of at least {WANTED:g}": _recall,
    f"precision of at least {WANTED:g}": _precision,
}


def counts_at(
    thresholds: Sequence[float] | NDArray[np.float64], scores: NDArray[np.float64], wanted: NDArray[np.bool_]
) -> list[Counts]:
    """Return for each threshold what comes of taking the images whose score reaches it for the class.

    Args:
        thresholds: from 0 to 1.
        scores: the probability of the class for each image, `(n,)`.
        wanted: whether each is of the class, `(n,)`.
    """
    of_class, others = np.sort(scores[wanted]), np.sort(scores[~wanted])
    below = zip(np.searchsorted(of_class, thresholds), np.searchsorted(others, thresholds), strict=True)
    return [Counts(len(of_class) - int(a), int(a), len(others) - int(b), int(b)) for a, b in below]


def operating_points(
    validation: tuple[NDArray[np.float64], NDArray[np.bool_]], test: tuple[NDArray[np.float64], NDArray[np.bool_]]
) -> list[OperatingPoint]:
    """Return an operating point for each rule that a threshold fulfils, and that of 0.5 first.

    Thresholds are those between neighbouring validation scores, halfway, since at the scores themselves an answer of
    another model that differs in its last digit would fall to the other side.

    Args:
        validation: of the images that choose, the probability of the class and whether they are of it, `(n,)` each.
        test: the same of the test images.
    """
    scores = np.unique(validation[0])
    thresholds = np.concatenate((scores[:1] / 2, (scores[:-1] + scores[1:]) / 2))
    counts = counts_at(thresholds, *validation)
    chosen = [("0.5", 0.5)]
    for name, rule in RULES.items():
        place = rule(counts)
        if place is not None:
            chosen.append((name, float(thresholds[place])))
    at = [threshold for _, threshold in chosen]
    found = zip(chosen, counts_at(at, *validation), counts_at(at, *test), strict=True)
    return [OperatingPoint(name, threshold, ours, tested) for (name, threshold), ours, tested in found]


def classes_of_interest(findings: Findings, dataset: str) -> list[int]:
    """Return the classes of a data set whose operating points are told, by their numbers.

    They are those that the search file names as thresholds; unless it names any, of two classes the one that trials are
    chosen by, or else the rarer one, of equal ones the second.
    """
    data = findings.data(dataset)
    named = [data.class_names.index(one) for one in findings.search.report.thresholds if one in data.class_names]
    if named or findings.search.report.thresholds or len(data.class_names) != 2:
        return named
    objective = findings.search.objective
    if isinstance(objective, OfAClass) and objective.class_name in data.class_names:
        return [data.class_names.index(objective.class_name)]
    first, second = np.bincount(data.y_train, minlength=2)
    return [0 if first < second else 1]


def points_of(findings: Findings, chosen: Chosen, label: int) -> list[OperatingPoint]:
    """Return the operating points of a model for a class; none where nothing tells what its trial answered.

    That is so where its validation images lack the class, or have no other, and where it was chosen on the test images.
    Of an ensemble it is what its members answered together.
    """
    parts = _trials_of(chosen)
    if not parts or any(record.trial.protocol == "published" for record, _ in parts):
        return []
    answers = [findings.validation_answers(record) for record, _ in parts]
    told = [one[:, label].astype(np.float64) for one in answers if one is not None]
    if len(told) < len(parts):
        return []
    wanted = findings.chosen_on_images(parts[0][0].trial) == label
    if not 0 < wanted.sum() < len(wanted):
        return []
    predictions = chosen.predictions
    test = predictions.probabilities[:, label].astype(np.float64), predictions.labels == label
    validation = np.average(told, axis=0, weights=[weight for _, weight in parts])
    return operating_points((validation, wanted), test)


def _trials_of(chosen: Chosen) -> list[tuple[Record, int]]:
    """Return the search trials that a model was trained again from, each with its weight; none where it is compared."""
    if chosen.ensemble is not None and chosen.ensemble.dataset == chosen.dataset:
        return [(member.record, member.weight) for member in chosen.ensemble.members]
    return [(chosen.winner, 1)] if chosen.winner else []


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
