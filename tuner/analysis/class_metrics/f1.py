"""`f1`: the harmonic mean of precision and recall."""

from __future__ import annotations

from tuner.analysis import jackknife
from tuner.analysis.class_metrics.base import ClassMetric, OneClass, Values
from tuner.objective import one_class


class F1(ClassMetric):
    """The harmonic mean of precision and recall; see `ClassMetric`."""

    name, label, compared = "f1", "F1", True

    def of(self, one: OneClass) -> float:
        """Return it: 0 for a class that is never predicted or never occurs, NaN where both hold."""
        return one_class.f1(one.positive, one.predicted, one.scores)

    def pseudo_values(self, one: OneClass) -> Values:
        """Return what each image adds; see `ClassMetric.pseudo_values`."""
        return jackknife.f1(one.positive, one.predicted)
