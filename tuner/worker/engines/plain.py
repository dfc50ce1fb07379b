"""`plain`: Keras' own `fit`, an epoch at a time, for any network on any backend."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Images
from tuner.worker.engines.base import EVALUATION_BATCH, Engine, Epoch, Plan, Samples, has_keras_steps, own_metrics

#: What Keras is told to measure of images that validate, which have no weights.
_UNWEIGHTED = "unweighted_loss"


class PlainEngine(Engine):
    """Calls `fit` once per epoch on images in the plan's order."""

    name = "plain"

    def takes(self, network: keras.Model) -> bool:
        """Whether the engine can fit this network: always."""
        return True

    def fit(self, network: keras.Model, training: Samples, validation: Samples | None, plan: Plan) -> Iterator[Epoch]:
        """Fit and yield each epoch's metrics; see `Engine.fit`."""
        if has_keras_steps(network):
            _add_unpenalised_loss(network, plan)
        held = None if validation is None else (validation.images, validation.labels)
        for order in plan.orders(training.labels):
            images = training.images[order]
            history = network.fit(
                images if plan.augment is None else _variants(plan.augment, images),
                training.labels[order],
                batch_size=plan.batch_size,
                validation_data=held,
                validation_batch_size=EVALUATION_BATCH,
                class_weight=None if plan.class_weights is None else dict(enumerate(map(float, plan.class_weights))),
                shuffle=False,
                verbose=0,
            ).history
            metrics = {name: float(values[0]) for name, values in history.items()}
            if f"val_{_UNWEIGHTED}" in metrics:
                metrics["val_unpenalised_loss"] = metrics.pop(f"val_{_UNWEIGHTED}")
            metrics.pop(_UNWEIGHTED, None)
            yield Epoch(metrics, functools.partial(_answers, network, validation))


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


def _answers(network: keras.Model, validation: Samples | None) -> NDArray[np.float32]:
    """Return the network's answers, without compiling a prediction, which would take as long as a short training."""
    images = np.empty((0,)) if validation is None else validation.images
    parts = [
        keras.ops.convert_to_numpy(network(images[start : start + EVALUATION_BATCH], training=False))
        for start in range(0, len(images), EVALUATION_BATCH)
    ]
    return np.concatenate(parts).astype(np.float32) if parts else np.empty((0, 0), np.float32)


def _variants(augment: keras.Sequential, images: Images) -> NDArray[np.float32]:
    """Return a random variant of each image, made batch by batch into one array."""
    made = np.empty(images.shape, np.float32)
    for start in range(0, len(images), EVALUATION_BATCH):
        batch = images[start : start + EVALUATION_BATCH].astype(np.float32)
        made[start : start + EVALUATION_BATCH] = keras.ops.convert_to_numpy(augment(batch, training=True))
    return made
