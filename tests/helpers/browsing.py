"""A real browser for the tests of the page, and what they read of a page that it shows."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

from selenium.common.exceptions import (  # noqa: E402  # which may be missing
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402  # which may be missing
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

__all__ = [
    "NEEDS_BROWSER", "ActionChains", "By", "Keys", "column", "count", "option", "pixels_of", "shown", "sort_by",
    "start", "until", "worked",
]  # fmt: skip
_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_DRIVER = shutil.which("chromedriver")
NEEDS_BROWSER = pytest.mark.skipif(
    not (_BROWSER and _DRIVER), reason="no Chromium with its driver is installed (chromium, chromium-driver)"
)
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--window-size=1280,900",
)  # fmt: skip


def start(folder: Path) -> Any:
    """Return a browser that keeps what it needs in a folder and notes what pages complain of; `quit` ends it."""
    options = webdriver.ChromeOptions()
    options.binary_location = _BROWSER
    for option in (*_OPTIONS, f"--user-data-dir={folder}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for left in (2, 1, 0):  # a busy machine may need longer than the driver waits
        try:
            return webdriver.Chrome(options=options, service=webdriver.ChromeService(_DRIVER))
        except WebDriverException:
            if not left:
                raise
    raise AssertionError


def until(browser: Any, holds: Callable[[], object]) -> None:
    """Wait until something holds of a page, parts of which may be made anew meanwhile."""
    waiting = WebDriverWait(browser, 300, poll_frequency=0.05, ignored_exceptions=(StaleElementReferenceException,))
    waiting.until(lambda _: holds())


def shown(browser: Any, selector: str) -> Any:
    """Return an element that has been scrolled to and, if it is a chart, drawn."""
    element = browser.find_element(By.CSS_SELECTOR, selector)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    if "chart" in (element.get_attribute("class") or ""):
        until(browser, lambda: element.get_attribute("data-drawn"))
    return element


def pixels_of(element: Any) -> NDArray[np.uint8]:
    """Return an element as it is seen, `(height, width, 3)`: no script may read images that a page from disk shows."""
    with Image.open(io.BytesIO(element.screenshot_as_png)) as image:
        return np.asarray(image.convert("RGB"))


def option(browser: Any, selector: str) -> dict[str, Any]:
    """Return what a chart shows, as its library holds it."""
    found: dict[str, Any] = browser.execute_script(
        "return JSON.parse(JSON.stringify("
        "echarts.getInstanceByDom(document.querySelector(arguments[0])).getOption(), (key, value) => "
        "key === 'data' && Array.isArray(value) ? value.length : typeof value === 'function' ? null : value))",
        selector,
    )
    return found


def column(browser: Any, head: str) -> list[str]:
    """Return the cells of a column of the table of trials, as soon as it has its rows."""
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#trials-rows[data-filled]"))
    found: list[str] = browser.execute_script(
        "const heads = [...document.querySelectorAll('#trials-rows thead th')];"
        "const place = heads.findIndex((head) => head.textContent === arguments[0]);"
        "return [...document.querySelectorAll('#trials-rows tbody tr')].map((row) => row.cells[place].textContent)",
        head,
    )
    return found


def count(browser: Any) -> str:
    return str(browser.find_element(By.CSS_SELECTOR, "#trials .count").text)


def sort_by(browser: Any, head: str) -> Any:
    (button,) = [
        b for b in browser.find_elements(By.CSS_SELECTOR, "#trials-rows .sort") if b.text.split(" ")[0] == head
    ]
    button.send_keys("\n")  # as from the keyboard
    return button.find_element(By.XPATH, "..")


def worked(browser: Any) -> float:
    """Return for how many seconds of the processor the main thread of the page has worked."""
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))
