"""`average_precision`: the area under the curve of precision by recall, in steps."""

from __future__ import annotations

from tuner.analysis import jackknife
from tuner.analysis.class_metrics.base import ClassMetric, OneClass, Values


class AveragePrecision(ClassMetric):
    """The mean of the precision at each image of the class, by score; see `ClassMetric`."""

    name, label, prominent, has_intervals = "average_precision", "average precision", False, True

    def of(self, one: OneClass) -> float:
        """Return it; NaN for a class that never occurs."""
        from sklearn.metrics import average_precision_score

        return float(average_precision_score(one.positive, one.scores)) if one.positive.any() else float("nan")

    def pseudo_values(self, one: OneClass) -> Values:
        """Return what each image adds; see `ClassMetric.pseudo_values`."""
        return jackknife.average_precision(one.positive, one.scores)
