"""What a notebook shows of a search and of what was found: the report's own words and tables, as HTML."""

from __future__ import annotations

from tuner.analysis.findings import Findings
from tuner.contents.sections import Paragraph, Table
from tuner.errors import InputError
from tuner.page.html import note_html, to_html
from tuner.report.budget import budget, smaller_budget
from tuner.report.choice import published_protocol_note
from tuner.report.comparison import margins_table
from tuner.report.imported import imported_verdict
from tuner.report.summary import verdict
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.text import escape


def search_html(search: Search) -> str:
    """Return the models of a search with the sizes of their spaces, its data sets and its budget."""
    rows = [[escape(e.label), e.algorithm.name, _varied(e), _trials(e), str(e.epochs)] for e in search.model_searches]
    on = escape(", ".join(search.datasets))
    compared = f", compared on {escape(', '.join(search.compare))}" if search.compare else ""
    times = "once" if search.repeats == 1 else f"{search.repeats} times"
    protocol = "" if search.protocol == "holdout" else f"; {search.protocol} protocol"
    told = f"On {on}{compared}; each winner is retrained {times}{protocol}{smaller_budget(search)}."
    models = Table(rows, ["model", "algorithm", "varied", "trials on a data set", "epochs"], 3)
    return to_html([Paragraph(f"**{escape(search.title)}**"), Paragraph(told), models])


def _trials(model_search: ModelSearch) -> str:
    """Return how many search trials a model search has, or at most has."""
    if not model_search.is_known:
        return "?"
    try:
        return f"{'' if model_search.is_counted else '≤ '}{model_search.planned():,}"
    except InputError:  # a rule that cannot be computed; who runs the search is told
        return "?"


def _varied(model_search: ModelSearch) -> str:
    names = [*model_search.space.varying(), *(["what its build asks for"] if model_search.space.is_open else [])]
    return escape(", ".join(names)) or "nothing"


def findings_html(findings: Findings) -> str:
    """Return the verdict of a search in words, the table that compares its models, and its budget."""
    note = note_html(published_protocol_note(findings)) if findings.search.protocol == "published" else ""
    compared = [margins_table(findings)] if findings.chosen else []
    if findings.imported:
        return to_html([Paragraph(f"**{escape(findings.search.title)}**"), *map(Paragraph, imported_verdict(findings))])
    spent = [Paragraph(f"Budget: {budget(findings)}.")] if findings.search_trials else []
    title = to_html([Paragraph(f"**{escape(findings.search.title)}**")])
    return title + note + to_html([*map(Paragraph, verdict(findings)), *compared, *spent])
