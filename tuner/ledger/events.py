"""Events of a search: what was decided while it ran by something else than recorded results, such as the clock.

A search is what its file and its recorded results say. What else decides is written down, so that a run that goes on
decides the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, Json
from typing_extensions import TypedDict

from tuner.ledger.rows import Count, ModelName, Moment, checked, moment_of
from tuner.trial import Hash

#: No search has more trials than so many.
_MOST_TRIALS = 1_000_000
#: How many trials, or configurations, of a search there were.
TrialCount = Annotated[int, Field(ge=0, le=_MOST_TRIALS)]
Hours = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
_STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class Stop:
    """A model search on a data set that proposes nothing new `after` so many configurations, of `planned`.

    Of those so many were `left_out`, where somebody ended the search and not the clock.
    """

    model: str
    dataset: str
    after: int
    planned: int
    left_out: int = 0


@dataclass(frozen=True)
class Event:
    """Something that happened to a search, `at` a time in seconds since 1970, UTC.

    `ended`: its hours were over, so that from the model searches of `stops` nothing new was taken; without hours,
    somebody ended it, and the trials `left_out` were proposed by then and are not trained. `lifted`: it went on from
    there, for `hours` more or, None, to its end.
    """

    kind: Literal["ended", "lifted"]
    hours: float | None
    stops: tuple[Stop, ...] = ()
    at: float = field(default_factory=time.time)
    left_out: tuple[str, ...] = ()

    def content(self) -> str:
        """Return what the ledger holds of it, beside its kind and time, as JSON."""
        stops = [asdict(stop) for stop in self.stops]
        for stop in stops:
            if not stop["left_out"]:
                del stop["left_out"]  # so that one of the clock's is written as it always was
        more = {"left_out": self.left_out} if self.left_out else {}
        return json.dumps({"hours": self.hours, "stops": stops, **more}, sort_keys=True)

    @property
    def by_hand(self) -> bool:
        """Whether somebody ended the search, and not its hours."""
        return self.kind == "ended" and self.hours is None


def in_force(events: Sequence[Event]) -> Event | None:
    """Return the event by which a search has ended before its end; None where it has not, or has gone on since."""
    return events[-1] if events and events[-1].kind == "ended" else None


def limits_of(events: Sequence[Event]) -> Mapping[tuple[str, str], int]:
    """Return after how many configurations nothing new is taken, by model and data set, where that is so."""
    ended = in_force(events)
    return {(stop.model, stop.dataset): stop.after for stop in ended.stops} if ended else {}


class _Stop(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    model: ModelName
    dataset: str
    after: TrialCount
    planned: Count
    left_out: NotRequired[TrialCount]


class _Content(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    hours: Hours | None
    stops: Annotated[list[_Stop], Field(max_length=100_000)]
    left_out: NotRequired[Annotated[list[Hash], Field(max_length=_MOST_TRIALS)]]


class _EventRow(TypedDict):
    """The columns of the table `events` that tell of one."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    number: Count
    kind: Literal["ended", "lifted"]
    at: Moment
    content: Json[_Content]


def event_of(search: str, row: Sequence[Any]) -> Event:
    """Return what a row of the table `events` holds: number, kind, time, content.

    Raises:
        RowError: it is none that a run wrote.
    """
    fields = dict(zip(_EventRow.__annotations__, row, strict=True))
    found = checked(_EventRow, f"an event of the search {search!r:.60}", fields)
    stops = tuple(Stop(**stop) for stop in found["content"]["stops"])
    left_out = tuple(found["content"].get("left_out", ()))
    return Event(found["kind"], found["content"]["hours"], stops, moment_of(found["at"]), left_out)
