"""How far a gradient comes: its norm at each watched layer, of every training of a model that was watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.findings import Findings

#: A norm that is exactly 0, as behind dead units, counts as this, so that it has a logarithm.
_LEAST = 1e-30


@dataclass(frozen=True, eq=False)
class WatchedTraining:
    """One training of a model whose layers were watched; `notes` are `tuner.worker.watch.Watcher.notes`."""

    model: str
    label: str
    seed: int
    notes: Mapping[str, Mapping[str, Any]]

    @property
    def layers(self) -> list[str]:
        """The watched layers, in the order of the network where every layer is watched."""
        return list(self.notes)

    @property
    def norms(self) -> NDArray[np.float64]:
        """The norm of the gradient at each layer, before training and after each epoch, `(layers, epochs + 1)`."""
        return np.array([note["gradient_norm"] for note in self.notes.values()], dtype=np.float64)

    @property
    def logarithms(self) -> NDArray[np.float64]:
        """The natural logarithms of `norms`."""
        found: NDArray[np.float64] = np.log(np.maximum(self.norms, _LEAST))
        return found


def watched_trainings(findings: Findings, dataset: str) -> list[WatchedTraining]:
    """Return the trainings on a data set that were watched: each model's best trial, then its watched retrainings."""
    found = []
    for model_search, record in findings.best_trials(dataset):
        finals = [r for one in findings.on(dataset) if one.model == model_search.name for r in one.finals]
        for one in (record, *finals):
            if one.result.watched:
                found.append(WatchedTraining(model_search.name, model_search.label, one.trial.seed, one.result.watched))
    return found
