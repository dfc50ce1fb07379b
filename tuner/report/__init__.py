"""The report: a pure function of ledger and predictions, made of sections."""

from __future__ import annotations

from collections.abc import Callable

from tuner.analysis.findings import Findings
from tuner.contents.sections import Report, Section
from tuner.report.budget import budget
from tuner.report.cards import cards_section
from tuner.report.choice import published_protocol_note
from tuner.report.claims import claims_section
from tuner.report.class_pairs import class_pairs_section, retrainings_section
from tuner.report.classes import confusion_section, f1_section, roc_section
from tuner.report.comparison import comparison_section, margins_table, selection_section
from tuner.report.convergence import convergence_section
from tuner.report.curves import curves_section
from tuner.report.ensemble import ensemble_section
from tuner.report.firstlayer import first_layer_section
from tuner.report.front import front_section
from tuner.report.images import samples_section
from tuner.report.importance import importance_section
from tuner.report.imported import imported_section, imported_verdict
from tuner.report.lookalikes import lookalikes_section
from tuner.report.luck import luck_section
from tuner.report.mistakes import mistakes_section
from tuner.report.network import network_section
from tuner.report.operating_points import operating_points_section
from tuner.report.pivot import pivot_section
from tuner.report.provenance import provenance_section
from tuner.report.published import published_section
from tuner.report.recipes import recipes_section
from tuner.report.splits import splits_section
from tuner.report.summary import verdict
from tuner.report.timing import timing_section
from tuner.report.trials import depth_section, failures_section, trials_section
from tuner.report.watched import watched_section
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing

#: Makes a section of what was found, or None where there is nothing to say.
SectionMaker = Callable[[Findings], Section | None]

#: The sections in the order of the report. A new one needs its function and a line here.
SECTIONS: tuple[SectionMaker, ...] = (
    claims_section,
    comparison_section,
    published_section,
    recipes_section,
    selection_section,
    ensemble_section,
    splits_section,
    luck_section,
    front_section,
    pivot_section,
    depth_section,
    trials_section,
    importance_section,
    convergence_section,
    curves_section,
    watched_section,
    f1_section,
    class_pairs_section,
    retrainings_section,
    roc_section,
    operating_points_section,
    confusion_section,
    lookalikes_section,
    mistakes_section,
    network_section,
    first_layer_section,
    cards_section,
    samples_section,
    failures_section,
    timing_section,
    provenance_section,
)
#: Those that imported trials have enough for, and the one that says what is missing.
OF_IMPORTED: tuple[SectionMaker, ...] = (
    imported_section,
    pivot_section,
    importance_section,
    curves_section,
    depth_section,
    trials_section,
    failures_section,
)


def report_of(findings: Findings) -> Report:
    """Return the report of a search."""
    sections = []
    makers = OF_IMPORTED if findings.imported else SECTIONS
    for number, make in enumerate(makers, start=1):
        INTERRUPTS.hear()
        with doing(f"writing the report, section {number} of {len(makers)}"):
            section = make(findings)
        if section:
            sections.append(section)
    note = published_protocol_note(findings) if findings.search.protocol == "published" else ""
    if findings.imported:
        return Report(findings.search.title, "", imported_verdict(findings), "", None, sections)
    spent = f"Budget: {budget(findings)}." if findings.search_trials else ""
    compared = margins_table(findings) if findings.chosen else None
    study = findings.search.published.name if findings.search.published else ""
    return Report(findings.search.title, note, verdict(findings), spent, compared, sections, study)
