"""What a report says first: which model is best, what makes that doubtful, and what is missing.

Of a search over several splits of all images, that is the verdict of the first split, which says so, and over all.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuner.analysis.ended import by_in_words, ended_in_words
from tuner.analysis.findings import Findings
from tuner.analysis.shortfall import planned_shortfall, shortfall
from tuner.report.choice import chosen_by_in_words
from tuner.report.claims import claims_in_words
from tuner.report.doubts import doubts_on
from tuner.report.leaks import leaks_in_words
from tuner.report.saving import warnings_on
from tuner.report.splits import finished_in_words, split_in_words, verdict_over_splits
from tuner.report.verdicts import verdict_on
from tuner.search_file.model_search import ModelSearch
from tuner.text import escape


def verdict(findings: Findings) -> list[str]:
    """Return which model is best, a statement per data set; in front of each what makes it worth little."""
    lines = [line for dataset in findings.datasets for line in _on(findings, dataset)]
    lines += chosen_by_in_words(findings) if lines else []
    if not findings.finished and findings.search.splits > 1:
        return [
            *lines,
            f"This search is unfinished: {finished_in_words(findings).lower()}. The next run goes on with it.",
        ]
    if not findings.finished:
        done = len(findings.search_trials)
        trials = "1 of its trials is" if done == 1 else f"{done} of its trials are"
        return [*lines, f"This search is unfinished: {trials} recorded. The next run goes on with it."]
    if not lines:
        below = "; the failed trials stand below" if findings.failed else ""
        done = sum(record.completed for _, record in findings.search_trials)
        what = "No retraining" if done else "No trial"
        return [f"{what} completed, so that there is nothing to compare{below}."]
    for dataset in findings.search.compare or findings.search.datasets:
        there = {chosen.model for chosen in findings.on(dataset)}
        missing = [model_search for model_search in findings.search.model_searches if model_search.name not in there]
        if missing:
            names = escape(", ".join(model_search.label for model_search in missing))
            below = "; see the failed trials below" if _failed(findings, dataset, missing) else ""
            lines.append(f"On {escape(dataset)}, no completed model of {names}{below}.")
    return [*lines, *_ended(findings), *_shortfalls(findings), *claims_in_words(findings)]


def _on(findings: Findings, dataset: str) -> list[str]:
    said = verdict_on(findings, dataset)
    if split := split_in_words(findings):
        own = ", the data set's own," if findings.search.split == 1 else ""
        said = f"{split.capitalize()}{own} alone: {said}"
    over_all = verdict_over_splits(findings, dataset)
    leaks = leaks_in_words(findings, dataset)
    return [*doubts_on(findings, dataset), said, *leaks, *over_all, *warnings_on(findings, dataset)]


def _ended(findings: Findings) -> list[str]:
    """Return how far a search came that its hours ended."""
    if findings.ended is None:
        return []
    how = by_in_words(findings.ended)
    return [f"The search was ended {how}: {escape(ended_in_words(findings.search, findings.ended))}."]


def _shortfalls(findings: Findings) -> list[str]:
    """Return a sentence on each model that had fewer trials than the search file asks for."""
    lines = {}
    for model_search in findings.search.model_searches:
        for dataset in findings.search.datasets:
            trials = findings.trials(model_search.name, dataset)
            if findings.stop_of(model_search.name, dataset):
                continue  # of which another sentence tells
            sentence = shortfall(model_search, dataset, len(trials), sum(not record.completed for record in trials))
            if sentence:
                lines[sentence] = None if sentence == planned_shortfall(model_search) else dataset
    return [escape(text if dataset is None else f"On {dataset}, {text}") for text, dataset in lines.items()]


def _failed(findings: Findings, dataset: str, model_searches: Sequence[ModelSearch]) -> bool:
    """Return whether trials of these model searches failed that could have led to a model on a data set."""
    names, where = {model_search.name for model_search in model_searches}, (dataset, findings.search.chosen_on(dataset))
    return any(search_trial.model in names and search_trial.dataset in where for search_trial, _ in findings.failed)
