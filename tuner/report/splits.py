"""Models over several splits of all images: what each split chose and scored, and whether one is better over all."""

from __future__ import annotations

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.splits import SplitPair, Splits, over_splits
from tuner.contents.cells import number, p_text, plus_minus, signed, span
from tuner.contents.sections import Content, Paragraph, Section, Table
from tuner.objective import ACCURACY
from tuner.report.trials import varying
from tuner.report.verdicts import least_word, matters_word
from tuner.text import escape, setting


def splits_section(findings: Findings) -> Section | None:
    """Compare the models over the splits that `[compare] splits` asks for; None where it asks for one."""
    wanted = findings.search.splits
    if wanted == 1 or findings.search.split > 1:
        return None
    there = findings.finished_splits
    contents: list[Content] = []
    if there < wanted:
        contents.append(Paragraph(f"{finished_in_words(findings)}; the same command goes on."))
    every = [found for dataset in findings.datasets if (found := over_splits(findings, dataset))]
    for found in every:
        contents += _on(findings, found)
    tables = {}
    if every:
        contents.append(Paragraph("Every number: [splits.csv](splits.csv)."))
        tables["splits.csv"] = pd.DataFrame([row for found in every for row in _rows(findings, found)])
    return Section("splits", f"Over {there} splits of all images" if there > 1 else "Over splits", contents, tables)


def beyond_this_split(findings: Findings) -> str:
    """Return where the report tells of other splits than the one that its verdict is about; empty where it does not."""
    there = findings.finished_splits
    return f" What other images and searches gave stands under *Over {there} splits of all images*." * (there > 1)


def finished_in_words(findings: Findings) -> str:
    """Return how many of the splits that a search asks for have finished, without a stop."""
    there, wanted = findings.finished_splits, findings.search.splits
    return f"{there or 'None'} of {wanted} splits {'has' if there < 2 else 'have'} finished"


def split_in_words(findings: Findings) -> str:
    """Return what says that a number is of one split alone, where the search asks for several; else nothing."""
    search = findings.search
    return f"split {search.split} of {search.splits}" if search.splits > 1 else ""


def verdict_over_splits(findings: Findings, dataset: str) -> list[str]:
    """Return in a sentence which model is best on a data set over splits, and whether it really is; else nothing.

    Nothing is said where a single model is there, or fewer than two splits are.
    """
    found = over_splits(findings, dataset)
    pairs = found.pairs() if found else []
    return [_verdict(found, pairs[0])] if found and pairs else []


def _verdict(found: Splits, first: SplitPair) -> str:
    told = first.difference
    holm = f" after Holm for {first.pairs} pairs" if first.pairs > 1 else ""
    better, worse, points = escape(first.better), escape(first.worse), f"{100 * told.mean:.1f} points"
    where = f"Over {len(found.chosen)} splits of all images of {escape(found.dataset)}"
    evidence = f"(95 % interval {span(100 * told.low, 100 * told.high, 1)}; p {p_text(first.p)}{holm})."
    if first.proven:
        return f"{where}, **{better} beats {worse} by {points}** of test accuracy {evidence}"
    return f"{where}, **{better} is not shown to beat {worse}**: it is {points} of test accuracy ahead {evidence}"


def _on(findings: Findings, found: Splits) -> list[Content]:
    """Return what is said of one data set."""
    count, where = len(found.chosen), escape(found.dataset)
    about = (
        f"All images of {where} were divided {count} times, so that {found.trained:,} train a network and "
        f"{found.tested:,} test it; the first division is the data set's own. Each time every model was searched for, "
        "chosen and retrained anew."
    )
    rows = [
        [
            split,
            escape(chosen.label),
            escape(_configuration(findings, chosen)),
            number(chosen.search_score) + _chosen_by(findings, chosen),
            plus_minus(chosen.mean, chosen.sd),
        ]
        for split, models in enumerate(found.chosen, start=1)
        for chosen in models
    ]
    objectives = findings.search.objectives
    score = "search score" if len(objectives) > 1 else f"search score, {escape(objectives[0].label)}"
    heads = ["split", "model", "chosen configuration", score, "retrained mean test accuracy ± sd"]
    contents: list[Content] = [
        Table(rows, heads, text_columns=3, lead=f"What each split chose on {where}", about=about)
    ]
    pairs = found.pairs()
    if not pairs:
        return contents
    region = findings.search.report.matters
    judged = [
        [
            f"{escape(pair.better)} − {escape(pair.worse)}",
            signed(pair.difference.mean),
            f"{signed(pair.difference.low)} to {signed(pair.difference.high)}",
            p_text(pair.p).removeprefix("= "),
            "yes" if pair.proven else "no",
            least_word(pair.difference.least_shown(pair.pairs)),
            matters_word(pair.difference.matters(region)),
            f"{sum(apart > 0 for apart in pair.differences)} of {count}",
        ]
        for pair in pairs
    ]
    heads = [
        "models",
        "mean difference",
        "95 % interval",
        "p",
        "really better",
        "least to be shown",
        "matters",
        "splits ahead",
    ]
    about = (
        f"{_verdict(found, pairs[0])} This is about images of this kind, whichever are trained on and tested on, and "
        "about search and choice too. Splits share images, so that interval and p are those of the corrected resampled "
        f"t-test (Nadeau and Bengio 2003): the variance of the {count} differences times 1/{count} + "
        f"{found.tested:,}/{found.trained:,}, with {count - 1} degree{'s' * (count > 2)} of freedom. From *least to be "
        "shown* on, a difference would have been called so for certain; it *matters* where the whole interval is "
        f"beyond {100 * region:g} points, and does not where the whole interval is within them."
    )
    return [*contents, Table(judged, heads, text_columns=1, lead="Model against model, over all splits", about=about)]


def _chosen_by(findings: Findings, chosen: Chosen) -> str:
    """Return what a score is of, behind it, where the models of a search are chosen by different objectives."""
    return f" ({escape(findings.objective_of(chosen.model).label)})" if len(findings.search.objectives) > 1 else ""


def _configuration(findings: Findings, chosen: Chosen) -> str:
    """Return the values of a chosen model's parameters that its search varied; of an ensemble its members."""
    if chosen.ensemble:
        return ", ".join(f"{one.weight} × {one.record.trial.id[:8]}" for one in chosen.ensemble.members)
    chosen_on = findings.search.chosen_on(chosen.dataset)
    names = varying(findings.trials(chosen.model, chosen_on))
    values = chosen.saved.trial.values
    return ", ".join(f"{name} {setting(values[name])}" for name in names if name in values)


def _tested(findings: Findings, chosen: Chosen) -> dict[str, object]:
    objective = findings.objective_of(chosen.model)
    return {} if objective is ACCURACY else {objective.test_column: float(chosen.by(objective).mean())}


def _rows(findings: Findings, found: Splits) -> list[dict[str, object]]:
    """Return a row for each model in each split of a data set."""
    return [
        {
            col.DATASET: found.dataset,
            "split": split,
            col.MODEL: chosen.model,
            "configuration": _configuration(findings, chosen),
            col.SEARCH_SCORE: chosen.search_score,
            col.RETRAINED_MEAN: chosen.mean,
            col.RETRAINED_SD: chosen.sd,
            **_tested(findings, chosen),
            col.REPEATS: len(chosen.finals),
        }
        for split, models in enumerate(found.chosen, start=1)
        for chosen in models
    ]
