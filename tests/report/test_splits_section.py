"""What the report says of models over several splits of all images, and how further splits are recorded."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from made_up import RAW, Project, first

from tuner.analysis.findings import Findings
from tuner.analysis.recorded import load_findings
from tuner.analysis.splits import over_splits
from tuner.cli import app
from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.errors import InputError
from tuner.protocol import resplit
from tuner.publish.write import write_report
from tuner.report.comparison import comparison_section, margins_table
from tuner.report.markdown import to_markdown
from tuner.report.splits import splits_section
from tuner.report.summary import verdict
from tuner.saved_models.verify import verify
from tuner.workspace import recorded_search


def made(
    folder: Path, data: Dataset, splits: int, right: dict[str, list[int]], given: dict[str, Any] | None = None
) -> Project:
    """Return a project whose models have so many test images right in each split that has finished, twice each."""
    raw = given or {**RAW, "compare": {"splits": splits}}
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
        if number > 1 or splits == number:
            project.ledger.close_search(one.search.name)
    if len(next(iter(right.values()))) == splits:
        project.ledger.close_search(project.search.name)
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
    assert "Over 3 splits of all images of blobs, **CNN is not shown to beat ANN**: it is 13.3 points" in text
    assert "1/3 + 45/60, with 2 degrees of freedom" in text
    assert "| CNN − ANN |" in text
    row = next(line for line in text.splitlines() if line.startswith("| CNN − ANN"))
    # of 45 images 3 sqrt(1/3 + 45/60) times t(0.975, 2) = 4.3027 would have been shown, an interval of -16.5 to 43.2
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        "+0.1333", "−0.1652 to +0.4319", "0.195", "no", "0.2986", "cannot tell", "3 of 3",
    ]  # fmt: skip
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
    assert "Over 4 splits of all images of blobs, **CNN beats ANN by 43.9 points**" in said(findings)


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
    assert "None of 3 splits has finished" in said(findings)


def test_the_verdict_of_the_first_split_says_so_and_that_over_all_stands_beside_it(
    tmp_path: Path, blobs: Dataset
) -> None:
    findings = found(made(tmp_path, blobs, 3, RIGHT))
    first_split, over_all = verdict(findings)
    assert first_split.startswith("Split 1 of 3, the data set's own, alone: On blobs, **CNN beats ANN by 13.3 points**")
    # mean 13.3 of the differences 13.3, 20.0 and 6.7 of 45 images; t(0.975, 2) = 4.3027 times 3/45 sqrt(1/3 + 45/60)
    assert over_all.startswith("Over 3 splits of all images of blobs, **CNN is not shown to beat ANN**")
    assert "it is 13.3 points of test accuracy ahead (95 % interval −16.5 to 43.2; p = 0.195)" in over_all
    assert margins_table(findings).heads[0] == "mean test accuracy ± sd, split 1 of 3"


def test_before_a_split_has_finished_none_is_counted(tmp_path: Path, blobs: Dataset) -> None:
    project = Project(tmp_path, blobs, {**RAW, "compare": {"splits": 2}})
    trials = project.searched("ann", [0.5, 0.6])
    project.retrained("ann", trials[1], [first(30)])
    assert "None of 2 splits has finished" in said(found(project))
    last = verdict(found(project))[-1]
    assert last == "This search is unfinished: none of 2 splits has finished. The next run goes on with it."
    second = project.search.at_split(2)
    project.ledger.open_search(second.name, second.key, second.to_json())
    assert "1 of 2 splits has finished" in said(found(project))


def test_a_further_split_has_no_report_of_its_own_and_says_what_to_do(tmp_path: Path, blobs: Dataset) -> None:
    (_, further) = (findings := found(made(tmp_path, blobs, 3, RIGHT))), findings.further[0]
    assert verdict(further)[0].startswith("Split 2 of 3 alone: On blobs,")
    for command, does in (("report", write_report), ("verify", verify)):
        with pytest.raises(InputError) as refused:
            does(further)  # type: ignore[operator]
        told = f"small#2: is split 2 of 3 of small, which has one report for all; run: tuner {command} small"
        assert str(refused.value) == told
    assert not (tmp_path / "reports" / "small#2").exists()


def test_trials_of_all_splits_are_listed(tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['title = "B"', 'dataset = "blobs"', "[training]", "epochs = 3", "[[search]]", 'family = "ann"']
    text = "\n".join([*lines, "[search.space]", "dense_units = [4, 8]", "[compare]", "splits = 3"])
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches" / "small.toml").write_text(text)
    project = made(tmp_path, blobs, 3, {"ann": [30, 31]}, tomllib.loads(text))
    monkeypatch.chdir(tmp_path)
    listed = CliRunner().invoke(app, ["list"]).output.splitlines()[1]
    assert listed.split()[3:5] == ["6", "4"]
    project.ledger.close_search("small")
    assert CliRunner().invoke(app, ["list"]).output.splitlines()[1].split()[3:5] == ["4", "4"]


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
