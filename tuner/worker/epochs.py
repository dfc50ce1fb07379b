"""What is seen of a training, epoch by epoch: its metrics, its best epoch and what it answered. Imports Keras."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.errors import TrialError
from tuner.objective import Objective
from tuner.recipe import Stopping
from tuner.worker.checkpoints import About, Checkpoint
from tuner.worker.engines import Epoch, Samples, State
from tuner.worker.progress import Progress
from tuner.worker.watch import Watcher


class Epochs:
    """What is seen of a training, epoch by epoch.

    The answers to the validation images are those of the epoch that counts.
    """

    def __init__(
        self,
        objective: Objective,
        validation: Samples | None,
        class_names: Sequence[str],
        stopping: Stopping,
        watcher: Watcher | None,
        softmax: bool,
        progress: Progress | None = None,
    ) -> None:
        self.curves: dict[str, list[float]] = {}
        self.seconds: list[float] = []
        self.best_epoch: int | None = None
        self.answers: NDArray[np.float32] | None = None
        self._objective, self._validation, self._class_names = objective, validation, class_names
        self._stopping, self._watcher, self._softmax = stopping, watcher, softmax
        self._progress = progress
        self._last: Epoch | None = None
        #: How long the training took, in seconds, before the checkpoint that it goes on from.
        self.spent_before = 0.0
        self._begun = self._started = time.perf_counter()

    @property
    def spent(self) -> float:
        """How long the training has taken, in seconds, before it was stopped and since it goes on."""
        return self.spent_before + time.perf_counter() - self._begun

    def follow(self, network: keras.Model, training: Samples) -> None:
        """Watch another network from now on, which goes on with what was learned before."""
        if self._watcher:
            self._watcher.follow(network, training)

    def checkpoint(self, state: State, made_with: dict[str, Any]) -> Checkpoint:
        """Return where the training stands, after an epoch that was taken and left this state."""
        answers = self.answers
        if not self._stopping.watched and self._last is not None and self._validation is not None:
            answers = self._last.probabilities()
        notes = self._watcher.notes if self._watcher else {}
        about = About(self.curves, self.seconds, self.spent, self._stopping.best_epoch or None, notes, made_with)
        return Checkpoint(about, state, answers)

    def can_go_on(self, checkpoint: Checkpoint) -> bool:
        """Return whether a checkpoint tells all that this training asks of the epochs before it."""
        about, answers = checkpoint.about, checkpoint.answers
        names = {"loss", "accuracy"}
        if self._validation is not None:
            names |= {"val_loss", "val_accuracy", self._objective.column}
            if answers is None or len(answers) != len(self._validation.labels):
                return False
        names |= {self._stopping.watched} if self._stopping.watched else set()
        notes = self._watcher.notes if self._watcher else {}
        noted = [len(of) for layer in about.watched.values() for of in layer.values()]
        return (
            names <= about.curves.keys()
            and about.watched.keys() == notes.keys()
            and all(about.watched[name].keys() == notes[name].keys() for name in notes)
            and all(count == checkpoint.epochs + 1 for count in noted)
        )

    def is_over_at(self, checkpoint: Checkpoint) -> bool:
        """Return whether early stopping had seen enough at a checkpoint."""
        stopping = copy(self._stopping)
        for epoch in range(checkpoint.epochs):
            stopping.observe({name: curve[epoch] for name, curve in checkpoint.about.curves.items()})
        return stopping.over

    def go_on(self, checkpoint: Checkpoint) -> None:
        """Note the epochs before a checkpoint, as if they had been taken."""
        about = checkpoint.about
        self.curves, self.seconds = dict(about.curves), list(about.seconds)
        for epoch in range(checkpoint.epochs):
            self._stopping.observe({name: curve[epoch] for name, curve in about.curves.items()})
        if self._watcher:
            self._watcher.notes = about.watched
        self.answers, self.spent_before = checkpoint.answers, about.spent

    def take(self, metrics: Epoch) -> bool:
        """Note an epoch that has just ended, and return whether that was enough.

        Raises:
            TrialError: a metric of it is no number.
        """
        seconds = time.perf_counter() - self._started
        if self._softmax:
            of_logits = metrics.probabilities
            metrics.probabilities = lambda: _softmax(of_logits())
        self._score(metrics)
        self.seconds.append(seconds)
        number = len(self.seconds)
        for name, value in metrics.items():
            if not np.isfinite(value):
                raise TrialError(f"{name} became {value} in epoch {number}; try a lower learning rate")
            self.curves.setdefault(name, []).append(value)
        if self._watcher:
            self._watcher.note()
        self._stopping.observe(metrics)
        if self._stopping.best_epoch == number:
            self.answers = metrics.probabilities()
        self._last = metrics
        if self._progress is not None:
            self._progress.tell(self.curves, self._objective.column)
        self._started = time.perf_counter()
        return self._stopping.over

    def end(self, kept: tuple[int, NDArray[np.float32]] | None = None) -> None:
        """Note that the training has ended; `kept` is the epoch that its own code went back to, with its answers."""
        self.best_epoch = self._stopping.best_epoch or None
        if self._stopping.watched:
            return
        if kept is not None:
            self.best_epoch, self.answers = kept
        elif self._last is not None:
            self.answers = self._last.probabilities()

    def add_returned(self, score: float | None) -> None:
        """Note the score of a training as a whole, after each of its epochs the same; None where there is none."""
        if score is not None:
            self.curves[self._objective.column] = [score] * len(self.seconds)

    def _score(self, metrics: Epoch) -> None:
        """Add the score by an objective that engines do not compute by themselves.

        Raises:
            TrialError: it cannot be computed of these validation images.
        """
        objective, validation = self._objective, self._validation
        if validation is None or objective.column in metrics or not objective.by_epoch:
            return
        score = objective.score(validation.labels, metrics.probabilities(), self._class_names)
        if not np.isfinite(score):
            raise TrialError(f"{objective.words} is {score}: it cannot be computed of these validation images")
        metrics[objective.column] = score


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    if not logits.size:
        return logits
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities
