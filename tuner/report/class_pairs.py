"""Model against model in each class, and every retraining by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from tuner import columns as col
from tuner.analysis.class_scores import MOST_CLASSES, class_differences, compared, with_averages
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.variance import Difference
from tuner.contents.cells import DASH, number, signed
from tuner.contents.sections import Content, Paragraph, Section, Table, folded_if
from tuner.objective import ACCURACY, Objective
from tuner.report.verdicts import pairs_on
from tuner.text import escape


def class_pairs_section(findings: Findings) -> Section | None:
    """Show the differences of the best two models in each class; those of all pairs stand in a file."""
    rows: list[dict[str, object]] = []
    parts: list[Content] = []
    for dataset in findings.datasets:
        pairs = [(pair.better, pair.worse) for pair in pairs_on(findings, dataset)]
        found = list(class_differences(pairs))
        rows += [_row(*one) for one in found]
        if found:
            parts += _table(*pairs[0], [one for one in found if (one[0], one[1]) == pairs[0]])
    if not parts:
        return None
    about = (
        "Differences of the means over all retrainings, each with its 95 % interval over retrainings and test images. "
        "Each interval stands by itself: of twenty classes in which two models are equally good, one is told apart by "
        "luck. Of one retraining, the interval holds for that file and tells nothing of other seeds."
    )
    every = "All pairs of models: [class_differences.csv](class_differences.csv)."
    contents = [Paragraph(about), *parts, Paragraph(every)]
    return Section(
        "class_differences",
        "Model against model in each class",
        contents,
        {"class_differences.csv": pd.DataFrame(rows)},
    )


def _table(a: Chosen, b: Chosen, found: list[tuple[Chosen, Chosen, int | None, str, Difference]]) -> list[Content]:
    names = a.predictions.class_names
    cells: dict[int | None, list[str]] = {}
    for _, _, label, _, difference in found:
        head = f"*{col.MACRO_AVERAGE}*" if label is None else escape(names[label])
        cells.setdefault(label, [head]).append(_in_words(difference))
    lead = f"**{escape(a.label)} − {escape(b.label)} on {escape(a.dataset)}**"
    made = Table(list(cells.values()), ["class", *(metric.label for metric in compared().values())], lead=lead)
    return folded_if(len(cells) > 2 * MOST_CLASSES, f"All {len(cells)} classes", made)


def _in_words(difference: Difference) -> str:
    if difference.mean != difference.mean:  # not defined
        return DASH
    return f"{signed(difference.mean)} ({signed(difference.low)} to {signed(difference.high)})"


def _row(a: Chosen, b: Chosen, label: int | None, metric: str, difference: Difference) -> dict[str, object]:
    return {
        col.DATASET: a.dataset,
        col.MODEL: a.model,
        "other_model": b.model,
        col.CLASS: col.MACRO_AVERAGE if label is None else a.predictions.class_names[label],
        col.KIND: col.AVERAGE if label is None else col.CLASS,
        col.METRIC: metric,
        "difference": difference.mean,
        col.INTERVAL_LOW: difference.low,
        col.INTERVAL_HIGH: difference.high,
    }


def retrainings_section(findings: Findings) -> Section | None:
    """List every retraining with its scores."""
    if not findings.chosen:
        return None
    objectives = [one for one in findings.search.objectives if one is not ACCURACY]
    rows = [row for chosen in findings.chosen for row in _retrainings(chosen, objectives)]
    frame = pd.DataFrame(rows)
    labels = {chosen.model: chosen.label for chosen in findings.chosen}
    scores = (col.TEST_ACCURACY, *(f"macro_{name}" for name in compared()), col.TEST_LOSS)
    macros = [f"macro {metric.label}" for metric in compared().values()]
    told = [one for one in objectives if one.name not in scores and one.name != "log_loss"]  # which is the test loss
    body = Table(
        [
            [
                escape(labels[row[col.MODEL]]),
                escape(row[col.DATASET]),
                str(row[col.SEED]) + (", saved" if row["saved"] else ""),
                *[number(row[name]) for name in scores],
                *[number(row[one.test_column]) for one in told],
            ]
            for row in rows
        ],
        ["model", "data set", "seed", "test accuracy", *macros, "test loss", *(escape(one.label) for one in told)],
        text_columns=3,
    )
    about = (
        "Each retraining of each chosen configuration, on the test images. The loss is the cross-entropy of the "
        "probabilities, without penalties. The same as a file: [retrainings.csv](retrainings.csv)."
    )
    contents = [Paragraph(about), *folded_if(len(rows) > 2 * MOST_CLASSES, f"All {len(rows)} retrainings", body)]
    return Section("retrainings", "All retrainings", contents, {"retrainings.csv": frame})


def _retrainings(chosen: Chosen, objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    by = {one: chosen.by(one) for one in objectives}
    for place, (record, predictions) in enumerate(zip(chosen.finals, chosen.all_predictions, strict=True)):
        whole = with_averages(predictions)
        (macro, *_) = whole[whole[col.KIND] == col.AVERAGE].to_dict("records")
        rows.append(
            {
                col.MODEL: chosen.model,
                col.DATASET: chosen.dataset,
                col.SEED: record.trial.seed,
                "saved": place == chosen.place,
                col.TEST_ACCURACY: predictions.accuracy,
                **{f"macro_{name}": macro[name] for name in compared()},
                col.TEST_LOSS: predictions.loss,
                **{one.test_column: by[one][place] for one in objectives},
                col.TRIAL: record.trial.id,
            }
        )
    return rows
