"""A search as the text of a search file: what `tomllib` would have read, written again in the same order."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from tuner.errors import InputError, key_name, shown


def toml_text(raw: Mapping[str, Any]) -> str:
    """Return a search file's content as text; `tomllib.loads` of it is the same again, the order of its keys included.

    A table stands under a heading of its own where only tables follow it, and in one line where a value does, so that
    nothing has to change places: the order of a space is the order of its grid.
    """
    return "\n".join(_table(raw, "")).strip() + "\n"


def plain(value: object, place: str) -> Any:
    """Return a value of Python's as `tomllib` would have read it: a tuple or an array as a list, a path as a string.

    Raises:
        InputError: no search file could hold it; it names the place.
    """
    if value is None or isinstance(value, str | bool | int | float):
        if value is None:
            raise InputError(place, "is None", "leave it out")
        return _same(value)
    if isinstance(value, PurePath):
        return os.fspath(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError(place, f"has the key {shown(key)}", "keys are strings")
        return {str(key): plain(one, f"{place}.{key_name(key)}") for key, one in value.items()}
    if isinstance(value, Sequence | range) and not isinstance(value, bytes):
        return [plain(one, place) for one in value]
    if hasattr(value, "tolist") and hasattr(value, "dtype"):  # a number or an array of NumPy's
        return plain(value.tolist(), place)
    raise InputError(place, f"is {shown(value)}, a {type(value).__name__}", "give numbers, strings, lists or dicts")


def _same(value: str | bool | int | float) -> str | bool | int | float:
    """Return a value without what a subclass adds to it, such as NumPy's float."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(type(value))


def _table(table: Mapping[str, Any], heading: str) -> Iterator[str]:
    """Yield the lines of a table, those of the tables at its end included."""
    items = list(table.items())
    first = len(items)  # of the tables at the end
    while first and _has_heading(items[first - 1][1]):
        first -= 1
    for key, value in items[:first]:
        yield f"{_key(key)} = {toml_value(value)}"
    for key, value in items[first:]:
        name = f"{heading}.{_key(key)}" if heading else _key(key)
        for one in [value] if isinstance(value, Mapping) else value:
            yield ""
            yield f"[{name}]" if isinstance(value, Mapping) else f"[[{name}]]"
            yield from _table(one, name)


def _has_heading(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
    )


def _key(key: str) -> str:
    plain_key = key_name(key) == key
    return key if plain_key else _string(key)


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {toml_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    return str(value)  # a whole number, inf, nan, or a date as TOML has it


def _string(text: str) -> str:
    """Return text as TOML writes it, which is how JSON does, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
