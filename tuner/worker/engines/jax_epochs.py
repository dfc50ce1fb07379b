"""`jax_epochs`: a whole epoch with its validation in one compiled JAX function, a scan over Keras' stateless API.

Learns what `fit` learns, step for step, over data that stays on the device; compiled once a signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tuner.worker.engines.base import Plan, Samples, varied
from tuner.worker.engines.compiled import CompiledEngine, EpochFunction, Order
from tuner.worker.evaluation import evaluation_batch


class JaxEpochsEngine(CompiledEngine):
    """Runs epochs as JAX scans."""

    name = "jax_epochs"
    backend = "jax"

    def compile(
        self,
        network: keras.Model,
        training: Samples,
        validation: Samples | None,
        plan: Plan,
        scalars: list[keras.Variable],
    ) -> EpochFunction:
        """Return the function that trains an epoch; see `CompiledEngine.compile`."""
        import jax
        import jax.numpy as jnp

        groups = variables_of(network, plan, scalars)
        epoch = jax.jit(epoch_function(network, groups, plan))
        resident = [None if part is None else on_device(part) for part in (training, validation)]

        def run(order: Order) -> tuple[list[float], Any]:
            state = [[variable.value for variable in group] for group in groups]
            state, metrics, answers = epoch(state, jnp.asarray(order, jnp.int32), *resident)
            for group, values in zip(groups, state, strict=True):
                for variable, value in zip(group, values, strict=True):
                    variable.assign(value)
            return [float(metric) for metric in np.asarray(metrics)], answers

        return run


#: What a network learns; what a forward pass reads and may change beside it; what its optimizer keeps.
Groups = tuple[list[keras.Variable], list[keras.Variable], list[keras.Variable]]


def variables_of(network: keras.Model, plan: Plan, scalars: list[keras.Variable]) -> Groups:
    """Return the variables that an epoch takes and gives back; the network's optimizer is built."""
    return network.trainable_variables, _others(network, plan, scalars), network.optimizer.variables


def epoch_function(network: keras.Model, variables: Groups, plan: Plan) -> Callable[..., tuple[Any, Any, Any]]:
    """Return the pure function `epoch(state, order, training, validation)` that trains a network, not yet compiled.

    `state` holds the values of `variables`, `order` the places of the images in their order, and each of the samples
    images and labels on the device. It returns the new state, six metrics, or three where nothing validates, and the
    answers to the images that validate. Functions of JAX, as `vmap`, apply to it.
    """
    import jax
    import jax.numpy as jnp

    learned, others, _ = variables

    def forward(learned_values: Any, other_values: Any, images: Any, labels: Any, learning: bool) -> Any:
        """Return the loss of a batch; its metrics, the variables that a forward pass changes, and the answers.

        The metrics are sums over its images: the loss, the loss without penalties, and hits.
        """
        mapping = [*zip(learned, learned_values, strict=True), *zip(others, other_values, strict=True)]
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True) as scope:
            shares = None
            if learning:
                images, labels, shares = varied(plan, images, labels)
            probabilities = network(images, training=learning)
            if plan.mixing is not None and shares is not None:
                unpenalised = plan.mixing.loss(shares, probabilities)
            else:
                unpenalised = network.loss(labels, probabilities, _weights(plan, labels) if learning else None)
            loss = unpenalised + sum(network.losses)
        changed = [
            value if (new := scope.get_current_value(v)) is None else new for v, value in mapping[len(learned) :]
        ]
        right = probabilities.argmax(-1) == labels
        sums = [loss * len(labels), unpenalised * len(labels), right.sum().astype(jnp.float32)]
        return loss, (sums, changed, probabilities)

    def learn(state: Any, images: Any, labels: Any) -> tuple[Any, Any, Any]:
        learned_values, other_values, optimizer_values = state
        gradient = jax.value_and_grad(forward, has_aux=True)
        (_, (sums, other_values, _)), slopes = gradient(learned_values, other_values, images, labels, True)
        learned_values, optimizer_values = network.optimizer.stateless_apply(optimizer_values, slopes, learned_values)
        return [list(learned_values), other_values, list(optimizer_values)], sums, None

    def look(state: Any, images: Any, labels: Any) -> tuple[Any, Any, Any]:
        learned_values, other_values, _ = state
        _, (sums, _, answers) = forward(learned_values, other_values, images, labels, False)
        return state, sums, answers.astype(jnp.float32)

    def over(step: Any, state: Any, samples: tuple[Any, Any], order: Any, size: int) -> tuple[Any, list[Any], Any]:
        """Run `step` over all batches, the last one smaller if need be.

        Return the state, the mean metrics, and the answers to all images where the step gives any.
        """

        def body(carry: Any, picked: Any) -> tuple[Any, Any]:
            state, before = carry
            state, sums, answers = step(state, *(part[picked] for part in samples))
            return (state, [a + b for a, b in zip(before, sums, strict=True)]), answers

        whole = len(order) // size * size
        carry = (state, [jnp.float32(0)] * 3)
        of_whole = of_rest = None
        if whole:
            carry, of_whole = jax.lax.scan(body, carry, order[:whole].reshape(-1, size))
        if whole < len(order):
            carry, of_rest = body(carry, order[whole:])
        return carry[0], [total / len(order) for total in carry[1]], _joined(of_whole, of_rest)

    def epoch(state: Any, order: Any, training: Any, validation: Any) -> tuple[Any, Any, Any]:
        state, metrics, answers = over(learn, state, training, order, plan.batch_size)
        if validation is not None:
            everything = jnp.arange(len(validation[1]))
            looked_at = evaluation_batch(network, validation[0].shape[1:])
            _, of_validation, answers = over(look, state, validation, everything, looked_at)
            metrics += of_validation
        return state, jnp.stack(metrics), answers

    return epoch


def _weights(plan: Plan, labels: Any) -> Any:
    """Return how much each image of a batch counts; None where all count the same."""
    return None if plan.class_weights is None else keras.ops.convert_to_tensor(plan.class_weights)[labels]


def _joined(*parts: Any) -> Any:
    """Return answers, `(…, classes)`, as one array `(n, classes)`; None where there are none."""
    import jax.numpy as jnp

    given = [part.reshape(-1, part.shape[-1]) for part in parts if part is not None]
    return jnp.concatenate(given) if given else None


def on_device(samples: Samples) -> tuple[Any, Any]:
    """Return images, uint8, and labels, int32, on the device."""
    import jax.numpy as jnp

    return jnp.asarray(samples.images), jnp.asarray(samples.labels, jnp.int32)


def _others(network: keras.Model, plan: Plan, scalars: list[keras.Variable]) -> list[keras.Variable]:
    """Return what a forward pass reads and may change beside what is learned, each variable once."""
    random = [variable for layer in plan.random_layers for variable in layer.variables]
    return list({id(v): v for v in (*network.non_trainable_variables, *scalars, *random)}.values())
