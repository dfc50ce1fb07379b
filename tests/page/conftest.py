"""Searches for the tests of the page, and their pages taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up import Project
from many_trials import many_trials
from whole_page import Page, page_of

from tuner.page.render import LIBRARY, plotting_library


@pytest.fixture
def page(project: Project) -> Page:
    return page_of(project)


@pytest.fixture(scope="session")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a search of a thousand trials, below its plotting library; takes some seconds."""
    reports = tmp_path_factory.mktemp("thousand")
    (reports / LIBRARY).write_text(plotting_library(), encoding="utf-8")
    path = reports / "many" / "report.html"
    path.parent.mkdir()
    page = page_of(many_trials(reports))
    path.write_text(page.text, encoding="utf-8")
    for section in page.report.sections:
        for picture in section.pictures:
            (path.parent / picture.file).write_bytes(picture.png)
    return path
