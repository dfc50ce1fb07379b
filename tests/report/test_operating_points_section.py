"""The section on thresholds: what stands in its table, for which classes there is one, and where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import RAW, Project, first
from written import words

from tuner.analysis.ensemble import EnsembleChoice, Member
from tuner.analysis.operating_points import classes_of_interest, points_of
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.report.operating_points import operating_points_section
from tuner.running.dryrun import check_objective

#: Of 60 training images a fifth.
IMAGES = 12
REST = {name: part for name, part in RAW.items() if name not in ("published", "report")}


def project_of(folder: Path, data: Dataset, images: int = IMAGES, **raw: Any) -> Project:
    """Return a project whose ANN had all validation images right, and 40 of 45 test images."""
    made = Project(folder, data, {**REST, **raw})
    ann = made.searched("ann", [0.8, 0.7], answers=[first(images, images), first(2, images)])
    made.retrained("ann", ann[0], [first(40), first(41)])
    return made


def two_classes(data: Dataset, of_first: int) -> Dataset:
    """Return images of two classes, of which the training set has so many of the first in 120."""
    labels = (np.arange(120) % 120 >= of_first).astype(np.int64)
    return replace(data, y_train=labels, y_test=data.y_test % 2, class_names=("sick", "well"))


def test_each_rule_is_a_row_with_what_comes_of_it_on_the_test_images(tmp_path: Path, blobs: Dataset) -> None:
    section = operating_points_section(project_of(tmp_path, blobs, report={"thresholds": ["top"]}).findings())
    assert section is not None
    text = words(section)
    assert "Thresholds of top on blobs:" in text
    assert "Each is chosen by what the search's best trial answered to its validation images" in text
    assert "the saved model was trained after that" in text
    assert "All of them, with the images they count: [operating_points.csv]" in text
    lines = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("| ANN")]
    rows = [[cell.strip() for cell in line] for line in lines]
    assert [row[1] for row in rows] == [
        "0.5",
        "highest F1",
        "recall of at least 0.95",
        "precision of at least 0.95",
    ]
    # Of the 5 test images that are wrong, one is of "top" and two are taken for it: 14 of 16, and 14 of 15.
    assert rows[1][2:] == [
        "0.450",
        "1.000",
        "1.000",
        "0.875 (0.640 to 0.965)",
        "0.933 (0.702 to 0.988)",
        "0.067",
    ]
    frame = section.tables["operating_points.csv"]
    assert frame[["hits_test", "misses_test", "false_alarms_test", "rejections_test"]].to_numpy().tolist() == (
        [[14, 1, 2, 28]] * 4
    )


def test_an_ensemble_is_cut_where_its_members_together_would_be(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs, report={"thresholds": ["top"]})
    findings = made.findings()
    (ann,) = findings.chosen
    best, other = (record for record in findings.trials("ann"))
    if best is not ann.winner:
        best, other = other, best
    members = (Member("ann", best, 1, 0.8), Member("ann", other, 3, 0.7))
    choice = EnsembleChoice("blobs", members, 0.9, 0.8, 2)
    together = points_of(
        findings, replace(ann, winner=None, ensemble=choice), findings.data("blobs").class_names.index("top")
    )
    wanted = findings.chosen_on_images(best.trial) == findings.data("blobs").class_names.index("top")
    # The second had two of twelve right, and counts three times: what it says is what they say together.
    right = first(2, IMAGES)
    assert together[0].validation.hits == int((wanted & right).sum())
    alone = points_of(findings, ann, findings.data("blobs").class_names.index("top"))
    assert alone[0].validation.hits == int(wanted.sum())
    assert together[0].test == alone[0].test
    elsewhere = replace(choice, dataset="others")  # an ensemble that is only compared on this data set
    assert points_of(findings, replace(ann, winner=None, ensemble=elsewhere), 0) == []


def test_of_three_classes_none_is_told_unless_it_is_named(tmp_path: Path, blobs: Dataset) -> None:
    assert operating_points_section(project_of(tmp_path, blobs).findings()) is None


@pytest.mark.parametrize(("of_first", "expected"), [(40, "sick"), (80, "well"), (60, "well")])
def test_of_two_classes_it_is_the_rarer_one(tmp_path: Path, blobs: Dataset, of_first: int, expected: str) -> None:
    findings = project_of(tmp_path, two_classes(blobs, of_first)).findings()
    assert [findings.data("blobs").class_names[label] for label in classes_of_interest(findings, "blobs")] == [expected]


def test_or_the_one_that_trials_are_chosen_by(tmp_path: Path, blobs: Dataset) -> None:
    findings = project_of(tmp_path, two_classes(blobs, 40), objective="recall:well").findings()
    assert classes_of_interest(findings, "blobs") == [1]


@pytest.mark.parametrize("how", ["lost", "published"])
def test_where_nothing_tells_what_the_trial_answered_there_is_none(tmp_path: Path, blobs: Dataset, how: str) -> None:
    raw = {"report": {"thresholds": ["top"]}}
    if how == "published":
        made = project_of(tmp_path, blobs, 45, protocol="published", **raw)
    else:
        made = project_of(tmp_path, blobs, **raw)
        for file in made.workspace.artifacts.glob("*.validation.npz"):
            file.unlink()
    assert operating_points_section(made.findings()) is None


def test_a_class_that_a_data_set_has_not_is_refused(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs, report={"thresholds": ["topp"]})
    with pytest.raises(InputError, match=r"\[report\] thresholds: 'topp' is no class of blobs; .*top"):
        check_objective(made.search, "blobs", blobs.class_names)
