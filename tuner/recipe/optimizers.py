"""Optimizers, by Keras' own names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

#: The optimizers; each is Keras' of this name.
OPTIMIZERS = ("rmsprop", "adam", "adamw", "sgd")

OPTIMIZER: tuple[Parameter, ...] = (
    Parameter("optimizer", "rmsprop", OPTIMIZERS, doc="Keras' optimizer of this name"),
    Parameter("learning_rate", 1e-3, (1e-2, 1e-3, 1e-4), low=1e-12, high=1e3, doc="step size of the optimizer"),
    Parameter("momentum", 0.0, low=0, high=0.9999, doc="momentum of SGD", when=("optimizer", ("sgd",))),
    Parameter("nesterov", False, doc="Nesterov momentum of SGD", when=("optimizer", ("sgd",))),
    Parameter(
        "weight_decay",
        0.0,
        low=0,
        high=10,
        doc="decoupled weight decay: each step takes rate x decay off; 10 times it acts as L2 at momentum 0.9",
    ),
)


def make_optimizer(
    values: Values, rate: float | keras.optimizers.schedules.LearningRateSchedule
) -> keras.optimizers.Optimizer:
    """Return the optimizer that `values` ask for, with a constant or changing learning rate."""
    import keras

    options: dict[str, object] = {"learning_rate": rate}
    if values["weight_decay"] or values["optimizer"] == "adamw":  # whose own default is not 0
        options["weight_decay"] = float(values["weight_decay"])
    if values["optimizer"] == "sgd":
        options |= {"momentum": float(values["momentum"]), "nesterov": bool(values["nesterov"])}
    return keras.optimizers.get({"class_name": values["optimizer"], "config": options})
