"""`report.md`: the summary and the sections of a report as one text."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.analysis.findings import Findings
from tuner.report.base import Section, escape
from tuner.report.budget import budget
from tuner.report.choice import published_note
from tuner.report.summary import verdict


def report_markdown(findings: Findings, sections: Sequence[Section]) -> str:
    """Return the report as markdown."""
    search = findings.search
    parts = [f"# {escape(search.title)}"]
    if search.protocol == "published":
        parts.append(published_note(findings))
    parts += verdict(findings)
    parts.append(f"Budget: {budget(findings)}." if findings.search_trials else "")
    shown = [
        *(["every trial"] if findings.trials() else []),
        *(["the whole confusion matrices"] if findings.chosen else []),
    ]
    with_what = f", with {' and '.join(shown)}" if shown else ""
    parts.append(f"A page to explore{with_what}: [report.html](report.html).")
    parts += [f"## {section.heading}\n\n{section.markdown}" for section in sections]
    return "\n\n".join(part for part in parts if part) + "\n"
