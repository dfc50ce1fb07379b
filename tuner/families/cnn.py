"""`cnn`: a stack of convolutions with pooling between them, then dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.errors import TrialError
from tuner.families.base import Family, Shape
from tuner.families.common import ACTIVATION, BATCH_NORM, DROPOUT, L2
from tuner.parameters import Layered, Parameter, Values

if TYPE_CHECKING:
    import keras

_FILTERS = Layered(
    Parameter("filters", 32, (16, 32, 64, 128), low=1, high=65536, doc="filters of a convolution"),
    depth="conv_depth",
)
_WIDTHS = Layered(
    Parameter("dense_units", 64, (16, 32, 64, 128), low=1, high=65536, doc="width of a dense layer"),
    depth="dense_depth",
    first="dense_units",
)


class Cnn(Family):
    """`conv_depth` convolutions, pooling after each but the last, flatten, dropout, dense layers, softmax."""

    name = "cnn"
    label = "CNN"
    parameters = (
        Parameter("conv_depth", 2, (1, 2, 3), low=1, high=64, doc="number of convolutions"),
        _FILTERS,
        Parameter("kernel_size", 3, (3, 5), low=1, high=64, doc="height and width of every kernel"),
        Parameter("padding", "valid", ("valid", "same"), doc="padding of every convolution"),
        Parameter("pooling", "max", ("max", "average"), doc="kind of pooling"),
        Parameter("pool_size", 2, low=1, high=64, doc="height, width and stride of a pool; 1 for none"),
        Parameter("pool_last", False, doc="pool after the last convolution too"),
        Parameter("dense_depth", 1, low=0, high=64, doc="number of dense layers before the softmax"),
        _WIDTHS,
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
        Parameter("dense_dropout", 0.0, low=0, high=0.95, doc="dropout after each dense layer"),
        L2,
    )

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        import keras
        from keras import layers

        from tuner.families.layers import (
            activated,
            class_probabilities,
            dense_stack,
            dropped,
            l2_of,
            raw_pixels,
        )

        pool = layers.MaxPooling2D if values["pooling"] == "max" else layers.AveragePooling2D
        kernel, size = int(values["kernel_size"]), int(values["pool_size"])
        filters = _FILTERS.read(values)
        pixels, x = raw_pixels(shape)
        for i, width in enumerate(filters, start=1):
            if values["padding"] == "valid":
                _must_fit(x.shape[1:3], kernel, f"the {kernel}x{kernel} kernel of convolution {i}", shape, values)
            x = layers.Conv2D(
                int(width),
                kernel,
                padding=values["padding"],
                use_bias=not values["batch_norm"],
                kernel_regularizer=l2_of(values),
                name=f"conv_{i}",
            )(x)
            x = activated(x, values, f"conv_{i}")
            if size > 1 and (i < len(filters) or values["pool_last"]):
                _must_fit(x.shape[1:3], size, f"the {size}x{size} pool after convolution {i}", shape, values)
                x = pool(size, name=f"pool_{i}")(x)
        x = layers.Flatten(name="flatten")(x)
        x = dropped(x, values["dropout"], "dropout")
        x = dense_stack(x, _WIDTHS.read(values), values, dropout="dense_dropout")
        return keras.Model(pixels, class_probabilities(x, classes), name=self.name)


def _must_fit(left: tuple[int, int], window: int, what: str, shape: Shape, values: Values) -> None:
    if min(left) < window:
        raise TrialError(
            f"conv_depth = {values['conv_depth']} is too deep for {shape[0]}x{shape[1]} images: only "
            f"{left[0]}x{left[1]} is left for {what}; use fewer convolutions or padding = 'same'"
        )
