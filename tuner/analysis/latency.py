"""How fast a saved model classifies, as it was measured after a search: noted beside the model, and read again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tuner.errors import InputError
from tuner.system.files import write_whole
from tuner.trial import Result, Trial
from tuner.untrusted.checked_json import parsed
from tuner.untrusted.sizes import read_at_most

#: So many images at once are classified beside one by itself.
BATCH = 64
_MOST_BYTES = 10_000
Milliseconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


@dataclass(frozen=True)
class LatencyJob:
    """A saved model, the trial that left it, and the data set that it is of."""

    model: Path
    trial: Trial
    data: Path


@dataclass(frozen=True)
class Timing:
    """How long a call took: the median of so many calls, in milliseconds, and the middle half of them."""

    median: Milliseconds
    low: Milliseconds
    high: Milliseconds
    calls: Annotated[int, Field(ge=1, le=1_000_000)]
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field


@dataclass(frozen=True)
class Latency:
    """How long a model takes for one image and for `BATCH` images at once, and on what that was measured."""

    one: Timing
    batch: Timing
    device: Annotated[str, Field(max_length=500)]
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field

    def write(self, model: Path) -> None:
        """Note it beside a model."""
        text = json.dumps(asdict(self))
        write_whole(latency_path(model), lambda path: path.write_text(text, encoding="utf-8"))


def note_failure(model: Path, why: str) -> None:
    """Note why a model cannot be measured, so that it is not tried again."""
    write_whole(latency_path(model), lambda path: path.write_text(json.dumps({"why": why}), encoding="utf-8"))


def latency_path(model: Path) -> Path:
    """Return where the latency of a model is noted."""
    return model.with_suffix(".latency.json")


def milliseconds(model: Path, result: Result) -> float | None:
    """Return how long a saved model takes for one image, as it is noted.

    Of one that is not noted, what an earlier version measured behind its retraining, where it did.
    """
    noted = latency_of(model)
    return noted.one.median if noted else result.latency_ms


def latency_of(model: Path) -> Latency | None:
    """Return what is noted of a model; None where nothing is, or something else than we note."""
    try:
        return parsed(Latency, read_at_most(latency_path(model), _MOST_BYTES).decode("utf-8"))
    except (InputError, ValueError):
        return None
