"""A study's table of models by data sets beside ours, with both delta margins and the difference of differences."""

from __future__ import annotations

from tuner.analysis.claims import lead
from tuner.analysis.findings import Findings
from tuner.analysis.measured import difference_of
from tuner.contents.cells import DASH, number, p_text, signed
from tuner.contents.sections import Content, Items, Table
from tuner.search_file.tables import StudyResults
from tuner.text import escape


def study_margins(findings: Findings, study: StudyResults) -> list[Content]:
    """Return the table of a study that prints several models on several data sets beside ours; nothing of others."""
    printed = {(one.model, one.dataset): sum(one.span) / 2 for one in study.scores}
    models = [one for one in findings.search.model_searches if any(model == one.name for model, _ in printed)]
    datasets = [name for name in findings.datasets if any(dataset == name for _, dataset in printed)]
    if len(models) < 2 or len(datasets) < 2:
        return []
    ours = {(one.model, one.dataset): one.mean for one in findings.chosen}
    names, begin, end = [one.name for one in models], datasets[0], datasets[-1]
    rows = []
    for one in models:
        cells = [number(of.get((one.name, dataset))) for dataset in datasets for of in (printed, ours)]
        margin = [signed(_minus(of, (one.name, end), (one.name, begin))) for of in (printed, ours)]
        rows.append([escape(one.label), *cells, *margin])
    for one in models[1:]:
        pairs = [((one.name, dataset), (names[0], dataset)) for dataset in datasets]
        cells = [signed(_minus(of, *pair)) for pair in pairs for of in (printed, ours)]
        rows.append([f"*delta_model: {escape(one.label)} − {escape(models[0].label)}*", *cells, "", ""])
    heads = ["test accuracy", *(f"{escape(name)}, {whose}" for name in datasets for whose in ("published", "ours"))]
    heads += [f"delta_dataset: {escape(end)} − {escape(begin)}, {whose}" for whose in ("published", "ours")]
    table = Table(rows, heads, lead="The study's table with its delta margins, ours beside it")
    told = [
        f"{escape(one.label)} over {escape(models[0].label)}: "
        + _in_words(findings, printed, (one.name, names[0]), (end, begin))
        for one in models[1:]
    ]
    said = f"How much more a model leads on {escape(end)} than on {escape(begin)}, a difference of differences:"
    return [table, Items(told, said)]


def _minus(of: dict[tuple[str, str], float], one: tuple[str, str], other: tuple[str, str]) -> float | None:
    return of[one] - of[other] if one in of and other in of else None


def _in_words(
    findings: Findings, printed: dict[tuple[str, str], float], models: tuple[str, str], datasets: tuple[str, str]
) -> str:
    """Return the difference of a model's leads on two data sets, as published and ours."""
    model, first = models
    theirs = [_minus(printed, (model, dataset), (first, dataset)) for dataset in datasets]
    published = signed(theirs[0] - theirs[1]) if theirs[0] is not None and theirs[1] is not None else DASH
    leads = [lead(findings, model, first, dataset) for dataset in datasets]
    if leads[0] is None or leads[1] is None:
        return f"published {published}, ours {DASH}."
    found = difference_of(leads[0], leads[1])
    interval = f"95 % interval {signed(found.low)} to {signed(found.high)}"
    judged = "one retraining is not judged" if found.p_value is None else f"p {p_text(found.p_value)}"
    if findings.search.protocol == "published":
        judged = "not judged, as these images were chosen on"
    return f"published {published}, ours {signed(found.mean)} ({interval}; {judged})."
