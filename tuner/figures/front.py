"""Scores against sizes: every trial as a point, and the front of those that no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from tuner.figures.style import LEGEND_ROW, colour, legend_grid, marker, new_figure, plain_decades, short

#: How wide the figure is, in inches.
_WIDTH = 6.4


@dataclass(frozen=True)
class FrontPoint:
    """A trial in the figure: of which model, how large, how good, and whether it is on the front.

    `number` is the model's, by which it has its colour.
    """

    model: str
    parameters: int
    score: float
    on_front: bool
    number: int = 0


def front_figure(points: Sequence[FrontPoint], words: str) -> Figure:
    """Draw the score, as `words` call it, against the number of parameters; a line joins the front."""
    labels = [*dict.fromkeys(short(point.model) for point in points), "front"]
    columns, rows = legend_grid(_WIDTH, labels)
    figure = new_figure(_WIDTH, 3.8 + rows * LEGEND_ROW)
    axes = figure.subplots()
    for model, number in dict.fromkeys((point.model, point.number) for point in points):
        mine = [point for point in points if point.model == model]
        axes.plot(
            [point.parameters for point in mine],
            [point.score for point in mine],
            linestyle="none",
            marker=marker(number),
            markersize=4,
            alpha=0.6,
            color=colour(number),
            label=short(model),
        )
    front = sorted((point.parameters, point.score) for point in points if point.on_front)
    axes.plot(*zip(*front, strict=True), drawstyle="steps-post", color="#222222", linewidth=1.2, label="front")
    axes.set_xscale("log")
    plain_decades(axes.xaxis)
    axes.set_xlabel("parameters")
    axes.set_ylabel(words)
    figure.legend(loc="outside upper left", ncols=columns)
    return figure
