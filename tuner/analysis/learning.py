"""Learning curves: what was recorded of a trial after each epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from tuner import columns as col
from tuner.analysis.penalties import LOSS_WITHOUT_PENALTIES, losses_differ
from tuner.objective import Objective
from tuner.trial import Record

#: What is recorded of training and validation.
METRICS = ("accuracy", col.LOSS, col.UNPENALISED_LOSS)


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """The metrics of a trial by epoch; `label` is what a legend calls it.

    `number` is its model's, by which it has its colour, or None where curves of one model have colours of their own.
    """

    label: str
    dataset: str
    trial: str
    history: Mapping[str, Sequence[float]]
    number: int | None = None

    @classmethod
    def of(cls, label: str, dataset: str, record: Record, number: int | None = None) -> Self:
        """Return the curve of a recorded trial."""
        return cls(label, dataset, record.trial.id, record.result.history, number)

    @property
    def penalised(self) -> bool:
        """Whether penalties make a difference to its loss, as far as it was recorded without them."""
        return losses_differ(self.history)

    def as_json(self, objective: Objective, penalised: bool) -> dict[str, Any]:
        """Return accuracy, loss and score after each epoch, by name; empty what was not recorded.

        Where trials that are shown beside it are `penalised`, the loss without penalties too.
        """
        names = dict.fromkeys(("accuracy", col.VAL_ACCURACY, col.LOSS, col.VAL_LOSS, objective.column))
        if penalised:
            names |= dict.fromkeys((col.UNPENALISED_LOSS, col.VAL_UNPENALISED_LOSS))
        return {name: self.history.get(name, []) for name in names}


def metrics_of(objective: Objective) -> dict[str, str]:
    """Return what curves are drawn of, with labels: accuracy, losses, and the objective where it is another."""
    labels = {name: name for name in METRICS} | {col.UNPENALISED_LOSS: LOSS_WITHOUT_PENALTIES}
    return {**labels, objective.name: objective.label}


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
