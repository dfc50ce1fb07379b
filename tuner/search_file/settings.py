"""Keys of a search file that the command line sets for one run: `--set training.epochs=5`."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from tuner.errors import InputError, shown, suggestion

_OPTION = "--set"
_EXAMPLE = "write KEY=VALUE, such as training.epochs=5 or search.cnn.max_trials=20"


def with_settings(raw: Mapping[str, Any], settings: Sequence[str]) -> Mapping[str, Any]:
    """Return the content of a search file with keys set anew.

        with_settings(raw, ["training.epochs=5", "search.cnn.space.dropout=[0.1, 0.3]"])

    Args:
        raw: as `tomllib` read it; it stays as it is.
        settings: of each the way to a key and its value in TOML; a word needs no quotes. After `search` the way names
            a `[[search]]` by its name, its family or its number.

    Raises:
        InputError: a setting is not understood, or leads to no table of the file.
    """
    if not settings:
        return raw
    changed = copy.deepcopy(dict(raw))
    for setting in settings:
        steps, equals, value = parted(setting)
        if not equals or not all(steps):
            raise InputError(_OPTION, f"{shown(setting)} is no setting", _EXAMPLE)
        _set(changed, steps, _read(value.strip(), setting))
    return changed


def parted(setting: str) -> tuple[list[str], str, str]:
    """Return the steps of the way to a key, such as `["report", "note"]`, the sign `=`, and the value."""
    way, equals, value = setting.partition("=")
    return [step.strip() for step in way.split(".")], equals, value


def _read(text: str, setting: str) -> object:
    """Return a value in TOML, or a single word as a string."""
    try:
        found = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        found = {}
    if found.keys() == {"value"}:
        value: object = found["value"]
        return value
    if re.fullmatch(r"[A-Za-z_][\w.:/-]*", text):
        return text
    raise InputError(_OPTION, f"{shown(setting)} has no value in TOML", "write strings of several words in quotes")


def _set(table: dict[str, Any], steps: Sequence[str], value: object) -> None:
    """Set the value at the end of a way; tables on it that are not there are made."""
    place = table
    steps = list(steps)
    for number, step in enumerate(steps[:-1]):
        inner = place.setdefault(step, {})
        if step == "search" and number == 0 and isinstance(inner, list):
            if len(steps) < 3:
                raise InputError(_OPTION, f"{'.'.join(steps)} names no key of a [[search]]", _EXAMPLE)
            inner = {name: one for name, one in _named(inner).items() if isinstance(one, dict)}
            if steps[1] not in inner:
                raise InputError(_OPTION, f"no [[search]] is {steps[1]!r}", suggestion(steps[1], inner))
        if not isinstance(inner, dict):
            raise InputError(_OPTION, f"{'.'.join(steps[: number + 1])} is a value, not a table", _EXAMPLE)
        place = inner
    place[steps[-1]] = value


def _named(entries: Sequence[Any]) -> dict[str, Any]:
    """Return the `[[search]]` of a file by number, family and name; a family that several have names none of them."""
    found: dict[str, Any] = {str(number): entry for number, entry in enumerate(entries, start=1)}
    for key in ("family", "name"):
        names = [str(entry.get(key)) for entry in entries if isinstance(entry, dict)]
        found |= {
            str(entry[key]): entry
            for entry in entries
            if isinstance(entry, dict) and key in entry and names.count(str(entry[key])) == 1
        }
    return found
