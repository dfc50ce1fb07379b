"""The page's tables in a browser: searched, wide, without scripts, on paper; and the table of all reports.

Skipped where no Chromium with its driver is installed (Debian: `apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import NEEDS_BROWSER, By, column, count, shown
from made_up import Project
from whole_page import page_of

from tuner.publish.index import write_index
from tuner.publish.summary import Summary

pytestmark = NEEDS_BROWSER


def look_for(browser: Any, words: str) -> int:
    field = shown(browser, "#trials input[type=search]")
    browser.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", field, words
    )
    return int(count(browser).split(" ")[0].replace(",", ""))


def test_a_number_finds_values_and_no_letters_of_a_trial_s_name(opened: Any) -> None:
    names = opened.execute_script(
        "return JSON.parse(document.getElementById('report').textContent).trials.rows.map((row) => row[0])"
    )
    assert sum("16" in name for name in names) > 5, "which would be found by their names"
    found = look_for(opened, "16")
    every = opened.execute_script("return [...document.querySelectorAll('#trials-rows th')].map((h) => h.textContent)")
    heads = [head for head in every if head.startswith("filters") or head in ("dense_units", "conv_depth")]
    shown_ones = zip(*(column(opened, head) for head in heads), strict=True)
    assert all("16" in values for values in shown_ones)
    assert 0 < found < 250
    trial = column(opened, "trial")[3]
    assert look_for(opened, trial[:8]) == 1
    assert column(opened, "trial") == [trial]


@pytest.mark.parametrize(
    ("words", "head", "holds"),
    [
        ("dropout=0.5", "dropout", lambda value: value == 0.5),
        ("dropout>0", "dropout", lambda value: value > 0),
        ("learning_rate<=1e-3", "learning_rate", lambda value: value <= 0.001),
        ("val_accuracy>=0.9", "val. accuracy", lambda value: value >= 0.9),
        ("size<10k", "size", lambda value: value < 10_000),
        ("rank<4 model=cnn", "rank", lambda value: value < 4),
    ],
)  # fmt: skip
def test_comparisons_find_the_trials_for_which_they_hold(opened: Any, words: str, head: str, holds: Any) -> None:
    found = look_for(opened, words)
    assert 0 < found < 243
    values = [float(text.replace(",", "").split(" ")[0]) for text in column(opened, head)]
    assert all(map(holds, values))
    if "model" in words:
        assert set(column(opened, "model")) == {"CNN"}
        assert found == 3
    assert look_for(opened, "no_such_thing=3") == 0


@pytest.fixture
def small(browser: Any, tmp_path: Path, project: Project) -> Iterator[Any]:
    """The page of a small search, opened where no script may run."""
    path = tmp_path / "page.html"
    path.write_text(page_of(project, single_file=True).text, encoding="utf-8")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(path.as_uri())
    yield browser
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_without_scripts_all_trials_the_matrices_and_pictures_are_there(small: Any) -> None:
    tables = {
        table.find_element(By.TAG_NAME, "caption").text: table
        for table in small.find_elements(By.CSS_SELECTOR, "noscript table")
    }
    rows = tables["Every trial of the search, the best first"].find_elements(By.CSS_SELECTOR, "tbody tr")
    assert len(rows) == 8, "two of the ANN and six of the CNN"
    assert any("it | <broke>" in row.text for row in rows)
    matrix = next(table for caption, table in tables.items() if caption.startswith("CNN on blobs: test images"))
    cells = [int(cell.text) for cell in matrix.find_elements(By.CSS_SELECTOR, "tbody td")]
    assert len(cells) == 9
    assert sum(cells) == 45
    pictures = {
        picture.get_attribute("alt")
        for picture in small.find_elements(By.CSS_SELECTOR, "noscript img")
        if picture.is_displayed()
    }
    assert any("ROC" in text for text in pictures)
    assert len(pictures) == 3, "curves, ROC and confusion, which scripts draw otherwise"
    assert "can neither be sorted nor filtered" in small.find_element(By.CSS_SELECTOR, "noscript .note").text


def test_on_paper_every_sheet_has_the_title_and_a_table_its_heads(opened: Any) -> None:
    rules = opened.execute_script(
        "return [...document.styleSheets].filter(({ href }) => !href).flatMap(({ cssRules }) => [...cssRules])"
        ".filter((rule) => rule instanceof CSSPageRule).map(({ cssText }) => cssText).join(' ')"
    )
    assert "Many trials on patterns" in rules
    assert re.search(r"counter\(page\)", rules)
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        heads = opened.execute_script(
            "return [...document.querySelectorAll('thead')].filter((head) => head.checkVisibility()).map((head) => {"
            " const { display, position } = getComputedStyle(head); return `${display} ${position}`; })"
        )
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert set(heads) == {"table-header-group static"}


def test_the_page_leads_back_to_the_table_of_all_reports(opened: Any, hundreds: Path) -> None:
    link = opened.find_element(By.LINK_TEXT, "All reports")
    assert link.get_attribute("href") == (hundreds.parent.parent / "index.html").as_uri()


def test_the_table_of_all_reports_has_studies_first_and_sorts_by_each_column(browser: Any, tmp_path: Path) -> None:
    for name, study, score, trials, day in (
        ("a", "", "0.9100 ± 0.0010", 9, "2026-03-01"),
        ("b", "Study B", "0.8000", 100, "2026-01-01"),
        ("c", "Study A", "0.9500 ± 0.0020", 20, "2026-02-01"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "report.md").touch()
        (folder / "timing.csv").write_text(f"trial,ended\nx,{day}T00:00:00+00:00\n", encoding="utf-8")
        rows = [["ANN", "0.7000"], ["CNN", score], ["*delta_model: CNN − ANN*", "+0.1000"]]
        summary = Summary(
            f"Search {name}",
            ["CNN."],
            heads=["mean test accuracy ± sd", "blobs"],
            rows=rows,
            study=study,
            trials=trials,
        )
        (folder / "summary.json").write_bytes(summary.to_json())
    write_index(tmp_path)
    browser.get_log("browser")
    browser.get((tmp_path / "index.html").as_uri())

    def rows_of() -> list[list[str]]:
        return [
            [cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")]
            for row in browser.find_elements(By.CSS_SELECTOR, "#overview tbody tr")
        ]

    assert rows_of()[0] == ["Study A", "Search c", "blobs", "CNN", "0.9500 ± 0.0020", "20", "2026-02-01"]
    assert [row[0] for row in rows_of()] == ["Study A", "Study B", ""]
    for place, wanted in ((4, "cab"), (5, "bca"), (6, "bca"), (1, "abc")):
        browser.find_elements(By.CSS_SELECTOR, "#overview .sort")[place].click()
        assert [row[1][-1] for row in rows_of()] == list(wanted), place
    browser.find_elements(By.CSS_SELECTOR, "#overview .sort")[1].click()
    assert [row[1][-1] for row in rows_of()] == list("cba")
    assert browser.get_log("browser") == []
