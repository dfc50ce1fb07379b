"""What a notebook shows of a search and of what was found."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_up import RAW, Project, first

import tuner
from tuner.analysis.findings import Findings
from tuner.datasets.base import Dataset
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides

ODD = {**RAW, "title": "<script>alert(1)</script> **bold** [link](javascript:x)"}


def search(raw: dict[str, object], **overrides: int) -> Search:
    return parse_search(raw, "small", Path(), Overrides(**overrides), "0" * 16)


def shown(value: Search | Findings) -> str:
    """What a notebook asks a value for, once a function of `import tuner` has been used."""
    assert tuner.load_search
    return str(value._repr_html_())  # type: ignore[union-attr]


def cells(html: str) -> list[list[str]]:
    """Return the table of a representation, which must be well-formed."""
    tree = ElementTree.fromstring(f"<div>{html}</div>")  # noqa: S314
    return [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]


def test_a_search_shows_models_spaces_data_sets_and_budget() -> None:
    html = shown(search(RAW, epochs=2))
    head, ann, cnn = cells(html)
    assert head == ["model", "algorithm", "varied", "trials on a data set", "epochs"]
    assert ann == ["ANN", "grid", "dense_units", "2", "2"]
    assert cnn == ["CNN", "grid", "conv_depth, filters_1, filters_2", "6", "2"]
    assert "On blobs; each winner is retrained 2 times; set on the command line: --epochs 2." in html


def test_a_search_whose_rule_cannot_be_computed_is_shown_all_the_same() -> None:
    entry = {"family": "ann", "space": {"dense_units": [8, 4]}, "rules": {"where": ["1 / (dense_units - 4) > 0"]}}
    odd = {**RAW, "search": [entry], "report": {}, "published": {"study": "x"}, "watch": []}
    assert cells(shown(search(odd)))[1][3] == "?"


def test_findings_show_the_verdict_the_comparison_and_the_budget(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    assert "This search is unfinished" in made_unfinished(made)
    ann, cnn = made.searched("ann", [0.6])[0], made.searched("cnn", [0.9])[0]
    made.retrained("ann", ann, [first(30), first(31)])
    made.retrained("cnn", cnn, [first(43), first(44)])
    findings = made.findings()
    html = shown(findings)
    assert "<strong>CNN beats ANN by 28.9 points</strong>" in html
    assert ["CNN", "0.9667 ± 0.0157", "0.00"] in cells(html)
    assert "Budget: 3 epochs, 60 training images" in html
    assert repr(findings) == "<Findings of 'small': 6 trials, finished>"
    assert repr(findings.search) == "<Search 'small': ANN, CNN on blobs>"


def made_unfinished(made: Project) -> str:
    from tuner.analysis.recorded import load_findings

    return shown(load_findings(made.ledger, made.search, made.workspace))


def test_text_of_a_search_file_is_text(tmp_path: Path, blobs: Dataset) -> None:
    for html in (shown(search(ODD)), shown(Project(tmp_path, blobs, ODD).findings())):
        assert "<script" not in html
        assert "<a " not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt; **bold**" in html


@pytest.mark.parametrize("protocol", ["holdout", "published"])
def test_a_choice_on_the_test_set_is_said_on_top(protocol: str, tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, {**RAW, "protocol": protocol})
    assert ("Published protocol." in shown(made.findings())) is (protocol == "published")
