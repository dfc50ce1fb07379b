"""The committed example pages in a browser: nothing sticks out, nothing is cut, and in any light all can be read.

Where `TUNER_PAGE_PICTURES` names a folder, what is looked at here is written there as pictures, to be looked at by eye.
Skipped where no Chromium with its driver is installed (Debian: `apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import NEEDS_BROWSER, until

from tuner.page.shared import asset

pytestmark = NEEDS_BROWSER
EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
REPORTS = sorted(EXAMPLES.glob("*/report.html"))
PAGES = [*REPORTS, EXAMPLES / "index.html"]

#: What a reader cannot get at: what ends right of the window, and what is wider than its box that does not scroll.
_CUT = """
const seen = (one) => one.checkVisibility() && one.getBoundingClientRect().width > 1;
const scrolls = (one) => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX);
const inside = (one) => one !== null && (scrolls(one) || inside(one.parentElement));
const found = [];
const every = ['table', 'figure', 'img', '.chart', 'p', 'pre', '.scroll', 'td', 'th'].map((kind) => `main ${kind}`);
for (const one of document.querySelectorAll(['h1', ...every].join())) {
  if (!seen(one)) continue;
  const outside = one.getBoundingClientRect().right > window.innerWidth + 1 && !inside(one.parentElement);
  const cut = getComputedStyle(one).overflowX === 'hidden' && one.scrollWidth > one.clientWidth + 1;
  if (outside || cut) found.push(`${one.tagName}.${one.className}: ${one.textContent.slice(0, 60)}`);
}
return [document.documentElement.scrollWidth, found];
"""


#: Of these every width and light is looked at: many models and trials, photographs, and the list of all.
LOOKED_AT = (EXAMPLES / "fashion_ann_vs_cnn" / "report.html", EXAMPLES / "trash_photos" / "report.html", PAGES[-1])
WIDTHS = (1440, 1024, 390)
LIGHTS = ("light", "dark")
#: Texts whose colour differs too little from what is behind them, each with how far it does.
_PALE = """
const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
const backs = new Map([[null, ['white']]]);
const behind = (one) => {
  if (!backs.has(one)) {
    const colour = getComputedStyle(one).backgroundColor;
    const under = behind(one.parentElement);
    backs.set(one, colour === 'rgba(0, 0, 0, 0)' ? under : [...under, colour]);
  }
  return backs.get(one);
};
const light = (colours) => {
  for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
  const linear = [...pen.getImageData(0, 0, 1, 1).data].map((byte) => {
    const c = byte / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const known = new Set();
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const one = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !one.checkVisibility() || one.closest('[disabled], .none, svg')) continue;
  const [under, over] = [behind(one), getComputedStyle(one).color];
  const both = [...under, over].join();
  if (!known.has(both)) {
    const [a, b] = [light(under), light([...under, over])];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    known.add(both);
    const text = walker.currentNode.data.slice(0, 60);
    if (contrast < 4.5) found.push(`${contrast.toFixed(1)} ${one.tagName}.${one.className}: ${text}`);
  }
}
return found;
"""


@pytest.fixture
def seen(browser: Any) -> Iterator[Any]:
    """A browser whose window may have any width, and any light; after the test they are as they were."""
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def window(browser: Any, width: int, light: str = "light", height: int = 900) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": light}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def open_page(browser: Any, path: Path) -> None:
    browser.get(path.as_uri())
    if path.name == "report.html":
        until(browser, lambda: browser.execute_script("return document.documentElement.dataset.ready"))
        browser.execute_script("document.querySelectorAll('details').forEach((one) => (one.open = true))")


def as_today(browser: Any) -> None:
    """Give a page, which may have been made some time ago, the style of today."""
    script = (
        "document.querySelectorAll('link[rel=stylesheet]').forEach((one) => one.remove());"
        "document.querySelector('style').textContent = arguments[0]"
    )
    browser.execute_script(script, asset("page.css"))


@pytest.mark.parametrize("path", LOOKED_AT, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("width", WIDTHS)
def test_in_any_light_nothing_is_cut_and_all_can_be_read(seen: Any, path: Path, width: int) -> None:
    window(seen, width)
    open_page(seen, path)
    as_today(seen)
    for light in LIGHTS:
        window(seen, width, light)
        dark = seen.execute_script("return getComputedStyle(document.documentElement).colorScheme")
        assert dark == light
        reaches, cut = seen.execute_script(_CUT)
        assert cut == [], light
        assert reaches <= width
        assert seen.execute_script(_PALE) == [], light
        narrow = "return [...document.querySelectorAll('.heat tbody th, #claims td')].map((one) => one.offsetWidth)"
        assert all(found >= 72 for found in seen.execute_script(narrow)), "no word of usual length is broken"
        if folder := os.environ.get("TUNER_PAGE_PICTURES"):
            pictures(seen, Path(folder), f"{path.parent.name}-{width}-{light}", width, light)


def pictures(browser: Any, folder: Path, name: str, width: int, light: str) -> None:
    """Write pictures of a page, top down, each of a piece of it with its charts."""
    height = 3000
    window(browser, width, light, height)
    browser.execute_script("document.querySelectorAll('details').forEach((one) => (one.open = false))")
    drawn = (
        "return [...document.querySelectorAll('.chart')].every((one) => one.dataset.drawn || "
        "!one.checkVisibility() || one.getBoundingClientRect().top > innerHeight)"
    )
    folder.mkdir(parents=True, exist_ok=True)
    top, piece = 0, 1
    while top < browser.execute_script("return document.documentElement.scrollHeight"):
        browser.execute_script("scrollTo({ top: arguments[0], behavior: 'instant' })", top)
        until(browser, lambda: browser.execute_script(drawn))
        browser.save_screenshot(str(folder / f"{name}-{piece}.png"))
        top, piece = top + height - 60, piece + 1  # below the links that stay at the top
    window(browser, width, light)


#: Of what is wider than its box: how wide both are.
_WIDER = """
const boxes = [...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility());
return boxes.map((one) => [one.scrollWidth, one.clientWidth]).filter(([all, seen]) => all > seen);
"""


#: Lets a page do what a change of its window asks for, which it does a moment later.
_SETTLED = "const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 250)"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_of_an_example_page_nothing_is_cut_and_no_table_is_while_the_margins_lie_empty(seen: Any, path: Path) -> None:
    """A page is opened once, since to draw it takes most of the time; then its window becomes wider.

    Pages that are opened at every width are those of `test_in_any_light_nothing_is_cut_and_all_can_be_read`.
    """
    for width in (1024, 1440):
        window(seen, width)
        if width == 1024:
            open_page(seen, path)
        else:
            seen.execute_async_script(_SETTLED)
        reaches, cut = seen.execute_script(_CUT)
        assert cut == [], width
        assert reaches <= width
    if path not in REPORTS:
        return
    as_today(seen)
    assert [wide for wide, _ in seen.execute_script(_WIDER, "section > .scroll, section > details > .scroll")] == []
    seen.execute_script("document.getElementById('trials-rows').scrollIntoView()")
    until(seen, lambda: seen.execute_script("return document.getElementById('trials-rows').rows.length > 1"))
    for wide, shown in seen.execute_script(_WIDER, "[data-figure=trials-table] .scroll"):
        assert wide > shown >= 1300, "it takes all of the window"


def test_a_table_grows_to_the_right_and_then_to_the_left_and_what_is_beside_it_stays(seen: Any, tmp_path: Path) -> None:
    widths = [500, 1200, 1300, 1376, 1600]
    tables = "".join(f'<div class="scroll"><table><td style="min-width:{width}px">x</table></div>' for width in widths)
    page = tmp_path / "page.html"
    style = f"<!doctype html><style>{asset('page.css')}</style>"
    page.write_text(f"{style}<main><section><p>x</p>{tables}</section></main>")
    for width in (1440, 1920):
        window(seen, width)
        seen.get(page.as_uri())
        left = seen.execute_script("return document.querySelector('p').getBoundingClientRect().left")
        boxes = seen.execute_script(
            "return [...document.querySelectorAll('.scroll')].map((one) => one.getBoundingClientRect())"
            ".map(({ left, right }) => [left, right])"
        )
        most = seen.execute_script("return document.documentElement.clientWidth") - 8
        assert [box[0] for box in boxes[:2]] == [left, left]
        for (begins, ends), wide in zip(boxes, widths, strict=True):
            assert begins >= 8
            assert ends <= most
            assert ends - begins == pytest.approx(min(wide, width - 64), abs=1)
            assert begins <= left
        if width == 1920:
            assert boxes[3][0] == left


def test_what_is_cut_would_be_seen(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    wide = '<td style="min-width:2000px">wide</td>'
    page.write_text(
        f'<main><div style="overflow-x:auto"><table id="scrolls"><tr>{wide}</tr></table></div>'
        f'<table id="sticks-out"><tr>{wide}</tr></table>'
        '<p style="overflow:hidden;width:50px;white-space:nowrap">a text that is longer than its box</p></main>'
    )
    browser.get(page.as_uri())
    _, cut = browser.execute_script(_CUT)
    assert [one.partition(".")[0] for one in cut] == ["TABLE", "TD", "P"]
