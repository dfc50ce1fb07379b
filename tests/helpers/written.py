"""A section as a reader has it, for the tests of sections."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from tuner.contents.sections import Section
from tuner.figures.style import report_style
from tuner.report.markdown import to_markdown


def words(section: Section) -> str:
    """Return what stands in a section of report.md."""
    return to_markdown(section.contents)


def rows_of(markdown: str, head: str) -> list[list[str]]:
    """Return the cells of the table whose header line begins with `head`."""
    lines = markdown.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(f"| {head}"))
    table = []
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def figures_of(section: Section) -> dict[str, Figure]:
    """Return the figures of a section by file, drawn for this call."""
    with report_style():
        return {picture.file: picture.draw() for picture in section.pictures}


def pictures_of(section: Section) -> list[str]:
    """Return the files of a section's figures, of which none is drawn."""
    return [picture.file for picture in section.pictures]


def drawn_small(figure: Figure) -> bytes:
    """Return a picture of a figure at a third of its size and with all its colours: drawn in a fifth of the time.

    Where figures can't be drawn, or differ, this one can't and does.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=48, pil_kwargs={"compress_level": 0})
    return buffer.getvalue()


def row(text: str, name: str) -> list[str]:
    """Return the cells behind the first one of the first row of a markdown table that begins with a name."""
    found = next(line for line in text.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in found.split("|")[2:-1]]
