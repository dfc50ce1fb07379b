"""What stands on the page for readers without scripts, in the place of what scripts draw: pictures and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from tuner import columns as col
from tuner.contents.cells import DASH
from tuner.page.html import scroll_box
from tuner.text import setting, visible_line

#: Of more classes than this only the most frequent mistakes are listed, and so many of them.
_MOST_CLASSES, _LISTED = 26, 60


def without_scripts(html: str) -> str:
    """Return HTML that is shown where no script runs, and nothing where there is none."""
    return f"<noscript>{html}</noscript>" if html else ""


def trials_table(trials: Mapping[str, Any]) -> str:
    """Return every trial with the parameters that vary, best first, as a table."""
    columns: Sequence[str] = trials["columns"]
    if not trials["rows"]:
        return ""
    measured = {place for place, name in enumerate(columns) if name not in trials["parameters"]}
    rows = ([_text(value, place in measured) for place, value in enumerate(row)] for row in trials["rows"])
    return _table("Every trial of the search, the best first", columns, rows)


def confusion_tables(chosen: Iterable[Mapping[str, Any]]) -> str:
    """Return the confusion matrix of each chosen model as a table, of many classes its most frequent mistakes."""
    return "".join(_matrix(one) if len(one["classes"]) <= _MOST_CLASSES else _mistakes(one) for one in chosen)


def _matrix(one: Mapping[str, Any]) -> str:
    caption = f"{one['label']} on {one['dataset']}: test images by true class (row) and predicted class (column)"
    rows = [[name, *map(str, counts)] for name, counts in zip(one["classes"], one["confusion"], strict=True)]
    return _table(caption, ["true class", *one["classes"]], rows)


def _mistakes(one: Mapping[str, Any]) -> str:
    names = one["classes"]
    counts = [
        (-count, a, b) for a, row in enumerate(one["confusion"]) for b, count in enumerate(row) if count and a != b
    ]
    listed = [[names[a], names[b], str(-count)] for count, a, b in sorted(counts)[:_LISTED]]
    caption = f"{one['label']} on {one['dataset']}: the most frequent mistakes; all are in confusion_matrix.csv"
    return _table(caption, [col.TRUE_CLASS, col.PREDICTED_CLASS, "images"], listed)


def _text(value: Any, measured: bool) -> str:
    if value is None:
        return DASH
    return f"{value:.4f}" if measured and isinstance(value, float) else setting(value)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in a box that scrolls; all texts are plain."""
    said = escape(visible_line(caption))
    head = "".join(f'<th scope="col">{escape(visible_line(one))}</th>' for one in heads)
    body = "\n".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f"{scroll_box(said, ' tall')}<table><caption>{said}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
