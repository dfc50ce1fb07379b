"""How the compared models came about, in words: what they were chosen among and on, and how they were trained again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.objective_differences import difference_in
from tuner.analysis.variance import Difference
from tuner.contents.cells import number, plus_minus, signed
from tuner.objective import ACCURACY, Objective
from tuner.objective.own import OwnObjective
from tuner.report.sizes import by_size, sizes_in_words
from tuner.report.verdicts import pairs_on
from tuner.text import enumerated, escape


def choice_in_words(findings: Findings) -> str:
    """Return in sentences, markdown, what the models that were searched here were chosen among, and what came then."""
    among: dict[tuple[int, Objective], list[Chosen]] = {}
    for chosen in findings.chosen:
        if chosen.winner and by_size(chosen) is None:
            among.setdefault((_candidates(findings, chosen), findings.objective_of(chosen.model)), []).append(chosen)
    published, folds = findings.search.protocol == "published", findings.search.folds
    on = f"the mean of {folds} folds" if folds else "the test set" if published else "validation images"
    told = []
    for (count, objective), models in sorted(among.items(), key=lambda one: -one[0][0]):
        names = _names(findings, models)
        if count > 1:
            was = "was chosen" if len(models) == 1 else "were each chosen"
            by = f", by {escape(objective.label)}" if objective is not ACCURACY else ""
            told.append(f"{names} {was} on {on}{by}, as the best of {count:,} trials.")
            told += [line for chosen in models if (line := _equals(findings, chosen))]
        else:
            had = "had" if len(models) == 1 else "had each"
            told.append(f"{names} {had} one completed trial, so that nothing was chosen.")
    told += sizes_in_words(findings)
    if any(_candidates(findings, chosen) > 1 for chosen in findings.chosen if chosen.winner):
        told.append("The best of several is flattered by luck.")
    images = "the same training images" if published else "all training images"
    if not published and not folds:
        images += ", those for validation included"
    held_out = findings.search.held_out_of_retrainings
    if held_out:
        images = f"{100 * (1 - held_out):g} % of the training images, the others telling which retraining is saved"
    again = "Each configuration was then trained again" if len(findings.chosen) > 1 else "It was then trained again"
    seeds = {len(chosen.finals) for chosen in findings.chosen if chosen.winner}
    with_seeds = "another seed" if seeds == {1} else "other seeds"
    return " ".join([*told, f"{again} with {with_seeds}, on {images}, and scored on the test set."])


def chosen_by_in_words(findings: Findings) -> list[str]:
    """Return by what models were chosen that are compared by accuracy, in sentences; nothing where it is accuracy.

    It also tells how far the best two models are apart in what they were chosen by.
    """
    said = objectives_in_words(findings)
    return [" ".join([said, *_differences_in_objectives(findings)])] if said else []


def objectives_in_words(findings: Findings) -> str:
    """Return in a sentence by what the models of a search were chosen; nothing where it is accuracy."""
    search = findings.search
    if search.objectives == (ACCURACY,):
        return ""
    if len(search.objectives) == 1:
        said = f"Chosen by {escape(search.objective.label)}"
    else:
        chosen = [f"{escape(one.label)} by {escape(one.objective.label)}" for one in search.model_searches]
        said = f"Chosen by different objectives, {', '.join(chosen)}"
    told = "what is compared here" if len(findings.chosen) > 1 else "what is told here"
    return f"{said}; {told} is test accuracy."


def searches_by_objective(all_findings: Sequence[Findings]) -> str:
    """Return in a sentence which of several searches, or models of them, were chosen by other than accuracy."""
    others = []
    for findings in all_findings:
        search = findings.search
        by = {one.label: escape(one.objective.label) for one in search.model_searches if one.objective is not ACCURACY}
        if len(search.objectives) == 1:
            others += [f"{escape(search.name)} by {label}" for label in dict.fromkeys(by.values())]
        else:
            others += [f"{escape(model)} of {escape(search.name)} by {label}" for model, label in by.items()]
    if not others:
        return ""
    return f"Not chosen by accuracy, but {enumerated(others)}; what is compared here is test accuracy."


def _differences_in_objectives(findings: Findings) -> Iterator[str]:
    """Yield of each data set the difference of its best two models in each objective that models were chosen by."""
    for dataset in findings.datasets:
        for pair in pairs_on(findings, dataset)[:1]:
            a, b = escape(pair.better.label), escape(pair.worse.label)
            for objective in _own(findings) if pair.p is not None else ():
                means = [pair.better.mean_and_sd(objective), pair.worse.mean_and_sd(objective)]
                if np.isfinite([mean for mean, _ in means]).all():
                    yield (
                        f"In {escape(objective.label)} on {escape(dataset)}, {a} scores {plus_minus(*means[0])} over "
                        f"its retrainings and {b} {plus_minus(*means[1])}; of an objective of one's own no interval is "
                        "computed."
                    )
            for objective, found in findings.once(_differences_on, dataset):
                yield (
                    f"In {escape(objective.label)} on {escape(dataset)}, {a} − {b} is {signed(found.mean)} "
                    f"(95 % interval {signed(found.low)} to {signed(found.high)})."
                )


def _own(findings: Findings) -> list[Objective]:
    """Return the objectives of a user's own that models were chosen by."""
    return [objective for objective in findings.search.objectives if isinstance(objective, OwnObjective)]


def _differences_on(findings: Findings, dataset: str) -> list[tuple[Objective, Difference]]:
    """Return of the best two models of a data set the differences that are defined, without that in accuracy."""
    told = []
    for pair in pairs_on(findings, dataset)[:1]:
        for objective in findings.search.objectives:
            known = objective is not ACCURACY and pair.p is not None
            found = difference_in(objective, pair.better, pair.worse) if known else None
            if found is not None and found.mean == found.mean:
                told.append((objective, found))
    return told


def _equals(findings: Findings, chosen: Chosen) -> str:
    """Return that other trials have the score of the best one, so that the objective did not choose among them."""
    if not chosen.winner:
        return ""
    records = findings.whole_trials(chosen.model, chosen.dataset)
    equal = sum(record.gain == chosen.winner.gain for record in records)
    if equal < 2:
        return ""
    name = _names(findings, [chosen])
    which = "All" if equal == len(records) else f"{equal:,}"
    score = f"{number(chosen.winner.score)} in {escape(findings.objective_of(chosen.model).label)}"
    return f"{which} trials of {name} have {score}: of equal ones the one with the lowest validation loss was taken."


def published_protocol_note(findings: Findings) -> str:
    """Return what a report of a search that looked at the test set says on top."""
    study = findings.search.published
    as_studied = ", as the published study did" if study and study.chosen_on_test_set else ""
    several = any(_candidates(findings, chosen) > 1 for chosen in findings.chosen)
    stopped = any(record.result.best_epoch for record in findings.trials())
    chosen = " and ".join([*(["models"] if several else []), *(["the epochs of early stopping"] if stopped else [])])
    if chosen:
        text = (
            f"{chosen[0].upper()}{chosen[1:]} were chosen on the test set{as_studied}, and the same test set scores "
            "them here. Their scores are flattered by the choice"
        )
    else:
        text = (
            f"Trials were validated on the test set{as_studied}, and the same test set scores the models here. Of one "
            "trial each nothing is chosen; of more the choice would flatter the scores"
        )
    return f'**Published protocol.** {text}; use `protocol = "holdout"` for scores that can be believed.'


def _candidates(findings: Findings, chosen: Chosen) -> int:
    """Return how many completed trials a model was chosen among."""
    return sum(record.completed for record in findings.trials(chosen.model, chosen.dataset))


def _names(findings: Findings, models: list[Chosen]) -> str:
    """Return the models' labels, each with its data set where several were searched."""
    several = len(findings.search.datasets) > 1
    names = [f"{escape(one.label)} on {escape(one.dataset)}" if several else escape(one.label) for one in models]
    return enumerated(names)
