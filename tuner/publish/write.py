"""The folder of a report, a pure function of ledger and predictions. Writing it twice gives the same bytes."""

from __future__ import annotations

from pathlib import Path

from tuner.analysis.findings import Findings
from tuner.page import report_page
from tuner.page.render import LIBRARY, plotting_library
from tuner.publish.index import write_index
from tuner.publish.summary import SUMMARY, Summary
from tuner.report import report_of
from tuner.report.cards import card_json, card_name
from tuner.report.markdown import report_markdown
from tuner.system.files import check_no_link, folder_inside, remove_partials, write_whole
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.untrusted.sizes import MOST_MODEL, read_at_most
from tuner.workspace import check_has_report, written_into


def write_report(findings: Findings, single_file: bool = False) -> Path:
    """Write `report.md` and `report.html` with tables, pictures and models, and the index above them.

    Return the path of `report.md`. Files of an earlier report that this one does not have are removed. The page's
    plotting library is written above it, once for all reports; with `single_file`, the page holds it.

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
    for section in report.sections:
        INTERRUPTS.hear()  # what draws may have swallowed one
        with doing(f"drawing {section.heading}"):
            content |= {picture.file: picture.png for picture in section.pictures}
    content |= {name: frame.to_csv(index=False).encode() for name, frame in report.tables.items()}
    for chosen in findings.chosen:
        content[chosen.file_name] = read_at_most(chosen.artifact, MOST_MODEL)
        content[card_name(chosen)] = card_json(findings, chosen).encode()
    content[SUMMARY] = Summary.of(report, content).to_json()
    content["report.md"] = report_markdown(report).encode()
    with doing("writing the page report.html"):
        content["report.html"] = report_page(findings, report, single_file)
    with written_into(folder):
        folder_inside(findings.workspace.reports, findings.search.name)
        for place in (folder, findings.workspace.reports):
            remove_partials(place)
        for name in Summary.read(folder).own_files - set(content):
            (folder / name).unlink(missing_ok=True)
        for name, data in content.items():
            write_whole(folder / name, lambda path, data=data: path.write_bytes(data))  # type: ignore[misc]
        if not single_file:
            write_whole(findings.workspace.reports / LIBRARY, lambda path: path.write_text(plotting_library(), "utf-8"))
        write_index(findings.workspace.reports)
    return folder / "report.md"
