"""Mixing: mixup and CutMix, Keras' own layers, which make one training image, and one label, of two of a batch.

They are no part of the network: what is validated, tested and saved never sees them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner.recipe.losses import make_loss_of_shares
from tuner.space.parameters import Parameter, Value, Values

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

#: Added to a trial's seed, so that nothing here draws what an augmentation draws.
_SEEDS = 100


def _mixup(value: Value, seed: int) -> keras.Layer:
    import keras

    return keras.layers.MixUp(alpha=float(value), seed=seed, dtype="float32")


def _cutmix(value: Value, seed: int) -> keras.Layer:
    import keras

    always = (float(value), float(value))  # of a single number Keras draws alpha, too
    return keras.layers.CutMix(factor=always, seed=seed, dtype="float32")


#: Each parameter with the layer that it makes; a value of 0 makes none. Applied in this order.
MIXINGS: tuple[tuple[Parameter, Callable[[Value, int], Any]], ...] = (
    (
        Parameter(
            "mixup",
            0.0,
            low=0,
            high=1,
            doc="alpha of mixup: training images, and their labels, are blended by shares drawn from "
            "Beta(alpha, alpha) (Zhang et al., 2018)",
            idle=0.0,
        ),
        _mixup,
    ),
    (
        Parameter(
            "cutmix",
            0.0,
            low=0,
            high=1,
            doc="alpha of CutMix: a rectangle of another training image is pasted in, its area drawn from "
            "Beta(alpha, alpha), and labels are shared out by area (Yun et al., 2019)",
            idle=0.0,
        ),
        _cutmix,
    ),
)
MIXING: tuple[Parameter, ...] = tuple(parameter for parameter, _ in MIXINGS)


@dataclass(frozen=True, eq=False)
class Mixing:
    """What blends the images of a batch, and the loss that is learned from.

    `loss` is of rows `(n, classes)`, which say how much an image counts as each class: see `make_loss_of_shares`.
    """

    layers: tuple[keras.Layer, ...]
    loss: keras.losses.Loss
    classes: int

    def __call__(
        self, images: Any, labels: Any, weights: NDArray[np.float32] | keras.Variable | None
    ) -> tuple[Any, Any]:
        """Return blended images, float32, and how much each counts as each class, `(n, classes)`.

        Args:
            images: raw, `(n, height, width, channels)`.
            labels: `(n,)`, whole numbers.
            weights: how much an image of each class counts; None where all count the same. A share of a label counts
                as much as its class does.
        """
        import keras

        data = {
            "images": keras.ops.cast(images, "float32"),
            "labels": keras.ops.one_hot(keras.ops.cast(labels, "int32"), self.classes, dtype="float32"),
        }
        for layer in self.layers:
            data = layer(data, training=True)
        shares = data["labels"]
        return data["images"], shares if weights is None else shares * keras.ops.convert_to_tensor(weights)


def is_mixed(values: Values) -> bool:
    """Whether a recipe blends images."""
    return any(values.get(parameter.name) for parameter in MIXING)


def mixing(values: Values, classes: int, seed: int) -> Mixing | None:
    """Return what blends training images; None where nothing is asked for."""
    asked = [(make, values[p.name]) for p, make in MIXINGS if values.get(p.name)]
    if not asked:
        return None
    layers = tuple(make(value, seed + _SEEDS + number) for number, (make, value) in enumerate(asked))
    return Mixing(layers, make_loss_of_shares(values), classes)
