"""`reports/index.html`: all searches on one page, each with its verdict and a picture. It has no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from urllib.parse import quote

from tuner.contents.sections import Table
from tuner.page.html import inline_html, to_html
from tuner.page.render import asset
from tuner.text import visible_line


@dataclass(frozen=True)
class Listed:
    """A report as the index lists it: what is said of it, and where it is.

    `picture` is empty where it has none; `has_page` says whether there is a `report.html`, which older ones lack.
    """

    folder: str
    title: str
    verdict: Sequence[str]
    budget: str
    compared: Sequence[Table]
    picture: str
    caption: str
    has_page: bool


def index_page(listed: Sequence[Listed]) -> str:
    """Return the index as HTML; its pictures and links are files beside it."""
    parts = "\n".join(map(_part, listed))
    return Template(asset("index.html")).substitute(
        style=asset("page.css"), parts=parts, count="1 search" if len(listed) == 1 else f"{len(listed)} searches"
    )


def _part(one: Listed) -> str:
    folder = escape(quote(one.folder))
    picture = f'<img src="{folder}/{escape(quote(one.picture))}" alt="" loading="lazy">' if one.picture else ""
    texts = "".join(f"<p>{inline_html(line)}</p>" for line in one.verdict)
    quiet = f'<p class="quiet">{inline_html(one.budget)}</p>' if one.budget else ""
    tables = to_html(one.compared, "Mean test accuracy of the chosen models")
    main = "report.html" if one.has_page else "report.md"
    explore = f'<a href="{folder}/report.html">Explore</a> · ' if one.has_page else ""
    links = f'<p>{explore}<a href="{folder}/report.md">as text</a></p>'
    head = f'<h2><a href="{folder}/{main}">{escape(visible_line(one.title))}</a></h2>'
    return f'<section class="listed"><div>{head}{texts}{quiet}{tables}{links}</div>{picture}</section>'
