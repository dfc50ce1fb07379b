"""A metric of each class, a point for each retraining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tuner.analysis.class_scores import ABSENT, ClassScores
from tuner.figures.style import colour, legend_grid, marker, new_figure, short

#: How wide a figure is in inches, by itself and with many models.
_WIDTH, _WIDEST = 9.0, 16.0


def class_scores_figure(metrics: Sequence[ClassScores]) -> Figure:
    """Draw a panel for each metric of the models of one data set, one under the other."""
    most = max(len(scores.models) * len(scores.shown) for scores in metrics)
    figure = new_figure(min(max(_WIDTH, 1.5 + 0.12 * most), _WIDEST), 3.8 * len(metrics))
    for axes, scores in zip(np.atleast_1d(figure.subplots(len(metrics))), metrics, strict=True):
        draw_class_scores(axes, scores)
    return figure


def draw_class_scores(axes: Axes, scores: ClassScores, **points: Any) -> None:
    """Draw a metric of each class, or of the worst, a point for each retraining with mean and spread.

    Args:
        axes: where to.
        scores: of the models of one data set.
        points: what matplotlib's points are to have.
    """
    shown, name = scores.shown, scores.metric.label
    title = f"{name[:1].upper()}{name[1:]} of each class, {scores.dataset}"
    step = 0.8 / len(scores.models)
    inches = _width_of(axes)
    mark = min(13.0, 0.8 * step * 72 * (inches - 1) / len(shown))
    for index, model in enumerate(scores.models):
        middle = np.arange(len(shown)) + (index - (len(scores.models) - 1) / 2) * step
        each, mean, sd = model.each[:, shown], model.mean[shown], model.sd[shown]
        ink = colour(model.number)
        low, high = np.clip((mean - sd, mean + sd), 0, 1)  # where such a metric lies
        axes.vlines(middle, low, high, color=ink, linewidth=1.4, alpha=0.6)
        axes.plot(middle, mean, linestyle="none", marker="_", markersize=mark, markeredgewidth=2.2, color=ink)
        aside = np.linspace(-0.16, 0.16, len(each))[:, None] * step if len(each) > 1 else np.zeros((1, 1))
        look = {"color": ink, "marker": marker(model.number), "s": 16, "alpha": 0.75, "linewidths": 0, **points}
        axes.scatter((middle + aside).ravel(), each.ravel(), label=model.label, zorder=3, **look)
    ticks = [short(scores.class_names[label]) + ("" if scores.images[label] else f" {ABSENT}") for label in shown]
    turned = max(map(len, ticks)) * len(ticks) > 60
    axes.set_xlim(-0.6, len(ticks) - 0.4)
    axes.set_xticks(range(len(ticks)), ticks, rotation=35 if turned else 0, ha="right" if turned else "center")
    axes.grid(axis="x", visible=False)
    axes.set_xlabel("class")
    axes.set_ylabel(name)
    columns, rows = legend_grid(inches, [model.label for model in scores.models])
    axes.set_title(title, pad=12 + 14 * rows if len(scores.models) > 1 else None)
    if len(scores.models) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, borderaxespad=0.2)


def _width_of(axes: Axes) -> float:
    """Return the width in inches of the figure that axes are in."""
    figure = axes.get_figure(root=True)
    return _WIDTH if figure is None else float(figure.get_figwidth())
