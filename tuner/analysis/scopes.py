"""Trials that are looked at together when it is asked which parameters matter: of a model search, and of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.analysis.importance import Importance, importance, varying_parameters
from tuner.objective import Objective
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Value
from tuner.trial import Record


@dataclass(frozen=True, eq=False)
class Scope:
    """Trials that are looked at together: those of a model search, or of all, where the model is a parameter too.

    `configurations` holds of each trial the parameters that vary, `parents` for each parameter those that decide
    whether a trial has it, `rules` the parameters that a rule reads together; `model` is the model search's name, empty
    for all model searches; `objective` is what the trials are chosen by, of model searches that choose by different
    ones accuracy.
    """

    model: str
    label: str
    records: tuple[Record, ...]
    configurations: tuple[dict[str, Value], ...]
    parents: dict[str, list[str]]
    objective: Objective
    rules: tuple[frozenset[str], ...] = ()

    @property
    def scores(self) -> NDArray[np.float64]:
        """The score of each trial by the objective, `(trials,)`."""
        return np.array([self.score_of(record) for record in self.records], dtype=np.float64)

    def score_of(self, record: Record) -> float | None:
        """Return the score of a trial by the objective."""
        return self.objective.of(record.result)

    def frame(self) -> pd.DataFrame:
        """Return a row for each trial: its name, the parameters that vary, and its score."""
        rows = [
            {col.TRIAL: record.trial.id, **values, self.objective.column: self.score_of(record)}
            for record, values in zip(self.records, self.configurations, strict=True)
        ]
        names = dict.fromkeys(name for values in self.configurations for name in values)
        return pd.DataFrame(rows, columns=[col.TRIAL, *names, self.objective.column])

    def importance(self, measure: Callable[[Record], float | None]) -> Importance | None:
        """Return what matters for a measure of the trials, leaving out those that lack it."""
        values = [measure(record) for record in self.records]
        known = [(c, v) for c, v in zip(self.configurations, values, strict=True) if v is not None]
        return importance([c for c, _ in known], [v for _, v in known], self.parents, rules=self.rules)


def scopes(findings: Findings, dataset: str) -> list[Scope]:
    """Return what is looked at together on a data set: all model searches, if there are several, then each."""
    objective = findings.search.objective
    single = [
        _scope_of(model_search, findings.trials(model_search.name, dataset), model_search.objective)
        for model_search in findings.search.model_searches
    ]
    single = [scope for scope in single if scope.records]
    if len(single) < 2:
        return single
    # What does not vary within a model search is its model's doing, and what varies in some only is theirs.
    names = dict.fromkeys(name for scope in single for values in scope.configurations for name in values)
    parents: dict[str, list[str]] = {}
    for name in names:
        above = {parent for scope in single for parent in scope.parents.get(name, [])}
        everywhere = all(any(name in values for values in scope.configurations) for scope in single)
        parents[name] = [*sorted(above), *([] if everywhere else [col.MODEL])]
    configurations = [{col.MODEL: scope.label, **values} for scope in single for values in scope.configurations]
    records = tuple(record for scope in single for record in scope.records)
    rules = tuple(rule for scope in single for rule in scope.rules)
    return [Scope("", "all models", records, tuple(configurations), parents, objective, rules), *single]


def _scope_of(model_search: ModelSearch, records: Sequence[Record], objective: Objective) -> Scope:
    completed = tuple(record for record in records if record.completed)
    parents = {p.name: list(p.parents) for p in model_search.space.parameters if p.parents}
    values = [_values(record) for record in completed]
    names = varying_parameters(values, parents)
    return Scope(
        model_search.name,
        model_search.label,
        completed,
        tuple({name: v[name] for name in names if name in v} for v in values),
        parents,
        objective,
        tuple(names for rule in model_search.space.rules for names, _ in rule.parts(model_search.space.groups)),
    )


def _values(record: Record) -> dict[str, Value]:
    """Return a trial's parameters and its number of epochs, which Hyperband and pruning vary too."""
    return {**record.trial.values, col.EPOCHS: record.trial.given_epochs}
