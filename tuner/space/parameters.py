"""What a family or a recipe takes, and the domain that a search gives to it.

Plain values without Keras in them, so that a grid can be counted without importing TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tuner.errors import shown

Value = bool | int | float | str
Values = Mapping[str, Value]

#: A parameter with values of it: that it has one of them.
Condition = tuple[str, tuple[Value, ...]]

_KIND_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


@dataclass(frozen=True)
class Table:
    """What a parameter of strings takes beside its choices: a table, whose value is a string that says all of it.

    `read` returns this string for a table, and for a string that says one in any form; None for any other string. It
    raises ValueError for a table that makes no sense. `doc` is what it is called.
    """

    doc: str
    read: Callable[[Mapping[str, object] | str], str | None]


@dataclass(frozen=True)
class Parameter:
    """One parameter: its default (whose type is the parameter's type), bounds and condition.

    `choices` are the permitted values of a string, and for a number what plain KerasTuner searches when nobody
    says anything else. `when = (parent, values)` makes it active only where the parent has one of these values;
    `ways` is for one that several parents decide about: it is active where all conditions of one of the ways hold.
    `above = (parent, number)` makes it active only where the parent is larger; `given` makes a `when` of it.
    `verify` raises ValueError for a value of the right type that makes no sense. `table` is what a string may also be.

    `idle` is for a parameter that was added when trials had been recorded: its value at which a network trains as one
    that never heard of the parameter. There it is left out of a trial's name, so that the recorded ones still count.
    """

    name: str
    default: Value
    choices: tuple[Value, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    doc: str = ""
    when: Condition | None = None
    verify: Callable[[Any], object] | None = None
    idle: Value | None = None
    ways: tuple[tuple[Condition, ...], ...] = ()
    above: tuple[str, float] | None = None
    table: Table | None = None

    @property
    def kind(self) -> type[Value]:
        """The type of its values."""
        return type(self.default)

    def check(self, raw: object) -> Value:
        """Return `raw` as a value of this parameter.

        Raises:
            ValueError: with what was expected, when type, bounds or choices do not fit.
        """
        value: object = raw
        if self.table is not None and isinstance(raw, Mapping | str) and (text := self.table.read(raw)) is not None:
            return text
        also = f" or {self.table.doc}" if self.table is not None else ""
        if self.kind is float and isinstance(raw, int) and not isinstance(raw, bool):
            value = float(raw) if abs(raw) < 1 << 63 else math.inf
        if type(value) is not self.kind:
            hint = f": {self.doc}" if self.verify is not None else ""
            raise ValueError(f"{shown(raw)} is not {_KIND_NAMES[self.kind]}{also}{hint}")
        if isinstance(value, str):
            value = self.meant(value)
        if isinstance(value, str) and self.choices and value not in self.choices:
            raise ValueError(f"{shown(raw)} is not one of {', '.join(map(str, self.choices))}{also}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, int) and abs(value) >= 1 << 63:
                raise ValueError("the number is too large")
            if not math.isfinite(value):
                raise ValueError(f"{shown(raw)} is not finite")
            if not self.low <= value <= self.high:
                raise ValueError(f"{shown(raw)} is outside {self.low:.7g} to {self.high:.7g}")
        if self.verify is not None:
            self.verify(value)
        return value

    def meant(self, text: str) -> str:
        """Return the choice that is written like this but for capitals: `adam` for `Adam`, as Keras calls its class."""
        found = [str(c) for c in self.choices if str(c).lower() == text.lower()]
        return text if text in found else next(iter(found), text)

    def is_idle(self, values: Values) -> bool:
        """Whether the parameter stands at its idle value in `values`."""
        return self.idle is not None and self.name in values and values[self.name] == self.idle

    def is_active(self, values: Values) -> bool:
        """Whether the parameter matters beside `values`, which hold those of its parents that are active."""
        if self.above is not None and not float(values.get(self.above[0], -math.inf)) > self.above[1]:
            return False
        return any(all(values.get(name) in given for name, given in way) for way in self.conditions)

    def given(self, domains: Mapping[str, Domain]) -> Parameter:
        """Return the same with a condition on the values that its parent can have, in place of `above`.

        Of a range without steps, which hits its lower end never, it is active on the whole.
        """
        if self.above is None:
            return self
        parent, number = self.above
        try:
            larger = tuple(value for value in domains[parent].grid() if float(value) > number)
        except ValueError:
            return replace(self, above=None)
        return replace(self, above=None, when=(parent, larger))

    @property
    def conditions(self) -> tuple[tuple[Condition, ...], ...]:
        """The ways in which it is active, each a list of conditions that hold together; one without any is always."""
        return self.ways or (((self.when,),) if self.when else ((),))

    @property
    def parents(self) -> tuple[str, ...]:
        """The names of the parameters that decide whether it is active."""
        return tuple(dict.fromkeys(name for way in self.conditions for name, _ in way))


@dataclass(frozen=True)
class Layered:
    """A parameter of each layer of a stack, as `filters` of each convolution: `filters_1`, `filters_2`, …

    `depth` names the parameter that says how many layers there are. `first` is the name in the first layer,
    where that is not numbered (`dense_units`, `dense_units_2`, …).
    """

    parameter: Parameter
    depth: str
    first: str = ""

    @property
    def name(self) -> str:
        """The name of the group, as search files give it for all layers at once."""
        return self.parameter.name

    def name_in(self, layer: int) -> str:
        """Return the parameter's name in `layer`, which counts from 1."""
        return self.first if layer == 1 and self.first else f"{self.name}_{layer}"

    def expand(self, deepest: int) -> tuple[Parameter, ...]:
        """Return one parameter per layer of a stack of up to `deepest` layers, each active where it exists."""
        return tuple(
            replace(self.parameter, name=self.name_in(layer), when=(self.depth, tuple(range(layer, deepest + 1))))
            for layer in range(1, deepest + 1)
        )

    def read(self, values: Values) -> list[Value]:
        """Return the values of the existing layers, first to last."""
        return [values[self.name_in(layer)] for layer in range(1, int(values[self.depth]) + 1)]


@dataclass(frozen=True)
class Choice:
    """A list of values; a fixed value is a list of one."""

    values: tuple[Value, ...]

    def grid(self) -> tuple[Value, ...]:
        """Return the values that a grid visits."""
        return self.values

    def holds(self, value: Value) -> bool:
        """Whether a value of the parameter's type is in the list."""
        return value in self.values


@dataclass(frozen=True)
class Range:
    """All values from `low` to `high`, both included; with `step` (a factor where `log`) only every such one."""

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    def grid(self) -> tuple[Value, ...]:
        """Return the values that a grid visits.

        Raises:
            ValueError: a range of real numbers without a step has no end of values, one with a tiny step too many.
        """
        if self.step is None and not (self.whole and not self.log):
            raise ValueError("a grid needs a list of values or a range with a step")
        if not self.is_finite:
            raise ValueError(f"{self.size():,} values are too many for a grid")
        return self.values

    def size(self) -> float:
        """Return how many values there are: without end of real numbers without a step."""
        if self.step is None:
            return int(self.high - self.low) + 1 if self.whole else math.inf
        span = math.log(self.high / self.low, self.step) if self.log else (self.high - self.low) / self.step
        return int(span + 1e-9) + 1

    @property
    def is_finite(self) -> bool:
        """Whether `values` can list what there is."""
        return self.size() <= MOST_VALUES

    def holds(self, value: Value) -> bool:
        """Whether a number is one of the range's."""
        if self.is_finite:
            return value in self.values
        return not isinstance(value, str) and self.low <= value <= self.high

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """Every value of a finite range, in order: the same ones for every algorithm, to the last digit."""
        count = int(self.size())
        factor = self.step if self.log else None
        steps = (self.low * factor**i if factor else self.low + i * (self.step or 1) for i in range(count))
        return tuple(round(v) if self.whole else float(f"{v:.12g}") for v in steps)


#: More values of one parameter than anybody steps through; they are held in memory.
MOST_VALUES = 1_000_000

Domain = Choice | Range

_RANGE_KEYS = ("min", "max", "step", "sampling")


def domain_of(raw: object, parameter: Parameter) -> Domain:
    """Read what a search file gives for `parameter`: a value, a list of values or `{min, max, step|sampling}`.

    A table is a value of a parameter that takes tables.

    Raises:
        ValueError: with what is wrong and what was expected.
    """
    if isinstance(raw, Mapping) and parameter.table is None:
        return _range_of(raw, parameter)
    if not isinstance(raw, list):
        return Choice((parameter.check(raw),))
    values = tuple(parameter.check(item) for item in raw)
    if not values:
        raise ValueError("the list is empty, so that no trial is left")
    if len(set(values)) < len(values):
        raise ValueError("the list names a value twice")
    return Choice(values)


def _range_of(raw: Mapping[str, object], parameter: Parameter) -> Range:
    if parameter.kind not in (int, float):
        raise ValueError(f"a range needs numbers, and {parameter.name} takes {_KIND_NAMES[parameter.kind]}")
    unknown = sorted(set(raw) - set(_RANGE_KEYS))
    if unknown or "min" not in raw or "max" not in raw:
        what = f"a range has no key {unknown[0]!r}" if unknown else "a range needs min and max"
        raise ValueError(f"{what} (its keys: {', '.join(_RANGE_KEYS)})")
    low, high = float(parameter.check(raw["min"])), float(parameter.check(raw["max"]))
    sampling, step = raw.get("sampling", "linear"), raw.get("step")
    if sampling not in ("linear", "log"):
        raise ValueError(f"sampling {sampling!r} is not one of linear, log")
    log = sampling == "log"
    if low >= high:
        raise ValueError(f"min {low:g} is not below max {high:g}")
    if log and low <= 0:
        raise ValueError("sampling 'log' needs a min above 0")
    if step is not None and (
        isinstance(step, bool) or not isinstance(step, int | float) or not (1 if log else 0) < step < 1e18
    ):
        raise ValueError(f"step {step!r} is not a number above {1 if log else 0}")
    if step is not None and parameter.kind is int and step != int(step):
        raise ValueError(f"step {step!r} is not a whole number")
    given = Range(low, high, None if step is None else float(step), log, parameter.kind is int)
    if step is not None and not given.whole and not given.is_finite:
        raise ValueError(f"{given.size():,} steps from {low:g} to {high:g} are too many: give a larger step, or none")
    return given
