"""What is exported of a search, read from the ledger and from what is noted beside its models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuner import columns as col
from tuner.analysis.latency import milliseconds
from tuner.errors import InputError, one_line
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.search_file.model import Search
from tuner.space.parameters import Choice, Domain, Value
from tuner.system.version import __version__
from tuner.text import visible
from tuner.trial import ARTIFACTS, Attempt, Record, artifact_path
from tuner.workspace import Workspace, recorded_search

#: The attribute by which anything is known as written by an export.
MARK = "tuner"


@dataclass(frozen=True)
class Recorded:
    """A search with its finished trials in their order, when and where each of them ran, and where their files lie."""

    search: Search
    search_trials: tuple[tuple[SearchTrial, Record], ...]
    attempts: Mapping[str, Attempt]
    artifacts: Path

    @classmethod
    def read(cls, ledger: Ledger, name: str) -> Recorded:
        """Read what is recorded of the search `name`.

        Raises:
            InputError: it never ran, or the ledger holds what no run wrote.
        """
        search = recorded_search(ledger, name)
        finished = tuple(
            (search_trial, record) for search_trial, record in ledger.search_trials(name) if record is not None
        )
        for _, record in finished:
            if record.completed and score(record) is None:
                raise no_run_s(record, ValueError("completed, but without a score"))
        return cls(search, finished, ledger.attempts(name), Workspace(ledger.path.parent).artifacts)

    def of(self, model: str, dataset: str, role: str) -> list[Record]:
        """Return the finished trials of one model search on one data set, in order of proposal."""
        place = (model, dataset, role)
        return [
            record
            for search_trial, record in self.search_trials
            if (search_trial.model, search_trial.dataset, search_trial.role) == place
        ]

    def span(self, record: Record) -> tuple[datetime, datetime]:
        """Return when a trial began and ended."""
        attempt = self.attempts[record.trial.id]
        return datetime.fromtimestamp(attempt.began, UTC), datetime.fromtimestamp(attempt.ended, UTC)

    def latency_ms(self, record: Record) -> float | None:
        """Return how long a retraining's model takes for one image, where that was measured."""
        sha256 = record.result.files.get("model")
        if sha256 is None:
            return None
        return milliseconds(artifact_path(self.artifacts, record.trial.id, sha256, ARTIFACTS["model"]), record.result)

    def about(self) -> dict[str, Any]:
        """Return what is said of the search as a whole, this tool's mark among it."""
        search = self.search
        return {
            "title": search.title,
            col.OBJECTIVE: f"{', '.join(one.column for one in search.objectives)} on {search.validates_on}",
            col.DIRECTION: ", ".join(one.direction for one in search.objectives),
            "overrides": search.overrides.content,
            MARK: __version__,
        }

    def compared(self) -> set[str]:
        """Return the names of the parameters that are not the same throughout the search, epochs that vary too."""
        values: dict[str, set[Value]] = defaultdict(set)
        for model_search in self.search.model_searches:
            for name, domain in model_search.space.domains.items():
                values[name].update(domain.values if isinstance(domain, Choice) else (domain.low, domain.high))
            values[col.EPOCHS].update(
                (1, model_search.epochs) if model_search.varies_epochs else (model_search.epochs,)
            )
        return {name for name, found in values.items() if len(found) > 1}

    def identity(self, record: Record) -> dict[str, Value]:
        """Return what tells a trial from others beside its values, and why it failed; without what nobody knows."""
        trial, attempt = record.trial, self.attempts[record.trial.id]
        told: dict[str, Any] = {
            col.TRIAL: trial.id,
            col.EPOCHS: trial.given_epochs,
            col.SEED: trial.seed,
            col.WORKER: attempt.worker,
            col.NODE: visible(attempt.node),
            col.ERROR: visible(record.result.error),
        }
        return {name: value for name, value in told.items() if value not in (None, "")}


def score(record: Record) -> float | None:
    """Return what a trial scored: a search trial where it was chosen, a retraining on the test set."""
    return record.score if record.trial.role == "search" else record.result.test_accuracy


def chosen_by(search: Search, model: str) -> dict[str, str]:
    """Return by what a model of a search is chosen, and which way is better, "max" or "min"; scores keep their sign."""
    objective = search.objective_of(model)
    return {col.OBJECTIVE: objective.name, col.DIRECTION: objective.direction}


def plain(value: Value, domain: Domain | None) -> Value:
    """Return a value as its domain's grid has it: 0.3, not 0.30000000000000004, at the end of a range to 0.3."""
    stepped = domain is not None and not isinstance(domain, Choice) and domain.step is not None and not domain.log
    return float(f"{value:.12g}") if stepped and isinstance(value, float) else value


def no_run_s(record: Record, error: Exception) -> InputError:
    """Return that what a ledger holds of a trial is not what a run writes."""
    problem = f"the ledger holds what no run wrote ({one_line(error)})"
    return InputError(f"trial {record.trial.id}", problem, "run the search again")
