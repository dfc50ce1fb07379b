"""Learning curves: what was recorded of a trial after each epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from tuner import columns as col
from tuner.objective import Objective
from tuner.trial import Record

#: What is recorded of training and validation.
METRICS = ("accuracy", "loss")


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """The metrics of a trial by epoch; `label` is what a legend calls it."""

    label: str
    dataset: str
    trial: str
    history: Mapping[str, Sequence[float]]

    @classmethod
    def of(cls, label: str, dataset: str, record: Record) -> Self:
        """Return the curve of a recorded trial."""
        return cls(label, dataset, record.trial.id, record.result.history)

    def as_json(self, objective: Objective) -> dict[str, Any]:
        """Return accuracy, loss and score after each epoch, by name; empty what was not recorded."""
        names = dict.fromkeys(("accuracy", col.VAL_ACCURACY, "loss", col.VAL_LOSS, objective.column))
        return {name: self.history.get(name, []) for name in names}


def metrics_of(objective: Objective) -> dict[str, str]:
    """Return what curves are drawn of, with labels: accuracy and loss, and the objective where it is another."""
    return {**{name: name for name in METRICS}, objective.name: objective.label}


def curves_frame(curves: Iterable[LearningCurve]) -> pd.DataFrame:
    """Return a row for each epoch of each trial, with all of its metrics there."""
    frames = []
    for curve in curves:
        history = pd.DataFrame(curve.history)
        history.insert(0, col.EPOCH, history.index + 1)
        about = {col.TRIAL: curve.trial, col.DATASET: curve.dataset, "curve": curve.label}
        for place, (name, value) in enumerate(about.items()):
            history.insert(place, name, value)
        frames.append(history)
    return pd.concat(frames, ignore_index=True)
