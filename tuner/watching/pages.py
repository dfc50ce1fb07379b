"""The page of a search that is watched: that of its report, of what is recorded now, and a first part that is alive."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from html import escape
from importlib.resources import files

from tuner.analysis.findings import Findings
from tuner.analysis.recorded import load_findings
from tuner.contents.sections import Report
from tuner.errors import InputError, TunerError
from tuner.ledger.read_only import ReadOnlyLedger
from tuner.page import report_page
from tuner.page.render import Live
from tuner.report import report_of
from tuner.report.cards import card_json, card_name
from tuner.report.markdown import report_markdown
from tuner.text import visible_line
from tuner.untrusted.sizes import MOST_MODEL, read_at_most
from tuner.watching.feed import Feed
from tuner.workspace import Workspace, recorded_search


@dataclass(frozen=True)
class Page:
    """A page as it was made at a moment, `html`, and what makes the files that it links to, by their names."""

    html: bytes
    files: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)


class Pages:
    """Makes the page of a search, anew where more is recorded than the last one shows.

    Args:
        name: of the search.
        workspace: where it reads.
        feed: knows how much is recorded.
        control: whether the page has buttons that ask something of the run.
    """

    def __init__(self, name: str, workspace: Workspace, feed: Feed, control: bool = False) -> None:
        self._control = control
        self._name, self._workspace, self._feed = name, workspace, feed
        self._made: tuple[tuple[object, ...], Page] | None = None
        self._lock = threading.Lock()  # what draws is of one thread at a time

    def page(self) -> Page:
        """Return the page of what is recorded now."""
        told = self._feed.told
        key = (told.epoch, len(told.rows), told.state["what"] == "finished")
        with self._lock:
            if self._made is None or self._made[0] != key:
                self._made = key, self._make(len(told.rows))
            return self._made[1]

    def file(self, name: str) -> bytes | None:
        """Return a file that the last page links to; None where it links to none of this name."""
        with self._lock:
            make = self._made[1].files.get(name) if self._made else None
            return make() if make else None

    def _make(self, rows: int) -> Page:
        problem = ""
        if rows:
            try:
                findings = self._findings()
                report = report_of(findings)
                made = report_page(findings, report, live=self._live(rows, findings.finished))
                return Page(made.html, _files(findings, report, made.files))
            except TunerError as error:  # such as predictions that are missing
                problem = visible_line(error)
        search = self._feed.search
        if search is None:
            raise InputError(self._name, "has no search file, and is recorded no longer", "run: tuner list")
        nothing = Findings(search, (), (), self._workspace, finished=False)
        report = Report(search.title, "", [], "", None, [])
        return Page(report_page(nothing, report, live=self._live(rows, False, problem)).html)

    def _live(self, rows: int, finished: bool, problem: str = "") -> Live:
        """Return the part of the page that is alive; `rows` are those that the figures below are of."""
        given = json.dumps({"rows": rows, "finished": finished, "control": self._control})
        note = f'<p class="note">The report cannot be shown: {escape(problem)}</p>' if problem else ""
        body = f'{note}<div id="live-part" data-shown="{escape(given)}"></div>'
        return Live(("live", "Live", f"{body}\n{_WITHOUT}"), _asset("live.css"), _asset("form.js") + _asset("live.js"))

    def _findings(self) -> Findings:
        """Return what is recorded; before the search has finished nothing of the test images."""
        with ReadOnlyLedger(self._workspace.ledger) as ledger:
            findings = load_findings(ledger, recorded_search(ledger, self._name), self._workspace)
        if findings.finished:
            return findings
        searched = tuple(pair for pair in findings.search_trials if pair[0].role == "search")
        return replace(findings, search_trials=searched, chosen=(), further=())


def _files(findings: Findings, report: Report, of_page: Mapping[str, bytes]) -> dict[str, Callable[[], bytes]]:
    found: dict[str, Callable[[], bytes]] = {"report.md": lambda: report_markdown(report).encode()}
    found |= {name: (lambda content=content: content) for name, content in of_page.items()}  # type: ignore[misc]
    for section in report.sections:
        found |= {one.file: (lambda one=one: one.png) for one in section.pictures}  # type: ignore[misc]
    for name, frame in report.tables.items():
        found[name] = lambda frame=frame: frame.to_csv(index=False).encode()  # type: ignore[misc]
    for chosen in findings.chosen:
        found[chosen.file_name] = lambda chosen=chosen: read_at_most(chosen.artifact, MOST_MODEL)  # type: ignore[misc]
        found[card_name(chosen)] = lambda chosen=chosen: card_json(findings, chosen).encode()  # type: ignore[misc]
    return found


_WITHOUT = '<noscript><p class="note">What is alive on this page needs scripts; what is below does not.</p></noscript>'


@cache
def _asset(name: str) -> str:
    return files("tuner.watching").joinpath("assets", name).read_text(encoding="utf-8")
