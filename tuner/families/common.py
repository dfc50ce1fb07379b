"""Parameters that several families take, declared once. Free of Keras."""

from __future__ import annotations

from tuner.space.parameters import Parameter, Values

ACTIVATIONS = ("relu", "leaky_relu", "elu", "tanh", "sigmoid")


def activation(default: str) -> Parameter:
    """Return the parameter `activation` with a family's default."""
    return Parameter("activation", default, ACTIVATIONS, doc="activation of every hidden layer")


def batch_norm(default: bool) -> Parameter:
    """Return the parameter `batch_norm` with a family's default."""
    return Parameter("batch_norm", default, doc="batch normalisation in front of every activation, instead of a bias")


def dropout(
    default: float, what: str = "share of units dropped in training, in front of the dense layers"
) -> Parameter:
    """Return the parameter `dropout` with a family's default and place."""
    return Parameter("dropout", default, (0.0, 0.25, 0.5), low=0, high=0.95, doc=what)


def pooling(default: str) -> Parameter:
    """Return the parameter `pooling` with a family's default."""
    return Parameter("pooling", default, ("max", "average"), doc="kind of pooling")


ACTIVATION = activation("relu")
BATCH_NORM = batch_norm(False)
DROPOUT = dropout(0.0)
L2 = Parameter("l2", 0.0, (0.0, 1e-4, 1e-3), low=0, high=10, doc="L2 penalty on the weights of hidden layers")
WIDTH = Parameter("width", 1.0, (0.5, 1.0, 2.0), low=0.01, high=100, doc="factor on the filters of every convolution")
SCALING = Parameter(
    "scaling", "0 to 1", ("0 to 1", "-1 to 1"), doc="what the first layer brings pixels to; the model takes 0 to 255"
)


#: Parameters that leave the number of weights and of multiply-adds as it is.
WITHOUT_SIZE = frozenset(
    (
        "activation",
        "dropout",
        "conv_dropout",
        "dense_dropout",
        "initializer",
        "l2",
        "pooling",
        "scaling",
        "weights",
        "fine_tune",
    )
)


def widened(filters: int, values: Values) -> int:
    """Return a number of filters times the parameter `width`, at least 1."""
    return max(1, round(filters * float(values["width"])))
