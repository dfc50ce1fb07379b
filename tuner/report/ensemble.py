"""The ensemble: of which trials it is made and how they were chosen, and whether it beats the best single model."""

from __future__ import annotations

from collections.abc import Iterator

from tuner.analysis.ensemble import EnsembleChoice, Member
from tuner.analysis.findings import Chosen, Findings
from tuner.contents.cells import number
from tuner.contents.sections import Content, Items, Paragraph, Section, Table
from tuner.objective import ACCURACY
from tuner.report.trials import varying
from tuner.report.verdicts import pair_in_words, pairs_on
from tuner.text import escape, setting

#: What is said of the training of an ensemble.
BY_MEMBERS = "by each member for its own epochs"


def mean_in_words(chosen: Chosen) -> str:
    """Return what an ensemble is, markdown, by the search trials of which its members are retrainings."""
    members = chosen.ensemble.members if chosen.ensemble else ()
    told = ", ".join(f"{one.weight} × {escape(one.model)} ({one.record.trial.id[:8]})" for one in members)
    return f"mean of the probabilities of {told}"


def ensemble_section(findings: Findings) -> Section | None:
    """Say which trials the ensemble of each data set is made of, what its mean scored, and how it does on the tests."""
    ensemble = findings.search.ensemble
    datasets = findings.search.compare or findings.search.datasets
    if ensemble is None or not findings.search_trials:
        return None
    made = {chosen.dataset: chosen for chosen in findings.chosen if chosen.ensemble}
    shown = {on: choice for on, choice in findings.ensembles.items() if not choice.is_one}
    contents: list[Content] = []
    if shown:
        contents += [Paragraph(_how(findings, ensemble.members)), _table(findings, shown)]
    told = [_scored(findings, choice) for choice in shown.values()]
    for dataset in datasets:
        told += _judged(findings, made[dataset]) if dataset in made else _why_none(findings, dataset)
    return Section("ensemble", "Ensemble", [*contents, Items(told)])


def _how(findings: Findings, times: int) -> str:
    by = "" if findings.search.objective is ACCURACY else f" by {escape(findings.search.objective.label)}"
    return (
        f"Of the trials of all models on a data set, {times} times the one was added with which the mean of the "
        f"probabilities scored best{by} on {findings.search.validates_on}, whether or not it was in already (greedy "
        "selection with replacement: Caruana, Niculescu-Mizil, Crew and Ksikes, 2004); what was added behind the best "
        "of these means was left out. A member's weight is how often it is in. Each member was then trained again as "
        "the winners were, and the ensemble of each repeat is the mean of that repeat's models, saved as one file."
    )


def _table(findings: Findings, choices: dict[str, EnsembleChoice]) -> Table:
    rows = [
        [
            escape(dataset),
            escape(findings.search.contender(member.model).label),
            member.record.trial.id,
            escape(_values(findings, dataset, member)),
            member.weight,
            number(member.alone),
        ]
        for dataset, choice in choices.items()
        for member in choice.members
    ]
    score = f"{findings.search.objective.head} alone"
    return Table(rows, ["data set", "model", "trial", "configuration", "weight", escape(score)], text_columns=4)


def _values(findings: Findings, dataset: str, member: Member) -> str:
    """Return the values of a member's parameters that its search varied."""
    values = member.record.trial.values
    names = [name for name in varying(findings.trials(member.model, dataset)) if name in values]
    return ", ".join(f"{name} {setting(values[name])}" for name in names)


def _scored(findings: Findings, choice: EnsembleChoice) -> str:
    return (
        f"On {escape(choice.dataset)}, the mean scored {number(choice.score)} on {findings.search.validates_on}, and "
        f"the best of the {choice.among:,} trials by itself {number(choice.best_alone)}. Both are flattered by having "
        "been chosen there, the mean more: it is the best of many more means than there are trials."
    )


def _judged(findings: Findings, ensemble: Chosen) -> Iterator[str]:
    """Yield how an ensemble does on the test images against the best single model."""
    singles = [chosen for chosen in findings.on(ensemble.dataset) if not chosen.ensemble]
    best = max(singles, key=lambda chosen: chosen.mean, default=None)
    for pair in pairs_on(findings, ensemble.dataset):
        if best and {pair.better.model, pair.worse.model} == {ensemble.model, best.model}:
            yield f"Against the best single model: {pair_in_words(escape(ensemble.dataset), pair)}"


def _why_none(findings: Findings, dataset: str) -> Iterator[str]:
    """Yield why there is no ensemble on a data set."""
    ensemble, where = findings.search.ensemble, escape(dataset)
    choice = findings.ensembles.get(findings.search.chosen_on(dataset))
    if choice is None:
        yield f"On {where}, there is no ensemble: of no trial there are answers that can be scored."
    elif choice.is_one:
        yield f"On {where}, there is no ensemble: no mean of several trials scored better than the best trial alone."
    elif any(one.dataset == dataset and ensemble and one.model.startswith(ensemble.name) for one, _ in findings.failed):
        yield f"On {where}, no ensemble could be made; see the failed trials below."
    else:
        yield f"On {where}, the ensemble is still to be made: run the search again."
