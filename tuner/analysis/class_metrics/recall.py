"""`recall`: which share of the images of a class is taken for it."""

from __future__ import annotations

from tuner.analysis.class_metrics.base import ClassMetric, OneClass, share


class Recall(ClassMetric):
    """The share of the images of the class that are taken for it; see `ClassMetric`."""

    name, label, prominent = "recall", "recall", False

    def of(self, one: OneClass) -> float:
        """Return it; NaN for a class that never occurs."""
        both, there, _ = one.counts
        return share(both, there)
