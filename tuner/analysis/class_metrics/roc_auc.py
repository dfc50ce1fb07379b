"""`roc_auc`: the area under the ROC curve of a class."""

from __future__ import annotations

from tuner.analysis import jackknife
from tuner.analysis.class_metrics.base import ClassMetric, OneClass, Values
from tuner.objective import one_class


class RocAuc(ClassMetric):
    """The chance that an image of the class has a higher score than one of another; see `ClassMetric`."""

    name, label, compared = "roc_auc", "ROC AUC", True

    def of(self, one: OneClass) -> float:
        """Return it; NaN where the class never occurs, or nothing else does."""
        return one_class.roc_auc(one.positive, one.predicted, one.scores)

    def pseudo_values(self, one: OneClass) -> Values:
        """Return what each image adds; see `ClassMetric.pseudo_values`."""
        return jackknife.roc_auc(one.positive, one.scores)
