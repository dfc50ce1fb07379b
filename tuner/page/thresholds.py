"""How many images a model would give to a class at each of some probabilities, for a threshold that readers move."""

from __future__ import annotations

import numpy as np

from tuner.analysis.findings import Chosen
from tuner.analysis.roc import RocCurves

#: The probabilities from which on an image is given to a class; the closer to 0 and 1, the finer.
THRESHOLDS = (
    0.0001, 0.001, 0.002, 0.005, 0.01, *(k / 50 for k in range(1, 50)), 0.99, 0.995, 0.998, 0.999, 0.9999,
)  # fmt: skip


def thresholds(chosen: Chosen) -> list[list[object]]:
    """Return of each class whose ROC curve the page shows its number, its images, and two counts at each threshold.

    These are the test images of the class, and those of other classes, whose probability of the class is at least so
    high.
    """
    predictions = chosen.predictions
    found: list[list[object]] = []
    for label, *_ in RocCurves.of(chosen).as_json():
        of_class = predictions.labels == label
        probability = predictions.probabilities[:, label].astype(np.float64)
        counts = [_at_least(probability[mine]) for mine in (of_class, ~of_class)]
        found.append([int(label), int(of_class.sum()), *counts])
    return found


def _at_least(probabilities: np.ndarray) -> list[int]:
    """Return how many probabilities are at least each threshold."""
    below = np.searchsorted(np.sort(probabilities), THRESHOLDS, side="left")
    return [int(len(probabilities) - count) for count in below]
