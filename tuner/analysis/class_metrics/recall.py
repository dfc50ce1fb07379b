"""`recall`: which share of the images of a class is taken for it."""

from __future__ import annotations

from tuner.analysis.class_metrics.base import ClassMetric, OneClass
from tuner.objective import one_class


class Recall(ClassMetric):
    """The share of the images of the class that are taken for it; see `ClassMetric`."""

    name, label, prominent = "recall", "recall", False

    def of(self, one: OneClass) -> float:
        """Return it; NaN for a class that never occurs."""
        return one_class.recall(one.positive, one.predicted, one.scores)
