"""Models compared over several divisions of all images into training and test images: the corrected resampled t-test.

`[compare] splits = k` draws the test images k times, and searches, chooses and retrains anew each time. Of two models
the k differences of their mean test accuracies, D_j, tell how far the whole way from images to models varies. They are
not independent, since any two divisions share most of their images; so their variance over k would promise too much.
Nadeau and Bengio (2003, Machine Learning 52, section 3) correct it for the share of the images that is tested:

    V = (1/k + n_test / n_train) s²_D        t = mean(D) / √V        with k − 1 degrees of freedom

`reports/statistics.md` shows by simulation what that covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.significance import holm
from tuner.analysis.variance import Difference, quantile
from tuner.protocol import training_images


@dataclass(frozen=True)
class SplitPair:
    """Two models over splits, the better one first: of each split the difference of their means, and what it tells.

    `p` is adjusted after Holm for all `pairs` of the data set.
    """

    better: str
    worse: str
    differences: tuple[float, ...]
    difference: Difference
    p: float
    pairs: int

    @property
    def proven(self) -> bool:
        """Whether the better one is better over splits, beyond the luck of images, seeds and choices."""
        return self.p < 0.05


@dataclass(frozen=True, eq=False)
class Splits:
    """A data set's models over splits of all images: `chosen` has those of each split, in the order of `models`."""

    dataset: str
    models: tuple[str, ...]
    labels: tuple[str, ...]
    chosen: tuple[tuple[Chosen, ...], ...]
    tested: int
    trained: int

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean test accuracy of each model in each split, `(splits, models)`."""
        return np.array([[model.mean for model in split] for split in self.chosen])

    def pairs(self) -> list[SplitPair]:
        """Return every pair of models, judged together, pairs of the best model first."""
        means = self.means
        order = sorted(range(len(self.models)), key=lambda place: -float(means[:, place].mean()))
        found = []
        for a, b in combinations(order, 2):
            apart = means[:, a] - means[:, b]
            told = corrected(apart, self.tested, self.trained)
            clipped = replace(told, low=max(told.low, -1.0), high=min(told.high, 1.0))
            p = 1.0 if told.p_value is None else told.p_value
            found.append(SplitPair(self.labels[a], self.labels[b], tuple(apart.tolist()), clipped, p, 1))
        adjusted = holm([pair.p for pair in found])
        return [replace(pair, p=p, pairs=len(found)) for pair, p in zip(found, adjusted, strict=True)]


def over_splits(findings: Findings, dataset: str) -> Splits | None:
    """Return the models of a data set over the splits that have finished; None where there are fewer than two.

    A model of which a split has no retraining is left out.
    """
    every: Sequence[Findings] = (findings, *findings.further)
    by_split = [{chosen.model: chosen for chosen in one.on(dataset)} for one in every]
    models = [chosen for chosen in findings.on(dataset) if all(chosen.model in split for split in by_split)]
    if len(every) < 2 or not models:
        return None
    fit, _ = training_images(models[0].saved.trial, findings.data(dataset))
    names = tuple(chosen.model for chosen in models)
    return Splits(
        dataset,
        names,
        tuple(chosen.label for chosen in models),
        tuple(tuple(split[name] for name in names) for split in by_split),
        len(models[0].predictions.labels),
        len(fit),
    )


def corrected(differences: ArrayLike, tested: int, trained: int) -> Difference:
    """Return the mean difference of two models over splits, with its corrected interval and p.

    Args:
        differences: of each split the first model's score minus the second's.
        tested: how many images each split tests on.
        trained: how many each split trains on.

    Of differences that are all alike nothing tells how far they vary: the interval is then without end and p is 1.
    """
    from scipy.special import stdtr

    found = np.asarray(differences, dtype=np.float64)
    mean, count = float(found.mean()), len(found)
    spread = float(found.std(ddof=1)) if count > 1 else 0.0
    if spread <= 1e-12:
        return Difference(mean, -np.inf, np.inf, 1.0, max(count - 1, 0), np.inf)
    error = spread * float(np.sqrt(1 / count + tested / trained))
    half = float(quantile(count - 1, 0.05)) * error
    p = float(2 * stdtr(count - 1, -abs(mean) / error))
    return Difference(mean, mean - half, mean + half, p, count - 1, error)
