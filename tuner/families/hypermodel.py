"""A family as a `keras_tuner.HyperModel`. Importing this imports Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras_tuner

from tuner.recipe import BATCH_SIZE, COMPILED, compile_network
from tuner.space.parameters import Layered, Parameter, Value, Values
from tuner.space.space import Configuration

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape
    from tuner.families.base import Family


class FamilyHyperModel(keras_tuner.HyperModel):  # type: ignore[misc]  # KerasTuner has no types
    """Declares a family's parameters and its recipe's in `hp`, with their own choices where `hp` has none yet.

    Of the recipe, what a compiled model carries and the batch size; schedules, early stopping and augmentation are
    callbacks and layers of the loop that trains, which is KerasTuner's here. A parameter that `hp` already holds
    keeps the domain that it has there, as everywhere in KerasTuner.
    """

    def __init__(self, family: Family, shape: Shape, classes: int) -> None:
        self.family, self.shape, self.classes = family, shape, classes
        super().__init__(name=family.name)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Build and compile the network for the values that `hp` holds or now gets."""
        values: Configuration = {}
        for item in (*self.family.parameters, *COMPILED, BATCH_SIZE):
            if isinstance(item, Layered):
                for layer in item.expand(int(values[item.depth])):
                    values[layer.name] = _declare(hp, layer)
            elif item.is_active(values):
                values[item.name] = _declare(hp, item)
        network = self.family.network(values, self.shape, self.classes)
        compile_network(network, values)
        return network

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: object, **kwargs: object) -> object:
        """Train with the batch size that `hp` holds, unless the call gives one."""
        kwargs.setdefault("batch_size", hp.get("batch_size"))
        return model.fit(*args, **kwargs)


class WatchedHyperParameters(keras_tuner.HyperParameters):  # type: ignore[misc]  # KerasTuner has no types
    """HyperParameters with fixed values that remember which names a `build(hp)` asked for, and as what.

    `asked` holds KerasTuner's own object of each, None where its value was looked up without one.
    """

    def __init__(self, values: Values) -> None:
        super().__init__()
        self.asked: dict[str, keras_tuner.engine.hyperparameters.HyperParameter | None] = {}
        for name, value in values.items():
            self.Fixed(name, value)
        self.asked.clear()  # declaring is not asking

    def _retrieve(self, hp: keras_tuner.engine.hyperparameters.HyperParameter) -> Value | None:
        value: Value | None = super()._retrieve(hp)
        if value is not None:  # which it is where a `conditional_scope` is not active
            self.asked[hp.name] = hp
        return value

    def get(self, name: str) -> Value:
        """Return the value of `name` and remember that it was asked for."""
        self.asked.setdefault(name, None)
        value: Value = super().get(name)
        return value


def _declare(hp: keras_tuner.HyperParameters, parameter: Parameter) -> Value:
    value: Value
    if parameter.choices:
        with_default = parameter.default if parameter.default in parameter.choices else parameter.choices[0]
        value = hp.Choice(parameter.name, list(parameter.choices), default=with_default)
    else:
        value = hp.Fixed(parameter.name, parameter.default)
    return value
