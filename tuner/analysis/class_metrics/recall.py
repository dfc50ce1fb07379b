"""`recall`: which share of the images of a class is taken for it."""

from __future__ import annotations

from tuner.analysis import jackknife
from tuner.analysis.class_metrics.base import ClassMetric, OneClass, Values
from tuner.objective import one_class


class Recall(ClassMetric):
    """The share of the images of the class that are taken for it; see `ClassMetric`."""

    name, label, prominent = "recall", "recall", False

    def of(self, one: OneClass) -> float:
        """Return it; NaN for a class that never occurs."""
        return one_class.recall(one.positive, one.predicted, one.scores)

    def pseudo_values(self, one: OneClass) -> Values:
        """Return what each image adds; see `ClassMetric.pseudo_values`."""
        return jackknife.recall(one.positive, one.predicted)
