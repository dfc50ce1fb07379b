"""How much a choice flatters, and which configurations cannot be told from the best, by their validation predictions.

The best of many is partly the luckiest on the images that it was chosen on. How much of its score is that luck is
estimated by choosing again (Tsamardinos, Greasidou and Borboudakis, 2018: bootstrap bias corrected cross-validation):
images are drawn with replacement, the best configuration on those that were drawn is chosen, and it is scored on those
that were not. Nothing is trained for it. A seed that was lucky is not seen by it: each configuration was trained once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.significance import Interval

_RESAMPLES = 1_000
#: Resamples are drawn in portions of so many numbers at most.
_AT_ONCE = 4_000_000
#: So many standard errors below the best, a configuration takes no part in how far the best may be ahead by luck.
_HOPELESS = 4.0

#: What each image adds to the score of each configuration, more being better: of accuracy whether it is right.
Gains = NDArray[Any]


@dataclass(frozen=True)
class Choice:
    """What choosing the best of several configurations does to its score.

    `score` is the best one's as it was chosen; `corrected` what a configuration that is chosen like this scores on
    images that had no part in the choice, with the 95 % interval of such scores. All are gains: more is better.
    """

    score: float
    corrected: float
    interval: Interval

    @property
    def luck(self) -> float:
        """By how much the choice flatters the score."""
        return self.score - self.corrected


def choose_again(gains: Gains, seed: int = 0) -> Choice:
    """Return how much the choice of the best configuration flatters its score.

    Args:
        gains: `(configurations, n)`, what each of n ≥ 2 validation images adds to each one's score, the best one first.
        seed: of the resampling.
    """
    right = _numbers(gains)
    tie = 0.5 if gains.dtype == np.bool_ else 1e-9 * float(np.abs(gains).max())
    scores = []
    ties = np.random.default_rng([seed, 1])  # to take the first would be to look at the images that were not drawn
    for drawn in _resamples(gains.shape[1], seed):
        hits = right @ drawn.T
        best = (hits + ties.uniform(0, tie, hits.shape)).argmax(axis=0)
        left_out = drawn == 0
        some = left_out.any(axis=1)  # of few images all may be drawn
        scores.append((gains[best] * left_out).sum(axis=1)[some] / left_out[some].sum(axis=1))
    every = np.concatenate(scores)
    low, high = np.percentile(every, [2.5, 97.5])
    return Choice(float(gains[0].mean()), float(every.mean()), Interval(float(low), float(high)))


def not_told_from_the_best(gains: Gains, seed: int = 0) -> NDArray[np.intp]:
    """Return the places of the configurations of which each may be the best one, `(configurations,)` or fewer.

    Were configuration k the best one, the highest score would be ahead of it by luck alone, by no more than
    max_j (e_j − e_k) with e_j the error of score j. What this stays below in 95 % of cases is known from resampled
    images; where it is more, k is not the best (multiple comparisons with the best, Hsu, 1984, by a bootstrap that
    keeps how configurations go together). So the best one is among those returned in at least 95 % of searches, as
    they were trained: once each.

    Args:
        gains: `(configurations, n)`, what each validation image adds to each one's score.
        seed: of the resampling.
    """
    count, n = gains.shape
    score = gains.mean(axis=1)
    leader = int(score.argmax())
    signed = np.int8 if gains.dtype == np.bool_ else np.float64
    spread = (gains[leader].astype(signed) - gains).std(axis=1) / np.sqrt(n)
    hopeful = score[leader] - score <= _HOPELESS * spread
    right = _numbers(gains[hopeful])
    errors = np.concatenate([(right @ drawn.T).T / n - score[hopeful] for drawn in _resamples(n, seed)])
    ahead = errors.max(axis=1, keepdims=True) - errors
    most = np.full(count, -1.0)
    most[hopeful] = np.quantile(ahead, 0.95, axis=0)
    behind = score[leader] - score
    return np.flatnonzero(behind <= np.where(hopeful, most, -1.0) + 1e-9)


def _numbers(gains: Gains) -> NDArray[Any]:
    """Return gains as numbers to be summed. Of what is right or wrong sums are whole, and the same in any order."""
    numbers: NDArray[Any] = gains.astype(np.float32 if gains.dtype == np.bool_ else np.float64, copy=False)
    return numbers


def _resamples(n: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield how often each of n images is drawn in each resample, `(resamples, n)`, in portions."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // n)
    for begin in range(0, _RESAMPLES, at_once):
        several = min(at_once, _RESAMPLES - begin)
        drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(several)]
        yield np.array(drawn, dtype=np.float32)
