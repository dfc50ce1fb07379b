"""F1 of each class, a dot for each retraining."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tuner.analysis.class_scores import ABSENT, F1Scores
from tuner.figures.style import colour, new_figure, short


def f1_figure(f1: F1Scores) -> Figure:
    """Draw a figure of F1 alone."""
    figure = new_figure(9, 3.8)
    draw_f1(figure.subplots(), f1)
    return figure


def draw_f1(axes: Axes, f1: F1Scores, **points: Any) -> None:
    """Draw F1 of each class, or of the worst, a dot for each retraining with mean and spread.

    Args:
        axes: where to.
        f1: of the models of one data set.
        points: what matplotlib's dots are to have.
    """
    shown = f1.shown
    step = 0.8 / len(f1.models)
    for index, model in enumerate(f1.models):
        middle = np.arange(len(shown)) + (index - (len(f1.models) - 1) / 2) * step
        each, mean, sd = model.each[:, shown], model.mean[shown], model.sd[shown]
        ink = colour(model.number)
        low, high = np.clip((mean - sd, mean + sd), 0, 1)  # where F1 lies
        axes.vlines(middle, low, high, color=ink, linewidth=1.4, alpha=0.6)
        axes.plot(middle, mean, linestyle="none", marker="_", markersize=13, markeredgewidth=2.2, color=ink)
        aside = np.linspace(-0.16, 0.16, len(each))[:, None] * step if len(each) > 1 else np.zeros((1, 1))
        look = {"color": ink, "s": 16, "alpha": 0.75, "linewidths": 0, **points}
        axes.scatter((middle + aside).ravel(), each.ravel(), label=model.label, zorder=3, **look)
    ticks = [short(f1.class_names[label]) + ("" if f1.images[label] else f" {ABSENT}") for label in shown]
    turned = max(map(len, ticks)) * len(ticks) > 60
    axes.set_xlim(-0.6, len(ticks) - 0.4)
    axes.set_xticks(range(len(ticks)), ticks, rotation=35 if turned else 0, ha="right" if turned else "center")
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("class")
    axes.set_ylabel("F1")
    axes.set_title(f"F1 of each class, {f1.dataset}", pad=26 if len(f1.models) > 1 else None)
    if len(f1.models) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(f1.models), borderaxespad=0.2)
