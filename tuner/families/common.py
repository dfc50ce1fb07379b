"""Parameters that several families take, declared once. Free of Keras."""

from __future__ import annotations

from tuner.parameters import Parameter

ACTIVATION = Parameter(
    "activation",
    "relu",
    ("relu", "leaky_relu", "elu", "tanh", "sigmoid"),
    doc="activation of every hidden layer",
)
BATCH_NORM = Parameter("batch_norm", False, doc="batch normalisation in front of every activation")
DROPOUT = Parameter("dropout", 0.0, (0.0, 0.25, 0.5), low=0, high=0.95, doc="share of units dropped in training")
L2 = Parameter("l2", 0.0, (0.0, 1e-4, 1e-3), low=0, high=10, doc="L2 penalty on the weights of hidden layers")
