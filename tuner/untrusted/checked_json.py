"""JSON out of a file: as a value whose every field is of its type, or as it stands, without what JSON leaves open."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from functools import cache
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from tuner.system.interrupts import held_back
from tuner.text import shortened

_T = TypeVar("_T")


@cache  # of each type that is read anywhere, a handful
def adapter_of(kind: Hashable) -> TypeAdapter[Any]:
    """Return what checks values of a type: made when first one is read, since making it takes longer than reading."""
    with held_back():  # pydantic's compiled code drops an interrupt, and keeps a pattern that nothing matches
        return TypeAdapter(kind)  # type: ignore[arg-type]  # types have a hash, which mypy does not know


def parsed(kind: type[_T], text: str) -> _T:
    """Return JSON as a dataclass or pydantic model.

    Raises:
        ValueError: with the first field that is missing, wrong or not known.
    """
    try:
        value: _T = adapter_of(kind).validate_json(text, strict=True)  # type: ignore[arg-type]  # a class has a hash
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from error
    return value


def strict_json(content: bytes | str) -> Any:
    """Return what JSON says where it says it once: no key twice, no number that is none.

    Python's own reader takes the last of two equal keys, where another takes the first: a file would say two things.

    Raises:
        ValueError: it is no such JSON, or nested too deeply.
    """
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    try:
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def same_json(one: object, other: object) -> bool:
    """Tell whether two values are the same JSON: for Python `true` equals 1, and for JSON it does not.

    1 and 1.0 differ as well: what writes our files writes a whole number without a point.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it has the key {shortened(repr(name), 60)} twice")
        found[name] = value
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
