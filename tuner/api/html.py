"""What a notebook shows of a search and of what was found: the report's own words and tables, as HTML."""

from __future__ import annotations

from tuner.analysis.findings import Findings
from tuner.errors import InputError
from tuner.page.markdown import to_html
from tuner.report.base import escape, table
from tuner.report.budget import budget, smaller_budget
from tuner.report.choice import published_note
from tuner.report.comparison import margins_table
from tuner.report.summary import verdict
from tuner.search_file.model import ModelSearch, Search


def search_html(search: Search) -> str:
    """Return the models of a search with the sizes of their spaces, its data sets and its budget."""
    rows = [[escape(e.label), e.algorithm.name, _varied(e), _trials(e), str(e.epochs)] for e in search.model_searches]
    on = escape(", ".join(search.datasets))
    compared = f", compared on {escape(', '.join(search.compare))}" if search.compare else ""
    times = "once" if search.repeats == 1 else f"{search.repeats} times"
    protocol = "" if search.protocol == "holdout" else f"; {search.protocol} protocol"
    text = (
        f"**{escape(search.title)}**\n\nOn {on}{compared}; each winner is retrained {times}{protocol}"
        f"{smaller_budget(search)}.\n\n"
    )
    return to_html(text + table(rows, ["model", "algorithm", "varied", "trials on a data set", "epochs"], 3))


def _trials(model_search: ModelSearch) -> str:
    """Return how many search trials a model search has, or at most has."""
    try:
        return f"{'' if model_search.is_counted else '≤ '}{model_search.planned():,}"
    except InputError:  # a rule that cannot be computed; who runs the search is told
        return "?"


def _varied(model_search: ModelSearch) -> str:
    names = model_search.space.varying()
    return escape(", ".join(names)) or "nothing"


def findings_html(findings: Findings) -> str:
    """Return the verdict of a search in words, the table that compares its models, and its budget."""
    parts = [f"**{escape(findings.search.title)}**"]
    if findings.search.protocol == "published":
        parts.append(published_note(findings))
    parts += verdict(findings)
    if findings.chosen:
        parts.append(margins_table(findings))
    if findings.search_trials:
        parts.append(f"Budget: {budget(findings)}.")
    return to_html("\n\n".join(parts))
