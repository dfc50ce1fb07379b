"""`report.md`: the summary and the sections of a report as one text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tabulate import tabulate

from tuner.analysis.findings import Findings
from tuner.contents.sections import Content, Folded, Items, Paragraph, Picture, Section, Table
from tuner.report.budget import budget
from tuner.report.choice import published_protocol_note
from tuner.report.summary import verdict
from tuner.text import escape


def report_markdown(findings: Findings, sections: Sequence[Section]) -> str:
    """Return the report as markdown."""
    search = findings.search
    parts = [f"# {escape(search.title)}"]
    if search.protocol == "published":
        parts.append(f"> {published_protocol_note(findings)}")
    parts += verdict(findings)
    parts.append(f"Budget: {budget(findings)}." if findings.search_trials else "")
    shown = [
        *(["every trial"] if findings.trials() else []),
        *(["the whole confusion matrices"] if findings.chosen else []),
    ]
    with_what = f", with {' and '.join(shown)}" if shown else ""
    parts.append(f"A page to explore{with_what}: [report.html](report.html).")
    parts += [f"## {section.heading}\n\n{to_markdown(section.contents)}" for section in sections]
    return "\n\n".join(part for part in parts if part) + "\n"


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
