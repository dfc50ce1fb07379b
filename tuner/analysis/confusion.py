"""Confusion matrices: how many test images of each class a saved model took for each class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.findings import Chosen


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """The matrix of a saved model: `counts` are `(true class, predicted class)`."""

    model: str
    label: str
    dataset: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, chosen: Chosen) -> Self:
        """Return the matrix of a chosen model."""
        predictions = chosen.predictions
        return cls(chosen.model, chosen.label, chosen.dataset, tuple(predictions.class_names), predictions.confusion)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Each count as a share of the images of its true class."""
        shares: NDArray[np.float64] = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        return shares

    def as_json(self) -> list[list[int]]:
        """Return the counts, a row for each true class."""
        rows: list[list[int]] = self.counts.tolist()
        return rows


def confusion_frame(matrices: Iterable[ConfusionMatrix]) -> pd.DataFrame:
    """Return a row for each cell of the matrices that is not empty."""
    rows = [
        (one.model, one.dataset, one.class_names[true], one.class_names[predicted], one.counts[true, predicted])
        for one in matrices
        for true, predicted in np.argwhere(one.counts)
    ]
    return pd.DataFrame(rows, columns=[col.MODEL, col.DATASET, col.TRUE_CLASS, col.PREDICTED_CLASS, "images"])
