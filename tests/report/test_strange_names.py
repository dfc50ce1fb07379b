"""A report on data, classes and texts that somebody named to do harm: it shows them, and does nothing else."""

from __future__ import annotations

import copy
import html
import json
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from made_up import RAW, Project, first
from markdown_it import MarkdownIt
from whole_page import Page

from tuner.datasets.base import Dataset, checked_dataset
from tuner.page.shared import shared_files, style_file
from tuner.publish.write import write_report
from tuner.report.across import compare_searches
from tuner.report.markdown import to_markdown

EVIL = "../../e|v`i`l $x_{1}$ <script>alert(1)</script> ![i](http://e.example/x.png) </details> www.e.example \x1b[2J"
CLASSES = ("-rf | <b>`x`", "$a^2$ ~~b~~ http://e.example\n# head", "日本 " + "n" * 300)
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Project:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {"y_train": np.arange(120) % 3, "y_test": np.arange(45) % 3}
    arrays |= {f"x_{s}": rng.integers(0, 255, (len(arrays[f"y_{s}"]), 8, 8), dtype=np.uint8) for s in ("train", "test")}
    data: Dataset = checked_dataset("blobs", arrays, CLASSES, EVIL)
    raw: dict[str, Any] = copy.deepcopy(RAW)
    raw |= {"title": f"# {EVIL}", "dataset": EVIL}
    raw["published"]["study"] = EVIL
    for score in raw["published"]["scores"]:
        score |= {"dataset": EVIL, "why": EVIL}
    for trial in raw["published"]["trials"]:
        trial["why"] = EVIL
    made = Project(tmp_path_factory.mktemp("strange"), data, raw)
    ann = made.searched("ann", [0.5, 0.6], EVIL)
    cnn = made.searched("cnn", [0.7, 0.8, None, 0.9, 0.85, 0.6], EVIL)
    made.retrained("ann", ann[1], [first(30), first(31)], EVIL)
    made.retrained("cnn", cnn[3], [first(43), first(44)], EVIL)
    with warnings.catch_warnings(action="error"):  # of letters without a picture, of layouts that do not fit
        write_report(made.findings())
    return made


def folder_of(project: Project) -> Path:
    return project.workspace.reports / "small"


def test_everything_is_written_into_the_folder_of_the_report(strange: Project) -> None:
    top = strange.workspace.reports.parent
    outside = {path.name for path in strange.workspace.reports.rglob("*") if path.is_file()}
    assert {path.name for path in top.iterdir()} == {"runs", "reports"}
    beside = {path.name for path in strange.workspace.reports.iterdir()}
    assert beside == {"small", "README.md", "index.html", *shared_files()}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in outside)
    assert max(map(len, outside)) < 150


@pytest.mark.parametrize("name", ["small/report.md", "README.md"])
def test_nothing_of_a_stranger_s_becomes_markup(strange: Project, name: str) -> None:
    text = (strange.workspace.reports / name).read_text(encoding="utf-8")
    assert "\x1b" not in text
    rendered = MARKDOWN.render(text)
    for own in ("tuner run NAME", "tuner verify small", "matters", "[report]"):  # of the index, of cards and comparison
        rendered = rendered.replace(f"<code>{own}</code>", "")
    tags = set(re.findall(r"<([a-zA-Z0-9!?-]+)", rendered))
    tables = {"table", "thead", "tbody", "tr", "th", "td"}
    plain = tables | {
        "h1",
        "h2",
        "p",
        "a",
        "img",
        "em",
        "strong",
        "ul",
        "li",
        "details",
        "summary",
        "blockquote",
        "code",
    }
    assert tags <= plain, tags - plain
    links = set(re.findall(r'(?:href|src)="([^"]*)"', rendered))
    files = {
        path.relative_to((strange.workspace.reports / name).parent).as_posix() for path in folder_of(strange).iterdir()
    }
    assert links <= {*files, "#time"}  # the report's own section
    shown = html.unescape(re.sub(r"<[^>]*>", "", rendered))
    for line in (EVIL.replace("\x1b", r"\x1b"), "95 % interval"):
        assert line in shown


def test_no_text_of_a_stranger_s_becomes_markup_or_script_in_the_page(strange: Project) -> None:
    page = Page((folder_of(strange) / "report.html").read_text(encoding="utf-8"), {})
    assert "\x1b" not in page.text
    table = {"table", "caption", "thead", "tbody", "tr", "th", "td", "div"}
    text = {"h1", "h2", "h3", "p", "a", "em", "strong", "code", "ul", "li", "details", "summary", "br"}
    frame = {"html", "head", "meta", "title", "link", "style", "body", "header", "nav", "main", "section", "footer"}
    tags = {tag for tag, _ in page.elements}
    picture = {"figure", "img", "figcaption"}
    assert tags <= table | text | frame | picture | {"button", "noscript", "script", "aside"}
    assert [given.get("id") for tag, given in page.elements if tag == "script"] == [
        "report",
        "images",
        "timing",
        None,
        None,
        None,
    ]
    assert not [name for _, given in page.elements for name in given if name.startswith("on")]
    links = {given["href"] or "" for _, given in page.elements if "href" in given}
    files = {path.name for path in folder_of(strange).iterdir()}
    anchors = {f"#{given['id']}" for _, given in page.elements if "id" in given}
    assert links <= files | anchors | {"data:,", "../index.html", f"../{style_file()}"}
    assert {given["src"] for tag, given in page.elements if tag == "img"} <= {quote(name) for name in files}
    for line in (EVIL.replace("\x1b", r"\x1b"), CLASSES[0]):
        assert line in page.shown


def test_the_data_of_the_page_end_no_script_and_hold_the_names_as_they_are(strange: Project) -> None:
    text = (folder_of(strange) / "report.html").read_text(encoding="utf-8")
    blocks = re.findall(r'<script type="application/json" id="\w+">(.*?)</script>', text, re.DOTALL)
    assert len(blocks) == 3
    assert not [char for block in blocks for char in "<>&\u2028\u2029" if char in block]
    data = Page(text, {}).blocks["report"]
    assert data["chosen"][0]["classes"] == list(strange.data.class_names)
    assert data["chosen"][0]["dataset"] == EVIL.replace("\x1b", r"\x1b")


def test_every_row_of_a_table_has_as_many_cells_as_its_head(strange: Project) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", (folder_of(strange) / "report.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(tables) > 8
    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table[:200]


def test_long_names_are_cut_in_pictures_and_whole_in_tables(strange: Project) -> None:
    from PIL import Image

    for picture in folder_of(strange).glob("*.png"):
        with Image.open(picture) as image:
            assert max(image.size) < 4000, picture.name
    assert "n" * 300 in (folder_of(strange) / "report.md").read_text(encoding="utf-8")


def test_the_card_beside_a_model_is_json_with_the_names(strange: Project) -> None:
    (card,) = folder_of(strange).glob("cnn-*.json")
    found = json.loads(card.read_text(encoding="utf-8"))
    assert found["class_names"] == list(strange.data.class_names)
    assert found["dataset"] == EVIL


def test_a_comparison_has_no_markup_of_a_stranger_s(strange: Project) -> None:
    rendered = MARKDOWN.render(to_markdown(compare_searches([strange.findings()])))
    assert set(re.findall(r"<([a-z0-9]+)", rendered)) == {"table", "thead", "tbody", "tr", "th", "td", "p", "em"}
    assert set(re.findall(r"<em>([^<]*)</em>", rendered)) == {"least to be shown", "matters", "Retrainings ahead"}


@pytest.mark.usefixtures("undrawn")
def test_a_report_of_another_program_s_beside_ours_is_listed_by_its_name_alone(strange: Project) -> None:
    beside = strange.workspace.reports / "other (x)"
    beside.mkdir()
    (beside / "report.md").write_bytes(b"\xff\xfe")
    write_report(replace(strange.findings(), finished=True))
    _, *parts = (strange.workspace.reports / "README.md").read_text(encoding="utf-8").split("\n## ")
    (other,) = [part for part in parts if "other (x)" in part]
    assert other.strip() == "[other (x)](other%20%28x%29/report.md)"
