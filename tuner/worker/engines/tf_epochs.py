"""`tf_epochs`: a whole epoch with its validation in one call of one `tf.function`, over data that stays in memory.

Learns what `fit` learns, step for step: the same batches, loss, penalties and optimizer. It saves the hand-over
between Python and TensorFlow at every step, and the input pipeline; the graph is traced once a signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from tuner.worker.engines.base import EVALUATION_BATCH, Plan, Samples
from tuner.worker.engines.compiled import CompiledEngine, EpochFunction, Order


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
        scalars: list[keras.Variable],
    ) -> EpochFunction:
        """Return the function that trains an epoch; see `CompiledEngine.compile`."""
        import tensorflow as tf

        run = _epoch_function(network, training, validation, plan)

        def epoch(order: Order) -> tuple[list[float], Any]:
            metrics, answers = run(tf.constant(order, tf.int32))
            return [float(metric) for metric in metrics], answers

        return epoch


def _epoch_function(
    network: keras.Model, training: Samples, validation: Samples | None, plan: Plan
) -> Callable[[Order], tuple[list[Any], Any]]:
    """Return the graph that runs one epoch in a given order and returns the means of its metrics, and answers."""
    import tensorflow as tf

    variables = network.trainable_variables
    watched = [variable.value for variable in variables]
    of_answers = network.loss

    def forward(images: Any, labels: Any, learning: bool) -> tuple[Any, list[Any], Any]:
        """Return the loss of a batch; sums over its images of loss, loss without penalties and hits; the answers."""
        probabilities = network(images, training=learning)
        loss = unpenalised = of_answers(labels, probabilities, _weights(plan, labels) if learning else None)
        if network.losses:
            loss += tf.add_n(network.losses)
        hits = tf.equal(tf.argmax(probabilities, -1, tf.int64), labels)
        count = tf.cast(tf.size(labels), tf.float32)
        return loss, [loss * count, unpenalised * count, tf.reduce_sum(tf.cast(hits, tf.float32))], probabilities

    def learn(images: Any, labels: Any) -> list[Any]:
        if plan.augment is not None:
            images = plan.augment(tf.cast(images, tf.float32), training=True)
        with tf.GradientTape() as tape:
            loss, sums, _ = forward(images, labels, learning=True)
        network.optimizer.apply(tape.gradient(loss, watched), variables)
        return sums

    # Made outside the function: inside, the data would become part of its graph.
    resident = {
        id(part): (tf.constant(part.images), tf.constant(part.labels)) for part in (training, validation) if part
    }

    def over(order: Any) -> list[Any]:
        """Learn from all batches, the last one smaller if need be, and return its mean metrics."""
        images, labels = resident[id(training)]
        size, count = plan.batch_size, len(training.labels)

        def body(start: Any, before: list[Any]) -> tuple[Any, list[Any]]:
            picked = order[start : tf.minimum(start + size, count)]
            sums = learn(tf.gather(images, picked), tf.gather(labels, picked))
            return start + size, [a + b for a, b in zip(before, sums, strict=True)]

        begin = (tf.constant(0), [tf.constant(0.0)] * 3)
        _, sums = tf.while_loop(lambda start, _: start < count, body, begin)
        return [total / count for total in sums]

    def look(samples: Samples) -> tuple[list[Any], Any]:
        """Return the mean metrics of images in their order, and the probabilities that these got."""
        images, labels = resident[id(samples)]
        size, count = EVALUATION_BATCH, len(samples.labels)

        def body(batch: Any, before: list[Any], answers: Any) -> tuple[Any, list[Any], Any]:
            here = slice(batch * size, tf.minimum((batch + 1) * size, count))
            _, sums, probabilities = forward(images[here], labels[here], learning=False)
            totals = [a + b for a, b in zip(before, sums, strict=True)]
            return batch + 1, totals, answers.write(batch, tf.cast(probabilities, tf.float32))

        batches = -(-count // size)
        answers = tf.TensorArray(tf.float32, batches, infer_shape=False, element_shape=(None, None))
        begin = (tf.constant(0), [tf.constant(0.0)] * 3, answers)
        _, sums, answers = tf.while_loop(lambda batch, *_: batch < batches, body, begin)
        return [total / count for total in sums], answers.concat()

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def epoch(order: Any) -> tuple[list[Any], Any]:
        metrics = over(order)
        if validation is None:
            return metrics, None
        # TensorFlow keeps the order of reading and writing variables, so that this sees the learned weights.
        of_validation, answers = look(validation)
        return metrics + of_validation, answers

    return epoch  # type: ignore[no-any-return]


def _weights(plan: Plan, labels: Any) -> Any:
    """Return how much each image of a batch counts; None where all count the same."""
    import tensorflow as tf

    return None if plan.class_weights is None else tf.gather(tf.constant(plan.class_weights), labels)
