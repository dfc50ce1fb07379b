"""What is given beside a search file: options of the command line, and Keras' backend."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def _whole(said: str, least: int, most: int | None = None) -> Any:
    """Return a field of `Overrides`: what the command line says of it, and how small and large it may be."""
    return field(default=None, metadata={"said": said, "least": least, "most": most})


#: No run has more hours.
MOST_HOURS = 100_000


@dataclass(frozen=True)
class Overrides:
    """Smaller stand-ins for a budget, from the command line; printed in every table that they shaped.

    A new one is a field here, which `tuner run` has as an option, and a parameter of `tuner.load_search`.
    """

    epochs: int | None = _whole("Epochs of every trial, instead of the search file's.", 1, 1_000_000)
    train_size: int | None = _whole("Use so many training images, drawn by class.", 2)
    test_size: int | None = _whole("Use so many test images, drawn by class.", 2)
    repeats: int | None = _whole("Retrainings of each winner, instead of the search file's.", 1, 100)
    settings: tuple[str, ...] = field(
        default=(),
        metadata={"said": "Any key of the search file, as training.batch_size=64 or search.cnn.lag=2; repeatable."},
    )

    @property
    def given(self) -> list[tuple[str, str]]:
        """What was given: options with their values, as one would type them."""
        numbers = [(option_name(name), str(value)) for name, value in self.content.items() if name != "settings"]
        return [*numbers, *((option_name("settings"), shlex.quote(setting)) for setting in self.settings)]

    @property
    def content(self) -> dict[str, Any]:
        """What was given, by the names of the fields."""
        return {name: value for name, value in vars(self).items() if value not in (None, ())}

    @property
    def recorded(self) -> dict[str, Any]:
        """What a search is named by and recorded with: the oldest fields, and newer ones where they were given."""
        return {name: value for name, value in vars(self).items() if name != "settings" or value}


def option_name(field_name: str) -> str:
    """Return what the command line calls a field of `Overrides`."""
    return "--set" if field_name == "settings" else f"--{field_name.replace('_', '-')}"


def backend_name() -> str:
    """Return Keras' backend as Keras will choose it, without importing Keras."""
    name = os.environ.get("KERAS_BACKEND")
    if name:
        return name
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        return str(json.loads((home / "keras.json").read_text(encoding="utf-8")).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"
