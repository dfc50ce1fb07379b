"""`lenet`: LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998), its subsampling as plain pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.errors import TrialError
from tuner.families.base import Family
from tuner.families.common import BATCH_NORM, DROPOUT, L2, SCALING, activation, pooling
from tuner.families.work import Work
from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape


class Lenet(Family):
    """Two 5x5 convolutions with pooling, then two dense layers; 61,706 parameters on 28x28 grey images."""

    name = "lenet"
    label = "LeNet"
    parameters = (
        SCALING,
        Parameter("filters_1", 6, (6, 12, 24), low=1, high=65536, doc="filters of the first convolution"),
        Parameter("filters_2", 16, (16, 32, 64), low=1, high=65536, doc="filters of the second convolution"),
        Parameter("padding", "same", ("same", "valid"), doc="padding of the first convolution; valid for 32x32 images"),
        pooling("average"),
        Parameter("dense_units", 120, (84, 120, 240), low=1, high=65536, doc="width of the first dense layer"),
        Parameter("dense_units_2", 84, (42, 84, 168), low=1, high=65536, doc="width of the second dense layer"),
        activation("tanh"),
        BATCH_NORM,
        DROPOUT,
        L2,
    )

    def counted(self, values: Values, shape: Shape, classes: int) -> Work:
        """Count weights and multiply-adds; see `Family.counted`."""
        work = Work(shape, values["batch_norm"])
        for filters, padding in ((values["filters_1"], values["padding"]), (values["filters_2"], "valid")):
            work.conv(float(filters), 5, padding=padding)
            work.pool(2, 2)
        for units in (values["dense_units"], values["dense_units_2"]):
            work.dense(float(units))
        work.classify(classes)
        return work

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        import keras
        from keras import layers

        from tuner.families.layers import class_probabilities, conv, dense_stack, dropped, pooled, raw_pixels

        if min(shape[:2]) < (12 if values["padding"] == "same" else 16):
            raise TrialError(
                f"lenet needs images of at least 12x12 pixels (16x16 with padding = 'valid'), not {shape[0]}x{shape[1]}"
            )
        pixels, x = raw_pixels(shape, values)
        x = conv(x, values["filters_1"], 5, values, "conv_1", padding=str(values["padding"]))
        x = pooled(x, values["pooling"], 2, "pool_1")
        x = conv(x, values["filters_2"], 5, values, "conv_2", padding="valid")
        x = pooled(x, values["pooling"], 2, "pool_2")
        x = layers.Flatten(name="flatten")(x)
        x = dropped(x, values["dropout"], "dropout")
        x = dense_stack(x, [values["dense_units"], values["dense_units_2"]], values)
        return keras.Model(pixels, class_probabilities(x, classes), name=self.name)
