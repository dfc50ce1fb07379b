"""`roc_auc`: the area under the ROC curve of a class."""

from __future__ import annotations

from tuner.analysis import jackknife
from tuner.analysis.class_metrics.base import ClassMetric, OneClass, Values


class RocAuc(ClassMetric):
    """The chance that an image of the class has a higher score than one of another; see `ClassMetric`."""

    name, label, has_intervals = "roc_auc", "ROC AUC", True

    def of(self, one: OneClass) -> float:
        """Return it; NaN where the class never occurs, or nothing else does."""
        from sklearn.metrics import roc_auc_score

        mixed = one.positive.any() and not one.positive.all()
        return float(roc_auc_score(one.positive, one.scores)) if mixed else float("nan")

    def pseudo_values(self, one: OneClass) -> Values:
        """Return what each image adds; see `ClassMetric.pseudo_values`."""
        return jackknife.roc_auc(one.positive, one.scores)
