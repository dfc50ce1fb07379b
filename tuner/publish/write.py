"""The folder of a report, a pure function of ledger and predictions. Writing it twice gives the same bytes."""

from __future__ import annotations

from pathlib import Path

from tuner.analysis.findings import Findings
from tuner.errors import InputError
from tuner.page import report_page
from tuner.page.shared import is_shared_file, reference, shared_files
from tuner.publish.drawing import draw_all
from tuner.publish.index import write_index
from tuner.publish.summary import SUMMARY, Summary
from tuner.report import report_of
from tuner.report.cards import card_json, card_name
from tuner.report.markdown import report_markdown
from tuner.system.files import check_no_link, folder_inside, remove_partials, write_whole
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.untrusted.sizes import MOST_MODEL, MOST_REPORT, read_at_most
from tuner.workspace import check_has_report, written_into


def write_report(findings: Findings, single_file: bool = False) -> Path:
    """Write `report.md` and `report.html` with tables, pictures and models, and the index above them.

    Return the path of `report.md`. Files of an earlier report that this one does not have are removed. What pages
    share, their style and their scripts, is written above them, once for all reports; with `single_file`, the page
    holds it. What was written there earlier, and no page there refers to any more, is removed.

    Raises:
        InputError: the folder cannot be written; or what was found is of a further split.
        ResourceError: the disk is full.
    """
    check_has_report(findings.search, "report")
    folder = findings.workspace.reports / findings.search.name
    findings.workspace.check_report_folder(findings.search.name)
    check_no_link(folder)
    content: dict[str, bytes] = {}
    report = report_of(findings)
    pictures = []
    for section in report.sections:
        INTERRUPTS.hear()  # what reads what was found may have swallowed one
        pictures += section.pictures
    with doing("drawing the pictures"):
        draw_all(pictures)
    for section in report.sections:
        INTERRUPTS.hear()  # what draws may have swallowed one
        with doing(f"drawing {section.heading}"):
            content |= {picture.file: picture.png for picture in section.pictures}
    content |= {name: frame.to_csv(index=False).encode() for name, frame in report.tables.items()}
    for chosen in findings.chosen:
        content[chosen.file_name] = read_at_most(chosen.artifact, MOST_MODEL)
        content[card_name(chosen)] = card_json(findings, chosen).encode()
    with doing("writing the page report.html"):
        page = report_page(findings, report, single_file)
    content |= page.files
    content[SUMMARY] = Summary.of(report, content).to_json()
    content["report.md"] = report_markdown(report).encode()
    content["report.html"] = page.html
    with written_into(folder):
        folder_inside(findings.workspace.reports, findings.search.name)
        for place in (folder, findings.workspace.reports):
            remove_partials(place)
        for name in Summary.read(folder).own_files - set(content):
            (folder / name).unlink(missing_ok=True)
        for name, data in content.items():
            write_whole(folder / name, lambda path, data=data: path.write_bytes(data))  # type: ignore[misc]
        _write_shared(findings.workspace.reports, single_file)
        write_index(findings.workspace.reports)
    return folder / "report.md"


def _write_shared(reports: Path, single_file: bool) -> None:
    """Write what the pages below this folder share, and remove what none of them refers to any more.

    Nothing is removed while there is a page that cannot be read.
    """
    shared = {} if single_file else shared_files()
    for name, text in shared.items():
        write_whole(reports / name, lambda path, text=text: path.write_text(text, "utf-8"))  # type: ignore[misc]
    older = [
        path for path in reports.iterdir() if path.name not in shared and is_shared_file(path.name) and path.is_file()
    ]
    if not older:
        return
    try:
        pages = [read_at_most(path, MOST_REPORT).decode("utf-8", "replace") for path in reports.glob("*/report.html")]
    except InputError:
        return
    for path in older:
        if not any(reference(path.name) in page for page in pages):
            path.unlink(missing_ok=True)
