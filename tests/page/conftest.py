"""Searches for the tests of the page, and their pages taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up import Project
from many_trials import many_trials
from whole_page import Page, page_of

from tuner.page.shared import shared_files


@pytest.fixture
def page(project: Project) -> Page:
    return page_of(project)


@pytest.fixture(scope="session")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a search of a thousand trials, below what pages share; takes some seconds."""
    reports = tmp_path_factory.mktemp("thousand")
    for name, text in shared_files().items():
        (reports / name).write_text(text, encoding="utf-8")
    path = reports / "many" / "report.html"
    path.parent.mkdir()
    page = page_of(many_trials(reports))
    path.write_text(page.text, encoding="utf-8")
    for name, content in page.files.items():
        (path.parent / name).write_bytes(content)
    for section in page.report.sections:
        for picture in section.pictures:
            (path.parent / picture.file).write_bytes(picture.png)
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from browsing import start  # which needs selenium

    driver = start(tmp_path_factory.mktemp("browser"))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Any, thousand: Path) -> Iterator[Any]:
    """The page of a thousand trials, just opened; after the test it must not have complained of anything."""
    from browsing import By, until

    browser.get("about:blank")
    browser.get_log("browser")  # what the page before it complained of
    browser.get(thousand.as_uri())
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#trials-rows[data-filled]"))
    yield browser
    assert browser.get_log("browser") == []
