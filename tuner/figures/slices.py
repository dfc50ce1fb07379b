"""Scores of trials by the values of their parameters, a panel each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from tuner.analysis.slices import FEW, MODEL, WIDE, medians, spread
from tuner.figures.style import LEGEND_ROW, colour, legend_grid, marker, new_figure, plain_decades
from tuner.space.parameters import Value
from tuner.text import setting, shortened

#: So many panels of scores by value at most, three in a row.
_SLICES, _ACROSS = 6, 3
#: How wide the figure is, in inches.
_WIDTH = 9.5
#: Values closer than this share of the axis crowd.
_CROWDED = 0.1


def slices_caption(dataset: str, below: int) -> str:
    """Return the caption of a figure with so many trials below its axis."""
    text = f"Each trial on {dataset} by its value of each parameter, the most important first. Lines are medians."
    if below:
        text += f" Triangles at the lower edge stand for {below} {'trial' if below == 1 else 'trials'} further down."
    return text


def slices_figure(
    configurations: Sequence[Mapping[str, Value]],
    y: NDArray[np.float64],
    names: Sequence[str],
    label: str,
    low: float,
    score: str,
    labels: Sequence[str] = (),
) -> Figure:
    """Draw the scores of trials by the values of parameters.

    Args:
        configurations: of each trial the parameters that vary, its model as `MODEL` where there are several.
        y: the trials' scores, `(trials,)`.
        names: the parameters, the most important first; six at most are drawn.
        label: of the model where there is one.
        low: the lower end of the axis, as `lower_end` returns it.
        score: what the scores are, in words.
        labels: of all models of the search, by whose places colours go; those of these trials where it is empty.
    """
    names = names[:_SLICES]
    across, down = min(_ACROSS, len(names)), -(-len(names) // _ACROSS)
    marks, texts = model_marks(configurations, label, labels)
    columns, rows = legend_grid(_WIDTH, texts) if len(texts) > 1 else (0, 0)
    figure = new_figure(_WIDTH, 2.75 * down + 0.15 + rows * LEGEND_ROW)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        draw_slice(axes, configurations, y, name, label, low, score, labels)
        axes.set_ylabel("")
    for axes in list(grid.flat)[len(names) :]:
        axes.set_axis_off()
    for row in grid:
        row[0].set_ylabel(score)
    if rows:
        figure.legend(marks, texts, loc="outside upper left", ncols=columns)
    return figure


def draw_slice(
    axes: Axes,
    configurations: Sequence[Mapping[str, Value]],
    y: NDArray[np.float64],
    name: str,
    label: str,
    low: float,
    score: str,
    labels: Sequence[str] = (),
    **points: Any,
) -> None:
    """Draw the scores of trials by the values of one parameter.

    Args:
        axes: where to.
        configurations: as `slices_figure` takes them.
        y: the trials' scores, `(trials,)`.
        name: the parameter.
        label: of the model where there is one.
        low: the lower end of the axis, as `lower_end` returns it.
        score: what the scores are, in words.
        labels: as `slices_figure` takes them.
        points: what matplotlib's points are to have.
    """
    models = _models(configurations, label)
    labels = list(dict.fromkeys((*labels, *models)))
    chosen = [place for place, values in enumerate(configurations) if name in values]
    column = [configurations[place][name] for place in chosen]
    numbers = np.array([labels.index(models[place]) for place in chosen])
    _draw_points(axes, _place_values(axes, column), y[chosen], numbers, low, name != MODEL, points)
    axes.set_xlabel(name)
    axes.set_ylabel(score)
    if np.isfinite(low):
        axes.set_ylim(low, y.max() + 0.06 * (y.max() - low))


def model_marks(
    configurations: Sequence[Mapping[str, Value]], label: str, labels: Sequence[str] = ()
) -> tuple[list[Line2D], list[str]]:
    """Return what a legend shows of the models of these trials; `labels` are those of all models of the search."""
    there = list(dict.fromkeys(_models(configurations, label)))
    every = list(dict.fromkeys((*labels, *there)))
    numbers = [every.index(one) for one in there]
    marks = [Line2D([], [], color=colour(k), marker=marker(k), linewidth=1.2) for k in numbers]
    # matplotlib leaves labels that begin with an underscore out of its legends
    return marks, [label if label[:1] != "_" else f" {label}" for label in there]


def _models(configurations: Sequence[Mapping[str, Value]], label: str) -> list[str]:
    return [str(values.get(MODEL, label)) for values in configurations]


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the values of a parameter stand on an axis.

    `x` are `(trials,)`, logarithms where `log`. `gap` is the smallest distance between two of them where they are
    few, and None where they are many. `joined` says whether they have an order, `apart` whether they stand side by
    side, so that what stands a little beside a value is not read as another value.
    """

    x: NDArray[np.float64]
    gap: float | None
    joined: bool = True
    log: bool = False
    apart: bool = False

    def on_axis(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return places as coordinates of the axis."""
        back: NDArray[np.float64] = 10**x if self.log else x
        return back


def _place_values(axes: Axes, column: Sequence[Value]) -> _Places:
    """Prepare the x axis for the values of a parameter.

    Numbers stand by their size, over decades by its logarithm; few that crowd, and what is no number, side by side.
    """
    distinct = list(dict.fromkeys(column))
    ordered = all(isinstance(value, int | float) for value in distinct)
    if ordered:
        distinct = sorted(distinct)
    if not ordered or isinstance(distinct[0], bool):
        return _side_by_side(axes, column, distinct, joined=False)
    x = np.array(column, dtype=np.float64)
    log = bool(x.min() > 0 and x.max() >= WIDE * x.min())
    if log:
        axes.set_xscale("log")
        plain_decades(axes.xaxis)
        x = np.log10(x)
    places = np.unique(x)
    if len(places) > FEW:
        if log:
            axes.xaxis.set_major_locator(LogLocator(subs=(1.0,), numticks=6))
        return _Places(x, None, log=log)
    gap = float(np.diff(places).min(initial=np.inf)) if len(places) > 1 else 1.0
    if gap < _CROWDED * np.ptp(places):
        axes.set_xscale("linear")
        return _side_by_side(axes, column, distinct, joined=True)
    axes.set_xticks(10**places if log else places, [setting(value) for value in distinct])
    axes.minorticks_off()
    return _Places(x, gap, log=log)


def _side_by_side(axes: Axes, column: Sequence[Value], distinct: list[Value], joined: bool) -> _Places:
    texts = [shortened(setting(value), 14) for value in distinct]
    turned = sum(map(len, texts)) > 22
    axes.set_xticks(range(len(texts)), texts, rotation=35 if turned else 0, ha="right" if turned else "center")
    axes.grid(axis="x", visible=False)
    order = {value: place for place, value in enumerate(distinct)}
    return _Places(np.array([order[value] for value in column], dtype=np.float64), 1.0, joined, apart=True)


def _draw_points(
    axes: Axes,
    places: _Places,
    y: NDArray[np.float64],
    models: NDArray[np.int64],
    low: float,
    beside: bool,
    points: Mapping[str, Any],
) -> None:
    """Draw each trial as a point and each model's medians.

    Args:
        axes: where to.
        places: of the trials' values.
        y: `(trials,)`, their scores.
        models: `(trials,)`, the number of each trial's model.
        low: the lower end of the axis; points below it become triangles on it.
        beside: put models beside one another at each value, where values stand side by side.
        points: what matplotlib's points are to have.
    """
    there = np.unique(models)
    beside = beside and places.apart
    width = 0.7 * (places.gap or 0) / (len(there) if beside else 1)
    for place, model in enumerate(there):
        mine = models == model
        x, mine_y = places.x[mine], y[mine]
        middle = (place - (len(there) - 1) / 2) * width if beside else 0.0
        aside = middle + spread(len(x)) * 0.7 * width if places.apart else 0.0
        on_axis, below = places.on_axis(x + aside), mine_y < low
        ink = colour(int(model))
        look: dict[str, Any] = {"color": ink, "alpha": 0.55, "linewidths": 0, "zorder": 3, **points}
        axes.scatter(on_axis[~below], mine_y[~below], **{"s": 16, "marker": marker(int(model)), **look})
        edge = axes.get_xaxis_transform()  # x as the data, y from 0 at the lower edge to 1
        at_edge = {"s": 26, **look, "marker": "v", "transform": edge}
        axes.scatter(on_axis[below], np.full(below.sum(), 0.025), **at_edge)
        at, middles = medians(x, mine_y, few=places.gap is not None)
        if places.joined:
            axes.plot(places.on_axis(at + middle), middles, color=ink, linewidth=1.6)
        if places.gap is not None:
            left, right = places.on_axis(at + middle - 0.45 * width), places.on_axis(at + middle + 0.45 * width)
            axes.hlines(middles, left, right, color=ink, linewidth=2.4)
    if places.gap is not None:
        ends = np.array([places.x.min() - 0.6 * places.gap, places.x.max() + 0.6 * places.gap])
        axes.set_xlim(*places.on_axis(ends))
