"""Trials that an edited search has of what it was before: a row of the table of events, written as it begins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Json
from typing_extensions import TypedDict

from tuner.ledger.rows import Count, GivenValues, ModelName, Moment, checked
from tuner.trial import Hash

_STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class EarlierTrial:
    """A trial that had been recorded when a search began, and that a `[[search]]` has on a data set before any other.

    `values` are all of its configuration.
    """

    model: str
    dataset: str
    trial: str
    values: GivenValues


@dataclass(frozen=True)
class Earlier:
    """All such trials of a search, in the order in which they are proposed."""

    trials: tuple[EarlierTrial, ...]

    def content(self) -> str:
        """Return what the ledger holds of them, as JSON."""
        return json.dumps({"trials": [asdict(one) for one in self.trials]})


class _Trial(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    model: ModelName
    dataset: str
    trial: Hash
    values: GivenValues


class _Content(TypedDict):
    __pydantic_config__ = _STRICT  # type: ignore[misc]
    trials: Annotated[list[_Trial], Field(max_length=1_000_000)]


class _EarlierRow(TypedDict):
    """The columns of the table `events` that tell of them."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    number: Count
    kind: Literal["earlier"]
    at: Moment
    content: Json[_Content]


def earlier_of(search: str, row: Sequence[Any]) -> Earlier:
    """Return what a row of the table `events` holds: number, kind, time, content.

    Raises:
        RowError: it is none that a run wrote.
    """
    columns = dict(zip(_EarlierRow.__annotations__, row, strict=True))
    found = checked(_EarlierRow, f"earlier trials of the search {search!r:.60}", columns)
    return Earlier(tuple(EarlierTrial(**one) for one in found["content"]["trials"]))
