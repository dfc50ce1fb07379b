"""JSON out of a file as a value whose every field is of its type."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

_T = TypeVar("_T")
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def parsed(kind: type[_T], text: str) -> _T:
    """Return JSON as a dataclass or pydantic model.

    Raises:
        ValueError: with the first field that is missing, wrong or not known.
    """
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    try:
        value: _T = _adapters[kind].validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from error
    return value
