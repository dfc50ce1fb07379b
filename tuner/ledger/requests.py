"""What somebody asked of a search while it ran, and what its run decided: rows of the table of events.

Whoever watches a search writes a request, `asked`; the run writes a decision, `decided`, which counts from then on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, Json
from typing_extensions import TypedDict

from tuner.ledger.events import Event, in_force
from tuner.ledger.rows import Count, checked
from tuner.trial import Hash

#: What may be asked: a trial is ended, or not begun; the run begins nothing, or again; the search ends with its report.
What = Literal["stop", "skip", "pause", "resume", "report"]
#: Those that are about a trial.
OF_A_TRIAL = ("stop", "skip")
_STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class Request:
    """What is asked of a search; `trial` names the trial that it is about, and is empty where it is about none."""

    what: What
    trial: Hash | Literal[""] = ""
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field

    def content(self) -> str:
        """Return what the ledger holds of it, as JSON."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class Decision:
    """What a run decided on the request of number `asked`, `after` so many search trials had been recorded.

    `trained` says whether a trial was under way when it was ended. `refused` says why nothing came of the
    request; empty where it was granted.
    """

    asked: int
    what: What
    trial: str
    after: int
    trained: bool = False
    refused: str = ""

    def content(self) -> str:
        """Return what the ledger holds of it, as JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def left_out_of(decisions: Sequence[Decision], events: Sequence[Event]) -> set[str]:
    """Return the trials that a search proposes and does not train, by what was decided of them."""
    ended = in_force(events)
    by_hand = {one.trial for one in decisions if one.what in OF_A_TRIAL and not one.refused}
    return by_hand | set(ended.left_out if ended else ())


class _Asked(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    what: What
    trial: Hash | Literal[""]


class _Decided(_Asked):
    asked: Count
    after: Count
    trained: bool
    refused: Annotated[str, Field(max_length=10_000)]


class _AskedRow(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    content: Json[_Asked]


class _DecidedRow(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    content: Json[_Decided]


def request_of(search: str, content: str) -> Request:
    """Return the request that a row of the table `events` holds.

    Raises:
        RowError: it is none that anybody wrote.
    """
    found = checked(_AskedRow, f"a request to the search {search!r:.60}", {"content": content})
    return Request(**found["content"])


def decision_of(search: str, content: str) -> Decision:
    """Return the decision that a row of the table `events` holds.

    Raises:
        RowError: it is none that a run wrote.
    """
    found = checked(_DecidedRow, f"a decision on the search {search!r:.60}", {"content": content})
    return Decision(**found["content"])
