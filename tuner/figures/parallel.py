"""Parallel coordinates of trials: a line for each, across an axis for each parameter and one for the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from tuner.analysis.parallel import NONE, NONE_AT, ParallelAxis, ParallelCoordinates
from tuner.figures.style import SEQUENTIAL, short
from tuner.text import setting

#: Where the colours of scores begin and end on the scale: its lightest could not be seen.
_LIGHT, _DARK = 0.2, 1.0
#: More lines than this are drawn thin.
_FEW_LINES = 150
#: Ends of axes are compared with this tolerance.
_ROUNDING = 1e-9
#: Of an axis of many values so many are written beside it.
_TICKS = 5
_GREY = "#555555"


def draw_parallel(axes: Axes, parallel: ParallelCoordinates, **lines: Any) -> None:
    """Draw each trial as a line, the darker, the more trials are worse; its trial's name is its `gid`.

    Args:
        axes: where to.
        parallel: the trials.
        lines: what matplotlib's lines are to have.
    """
    for place, axis in enumerate(parallel.axes):
        _draw_axis(axes, place, axis)
    heights = np.array([axis.heights for axis in parallel.axes])
    colours = colormaps[SEQUENTIAL](_LIGHT + (_DARK - _LIGHT) * parallel.better)
    count = heights.shape[1]
    few = count <= _FEW_LINES
    look = {"linewidth": 1.6 if few else 0.8, "alpha": 0.9 if few else 0.5, "solid_joinstyle": "round", **lines}
    for trial in parallel.worst_first:
        name = parallel.scope.records[trial].trial.id
        axes.plot(range(len(heights)), heights[:, trial], gid=name, **{"color": colours[trial], **look})
    names = [axis.name for axis in parallel.axes]
    axes.set_xticks(range(len(names)), [short(name) for name in names])
    _turn_if_crowded(axes, names)
    axes.set_xlim(-0.35, len(names) - 0.65)
    axes.set_ylim(NONE_AT - 0.06 if any(axis.lacking.any() for axis in parallel.axes) else -0.06, 1.06)
    axes.yaxis.set_visible(False)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.set_title(f"{parallel.scope.label}, {parallel.dataset}: {count} trials")


def _draw_axis(axes: Axes, place: int, axis: ParallelAxis) -> None:
    axes.plot([place, place], [0, 1], color=_GREY, linewidth=1.0, zorder=3)
    stops = [*_ticks(axis), *([(NONE_AT, NONE)] if axis.lacking.any() else [])]
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    for height, text in stops:
        axes.plot([place - 0.012, place + 0.012], [height, height], color=_GREY, linewidth=1.0, zorder=3)
        axes.annotate(
            short(text), (place, height), (-5, 0), textcoords="offset points", ha="right", va="center", fontsize=8.5,
            zorder=4, path_effects=halo,
        )  # fmt: skip


def _ticks(axis: ParallelAxis) -> Sequence[tuple[float, str]]:
    """Return where on an axis which texts stand."""
    if axis.values:
        step = 1 / (len(axis.values) - 1)
        return [(step * place, setting(value)) for place, value in enumerate(axis.values)]
    if axis.high == axis.low:
        return [(0.5, f"{axis.low:.4g}")]
    locator = LogLocator(numticks=_TICKS) if axis.log else MaxNLocator(_TICKS)
    ticks = [(float(axis.height(tick)), f"{tick:.4g}") for tick in locator.tick_values(axis.low, axis.high)]
    inside = [(place, text) for place, text in ticks if -_ROUNDING <= place <= 1 + _ROUNDING]
    return inside if len(inside) > 1 else [(0.0, f"{axis.low:.4g}"), (1.0, f"{axis.high:.4g}")]


def _turn_if_crowded(axes: Axes, names: Sequence[str]) -> None:
    """Turn the names of the axes where they would run into each other."""
    if max(map(len, names)) * len(names) > 110:
        for label in axes.get_xticklabels():
            label.set(rotation=25, ha="right", rotation_mode="anchor")
