"""Class by class: F1, ROC and the confusion matrix of each chosen model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.class_scores import ABSENT, MOST_CLASSES, ClassScores, in_the_mean, per_class_frame, sd_of
from tuner.analysis.confusion import ConfusionMatrix, confusion_frame
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.roc import POINTS, RocCurves, roc_frame
from tuner.contents.sections import Content, Paragraph, Picture, Section, Table, folded_if
from tuner.contents.undefined import class_head, defined_at_times, metric_cell, notes
from tuner.figures.class_scores import class_scores_figure
from tuner.figures.confusion import confusion_figure
from tuner.figures.roc import DRAWN_OF_MANY, roc_figure
from tuner.report.saving import which_is_saved
from tuner.text import enumerated, escape

#: Metrics whose figures stand in the section, by key and file: the keys of pictures, and the metrics under each other.
_DRAWN = {"f1": (col.F1,), "areas": (col.ROC_AUC, col.AVERAGE_PRECISION)}


def f1_section(findings: Findings) -> Section | None:
    """Show F1, ROC AUC and average precision of each class in every retraining, and all metrics as a table."""
    if not findings.chosen:
        return None
    frame = per_class_frame(findings.chosen)
    contents: list[Content] = []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        for key, names in _DRAWN.items():
            scores = [ClassScores.of(models, frame, name) for name in names]
            file = f"{key}-{findings.search.slugs[dataset]}.png"
            contents.append(Picture(key, file, _caption(scores), partial(class_scores_figure, scores)))
        for chosen in models:
            contents += _class_table(chosen, frame)
    contents.append(
        Paragraph(
            "Means over the retrainings, with their standard deviations. The macro average of the average precision is "
            "also called MAP. Every metric of every class, of the saved model too: [per_class.csv](per_class.csv)."
        )
    )
    return Section("classes", "Class by class", contents, {"per_class.csv": frame})


def _caption(metrics: Sequence[ClassScores]) -> str:
    """Return what the points of a figure are, of one metric or of several under each other."""
    one, called = metrics[0], enumerated([scores.metric.label for scores in metrics])
    count, shown = len(one.class_names), len(one.shown)
    what = "each class" if shown == count else f"the {shown} worst of {count} classes"
    absent = any(not scores.images[scores.shown].all() for scores in metrics)
    return (
        f"{called} of {what} on the test images of {one.dataset}. A point is a retraining, a bar their mean, a line "
        "one standard deviation to either side." + f" Classes marked {ABSENT} have no test image." * absent
    )


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
            f"ROC of {_curves(models[0])} against the rest on {dataset}, {_of_saved(models)}. The false positive rate "
            "has a logarithmic axis."
        )
        contents.append(Picture("roc", f"roc-{findings.search.slugs[dataset]}.png", what, partial(roc_figure, curves)))
    contents.append(Paragraph(f"The curves, of each {POINTS} points at most: [roc.csv](roc.csv)."))
    return Section("roc", "ROC curves", contents, {"roc.csv": roc_frame(every)})


def _of_saved(models: Sequence[Chosen]) -> str:
    """Return that a figure is of the saved models alone, and which of its retrainings each of them is."""
    which = [which_is_saved(chosen) for chosen in models]
    if len(models) == 1:
        return f"of the saved model alone, {which[0]}"
    if len(set(which)) == 1:
        return f"of the saved models alone, of each {which[0]}"
    each = [f"of {chosen.label} {said}" for chosen, said in zip(models, which, strict=True)]
    return f"of the saved models alone: {enumerated(each)}"


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
        caption = (
            f"Test images of {dataset} by true class (row) and predicted class (column), "
            f"{_of_saved(findings.on(dataset))}."
        )
        file = f"confusion-{findings.search.slugs[dataset]}.png"
        contents.append(Picture("confusion", file, caption, partial(confusion_figure, matrices)))
    told = "The matrices as a table, without empty cells: [confusion_matrix.csv](confusion_matrix.csv)."
    tables = {"confusion_matrix.csv": confusion_frame(every)}
    return Section("confusion", "Confusion matrices", [*contents, Paragraph(told)], tables)
