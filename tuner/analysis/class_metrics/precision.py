"""`precision`: which share of the images that are taken for a class is of it."""

from __future__ import annotations

from tuner.analysis import jackknife
from tuner.analysis.class_metrics.base import ClassMetric, OneClass, Values
from tuner.objective import one_class


class Precision(ClassMetric):
    """The share of right ones among the images that are taken for the class; see `ClassMetric`."""

    name, label, prominent, counts_as_zero = "precision", "precision", False, True

    def of(self, one: OneClass) -> float:
        """Return it; NaN for a class that is never predicted."""
        return one_class.precision(one.positive, one.predicted, one.scores)

    def pseudo_values(self, one: OneClass) -> Values:
        """Return what each image adds; see `ClassMetric.pseudo_values`."""
        return jackknife.precision(one.positive, one.predicted)
