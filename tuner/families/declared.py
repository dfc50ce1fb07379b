"""A parameter as a user's `build(hp)` declares it, and what a search file makes of it. Free of Keras."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from tuner.space.parameters import Choice, Condition, Domain, Parameter, Range, Value, domain_of
from tuner.trial import Held

#: What `hp` is asked as; "get" is a parameter that is looked up and never declared, which the search file has to name.
Kind = Literal["Int", "Float", "Choice", "Boolean", "Fixed", "get"]


@dataclass(frozen=True)
class Declared:
    """A parameter that `build(hp)` asks for: `hp.Int("units", 16, 64, step=16)`.

    `low`, `high`, `step` and `sampling` are those of a number; `values` are those of a choice, or the fixed one. It is
    active where all conditions of one of the `ways` hold; without any, always.
    """

    name: Annotated[str, Field(max_length=1_000)]
    kind: Kind
    values: tuple[Held, ...] = ()
    low: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    high: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    sampling: Literal["linear", "log", "reverse_log"] = "linear"
    default: Held | None = None
    ways: tuple[tuple[tuple[str, tuple[Held, ...]], ...], ...] = ()
    #: Of what a ledger holds: an unknown field would be lost.
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field

    @property
    def bare(self) -> Declared:
        """The same without its conditions: what is asked, whether or not it is active."""
        return replace(self, ways=())

    def domain(self) -> Domain:
        """Return what is searched of it where the search file does not name it.

        Its values are those of a search file's own ranges, not KerasTuner's, whose steps may miss the end.

        Raises:
            ValueError: it has no domain that could be searched.
        """
        if self.kind == "get":
            raise ValueError("is looked up in hp and never declared, so that nothing says what to search")
        if self.kind == "Boolean":
            return Choice((False, True))
        if self.kind in ("Choice", "Fixed"):
            if not self.values:
                raise ValueError("has no values")
            return Choice(tuple(dict.fromkeys(self.values)))
        whole = self.kind == "Int"
        if self.low == self.high:
            return Choice((int(self.low) if whole else self.low,))
        log = self.sampling != "linear"
        if self.low > self.high or (log and (self.low <= 0 or (self.step or 2) <= 1)):
            raise ValueError("has no values")
        step = None if whole and not log and self.step == 1 else self.step
        found = Range(self.low, self.high, step, log, whole)
        if step is not None and not found.is_finite:
            raise ValueError(f"has {found.size():,} steps, which are too many")
        if self.sampling != "reverse_log":
            return found
        if step is None:
            raise ValueError("has sampling = 'reverse_log' without a step, which is not known here")
        turned = [self.high + self.low - float(value) for value in reversed(found.values)]
        return Choice(tuple(round(v) if whole else float(f"{v:.12g}") for v in turned))

    def parameter(self) -> Parameter:
        """Return it as a parameter of a space whose file does not name it; a fixed one is no part of a trial's name."""
        first = self.values[0] if self.values else False if self.kind == "Boolean" else 0
        kind = {"Int": int, "Float": float}.get(self.kind, type(first))
        default = kind(first if self.default is None else self.default)
        return Parameter(self.name, default, ways=self.ways, idle=default if self.kind == "Fixed" else None)

    def named(self, raw: object) -> Parameter:
        """Return it as a parameter that the search file gives `raw` for, which has to be among what is declared.

        Numbers have the type that they have in the file.
        """
        if self.kind == "get":
            return replace(untold(self.name, raw), ways=self.ways)
        numbers = raw if isinstance(raw, list) else [raw]
        own = self.parameter()
        kind: type[Value] = own.kind
        if kind is float and not isinstance(raw, Mapping) and all(type(one) is int for one in numbers):
            kind = int
        elif kind is int and self.kind == "Choice" and all(type(one) is bool for one in numbers):
            kind = bool  # KerasTuner makes 1 and 0 of a choice's true and false
        elif kind is int and self.kind == "Boolean":
            kind = bool
        domain = self.domain()
        texts = tuple(v for v in domain.values if isinstance(v, str)) if isinstance(domain, Choice) else ()
        default = kind() if kind is not str else (texts or ("",))[0]
        low, high = (domain.low, domain.high) if isinstance(domain, Range) else (-math.inf, math.inf)
        found = Parameter(self.name, default, texts, low, high, ways=self.ways)
        return found if texts else replace(found, doc=in_words(domain), verify=_Among(domain))

    def narrowed(self, raw: object) -> Domain:
        """Return what is searched of it where the search file gives `raw`.

        What a range leaves out, step and sampling, is as declared.

        Raises:
            ValueError: with what is wrong, or not among what is declared.
        """
        parameter = self.named(raw)
        if self.kind == "get":
            return domain_of(raw, parameter)
        own = self.domain()
        if isinstance(raw, Mapping) and isinstance(own, Range):
            sampling = "log" if own.log else "linear"
            raw = {"sampling": sampling, **raw}
            if own.step is not None and raw["sampling"] == sampling:
                raw = {"step": int(own.step) if own.whole else own.step, **raw}
        found = domain_of(raw, parameter)
        stepped = isinstance(own, Choice) or own.step is not None
        if isinstance(found, Range) and stepped:
            if not found.is_finite or not (found.step is not None or found.whole):
                raise ValueError(f"needs a step: it is {in_words(own)}")
            for value in found.values:
                parameter.check(value)
        return found

    def __str__(self) -> str:
        if self.kind in ("Int", "Float"):
            step = f", step={self.step:g}" if self.step is not None and (self.kind, self.step) != ("Int", 1) else ""
            sampling = f", {self.sampling}" if self.sampling != "linear" else ""
            return f"{self.low:g} to {self.high:g}{step}{sampling}"
        return ", ".join(map(str, self.values)) or self.kind.lower()


@dataclass(frozen=True)
class _Among:
    """Sees that a value is one that is declared."""

    domain: Domain

    def __call__(self, value: Any) -> None:
        if isinstance(self.domain, Range) and self.domain.step is None:
            return
        numbers = [one for one in self.domain.values if not isinstance(one, str)]
        if all(abs(value - one) > 1e-9 * abs(one) for one in numbers):
            raise ValueError(f"{value!r} is not among {in_words(self.domain)}")


def untold(name: str, raw: object) -> Parameter:
    """Return a parameter whose type is that of the values in the search file."""
    values = raw if isinstance(raw, list) else list(raw.values()) if isinstance(raw, dict) else [raw]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if numbers and all(isinstance(v, int) for v in numbers):
        return Parameter(name, 0)
    if numbers:
        return Parameter(name, 0.0)
    return Parameter(name, values[0] if values and isinstance(values[0], bool) else "")


def in_words(domain: Domain) -> str:
    """Return a domain as people read it: `16, 32, 64`, or `0.0001 to 0.1, log`."""
    if isinstance(domain, Choice):
        return _listed([_short(value) for value in domain.values])
    if domain.step is not None and domain.is_finite:
        return _listed([_short(value) for value in domain.values])
    return f"{_short(domain.low)} to {_short(domain.high)}" + (", on a logarithmic scale" if domain.log else "")


def ways_in_words(ways: tuple[tuple[Condition, ...], ...]) -> str:
    """Return where a parameter is active, as people read it; empty where it always is."""
    texts = [
        " and ".join(f"{name} is {_listed([_short(v) for v in values], ' or ')}" for name, values in way)
        for way in ways
    ]
    return ", or ".join(texts)


#: Of a longer list of values the first ones and the last one are shown.
_MOST_SHOWN = 8


def _listed(texts: list[str], between: str = ", ") -> str:
    if len(texts) > _MOST_SHOWN:
        return f"{', '.join(texts[:3])}, …, {texts[-1]}"
    return between.join(texts)


def _short(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
