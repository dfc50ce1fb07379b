"""Early stopping: when a trial ends before its last epoch, and which of its epochs counts."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.objective import ACCURACY, Objective
from tuner.space.parameters import Parameter, Values

#: What has to improve; `objective` is what the search chooses by.
_WATCHED = ("val_loss", "val_accuracy", "objective")

STOPPING: tuple[Parameter, ...] = (
    Parameter(
        "early_stopping",
        "off",
        ("off", *_WATCHED),
        doc="what has to improve; the best epoch's score counts, and retrainings stop at that epoch",
    ),
    Parameter(
        "patience",
        5,
        low=1,
        high=1_000_000,
        doc="epochs without improvement after which a trial stops",
        when=("early_stopping", _WATCHED),
    ),
)


class Stopping:
    """Follows a training's metrics and tells its best epoch and when to stop.

    Args:
        values: of a trial.
        objective: what it is chosen by.
        not_before: epochs after which patience begins to count: those of a stage that another one follows.
    """

    def __init__(self, values: Values, objective: Objective = ACCURACY, not_before: int = 0) -> None:
        asked = str(values["early_stopping"])
        self._by = {"objective": objective, "val_accuracy": ACCURACY}.get(asked)
        self.watched = "" if asked == "off" else self._by.column if self._by else asked
        self._patience, self._not_before = int(values.get("patience", 0)), not_before
        self._best = float("inf")
        self._epoch = 0
        #: The best epoch so far, counted from 1; 0 before the first, and for ever where nothing is watched.
        self.best_epoch = 0

    def observe(self, metrics: Mapping[str, float]) -> None:
        """Take the metrics of the epoch that has just ended; one that equals the best is not better."""
        if not self.watched:
            return
        self._epoch += 1
        value = metrics[self.watched] if self._by is None else -self._by.gain(metrics[self.watched])
        if value < self._best:
            self._best, self.best_epoch = value, self._epoch

    @property
    def over(self) -> bool:
        """Whether the last `patience` epochs brought no improvement."""
        return bool(self.watched) and self._epoch - max(self.best_epoch, self._not_before) >= self._patience
