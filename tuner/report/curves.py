"""Accuracy and loss by epoch: of the best trials, and of the values of a parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.contents.sections import Content, Paragraph, Picture, Section
from tuner.figures.style import colour, dash, new_figure, whole_numbers
from tuner.objective import ACCURACY, Objective
from tuner.protocol import ranked
from tuner.system.files import file_part
from tuner.text import setting
from tuner.trial import Record

#: Trials with what a legend calls them.
Labelled = Sequence[tuple[str, Record]]
#: What is drawn of training and validation.
METRICS = ("accuracy", "loss")
#: Curves of one figure; more cannot be told apart.
_MOST_CURVES = 8


def curves_section(findings: Findings) -> Section | None:
    """Draw accuracy and loss by epoch of the best trial of each search, training against validation.

    Where the search file names a parameter, draw the best trial of each of its values too.
    """
    contents: list[Content] = []
    objective = findings.search.objective
    drawn: dict[str, tuple[str, str, Record]] = {}
    for dataset in findings.search.datasets:
        slug = findings.search.slugs[dataset]
        shown = [(model_search.label, record) for model_search, record in findings.best_trials(dataset)]
        if shown:
            drawn |= {record.trial.id: (dataset, label, record) for label, record in shown}
            on = " (on the test set)" if findings.search.protocol == "published" else ""
            caption = f"Training and validation{on} of the best trial of each search on {dataset}"
            draw = partial(_best_figure, shown, dataset, objective)
            contents.append(Picture("curves", f"curves-{slug}.png", caption, draw))
        parameter = findings.search.report.curves
        every_value = _best_of_values(findings, dataset, parameter) if parameter else []
        by_value = _best(every_value)
        if by_value:
            more = f"; the {_MOST_CURVES} best of {len(every_value)} values" if len(every_value) > len(by_value) else ""
            drawn = {record.trial.id: (dataset, label, record) for label, record in by_value} | drawn
            caption = f"The best trial of each value of {parameter} on {dataset}, by epoch{more}"
            file = f"curves-{file_part(str(parameter))}-{slug}.png"
            draw = partial(_values_figure, by_value, str(parameter), dataset, findings.search.validates_on, objective)
            contents.append(Picture("curves_by_value", file, caption, draw))
    if not contents:
        return None
    contents.append(Paragraph("Every epoch of these trials: [curves.csv](curves.csv)."))
    return Section("curves", "Training curves", contents, {"curves.csv": _frame(drawn.values())})


def _frame(drawn: Iterable[tuple[str, str, Record]]) -> pd.DataFrame:
    """Return a row for each epoch of each trial that is drawn, with its metrics there."""
    frames = []
    for dataset, label, record in drawn:
        history = pd.DataFrame(record.result.history)
        history.insert(0, col.EPOCH, history.index + 1)
        for place, (name, value) in enumerate(((col.TRIAL, record.trial.id), (col.DATASET, dataset), ("curve", label))):
            history.insert(place, name, value)
        frames.append(history)
    return pd.concat(frames, ignore_index=True)


def _best_of_values(findings: Findings, dataset: str, parameter: str) -> list[tuple[str, Record]]:
    """Return the best trial of each value of a parameter, in the order of the values."""
    records = [record for record in findings.trials(None, dataset) if parameter in record.trial.values]
    values = sorted({record.trial.values[parameter] for record in records}, key=str)
    if all(isinstance(value, int | float) for value in values):
        values = sorted(values, key=float)
    best = [(setting(v), ranked(r for r in records if r.trial.values[parameter] == v)) for v in values]
    return [(label, order[0]) for label, order in best if order]


def _best(found: Labelled) -> list[tuple[str, Record]]:
    """Return of so many trials those that a figure has room for, the best, in their order."""
    chosen = {id(record) for record in ranked(record for _, record in found)[:_MOST_CURVES]}
    return [(label, record) for label, record in found if id(record) in chosen]


def metrics_of(objective: Objective) -> tuple[str, ...]:
    """Return what curves are drawn of: accuracy and loss, and the objective where it is another."""
    return METRICS if objective is ACCURACY else (*METRICS, objective.name)


def _best_figure(shown: Labelled, dataset: str, objective: Objective) -> Figure:
    metrics = metrics_of(objective)
    figure = new_figure(9.5, 4.0)
    every = figure.subplots(1, len(metrics))
    for axes, metric in zip(every, metrics, strict=True):
        draw_metric(axes, shown, metric)
        axes.set_title(f"{_capital(metric)}, {dataset}")
    every[0].legend(*model_marks(shown), loc="lower right")
    every[1].legend(*kind_marks(), loc="upper right")
    return figure


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _values_figure(shown: Labelled, parameter: str, dataset: str, validates_on: str, objective: Objective) -> Figure:
    figure = new_figure(9.5, 3.8)
    left, right = figure.subplots(1, 2)
    _draw(left, shown, "loss", "training loss (cross-entropy and penalties)")
    _draw(right, shown, objective.column, f"{objective.label} on {validates_on}")
    left.set_title(f"Training loss, {dataset}")
    right.set_title(f"{_capital(objective.label)}, {dataset}")
    right.legend(title=parameter, alignment="left")
    return figure


def draw_metric(axes: Axes, shown: Labelled, metric: str, **lines: Any) -> None:
    """Draw a metric by epoch, training thinner than validation; `lines` is what matplotlib's are to have.

    Of an objective of its own only validation is recorded.
    """
    if metric in METRICS:
        _draw(axes, shown, metric, "", training=True, **lines)
    y_label = "loss (cross-entropy and penalties)" if metric == "loss" else metric
    _draw(axes, shown, f"val_{metric}", y_label, **lines)


def model_marks(shown: Labelled) -> tuple[list[Line2D], list[str]]:
    """Return what a legend shows of the models of `draw_metric`."""
    lines = [Line2D([], [], color=colour(i), linestyle=dash(i)) for i in range(len(shown))]
    return lines, [label for label, _ in shown]


def kind_marks() -> tuple[list[Line2D], list[str]]:
    """Return what a legend shows of validation and training."""
    lines = [Line2D([], [], color="#555555"), Line2D([], [], color="#555555", linewidth=1, alpha=0.55)]
    return lines, ["validation", "training"]


def _draw(axes: Axes, shown: Labelled, metric: str, y_label: str, training: bool = False, **lines: Any) -> None:
    for index, (label, record) in enumerate(shown):
        values = record.result.history[metric]
        look: dict[str, Any] = {
            "color": colour(index),
            "linestyle": dash(index),
            "linewidth": 1.0 if training else 1.8,
            "alpha": 0.55 if training else 1.0,
            "marker": "o" if len(values) == 1 else None,
        }
        axes.plot(range(1, len(values) + 1), values, label=label, **{**look, **lines})
    axes.set_xlabel("epoch")
    axes.set_ylabel(y_label)
    whole_numbers(axes.xaxis)
