"""`plain`: Keras' own `fit`, an epoch at a time, for any network on any backend."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Images, Labels
from tuner.datasets.large import most_images
from tuner.recipe import Mixing
from tuner.worker.engines.base import (
    Engine,
    Epoch,
    Plan,
    Samples,
    State,
    changing,
    check_state,
    has_keras_steps,
    own_metrics,
    restore,
    state_of,
)
from tuner.worker.engines.relay import Relay
from tuner.worker.evaluation import evaluation_batch

#: What Keras is told to measure of images that validate, which have no weights.
_UNWEIGHTED = "unweighted_loss"
#: At most so many batches of a Python data set Keras looks at before the first is learned from.
_LOOKED_AT = 2


class PlainEngine(Engine):
    """Calls `fit` once per epoch on images in the plan's order."""

    name = "plain"
    reads_files = True

    def takes(self, network: keras.Model) -> bool:
        """Whether the engine can fit this network: always."""
        return True

    def fit(
        self,
        network: keras.Model,
        training: Samples,
        validation: Samples | None,
        plan: Plan,
        state: State | None = None,
    ) -> Iterator[Epoch]:
        """Fit and yield each epoch's metrics; see `Engine.fit`."""
        if state is not None:
            if not network.optimizer.built:
                network.optimizer.build(network.trainable_variables)
            variables = changing(network, network.optimizer, plan.random_layers)
            check_state(variables, state)
            restore(variables, state)
        mixing = plan.mixing
        if mixing is not None:
            _learn_from_shares(network, mixing)
        elif has_keras_steps(network):
            _add_unpenalised_loss(network, plan)
        looked_at = evaluation_batch(network, training.images.shape[1:])
        weights = None if plan.class_weights is None else dict(enumerate(map(float, plan.class_weights)))
        held: Any = None
        if validation is not None and validation.in_file:
            every = np.arange(len(validation.labels))
            held = _Batches(validation, every, looked_at, lambda images, labels: (images, _rows(labels, mixing)))
        elif validation is not None:
            held = validation.images, _rows(validation.labels, mixing)
        relay = Relay(plan.callbacks, plan.epochs) if plan.callbacks else None
        try:
            yield from self._epochs(network, training, validation, plan, held, looked_at, weights, relay)
        finally:
            if relay:
                relay.end()

    def _epochs(
        self,
        network: keras.Model,
        training: Samples,
        validation: Samples | None,
        plan: Plan,
        held: Any,
        looked_at: int,
        weights: dict[int, float] | None,
        relay: Relay | None,
    ) -> Iterator[Epoch]:
        mixing = plan.mixing
        for epoch, order in enumerate(plan.orders(training.labels), start=plan.done):
            if training.in_file:
                vary = functools.partial(_varied, plan)
                given: dict[str, Any] = {"x": _Batches(training, order, plan.batch_size, vary)}
            else:
                images, labels = _varied(plan, training.every[order], training.labels[order])
                given = {"x": images, "y": labels, "batch_size": plan.batch_size}
            history = network.fit(
                **given,
                validation_data=held,
                validation_batch_size=None if isinstance(held, _Batches) else looked_at,
                class_weight=weights if mixing is None else None,  # else they are in the shares of the labels
                shuffle=False,
                verbose=0,
                **({"callbacks": [relay], "initial_epoch": epoch, "epochs": epoch + 1} if relay else {}),
            ).history
            metrics = {name: float(values[0]) for name, values in history.items()}
            if f"val_{_UNWEIGHTED}" in metrics:
                metrics["val_unpenalised_loss"] = metrics.pop(f"val_{_UNWEIGHTED}")
            metrics.pop(_UNWEIGHTED, None)
            stopped = relay is not None and bool(network.stop_training)
            if relay and (stopped or epoch + 1 == plan.epochs):
                relay.end()  # which may bring other weights back
            yield Epoch(
                metrics, functools.partial(_answers, network, validation), functools.partial(_state, network, plan)
            )
            if stopped:
                return


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """Batches of images that are read of a file, one ahead of the batch that is learned from.

    They stand in an order of their places. `vary` makes of a batch, images and labels, what is learned from or
    measured; it draws from generators that belong to the training, and so is called when a batch is asked for, and not
    ahead. Workers of Keras would call it from several threads, in any order. Keras looks at the first batches before it
    learns from them, on some backends only where a network is fitted for the first time; they are varied once all the
    same, else a training that goes on in another process would draw more often than one without a stop.
    """

    def __init__(self, samples: Samples, order: NDArray[np.int64], size: int, vary: Callable[..., Any]) -> None:
        super().__init__()
        self._samples, self._order, self._size, self._vary = samples, order, size, vary
        self._ahead: tuple[int, Future[tuple[NDArray[Any], Labels]]] | None = None
        self._looked_at: dict[int, Any] = {}

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._size)

    def __getitem__(self, number: int) -> Any:
        if number in self._looked_at:
            return self._looked_at[number]
        ahead, self._ahead = self._ahead, None
        read = ahead[1].result() if ahead is not None and ahead[0] == number else self._read(number)
        if number + 1 < len(self):
            self._ahead = number + 1, _in_a_thread(functools.partial(self._read, number + 1))
        varied = self._vary(*read)
        if number < _LOOKED_AT:
            self._looked_at[number] = varied
        else:
            self._looked_at.clear()
        return varied

    def _read(self, number: int) -> tuple[NDArray[Any], Labels]:
        here = self._order[number * self._size : (number + 1) * self._size]
        return self._samples.images[here], self._samples.labels[here]


def _in_a_thread(read: Callable[[], tuple[NDArray[Any], Labels]]) -> Future[tuple[NDArray[Any], Labels]]:
    """Begin to read a batch by a thread that ends with it, so that none outlives an epoch or holds up an interrupt."""
    future: Future[tuple[NDArray[Any], Labels]] = Future()

    def run() -> None:
        try:
            future.set_result(read())
        except BaseException as error:  # noqa: BLE001  # whoever asks for the batch is told
            future.set_exception(error)

    threading.Thread(target=run, name="reads-a-batch", daemon=True).start()
    return future


def _varied(plan: Plan, images: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return images and labels as they are learned from: variants, blended where they are mixed."""
    if plan.augment is not None:
        images = _variants(plan.augment, images)
    return (images, labels) if plan.mixing is None else _mixed(plan.mixing, images, labels, plan)


def _add_unpenalised_loss(network: keras.Model, plan: Plan) -> None:
    """Let Keras measure the loss of the answers beside the loss that it learns from, which has all penalties in it.

    Where classes have weights it measures two, since a metric is the same for images that train and that validate.
    """
    of_answers = network.loss.call
    if plan.class_weights is None:
        metrics = [keras.metrics.MeanMetricWrapper(of_answers, name="unpenalised_loss")]
    else:
        weights = keras.ops.convert_to_tensor(plan.class_weights)

        def weighted(labels: Any, probabilities: Any) -> Any:
            places = keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32")
            return of_answers(labels, probabilities) * keras.ops.take(weights, places)

        metrics = [
            keras.metrics.MeanMetricWrapper(weighted, name="unpenalised_loss"),
            keras.metrics.MeanMetricWrapper(of_answers, name=_UNWEIGHTED),
        ]
    every = ["accuracy", *own_metrics(network), *metrics]
    network.compile(network.optimizer, network.loss, metrics=every, run_eagerly=network.run_eagerly)


def _learn_from_shares(network: keras.Model, mixing: Mixing) -> None:
    """Let a network learn from rows of shares, and measure of images that validate, by one-hot rows, what it did."""
    metrics = [keras.metrics.MeanMetricWrapper(mixing.loss.call, name="unpenalised_loss")]
    every = ["accuracy", *own_metrics(network), *metrics]
    network.compile(network.optimizer, mixing.loss, metrics=every, run_eagerly=network.run_eagerly)


def _rows(labels: Labels, mixing: Mixing | None) -> NDArray[Any]:
    """Return labels as they are learned from: as one-hot rows where training images are mixed."""
    return labels if mixing is None else np.eye(mixing.classes, dtype=np.float32)[labels]


def _mixed(
    mixing: Mixing, images: NDArray[Any], labels: Labels, plan: Plan
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return blended images and their shares, made batch by batch, as they are learned from."""
    made, shares = np.empty(images.shape, np.float32), np.empty((len(labels), mixing.classes), np.float32)
    for start in range(0, len(images), plan.batch_size):
        here = slice(start, start + plan.batch_size)
        blended = mixing(images[here], labels[here], plan.class_weights)
        made[here], shares[here] = (keras.ops.convert_to_numpy(part) for part in blended)
    return made, shares


def _state(network: keras.Model, plan: Plan) -> State:
    return state_of(changing(network, network.optimizer, plan.random_layers))


def _answers(network: keras.Model, validation: Samples | None) -> NDArray[np.float32]:
    """Return the network's answers, without compiling a prediction, which would take as long as a short training."""
    batches = () if validation is None else validation.batches(evaluation_batch(network, validation.images.shape[1:]))
    parts = [keras.ops.convert_to_numpy(network(images, training=False)) for images, _ in batches]
    return np.concatenate(parts).astype(np.float32) if parts else np.empty((0, 0), np.float32)


def _variants(augment: keras.Sequential, images: Images) -> NDArray[np.float32]:
    """Return a random variant of each image, made batch by batch into one array."""
    made = np.empty(images.shape, np.float32)
    size = most_images(images.shape[1:])
    for start in range(0, len(images), size):
        batch = images[start : start + size].astype(np.float32)
        made[start : start + size] = keras.ops.convert_to_numpy(augment(batch, training=True))
    return made
