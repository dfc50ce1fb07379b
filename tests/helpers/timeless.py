"""What reports consist of beside what a clock measured, for tests that two of them are the same bytes.

That stands in files `timing*`, in one section of report.md, one part and one block of report.html, one key of a card,
and one column of index.html, the day of the last trial.
"""

from __future__ import annotations

import re
from pathlib import Path


def without_times(reports: Path) -> dict[str, bytes]:
    """Return the files under a folder of reports, without those that hold times and without the parts that do."""
    files = {str(path.relative_to(reports)): path.read_bytes() for path in reports.rglob("*") if path.is_file()}
    kept = {name: content for name, content in files.items() if not Path(name).name.startswith("timing")}
    cuts = {"report.md": _cut, "report.html": without_timing_block, "index.html": without_dates}
    return {
        name: without_timing_key(content)
        if name.endswith(".json") and not name.endswith("summary.json")
        else cuts.get(Path(name).name, bytes)(content)
        for name, content in kept.items()
    }


def without_timing_key(card: bytes) -> bytes:
    """Return a card without what stands under `timing`."""
    shorter, count = re.subn(rb'\n "timing": \{[^{}]*\}', b"", card)
    assert count == 1, "the card has not one place for times"
    return shorter


def without_timing_block(page: bytes) -> bytes:
    """Return a page without its part and its block of what a clock measured."""
    block = rb'<script type="application/json" id="timing">[^<]*</script>'
    shorter, count = re.subn(block, b"", page)
    assert count == 1, "the page has not one block of times"
    shorter, count = re.subn(rb'<section id="time".*?</section>', b"", shorter, flags=re.DOTALL)
    assert count <= 1, "the page has not one part of times"
    return shorter


def without_dates(index: bytes) -> bytes:
    """Return the page of all reports without the day on which the last trial of each ended."""
    shorter, count = re.subn(rb'<td class="date">\d{4}-\d\d-\d\d</td>', b"", index)
    assert count >= 1, "the index tells no day"
    return shorter


def _cut(report: bytes) -> bytes:
    shorter, count = re.subn(rb"\n## Time\n.*?(?=\n## Provenance\n)", b"", report, flags=re.DOTALL)
    assert count == 1, "the section on time is not in its place"
    return shorter


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Return the names of the files that are not the same bytes in both, or not there in one of them."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
