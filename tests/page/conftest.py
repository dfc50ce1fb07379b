"""Searches for the tests of the page, and their pages taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up import Project, first
from many_trials import many_trials
from whole_page import Page, page_of

from tuner.datasets.base import Dataset


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset) -> Project:
    made = Project(tmp_path, blobs)
    ann = made.searched("ann", [0.5, 0.6])
    cnn = made.searched("cnn", [0.7, 0.8, None, 0.9, 0.85, 0.6])
    made.retrained("ann", ann[1], [first(30), first(31)])
    made.retrained("cnn", cnn[3], [first(43), first(44)])
    return made


@pytest.fixture
def page(project: Project) -> Page:
    return page_of(project)


@pytest.fixture(scope="session")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a search of a thousand trials, beside nothing else; takes some seconds."""
    folder = tmp_path_factory.mktemp("thousand")
    path = folder / "report.html"
    path.write_text(page_of(many_trials(folder)).text, encoding="utf-8")
    return path
