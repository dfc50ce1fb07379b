"""HyperParameters that tell what a `build(hp)` asks for, as what and in which order. Importing this imports Keras."""

from __future__ import annotations

from typing import Any

import keras_tuner

from tuner.families.declared import Declared
from tuner.families.own_space import Asked
from tuner.space.parameters import Condition, Value, Values


class AskedHyperParameters(keras_tuner.HyperParameters):  # type: ignore[misc]  # KerasTuner has no types
    """HyperParameters of one build: what is named in `answers` has that value, everything else its default.

    `known` holds values of what may be looked up without being declared. `told` is what was asked for, in order,
    `asked` KerasTuner's own object of each that is active, and `twice` what was asked for again with another range,
    each pair the first and the other.
    """

    def __init__(self, answers: Values, known: Values) -> None:
        super().__init__()
        self._answers, self._looked_up = answers, known
        self.told: list[Asked] = []
        self.asked: dict[str, Any] = {}
        self.twice: list[tuple[Declared, Declared]] = []
        self._first: dict[tuple[str, str], Declared] = {}

    def _retrieve(self, hp: Any) -> Value | None:
        value: Value | None = super()._retrieve(hp)
        if value is not None:
            self.asked[hp.name] = hp
        declared = _declared(hp)
        place = (hp.name, repr(declared.ways))
        first = self._first.setdefault(place, declared)
        if first is declared:
            self.told.append(Asked(declared, value))
        elif (first, declared) not in self.twice and first != declared:
            self.twice.append((first, declared))
        return value

    def _register(self, hyperparameter: Any, overwrite: bool = False) -> Value | None:
        if hyperparameter.name in self._answers and self.is_active(hyperparameter):
            self.values[hyperparameter.name] = self._answers[hyperparameter.name]
        value: Value | None = super()._register(hyperparameter, overwrite)
        return value

    def get(self, name: str) -> Value:
        """Return the value of `name`; of what is looked up alone, the one that the search file gives."""
        whole = self._get_name(name)
        given = {**self._looked_up, **self._answers}
        if whole not in self._hps and whole in given:
            if not any(one.declared.name == whole for one in self.told):
                self.told.append(Asked(Declared(whole, "get"), given[whole]))
            return given[whole]
        value: Value = super().get(name)
        return value


def _declared(hp: Any) -> Declared:
    """Return a parameter of KerasTuner's as a plain value."""
    ways: tuple[tuple[Condition, ...], ...] = ()
    if hp.conditions:
        ways = (tuple((one.name, tuple(one.values)) for one in hp.conditions),)
    kind: Any = type(hp).__name__
    if kind in ("Int", "Float"):
        low, high = float(hp.min_value), float(hp.max_value)
        step = None if hp.step is None else float(hp.step)
        default = int(hp.default) if kind == "Int" else float(hp.default)
        return Declared(hp.name, kind, (), low, high, step, hp.sampling, default, ways)
    values = () if kind == "Boolean" else tuple(hp.values)
    default = bool(hp.default) if kind == "Boolean" else hp.default
    return Declared(hp.name, kind, values, default=default, ways=ways)
