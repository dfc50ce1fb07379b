"""How far the trials of a search that prunes were trained, and how much training that spared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.analysis.findings import Findings
from tuner.analysis.trial_table import epochs_trained
from tuner.search_file.model_search import ModelSearch
from tuner.trial import Record


@dataclass(frozen=True)
class Pruned:
    """How many trials reached each rung, the last being the whole training.

    `epochs` is how many epochs the trials were trained, `unpruned` how many they would have at most, were none pruned.
    """

    rungs: tuple[tuple[int, int], ...]
    epochs: int
    unpruned: int


def pruned(findings: Findings, model_search: ModelSearch, dataset: str) -> Pruned | None:
    """Return how far the trials of a model search were trained on a data set; None where it does not prune."""
    records = findings.trials(model_search.name, dataset)
    if model_search.pruning is None or not records:
        return None
    rungs = model_search.pruning.rungs
    ends = [_end(record, rungs) for record in records]
    reached = tuple((rung, sum(end >= rung for end in ends)) for rung in rungs)
    trained = sum(min(end, epochs_trained(record) or end) for record, end in zip(records, ends, strict=True))
    return Pruned(reached, trained, model_search.epochs * sum(end > 0 for end in ends))


def _end(record: Record, rungs: Sequence[int]) -> int:
    """Return to which rung a trial came; of one that failed, the one before the training that failed."""
    last = record.trial.last_epoch
    return last if record.completed else max((rung for rung in rungs if rung < last), default=0)
