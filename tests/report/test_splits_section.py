"""What the report says of models over several splits of all images, and how further splits are recorded."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first

from tuner.analysis.findings import Findings, load_findings
from tuner.analysis.splits import over_splits
from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.protocol import resplit
from tuner.report.comparison import comparison_section
from tuner.report.markdown import to_markdown
from tuner.report.splits import splits_section
from tuner.workspace import recorded_search


def made(folder: Path, data: Dataset, splits: int, right: dict[str, list[int]]) -> Project:
    """Return a project whose models have so many test images right in each split that has finished, twice each."""
    raw = {**RAW, "compare": {"splits": splits}}
    project = Project(folder, data, raw)
    for number, counts in enumerate(zip(*right.values(), strict=True), start=1):
        one = copy.copy(project)
        one.data, one.search = resplit(data, number), project.search.at_split(number)
        save_to_store(one.data, project.workspace.store)
        if number > 1:
            project.ledger.open_search(one.search.name, one.search.key, one.search.to_json())
        for model, count in zip(right, counts, strict=True):
            trials = one.searched(model, [0.5, 0.6 + 0.1 * number])
            one.retrained(model, trials[1], [first(count - 1), first(count + 1)])
        project.ledger.close_search(one.search.name)
    return project


def found(project: Project) -> Findings:
    return load_findings(project.ledger, project.search, project.workspace)


def said(findings: Findings) -> str:
    section = splits_section(findings)
    return "" if section is None else to_markdown(section.contents)


RIGHT = {"ann": [30, 31, 32], "cnn": [36, 40, 35]}


def test_models_are_compared_over_splits_by_their_means_in_each(tmp_path: Path, blobs: Dataset) -> None:
    findings = found(made(tmp_path, blobs, 3, RIGHT))
    assert [one.search.name for one in findings.further] == ["small#2", "small#3"]
    splits = over_splits(findings, "blobs")
    assert splits is not None
    assert splits.means == pytest.approx(np.array([[30, 36], [31, 40], [32, 35]]) / 45)
    assert (splits.tested, splits.trained) == (45, 60)  # 60 by --train-size
    (pair,) = splits.pairs()
    assert (pair.better, pair.worse) == ("CNN", "ANN")
    # t = 6 / (3 sqrt(1/3 + 45/60)) = 1.9215 with 2 degrees: p = 1 - t / sqrt(2 + t^2) = 0.1946
    assert pair.p == pytest.approx(0.1946, abs=1e-4)
    section = splits_section(findings)
    assert section is not None
    assert section.heading == "Over 3 splits of all images"
    text = said(findings)
    assert "divided 3 times, so that 60 train a network and 45 test it" in text
    assert "Over 3 splits of all images of blobs, CNN is not shown to beat ANN" in text
    assert "1/3 + 45/60, with 2 degrees of freedom" in text
    assert "| CNN − ANN |" in text
    assert "+0.1333" in text
    assert to_markdown(splits_section(findings).contents) == text
    compared = comparison_section(findings)
    assert compared is not None
    assert "stands under *Over 3 splits of all images*." in to_markdown(compared.contents)
    assert "stands under" not in to_markdown(comparison_section(replace(findings, further=())).contents)
    frame = section.tables["splits.csv"]
    assert frame["split"].tolist() == [1, 1, 2, 2, 3, 3]
    assert frame["search_score"].tolist() == pytest.approx([0.7, 0.7, 0.8, 0.8, 0.9, 0.9])


def test_a_difference_that_holds_in_every_split_is_called_real(tmp_path: Path, blobs: Dataset) -> None:
    findings = found(made(tmp_path, blobs, 4, {"ann": [20, 21, 20, 21], "cnn": [40, 40, 41, 40]}))
    assert "**Over 4 splits of all images of blobs, CNN beats ANN**" in said(findings)


def test_splits_to_come_are_counted_and_those_of_another_search_file_are_not_taken(
    tmp_path: Path, blobs: Dataset
) -> None:
    project = made(tmp_path, blobs, 3, {name: counts[:2] for name, counts in RIGHT.items()})
    assert "2 of 3 splits have finished" in said(found(project))
    other = replace(project.search.at_split(2), raw={**project.search.raw, "title": "other"})
    project.ledger.open_search("small#2", "another key", other.to_json())
    project.ledger.close_search("small#2")
    findings = found(project)
    assert findings.further == ()
    assert "1 of 3 splits have finished" in said(findings)


def test_a_search_without_splits_says_nothing_of_them(tmp_path: Path, blobs: Dataset) -> None:
    project = Project(tmp_path, blobs)
    project.searched("ann", [0.5, 0.6])
    assert splits_section(project.findings()) is None


def test_a_further_split_is_recorded_and_read_under_a_name_that_no_search_file_has(
    tmp_path: Path, blobs: Dataset
) -> None:
    project = made(tmp_path, blobs, 2, {name: counts[:2] for name, counts in RIGHT.items()})
    one = recorded_search(project.ledger, "small#2")
    assert (one.name, one.split, one.splits) == ("small#2", 2, 2)
    assert one.file == project.search.file
    assert one.key == project.search.key
    assert said(load_findings(project.ledger, one, project.workspace)) == ""
