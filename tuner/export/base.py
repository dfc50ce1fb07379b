"""What is exported of a search, read from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tuner.ledger import Ledger, Member
from tuner.places import recorded_search
from tuner.search import Search
from tuner.trial import Record


@dataclass(frozen=True)
class Recorded:
    """A search with its finished trials in their order, and when each of them ended: UTC, ISO 8601."""

    search: Search
    members: tuple[tuple[Member, Record], ...]
    ended: Mapping[str, str]

    @classmethod
    def read(cls, ledger: Ledger, name: str) -> Recorded:
        """Read what is recorded of the search `name`.

        Raises:
            InputError: it never ran, or the ledger holds what no run wrote.
        """
        search = recorded_search(ledger, name)
        finished = tuple((member, record) for member, record in ledger.members(name) if record is not None)
        return cls(search, finished, ledger.times(name)[1])

    def of(self, model: str, dataset: str, role: str) -> list[Record]:
        """Return the finished trials of one entry on one data set, in order of proposal."""
        place = (model, dataset, role)
        return [record for member, record in self.members if (member.model, member.dataset, member.role) == place]

    def span(self, record: Record) -> tuple[datetime, datetime]:
        """Return when a trial began and ended."""
        end = datetime.fromisoformat(self.ended[record.trial.id])
        return end - timedelta(seconds=record.result.seconds), end
