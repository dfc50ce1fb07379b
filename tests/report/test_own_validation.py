"""What a report says of a data set: validation images of its own, copies across its split, files that were left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from made_up import RAW, Project, first
from written import rows_of, words

from tuner.datasets.base import Dataset
from tuner.report.budget import budget
from tuner.report.cards import card_json
from tuner.report.images import samples_section
from tuner.report.leaks import leaks_in_words, leaks_table
from tuner.report.provenance import provenance_section
from tuner.report.summary import verdict


def project_of(tmp_path: Path, data: Dataset) -> Project:
    project = Project(tmp_path, data, {key: value for key, value in RAW.items() if key != "published"})
    project.search = replace(project.search, overrides=replace(project.search.overrides, train_size=None))
    project.ledger.open_search(project.search.name, project.search.key, project.search.to_json())
    project.retrained("ann", project.searched("ann", [0.5])[0], [first(30)])
    return project


def said(project: Project) -> tuple[str, str, str]:
    """Return what budget, provenance and sample images say."""
    findings = project.findings()
    samples = samples_section(findings)
    assert samples is not None
    return budget(findings), words(provenance_section(findings)), words(samples)


def test_a_validation_set_of_the_data_sets_own_is_told_as_such(tmp_path: Path, blobs: Dataset) -> None:
    project = project_of(tmp_path, replace(blobs, validation_images=30))
    in_budget, provenance, samples = said(project)
    assert "120 training images, the data set's own validation images held out during the search" in in_budget
    assert "90 training, 30 validation (the data set's own) and 45 test images" in provenance
    assert "blobs: 90 training, 30 validation (the data set's own) and 45 test images of 8x8 pixels" in samples
    findings = project.findings()
    card = json.loads(card_json(findings, findings.chosen[0]))
    assert card["data"] == {"source": "", "training_images": 120, "validation_images": 30, "test_images": 45}
    assert findings.chosen_on_images(findings.trials()[0].trial).tolist() == blobs.y_train[90:].tolist()


def test_of_other_data_sets_the_share_is_told(tmp_path: Path, blobs: Dataset) -> None:
    in_budget, provenance, samples = said(project_of(tmp_path, blobs))
    assert "120 training images, 20 % of them held out during the search" in in_budget
    for text in (provenance, samples):
        assert "120 training and 45 test images" in text
        assert "pixel by pixel" not in text
        assert "left out" not in text


def test_copies_across_the_split_are_counted(tmp_path: Path, blobs: Dataset) -> None:
    leaky = replace(blobs, x_test=np.concatenate((blobs.x_train[:2], blobs.x_test[2:])))
    _, provenance, samples = said(project_of(tmp_path, leaky))
    assert "copies in blobs" in provenance
    assert "2 of 45 test images are also training images, pixel by pixel" in provenance
    assert "Of blobs, 2 of 45 test images are also training images, pixel by pixel: scores on them" in samples


def leaking(blobs: Dataset, test: slice, training: slice) -> Dataset:
    """Return the data set with copies of training images among its test images."""
    x_test = blobs.x_test.copy()
    x_test[test] = blobs.x_train[training]
    return replace(blobs, x_test=x_test)


def test_scores_are_told_again_without_test_images_that_are_also_training_images(
    tmp_path: Path, blobs: Dataset
) -> None:
    project = Project(tmp_path, leaking(blobs, slice(2), slice(2)))
    project.retrained("ann", project.searched("ann", [0.5])[0], [first(30), first(31)])
    project.retrained("cnn", project.searched("cnn", [0.7])[0], [first(45)])
    findings = project.findings()
    # of the ANN 30 and 31 of 45 are right; the two copies are among them: 28 and 29 of 43
    assert (
        "On blobs, **2 of 45 test images are also training images**. Mean test accuracy without them: "
        "ANN 0.6628 ± 0.0164 in place of 0.6778 ± 0.0157; CNN 1.0000 in place of 1.0000." in verdict(findings)
    )
    samples = words(samples_section(findings))
    assert "on all 45 test images and on the 43 that are left without the 2 that models may have been" in samples
    assert rows_of(samples, "model") == [
        ["ANN", "0.6778 ± 0.0157", "0.6628 ± 0.0164", "−0.0150"],
        ["CNN", "1.0000", "1.0000", "0.0000"],
    ]


def test_a_copy_of_a_validation_image_is_left_out_too(tmp_path: Path, blobs: Dataset) -> None:
    leaky = replace(leaking(blobs, slice(44, 45), slice(119, 120)), validation_images=30)
    findings = project_of(tmp_path, leaky).findings()
    assert (
        "On blobs, **1 of 45 test images is also a training or validation image**. Mean test accuracy without it: "
        "ANN 0.6818 in place of 0.6667." in verdict(findings)
    )


def test_where_every_test_image_is_a_training_image_there_is_no_other_score(tmp_path: Path, blobs: Dataset) -> None:
    findings = project_of(tmp_path, leaking(blobs, slice(45), slice(45))).findings()
    assert "On blobs, **45 of 45 test images are also training images**: no other is left to score on." in verdict(
        findings
    )
    assert "| model" not in words(samples_section(findings))


def test_without_copies_nothing_of_them_is_said(tmp_path: Path, blobs: Dataset) -> None:
    findings = project_of(tmp_path, blobs).findings()
    assert leaks_in_words(findings, "blobs") == []
    assert leaks_table(findings, "blobs") is None


def test_files_that_were_left_out_are_listed_with_what_each_is(tmp_path: Path, blobs: Dataset) -> None:
    bad = tuple((f"ant/{n}*.png", "is a broken image") for n in range(23))
    _, provenance, _ = said(project_of(tmp_path, replace(blobs, left_out=bad)))
    assert r"23 files that cannot be used: ant/0\*.png: is a broken image; " in provenance
    assert "and 3 more" in provenance
