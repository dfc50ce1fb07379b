"""How models came about that were chosen for their size, in words: which rule chose them, and what the best was."""

from __future__ import annotations

from collections.abc import Iterator

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.selection import Selection
from tuner.contents.cells import number
from tuner.search_file.contenders import SMALLEST, Contender
from tuner.text import escape


def by_size(chosen: Chosen) -> Selection | None:
    """Return how a model was chosen for its size; None for one that was chosen by its score alone, or elsewhere."""
    selection = chosen.selection
    if selection is None or (selection.error is None and selection.contender.limit is None):
        return None
    return selection


def sizes_in_words(findings: Findings) -> list[str]:
    """Return in sentences, markdown, how each model that was chosen for its size came about, and which are missing."""
    told = []
    for chosen in findings.chosen:
        selection = by_size(chosen)
        if selection is not None:
            said = _nearly_as_good if selection.error is not None else _below_a_limit
            told.append(said(findings, chosen, selection))
    if findings.search.choose != SMALLEST and not findings.search.report.also_smaller_than:
        return told
    return [*told, *_missing(findings)]


def _nearly_as_good(findings: Findings, chosen: Chosen, selection: Selection) -> str:
    if selection.among == 1:
        return f"{_name(findings, chosen.label, chosen.dataset)}: there is one trial to choose."
    near = "1 trial scores" if selection.near == 1 else f"{selection.near:,} trials score"
    within = (
        f"{_name(findings, chosen.label, chosen.dataset)}: of {selection.among:,} trials, {near} within one standard "
        f"error ({number(selection.error)}) of the best one's {_score(findings, selection, best=True)}"
    )
    if selection.is_best:
        return f"{within}, and none of them is smaller than the best, which was chosen."
    return (
        f"{within}; the smallest of them was chosen, with {_parameters(selection, best=False)} and "
        f"{_score(findings, selection, best=False)}. The best, trial {selection.best.trial.id[:8]}, has "
        f"{_parameters(selection, best=True)}."
    )


def _below_a_limit(findings: Findings, chosen: Chosen, selection: Selection) -> str:
    limit = selection.contender.limit
    words = escape(limit.words) if limit else ""
    trials = "the only trial" if selection.among == 1 else f"the best of {selection.among:,} trials"
    return (
        f"{_name(findings, chosen.label, chosen.dataset)} is {trials} below {words}, with "
        f"{_parameters(selection, best=False)} and {_score(findings, selection, best=False)}; the best of all has "
        f"{_parameters(selection, best=True)} and {_score(findings, selection, best=True)}."
    )


def _missing(findings: Findings) -> Iterator[str]:
    """Yield why rows below limits are not there, for models that others of their `[[search]]` are."""
    for dataset in findings.search.datasets:
        there = {chosen.model: chosen for chosen in findings.on(dataset)}
        for contender in findings.search.contenders:
            if contender.limit is not None and contender.name not in there and contender.searched in there:
                yield _why_missing(findings, contender, dataset)


def _why_missing(findings: Findings, contender: Contender, dataset: str) -> str:
    name = _name(findings, findings.search.contender(contender.searched).label, dataset)
    limit = contender.limit
    records = findings.whole_trials(contender.searched, dataset)
    if limit is None or not any(limit.holds(record.result.parameters) for record in records):
        return f"No trial of {name} is below {escape(limit.words) if limit else ''}."
    return f"The best trial of {name} below {escape(limit.words)} is compared already."


def _name(findings: Findings, label: str, dataset: str) -> str:
    return f"{escape(label)} on {escape(dataset)}" if len(findings.search.datasets) > 1 else escape(label)


def _parameters(selection: Selection, best: bool) -> str:
    return f"{(selection.best if best else selection.record).result.parameters or 0:,} parameters"


def _score(findings: Findings, selection: Selection, best: bool) -> str:
    label = findings.objective_of(selection.contender.name).label
    return f"{escape(label)} {number((selection.best if best else selection.record).score)}"
