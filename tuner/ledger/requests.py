"""What somebody asked of a search while it ran, and what its run decided: rows of the table of events.

Whoever watches a search writes a request, `asked`; the run writes a decision, `decided`, which counts from then on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, Json
from typing_extensions import TypedDict

from tuner.ledger.earlier import Earlier, earlier_of
from tuner.ledger.events import Event, TrialCount, event_of, in_force
from tuner.ledger.rows import Count, GivenValues, ModelName, Moment, RowError, checked
from tuner.trial import Hash

#: What may be asked: a trial is ended, or not begun; the run begins nothing, or again; the search ends with its report;
#: a configuration is added to a `[[search]]`, or its `max_trials` is another number.
What = Literal["stop", "skip", "pause", "resume", "report", "add", "max_trials"]
#: Those that are about a trial.
OF_A_TRIAL = ("stop", "skip")
#: Those that are about a `[[search]]`, and change what it proposes.
OF_A_MODEL = ("add", "max_trials")
_STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class Request:
    """What is asked of a search.

    `trial` names the trial that it is about, `model` the `[[search]]`; each is empty where it is about none. `values`
    are the configuration that is to be added, and `max_trials` the number that is to hold.
    """

    what: What
    trial: Hash | Literal[""] = ""
    model: ModelName | Literal[""] = ""
    values: GivenValues | None = None
    max_trials: int | None = None
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field

    @property
    def is_whole(self) -> bool:
        """Whether it says all that a request of its kind has to say, and no more."""
        return (
            bool(self.trial) == (self.what in OF_A_TRIAL)
            and bool(self.model) == (self.what in OF_A_MODEL)
            and (self.values is not None) == (self.what == "add")
            and (self.max_trials is not None) == (self.what == "max_trials")
        )

    def content(self) -> str:
        """Return what the ledger holds of it, as JSON."""
        return _content(self)


@dataclass(frozen=True)
class Change:
    """What a decision changed of the proposals of a `[[search]]` on a data set, and when.

    That was when `proposed` trials had been proposed there and its oracle had heard of `told` results; `asked` says
    whether it had also been asked for the next proposal, and had none then. `values` are all of the configuration that
    was added, as `trial`. `limit` is after how many proposals of its own the oracle ends from then on, and `left_out`
    are trials that had been proposed and are too many for that.
    """

    dataset: str
    proposed: int
    told: int
    asked: bool
    trial: str = ""
    values: GivenValues | None = None
    limit: int | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What a run decided on the request of number `asked`, `after` so many search trials had been recorded.

    `trained` says whether a trial was under way when it was ended. `refused` says why nothing came of the
    request; empty where it was granted. `model`, `values`, `max_trials` and the number `instead_of` which that holds
    are of a request about a `[[search]]`, as are its `changes`, one for each data set that has any.
    """

    asked: int
    what: What
    trial: str
    after: int
    trained: bool = False
    refused: str = ""
    model: str = ""
    values: GivenValues | None = None
    max_trials: int | None = None
    instead_of: int | None = None
    changes: tuple[Change, ...] = ()

    def content(self) -> str:
        """Return what the ledger holds of it, as JSON."""
        return _content(self)


#: What stands in the ledger of every request and decision; the rest only where it says something.
_ALWAYS = ("what", "trial", "asked", "after", "trained", "refused")


def _content(one: Request | Decision) -> str:
    whole = asdict(one)
    defaults = {field.name: field.default for field in fields(one)}
    kept = {name: value for name, value in whole.items() if name in _ALWAYS or value != defaults[name]}
    return json.dumps(dict(sorted(kept.items())))  # values keep the order of their space


def left_out_of(decisions: Sequence[Decision], events: Sequence[Event]) -> set[str]:
    """Return the trials that a search proposes and does not train, by what was decided of them."""
    ended = in_force(events)
    by_hand = {one.trial for one in decisions if one.what in OF_A_TRIAL and not one.refused}
    return by_hand | set(ended.left_out if ended else ())


class _Asked(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    what: What
    trial: Hash | Literal[""]
    model: NotRequired[ModelName]
    values: NotRequired[GivenValues]
    max_trials: NotRequired[int]


class _Changed(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    dataset: str
    proposed: Count
    told: Count
    asked: bool
    trial: Hash | Literal[""]
    values: GivenValues | None
    limit: Count | None
    left_out: Annotated[list[Hash], Field(max_length=1_000_000)]


class _Decided(_Asked):
    asked: Count
    after: TrialCount
    trained: bool
    refused: Annotated[str, Field(max_length=10_000)]
    instead_of: NotRequired[Count]
    changes: NotRequired[Annotated[list[_Changed], Field(max_length=10_000)]]


def _whole(content: _Asked) -> _Asked:
    """See that what is asked, or was decided, names what it is about."""
    about = Request.__annotations__.keys() & content.keys()
    if not Request(**{name: value for name, value in content.items() if name in about}).is_whole:  # type: ignore[arg-type]
        raise ValueError("what is asked for names what it is about, and nothing else")
    return content


class _AskedRow(TypedDict):
    """The columns of the table `events` that tell of a request."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    number: Count
    kind: Literal["asked"]
    at: Moment
    content: Json[Annotated[_Asked, AfterValidator(_whole)]]


class _DecidedRow(TypedDict):
    """The columns of the table `events` that tell of a decision."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    number: Count
    kind: Literal["decided"]
    at: Moment
    content: Json[Annotated[_Decided, AfterValidator(_whole)]]


def told_of(search: str, rows: Sequence[Sequence[Any]]) -> list[tuple[int, Told]]:
    """Return what all rows of a search in the table `events` hold, in their order, each with its number.

    A row is number, kind, time and content.

    Raises:
        RowError: one of them is none that a run, or somebody who watches it, wrote.
    """
    told: list[tuple[int, Told]] = []
    for place, row in enumerate(rows):
        one = _READ.get(row[1], event_of)(search, row)
        if row[0] != place:
            raise RowError(f"an event of the search {search!r:.60}, number: {row[0]}: a run writes {place}")
        if isinstance(one, Decision) and not (one.asked < place and isinstance(told[one.asked][1], Request)):
            where = f"a decision on the search {search!r:.60}, content.asked: {one.asked}"
            raise RowError(f"{where}: a run writes the number of a request before it")
        told.append((place, one))
    return told


def _request_of(search: str, row: Sequence[Any]) -> Request:
    columns = dict(zip(_AskedRow.__annotations__, row, strict=True))
    return Request(**checked(_AskedRow, f"a request to the search {search!r:.60}", columns)["content"])


def _decision_of(search: str, row: Sequence[Any]) -> Decision:
    columns = dict(zip(_DecidedRow.__annotations__, row, strict=True))
    whole: dict[str, Any] = checked(_DecidedRow, f"a decision on the search {search!r:.60}", columns)["content"]
    changes = tuple(Change(**{**one, "left_out": tuple(one["left_out"])}) for one in whole.pop("changes", ()))
    return Decision(**whole, changes=changes)


#: What a row of the table of events may tell.
Told = Event | Request | Decision | Earlier
#: What reads the rows of a kind; all others are events of the run itself.
_READ: Mapping[str, Callable[[str, Sequence[Any]], Told]] = {
    "earlier": earlier_of,
    "asked": _request_of,
    "decided": _decision_of,
}
