"""The report: a pure function of ledger and predictions. Writing it twice gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tuner.errors import InputError, lacking
from tuner.files import check_no_link, folder_inside, remove_partials, write_whole
from tuner.findings import Findings
from tuner.report.base import Section, SectionMaker, escape, png
from tuner.report.budget import budget
from tuner.report.cards import card_json, card_name, cards_section
from tuner.report.choice import published_note
from tuner.report.classes import confusion_section, f1_section, roc_section
from tuner.report.comparison import comparison_section, selection_section
from tuner.report.convergence import convergence_section
from tuner.report.curves import curves_section
from tuner.report.doubts import doubts_on
from tuner.report.firstlayer import first_layer_section
from tuner.report.images import samples_section
from tuner.report.importance import importance_section
from tuner.report.index import write_index
from tuner.report.lookalikes import lookalikes_section
from tuner.report.mistakes import mistakes_section
from tuner.report.network import network_section
from tuner.report.pivot import pivot_section
from tuner.report.provenance import provenance_section
from tuner.report.published import published_section
from tuner.report.saving import warnings_on
from tuner.report.style import report_style
from tuner.report.timing import timing_section
from tuner.report.trials import depth_section, failures_section, trials_section
from tuner.report.verdicts import verdict_on
from tuner.report.watched import watched_section
from tuner.search import Entry
from tuner.shortfall import planned_shortfall, shortfall
from tuner.untrusted.sizes import MOST_MODEL, MOST_REPORT, read_at_most
from tuner.waiting import doing

#: The sections in the order of the report. A new one needs its function and a line here.
SECTIONS: tuple[SectionMaker, ...] = (
    comparison_section,
    selection_section,
    published_section,
    pivot_section,
    importance_section,
    convergence_section,
    curves_section,
    watched_section,
    f1_section,
    roc_section,
    confusion_section,
    lookalikes_section,
    mistakes_section,
    network_section,
    first_layer_section,
    cards_section,
    depth_section,
    trials_section,
    samples_section,
    failures_section,
    timing_section,
    provenance_section,
)


def write_report(findings: Findings) -> Path:
    """Write `report.md` and `report.html` with tables, pictures and models, and the index above them.

    Return the path of `report.md`. Files of an earlier report that this one does not have are removed.

    Raises:
        InputError: the folder cannot be written.
        ResourceError: the disk is full.
    """
    from tuner.page import report_page  # which is made of this report's sections

    folder = findings.places.reports / findings.search.name
    check_no_link(folder)
    sections: list[Section] = []
    content: dict[str, bytes] = {}
    with report_style():
        for number, make in enumerate(SECTIONS, start=1):
            with doing(f"writing the report, section {number} of {len(SECTIONS)}"):
                section = make(findings)
            if section:
                sections.append(section)
        for section in sections:
            with doing(f"drawing {section.heading}"):
                content |= {name: png(figure) for name, figure in section.figures.items()}
                content |= {name: frame.to_csv(index=False).encode() for name, frame in section.tables.items()}
    for chosen in findings.chosen:
        content[chosen.file_name] = read_at_most(chosen.artifact, MOST_MODEL)
        content[card_name(chosen)] = card_json(findings, chosen).encode()
    content["report.md"] = _markdown(findings, sections).encode()
    with doing("writing the page report.html"):
        content["report.html"] = report_page(findings, sections)
    try:
        folder_inside(findings.places.reports, findings.search.name)
        for place in (folder, findings.places.reports):
            remove_partials(place)
        for name in _files_of(folder / "report.md") - set(content):
            (folder / name).unlink(missing_ok=True)
        for name, data in content.items():
            write_whole(folder / name, lambda path, data=data: path.write_bytes(data))  # type: ignore[misc]
        write_index(findings.places.reports)
    except OSError as error:
        remedy = "pass another --reports-dir, or see who may write there"
        raise lacking(error, str(folder)) or InputError(
            str(error.filename or folder), f"cannot be written ({error.strerror})", remedy
        ) from error
    return folder / "report.md"


def verdict(findings: Findings) -> list[str]:
    """Return which model is best, a statement per data set; in front of each what makes it worth little."""
    lines = [
        line
        for dataset in findings.datasets
        for line in (*doubts_on(findings, dataset), verdict_on(findings, dataset), *warnings_on(findings, dataset))
    ]
    if not findings.finished:
        done = len(findings.members)
        trials = "1 of its trials is" if done == 1 else f"{done} of its trials are"
        return [*lines, f"This search is unfinished: {trials} recorded. The next run goes on with it."]
    if not lines:
        below = "; the failed trials stand below" if findings.failed else ""
        done = sum(record.completed for _, record in findings.members)
        what = "No retraining" if done else "No trial"
        return [f"{what} completed, so that there is nothing to compare{below}."]
    for dataset in findings.search.compare or findings.search.datasets:
        there = {chosen.model for chosen in findings.on(dataset)}
        missing = [entry for entry in findings.search.entries if entry.name not in there]
        if missing:
            names = escape(", ".join(entry.label for entry in missing))
            below = "; see the failed trials below" if _failed(findings, dataset, missing) else ""
            lines.append(f"On {escape(dataset)}, no completed model of {names}{below}.")
    return [*lines, *_shortfalls(findings)]


def _shortfalls(findings: Findings) -> list[str]:
    """Return a sentence on each model that had fewer trials than the search file asks for."""
    lines = {}
    for entry in findings.search.entries:
        for dataset in findings.search.datasets:
            trials = findings.trials(entry.name, dataset)
            sentence = shortfall(entry, len(trials), sum(not record.completed for record in trials))
            if sentence:
                lines[sentence] = None if sentence == planned_shortfall(entry) else dataset
    return [escape(text if dataset is None else f"On {dataset}, {text}") for text, dataset in lines.items()]


def _failed(findings: Findings, dataset: str, entries: Sequence[Entry]) -> bool:
    """Return whether trials of these entries failed that could have led to a model on a data set."""
    names, where = {entry.name for entry in entries}, (dataset, findings.search.chosen_on(dataset))
    return any(member.model in names and member.dataset in where for member, _ in findings.failed)


def _markdown(findings: Findings, sections: list[Section]) -> str:
    search = findings.search
    parts = [f"# {escape(search.title)}"]
    if search.protocol == "published":
        parts.append(published_note(findings))
    parts += verdict(findings)
    parts.append(f"Budget: {budget(findings)}." if findings.members else "")
    shown = [
        *(["every trial"] if findings.trials() else []),
        *(["the whole confusion matrices"] if findings.chosen else []),
    ]
    with_what = f", with {' and '.join(shown)}" if shown else ""
    parts.append(f"A page to explore{with_what}: [report.html](report.html).")
    parts += [f"## {section.heading}\n\n{section.markdown}" for section in sections]
    return "\n\n".join(part for part in parts if part) + "\n"


def _files_of(report: Path) -> set[str]:
    """Return the files that an earlier report refers to; what a user put beside it is not among them."""
    try:
        text = read_at_most(report, MOST_REPORT).decode("utf-8")
    except (InputError, UnicodeDecodeError):
        return set()
    names = set(re.findall(r"\]\(([A-Za-z0-9._-]+\.(?:png|csv|keras))\)", text))
    return names | {Path(name).with_suffix(".json").name for name in names if name.endswith(".keras")}
