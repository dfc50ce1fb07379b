"""What is computed of one class against the rest, for tables too, and the objectives of it: `f1:CLASS` and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tuner.objective.base import Objective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Computes a metric of a class from which images are of it, which were taken for it, and its probabilities, all `(n,)`;
#: NaN where it is 0/0.
Compute = Callable[["NDArray[np.bool_]", "NDArray[np.bool_]", "NDArray[Any]"], float]


def precision(positive: NDArray[np.bool_], predicted: NDArray[np.bool_], scores: NDArray[Any]) -> float:
    """Return which share of the images that were taken for the class is of it."""
    taken = int(predicted.sum())
    return int((positive & predicted).sum()) / taken if taken else float("nan")


def _precision_or_zero(positive: NDArray[np.bool_], predicted: NDArray[np.bool_], scores: NDArray[Any]) -> float:
    """Return the precision, but 0 where no image was taken for the class and some are of it: that never pays."""
    return 0.0 if positive.any() and not predicted.any() else precision(positive, predicted, scores)


def recall(positive: NDArray[np.bool_], predicted: NDArray[np.bool_], scores: NDArray[Any]) -> float:
    """Return which share of the images of the class was taken for it."""
    there = int(positive.sum())
    return int((positive & predicted).sum()) / there if there else float("nan")


def f1(positive: NDArray[np.bool_], predicted: NDArray[np.bool_], scores: NDArray[Any]) -> float:
    """Return the harmonic mean of precision and recall."""
    either = int(positive.sum()) + int(predicted.sum())
    return 2 * int((positive & predicted).sum()) / either if either else float("nan")


def roc_auc(positive: NDArray[np.bool_], predicted: NDArray[np.bool_], scores: NDArray[Any]) -> float:
    """Return the area under the ROC curve."""
    from sklearn.metrics import roc_auc_score

    mixed = positive.any() and not positive.all()
    return float(roc_auc_score(positive, scores)) if mixed else float("nan")


def average_precision(positive: NDArray[np.bool_], predicted: NDArray[np.bool_], scores: NDArray[Any]) -> float:
    """Return the mean of the precision at each image of the class, by score."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(positive, scores)) if positive.any() else float("nan")


#: What may be asked of one class: how it is computed, and its label.
OF_A_CLASS: dict[str, tuple[Compute, str]] = {
    "f1": (f1, "F1"),
    "recall": (recall, "recall"),
    "precision": (_precision_or_zero, "precision"),
    "roc_auc": (roc_auc, "ROC AUC"),
}


class OfAClass(Objective):
    """A metric of one class against the rest, for example `recall:malignant`. See `Objective`.

    Args:
        kind: a key of `OF_A_CLASS`; it is the `metric`, as in `Macro`.
        class_name: the class.
    """

    def __init__(self, kind: str, class_name: str) -> None:
        self._compute, label = OF_A_CLASS[kind]
        self.metric, self.class_name = kind, class_name
        self.name = f"{kind}:{class_name}"
        self.label = f"{label} of {class_name}"
        self.doc = f"The {label} of one class, which is named after the colon."

    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        """Return it; NaN where there is no such class, or no image of it. See `Objective.score`."""
        if self.class_name not in class_names:
            return float("nan")
        label = list(class_names).index(self.class_name)
        return self._compute(labels == label, probabilities.argmax(axis=1) == label, probabilities[:, label])
