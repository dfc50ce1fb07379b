"""Scores: everything that is said about a chosen model, computed from its saved predictions."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS, OneClass
from tuner.analysis.mistakes import MAPPED, MAPS, HeatMaps, heat_maps_in
from tuner.errors import CheckError, InputError, one_line
from tuner.objective.log_loss import cross_entropy
from tuner.untrusted.arrays import read_arrays
from tuner.untrusted.sizes import most_data, read_at_most

#: How many channels of images, filters and classes are kept at most of what a first convolution sees.
MOST_SHOWN = {"filters": 16, "shown": 3, "shown_labels": 10, "outputs": 16}


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's answers on the test set.

    `probabilities` are `(n, classes)`, `labels` `(n,)`, `class_names` one per class. `view` is what the model's
    first convolution sees, as `tuner.worker.model_summary.first_layer_view` returns it; empty where there is none.
    `heat` tells where it saw the classes that it took images for wrongly; None where that is not kept.
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    class_names: tuple[str, ...]
    view: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    heat: HeatMaps | None = None

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each image, `(n,)`; of equal ones the first."""
        best: NDArray[np.int64] = self.probabilities.argmax(axis=1).astype(np.int64)
        return best

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each image was classified rightly, `(n,)`."""
        same: NDArray[np.bool_] = self.predicted == self.labels
        return same

    @cached_property
    def class_metrics(self) -> pd.DataFrame:
        """What `per_class` tells of it, computed once for all sections and figures, which leave it as it is."""
        return per_class(self)

    @property
    def accuracy(self) -> float:
        """The share of images classified rightly."""
        return float(self.correct.mean())

    @cached_property
    def loss(self) -> float:
        """The cross-entropy, in nats, without any penalties."""
        return cross_entropy(self.probabilities, self.labels)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """How many images of each true class (row) were taken for each class (column), `(classes, classes)`."""
        from sklearn.metrics import confusion_matrix

        every = range(len(self.class_names))
        matrix: NDArray[np.int64] = confusion_matrix(self.labels, self.predicted, labels=list(every))
        return matrix

    def of_class(self, class_index: int) -> OneClass:
        """Return the answers about one class against the rest."""
        return OneClass(self.labels == class_index, self.predicted == class_index, self.probabilities[:, class_index])

    def roc(self, class_index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return false and true positive rates of one class against the rest, over all thresholds.

        Both are empty where the class never occurs, or nothing else does.
        """
        from sklearn.metrics import roc_curve

        positive = self.labels == class_index
        if positive.all() or not positive.any():
            return np.array([]), np.array([])
        false_rate, true_rate, _ = roc_curve(positive, self.probabilities[:, class_index])
        return false_rate, true_rate


def load_predictions(path: Path, sha256: str, class_names: tuple[str, ...]) -> Predictions:
    """Load saved predictions and prove that they are those that were recorded.

    Raises:
        CheckError: the file is missing or its content is not what was recorded.
    """
    try:
        content = read_at_most(path, most_data())
    except InputError as error:
        raise CheckError(f"{path}: the saved predictions {error.problem}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckError(f"{path}: the saved predictions are not those that were recorded")
    try:
        arrays = read_arrays(io.BytesIO(content), most_data())
        labels, probabilities = arrays.pop("labels"), arrays.pop("probabilities")
        _check(labels, probabilities, class_names)
        heat = heat_maps_in(arrays, len(labels))
        view = {name: array for name, array in arrays.items() if name not in (MAPS, MAPPED)}
        _check_view(view, len(class_names))
        return Predictions(labels, probabilities, class_names, view, heat)
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on what is no file of ours
        raise CheckError(f"{path}: the saved predictions cannot be read ({one_line(error, 160)})") from error


def _check(labels: NDArray[Any], probabilities: NDArray[Any], class_names: tuple[str, ...]) -> None:
    """Compare predictions with the classes that they are about.

    Raises:
        ValueError: with what does not fit.
    """
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not labels.size:
        raise ValueError(f"labels are {labels.dtype} of the shape {labels.shape}")
    if probabilities.shape != (len(labels), len(class_names)) or probabilities.dtype.kind != "f":
        problem = f"probabilities are {probabilities.dtype} of the shape {probabilities.shape}"
        raise ValueError(f"{problem}, for {len(labels)} labels and {len(class_names)} classes")
    if not np.isfinite(probabilities).all():
        raise ValueError("a probability is NaN or infinite")
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(f"labels are {labels.min()} to {labels.max()}, and there are {len(class_names)} classes")


def _check_view(view: Mapping[str, NDArray[Any]], classes: int) -> None:
    """Compare what a first convolution sees, where that is there, with what `first_layer_view` gives.

    Raises:
        ValueError: with what does not fit.
    """
    if not view:
        return
    kinds = {"filters": ("f", 4), "shown": ("u", 4), "shown_labels": ("iu", 1), "outputs": ("f", 4)}
    for name, (kind, rank) in kinds.items():
        array = view[name]
        if array.dtype.kind not in kind or array.ndim != rank or not array.size or array.shape[-1] > MOST_SHOWN[name]:
            raise ValueError(f"{name} are {array.dtype} of the shape {array.shape}")
    filters, shown, labels, outputs = (view[name] for name in kinds)
    if not len(shown) == len(labels) == len(outputs) or filters.shape[-1] != outputs.shape[-1]:
        raise ValueError(f"shown are {len(shown)} images with {len(labels)} labels and {len(outputs)} outputs")
    if shown.shape[-1] not in (1, 3) or labels.min() < 0 or labels.max() >= classes:
        raise ValueError("shown are images of no class, or of no colour")


def per_class(predictions: Predictions) -> pd.DataFrame:
    """Return the metrics of each class against the rest (`CLASS_METRICS`), and its support.

    A figure that is 0/0 is NaN: the precision of a class that is never predicted; the recall, ROC AUC and average
    precision of one that never occurs. The F1 of either is 0, and NaN where both hold.
    """
    every = [predictions.of_class(label) for label in range(len(predictions.class_names))]
    return pd.DataFrame(
        {
            col.CLASS: predictions.class_names,
            **{name: [metric.of(one) for one in every] for name, metric in CLASS_METRICS.items()},
            col.SUPPORT: [int(one.positive.sum()) for one in every],
        }
    )


def averages(table: pd.DataFrame) -> pd.DataFrame:
    """Return the macro and the weighted average of `per_class`, over the classes that occur.

    The precision of a class that occurs and is never predicted counts as 0, so that ignoring a class never pays.
    The macro average precision is what others call MAP.
    """
    zeros = {name: 0.0 for name, metric in CLASS_METRICS.items() if metric.counts_as_zero}
    occurring = table[table[col.SUPPORT] > 0].fillna(zeros)
    support = occurring[col.SUPPORT].to_numpy()
    rows = []
    for label, weights in ((col.MACRO_AVERAGE, np.ones_like(support)), ("weighted average", support)):
        row: dict[str, object] = {col.CLASS: label}
        row |= {name: float(np.average(occurring[name], weights=weights)) for name in CLASS_METRICS}
        row[col.SUPPORT] = int(support.sum())
        rows.append(row)
    return pd.DataFrame(rows)
