"""Objectives that count every class alike, however many images it has: means over the classes that occur."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuner.objective.base import Objective
from tuner.objective.one_class import Compute, average_precision, f1, recall, roc_auc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Macro(Objective):
    """The mean of a metric over the classes of which there are images, for example macro F1. See `Objective`.

    `metric` is the metric's name, one of `tuner.analysis.class_metrics`.
    """

    def __init__(self, name: str, label: str, doc: str, compute: Compute) -> None:
        self.name, self.label, self.doc = name, label, doc
        self.metric = compute.__name__
        self._compute = compute

    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        """Return the mean; a class without images is left out. See `Objective.score`."""
        import numpy as np

        named = probabilities.argmax(axis=1)
        return float(np.mean([self._compute(labels == k, named == k, probabilities[:, k]) for k in np.unique(labels)]))


BALANCED_ACCURACY = Macro("balanced_accuracy", "balanced accuracy", "The mean recall of all classes.", recall)
MACRO_F1 = Macro("macro_f1", "macro F1", "The mean F1 of all classes.", f1)
MACRO_ROC_AUC = Macro(
    "macro_roc_auc",
    "macro ROC AUC",
    "The mean area under the ROC curves of all classes, each against the rest.",
    roc_auc,
)
MACRO_AVERAGE_PRECISION = Macro(
    "macro_average_precision",
    "macro average precision",
    "The mean average precision of all classes, also called MAP.",
    average_precision,
)
