"""The index of all reports: `reports/README.md` and `index.html`, made from the reports that lie beside them."""

from __future__ import annotations

import csv
import io
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

from tuner import columns as col
from tuner.errors import InputError
from tuner.page.index import Listed, index_page
from tuner.system.files import write_whole
from tuner.untrusted.sizes import MOST_REPORT, read_at_most

#: The picture of a report on the index, the first of these kinds that it has, and what it shows.
_PICTURES = {"f1": "F1 of each class", "curves": "Training curves", "importance": "What matters"}


def write_index(reports: Path) -> None:
    """Write the index of the reports in this folder, as text and as a page: the newest first, each with its verdict."""
    listed = _listed(reports)
    parts = ["# Reports", "Each folder is written by `tuner run NAME`; nothing in it is edited by hand."]
    for one in listed:
        parts.append(f"## [{one.title}]({quote(one.folder)}/report.md)")
        parts += [*one.budget, *one.verdict, *one.tables]
        if one.picture:
            parts.append(f"![{_kind(one.picture)}]({quote(one.folder)}/{quote(one.picture)})")
    text = "\n\n".join(parts) + "\n"
    write_whole(reports / "README.md", lambda path: path.write_text(text, encoding="utf-8"))
    page = index_page(listed)
    write_whole(reports / "index.html", lambda path: path.write_text(page, encoding="utf-8"))


def _kind(picture: str) -> str:
    """Return what a picture of a report shows, by its file's name."""
    return _PICTURES[picture.partition("-")[0]]


def _listed(reports: Path) -> list[Listed]:
    """Read what the index says of each report, that of the latest trial first; by name what does not tell."""
    found = []
    names = sorted(reports.glob("*/report.md"))
    for report in sorted(names, key=lambda report: _latest(report.parent / "timing.csv"), reverse=True):
        try:
            title, *rest = read_at_most(report, MOST_REPORT).decode("utf-8").split("\n\n")
        except (InputError, UnicodeDecodeError):  # not written by us
            continue
        head = list(takewhile(lambda part: not part.startswith("## "), rest))
        pictures = [path.name for kind in _PICTURES for path in sorted(report.parent.glob(f"{kind}-*.png"))]
        found.append(
            Listed(
                folder=report.parent.name,
                title=title.removeprefix("# ").strip(),
                budget=[part for part in head if part.startswith("Budget: ")],
                verdict=[part for part in head if part.startswith(("On ", "No "))],
                tables=[part for part in rest if part.startswith("| mean test accuracy")][:1],
                picture=pictures[0] if pictures else "",
                has_page=(report.parent / "report.html").is_file(),
            )
        )
    return found


def _latest(timing: Path) -> str:
    """Return when the last trial of a report ended, as its file says; an empty text where it does not."""
    try:
        text = read_at_most(timing, MOST_REPORT).decode("utf-8")
        return max((row.get(col.ENDED) or "" for row in csv.DictReader(io.StringIO(text, newline=""))), default="")
    except (InputError, UnicodeDecodeError, csv.Error):
        return ""
