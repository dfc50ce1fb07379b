"""The contents of sections as HTML. Their texts of strangers are escaped already; here no HTML passes either way."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from functools import cache
from html import escape
from urllib.parse import quote

from markdown_it import MarkdownIt

from tuner.contents.sections import Content, Folded, Items, Paragraph, Picture, Table
from tuner.text import visible_line


@cache
def _inline() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def inline_html(text: str) -> str:
    """Return a text with markdown's inline markup as HTML."""
    return str(_inline().renderInline(text))


def note_html(text: str) -> str:
    """Return what is said on top of a page as HTML."""
    return f"<blockquote><p>{inline_html(text)}</p></blockquote>"


def picture_html(picture: Picture, held: bool = True) -> str:
    """Return a picture with its caption: `held` in the HTML, or as the file that lies beside it."""
    source = f"data:image/png;base64,{base64.b64encode(picture.png).decode()}" if held else quote(picture.file)
    caption = escape(visible_line(picture.caption))
    return (
        f'<figure class="picture"><img src="{source}" alt="{caption}"{room_html(picture.size)} loading="lazy">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def room_html(size: tuple[int, int] | None) -> str:
    """Return the attributes that keep a picture's room free until its file is there, so that nothing moves then."""
    return f' width="{size[0]}" height="{size[1]}"' if size else ""


def to_html(contents: Iterable[Content], caption: str = "", draw: Callable[[Picture], str] = picture_html) -> str:
    """Return contents as HTML; `caption` is that of a table that nothing leads to, `draw` says what a picture is."""
    return "\n".join(filter(None, (_written(content, caption, draw) for content in contents)))


def _written(content: Content, caption: str, draw: Callable[[Picture], str]) -> str:
    match content:
        case Paragraph(text):
            return f"<p>{inline_html(text)}</p>"
        case Items(items, lead):
            front = f"<p>{inline_html(lead)}</p>\n" if lead else ""
            return f"{front}<ul>{''.join(f'<li>{inline_html(item)}</li>' for item in items)}</ul>"
        case Table():
            return _table(content, caption)
        case Picture():
            return draw(content)
        case Folded(summary, inside):
            head = inline_html(summary)
            return f"<details><summary>{head}</summary>{to_html(inside, summary, draw)}</details>"


def _table(table: Table, caption: str) -> str:
    """Return a table in a box that scrolls, with a caption and a scope for each head; the first cell heads a row."""
    own = inline_html(table.lead or caption)
    about = f"<p>{inline_html(table.about)}</p>\n" if table.about else ""
    heads = "".join(_cell("th", "col", head, place, table) for place, head in enumerate(table.heads))
    rows = "\n".join(
        f"<tr>{_cell('th', 'row', first, 0, table)}"
        f"{''.join(_cell('td', '', cell, place, table) for place, cell in enumerate(rest, start=1))}</tr>"
        for first, *rest in table.cells
    )
    return (
        f"{about}{scroll_box(own)}<table>{f'<caption>{own}</caption>' if own else ''}\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cell(tag: str, scope: str, text: str, place: int, table: Table) -> str:
    """Return a cell; by a class, not by a style, those of numbers stand to the right."""
    given = f' scope="{scope}"' * bool(scope) + ' class="number"' * (place >= table.text_columns)
    return f"<{tag}{given}>{inline_html(text)}</{tag}>"


def scroll_box(caption: str, more: str = "") -> str:
    """Return the beginning of a box in which a table scrolls, by keyboard too; `caption` is HTML."""
    label = re.sub(r"<[^>]*>", "", caption).replace('"', "&quot;") or "Table"
    return f'<div class="scroll{more}" role="region" tabindex="0" aria-label="{label}">'
