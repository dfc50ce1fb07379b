"""A page taken apart, for the tests of pages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pandas as pd
from made_up import Project

from tuner.contents.sections import Section
from tuner.figures.style import report_style
from tuner.page import report_page
from tuner.report import SECTIONS
from tuner.report.firstlayer import first_layer_section
from tuner.report.images import samples_section
from tuner.report.network import network_section

#: Sections that only draw pictures, which no page shows, and take their time.
_PICTURES = (samples_section, network_section, first_layer_section)


@dataclass
class Page(HTMLParser):
    """A page: its text as written, its elements, its visible text, its blocks of data and its scripts."""

    text: str
    sections: Mapping[str, Section]
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
        (found,) = [s.tables[name] for s in self.sections.values() if name in s.tables]
        return found


def page_of(project: Project, single_file: bool = False) -> Page:
    findings = project.findings()
    with report_style():
        made = [section for make in SECTIONS if make not in _PICTURES and (section := make(findings))]
    return Page(report_page(findings, made, single_file).decode(), {section.key: section for section in made})
