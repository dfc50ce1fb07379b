"""`resnet_cifar`: the residual networks for CIFAR of He, Zhang, Ren and Sun 2016 (arXiv:1512.03385, section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.errors import TrialError
from tuner.families.base import Family
from tuner.families.common import L2, SCALING, WIDTH, activation, batch_norm, dropout, widened
from tuner.families.work import Work
from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape


#: The initialisation of He et al. 2015 (arXiv:1502.01852), which the networks were published with.
HE = "he_normal"


def _is_depth(value: int) -> None:
    if value % 6 != 2:
        near = max(8, value - (value - 2) % 6)
        raise ValueError(f"{value} is not 6n + 2, as a depth of three stages of n blocks is; take {near} or {near + 6}")


def _initializer(values: Values) -> str:
    """Return how convolutions are initialised; trials that were recorded before one could choose have He's."""
    return str(values.get("initializer", HE))


class ResnetCifar(Family):
    """A 3x3 convolution, three stages of residual blocks with 16, 32 and 64 filters, global average, softmax.

    `depth` is 6n + 2: n blocks of two convolutions in each stage. With depth 20 and width 1 it is ResNet-20, 0.27
    million parameters; width 6 gives about 40 MB. Shortcuts are the identity, with zeros for new channels (option A).
    """

    name = "resnet_cifar"
    label = "ResNet (CIFAR)"
    parameters = (
        SCALING,
        Parameter("depth", 20, (8, 14, 20, 32), low=8, high=2000, doc="layers with weights, 6n + 2", verify=_is_depth),
        WIDTH,
        Parameter(
            "shortcut", "identity", ("identity", "projection", "none"), doc="option A, option B, or plain network"
        ),
        Parameter(
            "initializer",
            HE,
            (HE, "glorot_uniform"),
            doc="how convolutions are initialised: as He and others, or as Keras does unless told",
            idle=HE,
        ),
        activation("relu"),
        batch_norm(True),
        dropout(0.0, "share of channels' averages dropped in front of the softmax"),
        L2,
    )

    def counted(self, values: Values, shape: Shape, classes: int) -> Work:
        """Count weights and multiply-adds; see `Family.counted`."""
        work = Work(shape, values["batch_norm"])
        work.conv(widened(16, values), 3)
        for stage, filters in enumerate((widened(16, values), widened(32, values), widened(64, values)), start=1):
            for block in range((int(values["depth"]) - 2) // 6):
                strides = 2 if stage > 1 and block == 0 else 1
                if values["shortcut"] == "projection" and (strides == 2 or work.channels != filters):
                    around = work.branch()
                    around.conv(filters, 1, strides=strides)
                    work.join(around)
                work.conv(filters, 3, strides=strides)
                work.conv(filters, 3)
        work.average()
        work.classify(classes)
        return work

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        import keras
        from keras import layers

        from tuner.families.layers import class_probabilities, conv, dropped, raw_pixels

        try:
            _is_depth(int(values["depth"]))
        except ValueError as error:  # a range of a search file, or plain KerasTuner, may draw any number
            raise TrialError(f"depth = {error}") from error
        pixels, x = raw_pixels(shape, values)
        x = conv(x, widened(16, values), 3, values, "conv_1", initializer=_initializer(values))
        for stage, filters in enumerate((16, 32, 64), start=1):
            for block in range(1, (int(values["depth"]) - 2) // 6 + 1):
                strides = 2 if stage > 1 and block == 1 else 1
                x = self._block(x, widened(filters, values), strides, values, f"stage_{stage}_block_{block}")
        x = layers.GlobalAveragePooling2D(name="average")(x)
        x = dropped(x, values["dropout"], "dropout")
        return keras.Model(pixels, class_probabilities(x, classes), name=self.name)

    def _block(self, x: keras.KerasTensor, filters: int, strides: int, values: Values, name: str) -> keras.KerasTensor:
        from keras import layers

        from tuner.families.layers import activated, conv

        begins = _initializer(values)
        y = conv(x, filters, 3, values, f"{name}_conv_1", strides=strides, initializer=begins)
        y = conv(y, filters, 3, values, f"{name}_conv_2", activate=False, initializer=begins)
        if values["shortcut"] != "none":
            y = layers.Add(name=f"{name}_add")([y, self._shortcut(x, filters, strides, values, name)])
        return activated(y, {**values, "batch_norm": False}, name)

    def _shortcut(
        self, x: keras.KerasTensor, filters: int, strides: int, values: Values, name: str
    ) -> keras.KerasTensor:
        from keras import layers

        from tuner.families.layers import conv

        channels = x.shape[-1]
        if channels == filters and strides == 1:
            return x
        if values["shortcut"] == "projection":
            begins = _initializer(values)
            return conv(x, filters, 1, values, f"{name}_shortcut", strides=strides, activate=False, initializer=begins)
        if strides > 1:  # every second pixel
            x = layers.AveragePooling2D(1, strides, padding="same", name=f"{name}_every_second")(x)
        if filters == channels:
            return x
        # Zeros for the new channels: channels become rows for a moment, since Keras pads rows.
        before, after = (filters - channels) // 2, filters - channels - (filters - channels) // 2
        x = layers.Permute((3, 2, 1), name=f"{name}_channels_first")(x)
        x = layers.ZeroPadding2D(((before, after), (0, 0)), name=f"{name}_zeros")(x)
        return layers.Permute((3, 2, 1), name=f"{name}_channels_last")(x)
