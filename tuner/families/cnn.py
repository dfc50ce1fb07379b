"""`cnn`: a stack of convolutions with pooling between them, then dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.errors import TrialError
from tuner.families.base import Family
from tuner.families.common import ACTIVATION, DROPOUT, L2, SCALING, batch_norm, pooling
from tuner.families.work import Work
from tuner.space.parameters import Layered, Parameter, Values

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape

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
        SCALING,
        Parameter("conv_depth", 2, (1, 2, 3), low=1, high=64, doc="number of convolutions"),
        _FILTERS,
        Parameter("kernel_size", 3, (3, 5), low=1, high=64, doc="height and width of every kernel"),
        Parameter("padding", "valid", ("valid", "same"), doc="padding of every convolution"),
        pooling("max"),
        Parameter("pool_size", 2, low=1, high=64, doc="height, width and stride of a pool; 1 for none"),
        Parameter("pool_last", False, doc="pool after the last convolution too"),
        Parameter(
            "head", "flatten", ("flatten", "average"), doc="what leads to the dense layers: all places, or means"
        ),
        Parameter("dense_depth", 1, low=0, high=64, doc="number of dense layers before the softmax"),
        _WIDTHS,
        ACTIVATION,
        batch_norm(False),
        Parameter(
            "bias_before_norm",
            False,
            doc="keep a convolution's bias in front of batch normalisation",
            when=("batch_norm", (True,)),
        ),
        Parameter("dense_batch_norm", False, doc="batch normalisation in the dense layers too"),
        DROPOUT,
        Parameter("conv_dropout", 0.0, low=0, high=0.95, doc="dropout after each convolution and its pool"),
        Parameter("dense_dropout", 0.0, low=0, high=0.95, doc="dropout after each dense layer"),
        L2,
    )

    def counted(self, values: Values, shape: Shape, classes: int) -> Work:
        """Count weights and multiply-adds; see `Family.counted`."""
        work, size = Work(shape, values["batch_norm"]), int(values["pool_size"])
        bias = values.get("bias_before_norm", False)
        filters = _FILTERS.read(values)
        for i, width in enumerate(filters, start=1):
            work.conv(float(width), int(values["kernel_size"]), padding=values["padding"], bias=bias)
            if i < len(filters) or values["pool_last"]:
                work.pool(size, size)
        if values["head"] == "average":
            work.average()
        work.norm = bool(values["dense_batch_norm"])
        for units in _WIDTHS.read(values):
            work.dense(float(units))
        work.classify(classes)
        return work

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        import keras
        from keras import layers

        from tuner.families.layers import class_probabilities, conv, dense_stack, dropped, pooled, raw_pixels

        kernel, size = int(values["kernel_size"]), int(values["pool_size"])
        filters = _FILTERS.read(values)
        pixels, x = raw_pixels(shape, values)
        for i, width in enumerate(filters, start=1):
            if values["padding"] == "valid":
                _must_fit(x.shape[1:3], kernel, f"the {kernel}x{kernel} kernel of convolution {i}", shape, values)
            x = conv(
                x,
                width,
                kernel,
                values,
                f"conv_{i}",
                padding=str(values["padding"]),
                bias=values.get("bias_before_norm", False),
            )
            if size > 1 and (i < len(filters) or values["pool_last"]):
                _must_fit(x.shape[1:3], size, f"the {size}x{size} pool after convolution {i}", shape, values)
                x = pooled(x, values["pooling"], size, f"pool_{i}")
            x = dropped(x, values["conv_dropout"], f"conv_dropout_{i}")
        head = layers.GlobalAveragePooling2D if values["head"] == "average" else layers.Flatten
        x = head(name=str(values["head"]))(x)
        x = dropped(x, values["dropout"], "dropout")
        dense = {**values, "batch_norm": values["dense_batch_norm"]}
        x = dense_stack(x, _WIDTHS.read(values), dense, after=values["dense_dropout"])
        return keras.Model(pixels, class_probabilities(x, classes), name=self.name)


def _must_fit(left: tuple[int, int], window: int, what: str, shape: Shape, values: Values) -> None:
    if min(left) < window:
        raise TrialError(
            f"conv_depth = {values['conv_depth']} is too deep for {shape[0]}x{shape[1]} images: only "
            f"{left[0]}x{left[1]} is left for {what}; use fewer convolutions or padding = 'same'"
        )
