"""`summary.json` beside a report: what the index says of it, and which files belong to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from tuner.contents.sections import Report, Table
from tuner.errors import InputError
from tuner.untrusted.checked_json import parsed
from tuner.untrusted.sizes import MOST_REPORT, read_at_most

SUMMARY = "summary.json"
#: Pictures that may stand for a report on the index, the best first, by their keys.
_PICTURES = ("f1", "curves", "importance")
#: Files that a report may have written, and that the next one may remove.
_OURS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.(png|jpeg|csv|keras|json)")


@dataclass(frozen=True)
class Summary:
    """What is said of a report; `heads` and `rows` are of the table that compares its models, `picture` is a file.

    `study` is the study that it repeats, empty where it repeats none; `trials` counts the search's trials, None in
    reports of earlier versions.
    """

    title: str
    verdict: list[str] = field(default_factory=list)
    budget: str = ""
    heads: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    picture: str = ""
    caption: str = ""
    files: list[str] = field(default_factory=list)
    study: str = ""
    trials: int | None = None

    @classmethod
    def of(cls, report: Report, files: Iterable[str]) -> Self:
        """Return the summary of a report that has these files."""
        pictures = [picture for section in report.sections for picture in section.pictures if picture.key in _PICTURES]
        shown = min(pictures, key=lambda picture: _PICTURES.index(picture.key), default=None)
        compared = report.compared or Table([], [])
        return cls(
            report.title,
            list(report.verdict),
            report.budget,
            list(compared.heads),
            compared.cells,
            shown.file if shown else "",
            shown.caption if shown else "",
            sorted(files),
            report.study,
            len(report.tables["trials.csv"]) if "trials.csv" in report.tables else 0,
        )

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the summary of the report in a folder; its name alone where there is none that we wrote."""
        try:
            return parsed(cls, read_at_most(folder / SUMMARY, MOST_REPORT).decode("utf-8"))
        except (InputError, ValueError):
            return cls(folder.name)

    def to_json(self) -> bytes:
        """Return it as it is written."""
        return (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()

    @property
    def compared(self) -> list[Table]:
        """The table that compares the models, where there are any."""
        whole = bool(self.rows) and all(len(row) == len(self.heads) for row in self.rows)
        return [Table(self.rows, self.heads)] if whole else []

    @property
    def own_files(self) -> set[str]:
        """The files that the report wrote; what a user put beside it is not among them."""
        return {name for name in self.files if _OURS.fullmatch(name)}
