"""Which smaller trial is within one standard error of the best, where trials are scored by other than accuracy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project
from written import words

from tuner.datasets.base import Dataset
from tuner.objective import objective_of
from tuner.protocol import validation_labels
from tuner.report.trials import trials_section

SMALLER = (
    "The smallest trial within one standard error of the best has 100 parameters in place of 900 and scored {score}: "
    "dense_units 4 (trial"
)


def project_of(folder: Path, data: Dataset, objective: str, scores: list[float], **raw: object) -> Project:
    """Return a project with a small trial and a large one, which answered wrongly to every third validation image."""
    made = Project(folder, data, {**RAW, "objective": objective, **raw})
    answers = [np.arange(12) % 3 > 0] * 2
    made.searched("ann", scores, answers=answers, parameters=[100, 900])
    return made


@pytest.mark.parametrize(
    ("objective", "best", "near", "far"), [("macro_f1", 0.70, 0.68, 0.30), ("log_loss", 0.60, 0.65, 2.50)]
)
def test_it_is_named_whichever_way_the_objective_goes(
    objective: str, best: float, near: float, far: float, tmp_path: Path, blobs: Dataset
) -> None:
    made = project_of(tmp_path / "near", blobs, objective, [near, best])
    text = words(trials_section(made.findings()))
    assert SMALLER.format(score=f"{near:.4f}") in text
    made.ledger.close()
    text = words(trials_section(project_of(tmp_path / "far", blobs, objective, [far, best]).findings()))
    assert "No smaller trial is within one standard error of the best." in text


def test_the_standard_error_is_that_of_a_draw_of_the_validation_images(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs, "log_loss", [0.65, 0.60])
    findings = made.findings()
    labels = validation_labels(findings.trials("ann")[0].trial, blobs)
    right = np.arange(12) % 3 > 0
    # Keras' log loss of 0.8 where it is right and of 0.1 where it is not: the sd of a mean over twelve of these.
    losses = -np.log(np.where(right, 0.8, 0.1))
    assert len(labels) == 12
    expected = float(losses.std(ddof=0) / np.sqrt(12))
    text = words(trials_section(findings))
    told = float(text.split("The standard error of the best score, ")[1].split(",")[0])
    assert told == pytest.approx(expected, rel=0.15)
    assert objective_of("log_loss").direction == "min"


def test_without_answers_and_by_accuracy_nothing_is_said(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path / "lost", blobs, {**RAW, "objective": "macro_f1"})
    made.searched("ann", [0.68, 0.70], parameters=[100, 900])
    assert "standard error" not in words(trials_section(made.findings()))
    made.ledger.close()
    made = project_of(tmp_path / "accuracy", blobs, "accuracy", [0.66, 0.67])
    assert "standard error" not in words(trials_section(made.findings()))
