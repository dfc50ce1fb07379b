"""`log_loss`: the loss of recorded answers without penalties, one definition for records, tables and the choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tuner.objective.base import Objective

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Probabilities below this count as this, so that one wrong 0 does not make the loss infinite (Keras' epsilon).
_EPSILON = 1e-7


def log_losses(probabilities: NDArray[Any], labels: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Return the negative log-likelihood of the true class of each image, `(n,)`, in nats.

    Args:
        probabilities: `(n, classes)`.
        labels: `(n,)`.
    """
    import numpy as np

    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    found: NDArray[np.float64] = -np.log(of_truth.clip(_EPSILON, 1))
    return found


def cross_entropy(probabilities: NDArray[Any], labels: NDArray[np.integer[Any]]) -> float:
    """Return the mean of `log_losses` over the images."""
    return float(log_losses(probabilities, labels).mean())


class LogLoss(Objective):
    """The cross-entropy of the probabilities without penalties, which is better the lower it is. See `Objective`."""

    name = "log_loss"
    label = "log loss"
    doc = "The cross-entropy of the probabilities, in nats, without label smoothing and penalties."
    direction = "min"
    high = None

    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        """Return it; see `Objective.score`."""
        return cross_entropy(probabilities, labels)
