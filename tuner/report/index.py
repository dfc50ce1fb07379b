"""The index of all reports: `reports/README.md`, made from the reports that lie beside it."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

from tuner.files import write_whole


def write_index(reports: Path) -> None:
    """Write the index of the reports in this folder, by name, each with its verdict and its comparison table."""
    parts = ["# Reports", "Each folder is written by `tuner run NAME`; nothing in it is edited by hand."]
    for report in sorted(reports.glob("*/report.md")):
        try:
            title, *rest = report.read_text(encoding="utf-8").split("\n\n")
        except (OSError, UnicodeDecodeError):  # not written by us
            continue
        folder = report.parent.name
        head = list(takewhile(lambda part: not part.startswith("## "), rest))
        verdict = [part for part in head if part.startswith(("On ", "No "))]
        tables = [part for part in rest if part.startswith("| mean test accuracy")]
        parts.append(f"## [{title.removeprefix('# ').strip()}]({quote(folder)}/report.md)")
        parts += [part for part in head if part.startswith("Budget: ")]
        parts += verdict + tables[:1]
    text = "\n\n".join(parts) + "\n"
    write_whole(reports / "README.md", lambda path: path.write_text(text, encoding="utf-8"))
