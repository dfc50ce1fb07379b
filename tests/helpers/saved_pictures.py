"""What a page saves as pictures, for the tests of the page."""

from __future__ import annotations

from typing import Any

from browsing import By, until

__all__ = ["KEEP", "save_buttons", "saved"]
#: Keeps what a page would save instead of saving it.
KEEP = (
    "window.saved = []; URL.createObjectURL = (blob) => { window.saved.push(blob); return 'blob:none'; };"
    "URL.revokeObjectURL = () => {}; HTMLAnchorElement.prototype.click = function () { this.dataset.clicked = 1; };"
)
#: The one kept file of a kind as text, taken apart: its faults, its heading, how many paths its charts have, and of the
#: legend the inks of the marks with their dashes, and the texts; what its charts say.
_TAKEN_APART = (
    "const done = arguments[0]; const [blob] = window.saved.filter(({ type }) => type === 'image/svg+xml');"
    "blob.text().then((text) => {"
    " const found = new DOMParser().parseFromString(text, 'image/svg+xml');"
    " const keys = [...found.querySelectorAll(':root > g > :is(path, line)')];"
    " const said = [...found.querySelectorAll('svg svg text')].map((one) => one.textContent);"
    " done({ said, faults: found.querySelectorAll('parsererror').length,"
    "  heading: found.querySelector('text').textContent,"
    "  shapes: found.querySelectorAll('svg svg :is(path, line, rect, image)').length,"
    "  inks: keys.map((key) => key.getAttribute('fill') ?? key.getAttribute('stroke')),"
    "  dashes: keys.map((key) => key.getAttribute('stroke-dasharray')),"
    "  texts: [...found.querySelectorAll(':root > g > text')].map((one) => one.textContent) }); })"
)


def saved(browser: Any, buttons: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the SVG that a button saves, taken apart, and how large the PNG of another is."""
    browser.execute_script("window.saved = []")
    for kind in ("SVG", "PNG"):
        browser.execute_script("arguments[0].click()", buttons[kind])
    until(browser, lambda: browser.execute_script("return window.saved.length") == 2)
    taken: dict[str, Any] = browser.execute_async_script(_TAKEN_APART)
    sizes = browser.execute_script("return window.saved.map(({ type, size }) => [type, size])")
    return taken, dict(sizes)["image/png"]


def save_buttons(place: Any) -> dict[str, Any]:
    return {one.text: one for one in place.find_elements(By.CSS_SELECTOR, "[aria-label=Save] button")}
