"""How far a run is, told in a small file beside what its workers tell, so that whoever watches the search sees it."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tuner.trial import Trial
from tuner.untrusted.checked_json import parsed
from tuner.untrusted.sizes import read_at_most
from tuner.worker.progress import sweep, write_told

#: A run tells this often at most, in seconds, but for the beginning and the end of a phase.
SECONDS_BETWEEN = 0.3
_MOST_BYTES = 1_000_000
#: Of the trials that nobody has begun, so many are told.
MOST_WAITING = 20
Phase = Literal["search", "retraining"]
_Count = Annotated[int, Field(ge=0, lt=1 << 53)]
_Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


@dataclass(frozen=True)
class Status:
    """How far a phase of a run is.

    `done` of `total` trainings have finished, `known` of them in earlier runs; `total` is 0 where nobody knows it
    beforehand. `places` run at a time. `left` is between how many seconds the rest takes; None while nobody knows.
    `at` is when this was told, in seconds since 1970. `paused` says whether the run begins nothing new, and `waiting`
    are some of the trials that nobody has begun.
    """

    what: Phase
    total: _Count
    done: _Count
    known: _Count
    failed: _Count
    places: _Count
    left: tuple[_Seconds, _Seconds] | None
    at: _Seconds
    paused: bool = False
    waiting: Annotated[tuple[Trial, ...], Field(max_length=100)] = ()
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field


class StatusFile:
    """Where a run tells its status.

    Args:
        folder: `progress` in `runs/`, made when something is told.
        search: the name of the search.
    """

    def __init__(self, folder: Path, search: str) -> None:
        self._path = _path(folder, search)
        self._told = 0.0
        sweep(folder)

    def tell(self, status: Status, at_once: bool = False) -> None:
        """Tell, unless that was done a moment ago; where it cannot be written, nothing depends on it."""
        now = time.monotonic()
        if not at_once and now - self._told < SECONDS_BETWEEN:
            return
        self._told = now
        waiting = [json.loads(trial.to_json()) for trial in status.waiting]
        write_told(self._path, {**asdict(status), "waiting": waiting})


def read_status(folder: Path, search: str, since: float) -> Status | None:
    """Return what a run has told in a folder; None if there is nothing, or nothing but what was told before `since`."""
    with contextlib.suppress(Exception):  # of a stranger's file anything may be wrong
        found = parsed(Status, read_at_most(_path(folder, search), _MOST_BYTES).decode())
        return found if found.at >= since else None
    return None


def _path(folder: Path, search: str) -> Path:
    return folder / f"of-{search}.json"
