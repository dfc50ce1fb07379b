"""`average_precision`: the area under the curve of precision by recall, in steps."""

from __future__ import annotations

from tuner.analysis import jackknife
from tuner.analysis.class_metrics.base import ClassMetric, OneClass, Values
from tuner.objective import one_class


class AveragePrecision(ClassMetric):
    """The mean of the precision at each image of the class, by score; see `ClassMetric`."""

    name, label, prominent, compared = "average_precision", "average precision", False, True

    def of(self, one: OneClass) -> float:
        """Return it; NaN for a class that never occurs."""
        return one_class.average_precision(one.positive, one.predicted, one.scores)

    def pseudo_values(self, one: OneClass) -> Values:
        """Return what each image adds; see `ClassMetric.pseudo_values`."""
        return jackknife.average_precision(one.positive, one.scores)
