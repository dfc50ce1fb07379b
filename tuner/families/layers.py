"""Pieces that several families are made of. Importing this imports Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from tuner.space.parameters import Value, Values

if TYPE_CHECKING:
    from tuner.datasets.base import Shape


def raw_pixels(shape: Shape, values: Values) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the model's input, raw pixels from 0 to 255, and the same scaled as the parameter `scaling` says."""
    pixels = keras.Input(shape, name="pixels")
    if values["scaling"] == "-1 to 1":
        return pixels, layers.Rescaling(1 / 127.5, offset=-1, name="scale")(pixels)
    return pixels, layers.Rescaling(1 / 255, name="scale")(pixels)


def l2_of(values: Values) -> keras.regularizers.Regularizer | None:
    """Return the penalty on a layer's weights that the parameter `l2` asks for; none at 0."""
    return keras.regularizers.L2(float(values["l2"])) if values["l2"] else None


def activated(x: keras.KerasTensor, values: Values, name: str) -> keras.KerasTensor:
    """Apply batch normalisation where `batch_norm` asks for it, then the activation."""
    if values["batch_norm"]:
        x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.Activation(values["activation"], name=f"{name}_{values['activation']}")(x)


def conv(
    x: keras.KerasTensor,
    filters: Value,
    kernel: Value,
    values: Values,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    bias: Value = False,
    initializer: str = "glorot_uniform",
    activate: bool = True,
) -> keras.KerasTensor:
    """Convolve, normalise where `batch_norm` asks for it, and activate unless told otherwise.

    The bias is left out in front of batch normalisation, whose own offset makes it useless, unless `bias` keeps it.
    """
    x = layers.Conv2D(
        int(filters),
        int(kernel),
        strides=strides,
        padding=padding,
        use_bias=bool(bias) or not values["batch_norm"],
        kernel_initializer=initializer,
        kernel_regularizer=l2_of(values),
        name=name,
    )(x)
    if activate:
        return activated(x, values, name)
    return layers.BatchNormalization(name=f"{name}_norm")(x) if values["batch_norm"] else x


def pooled(x: keras.KerasTensor, kind: Value, size: int, name: str, **options: Any) -> keras.KerasTensor:
    """Apply maximum or average pooling, `kind` "max" or "average"."""
    pool = layers.MaxPooling2D if kind == "max" else layers.AveragePooling2D
    return pool(size, name=name, **options)(x)


def dropped(x: keras.KerasTensor, rate: Value, name: str) -> keras.KerasTensor:
    """Apply dropout at `rate`; nothing at 0."""
    return layers.Dropout(float(rate), name=name)(x) if rate else x


def dense_stack(
    x: keras.KerasTensor, widths: Sequence[Value], values: Values, *, after: Value = 0.0, between: Value = 0.0
) -> keras.KerasTensor:
    """Stack dense layers of these widths, with dropout after each at `after`, or only between them at `between`.

    A layer's bias is left out in front of batch normalisation, whose own offset makes it useless.
    """
    for i, width in enumerate(widths, start=1):
        x = layers.Dense(
            int(width), use_bias=not values["batch_norm"], kernel_regularizer=l2_of(values), name=f"dense_{i}"
        )(x)
        x = activated(x, values, f"dense_{i}")
        rate = after if i == len(widths) else after or between
        x = dropped(x, rate, f"dense_dropout_{i}")
    return x


def class_probabilities(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Return the softmax over the classes, in 32 bits whatever the rest computes in."""
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
