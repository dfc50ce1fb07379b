"""The committed example pages in a browser: on a wide and on a narrow window nothing sticks out, and nothing is cut.

Skipped where no Chromium with its driver is installed (Debian: `apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browsing import NEEDS_BROWSER, until

pytestmark = NEEDS_BROWSER
EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
PAGES = sorted([*EXAMPLES.glob("*/report.html"), EXAMPLES / "index.html"])

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


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_of_an_example_page_nothing_is_cut(browser: Any, path: Path) -> None:
    for width in (1440, 1024):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        browser.get(path.as_uri())
        if path.name == "report.html":
            until(browser, lambda: browser.execute_script("return document.documentElement.dataset.ready"))
            browser.execute_script("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        reaches, cut = browser.execute_script(_CUT)
        assert cut == [], width
        assert reaches <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


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
