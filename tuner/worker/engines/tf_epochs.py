"""`tf_epochs`: a whole epoch with its validation in one call of one `tf.function`, over data that stays in memory.

Learns what `fit` learns, step for step: the same batches, loss, penalties and optimizer. It saves the hand-over
between Python and TensorFlow at every step, and the input pipeline; the graph is traced once a signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from tuner.datasets.large import rows_of
from tuner.worker.engines.base import Plan, Samples, varied
from tuner.worker.engines.compiled import CompiledEngine, EpochFunction, Order
from tuner.worker.evaluation import evaluation_batch


class TensorFlowEpochsEngine(CompiledEngine):
    """Runs epochs as TensorFlow loops."""

    name = "tf_epochs"
    backend = "tensorflow"
    reads_files = True

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

    def forward(images: Any, labels: Any, learning: bool, shares: Any = None) -> tuple[Any, list[Any], Any]:
        """Return the loss of a batch; sums over its images of loss, loss without penalties and hits; the answers."""
        probabilities = network(images, training=learning)
        if plan.mixing is not None and shares is not None:
            loss = unpenalised = plan.mixing.loss(shares, probabilities)
        else:
            loss = unpenalised = of_answers(labels, probabilities, _weights(plan, labels) if learning else None)
        if network.losses:
            loss += tf.add_n(network.losses)
        hits = tf.equal(tf.argmax(probabilities, -1, tf.int64), labels)
        count = tf.cast(tf.size(labels), tf.float32)
        return loss, [loss * count, unpenalised * count, tf.reduce_sum(tf.cast(hits, tf.float32))], probabilities

    def learn(images: Any, labels: Any) -> list[Any]:
        images, labels, shares = varied(plan, images, labels)
        with tf.GradientTape() as tape:
            loss, sums, _ = forward(images, labels, learning=True, shares=shares)
        network.optimizer.apply(tape.gradient(loss, watched), variables)
        return sums

    if training.in_file or (validation is not None and validation.in_file):
        return _in_pieces(network, forward, learn, training, validation, plan)
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
        size, count = evaluation_batch(network, samples.images.shape[1:]), len(samples.labels)

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


def _in_pieces(
    network: keras.Model,
    forward: Callable[..., Any],
    learn: Callable[..., Any],
    training: Samples,
    validation: Samples | None,
    plan: Plan,
) -> Callable[[Any], tuple[list[Any], Any]]:
    """Return what runs one epoch over images that are read of a file, some batches in one call.

    It learns and measures what `_epoch_function` does, step for step, in the same order.
    """
    import tensorflow as tf

    size, shape = plan.batch_size, training.images.shape[1:]
    piece, looked_at = rows_of(shape, batch=size), evaluation_batch(network, shape)
    nothing = [tf.constant(0.0)] * 3
    arguments = [
        tf.TensorSpec((None, *shape), training.images.dtype),
        tf.TensorSpec((None,), training.labels.dtype),
        [tf.TensorSpec((), tf.float32)] * 3,
    ]

    @tf.function(autograph=False, input_signature=arguments)  # type: ignore[untyped-decorator]
    def learned(images: Any, labels: Any, before: list[Any]) -> list[Any]:
        count = tf.size(labels)

        def body(start: Any, before: list[Any]) -> tuple[Any, list[Any]]:
            here = slice(start, tf.minimum(start + size, count))
            return start + size, [a + b for a, b in zip(before, learn(images[here], labels[here]), strict=True)]

        _, sums = tf.while_loop(lambda start, _: start < count, body, (tf.constant(0), before))
        return list(sums)

    @tf.function(autograph=False, input_signature=arguments)  # type: ignore[untyped-decorator]
    def looked(images: Any, labels: Any, before: list[Any]) -> tuple[list[Any], Any]:
        _, sums, probabilities = forward(images, labels, learning=False)
        return [a + b for a, b in zip(before, sums, strict=True)], tf.cast(probabilities, tf.float32)

    def means(count: int) -> Any:  # in a graph, which divides by a known number in its own way, as one whole epoch does
        return tf.function(lambda sums: [total / count for total in sums], autograph=False)

    mean_of_training = means(len(training.labels))
    mean_of_validation = None if validation is None else means(len(validation.labels))

    def epoch(order: Any) -> tuple[list[Any], Any]:
        sums = nothing
        for images, labels in training.batches(piece, order.numpy()):
            sums = learned(images, labels, sums)
        metrics = mean_of_training(sums)
        if validation is None or mean_of_validation is None:
            return metrics, None
        sums, answers = nothing, []
        for images, labels in validation.batches(looked_at):
            sums, probabilities = looked(images, labels, sums)
            answers.append(probabilities)
        return metrics + mean_of_validation(sums), tf.concat(answers, 0)

    return epoch


def _weights(plan: Plan, labels: Any) -> Any:
    """Return how much each image of a batch counts; None where all count the same."""
    import tensorflow as tf

    weights = plan.class_weights
    return None if weights is None else tf.gather(keras.ops.convert_to_tensor(weights), labels)
