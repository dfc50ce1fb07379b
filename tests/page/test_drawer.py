"""The drawer of a trial, pinned trials held against each other, the best so far, two parameters, charts as files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from browsing import NEEDS_BROWSER, ActionChains, By, Keys, column, count, option, shown, until
from made_up import Project
from saved_pictures import KEEP, save_buttons, saved
from whole_page import page_of

from tuner.datasets.base import Dataset
from tuner.space.given import read_given

pytestmark = NEEDS_BROWSER
_DRAWER = "#drawer"


def row_of(browser: Any, place: int) -> Any:
    return browser.find_element(By.CSS_SELECTOR, f"#trials-rows tbody tr:nth-child({place})")


def click(browser: Any, element: Any, shift: bool = False) -> None:
    event = "arguments[0].dispatchEvent(new MouseEvent('click', {shiftKey: arguments[1], bubbles: true}))"
    browser.execute_script(event, element, shift)


def drawer_button(browser: Any, text: str) -> Any:
    return browser.find_element(By.XPATH, f"//*[@id='drawer']//button[.='{text}']")


def lines(browser: Any, under: str = f"{_DRAWER} dl") -> dict[str, str]:
    found: dict[str, str] = browser.execute_script(
        "return Object.fromEntries([...document.querySelectorAll(arguments[0] + ' dt')]"
        ".map((name) => [name.textContent, name.nextElementSibling.textContent]))",
        under,
    )
    return found


def title(browser: Any) -> str:
    return str(browser.find_element(By.CSS_SELECTOR, f"{_DRAWER} h2").text)


def test_a_row_opens_its_trial_with_settings_curve_and_cost_and_escape_closes_it(opened: Any) -> None:
    shown(opened, "#trials-rows")
    cells = {head: column(opened, head)[20] for head in ("dropout", "learning_rate", "val. accuracy", "trial", "time")}
    opened.execute_script("arguments[0].focus()", row_of(opened, 21))
    ActionChains(opened).send_keys(Keys.ENTER).perform()
    assert title(opened) == "CNN on patterns, rank 21"
    told = lines(opened)
    assert {name: told[name] for name in ("dropout", "learning_rate", "val. accuracy", "time")} == {
        name: cells[name] for name in ("dropout", "learning_rate", "val. accuracy", "time")
    }
    assert cells["trial"] in opened.find_element(By.CSS_SELECTOR, _DRAWER).text
    assert told["epochs"] == "12"
    until(opened, lambda: opened.find_elements(By.CSS_SELECTOR, f"{_DRAWER} .chart[data-drawn]"))
    (score, *_) = option(opened, f"{_DRAWER} .chart")["series"]
    assert score["data"] == 12, "an epoch each, of a trial that is not among the best"
    drawer_button(opened, "Worse").click()
    assert title(opened) == "CNN on patterns, rank 22"
    ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    assert not opened.find_element(By.CSS_SELECTOR, _DRAWER).is_displayed()
    focused = opened.execute_script("return document.activeElement.dataset.trial")
    assert focused == cells["trial"], "where the reader was before"


#: Where the best mark of a chart is, and the best line of the parallel coordinates, midway between two axes.
_ON_A_MARK = (
    "const box = arguments[0]; const chart = echarts.getInstanceByDom(box); const at = box.getBoundingClientRect();"
    "const marks = chart.getOption().series.find(({ type }) => type === 'scatter').data;"
    "const best = marks.reduce((a, b) => (b.value[1] > a.value[1] ? b : a));"
    "const [x, y] = chart.convertToPixel({ gridIndex: 0 }, best.value); return [at.x + x, at.y + y - 3]"
)
_ON_A_LINE = (
    "const box = arguments[0]; const chart = echarts.getInstanceByDom(box); const at = box.getBoundingClientRect();"
    "const data = chart.getModel().getSeries()[0].getData();"
    "const [[a, b], [c, d]] = data.getItemGraphicEl(data.count() - 1).shape.points.slice(-2);"
    "return [at.x + (a + c) / 2, at.y + (b + d) / 2]"
)
#: How many lines the parallel coordinates have, and how many of them a brush has made pale.
_LINES = (
    "const data = echarts.getInstanceByDom(document.querySelector('#parallel')).getModel().getSeries()[0];"
    "return [data.getData().count(), data.getRawIndicesByActiveState('inactive').length]"
)


def test_a_click_on_a_mark_or_a_line_opens_its_trial_and_leaves_filters_and_lines_as_they_are(
    opened_thousand: Any,
) -> None:
    opened = opened_thousand
    shown(opened, "#trials input[type=search]").send_keys("cnn")
    kept = count(opened)
    shown(opened, "#parallel")
    until(opened, lambda: opened.execute_script(_LINES) == [985, 0])
    for selector, where in (("[data-figure=cost] .chart", _ON_A_MARK), ("#parallel", _ON_A_LINE)):
        x, y = opened.execute_script(where, shown(opened, selector))
        for kind, buttons in (("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)):
            event = {"type": kind, "x": x, "y": y, "button": "left" if kind != "mouseMoved" else "none"}
            opened.execute_cdp_cmd("Input.dispatchMouseEvent", {**event, "buttons": buttons, "clickCount": 1})
        until(opened, lambda: opened.find_element(By.CSS_SELECTOR, _DRAWER).is_displayed())
        assert "rank" in title(opened)
        assert count(opened) == kept
        assert opened.execute_script(_LINES) == [985, 0]
        opened.find_element(By.CSS_SELECTOR, f"{_DRAWER} [aria-label=Close]").click()


def test_a_failed_trial_says_why(opened: Any) -> None:
    shown(opened, "#trials input[type=search]").send_keys("failed")
    click(opened, row_of(opened, 1))
    assert opened.find_element(By.CSS_SELECTOR, f"{_DRAWER} .error").text == "it | <broke>"
    assert not opened.find_elements(By.CSS_SELECTOR, f"{_DRAWER} .chart")


def test_a_trial_is_copied_as_an_entry_of_try_first(browser: Any, tmp_path: Path, blobs: Dataset) -> None:
    values = {"dense_units": [4, 8], "learning_rate": [0.001, 0.00123456789], "activation": ["relu", "tanh"], "l2": 0.5}
    raw = {"title": "T", "dataset": "blobs", "training": {"epochs": 3}, "search": [{"family": "ann", "space": values}]}
    made = Project(tmp_path, blobs, raw)
    trials = made.searched("ann", [0.5 + k / 100 for k in range(8)])
    path = tmp_path / "report.html"
    path.write_text(page_of(made, single_file=True).text, encoding="utf-8")
    for trial in (trials[7], trials[0]):
        browser.get("about:blank")
        browser.get(f"{path.as_uri()}#trials?open={trial.id}")
        text = browser.find_element(By.CSS_SELECTOR, f"{_DRAWER} pre").text
        given = tomllib.loads(f"try_first = [{text}]")["try_first"]
        assert read_given(given, made.search.model_searches[0].space) == (
            {
                name: value
                for name, value in trial.values.items()
                if name in made.search.model_searches[0].space.domains
            },
        )
    drawer_button(browser, "Copy as TOML").click()
    until(browser, lambda: "opied" in browser.find_element(By.CSS_SELECTOR, f"{_DRAWER} .quiet[role=status]").text)
    assert browser.get_log("browser") == []


def test_pinned_trials_are_compared_by_what_differs_alone(opened: Any) -> None:
    shown(opened, "#trials-rows")
    heads = ("conv_depth", "filters_1", "dropout", "learning_rate", "val. accuracy")
    cells = {head: [column(opened, head)[place] for place in (0, 4)] for head in heads}
    for place in (1, 5):
        click(opened, row_of(opened, place), shift=True)
    opened.find_element(By.XPATH, "//*[@id='selection']//button[.='Compare']").click()
    assert title(opened) == "Trials A, B: what differs"
    found = opened.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('#differences tbody tr')]"
        ".map((row) => [row.cells[0].textContent, [...row.cells].slice(1).map((cell) => cell.textContent)]))"
    )
    assert all(len(set(values)) > 1 for values in found.values())
    for head, values in cells.items():
        assert found.get(head) == (values if len(set(values)) > 1 else None)
    same = lines(opened, f"{_DRAWER} details dl")
    assert same["model"] == "CNN"
    assert not same.keys() & found.keys()
    until(opened, lambda: opened.find_elements(By.CSS_SELECTOR, f"{_DRAWER} .chart[data-drawn]"))
    assert [one["endLabel"]["formatter"] for one in option(opened, f"{_DRAWER} .chart")["series"][::2]] == ["A", "B"]
    shown(opened, "#curves .chart")
    names = [key.text for key in opened.find_elements(By.CSS_SELECTOR, "#curves .keys li")]
    assert any(name.split()[:2] == ["B", "CNN"] for name in names), "pinned ones have their curves among the best"


def test_the_best_so_far_never_falls_and_can_be_read_by_time(opened: Any) -> None:
    shown(opened, "#best-so-far")
    best = (
        "return echarts.getInstanceByDom(document.querySelector('#best-so-far')).getOption().series"
        ".filter(({ type }) => type === 'line').map(({ data }) => data)"
    )
    by_number = opened.execute_script(best)
    assert len(by_number) == 2, "a line for each model"
    assert option(opened, "#best-so-far")["xAxis"][0]["minInterval"] == 1, "no trial is number 1.5"
    assert max(x for line in by_number for x, _ in line) == 242
    select = opened.find_element(By.CSS_SELECTOR, "[data-figure=progress] select")
    opened.execute_script("arguments[0].value = 'time'; arguments[0].dispatchEvent(new Event('change'))", select)
    by_time = opened.execute_script(best)
    assert by_time != by_number
    for line in (*by_number, *by_time):
        assert [y for _, y in line] == sorted(y for _, y in line)
        assert [x for x, _ in line] == sorted(x for x, _ in line)


def test_two_clicks_in_the_importance_show_the_score_by_two_parameters(opened_thousand: Any) -> None:
    opened = opened_thousand
    shown(opened, "#pair")
    chart = shown(opened, "[data-figure=importance] .chart")
    bars = option(opened, "[data-figure=importance] .chart")["yAxis"][0]
    assert bars["data"] > 4
    names = opened.execute_script("return echarts.getInstanceByDom(arguments[0]).getOption().yAxis[0].data", chart)
    for name in ("dropout", "conv_depth"):
        x, y = opened.execute_script(
            "const chart = echarts.getInstanceByDom(arguments[0]);"
            "return chart.convertToPixel({gridIndex: 0}, [0.05, arguments[1]])",
            chart,
            names.index(name),
        )
        size = chart.size
        ActionChains(opened, duration=20).move_to_element_with_offset(
            chart, round(x + 1 - size["width"] / 2), round(y - size["height"] / 2)
        ).click().perform()
    shown(opened, "#pair")
    until(opened, lambda: option(opened, "#pair")["xAxis"][0]["name"] == "dropout")
    assert option(opened, "#pair")["yAxis"][0]["name"] == "conv_depth"
    cells = opened.execute_script(
        "return echarts.getInstanceByDom(document.querySelector('#pair')).getOption().series[0].data"
        ".map(({ cell }) => cell)"
    )
    assert len(cells) == 6, "of a network of one or two layers with three rates of dropout"
    assert sum(cell["count"] for cell in cells) == 985, "but for the ANN's, which has no depth"
    for cell in cells:
        assert cell["median"] <= cell["best"]
    opened.find_element(By.XPATH, "//*[@id='trials']//input[@type='search']").send_keys("dropout=0.5")
    until(
        opened,
        lambda: (
            len(
                opened.execute_script(
                    "return echarts.getInstanceByDom(document.querySelector('#pair')).getOption().series[0].data"
                )
            )
            == 2
        ),
    )
    assert count(opened) == "334 of 1,000 trials"


def _inks(browser: Any) -> list[str]:
    """Return the colours of the first two models as a browser computes them."""
    found: list[str] = browser.execute_script(
        "return [0, 1].map((k) => { const one = document.body.appendChild(document.createElement('i'));"
        "one.style.color = `var(--s${k})`; const { color } = getComputedStyle(one); one.remove(); return color; })"
    )
    return found


def test_every_figure_is_saved_as_svg_and_png_with_its_legend(opened_thousand: Any) -> None:
    opened = opened_thousand
    opened.execute_script(KEEP)
    drawn = "return [...document.querySelectorAll('.chart')].every((chart) => chart.dataset.drawn)"
    until(opened, lambda: opened.execute_script(drawn))
    pictures = {}
    for place in opened.find_elements(By.CSS_SELECTOR, "[data-figure]"):
        if "SVG" not in save_buttons(place):
            continue
        taken, size = saved(opened, save_buttons(place))
        assert taken["faults"] == 0
        assert taken["shapes"] > 5
        heading = "h3, .matrix caption"
        assert taken["heading"] == place.find_element(By.CSS_SELECTOR, heading).get_attribute("textContent")
        assert size > 10_000, "no empty picture"
        pictures[place.get_attribute("data-figure")] = taken
    assert len(pictures) == 12, "the confusion matrix among them, which is a table"
    cells = [one.text for one in opened.find_elements(By.CSS_SELECTOR, "#confusion .matrix td") if one.text != "·"]
    assert sorted(cells) == sorted(text for text in pictures["confusion-matrix"]["said"] if text.isdigit())
    cnn, ann = _inks(opened)
    for name in ("slices", "cost", "timeline"):
        keys = dict(zip(pictures[name]["texts"], pictures[name]["inks"], strict=True))
        assert keys == {"CNN": cnn, "ANN": ann}, name
    assert len(pictures["roc"]["texts"]) == 10
    assert all(re.fullmatch(r"\w+  0\.\d{4}", text) for text in pictures["roc"]["texts"]), "names and numbers apart"
    assert len(set(pictures["learning"]["dashes"])) == 5, "as the lines of its charts"


def test_the_curves_of_a_trial_and_of_compared_ones_are_saved(opened: Any) -> None:
    opened.execute_script(KEEP)
    for place in (1, 2):
        click(opened, row_of(opened, place), shift=True)
    click(opened, row_of(opened, 1))
    for heading in (title(opened), "Trials A, B"):
        until(opened, lambda: len(opened.find_elements(By.CSS_SELECTOR, f"{_DRAWER} .chart[data-drawn]")) == 2)
        taken, size = saved(opened, save_buttons(opened.find_element(By.CSS_SELECTOR, _DRAWER)))
        assert (taken["heading"], taken["faults"]) == (heading, 0)
        assert taken["shapes"] > 5
        assert size > 10_000
        if heading != "Trials A, B":
            drawer_button(opened, "Compare pinned").click()


def test_what_is_saved_is_one_stop_of_the_tab_key(opened: Any) -> None:
    bar = shown(opened, "[data-figure=parallel] [role=toolbar]")
    buttons = bar.find_elements(By.CSS_SELECTOR, "button")
    assert [button.get_attribute("tabindex") for button in buttons] == ["0", "-1", "-1"]
    opened.execute_script("arguments[0].focus()", buttons[0])
    ActionChains(opened).send_keys(Keys.ARROW_RIGHT).perform()
    assert opened.execute_script("return document.activeElement.textContent") == "PNG"
    assert [button.get_attribute("tabindex") for button in buttons] == ["-1", "0", "-1"]
