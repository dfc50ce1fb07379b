"""Class by class: F1, ROC and the confusion matrix of each chosen model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.class_scores import ABSENT, MOST_CLASSES, F1Scores, in_the_mean, per_class_frame, sd_of
from tuner.analysis.confusion import ConfusionMatrix, confusion_frame
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.roc import RocCurves, roc_frame
from tuner.contents.sections import Content, Paragraph, Picture, Section, Table, folded_if
from tuner.contents.undefined import class_head, defined_at_times, metric_cell, notes
from tuner.figures.confusion import confusion_figure
from tuner.figures.f1 import f1_figure
from tuner.figures.roc import DRAWN_OF_MANY, roc_figure
from tuner.text import escape


def f1_section(findings: Findings) -> Section | None:
    """Show F1 of each class in every retraining, and the metrics of each class as a table."""
    if not findings.chosen:
        return None
    frame = per_class_frame(findings.chosen)
    contents: list[Content] = []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        f1 = F1Scores.of(models, frame)
        count, shown = len(f1.class_names), f1.shown
        what = "each class" if len(shown) == count else f"the {len(shown)} worst of {count} classes"
        absent = f" Classes marked {ABSENT} have no test image." if not f1.images[shown].all() else ""
        dots = "A dot is a retraining, a bar their mean, a line one standard deviation to either side."
        caption = f"F1 of {what} on the test images of {dataset}. {dots}{absent}"
        contents.append(Picture("f1", f"f1-{findings.search.slugs[dataset]}.png", caption, partial(f1_figure, f1)))
        for chosen in models:
            contents += _class_table(chosen, frame)
    contents.append(
        Paragraph(
            "Means over the retrainings, with their standard deviations. The macro average of the average precision is "
            "also called MAP. Every metric of every class, of the saved model too: [per_class.csv](per_class.csv)."
        )
    )
    return Section("classes", "Class by class", contents, {"per_class.csv": frame})


def _class_table(chosen: Chosen, frame: pd.DataFrame) -> list[Content]:
    mine = frame[(frame[col.MODEL] == chosen.model) & (frame[col.DATASET] == chosen.dataset)]
    heads = ["class", *(metric.label for metric in CLASS_METRICS.values()), "images"]
    names, records = list(CLASS_METRICS), [in_the_mean(record) for record in mine.to_dict("records")]
    rows = [[class_head(r), *[_mean_cell(r, name) for name in names], f"{r[col.SUPPORT]:,}"] for r in records]
    body = Table(rows, heads, lead=f"**{escape(chosen.label)} on {escape(chosen.dataset)}**")
    told = map(Paragraph, notes(records, names))
    return folded_if(len(rows) > 2 * MOST_CLASSES, f"All {len(rows) - 2} classes", body, *told)


def _mean_cell(row: Mapping[Any, Any], name: str) -> str:
    sd = float(row[sd_of(name)])
    return metric_cell(row, name) + (f" ± {sd:.4f}" if np.isfinite(sd) else "") + defined_at_times(row, name)


def roc_section(findings: Findings) -> Section | None:
    """Draw the one-versus-rest ROC curve of each class of each chosen model."""
    if not findings.chosen:
        return None
    contents: list[Content] = []
    every = [RocCurves.of(chosen) for chosen in findings.chosen]
    for dataset in findings.datasets:
        models = findings.on(dataset)
        curves = [one for one in every if one.dataset == dataset]
        what = (
            f"ROC of {_curves(models[0])} against the rest on {dataset}, of the saved models. The false positive rate "
            "has a logarithmic axis."
        )
        contents.append(Picture("roc", f"roc-{findings.search.slugs[dataset]}.png", what, partial(roc_figure, curves)))
    contents.append(Paragraph("Up to 160 points of every curve: [roc.csv](roc.csv)."))
    return Section("roc", "ROC curves", contents, {"roc.csv": roc_frame(every)})


def _curves(chosen: Chosen) -> str:
    count = len(chosen.predictions.class_names)
    if count <= MOST_CLASSES:
        there = len(np.unique(chosen.predictions.labels))
        return "each class" if there == count else f"each of the {there} classes with test images"
    return f"each model's {DRAWN_OF_MANY} worst of {count} classes"


def confusion_section(findings: Findings) -> Section | None:
    """Draw the confusion matrix of each chosen model."""
    if not findings.chosen:
        return None
    contents: list[Content] = []
    every = [ConfusionMatrix.of(chosen) for chosen in findings.chosen]
    for dataset in findings.datasets:
        matrices = [one for one in every if one.dataset == dataset]
        caption = f"Test images of {dataset} by true class (row) and class predicted by the saved model (column)."
        file = f"confusion-{findings.search.slugs[dataset]}.png"
        contents.append(Picture("confusion", file, caption, partial(confusion_figure, matrices)))
    told = "The matrices as a table, without empty cells: [confusion_matrix.csv](confusion_matrix.csv)."
    tables = {"confusion_matrix.csv": confusion_frame(every)}
    return Section("confusion", "Confusion matrices", [*contents, Paragraph(told)], tables)
