"""`report.html`: the report as one page to explore, made of the same findings and sections as `report.md`."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.analysis.findings import Findings
from tuner.contents.sections import Section
from tuner.page.clock import clock_data
from tuner.page.content import page_parts
from tuner.page.data import page_data
from tuner.page.images import mistakes_data
from tuner.page.render import render
from tuner.text import visible_line


def report_page(findings: Findings, sections: Sequence[Section], single_file: bool = False) -> bytes:
    """Return the page of a search as HTML; it needs no network.

    What a clock measured stands in one of its blocks of data alone, `<script type="application/json" id="timing">`;
    all else is the same bytes whenever the same was found.

    Args:
        findings: what the search found.
        sections: the sections of its report, whose tables and words the page shows.
        single_file: hold the plotting library, so that the page needs no file in the folder above it.
    """
    tables = {name: frame for section in sections for name, frame in section.tables.items()}
    by_key = {section.key: section for section in sections}
    data = page_data(findings, tables)
    blocks = {"report": data, "images": mistakes_data(findings), "timing": clock_data(findings, tables, data)}
    parts = page_parts(findings, by_key, tables, data)
    return render(visible_line(findings.search.title), parts, blocks, single_file).encode()
