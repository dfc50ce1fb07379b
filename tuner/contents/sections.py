"""Sections and their contents. `tuner.report` makes them and writes them as markdown, `tuner.page` as HTML.

Texts are one line of markdown's inline markup: `**bold**`, `*italics*`, code, and links; what a user wrote is escaped
in them by `tuner.text.escape`. An example:

    Section("speed", "Speed", (Paragraph("In seconds:"), Table([["ANN", "0.5"]], ["model", "time"])))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from tuner.contents.cells import DASH

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Paragraph:
    """Sentences that stand together."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of sentences; `lead` is the sentence in front of it, which ends with a colon."""

    items: Sequence[str]
    lead: str = ""


@dataclass(frozen=True)
class Table:
    """A table; its first `text_columns` columns hold text, which stands to the left, the others numbers.

    `lead` is the sentence in front of it without its colon, from which the table has its caption; `about` are the
    sentences in front of that, in the same paragraph. A cell that is None is a dash.
    """

    rows: Sequence[Sequence[object]]
    heads: Sequence[str]
    text_columns: int = 1
    lead: str = ""
    about: str = ""

    @property
    def sentence(self) -> str:
        """What stands in front of it, which may be nothing."""
        return " ".join(filter(None, [self.about, self.lead and f"{self.lead}:"]))

    @property
    def cells(self) -> list[list[str]]:
        """The rows as they are written."""
        return [[DASH if cell is None else str(cell) for cell in row] for row in self.rows]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture with its caption, which is plain text and also what a reader hears who cannot see the picture.

    `key` says what is drawn ("roc"), whatever it is drawn of; `file` is the name of its PNG file; `draw` makes
    matplotlib's figure when it is wanted.
    """

    key: str
    file: str
    caption: str
    draw: Callable[[], Figure]

    @cached_property
    def png(self) -> bytes:
        """The picture in the report's style as PNG, drawn once; the same numbers give the same bytes."""
        from tuner.contents.png import png
        from tuner.figures.style import report_style

        with report_style():
            return png(self.draw())

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels, for which a page keeps room until the file is there."""
        from tuner.contents.png import size_of_png

        return size_of_png(self.png)


@dataclass(frozen=True)
class Folded:
    """Contents that open under their summary when a reader asks for them."""

    summary: str
    contents: Sequence[Content]


Content: TypeAlias = Paragraph | Items | Table | Picture | Folded


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a report: contents under a heading, and its numbers as tables by the name of their CSV file.

    Whoever looks for a section looks for its `key`: a heading is words, which may change.
    """

    key: str
    heading: str
    contents: Sequence[Content]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def pictures(self) -> list[Picture]:
        """Its pictures, in their order."""
        return [content for content in self.contents if isinstance(content, Picture)]


@dataclass(frozen=True, eq=False)
class Report:
    """What is said of a search: its title, its verdict in sentences, its budget, and its sections.

    `study` is the study that it repeats, by which indexes put reports together; empty where it repeats none.
    `compared` is the table of its chosen models, None where there are none. `note` is what makes the whole report worth
    less, and empty where nothing does.
    """

    title: str
    note: str
    verdict: Sequence[str]
    budget: str
    compared: Table | None
    sections: Sequence[Section]
    study: str = ""

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of all sections by the name of their CSV file."""
        return {name: frame for section in self.sections for name, frame in section.tables.items()}


def folded_if(long: bool, summary: str, table: Table, *more: Content) -> list[Content]:
    """Return a table and more, folded away where they are long; what leads to the table stays in front."""
    if not long:
        return [table, *more]
    front = [Paragraph(table.sentence)] if table.sentence else []
    return [*front, Folded(summary, [replace(table, lead="", about=""), *more])]
