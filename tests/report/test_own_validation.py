"""What a report says of a data set: validation images of its own, copies across its split, files that were left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from made_up import RAW, Project, first
from written import words

from tuner.datasets.base import Dataset
from tuner.report.budget import budget
from tuner.report.cards import card_json
from tuner.report.images import samples_section
from tuner.report.provenance import provenance_section


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


def test_files_that_were_left_out_are_listed_with_what_each_is(tmp_path: Path, blobs: Dataset) -> None:
    bad = tuple((f"ant/{n}*.png", "is a broken image") for n in range(23))
    _, provenance, _ = said(project_of(tmp_path, replace(blobs, left_out=bad)))
    assert r"23 files that cannot be used: ant/0\*.png: is a broken image; " in provenance
    assert "and 3 more" in provenance
