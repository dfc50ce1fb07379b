"""What is selected on the page: every panel follows it, the address holds it, and Escape takes it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from browsing import NEEDS_BROWSER, ActionChains, By, Keys, column, count, shown, until
from made_up import RAW, Project, first
from whole_page import page_of

from tuner.datasets.base import Dataset

pytestmark = NEEDS_BROWSER
#: How opaque the marks of a chart are, by trial.
_OPACITY = (
    "const { series } = echarts.getInstanceByDom(document.querySelector(arguments[0])).getOption();"
    "const { data } = series.find(({ type }) => type === 'scatter');"
    "return Object.fromEntries(data.map(({ name, trial, itemStyle }) => [name ?? trial.trial, itemStyle.opacity]))"
)
#: The letters that stand at marks of a chart, by trial.
_LETTERS = (
    "const { series } = echarts.getInstanceByDom(document.querySelector(arguments[0])).getOption();"
    "return Object.fromEntries(series.flatMap(({ data }) => data ?? [])"
    ".filter((one) => one?.label?.show).map(({ name, label }) => [name, label.formatter]))"
)
_BAR = "#selection"
#: A chart of each kind that shows trials as marks.
_CHARTS = ("[data-figure=slices] .chart", "[data-figure=cost] .chart")


def search_for(browser: Any, words: str) -> None:
    """Put words into the field for them at once: of letters that are typed, each filters the trials anew."""
    field = shown(browser, "#trials input[type=search]")
    put = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))"
    browser.execute_script(put, field, words)


def said(browser: Any) -> dict[str, list[str]]:
    """Return what the address says is selected."""
    return parse_qs(browser.execute_script("return location.hash").partition("?")[2])


def chips(browser: Any) -> list[str]:
    return [chip.text for chip in browser.find_elements(By.CSS_SELECTOR, f"{_BAR} .chip span")]


def rows(browser: Any) -> list[Any]:
    found: list[Any] = browser.find_elements(By.CSS_SELECTOR, "#trials-rows tbody tr")
    return found


def pin(browser: Any, *places: int) -> None:
    for place in places:
        click = "arguments[0].dispatchEvent(new MouseEvent('click', {shiftKey: true, bubbles: true}))"
        browser.execute_script(click, rows(browser)[place])


def press(browser: Any, key: str) -> None:
    ActionChains(browser).send_keys(key).perform()


def bar_button(browser: Any, text: str) -> Any:
    return browser.find_element(By.XPATH, f"//*[@id='selection']//button[.='{text}']")


def test_what_is_filtered_in_the_table_is_pale_in_charts_and_gone_where_others_are_hidden(opened: Any) -> None:
    assert not opened.find_element(By.CSS_SELECTOR, _BAR).is_displayed(), "nothing is selected"
    search_for(opened, "dropout=0.5 conv_depth=1")
    kept = int(count(opened).split(" ")[0])
    assert 10 < kept < 60
    for chart in _CHARTS:
        shown(opened, chart)
        until(opened, lambda chart=chart: min(opened.execute_script(_OPACITY, chart).values()) < 0.1)
        opacities = opened.execute_script(_OPACITY, chart)
        assert sum(opacity > 0.3 for opacity in opacities.values()) == kept
        assert len(opacities) > kept
    bar_button(opened, "Hide others").click()
    assert bar_button(opened, "Hide others").get_attribute("aria-pressed") == "true"
    for chart in _CHARTS:
        shown(opened, chart)
        until(opened, lambda chart=chart: len(opened.execute_script(_OPACITY, chart)) == kept)
    bar_button(opened, "Clear").click()
    until(opened, lambda: len(opened.execute_script(_OPACITY, _CHARTS[1])) == 243)
    assert not opened.find_element(By.CSS_SELECTOR, _BAR).is_displayed()


def test_the_bar_says_each_filter_and_takes_each_away(opened: Any) -> None:
    shown(opened, "#trials .filter-panel summary").send_keys("\n")
    opened.find_element(
        By.XPATH,
        "//*[@class='filter-panel']//fieldset[legend='dropout']//label[.='0.25']/input",
    ).send_keys(" ")
    low, high = opened.find_elements(
        By.XPATH,
        "//*[@class='filter-panel']//fieldset[legend='learning_rate']//input",
    )
    low.send_keys("0.0005")
    high.send_keys("0.001\t")
    search_for(opened, "cnn")
    assert chips(opened) == ["“cnn”", "dropout: 0, 0.5", "learning_rate: 0.0005 to 0.001"]
    assert set(column(opened, "dropout")) == {"0", "0.5"}
    opened.find_element(By.CSS_SELECTOR, f"{_BAR} [aria-label='Take away: filter by dropout']").click()
    assert chips(opened) == ["“cnn”", "learning_rate: 0.0005 to 0.001"]
    assert set(column(opened, "dropout")) == {"0", "0.25", "0.5"}
    opened.find_element(By.CSS_SELECTOR, f"{_BAR} [aria-label='Take away: search']").click()
    assert opened.find_element(By.CSS_SELECTOR, "#trials input[type=search]").get_attribute("value") == ""


def test_escape_takes_back_one_change_after_the_other(opened: Any) -> None:
    shown(opened, "#trials input[type=search]").send_keys("dropout=0.5")  # letter by letter
    few = count(opened)
    pin(opened, 0, 1)
    assert len(chips(opened)) == 3
    press(opened, Keys.ESCAPE)
    assert len(chips(opened)) == 2
    assert count(opened) == few
    bar_button(opened, "Undo").click()
    assert chips(opened) == ["“dropout=0.5”"]
    press(opened, Keys.ESCAPE)
    assert count(opened) == "250 of 250 trials", "letters that were typed are one change"
    assert opened.find_element(By.CSS_SELECTOR, "#trials input[type=search]").get_attribute("value") == ""
    press(opened, Keys.ESCAPE)
    assert count(opened) == "250 of 250 trials"


def test_a_pinned_trial_has_its_letter_in_the_table_and_in_charts(opened: Any) -> None:
    shown(opened, "#trials-rows")
    trials = [row.get_attribute("data-trial") for row in rows(opened)[:5]]
    pin(opened, 0, 1, 2, 3)
    assert [row.get_attribute("class") for row in rows(opened)[:5]] == ["is-pinned"] * 4 + [""]
    for chart in _CHARTS:
        shown(opened, chart)
        wanted = dict(zip(trials[:4], "ABCD", strict=True))
        until(opened, lambda chart=chart, wanted=wanted: opened.execute_script(_LETTERS, chart) == wanted)
    search_for(opened, "ann")
    for chart in _CHARTS:
        shown(opened, chart)
        opacities = opened.execute_script(_OPACITY, chart)
        assert [opacities[trial] for trial in trials[:4]] == [1] * 4, "however they are filtered"
    opened.find_element(By.CSS_SELECTOR, f"{_BAR} [aria-label='Unpin trial B']").click()
    letters = opened.find_elements(By.CSS_SELECTOR, f"{_BAR} .chip .letter")
    assert [letter.text for letter in letters] == ["A", "C", "D"], "the others keep theirs"


#: By trial how opaque its bar on the timeline is, and the letter on it.
_BARS = (
    "const { bars } = JSON.parse(document.getElementById('timing').textContent).timeline;"
    "const chart = echarts.getInstanceByDom(document.querySelector('#timeline'));"
    "const data = chart.getModel().getSeries()[0].getData();"
    "return Object.fromEntries(bars.flatMap(([, , , , , role, trial], k) => {"
    " const bar = data.getItemGraphicEl(k);"
    " return bar && role !== 'final' ? [[trial, [bar.style.opacity, bar.getTextContent()?.style.text ?? '']]] : []; }))"
)
#: The marks of every model in the chart of the best so far: how opaque, and their letters.
_MARKS = (
    "const { series } = echarts.getInstanceByDom(document.querySelector('#best-so-far')).getOption();"
    "return Object.fromEntries(series.filter(({ type }) => type === 'scatter').flatMap(({ data }) => data)"
    ".map(({ name, itemStyle, label }) => [name, [itemStyle.opacity, label?.show ? label.formatter : '']]))"
)


def test_filter_and_pins_reach_the_best_so_far_the_timeline_and_the_parallel_coordinates(opened: Any) -> None:
    shown(opened, "#trials-rows")
    pin(opened, 0, 1)
    pinned = [row.get_attribute("data-trial") for row in rows(opened)[:2]]
    search_for(opened, "ann")
    kept = set(column(opened, "trial"))
    assert len(kept) == 8
    for chart, look in (("#best-so-far", _MARKS), ("#timeline", _BARS)):
        shown(opened, chart)

        def strong(look: str = look) -> set[str]:
            return {trial for trial, (opacity, _) in opened.execute_script(look).items() if opacity > 0.25}

        until(opened, lambda look=look: opened.execute_script(look)[pinned[1]][1] == "B")
        until(opened, lambda strong=strong: strong() == {*kept, *pinned})  # the words are heard a moment later
        found = opened.execute_script(look)
        assert {trial: letter for trial, (_, letter) in found.items() if letter} == dict(zip(pinned, "AB", strict=True))
        assert len(found) > 200, "the others are pale"
    shown(opened, "#parallel")
    lines = (
        "const { series } = echarts.getInstanceByDom(document.querySelector('#parallel')).getOption();"
        "return series.slice(2).map(({ data, lineStyle }) => [data[0].name, data.length, String(lineStyle.type)])"
    )
    until(opened, lambda: len(opened.execute_script(lines)) == 2)
    first_line, second = opened.execute_script(lines)
    assert [first_line[:2], second[:2]] == [[trial, 1] for trial in pinned], "a line of its own each"
    assert first_line[2] != second[2], "with its own dashes"


def test_rows_are_one_stop_of_the_tab_key_and_the_arrows_go_on(opened: Any) -> None:
    shown(opened, "#trials-rows")
    stops = "return [...document.querySelectorAll('#trials-rows tbody tr')].filter((row) => row.tabIndex === 0).length"
    assert opened.execute_script(stops) == 1
    opened.execute_script("document.querySelector('#trials-rows tbody tr').focus()")
    press(opened, Keys.ARROW_DOWN + Keys.ARROW_DOWN + "p")
    assert ["is-pinned" in row.get_attribute("class") for row in rows(opened)[:4]] == [False, False, True, False]
    assert opened.execute_script(stops) == 1
    press(opened, Keys.HOME)
    assert opened.execute_script("return document.activeElement === document.querySelector('#trials-rows tbody tr')")


def test_a_row_that_is_pointed_at_stands_out_in_every_chart(opened: Any) -> None:
    for chart in ("#parallel", *_CHARTS):
        shown(opened, chart)
    trial = opened.execute_script(
        "const row = document.querySelector('#trials-rows tbody tr:nth-child(2)');"
        "row.dispatchEvent(new MouseEvent('mouseenter')); return row.dataset.trial"
    )
    strong = (
        "return [...document.querySelectorAll(arguments[0])].map((box) => echarts.getInstanceByDom(box))"
        ".filter(Boolean).flatMap((chart) => chart.getModel().getSeries().flatMap((series) => {"
        " const data = series.getData(); return [...Array(data.count()).keys()]"
        " .filter((k) => data.getItemGraphicEl(k)?.hoverState === 2).map((k) => data.getName(k)); }))"
    )
    for chart in ("#parallel", *_CHARTS):
        assert set(opened.execute_script(strong, chart)) == {trial}
    opened.execute_script(
        "document.querySelector('#trials-rows tbody tr:nth-child(2)').dispatchEvent(new MouseEvent('mouseleave'))"
    )
    assert opened.execute_script(strong, ".chart") == []


def test_a_mark_that_the_mouse_is_on_stands_out_in_the_table(opened: Any) -> None:
    chart = shown(opened, _CHARTS[1])
    trial, x, y = opened.execute_script(
        "const { x: left, y: top } = arguments[0].getBoundingClientRect();"
        "const chart = echarts.getInstanceByDom(arguments[0]);"
        "const marks = chart.getOption().series.find(({ type }) => type === 'scatter').data;"
        "const best = marks.reduce((a, b) => (b.value[1] > a.value[1] ? b : a));"
        "const [x, y] = chart.convertToPixel({ gridIndex: 0 }, best.value);"
        "return [best.name, left + x, top + y - 3]",
        chart,
    )
    pointed = "return [...document.querySelectorAll('#trials-rows .is-pointed-at')].map((row) => row.dataset.trial)"
    for to, found in (((x, y), [trial]), ((x, 1), [])):
        opened.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": to[0], "y": to[1]})
        until(opened, lambda found=found: opened.execute_script(pointed) == found)


def test_the_address_holds_what_is_selected_and_brings_it_back(opened: Any, hundreds: Path) -> None:
    search_for(opened, "dropout=0.5 & cnn")
    search_for(opened, "dropout=0.5")
    shown(opened, "#trials .filter-panel summary").send_keys("\n")
    low, _ = opened.find_elements(
        By.XPATH,
        "//*[@class='filter-panel']//fieldset[legend='learning_rate']//input",
    )
    low.send_keys("0.001\t")
    pin(opened, 4)
    pinned = rows(opened)[4].get_attribute("data-trial")
    found = count(opened)
    until(opened, lambda: said(opened).get("pinned") == [pinned])
    address = opened.execute_script("return location.href")
    assert said(opened)["words"] == ["dropout=0.5"]
    opened.get("about:blank")
    opened.get(address)
    assert count(opened) == found
    assert chips(opened)[:2] == ["“dropout=0.5”", "learning_rate: 0.001 to 0.1"]
    assert opened.find_element(By.CSS_SELECTOR, "#trials input[type=search]").get_attribute("value") == "dropout=0.5"
    until(opened, lambda: opened.find_elements(By.CSS_SELECTOR, ".is-pinned"))
    assert opened.find_element(By.CSS_SELECTOR, ".is-pinned").get_attribute("data-trial") == pinned
    opened.find_element(By.CSS_SELECTOR, "nav a[href='#time']").click()
    until(opened, lambda: opened.execute_script("return location.hash").startswith("#time?"))
    assert said(opened)["pinned"] == [pinned], "a link to a part keeps what is selected"
    opened.get("about:blank")
    opened.get(f"{hundreds.as_uri()}#cost")
    assert count(opened) == "250 of 250 trials"
    before = opened.execute_script("return document.querySelector('#trials').offsetHeight")
    until(opened, lambda: opened.find_elements(By.CSS_SELECTOR, "#trials-rows[data-filled]"))
    after = opened.execute_script("return document.querySelector('#trials').offsetHeight")
    assert abs(after - before) < 100, (
        "the room of the rows is kept until they are there, so that a link leads to its part"
    )


@pytest.mark.parametrize(
    "query",
    [
        "pinned=nobody,x,,&model=<b>&dataset=%00&label=9&hide=maybe",
        "kept=learning_rate:a~b;nowhere:1~2;dropout;%E0%A4%A:1~2",
        "kept=%25E0%25A4%25A:1~2",
        "=&&&?&words",
    ],
)
def test_an_address_that_makes_no_sense_selects_nothing(browser: Any, hundreds: Path, query: str) -> None:
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(f"{hundreds.as_uri()}#trials?{query}")
    assert count(browser) == "250 of 250 trials"
    assert not browser.find_element(By.CSS_SELECTOR, _BAR).is_displayed()
    assert browser.get_log("browser") == []


def matrix(browser: Any) -> str:
    return str(browser.execute_script("return document.querySelector('#confusion .matrix caption').textContent"))


def _choose(browser: Any, select: Any, value: str) -> None:
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
    browser.execute_script(script, select, value)


def test_every_panel_opens_on_the_data_set_that_was_searched_and_on_the_model_that_wins_there(
    browser: Any, tmp_path: Path, blobs: Dataset
) -> None:
    made = Project(tmp_path, blobs, {**RAW, "compare": {"datasets": ["spots", "blobs"]}})
    for model, right in (("ann", 30), ("cnn", 41)):
        trials = made.searched(model, [0.5, 0.6, 0.7, 0.8][: 2 if model == "ann" else 4], parameters=[900, 80, 70, 60])
        for dataset in ("blobs", "spots"):
            made.retrained(model, trials[0], [first(right), first(right + 1)], dataset)
    path = tmp_path / "report.html"
    path.write_text(page_of(made, single_file=True).text, encoding="utf-8")
    browser.get(path.as_uri())
    shown(browser, "#confusion table")
    selects = browser.find_elements(By.XPATH, "//label[starts-with(., 'Data set')]/select")
    assert len(selects) >= 4, "of the ROC, of one class, of the confusion, and of costs"
    assert {select.get_attribute("value") for select in selects} == {"blobs"}
    assert matrix(browser).startswith("CNN on blobs")
    _choose(browser, selects[0], "spots")
    assert {select.get_attribute("value") for select in selects} == {"spots"}
    assert matrix(browser).startswith("CNN on spots")
    assert browser.get_log("browser") == []


def test_model_and_data_set_are_chosen_once_for_all_panels(browser: Any, tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, {**RAW, "compare": {"datasets": ["blobs", "spots"]}})
    for model, right in (("ann", 41), ("cnn", 30)):
        trials = made.searched(model, [0.5, 0.6, 0.7, 0.8][: 2 if model == "ann" else 4])
        for dataset, more in (("blobs", 0), ("spots", 3 if model == "ann" else 12)):
            made.retrained(model, trials[0], [first(right + more), first(right)], dataset)
    path = tmp_path / "report.html"
    path.write_text(page_of(made, single_file=True).text, encoding="utf-8")
    browser.get(path.as_uri())
    shown(browser, "#confusion table")
    selects = "//section[@id='{}']//label[starts-with(., '{}')]/select"
    assert matrix(browser).startswith("ANN on blobs"), "the best of them"
    _choose(browser, browser.find_element(By.XPATH, selects.format("classes", "Model")), "cnn")
    assert matrix(browser).startswith("CNN on blobs")
    assert browser.find_element(By.XPATH, selects.format("curves", "Trials of")).get_attribute("value") == "cnn"
    press(browser, Keys.ESCAPE)
    assert matrix(browser).startswith("ANN on blobs")
    assert browser.find_element(By.XPATH, selects.format("classes", "Model")).get_attribute("value") == "ann"
    assert browser.get_log("browser") == []
