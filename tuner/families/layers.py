"""Pieces that several families are made of. Importing this imports Keras."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from tuner.families.base import Shape
from tuner.parameters import Value, Values


def raw_pixels(shape: Shape) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the model's input, raw pixels from 0 to 255, and the same scaled to [0, 1]."""
    pixels = keras.Input(shape, name="pixels")
    return pixels, layers.Rescaling(1 / 255, name="scale")(pixels)


def l2_of(values: Values) -> keras.regularizers.Regularizer | None:
    """Return the penalty on a layer's weights that the parameter `l2` asks for; none at 0."""
    return keras.regularizers.L2(float(values["l2"])) if values["l2"] else None


def activated(x: keras.KerasTensor, values: Values, name: str) -> keras.KerasTensor:
    """Apply batch normalisation where `batch_norm` asks for it, then the activation."""
    if values["batch_norm"]:
        x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.Activation(values["activation"], name=f"{name}_{values['activation']}")(x)


def dropped(x: keras.KerasTensor, rate: Value, name: str) -> keras.KerasTensor:
    """Apply dropout at `rate`; nothing at 0."""
    return layers.Dropout(float(rate), name=name)(x) if rate else x


def dense_stack(x: keras.KerasTensor, widths: Sequence[Value], values: Values, dropout: str = "") -> keras.KerasTensor:
    """Stack dense layers of these widths, each followed by dropout if `dropout` names its parameter.

    A layer's bias is left out in front of batch normalisation, whose own offset makes it useless.
    """
    for i, width in enumerate(widths, start=1):
        x = layers.Dense(
            int(width), use_bias=not values["batch_norm"], kernel_regularizer=l2_of(values), name=f"dense_{i}"
        )(x)
        x = activated(x, values, f"dense_{i}")
        if dropout:
            x = dropped(x, values[dropout], f"{dropout}_{i}")
    return x


def class_probabilities(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Return the softmax over the classes, in 32 bits whatever the rest computes in."""
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
