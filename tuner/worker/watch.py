"""What is recorded of a layer while its network trains: its kernel and the gradient that reaches it, epoch by epoch.

Importing this imports Keras.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.errors import TrialError, suggestion
from tuner.trial import EVERY_LAYER, FIRST_LAYER
from tuner.worker.engines.base import Samples
from tuner.worker.model_summary import flat_layers

#: How many training images the gradient is taken over.
PROBED = 256
_BINS = 60


class Watcher:
    """Watches layers of a network; what it noted, before the first epoch and after each, is in `notes`.

    `notes` maps each layer's name to `gradient_norm`, the Euclidean norm of the gradient of the loss with respect to
    the layer's kernel over the first 256 training images, in inference mode; and to `kernel`, a histogram of the
    kernel's values: `low`, `high` and the `counts` of 60 equal bins between them.

    Args:
        network: compiled.
        names: of the layers; "first" is the first with a kernel that learns, "every" are all of these.
        training: the images that it trains on.

    Raises:
        TrialError: the network has no such layer with a kernel.
    """

    def __init__(self, network: keras.Model, names: tuple[str, ...], training: Samples) -> None:
        kernels = {layer.name: layer for layer in flat_layers(network) if hasattr(layer, "kernel")}
        learning = [name for name, layer in kernels.items() if layer.trainable]
        meant = {FIRST_LAYER: learning[:1] or [FIRST_LAYER], EVERY_LAYER: learning or [EVERY_LAYER]}
        wanted = [layer for name in names for layer in meant.get(name, [name])]
        for name in wanted:
            if name not in kernels:
                raise TrialError(f"watch: no layer with a kernel is named {name!r}; {suggestion(name, kernels)}")
            if not kernels[name].trainable:
                raise TrialError(f"watch: the layer {name!r} is frozen, so that no gradient reaches it")
        self._network, self._layers = network, [kernels[name] for name in dict.fromkeys(wanted)]
        self._probe = _probe(training)
        self.notes: dict[str, dict[str, list[Any]]] = {
            layer.name: {"gradient_norm": [], "kernel": []} for layer in self._layers
        }
        self.note()

    def follow(self, network: keras.Model, training: Samples) -> None:
        """Watch the layers of the same names in another network, which goes on with what this one learned."""
        layers = {layer.name: layer for layer in flat_layers(network)}
        self._network, self._layers = network, [layers[name] for name in self.notes]
        self._probe = _probe(training)

    def note(self) -> None:
        """Note how the layers are now."""
        gradients = _gradients(self._network, [layer.kernel for layer in self._layers], self._probe)
        for layer, gradient in zip(self._layers, gradients, strict=True):
            mine = self.notes[layer.name]
            mine["gradient_norm"].append(float(np.linalg.norm(gradient)))
            mine["kernel"].append(_histogram(keras.ops.convert_to_numpy(layer.kernel)))


def _probe(training: Samples) -> Samples:
    return Samples(np.asarray(training.images[:PROBED]), np.asarray(training.labels[:PROBED]))


def _histogram(values: NDArray[np.float32]) -> dict[str, Any]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return {"low": 0.0, "high": 0.0, "counts": []}
    counts, edges = np.histogram(finite.astype(np.float64), bins=_BINS)  # 32 bits may lack 60 numbers in between
    return {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts.tolist()}


def _gradients(network: keras.Model, kernels: list[keras.Variable], probe: Samples) -> list[NDArray[np.float32]]:
    """Return the gradient of the loss, penalties included, with respect to each kernel."""
    images = keras.ops.cast(probe.images, "float32")
    if keras.backend.backend() == "jax":
        found = _jax_gradients(network, kernels, images, probe.labels)
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            probabilities = network(images, training=False)
            loss = network.loss(probe.labels, probabilities) + sum(network.losses)
        found = tape.gradient(loss, [kernel.value for kernel in kernels])
    return [np.asarray(keras.ops.convert_to_numpy(gradient), np.float32) for gradient in found]


def _jax_gradients(network: keras.Model, kernels: list[keras.Variable], images: Any, labels: Any) -> list[Any]:
    import jax

    every = [variable.value for variable in network.trainable_variables]
    others = [variable.value for variable in network.non_trainable_variables]

    def loss(values: list[Any]) -> Any:
        probabilities, _, losses = network.stateless_call(values, others, images, training=False, return_losses=True)
        return network.loss(labels, probabilities) + sum(losses)

    gradients = jax.grad(loss)(every)
    place = {variable.path: i for i, variable in enumerate(network.trainable_variables)}
    return [gradients[place[kernel.path]] for kernel in kernels]
