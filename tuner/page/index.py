"""`reports/index.html`: all searches in one table that can be sorted, and each with its verdict and a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from urllib.parse import quote

from tuner.contents.cells import DASH
from tuner.contents.sections import Table
from tuner.page.html import inline_html, room_html, scroll_box, to_html
from tuner.page.render import allowed
from tuner.page.shared import asset
from tuner.text import visible_line

#: What stands over the reports that repeat no study, where others do.
OTHERS = "Other searches"
#: A mean test accuracy as a table of the models has it.
_MEAN = re.compile(r"\d\.\d+")
_NUMBER = ' class="number"'
_HEADS = (
    ("study", ""), ("search", ""), ("data set", ""), ("best model", ""), ("mean test accuracy", _NUMBER),
    ("trials", _NUMBER), ("last trial", ""),
)  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """A report as the index lists it: what is said of it, and where it is.

    `picture` is empty where it has none, `picture_size` its width and height in pixels; `has_page` says whether there
    is a `report.html`, which older ones lack.
    `study` is what it repeats; reports of one study stand together. `trials` says how many it has and `date` when the
    last of them ended, None and empty where it does not tell.
    """

    folder: str
    title: str
    verdict: Sequence[str]
    budget: str
    compared: Sequence[Table]
    picture: str
    caption: str
    has_page: bool
    picture_size: tuple[int, int] | None = None
    study: str = ""
    trials: int | None = None
    date: str = ""

    @property
    def main(self) -> str:
        """The address of the report from the index, as HTML holds it."""
        return f"{escape(quote(self.folder))}/report.{'html' if self.has_page else 'md'}"

    @property
    def best(self) -> Iterator[tuple[str, str, str]]:
        """Of each data set its name, the model with the highest mean test accuracy, and that mean, all as HTML."""
        for table in self.compared:
            for place, head in enumerate(table.heads):
                found = [(float(m.group()), row) for row in table.cells if (m := _MEAN.match(row[place]))]
                if place and not head.startswith("file") and found:
                    _, row = max(found, key=lambda one: one[0])
                    yield inline_html(head), inline_html(row[0]), inline_html(row[place])


def by_study(listed: Sequence[Listed]) -> Iterator[tuple[str, Listed]]:
    """Yield each report with what stands over it: the study over its first report; nothing where none has a study."""
    told, before = any(one.study for one in listed), None
    for one in listed:
        yield (one.study or OTHERS) if told and one.study != before else "", one
        before = one.study


def index_page(listed: Sequence[Listed]) -> str:
    """Return the index as HTML; its pictures and links are files beside it."""
    parts = "\n".join(
        (f"<h2>{escape(visible_line(head))}</h2>\n" if head else "") + _part(one) for head, one in by_study(listed)
    )
    sorts = asset("index.js") if listed else ""
    return Template(asset("index.html")).substitute(
        style=asset("page.css"),
        parts=parts,
        overview=_overview(listed) if listed else "",
        count="1 search" if len(listed) == 1 else f"{len(listed)} searches",
        script=f"<script>{sorts}</script>" if sorts else "",
        allowed=allowed(sorts) if sorts else "'none'",
    )


def _overview(listed: Sequence[Listed]) -> str:
    """Return a row for each data set of each search, in the order in which they are listed."""
    heads = "".join(f'<th scope="col"{kind}>{head}</th>' for head, kind in _HEADS)
    rows = "\n".join(_row(one, *best) for one in listed for best in ([*one.best] or [("", "", "")]))
    caption = "All searches, those that repeat a study first; a heading sorts by its column"
    return (
        f'{scroll_box(caption)}<table id="overview"><caption>{caption}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(one: Listed, dataset: str, model: str, score: str) -> str:
    title = f'<a href="{one.main}">{escape(visible_line(one.title))}</a>'
    mean = _MEAN.match(score)
    trials = "" if one.trials is None else str(one.trials)
    return (
        f'<tr><td>{escape(visible_line(one.study))}</td><th scope="row">{title}</th><td>{dataset}</td><td>{model}</td>'
        f'<td class="number" data-value="{mean.group() if mean else ""}">{score or DASH}</td>'
        f'<td class="number" data-value="{trials}">{trials or DASH}</td><td class="date">{escape(one.date)}</td></tr>'
    )


def _part(one: Listed) -> str:
    folder = escape(quote(one.folder))
    room = room_html(one.picture_size)
    picture = f'<img src="{folder}/{escape(quote(one.picture))}" alt=""{room} loading="lazy">' if one.picture else ""
    texts = "".join(f"<p>{inline_html(line)}</p>" for line in one.verdict)
    quiet = f'<p class="quiet">{inline_html(one.budget)}</p>' if one.budget else ""
    tables = to_html(one.compared, "Mean test accuracy of the chosen models")
    explore = f'<a href="{folder}/report.html">Explore</a> · ' if one.has_page else ""
    links = f'<p>{explore}<a href="{folder}/report.md">as text</a></p>'
    head = f'<h2><a href="{one.main}">{escape(visible_line(one.title))}</a></h2>'
    return f'<section class="listed"><div>{head}{texts}{quiet}{tables}{links}</div>{picture}</section>'
