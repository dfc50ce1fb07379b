"""The report's own markdown as HTML. Its texts of strangers are escaped already; here no HTML passes either way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: Longer sentences stay in front of their table.
_LONGEST_CAPTION = 240
#: What the report folds away; see `tuner.report.base.folded`.
_FOLDED = re.compile(r"<details>\n<summary>(.*?)</summary>\n\n(.*?)\n\n</details>", re.DOTALL)
#: How a column whose numbers stand to the right is marked.
_NUMBERS = "text-align:right"


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def to_html(text: str, caption: str = "") -> str:
    """Return a section's markdown as HTML, without its pictures.

    Tables get a caption and a scope for each head; the first cell of a row heads it. The caption of a table is the
    last sentence in front of it where that ends with a colon, else what it is folded under, else `caption`.
    """
    # of any three parts that it is split into, the first is not folded, and the others are summary and body
    first, *folded = _FOLDED.split(text)
    parts = [_to_html(first, caption)]
    for summary, body, after in zip(folded[::3], folded[1::3], folded[2::3], strict=True):
        parts.append(f"<details><summary>{escape(summary)}</summary>{_to_html(body, summary)}</details>")
        parts.append(_to_html(after, caption))
    return "".join(parts)


def _to_html(text: str, caption: str) -> str:
    tokens = _markdown().parse(_without_pictures(text))
    for token in tokens:
        _mark(token)
    _head_rows(tokens)
    return str(_markdown().renderer.render(_framed(tokens, caption), _markdown().options, {}))


def _framed(tokens: Sequence[Token], caption: str) -> list[Token]:
    """Put every table into a box that scrolls, with its caption."""
    framed: list[Token] = []
    for token in tokens:
        if token.type == "table_open":
            own = _lead(framed) or inline_html(caption)
            head = f"<caption>{own}</caption>" if own else ""
            framed += [_raw(scroll_box(own)), token, _raw(head)]
        elif token.type == "table_close":
            framed += [token, _raw("</div>")]
        else:
            framed.append(token)
    return framed


def scroll_box(caption: str, more: str = "") -> str:
    """Return the beginning of a box in which a table scrolls, by keyboard too; `caption` is HTML."""
    label = re.sub(r"<[^>]*>", "", caption).replace('"', "&quot;") or "Table"
    return f'<div class="scroll{more}" role="region" tabindex="0" aria-label="{label}">'


def _lead(tokens: list[Token]) -> str:
    """Take the last sentence away from the end of these tokens where it ends with a colon, and return it as HTML."""
    if len(tokens) < 3 or tokens[-1].type != "paragraph_close" or not tokens[-2].content.endswith(":"):
        return ""
    text = tokens[-2].content
    before, stop, last = text.rpartition(". ")
    if len(last) > _LONGEST_CAPTION or last.count("**") % 2:
        return ""
    if stop:
        tokens[-2:-1] = _markdown().parseInline(before + ".")
    else:
        del tokens[-3:]
    return inline_html(last.removesuffix(":"))


def _raw(html: str) -> Token:
    """Return HTML of our own as a token."""
    return Token("html_block", "", 0, content=html)


def inline_html(text: str) -> str:
    """Return one line of the report's markdown as HTML."""
    return str(_markdown().renderInline(text))


def _without_pictures(text: str) -> str:
    """Leave out pictures and the captions that follow them."""
    kept: list[str] = []
    after_picture = False
    for part in text.split("\n\n"):
        caption = after_picture and part.startswith("*") and not part.startswith("**")
        after_picture = part.startswith("![")
        if not (caption or after_picture):
            kept.append(part)
    return "\n\n".join(kept)


def _mark(token: Token) -> None:
    """Say by a class, not by a style, which cells hold numbers; give heads of columns their scope."""
    if token.type in ("th_open", "td_open"):
        if token.attrs.pop("style", None) == _NUMBERS:
            token.attrSet("class", "number")
        if token.type == "th_open":
            token.attrSet("scope", "col")


def _head_rows(tokens: Sequence[Token]) -> None:
    """Make the first cell of each row of a table's body its head."""
    first = False
    for token in tokens:
        if token.type == "tr_open":
            first = True
        elif token.type == "td_open" and first:
            token.tag = "th"
            token.attrSet("scope", "row")
        elif token.type == "td_close" and first:
            token.tag, first = "th", False
