"""What is exported of a search, read from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tuner.ledger import Ledger, Member
from tuner.places import recorded_search
from tuner.search import Search
from tuner.trial import Attempt, Record


@dataclass(frozen=True)
class Recorded:
    """A search with its finished trials in their order, and when and where each of them ran."""

    search: Search
    members: tuple[tuple[Member, Record], ...]
    attempts: Mapping[str, Attempt]

    @classmethod
    def read(cls, ledger: Ledger, name: str) -> Recorded:
        """Read what is recorded of the search `name`.

        Raises:
            InputError: it never ran, or the ledger holds what no run wrote.
        """
        search = recorded_search(ledger, name)
        finished = tuple((member, record) for member, record in ledger.members(name) if record is not None)
        return cls(search, finished, ledger.attempts(name))

    def of(self, model: str, dataset: str, role: str) -> list[Record]:
        """Return the finished trials of one entry on one data set, in order of proposal."""
        place = (model, dataset, role)
        return [record for member, record in self.members if (member.model, member.dataset, member.role) == place]

    def span(self, record: Record) -> tuple[datetime, datetime]:
        """Return when a trial began and ended."""
        attempt = self.attempts[record.trial.id]
        return datetime.fromtimestamp(attempt.began, UTC), datetime.fromtimestamp(attempt.ended, UTC)
