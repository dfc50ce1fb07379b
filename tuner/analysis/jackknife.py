"""What each test image adds to the F1, ROC AUC or another metric of a class: jackknife pseudo-values.

Accuracy is a mean over images; these metrics are not. The pseudo-value of image i is `n θ − (n − 1) θ₋ᵢ`, with the
metric θ of all n images and θ₋ᵢ without image i (Quenouille, 1956; Tukey, 1958), and takes the place that
being right or wrong has in an accuracy (Dorfman, Berbaum and Metz, 1992). Here they are shifted so that their mean is θ
itself (Hillis, Obuchowski, Schartz and Berbaum, 2005), so that `tuner.analysis.variance` gives the interval of a metric
too:

    ours, theirs = (np.stack([roc_auc(positive, p[:, k]) for p in model]) for model in (a, b))
    compare(ours, theirs)

Each function takes one retraining's answers on the n test images and one class against the rest, and returns `(n,)`,
all NaN where the metric, or the metric without some image, is 0/0. The metrics are scikit-learn's, ties included.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def f1(positive: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Values:
    """Return the pseudo-values of the F1 of a class.

    Args:
        positive: `(n,)`, whether each image is of the class.
        predicted: `(n,)`, whether each was taken for it.
    """
    both, either = positive & predicted, positive.astype(np.int64) + predicted
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = 2 * both.sum() / either.sum()
        without = 2 * (both.sum() - both) / (either.sum() - either)
    return _pseudo(float(whole), without)


def recall(positive: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Values:
    """Return the pseudo-values of the recall of a class; the arguments are those of `f1`."""
    return _share(positive & predicted, positive)


def precision(positive: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Values:
    """Return the pseudo-values of the precision of a class; the arguments are those of `f1`."""
    return _share(positive & predicted, predicted)


def _share(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> Values:
    """Return the pseudo-values of the share of hits among some images."""
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = hits.sum() / among.sum()
        without = (hits.sum() - hits) / (among.sum() - among)
    return _pseudo(float(whole), without)


def roc_auc(positive: NDArray[np.bool_], scores: NDArray[Any]) -> Values:
    """Return the pseudo-values of the area under the ROC curve of a class.

    Args:
        positive: `(n,)`, whether each image is of the class.
        scores: `(n,)`, its probability of the class.
    """
    from scipy.stats import rankdata

    total, ours = len(positive), int(positive.sum())
    others = total - ours
    if min(ours, others) < 2:
        return np.full(total, np.nan)
    ranks = rankdata(scores)
    among = np.empty(total)  # the rank of each among the images of its own kind
    among[positive], among[~positive] = rankdata(scores[positive]), rankdata(scores[~positive])
    below = ranks - among  # how many of the other kind lie below it, half of those at the same score included
    won = np.where(positive, below, ours - below)
    pairs = below[positive].sum()
    without = (pairs - won) / np.where(positive, (ours - 1) * others, ours * (others - 1))
    return _pseudo(float(pairs / (ours * others)), without)


def average_precision(positive: NDArray[np.bool_], scores: NDArray[Any]) -> Values:
    """Return the pseudo-values of the average precision of a class, `Σ (recall step) × precision` over thresholds.

    Args:
        positive: `(n,)`, whether each image is of the class.
        scores: `(n,)`, its probability of the class.
    """
    total, ours = len(positive), int(positive.sum())
    if ours < 2:
        return np.full(total, np.nan)
    _, place = np.unique(-np.asarray(scores), return_inverse=True)  # 0 is the highest score; equal ones share a place
    found = np.bincount(place, weights=positive)  # images of the class at each score
    hits, seen = found.cumsum(), np.bincount(place).cumsum().astype(np.float64)

    def tails(steps: NDArray[Any], right: NDArray[Any], called: NDArray[Any]) -> Values:
        """Return for each place the sum of steps times precision over all lower scores."""
        terms = np.where(called > 0, steps * right / np.maximum(called, 1), 0.0)
        return np.append(terms[::-1].cumsum()[::-1][1:], 0.0)

    terms = found * hits / seen
    before = terms.cumsum() - terms  # over all higher scores, which an image leaves as they are
    shared = np.maximum(seen - 1, 1)
    without_other = (before + found * hits / shared + tails(found, hits, seen - 1)) / ours
    own = (found - 1) * (hits - 1) / shared
    without_ours = (before + own + tails(found, hits - 1, seen - 1)) / (ours - 1)
    return _pseudo(float(terms.sum() / ours), np.where(positive, without_ours[place], without_other[place]))


def _pseudo(whole: float, without: Values) -> Values:
    """Return pseudo-values whose mean is the metric, from the metric of all images and the metric without each."""
    n = len(without)
    if n < 2 or not np.isfinite(whole) or not np.isfinite(without).all():
        return np.full(n, np.nan)
    shifted: Values = whole - (n - 1) * (without - without.mean())
    return shifted
