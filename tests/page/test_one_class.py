"""One class on the page: a threshold with its precision and recall, its mistakes, and two models on the same image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import NEEDS_BROWSER, By, option, shown, until
from made_up import RAW, Project, first
from whole_page import Page, page_of

from tuner.datasets.base import Dataset
from tuner.page.thresholds import THRESHOLDS, thresholds

_PLACE = "[data-figure='class']"


def choose(browser: Any, label: str, value: str) -> None:
    select = browser.find_element(By.XPATH, f"//*[@data-figure='class']//label[starts-with(., '{label}')]/select")
    browser.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))", select, value
    )


def said(browser: Any) -> str:
    return str(browser.find_element(By.CSS_SELECTOR, f"{_PLACE} .operating").text)


def move(browser: Any, threshold: float) -> None:
    browser.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))",
        browser.find_element(By.CSS_SELECTOR, f"{_PLACE} input[type=range]"),
        THRESHOLDS.index(threshold),
    )


def test_counts_at_each_threshold_are_those_of_the_probabilities(project: Project) -> None:
    (chosen, *_) = project.findings().chosen
    predictions = chosen.predictions
    for label, of, right, wrong in thresholds(chosen):
        mine = predictions.labels == label
        probability = predictions.probabilities[:, label].astype(np.float64)
        assert of == mine.sum()
        assert right == [int((mine & (probability >= level)).sum()) for level in THRESHOLDS]
        assert wrong == [int((~mine & (probability >= level)).sum()) for level in THRESHOLDS]


def test_each_shown_image_has_what_every_model_says_of_it(page: Page, project: Project) -> None:
    images = page.blocks["images"]
    by_model = {chosen.model: chosen for chosen in project.findings().chosen}
    for dataset, model, _true, predicted, some in images["cells"]:
        sheet = images["sheets"][dataset]
        assert set(sheet["said"]) == set(by_model)
        for place, confidence in some:
            answer = sheet["said"][model][place]
            assert answer == [predicted, round(100 * confidence)]
    lengths = {len(answers) for answers in images["sheets"]["blobs"]["said"].values()}
    assert len(lengths) == 1


@NEEDS_BROWSER
def test_a_threshold_that_is_moved_shows_its_precision_and_recall(opened: Any) -> None:
    shown(opened, "#one-class")
    choose(opened, "Class", "three")
    found = opened.execute_script(
        "const report = JSON.parse(document.getElementById('report').textContent);"
        "const cnn = report.chosen.find(({ model }) => model === 'cnn');"
        "return cnn.thresholds.find(([label]) => cnn.classes[label] === 'three')"
    )
    _, of, right, wrong = found
    texts = []
    for threshold in (0.0001, 0.5, 0.9):
        move(opened, threshold)
        k = THRESHOLDS.index(threshold)
        text = said(opened)
        assert text.startswith(f"CNN, three: from a probability of {threshold} on")
        assert f"recall {right[k] / of:.4f}" in text
        if right[k] + wrong[k]:
            assert f"precision {right[k] / (right[k] + wrong[k]):.4f}" in text
        texts.append(text)
    assert len(set(texts)) == 3
    move(opened, 0.5)
    marks = [one for one in option(opened, "#one-class")["series"] if one["type"] == "scatter"]
    assert len(marks) == 2, "one of each model"
    choose(opened, "Curve", "roc")
    until(opened, lambda: option(opened, "#one-class")["xAxis"][0]["name"] == "false positive rate")
    found = option(opened, "#one-class")
    assert (found["xAxis"][0]["type"], found["xAxis"][0]["min"]) == ("log", pytest.approx(0.5 / 600))
    assert not [one for one in found["series"] if one.get("silent")]
    choose(opened, "Axis", "linear")
    found = option(opened, "#one-class")
    assert (found["xAxis"][0]["type"], found["xAxis"][0]["min"]) == ("value", 0)
    assert len([one for one in found["series"] if one.get("silent")]) == 1, "what guessing gives"
    shown(opened, "#roc")
    assert option(opened, "#roc")["xAxis"][0]["type"] == "value", "one switch for either panel"
    until(opened, lambda: "label=three" in opened.execute_script("return location.hash"))


def _marked(browser: Any) -> dict[tuple[int, int], bool]:
    """Return by row and column of the confusion matrix, headings among them, whether it is marked."""
    found: list[tuple[int, int, bool]] = browser.execute_script(
        "return [...document.querySelectorAll('#confusion .matrix :is(th, td)')].map((cell) =>"
        " [cell.parentNode.rowIndex, cell.cellIndex, cell.classList.contains('of-class')])"
    )
    return {(row, column): marked for row, column, marked in found}


@NEEDS_BROWSER
def test_one_choice_of_a_class_drives_curves_matrix_tables_and_images(opened: Any) -> None:
    shown(opened, "#one-class")
    choose(opened, "Class", "seven")
    roc = opened.find_element(By.XPATH, "//*[@data-figure='roc']//label[starts-with(., 'Curves of')]/select")
    assert roc.get_attribute("value") == "seven"
    assert {place for place, marked in _marked(opened).items() if marked} == {
        (a, b) for a in range(11) for b in range(11) if 8 in (a, b)
    }, "its row and its column, below and beside the headings"
    (row,) = opened.find_elements(By.CSS_SELECTOR, ".heat .of-class")
    assert row.find_element(By.TAG_NAME, "th").get_attribute("textContent") == "seven"
    assert "seven" in opened.find_element(By.CSS_SELECTOR, "#confusion [aria-pressed=true]").get_attribute("title")
    heads = opened.find_elements(By.CSS_SELECTOR, f"{_PLACE} .one-class tbody th")
    assert heads
    assert all("taken for" in head.text for head in heads)
    shown(opened, f"{_PLACE} .album")
    until(opened, lambda: opened.find_elements(By.CSS_SELECTOR, f"{_PLACE} canvas[data-drawn]"))
    every = [tile.text for tile in opened.find_elements(By.CSS_SELECTOR, f"{_PLACE} .tile")]
    assert all("seven" in text for text in every)
    assert all("ANN: " in text for text in every), "what the other model says of the same image"
    button = opened.find_element(By.CSS_SELECTOR, f"{_PLACE} .one-class button")
    words, number = button.text, int(button.find_element(By.XPATH, "../following-sibling::td").text)
    opened.execute_script("arguments[0].click()", button)
    few = [tile.text for tile in opened.find_elements(By.CSS_SELECTOR, f"{_PLACE} .tile")]
    assert len(few) == min(number, 24)
    start = "seven → " if words.startswith("taken for") else f"{words.split(' ')[0]} → seven"
    assert all(text.startswith(start) for text in few)
    choose(opened, "Model", "ann")
    assert _marked(opened)[8, 1], "in the matrix of the other model too"
    until(
        opened,
        lambda: all("CNN: " in tile.text for tile in opened.find_elements(By.CSS_SELECTOR, f"{_PLACE} .tile")),
    )
    choose(opened, "Class", "")
    assert not any(_marked(opened).values())
    assert not opened.find_elements(By.CSS_SELECTOR, ".heat .of-class")


@NEEDS_BROWSER
def test_a_model_is_held_against_either_of_two_others(browser: Any, tmp_path: Path, blobs: Dataset) -> None:
    small = {"family": "cnn", "name": "Small", "space": {"conv_depth": 1, "filters": [2, 4], "padding": "same"}}
    raw = {key: part for key, part in RAW.items() if key not in ("published", "report", "watch")}
    made = Project(tmp_path, blobs, {**raw, "search": [*RAW["search"], small]})  # type: ignore[misc]
    for model, right in (("ann", 30), ("cnn", 35), ("Small", 40)):
        trial = made.searched(model, [0.5, 0.6])[0]
        made.retrained(model, trial, [first(right), first(right + 1)])
    path = tmp_path / "page.html"
    path.write_text(page_of(made, single_file=True).text, encoding="utf-8")
    browser.get(path.as_uri())
    shown(browser, f"{_PLACE} .album")
    choose(browser, "Model", "ann")

    def tiles() -> list[str]:
        return [one.text for one in browser.find_elements(By.CSS_SELECTOR, f"{_PLACE} .tile")]

    for model, label, other in (("cnn", "CNN", "Small"), ("Small", "Small", "CNN")):
        choose(browser, "Against", model)
        until(browser, lambda label=label: tiles() and all(f"{label}: " in text for text in tiles()))
        assert not any(f"{other}: " in text for text in tiles())
        heads = browser.find_elements(By.CSS_SELECTOR, f"{_PLACE} .one-class thead th")
        assert [head.text for head in heads] == ["test images", "ANN", label]
    assert browser.get_log("browser") == []


@NEEDS_BROWSER
def test_heat_maps_lie_over_the_images_of_a_class_by_the_switch_of_either_panel(opened: Any) -> None:
    heated = "return document.querySelectorAll(`${arguments[0]} .heat-map[data-drawn]`).length"
    shown(opened, f"{_PLACE} .album")
    until(opened, lambda: opened.find_elements(By.CSS_SELECTOR, f"{_PLACE} canvas[data-drawn]"))
    assert opened.execute_script(heated, _PLACE) == 0
    here, there = (
        opened.find_element(By.CSS_SELECTOR, f"{place} .controls input[type=checkbox]")
        for place in (_PLACE, "[data-figure=confusion-matrix]")
    )
    opened.execute_script("arguments[0].click()", here)
    until(opened, lambda: opened.execute_script(heated, _PLACE) > 0)
    tiles = opened.find_elements(By.CSS_SELECTOR, f"{_PLACE} .tile")
    until(opened, lambda: opened.execute_script(heated, _PLACE) == len(tiles))
    assert "Grad-CAM" in opened.find_element(By.CSS_SELECTOR, f"{_PLACE} .album").text
    assert there.is_selected()
    shown(opened, "#confusion table")
    until(opened, lambda: opened.execute_script(heated, "#confusion") > 0)
    opened.execute_script("arguments[0].click()", there)
    until(opened, lambda: opened.execute_script(heated, "body") == 0)
    choose(opened, "Model", "ann")
    assert not here.is_enabled()
    assert "No heat maps of ANN" in opened.find_element(By.CSS_SELECTOR, f"{_PLACE} .controls").text


@pytest.mark.parametrize("level", [0.5, 0.99, 0.01])
def test_round_thresholds_are_among_those_of_the_page(level: float) -> None:
    assert level in THRESHOLDS
    assert list(THRESHOLDS) == sorted(set(THRESHOLDS))
