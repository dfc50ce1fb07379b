"""What an engine is: it fits a compiled network, epoch by epoch, and keeps the history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Images, Labels
from tuner.recipe.imbalance import balanced_order

#: Images per step where nothing is learned.
EVALUATION_BATCH = 1000


class Epoch(dict[str, float]):
    """One epoch's metrics: loss, unpenalised_loss and accuracy, and the same with `val_` where images validate.

    `loss` is what is learned from, with all penalties; `unpenalised_loss` is the recipe's loss of the answers alone.
    Class weights are in both, and in none of the images that validate. A
    network with training steps of its own does without the second, since only its own code knows what it adds.
    `probabilities` returns what the network answers to these at the end of the epoch, `(n, classes)` float32; it can
    be asked until the next epoch begins.
    """

    def __init__(self, metrics: Mapping[str, float], probabilities: Callable[[], NDArray[np.float32]]) -> None:
        super().__init__(metrics)
        self.probabilities = probabilities


@dataclass(frozen=True, eq=False)
class Samples:
    """Images, `(n, height, width, channels)` uint8, and their labels, `(n,)`."""

    images: Images
    labels: Labels


@dataclass(frozen=True)
class Plan:
    """How long and in what order to fit: the order of the images is drawn anew for every epoch from `seed`.

    `augment` makes random variants of raw training images, `(n, height, width, channels)`; None leaves them alone.
    `class_weights`, `(classes,)`, says how much a training image of each class counts; None lets all count the same.
    `balanced` shows as many images of each class in an epoch, some of them several times.
    """

    epochs: int
    batch_size: int
    seed: int
    augment: keras.Sequential | None = None
    class_weights: NDArray[np.float32] | None = None
    balanced: bool = False

    def orders(self, labels: Labels) -> Iterator[NDArray[np.int64]]:
        """Yield for each epoch the places of the images that it learns from, in their order; as many as `labels`."""
        rng = np.random.default_rng(self.seed)
        for _ in range(self.epochs):
            yield balanced_order(labels, rng) if self.balanced else rng.permutation(len(labels))


class Engine(ABC):
    """Fits networks. Training metrics of an epoch are means over its images while it learned, as in Keras."""

    name: str

    @abstractmethod
    def takes(self, network: keras.Model) -> bool:
        """Whether the engine can fit this compiled network as Keras would."""

    @abstractmethod
    def fit(self, network: keras.Model, training: Samples, validation: Samples | None, plan: Plan) -> Iterator[Epoch]:
        """Fit for `plan.epochs` epochs and yield each one's metrics as it ends; the caller may stop early."""


def has_keras_steps(network: keras.Model) -> bool:
    """Whether a compiled network trains by Keras' own steps with a Keras loss, so that its penalties are `losses`."""
    steps = ("train_step", "test_step", "compute_loss")
    own = any(getattr(type(network), step) is not getattr(keras.Model, step) for step in steps)
    return not own and isinstance(network.loss, keras.losses.Loss)


def own_metrics(network: keras.Model) -> list[keras.metrics.Metric]:
    """Return the metrics that a network is compiled with beside accuracy, which engines know."""
    compiled = getattr(getattr(network, "_compile_config", None), "config", {})
    return [metric for metric in compiled.get("metrics") or () if metric != "accuracy"]
