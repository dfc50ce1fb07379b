"""A page taken apart, for the tests of pages."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pandas as pd
from made_up import Project

from tuner.contents.sections import Report
from tuner.page import report_page
from tuner.report import report_of

#: A picture of one grey pixel.
DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")


@dataclass
class Page(HTMLParser):
    """A page: its text as written, its elements, its visible text, its blocks of data and its scripts.

    `files` are those that its scripts need beside it.
    """

    text: str
    report: Report
    files: Mapping[str, bytes] = field(default_factory=dict)
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    shown: str = ""
    blocks: dict[str, Any] = field(default_factory=dict)
    scripts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.within, self.held = "", ""
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag == "script" and "src" not in given:
            self.within = given.get("id") or "script"
        elif tag == "style":
            self.within = "style"

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("script", "style"):
            return
        if not self.within:
            return
        if self.within == "script":
            self.scripts.append(self.held)
        elif self.within != "style":
            self.blocks[self.within] = json.loads(self.held)
        self.within, self.held = "", ""

    def handle_data(self, data: str) -> None:
        if self.within:
            self.held += data
        else:
            self.shown += data

    @property
    def headings(self) -> list[str]:
        return re.findall(r"<h2[^>]*>(.*?)</h2>", self.text)

    def table(self, name: str) -> pd.DataFrame:
        return self.report.tables[name]


def page_of(project: Project, single_file: bool = False) -> Page:
    """Return the page of a project; each picture that it holds is a dot, since drawing takes seconds."""
    findings = project.findings()
    report = report_of(findings)
    for picture in (picture for section in report.sections for picture in section.pictures):
        vars(picture)["png"] = DOT
    made = report_page(findings, report, single_file)
    return Page(made.html.decode(), report, made.files)
