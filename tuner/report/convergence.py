"""How many epochs the best trials took to reach given accuracies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.contents.cells import DASH, number
from tuner.contents.sections import Content, Paragraph, Section, Table
from tuner.search_file.model_search import ModelSearch
from tuner.text import escape
from tuner.trial import Record

#: Accuracies of the table where the search file names none.
_REACHED = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True)
class Convergence:
    """The best trial of a model search on a data set, and its first epoch with each accuracy; None for never."""

    model_search: ModelSearch
    dataset: str
    record: Record
    epochs_to: dict[float, int | None]


def convergences(findings: Findings) -> list[Convergence]:
    """Return the best trial of each model search on each data set; all with the same accuracies, which may be none."""
    shown = [
        (model_search, dataset, record)
        for dataset in findings.search.datasets
        for model_search, record in findings.best_trials(dataset)
    ]
    wanted = findings.search.report.reach or _telling([record for _, _, record in shown])
    return [
        Convergence(model_search, dataset, record, {accuracy: _reached(record, accuracy) for accuracy in wanted})
        for model_search, dataset, record in shown
    ]


def convergence_section(findings: Findings) -> Section | None:
    """Show in how many epochs the best trial of each search reached given accuracies."""
    found = convergences(findings)
    if not found or not found[0].epochs_to:
        return None
    rows, made = [], []
    for one in found:
        top = max(_curve(one.record), default=math.nan)
        texts = [DASH if epoch is None else str(epoch) for epoch in one.epochs_to.values()]
        rows.append([escape(one.model_search.label), escape(one.dataset), *texts, number(top)])
        made.append(
            {
                col.MODEL: one.model_search.name,
                col.DATASET: one.dataset,
                **{f"epochs_to_{accuracy:g}": epoch for accuracy, epoch in one.epochs_to.items()},
                col.BEST_VAL_ACCURACY: top,
            }
        )
    heads = ["model", "data set", *[f"to {accuracy:g}" for accuracy in found[0].epochs_to], "best epoch's accuracy"]
    lead = (
        "Epochs until the best trial of each search first reached an accuracy on "
        f"{findings.search.validates_on}; a dash where it never did"
    )
    told = "These epochs as a file: [convergence.csv](convergence.csv). How long that took: [Time](#time)."
    contents: list[Content] = [Table(rows, heads, text_columns=2, lead=lead), Paragraph(told)]
    frame = pd.DataFrame(made, dtype=object)  # whole numbers stay so beside empty cells
    return Section("convergence", "Convergence", contents, {"convergence.csv": frame})


def _telling(records: Sequence[Record]) -> list[float]:
    """Return up to three accuracies that some trial reached and not all did at once."""
    firsts = {accuracy: [_reached(record, accuracy) for record in records] for accuracy in _REACHED}
    return [a for a, n in firsts.items() if any(n) and any(first != 1 for first in n)][-3:]


def _reached(record: Record, accuracy: float) -> int | None:
    return next((epoch for epoch, value in enumerate(_curve(record), start=1) if value >= accuracy), None)


def _curve(record: Record) -> list[float]:
    return record.result.history.get(col.VAL_ACCURACY, [])
