"""Are the probabilities of a model true? Of the images that it gives 0.9 to, it should get 9 of 10 right."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.scoring import Predictions

#: Bins of equal width that confidences are put in, as Guo and others (2017) have them.
BINS = 15
_RESAMPLES = 1_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence and accuracy by bins of confidence, each `(BINS,)`; NaN where a bin has no image."""

    images: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats


@dataclass(frozen=True, eq=False)
class Calibration:
    """How a model's confidence, the probability of the class that it names, stands to its accuracy."""

    predictions: Predictions

    @cached_property
    def confidence(self) -> Floats:
        """The probability of the class that was named, of each image, `(n,)`, from 0 to 1."""
        highest: Floats = self.predictions.probabilities.max(axis=1).astype(np.float64).clip(0, 1)
        return highest

    @cached_property
    def bins(self) -> NDArray[np.int64]:
        """The bin of each image, `(n,)`: bin m holds confidences above m / BINS, up to and with (m + 1) / BINS."""
        ends = np.linspace(0, 1, BINS + 1).astype(np.float32)  # as exact as the probabilities, so that 0.8 is 12 / 15
        found: NDArray[np.int64] = np.digitize(self.confidence.astype(np.float32), ends[1:-1], right=True)
        return found

    @property
    def mean_confidence(self) -> float:
        """Mean confidence over all images."""
        return float(self.confidence.mean())

    @cached_property
    def reliability(self) -> Reliability:
        """The reliability curve: mean confidence and accuracy of each bin."""
        images = np.bincount(self.bins, minlength=BINS)
        some = np.where(images > 0, images, np.nan)
        sums = [np.bincount(self.bins, each, BINS) for each in (self.confidence, self.predictions.correct)]
        return Reliability(images, sums[0] / some, sums[1] / some)

    @property
    def ece(self) -> float:
        """Expected calibration error (Guo et al., 2017): mean over images of their bin's |accuracy - confidence|."""
        return float(np.abs(self._found).sum())

    @property
    def over(self) -> float:
        """The part of the ECE that bins have in which confidence is above accuracy."""
        return float(-self._found.clip(max=0).sum())

    @property
    def under(self) -> float:
        """The part of the ECE that bins have in which confidence is below accuracy."""
        return float(self._found.clip(min=0).sum())

    @cached_property
    def _found(self) -> Floats:
        found: Floats = self._gaps(self.predictions.correct[None, :].astype(np.float64))[0]
        return found

    @property
    def ece_if_calibrated(self) -> float:
        """What the ECE of a calibrated model with these confidences stays below in 95 % of test sets.

        Even that of a calibrated model is above 0, the more so the fewer images there are.
        """
        return float(np.percentile(np.abs(self._if_calibrated).sum(axis=1), 95))

    @property
    def verdict(self) -> str:
        """Whether confidence is shown to be off, and to which side, in words.

        It is off both ways where bins that are too sure and bins that are not sure enough each have a larger part in
        the ECE than a calibrated model's would have in 97.5 % of test sets.
        """
        if self.ece <= self.ece_if_calibrated:
            return "not shown to be off"
        most_over = np.percentile(-self._if_calibrated.clip(max=0).sum(axis=1), 97.5)
        most_under = np.percentile(self._if_calibrated.clip(min=0).sum(axis=1), 97.5)
        if self.over > most_over and self.under > most_under:
            return f"off both ways: {self._where()}"
        return "overconfident" if self.over > self.under else "underconfident"

    def _where(self) -> str:
        """Say of which confidences the model is too sure, and of which not sure enough: below or above the other's."""
        ends = (np.arange(BINS) + 0.5) / BINS
        middle = [float(np.average(ends, weights=part)) for part in (-self._found.clip(max=0), self._found.clip(min=0))]
        low, high = ("over", "under") if middle[0] < middle[1] else ("under", "over")
        return f"{low}confident where it is less sure, {high}confident where it is surer"

    @cached_property
    def _if_calibrated(self) -> Floats:
        """The gaps of a calibrated model with these confidences in 1,000 test sets, `(1000, BINS)`.

        Each image is right with the probability of its confidence (consistency resampling: Bröcker and Smith, 2007).
        """
        rng = np.random.default_rng(0)
        at_once = max(1, 2_000_000 // len(self.confidence))
        gaps = []
        for begin in range(0, _RESAMPLES, at_once):
            shape = (min(at_once, _RESAMPLES - begin), len(self.confidence))
            gaps.append(self._gaps((rng.random(shape) < self.confidence).astype(np.float64)))
        return np.concatenate(gaps)

    def _gaps(self, correct: Floats) -> Floats:
        """Return how far accuracy lies above confidence in each bin, as a share of all images, `(rows, BINS)`.

        Args:
            correct: `(rows, n)`, 1 where an image was classified rightly, else 0.
        """
        of_bin = np.zeros((len(self.bins), BINS))
        of_bin[np.arange(len(self.bins)), self.bins] = 1
        gaps: Floats = (correct - self.confidence) @ of_bin / len(self.bins)
        return gaps

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood of the true classes, in nats: the test loss, without any penalties."""
        return self.predictions.loss

    @property
    def brier(self) -> float:
        """Brier score (Brier, 1950): the mean over images of the squared error summed over all classes, 0 to 2."""
        off = self.predictions.probabilities.astype(np.float64)
        off[np.arange(len(self.predictions.labels)), self.predictions.labels] -= 1
        return float((off**2).sum(axis=1).mean())


def confident_mistakes(predictions: Predictions, most: int) -> NDArray[np.intp]:
    """Return up to `most` images that were classified wrongly, the most confident first, equal ones in their order."""
    wrong = np.flatnonzero(~predictions.correct)
    confidence = predictions.probabilities[wrong].max(axis=1)
    return wrong[np.argsort(-confidence, kind="stable")][:most]
