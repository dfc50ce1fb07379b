"""Which epochs are trained in this process, for tests of what goes on from a checkpoint. Imports Keras."""

from __future__ import annotations

from typing import Any

import pytest

from tuner.worker import training
from tuner.worker.engines import Epoch


def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which every epoch adds its number, as the engines train it."""
    epochs: list[int] = []
    take = training.Epochs.take

    def counted(self: Any, metrics: Epoch) -> bool:
        over = take(self, metrics)
        epochs.append(len(self.seconds))
        return over

    monkeypatch.setattr(training.Epochs, "take", counted)
    return epochs
