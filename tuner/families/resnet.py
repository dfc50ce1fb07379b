"""`resnet`: a small functional network with one shortcut, or without it, to see what the shortcut does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.families.base import Family
from tuner.families.common import BATCH_NORM, DROPOUT, L2, SCALING, activation, pooling
from tuner.families.work import Work
from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape


class Resnet(Family):
    """Five 3x3 convolutions with pooling, a 1x1 convolution of stride 4 as shortcut around three, a dense layer.

    348,362 parameters on 28x28 grey images, 344,138 without the shortcut.
    """

    name = "resnet"
    label = "ResNet"
    parameters = (
        SCALING,
        Parameter("shortcut", True, doc="whether the shortcut is there"),
        Parameter(
            "filters", 32, (16, 32, 64), low=1, high=16384, doc="filters of the first convolution; x2, x2, x4, x4"
        ),
        pooling("max"),
        Parameter("dense_units", 128, (64, 128, 256), low=1, high=65536, doc="width of the dense layer"),
        activation("relu"),
        BATCH_NORM,
        DROPOUT,
        L2,
    )

    def counted(self, values: Values, shape: Shape, classes: int) -> Work:
        """Count weights and multiply-adds; see `Family.counted`."""
        work, width = Work(shape, values["batch_norm"]), int(values["filters"])
        for factor, pools in ((1, True), (2, True), (2, True), (4, False), (4, True)):
            work.conv(factor * width, 3)
            if pools:
                work.pool(2, 2, "same")
        work.dense(float(values["dense_units"]))
        work.classify(classes)
        if values["shortcut"]:
            around = Work((-(-shape[0] // 2), -(-shape[1] // 2), width), values["batch_norm"])
            around.conv(4 * width, 1, strides=4)
            work.join(around)
        return work

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        import keras
        from keras import layers

        from tuner.families.layers import class_probabilities, conv, dense_stack, dropped, pooled, raw_pixels

        width, kind = int(values["filters"]), values["pooling"]
        pixels, x = raw_pixels(shape, values)
        x = conv(x, width, 3, values, "conv_1")
        x = begin = pooled(x, kind, 2, "pool_1", padding="same")
        x = conv(x, 2 * width, 3, values, "conv_2")
        x = pooled(x, kind, 2, "pool_2", padding="same")
        x = conv(x, 2 * width, 3, values, "conv_3")
        x = pooled(x, kind, 2, "pool_3", padding="same")
        x = conv(x, 4 * width, 3, values, "conv_4")
        if values["shortcut"]:
            x = layers.Add(name="add")([x, conv(begin, 4 * width, 1, values, "shortcut", strides=4)])
        x = conv(x, 4 * width, 3, values, "conv_5")
        x = pooled(x, kind, 2, "pool_5", padding="same")
        x = layers.Flatten(name="flatten")(x)
        x = dropped(x, values["dropout"], "dropout")
        x = dense_stack(x, [values["dense_units"]], values)
        return keras.Model(pixels, class_probabilities(x, classes), name=self.name)
