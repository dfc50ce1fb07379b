"""Class by class: F1, ROC and the confusion matrix of each chosen model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.class_scores import mean_of, over_retrainings, sd_of
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.scoring import per_class
from tuner.contents.sections import Content, Paragraph, Picture, Section, Table, folded_if
from tuner.figures.style import COLOURS, SEQUENTIAL, colour, dash, new_figure, panels, plain_decades, short
from tuner.report.undefined import ABSENT, class_head, metric_cell, notes
from tuner.text import escape

#: More classes than this are too many for a bar, a curve or a label each; the worst of them are shown.
MOST_CLASSES = 20
#: Points of a ROC curve as the report's file and page hold it; one of fewer is there whole.
_ROC_POINTS = 160


def per_class_frame(models: Sequence[Chosen]) -> pd.DataFrame:
    """Return the metrics of each class of each chosen model, averages included.

    They are the saved model's; beside them stand mean and standard deviation over all retrainings.
    """
    parts = []
    for chosen in models:
        both = over_retrainings(chosen)
        both[col.REPEATS] = len(chosen.finals)
        both[col.EPOCHS] = chosen.saved.trial.last_epoch
        both[col.TRAIN_SIZE] = chosen.saved.trial.train_size
        both.insert(0, col.DATASET, chosen.dataset)
        both.insert(0, col.MODEL, chosen.model)
        parts.append(both)
    if not parts:
        spread = [column(name) for name in col.PER_CLASS[:-1] for column in (mean_of, sd_of)]
        about = [col.KIND, *spread, col.REPEATS, col.EPOCHS, col.TRAIN_SIZE]
        return pd.DataFrame(columns=[col.MODEL, col.DATASET, col.CLASS, *col.PER_CLASS, *about])
    return pd.concat(parts, ignore_index=True)


def f1_section(findings: Findings) -> Section | None:
    """Show F1 of each class in every retraining, and the metrics of each class as a table."""
    if not findings.chosen:
        return None
    frame = per_class_frame(findings.chosen)
    contents: list[Content] = []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        count, shown = len(models[0].predictions.class_names), _shown_classes(models, frame)
        what = "each class" if len(shown) == count else f"the {len(shown)} worst of {count} classes"
        absent = f"; {ABSENT} has no test image" if not _images_of(models)[shown].all() else ""
        dots = "; a dot for each retraining, a bar at their mean, a line of one standard deviation to either side"
        caption = f"F1 of {what} on the test images of {dataset}{dots}{absent}"
        file = f"f1-{findings.search.slugs[dataset]}.png"
        contents.append(Picture("f1", file, caption, partial(_f1_figure, models, frame)))
        for chosen in models:
            contents += _class_table(chosen, frame)
    contents.append(
        Paragraph(
            "Means over the retrainings, with their standard deviations. The macro average of the average precision is "
            "also called MAP. Every metric of every class, of the saved model too: [per_class.csv](per_class.csv)."
        )
    )
    return Section("classes", "Class by class", contents, {"per_class.csv": frame})


def _f1_figure(models: Sequence[Chosen], frame: pd.DataFrame) -> Figure:
    figure = new_figure(9, 3.8)
    draw_f1(figure.subplots(), models, frame)
    return figure


def _rows_of(models: Sequence[Chosen], frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows of each model's classes, without the averages."""
    count, dataset = len(models[0].predictions.class_names), models[0].dataset
    return [frame[(frame[col.MODEL] == m.model) & (frame[col.DATASET] == dataset)][:count] for m in models]


def _images_of(models: Sequence[Chosen]) -> NDArray[np.intp]:
    """Return how many test images each class has."""
    return np.bincount(models[0].predictions.labels, minlength=len(models[0].predictions.class_names))


def _shown_classes(models: Sequence[Chosen], frame: pd.DataFrame) -> list[int]:
    """Return every class, or of too many the worst in the mean of the models, in order of their labels."""
    means = np.nan_to_num([mine[mean_of(col.F1)].to_numpy() for mine in _rows_of(models, frame)]).mean(axis=0)
    scores = np.where(_images_of(models) == 0, np.inf, means)
    return sorted(np.argsort(scores, kind="stable")[:MOST_CLASSES].tolist())


def draw_f1(axes: Axes, models: Sequence[Chosen], frame: pd.DataFrame, **points: Any) -> None:
    """Draw F1 of each class, or of the worst, a dot for each retraining with mean and spread.

    Args:
        axes: where to.
        models: the chosen ones of one data set.
        frame: as `per_class_frame` returns it.
        points: what matplotlib's dots are to have.
    """
    names, dataset = models[0].predictions.class_names, models[0].dataset
    absent, shown = _images_of(models) == 0, _shown_classes(models, frame)
    step = 0.8 / len(models)
    for index, (chosen, mine) in enumerate(zip(models, _rows_of(models, frame), strict=True)):
        mean = mine[mean_of(col.F1)].to_numpy()
        middle = np.arange(len(shown)) + (index - (len(models) - 1) / 2) * step
        each = np.array([per_class(one)[col.F1].to_numpy()[shown] for one in chosen.all_predictions])
        spread, ink = mine[sd_of(col.F1)].to_numpy()[shown], colour(index)
        axes.vlines(middle, mean[shown] - spread, mean[shown] + spread, color=ink, linewidth=1.4, alpha=0.6)
        axes.plot(middle, mean[shown], linestyle="none", marker="_", markersize=13, markeredgewidth=2.2, color=ink)
        aside = np.linspace(-0.16, 0.16, len(each))[:, None] * step if len(each) > 1 else np.zeros((1, 1))
        look = {"color": ink, "s": 16, "alpha": 0.75, "linewidths": 0, **points}
        axes.scatter((middle + aside).ravel(), each.ravel(), label=chosen.label, zorder=3, **look)
    ticks = [short(names[label]) + (f" {ABSENT}" if absent[label] else "") for label in shown]
    turned = max(map(len, ticks)) * len(ticks) > 60
    axes.set_xlim(-0.6, len(ticks) - 0.4)
    axes.set_xticks(range(len(ticks)), ticks, rotation=35 if turned else 0, ha="right" if turned else "center")
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("class")
    axes.set_ylabel("F1")
    axes.set_title(f"F1 of each class, {dataset}", pad=26 if len(models) > 1 else None)
    if len(models) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(models), borderaxespad=0.2)


def _class_table(chosen: Chosen, frame: pd.DataFrame) -> list[Content]:
    mine = frame[(frame[col.MODEL] == chosen.model) & (frame[col.DATASET] == chosen.dataset)]
    heads = ["class", "precision", "recall", "F1", "ROC AUC", "average precision", "images"]
    names, records = col.PER_CLASS[:-1], [in_the_mean(record) for record in mine.to_dict("records")]
    rows = [[class_head(r), *[_mean_cell(r, name) for name in names], r[col.SUPPORT]] for r in records]
    body = Table(rows, heads, lead=f"**{escape(chosen.label)} on {escape(chosen.dataset)}**")
    told = map(Paragraph, notes(records, names))
    return folded_if(len(rows) > 2 * MOST_CLASSES, f"All {len(rows) - 2} classes", body, *told)


def in_the_mean(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a row of `per_class_frame` with means over all retrainings in the place of the saved model's metrics."""
    return {**row, **{name: row[mean_of(name)] for name in col.PER_CLASS[:-1]}}


def _mean_cell(row: Mapping[Any, Any], name: str) -> str:
    sd = float(row[sd_of(name)])
    return metric_cell(row, name) + (f" ± {sd:.4f}" if np.isfinite(sd) else "")


def roc_section(findings: Findings) -> Section | None:
    """Draw the one-versus-rest ROC curve of each class of each chosen model."""
    if not findings.chosen:
        return None
    contents: list[Content] = []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        what = f"ROC of {_curves(models[0])} against the rest on {dataset}; false positive rate on a logarithmic axis"
        file = f"roc-{findings.search.slugs[dataset]}.png"
        contents.append(Picture("roc", file, what, partial(_roc_figure, models)))
    contents.append(Paragraph("Up to 160 points of every curve: [roc.csv](roc.csv)."))
    return Section("roc", "ROC curves", contents, {"roc.csv": _roc_frame(findings)})


def _roc_figure(models: Sequence[Chosen]) -> Figure:
    figure, places = panels(len(models), 5.3, 4.4)
    for axes, chosen in zip(places, models, strict=True):
        draw_roc(axes, chosen)
    return figure


def _roc_frame(findings: Findings) -> pd.DataFrame:
    frames = []
    for chosen in findings.chosen:
        for label, name in enumerate(chosen.predictions.class_names):
            false_rate, true_rate = roc_points(chosen, label)
            about = {col.DATASET: chosen.dataset, col.MODEL: chosen.model, col.CLASS: name}
            rates = {"false_positive_rate": false_rate, "true_positive_rate": true_rate}
            frames.append(pd.DataFrame(rates).assign(**about)[[*about, *rates]])
    return pd.concat(frames, ignore_index=True)


def roc_points(chosen: Chosen, label: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rates of a class, of long curves points that lie closest near the corners."""
    false_rate, true_rate = chosen.predictions.roc(label)
    if len(false_rate) > _ROC_POINTS:
        # Evenly spaced along the curve, on axes that are drawn out towards the upper left corner
        steps = np.abs(np.diff(np.sqrt(false_rate))) + np.abs(np.diff(np.sqrt(1 - true_rate)))
        way = np.concatenate([[0.0], np.cumsum(steps)])
        kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], _ROC_POINTS)).clip(0, len(way) - 1))
        false_rate, true_rate = false_rate[kept], true_rate[kept]
    return false_rate, true_rate


def _curves(chosen: Chosen) -> str:
    count = len(chosen.predictions.class_names)
    if count <= MOST_CLASSES:
        there = len(np.unique(chosen.predictions.labels))
        return "each class" if there == count else f"each of the {there} classes with test images"
    return f"each model's {len(COLOURS) * 2} worst of {count} classes"


def draw_roc(axes: Axes, chosen: Chosen, **lines: Any) -> None:
    """Draw the one-versus-rest ROC curve of each class, or of the worst; `lines` is what matplotlib's are to have."""
    table_of = per_class(chosen.predictions)
    negatives = len(chosen.predictions.labels)
    names = chosen.predictions.class_names
    most = len(COLOURS) * 2 if len(names) > MOST_CLASSES else len(names)  # so that no two curves look alike
    for index, label_of in enumerate(np.sort(np.argsort(table_of[col.ROC_AUC].fillna(1.0), kind="stable")[:most])):
        name = short(names[label_of])
        false_rate, true_rate = chosen.predictions.roc(int(label_of))
        if len(false_rate):
            # matplotlib leaves labels that begin with an underscore out of its legends
            label = f"{'' if name[:1] != '_' else ' '}{name}  {table_of[col.ROC_AUC][label_of]:.4f}"
            look = {"color": colour(index), "linestyle": dash(index), "linewidth": 1.4, **lines}
            axes.plot(np.maximum(false_rate, 0.5 / negatives), true_rate, label=label, **look)
    axes.set_xscale("log")
    axes.set_xlim(0.5 / negatives, 1)
    plain_decades(axes.xaxis)
    axes.set_ylim(0, 1.01)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.set_title(f"{chosen.label}, {chosen.dataset}")
    axes.legend(loc="lower right", title="class, AUC", alignment="left", fontsize=8, title_fontsize=8)


def confusion_section(findings: Findings) -> Section | None:
    """Draw the confusion matrix of each chosen model."""
    if not findings.chosen:
        return None
    contents: list[Content] = []
    for dataset in findings.datasets:
        caption = f"Test images of {dataset} by true class (row) and predicted class (column)"
        file = f"confusion-{findings.search.slugs[dataset]}.png"
        contents.append(Picture("confusion", file, caption, partial(_confusion_figure, findings.on(dataset))))
    told = "The matrices as a table, without empty cells: [confusion_matrix.csv](confusion_matrix.csv)."
    tables = {"confusion_matrix.csv": _cells(findings)}
    return Section("confusion", "Confusion matrices", [*contents, Paragraph(told)], tables)


def _confusion_figure(models: Sequence[Chosen]) -> Figure:
    longest = max(len(short(name)) for name in models[0].predictions.class_names)
    room = 0.06 * max(0, longest - 14)  # for names on both axes
    figure, places = panels(len(models), 5.4 + room, 5.2 + room)
    for axes, chosen in zip(places, models, strict=True):
        draw_confusion(axes, chosen)
    return figure


def _cells(findings: Findings) -> pd.DataFrame:
    """Return a row for each cell of the confusion matrices that is not empty."""
    rows = []
    for chosen in findings.chosen:
        counts, names = chosen.predictions.confusion, chosen.predictions.class_names
        rows += [
            (chosen.model, chosen.dataset, names[true], names[predicted], counts[true, predicted])
            for true, predicted in np.argwhere(counts)
        ]
    return pd.DataFrame(rows, columns=[col.MODEL, col.DATASET, col.TRUE_CLASS, col.PREDICTED_CLASS, "images"])


def draw_confusion(axes: Axes, chosen: Chosen, **image: Any) -> None:
    """Draw how many images of each class were taken for each; `image` is what matplotlib's is to have."""
    counts, names = chosen.predictions.confusion, [short(name) for name in chosen.predictions.class_names]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, **{"cmap": SEQUENTIAL, "vmin": 0, "vmax": 1, **image})
    if len(names) <= MOST_CLASSES:
        for row, column in np.argwhere(counts > 0):
            ink = "white" if shares[row, column] > 0.5 else "#222222"
            axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=ink, fontsize=7.5)
    long = max(map(len, names)) > 3
    turned: dict[str, Any] = {"rotation": 45, "ha": "right"} if long else {}
    if len(names) <= 2 * MOST_CLASSES:
        axes.set_xticks(range(len(names)), names, fontsize=8 if len(names) <= MOST_CLASSES else 6, **turned)
        axes.set_yticks(range(len(names)), names, fontsize=8 if len(names) <= MOST_CLASSES else 6)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(f"{chosen.label}, {chosen.dataset}")
