"""The loss of recorded answers, one definition for records, tables and calibration: cross-entropy without penalties."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Probabilities below this count as this, so that one wrong 0 does not make the loss infinite (Keras' epsilon).
EPSILON = 1e-7


def cross_entropy(probabilities: NDArray[Any], labels: NDArray[np.integer[Any]]) -> float:
    """Return the mean negative log-likelihood of the true classes, in nats.

    Args:
        probabilities: `(n, classes)`.
        labels: `(n,)`.
    """
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(of_truth.clip(EPSILON, 1)).mean())
