"""The recipe: how a network is trained. Its parameters can be searched like those of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.parameters import Parameter, Values

if TYPE_CHECKING:
    import keras

#: The parameters of a recipe; `[training]` fixes them, `[search.space]` searches them.
RECIPE: tuple[Parameter, ...] = (
    Parameter("optimizer", "rmsprop", ("rmsprop", "adam", "adamw", "sgd"), doc="Keras' optimizer of this name"),
    Parameter("learning_rate", 1e-3, (1e-2, 1e-3, 1e-4), low=1e-12, high=1e3, doc="step size of the optimizer"),
    Parameter("momentum", 0.0, low=0, high=0.9999, doc="momentum of SGD", when=("optimizer", ("sgd",))),
    Parameter("nesterov", False, doc="Nesterov momentum of SGD", when=("optimizer", ("sgd",))),
    Parameter("weight_decay", 0.0, low=0, high=10, doc="decoupled weight decay of the optimizer"),
    Parameter("batch_size", 64, (32, 64, 128), low=1, high=1 << 20, doc="images per step"),
)


def compile_network(network: keras.Model, values: Values) -> None:
    """Compile `network` with the recipe in `values`: optimizer, cross-entropy on whole-number labels, accuracy."""
    import keras

    options: dict[str, object] = {"learning_rate": float(values["learning_rate"])}
    if values["weight_decay"]:
        options["weight_decay"] = float(values["weight_decay"])
    if values["optimizer"] == "sgd":
        options |= {"momentum": float(values["momentum"]), "nesterov": bool(values["nesterov"])}
    optimizer = keras.optimizers.get({"class_name": values["optimizer"], "config": options})
    network.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
