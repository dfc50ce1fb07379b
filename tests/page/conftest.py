"""Searches for the tests of the page, and their pages taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_once import made_once
from made_up import Project
from many_trials import many_trials
from whole_page import Page, page_of

from tuner.page.shared import shared_files


@pytest.fixture
def page(project: Project) -> Page:
    return page_of(project)


#: Where the page of many trials is, below what pages share.
_OF_MANY = Path("many", "report.html")


def _make_page_of_many(reports: Path, trials: int) -> None:
    """Write the page of a search of so many trials, and what pages share."""
    path = reports / _OF_MANY
    path.parent.mkdir(parents=True)
    for file, text in shared_files().items():
        (reports / file).write_text(text, encoding="utf-8")
    page = page_of(many_trials(reports, trials))
    path.write_text(page.text, encoding="utf-8")
    for file, content in page.files.items():
        (path.parent / file).write_bytes(content)
    for section in page.report.sections:
        for picture in section.pictures:
            (path.parent / picture.file).write_bytes(picture.png)


@pytest.fixture(scope="session")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a search of a thousand trials; charts of so many marks are canvases, those of fewer are SVG."""
    return made_once(tmp_path_factory, "thousand", lambda made: _make_page_of_many(made, 1000)) / _OF_MANY


@pytest.fixture(scope="session")
def hundreds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a search of 250 trials, which a browser draws, and draws anew, in half the time."""
    return made_once(tmp_path_factory, "hundreds", lambda made: _make_page_of_many(made, 250)) / _OF_MANY


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from browsing import start  # which needs selenium

    driver = start(tmp_path_factory.mktemp("browser"))
    yield driver
    driver.quit()


#: Keeps the charts that nobody sees yet from being drawn meanwhile, until `window.beIdle` is called.
_BUSY = (
    "const idle = window.requestIdleCallback, waiting = [];"
    "window.requestIdleCallback = (work) => (work.name === 'drawWhenIdle' ? waiting.push(work) : idle(work));"
    "window.beIdle = () => { window.requestIdleCallback = idle; waiting.splice(0).forEach((work) => idle(work)); }"
)


def _opened(browser: Any, page: Path) -> Iterator[Any]:
    from browsing import By, until

    browser.get("about:blank")
    browser.get_log("browser")  # what the page before it complained of
    browser.get(page.as_uri())
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#trials-rows[data-filled]"))
    yield browser
    assert browser.get_log("browser") == []


@pytest.fixture
def opened(browser: Any, hundreds: Path) -> Iterator[Any]:
    """The page of 250 trials, just opened; after the test it must not have complained of anything.

    As in a browser that has no time to spare, a chart is drawn once it is near, which is half of the work.
    """
    held = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _BUSY})["identifier"]
    try:
        yield from _opened(browser, hundreds)
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": held})


@pytest.fixture
def opened_thousand(browser: Any, thousand: Path) -> Iterator[Any]:
    """The same of a thousand trials, all of whose charts are drawn before long."""
    yield from _opened(browser, thousand)
