"""What an engine is: it fits a compiled network, epoch by epoch, and keeps the history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Labels
from tuner.datasets.large import Rows, RowsInFile
from tuner.recipe import Mixing
from tuner.recipe.imbalance import balanced_order

#: The values of all variables that a training changes, as `changing` lists them.
State = tuple[NDArray[Any], ...]


class Epoch(dict[str, float]):
    """One epoch's metrics: loss, unpenalised_loss and accuracy, and the same with `val_` where images validate.

    `loss` is what is learned from, with all penalties; `unpenalised_loss` is the recipe's loss of the answers alone.
    Class weights are in both, and in none of the images that validate. Where training images are mixed, both are of
    the mixed labels, and accuracy is how often the answer is the class with the largest share. A
    network with training steps of its own does without the second, since only its own code knows what it adds.
    `probabilities` returns what the network answers to these at the end of the epoch, `(n, classes)` float32, and
    `state` what a training goes on from; both can be asked until the next epoch begins. Code of a user's own that
    trains its network has no such state.
    """

    def __init__(
        self,
        metrics: Mapping[str, float],
        probabilities: Callable[[], NDArray[np.float32]],
        state: Callable[[], State] | None = None,
    ) -> None:
        super().__init__(metrics)
        self.probabilities, self.state = probabilities, state


@dataclass(frozen=True, eq=False)
class Samples:
    """Images, `(n, height, width, channels)` uint8, or features of them, `(n, width)`; and their labels, `(n,)`.

    Images that take much memory are read of their file as they are needed (`tuner.datasets.large`).
    """

    images: Rows
    labels: Labels

    @property
    def in_file(self) -> bool:
        """Whether the images are read of a file."""
        return isinstance(self.images, RowsInFile)

    @property
    def every(self) -> NDArray[Any]:
        """All images in memory."""
        return np.asarray(self.images)

    def batches(self, size: int, order: NDArray[np.int64] | None = None) -> Iterator[tuple[NDArray[Any], Labels]]:
        """Yield images and labels, `size` at a time, in an order of their places; by a thread that reads one ahead."""
        places = np.arange(len(self.labels)) if order is None else order

        def read(start: int) -> tuple[NDArray[Any], Labels]:
            here = places[start : start + size]
            return self.images[here], self.labels[here]

        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(read, 0)
            for start in range(size, len(places) + size, size):
                now = ahead.result()
                if start < len(places):
                    ahead = pool.submit(read, start)
                yield now


@dataclass(frozen=True)
class Plan:
    """How long and in what order to fit: the order of the images is drawn anew for every epoch from `seed`.

    `augment` makes random variants of raw training images, `(n, height, width, channels)`; None leaves them alone.
    `class_weights`, `(classes,)`, says how much a training image of each class counts; None lets all count the same.
    What is compiled for several trials reads them of a variable. `balanced` shows as many images of each class in an
    epoch, some of them several times. `done` counts the epochs that were trained before, at whose end the training goes
    on. `mixing` blends the images and labels of a batch, after they were augmented.
    """

    epochs: int
    batch_size: int
    seed: int
    augment: keras.Sequential | None = None
    class_weights: NDArray[np.float32] | keras.Variable | None = None
    balanced: bool = False
    done: int = 0
    mixing: Mixing | None = None
    callbacks: tuple[keras.callbacks.Callback, ...] = ()

    @property
    def random_layers(self) -> tuple[keras.Layer, ...]:
        """What makes variants of training images, whose generators change as it does."""
        augment = () if self.augment is None else (self.augment,)
        return augment if self.mixing is None else (*augment, *self.mixing.layers)

    def orders(self, labels: Labels) -> Iterator[NDArray[np.int64]]:
        """Yield for each epoch to come the places of the images that it learns from, in order; as many as `labels`."""
        rng = np.random.default_rng(self.seed)
        for epoch in range(self.epochs):
            order = balanced_order(labels, rng) if self.balanced else rng.permutation(len(labels))
            if epoch >= self.done:  # those before are drawn all the same, so that this is what it would have been
                yield order


class StateError(ValueError):
    """A state is that of another network or optimizer."""


class Engine(ABC):
    """Fits networks. Training metrics of an epoch are means over its images while it learned, as in Keras."""

    name: str
    #: Whether it takes images that are read of a file.
    reads_files: ClassVar[bool] = False

    @abstractmethod
    def takes(self, network: keras.Model) -> bool:
        """Whether the engine can fit this compiled network as Keras would."""

    @abstractmethod
    def fit(
        self,
        network: keras.Model,
        training: Samples,
        validation: Samples | None,
        plan: Plan,
        state: State | None = None,
    ) -> Iterator[Epoch]:
        """Fit up to epoch `plan.epochs` and yield each one's metrics as it ends; the caller may stop early.

        Args:
            network: compiled.
            training: what it learns from.
            validation: what it is measured on after each epoch; None for nothing.
            plan: how long and in what order.
            state: of an epoch of the same training, the last of `plan.done`; from there it goes on, and learns bit for
                bit what it would have learned without a stop, on a CPU.

        Raises:
            StateError: before anything else, the state is that of another network or optimizer.
        """


def varied(plan: Plan, images: Any, labels: Any) -> tuple[Any, Any, Any]:
    """Return a batch as it is learned from: variants of its images, its labels, and its shares where it is mixed.

    A label is then the class with the largest share; shares are `(n, classes)`, and None where nothing is mixed.
    """
    if plan.augment is not None:
        images = plan.augment(keras.ops.cast(images, "float32"), training=True)
    if plan.mixing is None:
        return images, labels, None
    images, shares = plan.mixing(images, labels, plan.class_weights)
    largest = keras.ops.argmax(shares, axis=-1)
    return images, keras.ops.cast(largest, keras.backend.standardize_dtype(labels.dtype)), shares


def has_keras_steps(network: keras.Model) -> bool:
    """Whether a compiled network trains by Keras' own steps with a Keras loss, so that its penalties are `losses`."""
    steps = ("train_step", "test_step", "compute_loss")
    own = any(getattr(type(network), step) is not getattr(keras.Model, step) for step in steps)
    return not own and isinstance(network.loss, keras.losses.Loss)


def own_metrics(network: keras.Model) -> list[keras.metrics.Metric]:
    """Return the metrics that a network is compiled with beside accuracy, which engines know."""
    compiled = getattr(getattr(network, "_compile_config", None), "config", {})
    return [metric for metric in compiled.get("metrics") or () if metric != "accuracy"]


def changing(
    network: keras.Model, optimizer: keras.optimizers.Optimizer, random_layers: Sequence[keras.Layer]
) -> list[keras.Variable]:
    """Return all variables that a training changes, the states of its random generators among them, in their order.

    The optimizer is built, and may be another one of the same kind that trains in the place of the network's.
    """
    return [*network.variables, *optimizer.variables, *(v for layer in random_layers for v in layer.variables)]


def state_of(variables: Sequence[keras.Variable]) -> State:
    """Return the values of variables, which stay as they are when a training goes on."""
    return tuple(np.array(keras.ops.convert_to_numpy(variable)) for variable in variables)


def check_state(variables: Sequence[keras.Variable], state: State) -> None:
    """See that a state has a value for each variable.

    Raises:
        StateError: it is the state of others.
    """
    if len(variables) != len(state):
        raise StateError(f"a state of {len(state)} variables, and there are {len(variables)}")
    for variable, value in zip(variables, state, strict=True):
        dtype = keras.backend.standardize_dtype(variable.dtype)
        if tuple(variable.shape) != value.shape or dtype != str(value.dtype):
            raise StateError(f"{variable.path} is {dtype} {tuple(variable.shape)}, not {value.dtype} {value.shape}")


def restore_network(network: keras.Model, state: State) -> None:
    """Give a network alone what a state says of it.

    Raises:
        StateError: it is the state of another network.
    """
    mine = state[: len(network.variables)]
    check_state(network.variables, mine)
    restore(network.variables, mine)


def restore(variables: Sequence[keras.Variable], state: State) -> None:
    """Give variables the values of a state, which `check_state` has seen."""
    for variable, value in zip(variables, state, strict=True):
        variable.assign(value)
