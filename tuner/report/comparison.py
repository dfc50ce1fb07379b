"""The comparison of the chosen models, and the search score beside the test score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.pairs import Pair
from tuner.analysis.significance import accuracy_interval
from tuner.analysis.variance import mean_interval
from tuner.contents.cells import DASH, number, p_text, plus_minus, signed
from tuner.contents.sections import Content, Folded, Items, Paragraph, Section, Table
from tuner.objective import ACCURACY, Objective
from tuner.report.choice import choice_in_words, objectives_in_words
from tuner.report.saving import saved_in_words
from tuner.report.splits import beyond_this_split, split_in_words
from tuner.report.verdicts import CHOSEN_THERE, SCOPE, importance_word, least_word, pair_in_words, pairs_on
from tuner.text import escape

#: Why an interval may leave out 0 where p does not fall below 0.05.
OF_A_PAIR = (
    "The interval is of the pair alone, and *matters* goes by it: it may leave out 0 where p after Holm is above 0.05."
)


def comparison_frame(findings: Findings) -> pd.DataFrame:
    """Return a row per model and data set, with scores, deltas, interval, p-value and size.

    `delta_dataset` is the mean on this data set minus that on the first of the comparison, `delta_model` the mean
    minus the first model's on the same data set; `p_value` compares with the first model too, over all retrainings and
    after Holm. `ci_low` and `ci_high` are of the saved file's accuracy, `mean_ci_low` and `mean_ci_high` of the mean.
    """
    rows = []
    for chosen in findings.chosen:
        first_set = next((other for other in findings.on(findings.datasets[0]) if other.model == chosen.model), None)
        first_model = findings.on(chosen.dataset)[0]
        p = next(
            (
                pair.p
                for pair in pairs_on(findings, chosen.dataset)
                if {pair.better.model, pair.worse.model} == {chosen.model, first_model.model}
            ),
            None,
        )
        interval = accuracy_interval(chosen.predictions.correct)
        of_mean = mean_interval(chosen.correct, 0, 1)
        result = chosen.saved.result
        rows.append(
            {
                col.MODEL: chosen.model,
                col.FAMILY: chosen.saved.trial.family,
                col.DATASET: chosen.dataset,
                col.SEARCH_SCORE: chosen.search_score,
                col.RETRAINED_MEAN: chosen.mean,
                col.RETRAINED_SD: chosen.sd,
                col.MEAN_LOW: of_mean.low,
                col.MEAN_HIGH: of_mean.high,
                col.REPEATS: len(chosen.finals),
                col.TEST_ACCURACY: chosen.predictions.accuracy,
                col.INTERVAL_LOW: interval.low,
                col.INTERVAL_HIGH: interval.high,
                col.TEST_LOSS: chosen.predictions.loss,
                **_by_objective(chosen, findings.objective_of(chosen.model)),
                col.DELTA_DATASET: chosen.mean - first_set.mean if first_set and first_set is not chosen else None,
                col.DELTA_MODEL: chosen.mean - first_model.mean if first_model is not chosen else None,
                col.P_VALUE: p,
                col.PARAMETERS: result.parameters,
                col.MEGABYTES: chosen.megabytes,
                col.EPOCHS: None if chosen.ensemble else chosen.saved.trial.last_epoch,
                col.TRAIN_SIZE: chosen.saved.trial.train_size,
                col.TEST_SIZE: len(chosen.predictions.labels),
                col.FILE: chosen.file_name,
            }
        )
    return whole_epochs(pd.DataFrame(rows), findings.chosen)


def whole_epochs(frame: pd.DataFrame, models: Sequence[Chosen]) -> pd.DataFrame:
    """Return a table of models whose epochs stay whole numbers beside an ensemble, which has none."""
    return frame.astype({col.EPOCHS: "Int64"}) if any(chosen.ensemble for chosen in models) else frame


def _by_objective(chosen: Chosen, objective: Objective) -> dict[str, float]:
    """Return mean and standard deviation over retrainings of the test score by an objective other than accuracy."""
    if objective is ACCURACY:
        return {}
    mean, sd = chosen.mean_and_sd(objective)
    return {objective.test_column: mean, f"{objective.test_column}_sd": float("nan") if sd is None else sd}


def pairs_frame(findings: Findings) -> pd.DataFrame:
    """Return a row per pair of models of a data set, the better first, with all that tells them apart."""
    return pd.DataFrame(
        {
            col.DATASET: dataset,
            col.MODEL: pair.better.model,
            col.OTHER_MODEL: pair.worse.model,
            col.DELTA: pair.difference.mean,
            col.DELTA_LOW: pair.difference.low,
            col.DELTA_HIGH: pair.difference.high,
            col.P_VALUE: pair.p,
            col.BETTER: _judgement(pair),
            col.LEAST_SHOWN: pair.least_shown,
            col.MATTERS: importance_word(pair),
            col.CHANCE_AHEAD: pair.ahead[0] / pair.ahead[1],
            col.MCNEMAR: pair.mcnemar,
        }
        for dataset in findings.datasets
        for pair in pairs_on(findings, dataset)
    )


def _judgement(pair: Pair) -> str:
    return DASH if pair.p is None else "yes" if pair.proven else "no"


def margins_table(findings: Findings) -> Table:
    """Return models by data sets with the mean test accuracies, both delta margins and the size of the file."""
    names = findings.datasets
    models = list(dict.fromkeys((chosen.model, chosen.label) for chosen in findings.chosen))
    mean = {(chosen.model, chosen.dataset): chosen.mean for chosen in findings.chosen}
    sd = {(chosen.model, chosen.dataset): chosen.sd for chosen in findings.chosen}
    rows: list[list[str]] = []
    for model, label in models:
        cells = [plus_minus(mean[model, d], sd[model, d]) if (model, d) in mean else DASH for d in names]
        row = [escape(label), *cells]
        if len(names) > 1:
            ends = mean.get((model, names[-1])), mean.get((model, names[0]))
            row.append(signed(ends[0] - ends[1]) if ends[0] is not None and ends[1] is not None else DASH)
        rows.append([*row, number(max(chosen.megabytes for chosen in findings.chosen if chosen.model == model), 2)])
    for model, label in models[1:]:
        cells = []
        for d in names:
            mine, first = mean.get((model, d)), mean.get((models[0][0], d))
            cells.append(signed(mine - first) if mine is not None and first is not None else DASH)
        rows.append(
            [f"*delta_model: {escape(label)} − {escape(models[0][1])}*", *cells] + [""] * (1 + (len(names) > 1))
        )
    split = split_in_words(findings)
    heads = [f"mean test accuracy ± sd{f', {split}' * bool(split)}", *map(escape, names)]
    if len(names) > 1:
        heads.append(f"delta_dataset: {escape(names[-1])} − {escape(names[0])}")
    return Table(rows, [*heads, "file, MB"])


def comparison_section(findings: Findings) -> Section | None:
    """Compare the chosen models: accuracies with deltas, then each with interval, test and size."""
    if not findings.chosen:
        return None
    detail = [
        [
            escape(chosen.label),
            escape(chosen.dataset),
            number(chosen.predictions.accuracy),
            "{0.low:.4f} to {0.high:.4f}".format(accuracy_interval(chosen.predictions.correct)),
            f"{chosen.saved.result.parameters:,}",
            f"{chosen.megabytes:.2f}",
            f"`{chosen.file_name}`",
        ]
        for chosen in findings.chosen
    ]
    heads = ["model", "data set", "test accuracy", "95 % interval", "parameters", "MB", "file"]
    saved = Table(detail, heads, 2, lead="The saved models, with Wilson's interval", about=saved_in_words(findings))
    by = objectives_in_words(findings)
    told = [*([Paragraph(by)] if by else []), *_chosen_on(findings)]
    contents: list[Content] = [*told, margins_table(findings), saved]
    tables = {"comparison.csv": comparison_frame(findings)}
    pairs = [(dataset, pair) for dataset in findings.datasets for pair in pairs_on(findings, dataset)]
    if pairs:
        contents += [_pairs_table(pairs), *_other_pairs(findings), Paragraph(_explained(pairs))]
        tables["pairs.csv"] = pairs_frame(findings)
    return Section("comparison", "Comparison", [*contents, Paragraph(f"{SCOPE}{beyond_this_split(findings)}")], tables)


def _pairs_table(pairs: list[tuple[str, Pair]]) -> Table:
    rows = []
    for dataset, pair in pairs:
        ahead, of = pair.ahead
        rows.append(
            [
                escape(dataset),
                f"{escape(pair.better.label)} − {escape(pair.worse.label)}",
                signed(pair.difference.mean),
                f"{signed(pair.difference.low)} to {signed(pair.difference.high)}",
                DASH if pair.p is None else p_text(pair.p).removeprefix("= "),
                _judgement(pair),
                least_word(pair.least_shown),
                importance_word(pair),
                f"{ahead:g} of {of}",
                p_text(pair.mcnemar).removeprefix("= "),
            ]
        )
    heads = [
        "data set", "models", "difference of means", "95 % interval", "p", "really better", "least to be shown",
        "matters", "retrainings ahead", "saved files: McNemar's mid-p",
    ]  # fmt: skip
    return Table(rows, heads, text_columns=2, lead="Model against model, on the same test images")


def _other_pairs(findings: Findings) -> list[Content]:
    """Return every pair of models in words where there are more than the verdict tells of."""
    told = [
        pair_in_words(escape(dataset), pair)
        for dataset in findings.datasets
        for pair in pairs_on(findings, dataset)[1:]
    ]
    return [Folded(f"The other pairs of models in words ({len(told)})", [Items(told)])] if told else []


def _explained(pairs: list[tuple[str, Pair]]) -> str:
    """Return what the columns of the pairs mean, and why some are not judged."""
    region = 100 * pairs[0][1].region
    parts = [
        "Interval and p are of the difference of the means over retrainings, and cover the luck of seeds and of test "
        "images. A model is called really better where p is below 0.05"
        + (
            f", after Holm for all pairs of the data set. {OF_A_PAIR}"
            if any(pair.pairs > 1 for _, pair in pairs)
            else "."
        ),
        "From *least to be shown* on, a difference would have been called so for certain. It *matters* where the "
        f"whole interval is beyond {region:g} points, and does not where the whole interval is within them "
        "(`matters` in `[report]`). *Retrainings ahead* counts, of all pairs of a retraining of each model, those in "
        "which the first has more right, which is the chance that one training of it beats one of the other. McNemar's "
        "test is a remark on the two saved files and decides nothing. Every number: [pairs.csv](pairs.csv).",
    ]
    if any(least_word(pair.least_shown) == "none" for _, pair in pairs):
        parts.append("It is *none* where retrainings differ so much that no difference of accuracies would have been.")
    if any(pair.published for _, pair in pairs):
        parts.append(f"Nothing is judged here: each model was {CHOSEN_THERE}.")
    elif any(pair.p is None for _, pair in pairs):
        parts.append(
            "A model with one retraining is not judged: nothing tells how much its seed did. The interval is then of "
            "the two files, over test images. `--repeats 5` trains each winner five times."
        )
    return " ".join(parts)


def _chosen_on(findings: Findings) -> list[Paragraph]:
    """Say where models were chosen, if it is not where they are compared."""
    others = [name for name in findings.datasets if findings.search.chosen_on(name) != name]
    if not others:
        return []
    chosen_on = findings.search.chosen_on(others[0])
    return [Paragraph(f"The models compared on {escape(', '.join(others))} were chosen on {escape(chosen_on)}.")]


def selection_section(findings: Findings) -> Section | None:
    """Set the search score, the retrained mean and the test score side by side."""
    chosen_here = [chosen for chosen in findings.chosen if chosen.winner]
    if not chosen_here:
        return None
    rows = []
    objectives = findings.search.objectives
    for chosen in chosen_here:
        if chosen.winner is None:
            continue
        objective = findings.objective_of(chosen.model)
        score, tested = chosen.winner.score, chosen.by(objective)
        mean, sd = (chosen.mean, chosen.sd) if objective is ACCURACY else chosen.mean_and_sd(objective)
        rows.append(
            [
                escape(chosen.label),
                escape(chosen.dataset),
                *([escape(objective.label)] if len(objectives) > 1 else []),
                chosen.selection.among if chosen.selection else 1,
                number(score),
                plus_minus(mean, sd) if np.isfinite(mean) else DASH,
                number(tested[chosen.place]),
                signed(mean - score if score is not None else None),
            ]
        )
    several, what = len(objectives) > 1, escape(objectives[0].label)
    of = "test score" if several else f"test {what}"
    heads = [f"search score{f', {what}' * (not several)}", f"retrained mean {of} ± sd", f"saved model's {of}"]
    about = ["model", "data set", *(["chosen by"] if several else []), "trials"]
    table = Table(rows, [*about, *heads, "retrained − search"], text_columns=3 if several else 2)
    told = [choice_in_words(findings)]
    if several:
        told.append("The scores of a row are of what its model was chosen by.")
    told += _left_out(findings, chosen_here)
    if objectives != (ACCURACY,):
        told += _not_scored(findings, chosen_here)
    return Section("selection", "Search score and test score", [Paragraph(" ".join(told)), table])


def _left_out(findings: Findings, models: Sequence[Chosen]) -> Iterator[str]:
    """Yield which classes have no image among those that were chosen on, by data set."""
    for chosen in {chosen.dataset: chosen for chosen in models if chosen.winner}.values():
        there = set(findings.chosen_on_images(chosen.winner.trial).tolist()) if chosen.winner else set()
        lacking = [name for label, name in enumerate(chosen.predictions.class_names) if label not in there]
        if lacking:
            names = escape(", ".join(lacking))
            yield f"On {escape(chosen.dataset)}, trials were chosen on no image of {names}, which counts in no score."


def _not_scored(findings: Findings, models: Sequence[Chosen]) -> Iterator[str]:
    """Yield why retrainings have no score by what they were chosen by, each reason once."""
    reasons: dict[tuple[str, str], None] = {}
    for chosen in models:
        objective = findings.objective_of(chosen.model)
        if why := chosen.why_not_scored(objective):
            reasons[objective.name, why] = None
    for name, why in reasons:
        yield f"The test images could not be scored by {escape(name)}: {escape(why)}."
