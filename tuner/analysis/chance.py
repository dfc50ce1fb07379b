"""What always naming the largest class reaches, and whether answers say more than chance about their images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: So many standard errors above what chance gives are still no more than chance.
_ERRORS = 3


def chance_among(labels: NDArray[np.int64]) -> float:
    """Return the accuracy on images of these labels up to which a model has not left chance.

    That is the share of the largest class, plus three standard errors of a share; but of few images no more than
    three quarters of the way from that share to 1, so that a model that has them all right is never said to be
    no better than chance.
    """
    share = float(np.bincount(labels).max() / len(labels))
    return _limit(share, float(np.sqrt(share * (1 - share) / len(labels))))


def says_nothing(labels: NDArray[np.int64], named: NDArray[np.int64]) -> bool:
    """Return whether answers tell no classes apart, for all that can be seen: neither by accuracy nor class by class.

    Where one class is large, a model that finds the others may have an accuracy no higher than always naming it. Its
    mean recall over the classes is then beyond what the same answers reach when they are dealt to images at random:
    Σ q_c / C, with the variance Σ q_c (1 − q_c) / n_c / C², for C classes of n_c images of which a share q_c is named.

    Args:
        labels: the class of each image, `(n,)`.
        named: the class that each was taken for, `(n,)`.
    """
    if (labels == named).mean() > chance_among(labels):
        return False
    classes, counts = np.unique(labels, return_counts=True)
    shares = np.array([(named == label).mean() for label in classes])
    recalls = np.array([(named[labels == label] == label).mean() for label in classes])
    error = float(np.sqrt((shares * (1 - shares) / counts).sum())) / len(classes)
    return float(recalls.mean()) <= _limit(float(shares.sum()) / len(classes), error) + 1e-9


def _limit(expected: float, error: float) -> float:
    return min(expected + _ERRORS * error, (expected + 3) / 4)
