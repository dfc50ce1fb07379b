"""Are the probabilities of a model true? Of the images that it gives 0.9 to, it should get 9 of 10 right."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tuner.scoring import Predictions

#: Bins of equal width that confidences are put in, as Guo and others (2017) have them.
BINS = 15
#: Probabilities below this count as this, so that one wrong 0 does not make the log loss infinite (Keras' epsilon).
EPSILON = 1e-7
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
        return float(self._errors(self.predictions.correct[None, :].astype(np.float64))[0])

    def ece_if_calibrated(self, seed: int = 0) -> float:
        """Return what the ECE of a calibrated model with these confidences stays below in 95 % of test sets.

        Even that of a calibrated model is above 0, the more so the fewer images there are. Here each image is right
        with the probability of its confidence (consistency resampling: Bröcker and Smith, 2007).
        """
        rng = np.random.default_rng(seed)
        at_once = max(1, 2_000_000 // len(self.confidence))
        errors = []
        for begin in range(0, _RESAMPLES, at_once):
            shape = (min(at_once, _RESAMPLES - begin), len(self.confidence))
            errors.append(self._errors((rng.random(shape) < self.confidence).astype(np.float64)))
        return float(np.percentile(np.concatenate(errors), 95))

    def _errors(self, correct: Floats) -> Floats:
        """Return the ECE of each row of `correct`, `(rows, n)`: 1 where an image was classified rightly, else 0."""
        of_bin = np.zeros((len(self.bins), BINS))
        of_bin[np.arange(len(self.bins)), self.bins] = 1
        gaps: Floats = np.abs((correct - self.confidence) @ of_bin).sum(axis=1) / len(self.bins)
        return gaps

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood of the true classes, in nats: the cross-entropy without any penalties."""
        true = self.predictions.probabilities[np.arange(len(self.predictions.labels)), self.predictions.labels]
        return float(-np.log(true.astype(np.float64).clip(EPSILON, 1)).mean())

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
