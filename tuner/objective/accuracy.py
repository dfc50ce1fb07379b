"""`accuracy`: the share of images that are classified rightly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuner.objective.base import Objective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuner.trial import Result


class Accuracy(Objective):
    """The share of images whose most probable class is theirs; recorded of every trial. See `Objective`."""

    name = "accuracy"
    label = "accuracy"
    doc = "The share of images that are classified rightly."

    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        """Return the share; see `Objective.score`."""
        return float((probabilities.argmax(axis=1) == labels).mean())

    @property
    def code(self) -> str:
        """Nothing: a trial that names no objective is chosen by accuracy."""
        return ""

    def of(self, result: Result) -> float | None:
        """Return the recorded accuracy; see `Objective.of`."""
        return result.val_accuracy
