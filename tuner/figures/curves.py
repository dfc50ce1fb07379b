"""Learning curves: accuracy, loss and score by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tuner import columns as col
from tuner.analysis.learning import METRICS, LearningCurve, metrics_of
from tuner.figures.style import colour, dash, new_figure, plain_decades, whole_numbers
from tuner.objective import Objective

#: So many times what it is in the second half of a training, a loss at its start leaves nothing of the rest to be seen.
_DWARFS = 10
_ON_AXIS = {col.LOSS: "loss (cross-entropy and penalties)"}


def best_figure(shown: Sequence[LearningCurve], dataset: str, objective: Objective) -> Figure:
    """Draw the best trials of a data set, a panel for each metric, training against validation."""
    metrics = metrics_of(objective)
    if not (any(c.penalised for c in shown) and all(col.UNPENALISED_LOSS in c.history for c in shown)):
        del metrics[col.UNPENALISED_LOSS]
    figure = new_figure(13.0 if col.UNPENALISED_LOSS in metrics else 9.5, 4.0)
    every = figure.subplots(1, len(metrics))
    for axes, (metric, label) in zip(every, metrics.items(), strict=True):
        draw_metric(axes, shown, metric, label)
        axes.set_title(f"{_capital(label)}, {dataset}")
    every[0].legend(*model_marks(shown), loc="lower right")
    every[1].legend(*kind_marks(), loc="upper right")
    return figure


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def values_figure(
    shown: Sequence[LearningCurve], parameter: str, dataset: str, validates_on: str, objective: Objective
) -> Figure:
    """Draw the training loss and the score of the best trial of each value of a parameter."""
    figure = new_figure(9.5, 3.8)
    left, right = figure.subplots(1, 2)
    _draw(left, shown, "loss", "training loss (cross-entropy and penalties)")
    _draw(right, shown, objective.column, f"{objective.label} on {validates_on}")
    left.set_title(f"Training loss, {dataset}")
    right.set_title(f"{_capital(objective.label)}, {dataset}")
    right.legend(title=parameter, alignment="left")
    return figure


def training_figure(shown: Sequence[LearningCurve], dataset: str) -> Figure:
    """Draw loss and accuracy on the training images of models that were validated on nothing."""
    figure = new_figure(9.5, 3.8)
    left, right = figure.subplots(1, 2)
    _draw(left, shown, "loss", "training loss (cross-entropy and penalties)")
    _draw(right, shown, "accuracy", "training accuracy")
    left.set_title(f"Training loss, {dataset}")
    right.set_title(f"Training accuracy, {dataset}")
    right.legend()
    return figure


def draw_metric(axes: Axes, shown: Sequence[LearningCurve], metric: str, label: str, **lines: Any) -> None:
    """Draw a metric by epoch, training thinner than validation; `lines` is what matplotlib's are to have.

    Of an objective of its own only validation is recorded.
    """
    if metric in METRICS:
        _draw(axes, shown, metric, "", training=True, **lines)
    _draw(axes, shown, f"val_{metric}", _ON_AXIS.get(metric, label), **lines)


def model_marks(shown: Sequence[LearningCurve]) -> tuple[list[Line2D], list[str]]:
    """Return what a legend shows of the models of `draw_metric`."""
    lines = [Line2D([], [], **_look(curve, place)) for place, curve in enumerate(shown)]
    return lines, [curve.label for curve in shown]


def _look(curve: LearningCurve, place: int) -> dict[str, Any]:
    """Return colour and dashes of a curve: those of its model, or by its place where curves are of one model."""
    number = place if curve.number is None else curve.number
    return {"color": colour(number), "linestyle": dash(number)}


def kind_marks() -> tuple[list[Line2D], list[str]]:
    """Return what a legend shows of validation and training."""
    lines = [Line2D([], [], color="#555555"), Line2D([], [], color="#555555", linewidth=1, alpha=0.55)]
    return lines, ["validation", "training"]


def _draw(
    axes: Axes, shown: Sequence[LearningCurve], metric: str, y_label: str, training: bool = False, **lines: Any
) -> None:
    for index, curve in enumerate(shown):
        values = curve.history.get(metric, [])
        look: dict[str, Any] = {
            **_look(curve, index),
            "linewidth": 1.0 if training else 1.8,
            "alpha": 0.55 if training else 1.0,
            "marker": "o" if len(values) == 1 else None,
        }
        axes.plot(range(1, len(values) + 1), values, label=curve.label, **{**look, **lines})
    axes.set_xlabel("epoch")
    axes.set_ylabel(y_label)
    if "loss" in metric and _dwarfed([curve.history.get(metric, []) for curve in shown]):
        axes.set_yscale("log")
        plain_decades(axes.yaxis)
    if all(len(curve.history.get(metric, [])) <= 1 for curve in shown):
        axes.set_xlim(0.5, 1.5)  # or it would go from 0.95 to 1.05
        axes.set_xticks([1])
    else:
        whole_numbers(axes.xaxis)


def _dwarfed(losses: Sequence[Sequence[float]]) -> bool:
    """Return whether losses at the start of trainings hide what follows, and none is 0, which has no logarithm."""
    known = [[loss for loss in one if math.isfinite(loss)] for one in losses]
    later = max((max(one[len(one) // 2 :]) for one in known if one), default=0.0)
    every = [loss for one in known for loss in one]
    return bool(every) and min(every) > 0 and max(every) > _DWARFS * later
