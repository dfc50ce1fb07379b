"""How the importance of parameters is shown: as cells of a table, and as bars."""

from __future__ import annotations

from functools import partial

from tuner.analysis.importance import Effect, Importance
from tuner.analysis.shares import Found
from tuner.contents.cells import number
from tuner.contents.sections import Picture, Table
from tuner.figures.bars import bars_figure
from tuner.text import escape


def shares_table(found: Found, words: str, lead: str, about: str = "") -> Table:
    """Return a table with a row per scope, of what stands out for what `words` call."""
    rows = [
        [escape(scope.label), str(result.trials), _outstanding(result), number(result.explained, 2)]
        for scope, result in found
    ]
    heads = ["trials of", "", f"matters for the {escape(words)}", "R²"]
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


def bars_picture(key: str, slug: str, dataset: str, found: Found, words: str) -> Picture:
    """Return a picture of the shares as bars."""
    text = f"Shares in the variation of the {words} between trials on {dataset}, with 95 % intervals. Blue stands out "
    text += "and grey does not."
    if any(result.outstanding_interaction for _, result in found):
        text += " Orange is what two parameters have a part in only together."
    return Picture(key, f"{key}-{slug}.png", text, partial(bars_figure, found, words))
