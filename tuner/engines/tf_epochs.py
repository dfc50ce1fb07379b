"""`tf_epochs`: a whole epoch with its validation in one call of one `tf.function`, over data that stays in memory.

Learns what `fit` learns, step for step: the same batches, loss, penalties and optimizer. It saves the hand-over
between Python and TensorFlow at every step, and the input pipeline; the graph is traced once a form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from tuner.engines.base import EVALUATION_BATCH, Plan, Samples
from tuner.engines.compiled import CompiledEngine, EpochFunction, Order


class TensorFlowEpochsEngine(CompiledEngine):
    """Runs epochs as TensorFlow loops."""

    name = "tf_epochs"
    backend = "tensorflow"

    def compile(
        self,
        network: keras.Model,
        training: Samples,
        validation: Samples | None,
        plan: Plan,
        levels: list[keras.Variable],
    ) -> EpochFunction:
        """Return the function that trains an epoch; see `CompiledEngine.compile`."""
        import tensorflow as tf

        run = _epoch_function(network, training, validation, plan)
        return lambda order: [float(metric) for metric in run(tf.constant(order, tf.int32))]


def _epoch_function(
    network: keras.Model, training: Samples, validation: Samples | None, plan: Plan
) -> Callable[[Order], list[Any]]:
    """Return the graph that runs one epoch in a given order and returns the means of its metrics."""
    import tensorflow as tf

    variables = network.trainable_variables
    watched = [variable.value for variable in variables]
    cross_entropy = network.loss

    def forward(images: Any, labels: Any, learning: bool) -> tuple[Any, Any]:
        probabilities = network(images, training=learning)
        loss = cross_entropy(labels, probabilities)
        if network.losses:
            loss += tf.add_n(network.losses)
        hits = tf.equal(tf.argmax(probabilities, -1, tf.int64), labels)
        return loss, tf.reduce_sum(tf.cast(hits, tf.float32))

    def learn(images: Any, labels: Any) -> tuple[Any, Any]:
        if plan.augment is not None:
            images = plan.augment(tf.cast(images, tf.float32), training=True)
        with tf.GradientTape() as tape:
            loss, hits = forward(images, labels, learning=True)
        network.optimizer.apply(tape.gradient(loss, watched), variables)
        return loss, hits

    # Made outside the function: inside, the data would become part of its graph.
    resident = {
        id(part): (tf.constant(part.images), tf.constant(part.labels)) for part in (training, validation) if part
    }

    def over(samples: Samples, order: Any, size: int, step: Callable[[Any, Any], tuple[Any, Any]]) -> list[Any]:
        """Run `step` over all batches, the last one smaller if need be, and return mean loss and accuracy."""
        images, labels = resident[id(samples)]
        count = len(samples.labels)

        def body(start: Any, loss_sum: Any, hit_sum: Any) -> tuple[Any, Any, Any]:
            picked = order[start : tf.minimum(start + size, count)]
            loss, hits = step(tf.gather(images, picked), tf.gather(labels, picked))
            return start + size, loss_sum + loss * tf.cast(tf.size(picked), tf.float32), hit_sum + hits

        begin = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        _, loss_sum, hit_sum = tf.while_loop(lambda start, *_: start < count, body, begin)
        return [loss_sum / count, hit_sum / count]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def epoch(order: Any) -> list[Any]:
        metrics = over(training, order, plan.batch_size, learn)
        if validation is not None:
            # TensorFlow keeps the order of reading and writing variables, so that this sees the learned weights.
            everything = tf.range(len(validation.labels))
            metrics += over(validation, everything, EVALUATION_BATCH, lambda x, y: forward(x, y, learning=False))
        return metrics

    return epoch  # type: ignore[no-any-return]
