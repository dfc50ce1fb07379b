"""How the importance of parameters is shown: as cells of a table, as rows of a file, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tuner import columns as col
from tuner.analysis.importance import Effect, Importance
from tuner.analysis.scopes import Scope
from tuner.contents.cells import number
from tuner.contents.sections import Picture, Table
from tuner.figures.style import colour, new_figure
from tuner.text import escape

#: What was found of each scope that has trials enough to tell.
Found = Sequence[tuple[Scope, Importance]]
#: So many bars at most in a panel; all stand in the file.
_BARS = 10


def shares_table(found: Found, words: str, lead: str, about: str = "") -> Table:
    """Return a table with a row per scope, of what stands out for what `words` call."""
    rows = [
        [escape(scope.label), str(result.trials), _outstanding(result), number(result.explained, 2)]
        for scope, result in found
    ]
    heads = ["trials of", "", f"matters for the {words}", "R²"]
    return Table(rows, heads, text_columns=4, lead=lead, about=about)


def _outstanding(result: Importance) -> str:
    told = [f"{escape(effect.label)} {_percent(effect)}" for effect in result.outstanding]
    both = result.outstanding_interaction
    if both is not None:
        told.append(f"of that {escape(both.label)} only together {_percent(both)}")
    return "; ".join(told) or "nothing stands out"


def _percent(effect: Effect) -> str:
    low, high = 100 * effect.interval.low, 100 * effect.interval.high
    lower = f"{low:.0f}" if abs(low) >= 1 else f"{low:.1g}"  # what is above 0 is not written as 0
    return f"{100 * effect.share:.0f} % ({lower} to {high:.0f})"


def shares_frame(dataset: str, found: Found, target: str) -> pd.DataFrame:
    """Return a row per scope and parameter, and one for the strongest interaction; no model is all of them."""
    return pd.DataFrame(
        [
            {
                col.DATASET: dataset,
                col.MODEL: scope.model,
                "trials_of": scope.label,
                "target": target,
                col.TRIALS: result.trials,
                "r2_unseen": result.explained,
                "parameter": " and ".join(effect.parameters) if effect.tied else effect.parameters[0],
                "together_with": "" if effect.tied else " and ".join(effect.parameters[1:]),
                "tied": effect.tied,
                "share": effect.share,
                col.INTERVAL_LOW: effect.interval.low,
                col.INTERVAL_HIGH: effect.interval.high,
                "stands_out": effect in (*result.outstanding, result.outstanding_interaction),
            }
            for scope, result in found
            for effect in (*result.effects, *([result.interaction] if result.interaction else []))
        ]
    )


def bars_picture(key: str, slug: str, dataset: str, found: Found, words: str) -> Picture:
    """Return a picture of the shares as bars."""
    text = f"Shares in the variation of the {words} between trials on {dataset}, with 95 % intervals; blue stands out "
    text += "and grey does not"
    if any(result.outstanding_interaction for _, result in found):
        text += "; orange is what two parameters have a part in only together"
    return Picture(key, f"{key}-{slug}.png", text, partial(_bars_figure, found, words))


def _bars_figure(found: Found, words: str) -> Figure:
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
