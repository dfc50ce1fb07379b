"""The importance of parameters as bars."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tuner.analysis.importance import Effect, Importance
from tuner.analysis.shares import Found
from tuner.figures.style import colour, new_figure

#: So many bars at most in a panel; all stand in the file.
_BARS = 10
#: How high a line of a name is, in distances between the bars of names of one line.
_LINE = 0.62
#: A line of a name takes no further parameter when it is this long.
_LONGEST_LINE = 20


def bars_figure(found: Found, words: str) -> Figure:
    """Draw the shares as bars, a panel for each scope, up to three in a row; all bars are equally thick."""
    across = len(found) if len(found) <= 3 else 2
    rows = [found[start : start + across] for start in range(0, len(found), across)]
    rooms = [max(_places(_bars(result))[1] for _, result in row) for row in rows]
    heights = [0.95 + 0.27 * room for room in rooms]
    figure = new_figure((5.5, 9.5, 10.5)[across - 1], sum(heights))
    grid = figure.subplots(len(rows), across, squeeze=False, gridspec_kw={"height_ratios": heights})
    every = [effect.interval for _, result in found for effect in _bars(result)]
    low, high = max(-0.2, min(-0.03, *(i.low for i in every))), max(1.0, *(i.high for i in every))
    for axes in grid.flat[len(found) :]:
        axes.set_axis_off()
    for place, (axes, (scope, result)) in enumerate(zip(grid.flat, found, strict=False)):
        axes.set_title(scope.label)
        draw_bars(axes, result, words)
        axes.set_ylim(rooms[place // across] - 0.4, -0.6)
        axes.set_xlim(100 * low, 100 * min(high, 1.5))
    return figure


def _bars(result: Importance) -> list[Effect]:
    both = result.outstanding_interaction
    return [*result.effects[:_BARS], *([both] if both else [])]


def _name(effect: Effect) -> str:
    """Return the parameters of a bar, in as many lines as they need."""
    link = " and" if effect.tied else " ×"
    lines = [""]
    for number, parameter in enumerate(effect.parameters, 1):
        part = parameter + (link if number < len(effect.parameters) else "")
        if lines[-1] and len(lines[-1]) + 1 + len(part) > _LONGEST_LINE:
            lines.append(part)
        else:
            lines[-1] = f"{lines[-1]} {part}".strip()
    return "\n".join(lines)


def _places(effects: list[Effect]) -> tuple[list[float], float]:
    """Return the middle of each bar, so far apart that no name runs into another, and the room of all of them."""
    rooms = [max(1.0, _LINE * (_name(effect).count("\n") + 1) + 0.2) for effect in effects]
    ends = list(accumulate(rooms))
    return [end - room / 2 - 0.5 for end, room in zip(ends, rooms, strict=True)], sum(rooms)


def draw_bars(axes: Axes, result: Importance, words: str, **bars: Any) -> None:
    """Draw the shares in what `words` call as bars; `bars` is what matplotlib's are to have."""
    effects = _bars(result)
    outstanding = [*result.outstanding, result.outstanding_interaction]
    places, room = _places(effects)
    for place, effect in zip(places, effects, strict=True):
        share, low, high = (100 * x for x in (effect.share, effect.interval.low, effect.interval.high))
        ink = "#c4cdd4" if effect not in outstanding else colour(1 if effect is outstanding[-1] else 0)
        axes.barh(place, share, 0.62, **{"color": ink, **bars})
        axes.plot([low, high], [place, place], color="#222222", linewidth=1.2, solid_capstyle="butt")
        axes.plot([low, high], [place, place], color="#222222", linestyle="none", marker="|", markersize=5)
    axes.set_yticks(places, [_name(effect) for effect in effects], fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_ylabel("parameter")
    axes.set_xlabel(f"share of the variation of\nthe {words} (%)")
    axes.set_ylim(room - 0.4, -0.6)
