"""Test accuracy without the test images that a chosen model was also trained on, so that copies do not flatter it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.findings import Chosen, Findings


@dataclass(frozen=True, eq=False)
class WithoutLeaks:
    """The test accuracies of a chosen model over the test images that are no copies of training images.

    `accuracies` has one for each retraining, `(retrainings,)`.
    """

    chosen: Chosen
    accuracies: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean test accuracy over the retrainings."""
        return float(self.accuracies.mean())

    @property
    def sd(self) -> float | None:
        """Sample standard deviation over the retrainings; None where there is one."""
        return float(self.accuracies.std(ddof=1)) if len(self.accuracies) > 1 else None


def leaked(findings: Findings, dataset: str) -> NDArray[np.intp]:
    """Return the places of the test images that retrainings are also trained on, pixel by pixel, ascending.

    Copies of the data set's own validation images count: a chosen model is trained on these too (`tuner.protocol`).
    """
    found = findings.copies(dataset)
    return np.union1d(found.test_in_training, found.test_in_validation)


def without_leaks(findings: Findings, dataset: str) -> list[WithoutLeaks]:
    """Return the test accuracies of each chosen model on a data set without the leaked test images.

    Empty where no test image is leaked, or no other is left.
    """
    places = leaked(findings, dataset)
    models = findings.on(dataset)
    if not len(places) or not models or len(places) == models[0].correct.shape[1]:
        return []
    return [WithoutLeaks(chosen, np.delete(chosen.correct, places, axis=1).mean(axis=1)) for chosen in models]
