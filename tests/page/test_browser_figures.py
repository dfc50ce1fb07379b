"""The figures of the page in a browser: what they show is so, reads the same everywhere, and is reached by any means.

Skipped where no Chromium with its driver is installed (Debian: `apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import NEEDS_BROWSER, By, Keys, option, pixels_of, shown, until
from made_up import RAW, Project
from saved_pictures import KEEP, save_buttons, saved
from whole_page import page_of

from tuner.datasets.base import Dataset, checked_dataset

pytestmark = NEEDS_BROWSER

_CHART = "const chart = echarts.getInstanceByDom(document.querySelector(arguments[0])); const held = chart.getOption();"


def choose(browser: Any, section: str, label: str, value: str) -> None:
    select = browser.find_element(By.XPATH, f"//*[@data-figure='{section}']//label[starts-with(., '{label}')]/select")
    browser.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))", select, value
    )
    assert select.get_attribute("value") == value


def colours_of(browser: Any) -> list[str]:
    """Return the colours of models, by their numbers."""
    found: list[str] = browser.execute_script(
        "const style = getComputedStyle(document.documentElement);"
        "return [0, 1, 2].map((k) => style.getPropertyValue(`--s${k}`).trim())"
    )
    return found


def test_a_pale_line_that_is_pointed_at_stands_out_in_ink(opened: Any) -> None:
    shown(opened, "#parallel")
    stroke = opened.execute_script(
        _CHART + "const name = held.series[0].data[0].name;"  # the worst, the palest of all
        "chart.dispatchAction({ type: 'highlight', seriesIndex: 0, name });"
        "const lines = chart.getModel().getSeries()[0].getData();"
        "return lines.getItemGraphicEl(lines.indexOfName(name)).states.emphasis.style.stroke",
        "#parallel",
    )
    assert stroke == opened.execute_script(
        "return getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()"
    )


def test_a_trial_that_two_models_share_has_a_curve_of_each(browser: Any, tmp_path: Path, blobs: Dataset) -> None:
    same = {"family": "ann", "name": "Same", "space": {"dense_units": [4, 8]}}
    raw = {key: part for key, part in RAW.items() if key not in ("published", "report", "watch")}
    made = Project(tmp_path, blobs, {**raw, "search": [*RAW["search"], same]})  # type: ignore[misc]
    of_ann, of_same = ({trial.id for trial in made.searched(model, [0.5, 0.6])} for model in ("ann", "Same"))
    assert of_ann == of_same
    path = tmp_path / "page.html"
    path.write_text(page_of(made, single_file=True).text, encoding="utf-8")
    browser.get("about:blank")
    browser.get_log("browser")  # what the page before it complained of
    browser.get(path.as_uri())
    shown(browser, "[data-figure=learning] .chart")
    drawn = browser.execute_script(
        _CHART + "return held.series.filter(({ silent }) => !silent).map(({ name, id }) => [name, id])",
        "[data-figure=learning] .chart",
    )
    assert {name for name, _ in drawn} == of_ann
    assert len({key for _, key in drawn}) == len(drawn) == 4
    assert browser.get_log("browser") == []


#: The smallest corner with room for twice the last bend of a model's curves, worked out from what the page holds.
_TELLING = (
    "const { chosen } = JSON.parse(document.getElementById('report').textContent);"
    "const { roc } = chosen.find(({ label }) => label === arguments[0]);"
    "const bends = roc.map(([, , x, y]) => Math.min(...x.map((rate, k) => Math.max(rate, 1 - y[k]))));"
    "const wanted = 2 * Math.max(...bends);"
    "return [1, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005].filter((size) => size >= wanted).at(-1)"
)


def test_the_corner_of_the_roc_is_that_of_the_curves_shown(opened: Any) -> None:
    shown(opened, "#roc-corner")
    reaches = {}
    models = opened.find_elements(By.CSS_SELECTOR, "[data-figure=roc] select")[0].find_elements(By.TAG_NAME, "option")
    for text, value in [(one.text, one.get_attribute("value")) for one in models[:2]]:
        opened.execute_script(
            "const select = document.querySelector('[data-figure=roc] select'); select.value = arguments[0];"
            "select.dispatchEvent(new Event('change'))", value,
        )  # fmt: skip
        reach = option(opened, "#roc-corner")["xAxis"][0]["max"]
        assert reach == opened.execute_script(_TELLING, text), "twice as far as the last of the bends"
        within = opened.execute_script(
            _CHART + "return held.series.filter(({ silent }) => !silent).map(({ data }) =>"
            " data.filter(([x, y]) => x <= arguments[1] && y >= 1 - arguments[1]).length)",
            "#roc-corner", reach,
        )  # fmt: skip
        assert len(within) == 10
        assert all(within), "each class has its bend in the corner"
        reaches[text] = reach
    assert len(reaches) == 2


def test_the_corner_of_the_roc_of_a_class_holds_the_bends_of_all_models(opened: Any) -> None:
    shown(opened, "#roc-corner")
    for name in ("three", "eight"):
        choose(opened, "roc", "Curves of", name)
        bends = opened.execute_script(
            "const { chosen } = JSON.parse(document.getElementById('report').textContent);"
            "return chosen.map(({ roc, classes }) => roc.find(([label]) => classes[label] === arguments[0]))"
            ".map(([, , x, y]) => Math.min(...x.map((rate, k) => Math.max(rate, 1 - y[k]))))",
            name,
        )
        assert len(bends) == 2
        sizes = [1, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005]
        wanted = [size for size in sizes if size >= 2 * max(0.002, *bends)][-1]
        assert option(opened, "#roc-corner")["xAxis"][0]["max"] == wanted
        assert [one["name"] for one in option(opened, "#roc-corner")["series"] if not one.get("silent")] == [
            "CNN",
            "ANN",
        ]


def test_the_roc_stands_on_a_logarithmic_axis_and_on_a_linear_one_with_the_diagonal(opened: Any) -> None:
    shown(opened, "#roc")
    found = option(opened, "#roc")
    assert found["xAxis"][0]["type"] == "log"
    assert found["xAxis"][0]["min"] == pytest.approx(0.5 / 600)
    assert not [one for one in found["series"] if one.get("silent")]
    choose(opened, "roc", "Axis", "linear")
    found = option(opened, "#roc")
    assert (found["xAxis"][0]["type"], found["xAxis"][0]["min"]) == ("value", 0)
    diagonal = opened.execute_script(_CHART + "return held.series.find(({ silent }) => silent).data", "#roc")
    assert diagonal == [[0, 0], [1, 1]]


@pytest.mark.parametrize(("figure", "selector"), [("roc", "#roc"), ("timeline", "#timeline")])
def test_what_can_be_zoomed_has_buttons_for_it_and_a_way_back(opened: Any, figure: str, selector: str) -> None:
    shown(opened, selector)

    def ends() -> list[tuple[float, float]]:
        return [(one["start"], one["end"]) for one in option(opened, selector)["dataZoom"]]

    whole = ends()
    assert set(whole) == {(0, 100)}
    closer, wider, back = opened.find_elements(By.CSS_SELECTOR, f"[data-figure={figure}] .zoom button")
    closer.send_keys("\n")
    closer.send_keys("\n")
    assert {end - start for start, end in ends()} == {25}
    wider.send_keys("\n")
    assert {end - start for start, end in ends()} == {50}
    back.send_keys("\n")
    assert ends() == whole


def _swipe(browser: Any, x: float, y: float, way: float) -> None:
    def touch(kind: str, *points: dict[str, float]) -> None:
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", {"x": x, "y": y})
    for step in range(1, 11):
        touch("touchMove", {"x": x, "y": y + way * step / 10})
    touch("touchEnd")


def test_a_finger_that_moves_up_over_a_chart_scrolls_the_page(opened: Any) -> None:
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    )
    opened.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    opened.refresh()
    try:
        for selector in ("#parallel", "#roc", "#roc-corner", "#timeline"):
            chart = shown(opened, selector)
            where = opened.execute_script(
                "const { x, y, width, height } = arguments[0].getBoundingClientRect();"
                "return [x + width / 2, Math.min(700, Math.max(500, y + height / 2)), scrollY]",
                chart,
            )
            _swipe(opened, where[0], where[1], -250)
            until(opened, lambda before=where[2]: opened.execute_script("return scrollY") > before + 150)
    finally:
        opened.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_two_fingers_zoom_a_chart_and_a_wheel_alone_does_not(opened: Any) -> None:
    def zoomed() -> bool:
        return any(one["end"] - one["start"] < 99 for one in option(opened, "#roc")["dataZoom"])

    def middle() -> list[float]:
        found: list[float] = opened.execute_script(
            "const { x, y, width, height } = arguments[0].getBoundingClientRect();"
            "return [x + width / 2, y + height / 2]",
            shown(opened, "#roc"),
        )
        return found

    x, y = middle()
    before = opened.execute_script("return scrollY")
    wheel = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -240}
    opened.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
    until(opened, lambda: opened.execute_script("return scrollY") < before - 100)
    assert not zoomed(), "it scrolls the page"
    opened.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    opened.refresh()
    try:
        x, y = middle()
        for kind, apart in (("touchStart", 20), *(("touchMove", 20 + 12 * k) for k in range(1, 9))):
            points = [{"x": x + side * apart, "y": y, "id": side + 1} for side in (-1, 1)]
            opened.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        opened.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        until(opened, zoomed)
    finally:
        opened.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_marks_of_slices_stand_at_the_values_themselves_on_a_logarithmic_axis(opened_thousand: Any) -> None:
    opened = opened_thousand
    chart = shown(opened, "[data-figure=slices] .chart")
    found = opened.execute_script(
        "return [...document.querySelectorAll('[data-figure=slices] .chart')].map((box) =>"
        " echarts.getInstanceByDom(box)?.getOption()).filter((held) => held?.xAxis[0].name === 'learning_rate')"
        ".flatMap((held) => held.series.find(({ type }) => type === 'scatter').data"
        ".map(({ value, trial }) => [held.xAxis[0].type, value[0], trial.values.learning_rate]))",
    )
    assert chart
    assert len(found) == 993
    assert {kind for kind, _, _ in found} == {"log"}
    assert all(at == value for _, at, value in found)


def test_a_model_has_one_colour_in_every_figure_and_its_mark_in_each_legend(opened: Any) -> None:
    colours = colours_of(opened)
    marks = {"ANN": ["diamond"], "CNN": ["circle"]}  # as the search file lists them: CNN first
    number = {"cnn": 0, "ann": 1}
    for figure in ("slices", "cost", "progress"):
        legend = opened.find_elements(By.CSS_SELECTOR, f"[data-figure={figure}] .legend .key")
        assert {key.text: [key.get_attribute("data-mark")] for key in legend} == marks
        chart = shown(opened, f"[data-figure={figure}] .chart")
        drawn = opened.execute_script(
            "const chart = echarts.getInstanceByDom(arguments[0]).getOption();"
            "const points = chart.series.filter(({ type }) => type === 'scatter').flatMap(({ data }) => data);"
            "return [...new Set(points.map(({ itemStyle, symbol, point, trial }) =>"
            " [(point ?? trial).model, itemStyle.color, symbol].join(' ')))]",
            chart,
        )
        found = {tuple(one.split(" ")) for one in drawn if not one.endswith("triangle")}
        assert found == {(name, colours[k], ["circle", "diamond"][k]) for name, k in number.items()}
    legend = opened.find_elements(By.CSS_SELECTOR, "[data-figure=timeline] .legend .key")
    assert {key.get_attribute("data-mark") for key in legend} == {"roundRect"}, "bars"
    shown(opened, "#timeline")
    bars = opened.execute_script(
        "const { bars } = JSON.parse(document.getElementById('timing').textContent).timeline;"
        "const chart = echarts.getInstanceByDom(document.querySelector('#timeline'));"
        "const data = chart.getModel().getSeries()[0].getData();"
        "return [...new Set(bars.flatMap(([, , , model], k) => {"
        " const bar = data.getItemGraphicEl(k); return bar ? [`${model} ${bar.style.fill}`] : []; }))]"
    )
    assert set(bars) == {f"{name} {colours[k]}" for name, k in number.items()}
    chart = shown(opened, "[data-figure=scores] .chart")
    marks_drawn = opened.execute_script(
        "const held = echarts.getInstanceByDom(arguments[0]).getOption();"
        "return held.series.at(-1).data.map(({ value, itemStyle }) => [held.yAxis[0].data[value[1]], itemStyle.color])",
        chart,
    )
    assert dict(marks_drawn) == {"CNN": colours[0], "ANN": colours[1]}
    shown(opened, "#one-class")
    choose(opened, "class", "Class", "three")
    for selector, curves in (("#one-class", 4), ("#roc", 2), ("#roc-corner", 2)):
        shown(opened, selector)
        inks = opened.execute_script(
            _CHART + "return held.series.filter(({ silent }) => !silent).map((one) => [one.name, one.itemStyle.color])",
            selector,
        )
        named = [(name, ink) for name, ink in inks if name in ("CNN", "ANN")]
        assert dict(named) == {"CNN": colours[0], "ANN": colours[1]}, selector
        assert {ink for _, ink in inks} == set(colours[:2])
        assert len(inks) == curves
    for value, name in (("0", ""), ("1", "cnn"), ("2", "ann")):
        chart = shown(opened, "[data-figure=learning] .chart")
        select = opened.find_element(By.CSS_SELECTOR, "[data-figure=learning] select")
        opened.execute_script(
            "arguments[0].selectedIndex = arguments[1]; arguments[0].dispatchEvent(new Event('change'))",
            select, int(value),
        )  # fmt: skip
        inks = opened.execute_script(
            "return echarts.getInstanceByDom(arguments[0]).getOption().series.map(({ itemStyle, lineStyle, name }) =>"
            " [itemStyle.color, String(lineStyle.type), name])",
            chart,
        )
        if name:
            assert {ink for ink, _, _ in inks} == {colours[number[name]]}
        dashes = {trial: dash for _, dash, trial in inks}
        assert len(set(dashes.values())) == len(dashes) == 5, "each trial has dashes of its own"


def _apart(one: str, other: str) -> float:
    """Return how far two colours, as `#rrggbb`, are from each other."""
    (a, b) = ([int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in (one, other))
    return math.dist(a, b)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_classes_and_what_is_right_or_wrong_have_no_model_s_colour(opened: Any, theme: str) -> None:
    opened.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    models, others = opened.execute_script(
        "const style = getComputedStyle(document.documentElement);"
        "const get = (name) => style.getPropertyValue(`--${name}`).trim();"
        "return ['s0 s1 s2 s3 s4 s5 s6', 'good warm c0 c1 c2 c3 c4'].map((names) => names.split(' ').map(get))"
    )
    assert len({*models, *others}) == 14
    assert min(_apart(one, other) for one in models for other in others) > 45
    shown(opened, "#roc")
    curves = opened.execute_script(
        _CHART + "return held.series.filter(({ silent }) => !silent)"
        ".map(({ lineStyle }) => [lineStyle.color, String(lineStyle.type)])",
        "#roc",
    )
    assert len({tuple(one) for one in curves}) == len(curves) == 10, "each class has a line of its own"
    assert not {colour for colour, _ in curves} & set(models)
    keys = opened.execute_script(
        "return [...document.querySelectorAll('[data-figure=roc] .keys line')].map((line) => line.style.stroke)"
    )
    assert keys == [f"var(--c{k % 5})" for k in range(10)], "the same in its legend"


def test_the_bars_of_importance_have_no_model_s_colour_and_their_names_stand_apart(opened: Any) -> None:
    chart = shown(opened, "[data-figure=importance] .chart")
    inks = opened.execute_script(
        "return echarts.getInstanceByDom(arguments[0]).getOption().series[0].data"
        ".map(({ itemStyle }) => itemStyle.color)",
        chart,
    )
    assert not set(inks) & set(colours_of(opened))
    overlaps = opened.execute_script(
        "const boxes = [...arguments[0].querySelectorAll('text')].map((text) => text.getBoundingClientRect());"
        "return boxes.filter((a, k) => boxes.slice(k + 1).some((b) =>"
        " a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)).length",
        chart,
    )
    assert overlaps == 0


def test_no_axis_of_times_or_sizes_begins_below_zero(opened: Any) -> None:
    shown(opened, "#timeline")
    extent = opened.execute_script(
        _CHART + "return chart.getModel().getComponent('xAxis').axis.scale.getExtent()", "#timeline"
    )
    assert extent[0] == 0
    for chart in opened.find_elements(By.CSS_SELECTOR, "[data-figure=cost] .chart"):
        opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
        until(opened, lambda chart=chart: chart.get_attribute("data-drawn"))
        low = opened.execute_script("return echarts.getInstanceByDom(arguments[0]).getOption().xAxis[0].min", chart)
        assert low > 0


_STOPS = (
    "return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex]')].filter((one) =>"
    " one.tabIndex >= 0 && !one.disabled && one.checkVisibility() && one.closest(arguments[0])).length"
)


def test_the_tab_key_stops_once_at_the_charts_of_a_figure_and_once_at_each_table(opened: Any) -> None:
    opened.execute_script("beIdle()")
    until(
        opened,
        lambda: opened.execute_script(
            "return [...document.querySelectorAll('.chart')].every((one) => one.dataset.drawn)"
        ),
    )
    figures = opened.execute_script(
        "return [...new Set([...document.querySelectorAll('.chart')].map((one) =>"
        " one.closest('[data-figure]').dataset.figure))]"
    )
    assert len(figures) > 9
    for name in figures:
        assert opened.execute_script(_STOPS, f"[data-figure={name}] .chart") == 1, name
        assert opened.execute_script(_STOPS, f"[data-figure={name}] .figure-foot") == 1, name
    shown(opened, "#confusion table")
    for table in ("#confusion .matrix", "[data-figure=trials-table] .scroll", "[data-figure=roc] .zoom"):
        assert opened.execute_script(_STOPS, table) == 1, table
    assert opened.execute_script(_STOPS, "main") < 90
    assert opened.execute_script(_STOPS, "body") < 110


def test_page_down_goes_from_chart_to_chart_of_a_figure(opened: Any) -> None:
    shown(opened, "[data-figure=slices] .chart")
    charts = opened.find_elements(By.CSS_SELECTOR, "[data-figure=slices] .chart")
    for chart in charts[:2]:
        until(opened, lambda chart=chart: chart.get_attribute("data-drawn"))
    charts[0].send_keys(Keys.PAGE_DOWN)
    assert opened.switch_to.active_element == charts[1]
    assert [chart.get_attribute("tabindex") for chart in charts[:2]] == ["-1", "0"]
    assert "Page up" in charts[1].get_attribute("aria-description")
    charts[1].send_keys(Keys.PAGE_UP)
    assert opened.switch_to.active_element == charts[0]


def test_arrows_go_between_the_headings_and_the_rows_of_the_trials(opened: Any) -> None:
    shown(opened, "#trials-rows")
    row = opened.find_element(By.CSS_SELECTOR, "#trials-rows tbody tr")
    assert row.get_attribute("tabindex") == "0"
    row.send_keys(Keys.ARROW_UP)
    head = opened.switch_to.active_element
    assert head.text == "val. accuracy", "the trials are sorted by it"
    head.send_keys(Keys.ARROW_LEFT)
    other = opened.switch_to.active_element
    assert other.text == "model"
    other.send_keys(Keys.ENTER)
    assert opened.switch_to.active_element == other, "sorting keeps the place"
    assert opened.execute_script(_STOPS, "[data-figure=trials-table] .scroll") == 1
    other.send_keys(Keys.ARROW_DOWN)
    assert opened.switch_to.active_element.tag_name == "tr"


def test_arrows_go_from_mark_to_mark_of_a_chart_and_from_cell_to_cell_of_the_matrix(opened: Any) -> None:
    chart = shown(opened, "[data-figure=scores] .chart")
    chart.send_keys(Keys.ARROW_RIGHT)
    until(opened, lambda: chart.find_elements(By.CSS_SELECTOR, ".tip"))
    said = opened.execute_script("return arguments[0].nextElementSibling.textContent", chart)
    assert "test accuracy" in said
    chart.send_keys(Keys.ARROW_RIGHT)
    assert opened.execute_script("return arguments[0].nextElementSibling.textContent", chart) != said
    shown(opened, "#confusion table")
    first, second = opened.find_elements(By.CSS_SELECTOR, "#confusion td button")[:2]
    assert (first.get_attribute("tabindex"), second.get_attribute("tabindex")) == ("0", "-1")
    first.send_keys(Keys.ARROW_RIGHT)
    assert opened.switch_to.active_element == second
    assert (first.get_attribute("tabindex"), second.get_attribute("tabindex")) == ("-1", "0")
    row = opened.execute_script("return arguments[0].closest('tr').rowIndex", second)
    second.send_keys(Keys.ARROW_DOWN)
    assert (
        opened.execute_script(
            "return document.activeElement.closest('tr').rowIndex",
        )
        > row
    )
    assert opened.execute_script("return document.activeElement.tagName") == "BUTTON"


def _cells(browser: Any) -> list[list[str]]:
    found: list[list[str]] = browser.execute_script(
        "return [...document.querySelectorAll('#confusion .matrix tbody tr')].map((row) =>"
        " [...row.querySelectorAll('td')].map(({ textContent }) => textContent))"
    )
    return found


def _number(text: str) -> float:
    return 0.0 if text == "·" else float(text.replace("−", "-").replace("+", ""))


def test_the_confusion_matrix_shows_numbers_shares_and_the_difference_of_two_models(opened: Any) -> None:
    shown(opened, "#confusion table")
    views = opened.find_element(By.XPATH, "//section[@id='confusion']//label[starts-with(., 'Cells')]/select")
    found = {}
    for one in views.find_elements(By.TAG_NAME, "option"):
        opened.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))",
            views, one.get_attribute("value"),
        )  # fmt: skip
        found[one.text] = np.array([[_number(cell) for cell in row] for row in _cells(opened)])
        strongest = opened.execute_script(
            "return Math.max(...[...document.querySelectorAll('#confusion .matrix td')]"
            ".filter((cell) => cell.cellIndex !== cell.closest('tr').rowIndex)"
            ".map((cell) => Number(cell.style.getPropertyValue('--v'))))"
        )
        assert strongest == pytest.approx(1), "the largest mistake has the full colour"
    counts, rows, columns, difference = found.values()
    assert counts.sum() == 600
    assert rows.sum(axis=1) == pytest.approx(np.full(10, 100), abs=5)
    assert columns.sum(axis=0) == pytest.approx(np.full(10, 100), abs=5)
    assert difference.sum() == 0
    assert np.trace(difference) != 0
    assert (difference < 0).any()
    assert (difference > 0).any()


_MATRIX = "[data-figure=confusion-matrix]"


def _heated(browser: Any) -> int:
    return len(browser.find_elements(By.CSS_SELECTOR, f"{_MATRIX} .heat-map[data-drawn]"))


def test_a_switch_lays_heat_maps_over_the_mistakes_and_takes_them_away(opened: Any) -> None:
    shown(opened, "#confusion table")
    model = opened.find_element(By.XPATH, "//*[@data-figure='confusion-matrix']//label[starts-with(., 'Model')]/select")
    switch = opened.find_element(By.CSS_SELECTOR, f"{_MATRIX} .controls input[type=checkbox]")

    def choose(name: str) -> None:
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
        opened.execute_script(script, model, name)

    choose("cnn")
    until(opened, lambda: opened.find_elements(By.CSS_SELECTOR, f"{_MATRIX} canvas[data-drawn]"))
    assert (switch.is_selected(), _heated(opened)) == (False, 0), "off by default"
    images = len(opened.find_elements(By.CSS_SELECTOR, f"{_MATRIX} .tile"))
    switch.send_keys(Keys.SPACE)
    until(opened, lambda: _heated(opened) == images)
    pixels = pixels_of(shown(opened, "#confusion .heat-map")).astype(int)  # with the image below, which is grey
    coloured = (pixels.max(axis=-1) - pixels.min(axis=-1)).sum(axis=0)
    seen = [int(part.sum()) for part in np.array_split(coloured, 3)]
    assert max(seen) > 3 * sorted(seen)[0], "one column of three is hot"
    assert "Grad-CAM" in opened.find_element(By.CSS_SELECTOR, f"{_MATRIX} .album").text
    choose("ann")
    assert not switch.is_enabled()
    assert "No heat maps of ANN" in opened.find_element(By.CSS_SELECTOR, f"{_MATRIX} .controls").text
    until(opened, lambda: opened.find_elements(By.CSS_SELECTOR, f"{_MATRIX} canvas[data-drawn]"))
    assert _heated(opened) == 0
    choose("cnn")
    until(opened, lambda: _heated(opened) > 0)
    switch.send_keys(Keys.SPACE)
    until(opened, lambda: _heated(opened) == 0)


#: Of each row of the table of F1: its name, whether that is whole, and whether it and F1 are seen without scrolling
#: sideways; and whether the name is still there when somebody does.
_READABLE = """
const box = document.querySelector('.heat').closest('.scroll');
const rows = [...box.querySelectorAll('tbody tr')];
const sides = (one) => one.getBoundingClientRect();
const first = rows.map(({ cells: [name, f1] }) => [
  name.textContent, name.scrollWidth <= name.clientWidth + 1,
  sides(name).left >= sides(box).left - 1 && sides(f1).right <= sides(box).left + box.clientWidth + 1]);
box.scrollLeft = 1000;
return first.map((row, place) => [...row, sides(rows[place].cells[0]).left >= sides(box).left - 1]);
"""


def test_a_hundred_classes_of_long_names_can_be_read(browser: Any, tmp_path: Path) -> None:
    names = tuple(f"a_class_of_one_hundred_with_a_long_name_{k:03d}" for k in range(100))
    rng = np.random.default_rng(0)
    arrays = {f"y_{name}": np.arange(count) % 100 for name, count in (("train", 1000), ("test", 400))}
    arrays |= {
        f"x_{name}": rng.integers(0, 256, (len(arrays[f"y_{name}"]), 8, 8), np.uint8) for name in ("train", "test")
    }
    raw = {name: value for name, value in RAW.items() if name not in ("published", "watch", "report")}
    made = Project(tmp_path, checked_dataset("blobs", arrays, names), raw, train_size=1000)
    trials = made.searched("cnn", [0.5, 0.6, 0.7])
    made.retrained("cnn", trials[0], [rng.random(400) < 0.6])
    path = tmp_path / "page.html"
    path.write_text(page_of(made, single_file=True).text, encoding="utf-8")
    browser.get(path.as_uri())
    shown(browser, "#confusion-overview")
    found = option(browser, "#confusion-overview")
    called = browser.execute_script(
        _CHART + "return [held.yAxis[0].data, chart.getHeight() / held.yAxis[0].data.length]", "#confusion-overview"
    )
    assert len(set(called[0])) == 100, "each by a name of its own, cut in the middle"
    assert called[0][7] == "a_class_o…name_007  7"
    assert called[1] >= 11, "each with a line of its own"
    most = browser.execute_script(
        _CHART + "return Math.max(...held.series[0].data.map(([, , count]) => count))", "#confusion-overview"
    )
    assert found["visualMap"][0]["max"] == most, "colours go to the largest mistake"
    button = browser.find_element(By.CSS_SELECTOR, "#confusion .pairs button")
    assert "…" in button.text
    assert browser.execute_script(_STOPS, "#confusion .pairs") == 1
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 1280
    browser.execute_script(KEEP)
    taken, size = saved(browser, save_buttons(browser.find_element(By.CSS_SELECTOR, _MATRIX)))
    assert (taken["faults"], taken["heading"][:18]) == (0, "CNN on blobs: test")
    assert called[0][7] in taken["said"]
    assert size > 20_000
    choose(browser, "class", "Class", names[7])
    pairs = [one.get_attribute("title") for one in browser.find_elements(By.CSS_SELECTOR, "#confusion .pairs button")]
    assert pairs
    assert all(names[7] in pair.split(" taken for ") for pair in pairs), "the mistakes of the class alone"
    choose(browser, "class", "Class", "")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#confusion .pairs button")) > len(pairs)
    narrow = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    until(browser, lambda: browser.execute_script("return document.documentElement.scrollWidth") <= 390)  # drawn anew
    rows = browser.execute_script(_READABLE)
    assert [name for name, *_ in rows] == [*names, "macro average", "weighted average"]
    assert [row for row in rows if row[1:] != [True, True, True]] == []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.get_log("browser") == []
