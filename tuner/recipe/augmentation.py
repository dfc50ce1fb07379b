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

#: Added to the seed for the second of two flips: recorded trials were trained with this number.
_SECOND_FLIP = 5


def _flip(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    if value == "both":  # Keras' own "horizontal_and_vertical" turns an image by 180 degrees or leaves it
        return keras.Sequential([_flip("horizontal", shape, seed), _flip("vertical", shape, seed + _SECOND_FLIP)])
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


def _brightness(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    return keras.layers.RandomBrightness(float(value), seed=seed)


def _contrast(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    both_ways = (float(value), float(value))  # of a single number Keras takes the upper side alone
    return keras.layers.RandomContrast(both_ways, seed=seed)


def _saturation(value: Value, shape: Shape, seed: int) -> keras.Layer:
    """Change the saturation, which is from 0 to 1 whatever pixels are; Keras' factor of 0.5 leaves it alone."""
    import keras

    _check_colour("saturation", value, shape)
    factors = (0.5 - float(value) / 2, 0.5 + float(value) / 2)
    return keras.layers.RandomSaturation(factors, value_range=(0, 1), seed=seed)


def _hue(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    _check_colour("hue", value, shape)
    return keras.layers.RandomHue(float(value), seed=seed)


def _grey(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    _check_colour("grey", value, shape)
    return keras.layers.RandomGrayscale(float(value), seed=seed)


def _rand_augment(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    return keras.layers.RandAugment(factor=float(value), seed=seed)


def _erasing(value: Value, shape: Shape, seed: int) -> keras.Layer:
    import keras

    share = (float(value), float(value))  # of a single number Keras draws the share, too
    return keras.layers.RandomErasing(share, seed=seed, dtype="float32")  # which it computes in, in any case


def _check_colour(name: str, value: Value, shape: Shape) -> None:
    if shape[2] != 3:
        there = "1 channel" if shape[2] == 1 else f"{shape[2]} channels"
        raise TrialError(f"{name} = {value} is about colours, and the images have {there}; leave it at 0")


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
    (
        Parameter(
            "brightness", 0.0, low=0, high=1, doc="pixels lighter or darker by up to this share of white", idle=0.0
        ),
        _brightness,
    ),
    (
        Parameter(
            "contrast",
            0.0,
            low=0,
            high=1,
            doc="pixels nearer to or farther from the image's mean by up to this share",
            idle=0.0,
        ),
        _contrast,
    ),
    (
        Parameter(
            "saturation",
            0.0,
            low=0,
            high=0.9,
            doc="paler or stronger colours, at 0.5 a third to three times as strong",
            idle=0.0,
        ),
        _saturation,
    ),
    (
        Parameter(
            "hue", 0.0, low=0, high=1, doc="colours turned by up to this share of half the colour circle", idle=0.0
        ),
        _hue,
    ),
    (Parameter("grey", 0.0, low=0, high=1, doc="share of the colour images that lose their colours", idle=0.0), _grey),
    (
        Parameter(
            "rand_augment",
            0.0,
            low=0,
            high=1,
            doc="strength of two steps drawn for a batch among eleven, as shear, contrast or equalization "
            "(Keras' RandAugment; Cubuk et al., 2020)",
            idle=0.0,
        ),
        _rand_augment,
    ),
    (
        Parameter(
            "erasing",
            0.0,
            low=0,
            high=1,
            doc="share of the images of which a rectangle becomes noise (Zhong et al., 2017)",
            idle=0.0,
        ),
        _erasing,
    ),
)
#: What is about colours, and of no sense for grey images.
OF_COLOURS = ("saturation", "hue", "grey")
AUGMENTATION: tuple[Parameter, ...] = tuple(parameter for parameter, _ in AUGMENTATIONS)


def augmenter(values: Values, shape: Shape, seed: int) -> keras.Sequential | None:
    """Return what makes random variants of raw images `(n, *shape)`, 0 to 255; None where nothing is asked for."""
    asked = [(make, values[p.name]) for p, make in AUGMENTATIONS if values.get(p.name, 0) not in (0, "none")]
    if not asked:
        return None
    import keras

    made = [make(value, shape, seed + number) for number, (make, value) in enumerate(asked)]
    return keras.Sequential([keras.Input(shape), *made], name="augmentation")
