"""`ann`: fully connected layers on the flattened image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.families.base import Family
from tuner.families.common import ACTIVATION, BATCH_NORM, L2, SCALING, dropout
from tuner.families.work import Work
from tuner.space.parameters import Layered, Parameter, Values

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape

_WIDTHS = Layered(
    Parameter("dense_units", 128, (64, 128, 256, 512), low=1, high=65536, doc="width of a dense layer"),
    depth="dense_depth",
    first="dense_units",
)


class Ann(Family):
    """Flatten, `dense_depth` dense layers, dropout, softmax."""

    name = "ann"
    label = "ANN"
    parameters = (
        SCALING,
        Parameter("dense_depth", 1, (1, 2, 3), low=0, high=64, doc="number of dense layers before the softmax"),
        _WIDTHS,
        ACTIVATION,
        BATCH_NORM,
        dropout(0.0, "share of units dropped in front of the softmax"),
        Parameter("dense_dropout", 0.0, low=0, high=0.95, doc="dropout after each dense layer but the last"),
        L2,
    )

    def counted(self, values: Values, shape: Shape, classes: int) -> Work:
        """Count weights and multiply-adds; see `Family.counted`."""
        work = Work(shape, values["batch_norm"])
        for units in _WIDTHS.read(values):
            work.dense(float(units))
        work.classify(classes)
        return work

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        import keras
        from keras import layers

        from tuner.families.layers import class_probabilities, dense_stack, dropped, raw_pixels

        pixels, x = raw_pixels(shape, values)
        x = layers.Flatten(name="flatten")(x)
        x = dense_stack(x, _WIDTHS.read(values), values, between=values["dense_dropout"])
        x = dropped(x, values["dropout"], "dropout")
        return keras.Model(pixels, class_probabilities(x, classes), name=self.name)
