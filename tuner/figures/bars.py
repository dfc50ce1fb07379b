"""The importance of parameters as bars."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tuner.analysis.importance import Effect, Importance
from tuner.analysis.shares import Found
from tuner.figures.style import colour, new_figure

#: So many bars at most in a panel; all stand in the file.
_BARS = 10


def bars_figure(found: Found, words: str) -> Figure:
    """Draw the shares as bars, a panel for each scope, up to three in a row; all bars are equally thick."""
    across = len(found) if len(found) <= 3 else 2
    rows = [found[start : start + across] for start in range(0, len(found), across)]
    counts = [max(len(_bars(result)) for _, result in row) for row in rows]
    heights = [0.95 + 0.27 * count for count in counts]
    figure = new_figure((5.5, 9.5, 10.5)[across - 1], sum(heights))
    grid = figure.subplots(len(rows), across, squeeze=False, gridspec_kw={"height_ratios": heights})
    every = [effect.interval for _, result in found for effect in _bars(result)]
    low, high = max(-0.2, min(-0.03, *(i.low for i in every))), max(1.0, *(i.high for i in every))
    for axes in grid.flat[len(found) :]:
        axes.set_axis_off()
    for place, (axes, (scope, result)) in enumerate(zip(grid.flat, found, strict=False)):
        axes.set_title(scope.label)
        draw_bars(axes, result, words)
        axes.set_ylim(counts[place // across] - 0.4, -0.6)
        axes.set_xlim(100 * low, 100 * min(high, 1.5))
    return figure


def _bars(result: Importance) -> list[Effect]:
    both = result.outstanding_interaction
    return [*result.effects[:_BARS], *([both] if both else [])]


def draw_bars(axes: Axes, result: Importance, words: str, **bars: Any) -> None:
    """Draw the shares in what `words` call as bars; `bars` is what matplotlib's are to have."""
    effects = _bars(result)
    outstanding = [*result.outstanding, result.outstanding_interaction]
    for place, effect in enumerate(effects):
        share, low, high = (100 * x for x in (effect.share, effect.interval.low, effect.interval.high))
        ink = "#c4cdd4" if effect not in outstanding else colour(1 if effect is outstanding[-1] else 0)
        axes.barh(place, share, 0.62, **{"color": ink, **bars})
        axes.plot([low, high], [place, place], color="#222222", linewidth=1.2, solid_capstyle="butt")
        axes.plot([low, high], [place, place], color="#222222", linestyle="none", marker="|", markersize=5)
    names = [(" and\n" if effect.tied else " ×\n").join(effect.parameters) for effect in effects]
    axes.set_yticks(range(len(effects)), names, fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_ylabel("parameter")
    axes.set_xlabel(f"share of the variation of\nthe {words} (%)")
    axes.set_ylim(len(effects) - 0.4, -0.6)
