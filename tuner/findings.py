"""What a search found: its trials, the chosen configurations, their retrainings and their predictions.

Read from the ledger and the saved predictions alone; the report and `tuner compare` are computed from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tuner.datasets.base import Dataset
from tuner.datasets.store import load_from_store
from tuner.errors import CheckError, InputError
from tuner.ledger import Ledger, Member
from tuner.protocol import ranked
from tuner.scores import Predictions, load_predictions
from tuner.search import Search, search_from_json
from tuner.trial import Record


@dataclass(frozen=True)
class Places:
    """Where a search reads and writes."""

    runs: Path = Path("runs")
    reports: Path = Path("reports")
    data: Path | None = None

    @property
    def ledger(self) -> Path:
        """The ledger file."""
        return self.runs / "ledger.sqlite"

    @property
    def artifacts(self) -> Path:
        """The folder of models and predictions, named by their trial."""
        return self.runs / "models"

    @property
    def store(self) -> Path:
        """The folder of data sets laid out for workers."""
        return self.runs / "data"

    def store_of(self, fingerprint: str) -> Path:
        """The folder of one data set laid out for workers."""
        return self.store / fingerprint

    def open_ledger(self) -> Ledger | None:
        """Return the ledger if there is one; making one is for runs alone."""
        return Ledger(self.ledger) if self.ledger.is_file() else None


@dataclass(frozen=True)
class Chosen:
    """A model that a search chose, on one data set.

    `winner` is its search trial (None where the data set is only compared on), `finals` its completed
    retrainings, the first of which is the saved model, and `predictions` that model's.
    """

    model: str
    label: str
    dataset: str
    winner: Record | None
    finals: tuple[Record, ...]
    predictions: Predictions
    artifact: Path

    @property
    def saved(self) -> Record:
        """The retraining whose model is kept: the first, whatever it scored."""
        return self.finals[0]

    @property
    def file_name(self) -> str:
        """The saved model's name in the report's folder."""
        return f"{self.model}-{Path(self.dataset).stem}.keras"

    @cached_property
    def test_accuracies(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The test accuracy of each retraining."""
        return np.array([record.result.test_accuracy for record in self.finals], dtype=np.float64)

    @property
    def mean(self) -> float:
        """Mean test accuracy over the retrainings."""
        return float(self.test_accuracies.mean())

    @property
    def sd(self) -> float | None:
        """Sample standard deviation of the test accuracy over the retrainings; None where there is one."""
        return float(self.test_accuracies.std(ddof=1)) if len(self.finals) > 1 else None

    @property
    def megabytes(self) -> float:
        """Size of the saved model's file, in 10**6 bytes."""
        return self.artifact.stat().st_size / 1e6


@dataclass(frozen=True)
class Findings:
    """A search and everything that is recorded of it."""

    search: Search
    members: tuple[tuple[Member, Record], ...]
    chosen: tuple[Chosen, ...]
    places: Places

    def trials(self, model: str | None = None, dataset: str | None = None) -> list[Record]:
        """Return the finished search trials, of one entry or data set where given, in order of proposal."""
        return [
            record
            for member, record in self.members
            if member.role == "search" and model in (None, member.model) and dataset in (None, member.dataset)
        ]

    @property
    def failed(self) -> list[tuple[Member, Record]]:
        """Return the failed trials, final ones too."""
        return [(member, record) for member, record in self.members if not record.completed]

    def on(self, dataset: str) -> list[Chosen]:
        """Return the chosen models on a data set, in the order of the search file."""
        return [chosen for chosen in self.chosen if chosen.dataset == dataset]

    @property
    def datasets(self) -> list[str]:
        """The data sets with a chosen model, in the order of the comparison."""
        order = self.search.compare or self.search.datasets
        return [name for name in order if self.on(name)]

    def data(self, dataset: str) -> Dataset:
        """Return a data set as the search saw it."""
        fingerprint = next(record.trial.fingerprint for member, record in self.members if member.dataset == dataset)
        return load_from_store(self.places.store_of(fingerprint))


def winners(search: Search, members: Sequence[tuple[Member, Record | None]]) -> dict[tuple[str, str], Record]:
    """Return the best completed search trial of each entry on each data set that was searched."""
    best = {}
    for entry in search.entries:
        for dataset in search.datasets:
            mine = [
                record
                for member, record in members
                if record and (member.role, member.model, member.dataset) == ("search", entry.name, dataset)
            ]
            order = ranked(mine)
            if order:
                best[entry.name, dataset] = order[0]
    return best


def load_search_from(ledger: Ledger | None, name: str) -> Search:
    """Return a search as it last ran.

    Raises:
        InputError: it never ran.
    """
    content = ledger.search_content(name) if ledger else None
    if content is None:
        raise InputError(name, "has not been run here", f"run: tuner run {name}")
    return search_from_json(content)


def load_findings(ledger: Ledger, search: Search, places: Places) -> Findings:
    """Read what is recorded of a search.

    Raises:
        CheckError: saved predictions or a saved model are missing or were changed.
    """
    order = {entry.name: index for index, entry in enumerate(search.entries)}
    members = ledger.members(search.name)
    members = sorted(members, key=lambda pair: (pair[0].role != "search", order.get(pair[0].model, len(order))))
    best = winners(search, members)
    chosen = []
    for dataset in search.all_datasets:
        for entry in search.entries:
            finals = tuple(
                record
                for member, record in members
                if record
                and record.completed
                and (member.role, member.model, member.dataset) == ("final", entry.name, dataset)
            )
            if finals:
                artifact = places.artifacts / f"{finals[0].trial.id}.keras"
                if not artifact.is_file():
                    raise CheckError(f"{artifact}: the saved model is missing; run with --fresh to train it again")
                about = load_from_store(places.store_of(finals[0].trial.fingerprint))
                predictions = load_predictions(
                    artifact.with_suffix(".npz"), finals[0].result.files["predictions"], about.class_names
                )
                chosen.append(
                    Chosen(
                        entry.name, entry.label, dataset, best.get((entry.name, dataset)), finals, predictions, artifact
                    )
                )
    finished = tuple((member, record) for member, record in members if record is not None)
    return Findings(search, finished, tuple(chosen), places)
