"""What a network is made of: its layers with their parameter formulas, and what its first convolution sees.

Importing this imports Keras.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Labels
from tuner.datasets.channels import drawn
from tuner.datasets.large import Rows

#: At most so many classes, and filters, are kept of what the first convolution sees.
MOST_CLASSES = 10
MOST_FILTERS = 16


def describe(network: keras.Model) -> list[dict[str, Any]]:
    """Return the layers of a network in order, each as a dict that JSON can hold.

    Its keys: `name`; `kind`, the Keras class; `shape` of its output without the batch; `parameters`, their number;
    `formula`, how they come about, "3·3·32·64 + 64" for a convolution; `activation`, its own; `inputs`, the names
    of the layers that feed it. Layers of a nested model stand in its place.
    """
    return [_described(layer) for layer in flat_layers(network)]


def flat_layers(network: keras.Model) -> list[keras.Layer]:
    """Return the layers of a network in order, those of a nested model in its place."""
    found = []
    for layer in network.layers:
        found += flat_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def _described(layer: keras.Layer) -> dict[str, Any]:
    output = getattr(layer, "output", None)
    shape = list(output.shape[1:]) if isinstance(output, keras.KerasTensor) else []
    activation = getattr(getattr(layer, "activation", None), "__name__", "")
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "shape": shape,
        "parameters": int(layer.count_params()) if layer.built else 0,
        "formula": _formula(layer),
        "activation": "" if activation == "linear" else activation,
        "inputs": _inputs(layer),
    }


def _inputs(layer: keras.Layer) -> list[str]:
    try:
        tensors = layer.input
    except (AttributeError, ValueError):  # used several times, or part of a subclassed model
        return []
    tensors = tensors if isinstance(tensors, list | tuple) else [tensors]
    names = [tensor._keras_history.operation.name for tensor in tensors if isinstance(tensor, keras.KerasTensor)]
    return [] if isinstance(layer, keras.layers.InputLayer) else names


def _formula(layer: keras.Layer) -> str:
    shapes = ["·".join(map(str, weight.shape)) or "1" for weight in layer.weights]
    if isinstance(layer, keras.layers.BatchNormalization):
        return f"{len(shapes)}·{shapes[0]}"
    return " + ".join(shapes)


def first_layer_view(network: keras.Model, images: Rows, labels: Labels) -> dict[str, NDArray[Any]]:
    """Return what the first convolution is and sees, as arrays to be saved; empty where there is no convolution.

    `filters` is its kernel, `(height, width, channels, filters)`; `shown` the images, `(m, height, width,
    1 or 3)`, the first of each of at most ten classes, and `shown_labels` theirs; `outputs` what comes out of its
    activation for them, `(m, height, width, filters)`. At most 16 filters are kept.
    """
    picked = np.array([np.flatnonzero(labels == label)[0] for label in np.unique(labels)[:MOST_CLASSES]])
    shown = np.asarray(images[picked])
    found = _into(network, shown)
    if found is None:
        return {}
    network, fed, layer = found
    outputs = keras.Model(network.inputs, _activated_output(network, layer)).predict_on_batch(fed)
    return {
        "filters": keras.ops.convert_to_numpy(layer.kernel)[..., :MOST_FILTERS].astype(np.float32),
        "shown": drawn(shown),
        "shown_labels": np.asarray(labels[picked]),
        "outputs": np.asarray(outputs[..., :MOST_FILTERS], np.float16),
    }


def _into(network: keras.Model, fed: NDArray[Any]) -> tuple[keras.Model, NDArray[Any], keras.Layer] | None:
    """Return the model that holds the first convolution itself, what it is fed, and the convolution."""
    for before, layer in zip([None, *network.layers], network.layers, strict=False):
        if isinstance(layer, keras.layers.Conv2D):
            return network, fed, layer
        if isinstance(layer, keras.Model) and any(
            isinstance(inner, keras.layers.Conv2D) for inner in flat_layers(layer)
        ):
            if before is not None:
                fed = keras.Model(network.inputs, _entering(layer, before)).predict_on_batch(fed)
            return _into(layer, fed)
    return None


def _entering(layer: keras.Layer, before: keras.Layer) -> keras.KerasTensor:
    """Return what a layer is fed, which may come out of an operation that is no layer; else what comes before it."""
    nodes = getattr(layer, "_inbound_nodes", [])
    tensors = nodes[-1].input_tensors if nodes else []
    return tensors[0] if len(tensors) == 1 else before.output


def _activated_output(network: keras.Model, layer: keras.Layer) -> keras.KerasTensor:
    """Return a layer's output after the batch normalisation and the activation that follow it, where they do."""
    follows = {name: other for other in network.layers for name in _inputs(other)}
    while isinstance(follows.get(layer.name), keras.layers.BatchNormalization | keras.layers.Activation):
        layer = follows[layer.name]
        if isinstance(layer, keras.layers.Activation):
            break
    return layer.output
