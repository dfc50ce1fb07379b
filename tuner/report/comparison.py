"""The verdict, the comparison of the chosen models, and the search score beside the test score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import pandas as pd

from tuner import columns as col
from tuner.findings import Chosen, Findings
from tuner.report.base import DASH, Section, escape, number, p_text, plus_minus, signed, table
from tuner.report.choice import choice_in_words
from tuner.report.saving import saved_in_words
from tuner.significance import Interval, accuracy_interval, difference_interval, holm, mcnemar


@dataclass(frozen=True)
class Pair:
    """Two models of one data set, the one with the better mean first, and what tells them apart.

    `difference` of the mean test accuracies and its `interval` are over all retrainings of both; `p` is McNemar's
    of the two saved models, adjusted after Holm where a data set has several pairs.
    """

    better: Chosen
    worse: Chosen
    difference: float
    interval: Interval
    p: float

    @property
    def proven(self) -> bool:
        """Whether the better one is better beyond chance: in the retrainings' means and in the saved models."""
        a, b = self.better.predictions.accuracy, self.worse.predictions.accuracy
        return self.interval.low > 0 and self.p < 0.05 and a > b


@lru_cache(maxsize=64)  # findings never change, and several sections ask
def pairs_on(findings: Findings, dataset: str) -> tuple[Pair, ...]:
    """Return every pair of chosen models on a data set, pairs of the best model first."""
    models = sorted(findings.on(dataset), key=lambda chosen: -chosen.mean)
    both = list(combinations(models, 2))
    adjusted = holm([mcnemar(a.predictions.correct, b.predictions.correct) for a, b in both])
    return tuple(
        Pair(a, b, a.mean - b.mean, difference_interval(a.correct, b.correct), p)
        for (a, b), p in zip(both, adjusted, strict=True)
    )


def verdict_on(findings: Findings, dataset: str) -> str:
    """Return in a sentence or two which model is best on a data set, and whether it really is."""
    where = escape(dataset)
    pairs = pairs_on(findings, dataset)
    if not pairs:
        (only,) = findings.on(dataset)
        interval = accuracy_interval(only.predictions.correct)
        return (
            f"On {where}, **{escape(only.label)} reaches {100 * only.mean:.1f} %** of the test images "
            f"({plus_minus(only.mean, only.sd)} over {_retrainings(only)}; the saved model's 95 % interval "
            f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %)."
        )
    return pair_in_words(where, pairs[0])  # of the best model and the second best


def pair_in_words(where: str, pair: Pair) -> str:
    """Return in a sentence, markdown, whether the better of two models really is better; `where` is escaped."""
    a, b = escape(pair.better.label), escape(pair.worse.label)
    points = f"{100 * pair.difference:.1f} points"
    span = f"95 % interval {100 * pair.interval.low:.1f} to {100 * pair.interval.high:.1f}".replace("-", "−")
    means = f"{plus_minus(pair.better.mean, pair.better.sd)} against {plus_minus(pair.worse.mean, pair.worse.sd)}"
    evidence = f"({span}; McNemar p {p_text(pair.p)}): {means} over {_retrainings(pair.better)}."
    if pair.proven:
        return f"On {where}, **{a} beats {b} by {points}** of test accuracy {evidence}"
    return f"On {where}, **{a} is not shown to beat {b}**: it is {points} of test accuracy ahead {evidence}"


def _retrainings(chosen: Chosen) -> str:
    return "1 retraining" if len(chosen.finals) == 1 else f"{len(chosen.finals)} retrainings"


def comparison_frame(findings: Findings) -> pd.DataFrame:
    """Return a row per model and data set, with scores, deltas, interval, p-value and size.

    `delta_dataset` is the mean on this data set minus that on the first of the comparison, `delta_model` the mean
    minus the first model's on the same data set; `p_value` compares with the first model too.
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
        result = chosen.saved.result
        rows.append(
            {
                col.MODEL: chosen.model,
                col.FAMILY: chosen.saved.trial.family,
                col.DATASET: chosen.dataset,
                col.SEARCH_SCORE: chosen.winner.result.val_accuracy if chosen.winner else None,
                col.RETRAINED_MEAN: chosen.mean,
                col.RETRAINED_SD: chosen.sd,
                col.REPEATS: len(chosen.finals),
                col.TEST_ACCURACY: chosen.predictions.accuracy,
                col.INTERVAL_LOW: interval.low,
                col.INTERVAL_HIGH: interval.high,
                col.TEST_LOSS: result.test_loss,
                col.DELTA_DATASET: chosen.mean - first_set.mean if first_set and first_set is not chosen else None,
                col.DELTA_MODEL: chosen.mean - first_model.mean if first_model is not chosen else None,
                col.P_VALUE: p,
                col.PARAMETERS: result.parameters,
                col.MEGABYTES: chosen.megabytes,
                col.EPOCHS: chosen.saved.trial.last_epoch,
                col.TRAIN_SIZE: chosen.saved.trial.train_size,
                col.TEST_SIZE: len(chosen.predictions.labels),
                col.FILE: chosen.file_name,
            }
        )
    return pd.DataFrame(rows)


def margins_table(findings: Findings) -> str:
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
    heads = ["mean test accuracy ± sd", *map(escape, names)]
    if len(names) > 1:
        heads.append(f"delta_dataset: {escape(names[-1])} − {escape(names[0])}")
    return table(rows, [*heads, "file, MB"])


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
            f"[{escape(chosen.file_name)}]({chosen.file_name})",
        ]
        for chosen in findings.chosen
    ]
    heads = ["model", "data set", "test accuracy", "95 % interval", "parameters", "MB", "file"]
    pairs = [(dataset, pair) for dataset in findings.datasets for pair in pairs_on(findings, dataset)]
    tests = table(
        [
            [
                escape(dataset),
                f"{escape(pair.better.label)} − {escape(pair.worse.label)}",
                signed(pair.difference),
                f"{signed(pair.interval.low)} to {signed(pair.interval.high)}",
                p_text(pair.p).removeprefix("= "),
                "yes" if pair.proven else "no",
            ]
            for dataset, pair in pairs
        ],
        ["data set", "models", "difference of means", "95 % interval", "McNemar p", "really better"],
        text_columns=2,
    )
    text = _chosen_on(findings) + margins_table(findings)
    text += f"\n\n{saved_in_words(findings)} The saved models:\n\n"
    text += table(detail, heads, text_columns=2)
    if pairs:
        text += "\n\nModel against model, on the same test images:\n\n" + tests
        text += (
            f"\n\nThe interval resamples {_resampled(findings)}, McNemar's test compares the saved models. "
            "A model is called really better where both say so: the interval lies above 0 and p below 0.05."
        )
        if max(len(pairs_on(findings, dataset)) for dataset in findings.datasets) > 1:
            text += " Where a data set has several pairs, p is adjusted after Holm."
    return Section("Comparison", text, tables={"comparison.csv": comparison_frame(findings)})


def _resampled(findings: Findings) -> str:
    if min(len(chosen.finals) for chosen in findings.chosen) == 1:
        return "test images only, since a model has one retraining"
    return "retrainings and test images"


def _chosen_on(findings: Findings) -> str:
    """Return where models were chosen, if it is not where they are compared; empty otherwise."""
    others = [name for name in findings.datasets if findings.search.chosen_on(name) != name]
    if not others:
        return ""
    chosen_on = findings.search.chosen_on(others[0])
    return f"The models compared on {escape(', '.join(others))} were chosen on {escape(chosen_on)}.\n\n"


def selection_section(findings: Findings) -> Section | None:
    """Set the search score, the retrained mean and the test score side by side."""
    chosen_here = [chosen for chosen in findings.chosen if chosen.winner]
    if not chosen_here:
        return None
    rows = []
    for chosen in chosen_here:
        if chosen.winner is None:
            continue
        score = chosen.winner.result.val_accuracy
        rows.append(
            [
                escape(chosen.label),
                escape(chosen.dataset),
                len([r for r in findings.trials(chosen.model, chosen.dataset) if r.completed]),
                number(score),
                plus_minus(chosen.mean, chosen.sd),
                number(chosen.predictions.accuracy),
                signed(chosen.mean - score if score is not None else None),
            ]
        )
    text = choice_in_words(findings) + "\n\n"
    heads = ["model", "data set", "trials", "search score", "retrained mean ± sd", "saved model's test score"]
    return Section("Search score and test score", text + table(rows, [*heads, "retrained − search"], text_columns=2))
