"""The metrics of a class by name, in the order of tables. A new one needs its file and a line here."""

from __future__ import annotations

from tuner.analysis.class_metrics.average_precision import AveragePrecision
from tuner.analysis.class_metrics.base import ClassMetric, OneClass
from tuner.analysis.class_metrics.f1 import F1
from tuner.analysis.class_metrics.precision import Precision
from tuner.analysis.class_metrics.recall import Recall
from tuner.analysis.class_metrics.roc_auc import RocAuc

__all__ = ["CLASS_METRICS", "ClassMetric", "OneClass"]

CLASS_METRICS: dict[str, ClassMetric] = {
    metric.name: metric for metric in (Precision(), Recall(), F1(), RocAuc(), AveragePrecision())
}
