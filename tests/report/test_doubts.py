"""What stands in front of a verdict: models that learned nothing, and those that were stopped at their beginning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first

from tuner.analysis.chance import chance_among
from tuner.analysis.findings import Findings
from tuner.datasets.base import Dataset
from tuner.publish.write import write_report
from tuner.report.doubts import doubts_on
from tuner.report.summary import verdict


def made(folder: Path, data: Dataset, ann: list[int], **training: object) -> Project:
    project = Project(folder, data, {**RAW, "training": {"epochs": 4, **training}})
    project.retrained("ann", project.searched("ann", [0.6])[0], [first(count) for count in ann])
    project.retrained("cnn", project.searched("cnn", [0.9])[0], [first(44), first(43)])
    return project


def stopped(findings: Findings, epoch: int, epochs: int = 4) -> Findings:
    """Return the findings with retrainings that end at an epoch."""
    changed = tuple(
        replace(
            one, finals=tuple(replace(r, trial=replace(r.trial, stop_after=epoch, epochs=epochs)) for r in one.finals)
        )
        if one.model == "ann"
        else one
        for one in findings.chosen
    )
    return replace(findings, chosen=changed)


@pytest.mark.parametrize(
    ("classes", "each", "limit"),
    [(10, 100, 0.1 + 3 * 0.0094868), (2, 500, 0.5 + 3 * 0.0158114), (2, 4, 0.875), (2, 1, 0.875), (1, 5, 1.0)],
)
def test_chance_ends_three_standard_errors_above_the_largest_class_and_short_of_all_images_right(
    classes: int, each: int, limit: float
) -> None:
    assert chance_among(np.repeat(np.arange(classes), each)) == pytest.approx(limit, abs=1e-6)


@pytest.mark.usefixtures("undrawn")
def test_a_model_at_the_share_of_the_largest_class_is_told_first(tmp_path: Path, blobs: Dataset) -> None:
    project = made(tmp_path, blobs, [15, 16])
    lines = verdict(project.findings())
    assert lines[0] == (
        "On blobs, **ANN is stuck at chance**: no better than always naming the largest class, within three standard "
        "errors (test accuracy 0.3333, 0.3556; share of that class 0.3333)."
    )
    assert "CNN" in lines[1]
    text = write_report(project.findings()).read_text(encoding="utf-8")
    assert text.split("\n\n")[1] == lines[0]
    assert lines[0] in (tmp_path / "reports" / "README.md").read_text(encoding="utf-8"), "the index tells it, too"


def test_one_retraining_of_several_at_chance_is_told_as_one(tmp_path: Path, blobs: Dataset) -> None:
    (line,) = doubts_on(made(tmp_path, blobs, [40, 15, 41]).findings(), "blobs")
    assert "**ANN was stuck at chance in 1 of 3 retrainings**" in line
    assert "(test accuracy 0.3333; share" in line


def test_a_model_that_finds_a_rare_class_has_learned_whatever_its_accuracy(tmp_path: Path, blobs: Dataset) -> None:
    # 36 of 45 images are of the first class; of the 9 others it finds 7, and takes 8 of the first for the second
    labels = np.where(np.arange(45) < 36, 0, 1)
    data = replace(blobs, y_test=labels)
    right = ~np.isin(np.arange(45), [*range(8), 43, 44])
    project = Project(tmp_path, data, {**RAW, "training": {"epochs": 4}})
    project.retrained("ann", project.searched("ann", [0.6])[0], [right, right])
    assert right.mean() < 0.8
    assert doubts_on(project.findings(), "blobs") == []


def test_models_that_learned_and_trained_on_raise_no_doubt(tmp_path: Path, blobs: Dataset) -> None:
    findings = made(tmp_path, blobs, [30, 31], early_stopping="val_loss", patience=1).findings()
    assert not doubts_on(findings, "blobs")
    assert not doubts_on(stopped(findings, 2), "blobs")


def test_early_stopping_that_chose_the_first_epoch_of_four_is_told_first(tmp_path: Path, blobs: Dataset) -> None:
    findings = stopped(made(tmp_path, blobs, [30, 31], early_stopping="val_loss", patience=1).findings(), 1)
    assert verdict(findings)[0] == (
        "On blobs, **ANN was trained for 1 epoch of 4**: early stopping chose the first epoch of its best trial, after "
        "which `val_loss` did not improve, and retrainings end there. A lower learning rate may let it learn for "
        "longer."
    )


def test_a_training_of_one_epoch_was_stopped_by_nobody(tmp_path: Path, blobs: Dataset) -> None:
    findings = made(tmp_path, blobs, [30, 31], early_stopping="val_loss", patience=1).findings()
    assert not doubts_on(stopped(findings, 1, epochs=1), "blobs")
