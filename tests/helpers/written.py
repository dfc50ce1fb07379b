"""A section as a reader has it, for the tests of sections."""

from __future__ import annotations

from matplotlib.figure import Figure

from tuner.contents.sections import Section
from tuner.figures.style import report_style
from tuner.report.markdown import to_markdown


def words(section: Section) -> str:
    """Return what stands in a section of report.md."""
    return to_markdown(section.contents)


def figures_of(section: Section) -> dict[str, Figure]:
    """Return the figures of a section by file, drawn for this call."""
    with report_style():
        return {picture.file: picture.draw() for picture in section.pictures}


def row(text: str, name: str) -> list[str]:
    """Return the cells behind the first one of the first row of a markdown table that begins with a name."""
    found = next(line for line in text.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in found.split("|")[2:-1]]
