"""A project of two models for the tests of reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up import Project, first

from tuner.datasets.base import Dataset


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset) -> Project:
    made = Project(tmp_path, blobs)
    ann = made.searched("ann", [0.5, 0.6])
    cnn = made.searched("cnn", [0.7, 0.8, None, 0.9, 0.85, 0.6])
    made.retrained("ann", ann[1], [first(30), first(31)])
    made.retrained("cnn", cnn[3], [first(43), first(44)])
    return made
