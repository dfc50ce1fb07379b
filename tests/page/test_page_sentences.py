"""What the page's scripts say under its figures holds, and is not said where it would be false.

Skipped where no Chromium is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import RAW, Project, first
from whole_page import page_of

from tuner.datasets.base import Dataset

_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(not _BROWSER, reason="no Chromium is installed")

Build = Callable[[Path, Dataset], Project]

#: Says of everything that it has come into view: a browser without a screen may end before it says so by itself.
_ALL_IN_VIEW = """<script>
window.IntersectionObserver = class {
  constructor(report) { this.report = report; }
  observe(target) { setTimeout(() => this.report([{ isIntersecting: true, target }], this)); }
  unobserve() {}
  disconnect() {}
};
</script>"""


def search(scores: list[float], right: list[int]) -> Build:
    """Return what makes a search of one model with these scores, its first trial retrained."""

    def build(folder: Path, data: Dataset) -> Project:
        made = Project(folder, data, {**RAW, "published": {"study": "S"}, "watch": []})
        trials = made.searched("cnn", scores)
        made.retrained("cnn", trials[0], [first(count) for count in right])
        return made

    return build


def shown(made: Project) -> str:
    """Return the text of a search's page when its scripts have run."""
    path = made.workspace.runs / "page.html"
    head, found, rest = page_of(made, single_file=True).text.partition("<head>")
    assert found
    path.write_text(head + found + _ALL_IN_VIEW + rest, encoding="utf-8")  # before the page's policy on scripts
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=4000",
    ]
    command = [
        str(_BROWSER),
        *options,
        f"--user-data-dir={made.workspace.runs / 'browser'}",
        "--dump-dom",
        path.as_uri(),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    page = re.sub(r"<script\b.*?</script>|<style\b.*?</style>", "", ran.stdout, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_captions_say_what_there_is(tmp_path: Path, blobs: Dataset) -> None:
    """Both pages are opened once, since a browser takes seconds."""
    many = shown(search([0.9, 0.8, 0.7], [40, 41])(tmp_path / "many", blobs))
    one = shown(search([0.9], [45])(tmp_path / "one", blobs))
    facts = {
        "hollow ones are the other retrainings of the same configuration.": "two retrainings against one",
        "These are the best 3 trials of CNN: thick lines": "three trials against one",
        r"by its value of each parameter\. Lines join": "no importance is known",
        "that it was surest of|the surest first": "mistakes against none",
    }
    for fact in facts:
        assert re.search(fact, many), fact
        assert not re.search(fact, one), fact
    assert "the most important first" not in many, "too few trials to tell"
    assert "This is the best trial of CNN: thick lines" in one
    assert "CNN made no mistake on blobs." in one
