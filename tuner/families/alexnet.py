"""`alexnet`: AlexNet (Krizhevsky, Sutskever and Hinton 2012), its first and last layers made for small images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.families.base import Family
from tuner.families.common import BATCH_NORM, L2, SCALING, WIDTH, activation, dropout, pooling, widened
from tuner.families.work import Work
from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape

#: Filters and kernel of each convolution, and whether a pool follows; the first was 96 of 11x11 with stride 4.
_CONVOLUTIONS = ((64, 5, True), (192, 5, True), (384, 3, False), (256, 3, False), (256, 3, True))


class Alexnet(Family):
    """Five convolutions with three overlapping 3x3 pools of stride 2, then two dense layers with dropout.

    The first convolution is 5x5 with stride 2, so that 32x32 images keep 2x2 places at the end; the dense layers
    are 1,024 wide instead of 4,096.
    """

    name = "alexnet"
    label = "AlexNet"
    parameters = (
        SCALING,
        WIDTH,
        Parameter("stride", 2, (1, 2), low=1, high=8, doc="stride of the first convolution"),
        pooling("max"),
        Parameter("dense_units", 1024, (256, 512, 1024), low=1, high=65536, doc="width of both dense layers"),
        activation("relu"),
        BATCH_NORM,
        dropout(0.5, "share of units dropped in front of each dense layer"),
        L2,
    )

    def counted(self, values: Values, shape: Shape, classes: int) -> Work:
        """Count weights and multiply-adds; see `Family.counted`."""
        work = Work(shape, values["batch_norm"])
        for i, (filters, kernel, pools) in enumerate(_CONVOLUTIONS):
            work.conv(widened(filters, values), kernel, strides=1 if i else int(values["stride"]))
            if pools:
                work.pool(3, 2, "same")
        for _ in range(2):
            work.dense(float(values["dense_units"]))
        work.classify(classes)
        return work

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        import keras
        from keras import layers

        from tuner.families.layers import class_probabilities, conv, dense_stack, dropped, pooled, raw_pixels

        pixels, x = raw_pixels(shape, values)
        for i, (filters, kernel, pools) in enumerate(_CONVOLUTIONS, start=1):
            strides = int(values["stride"]) if i == 1 else 1
            x = conv(x, widened(filters, values), kernel, values, f"conv_{i}", strides=strides)
            if pools:
                x = pooled(x, values["pooling"], 3, f"pool_{i}", strides=2, padding="same")
        x = layers.Flatten(name="flatten")(x)
        x = dropped(x, values["dropout"], "dropout")
        x = dense_stack(x, [values["dense_units"]] * 2, values, between=values["dropout"])
        return keras.Model(pixels, class_probabilities(x, classes), name=self.name)
