"""Augmentation: Keras' own preprocessing layers, applied to training images alone.

They are no part of the network: what is validated, tested and saved never sees them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tuner.errors import TrialError
from tuner.space.parameters import Parameter, Value, Values

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape


def _flip(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    if value == "both":  # Keras' own "horizontal_and_vertical" turns an image by 180 degrees or leaves it
        return keras.Sequential([_flip("horizontal", shape, seed), _flip("vertical", shape, seed + len(AUGMENTATIONS))])
    return keras.layers.RandomFlip(str(value), seed=seed)


def _rotation(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    return keras.layers.RandomRotation(float(value) / 360, fill_mode="nearest", seed=seed)


def _crop(value: Value, shape: Shape, seed: int) -> keras.Layer:
    """Pad with black and crop to the old size: the same as a shift by whole pixels, image by image.

    Keras' RandomCrop takes one place for the whole batch.
    """
    import keras

    if float(value) > min(shape[:2]):
        raise TrialError(f"crop = {value} pads by more than the {shape[0]}x{shape[1]} images have; take fewer pixels")
    height, width = float(value) / shape[0], float(value) / shape[1]
    return keras.layers.RandomTranslation(
        height, width, fill_mode="constant", interpolation="nearest", fill_value=0.0, seed=seed
    )


def _shift(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    return keras.layers.RandomTranslation(float(value), float(value), fill_mode="nearest", seed=seed)


def _zoom(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    return keras.layers.RandomZoom(float(value), fill_mode="nearest", seed=seed)


_Maker = Callable[[Value, "Shape", int], Any]
#: Each parameter with the layer that it makes; a value of 0 or "none" makes none. Applied in this order.
AUGMENTATIONS: tuple[tuple[Parameter, _Maker], ...] = (
    (
        Parameter("flip", "none", ("none", "horizontal", "vertical", "both"), doc="random flips of training images"),
        _flip,
    ),
    (Parameter("rotation", 0.0, low=0, high=180, doc="random rotation by up to so many degrees"), _rotation),
    (Parameter("crop", 0, low=0, high=1000, doc="pad by so many pixels and crop at random"), _crop),
    (Parameter("shift", 0.0, low=0, high=0.9, doc="random shift by up to this share of height and width"), _shift),
    (Parameter("zoom", 0.0, low=0, high=0.9, doc="random zoom in or out by up to this share"), _zoom),
)
AUGMENTATION: tuple[Parameter, ...] = tuple(parameter for parameter, _ in AUGMENTATIONS)


def augmenter(values: Values, shape: Shape, seed: int) -> keras.Sequential | None:
    """Return what makes random variants of raw images `(n, *shape)`, 0 to 255; None where nothing is asked for."""
    asked = [(make, values[p.name]) for p, make in AUGMENTATIONS if values[p.name] not in (0, "none")]
    if not asked:
        return None
    import keras

    made = [make(value, shape, seed + number) for number, (make, value) in enumerate(asked)]
    return keras.Sequential([keras.Input(shape), *made], name="augmentation")
