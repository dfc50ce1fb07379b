"""`report.md`: the summary and the sections of a report as one text."""

from __future__ import annotations

from collections.abc import Iterable

from tabulate import tabulate

from tuner.contents.sections import Content, Folded, Items, Paragraph, Picture, Report, Table
from tuner.text import escape


def report_markdown(report: Report) -> str:
    """Return the report as markdown."""
    parts = [f"# {escape(report.title)}", f"> {report.note}" if report.note else "", *report.verdict, report.budget]
    there = {section.key for section in report.sections}
    on_page = {"trials": "every trial", "confusion": "the whole confusion matrices"}
    shown = [what for key, what in on_page.items() if key in there]
    with_what = f", with {' and '.join(shown)}" if shown else ""
    parts.append(f"A page to explore{with_what}: [report.html](report.html).")
    parts += [f"## {section.heading}\n\n{to_markdown(section.contents)}" for section in report.sections]
    return "\n\n".join(filter(None, parts)) + "\n"


def to_markdown(contents: Iterable[Content]) -> str:
    """Return the contents of a section as markdown."""
    return "\n\n".join(map(_written, contents))


def _written(content: Content) -> str:
    match content:
        case Paragraph(text):
            return text
        case Items(items, lead):
            written = "\n".join(f"- {item}" for item in items)
            return f"{lead}\n\n{written}" if lead else written
        case Table():
            return _table(content)
        case Picture():
            caption = escape(content.caption)
            return f"![{caption}]({content.file})\n\n*{caption}*"
        case Folded(summary, contents):
            return f"<details>\n<summary>{summary}</summary>\n\n{to_markdown(contents)}\n\n</details>"


def _table(table: Table) -> str:
    align = ["left"] * table.text_columns + ["right"] * (len(table.heads) - table.text_columns)
    written = tabulate(
        table.cells,
        headers=list(table.heads),
        tablefmt="pipe",
        colalign=align if table.rows else None,
        disable_numparse=True,
    )
    return f"{table.sentence}\n\n{written}" if table.sentence else written
