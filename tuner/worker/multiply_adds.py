"""What a built network costs: the multiply-adds of an image, and the numbers that its layers hand on.

Importing this imports Keras.
"""

from __future__ import annotations

import math

import keras

from tuner.worker.model_summary import flat_layers


def multiply_adds(network: keras.Model) -> float:
    """Return the multiply-adds of an image's way through a network: its kernels, each at every place of its output."""
    return float(sum(_places(layer) * sum(map(_size, _kernels(layer))) for layer in flat_layers(network)))


def handed_on(network: keras.Model) -> int:
    """Return how many numbers all layers of a network hand on for an image, which training keeps until it has learned.

    The channels of a layer whose output has no known shape are left out.
    """
    return sum(_outputs(network))


def largest_layer(network: keras.Model) -> int:
    """Return how many numbers a network's largest layer hands on for an image; 0 where no layer tells."""
    return max(_outputs(network), default=0)


def _outputs(network: keras.Model) -> list[int]:
    """Return how many numbers each layer hands on for an image; those whose output is not known are left out."""
    return [math.prod(layer.output.shape[1:]) for layer in flat_layers(network) if _is_known(layer)]


def _kernels(layer: keras.Layer) -> list[object]:
    """Return the kernels of a layer, of which a separable convolution has two; none where its output is not known."""
    names = ("kernel", "depthwise_kernel", "pointwise_kernel")
    return [kernel for name in names if (kernel := getattr(layer, name, None)) is not None and _is_known(layer)]


def _places(layer: keras.Layer) -> int:
    """Return at how many places a layer applies its kernel: those of its output, one for a dense layer behind them."""
    return math.prod(layer.output.shape[1:-1]) if _is_known(layer) else 0


def _size(kernel: object) -> int:
    return math.prod(kernel.shape)  # type: ignore[attr-defined]  # Keras has no types


def _is_known(layer: keras.Layer) -> bool:
    output = getattr(layer, "output", None)
    return isinstance(output, keras.KerasTensor) and all(isinstance(size, int) for size in output.shape[1:])
