"""The page holds all that the report holds: each paragraph's words, each table's cells and each picture."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from made_up import Project
from whole_page import page_of

from tuner.contents.sections import Content, Folded, Items, Paragraph, Picture, Table
from tuner.page.content import SCRIPTED


def read(text: str) -> str:
    """Return what a reader sees of a text: no markup, one blank for each white space."""
    seen = re.sub(r"(?<!\\)\[([^\[\]]*)\]\([^)]*\)", r"\1", text)
    seen = re.sub(r"(?<!\\)[*`]+", "", seen)
    return " ".join(html.unescape(re.sub(r"\\(.)", r"\1", seen)).split())


def flat(contents: Iterable[Content]) -> Iterator[Content]:
    for content in contents:
        yield content
        if isinstance(content, Folded):
            yield from flat(content.contents)


def texts(content: Content) -> Iterator[str]:
    match content:
        case Paragraph(text):
            yield text
        case Items(items, lead):
            yield from (lead, *items)
        case Table():
            yield from (content.about, content.lead, *content.heads, *(cell for row in content.cells for cell in row))
        case Folded(summary, _):
            yield summary


def test_words_cells_and_pictures_of_every_section_are_on_the_page(project: Project) -> None:
    page = page_of(project)
    shown = " ".join(page.shown.split())
    scripted = 0
    for section in page.report.sections:
        assert re.search(rf"<h[23][^>]*>{re.escape(section.heading)}</h", page.text) or section.key == "confusion"
        for content in flat(section.contents):
            for text in texts(content):
                assert read(text) in shown, section.key
            if isinstance(content, Picture) and content.key in SCRIPTED:
                assert f'data-figure="{SCRIPTED[content.key]}"' in page.text
                scripted += 1
            elif isinstance(content, Picture):
                assert f'<img src="{content.file}"' in page.text
                assert content.caption in shown
    assert scripted == 3, "curves, ROC and confusion; these trials are too few to tell what matters"
    assert len(page.report.sections) > 20
