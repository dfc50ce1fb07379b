"""`report.html`: the report as one page to explore, made of the same findings and sections as `report.md`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tuner.analysis.findings import Findings
from tuner.contents.sections import Report
from tuner.page.clock import clock_data
from tuner.page.content import page_parts
from tuner.page.data import page_data
from tuner.page.images import Sheets, mistakes_data
from tuner.page.render import Live, render
from tuner.text import visible_line


@dataclass(frozen=True)
class ReportPage:
    """The page of a report: its `html`, and what its scripts need beside it, by the names of the files."""

    html: bytes
    files: Mapping[str, bytes]


def report_page(findings: Findings, report: Report, single_file: bool = False, live: Live | None = None) -> ReportPage:
    """Return the page of a search; it needs no network.

    What a clock measured stands in its part `time` and in the block of data `timing` alone; all else is the same bytes
    whenever the same was found.

    Args:
        findings: what the search found.
        report: what is said of it.
        single_file: hold pictures, style and scripts, so that the page needs no file beside or above it.
        live: what the page has beside the report where it is served.
    """
    tables = report.tables
    data = page_data(findings, tables)
    sheets = Sheets(held=single_file)
    blocks = {"report": data, "images": mistakes_data(findings, sheets), "timing": clock_data(findings, tables, data)}
    parts = page_parts(findings, report, data, single_file)
    return ReportPage(render(visible_line(report.title), parts, blocks, single_file, live).encode(), sheets.files)
