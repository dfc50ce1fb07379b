"""The index of all reports: `reports/README.md` and `index.html`, made from the reports that lie beside them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import quote

from tuner import columns as col
from tuner.contents.png import PNG_HEAD, size_of_png
from tuner.errors import InputError
from tuner.page.index import Listed, by_study, index_page
from tuner.publish.summary import Summary
from tuner.report.markdown import to_markdown
from tuner.system.files import write_whole
from tuner.text import escape
from tuner.untrusted.sizes import MOST_REPORT, opened, read_at_most


def write_index(reports: Path) -> None:
    """Write the index of the reports in this folder, as text and as a page, each with its verdict.

    Those that repeat a study stand together, study by study, before the others; of each the newest is first.
    """
    listed = _listed(reports)
    parts = ["# Reports", "Each folder is written by `tuner run NAME`; nothing in it is edited by hand."]
    level = "###" if any(one.study for one in listed) else "##"
    for head, one in by_study(listed):
        if head:
            parts.append(f"## {escape(head)}")
        parts.append(f"{level} [{escape(one.title)}]({quote(one.folder)}/report.md)")
        parts += filter(None, [one.budget, *one.verdict, to_markdown(one.compared)])
        if one.picture:
            parts.append(f"![{escape(one.caption)}]({quote(one.folder)}/{quote(one.picture)})")
    text = "\n\n".join(parts) + "\n"
    write_whole(reports / "README.md", lambda path: path.write_text(text, encoding="utf-8"))
    page = index_page(listed)
    write_whole(reports / "index.html", lambda path: path.write_text(page, encoding="utf-8"))


def _listed(reports: Path) -> list[Listed]:
    """Read what the index says of each report, study by study, of each that of the latest trial first."""
    found = []
    folders = sorted(report.parent for report in reports.glob("*/report.md"))
    ended = {folder: _latest(folder / "timing.csv") for folder in folders}
    for folder in sorted(folders, key=lambda folder: ended[folder], reverse=True):
        said = Summary.read(folder)
        picture = said.picture if said.picture in said.own_files and (folder / said.picture).is_file() else ""
        has_page = (folder / "report.html").is_file()
        found.append(
            Listed(
                folder.name, said.title, said.verdict, said.budget, said.compared, picture, said.caption, has_page,
                _size(folder / picture) if picture else None, said.study, said.trials, ended[folder][:10],
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (not one.study, one.study))


def _size(picture: Path) -> tuple[int, int] | None:
    """Return width and height of a picture; None where its file does not tell."""
    try:
        with opened(picture) as file:
            return size_of_png(file.read(PNG_HEAD))
    except InputError:
        return None


def _latest(timing: Path) -> str:
    """Return when the last trial of a report ended, as its file says; an empty text where it does not."""
    try:
        text = read_at_most(timing, MOST_REPORT).decode("utf-8")
        return max((row.get(col.ENDED) or "" for row in csv.DictReader(io.StringIO(text, newline=""))), default="")
    except (InputError, UnicodeDecodeError, csv.Error):
        return ""
