"""Axes of the parallel coordinates and columns of the table: moved, hidden, turned over, on another scale."""

from __future__ import annotations

from typing import Any

from browsing import NEEDS_BROWSER, ActionChains, By, Keys, column, count, option, shown, until

pytestmark = NEEDS_BROWSER


def arrange(browser: Any, figure: str, control: str) -> None:
    """Use a control of an arrangement, by its name for a screen reader."""
    found = browser.find_element(By.CSS_SELECTOR, f"[data-figure={figure}] .arranged [aria-label='{control}']")
    browser.execute_script("arguments[0].closest('details').open = true; arguments[0].click()", found)


def axes(browser: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = option(browser, "#parallel")["parallelAxis"]
    return found


def names(browser: Any) -> list[str]:
    return [axis["name"].replace("\n", "") for axis in axes(browser)]


def heads(browser: Any) -> list[str]:
    return [head.text.split(" ")[0] for head in browser.find_elements(By.CSS_SELECTOR, "#trials-rows thead th")]


def test_axes_are_hidden_moved_turned_over_and_put_on_another_scale(opened: Any) -> None:
    shown(opened, "#parallel")
    before = names(opened)
    arrange(opened, "parallel", "filters_1: hidden")
    without = [name for name in before if name != "filters_1"]
    until(opened, lambda: names(opened) == without)
    arrange(opened, "parallel", "dropout earlier")
    place = without.index("dropout")
    moved = [*without[: place - 1], "dropout", without[place - 1], *without[place + 1 :]]
    until(opened, lambda: names(opened) == moved)
    arrange(opened, "parallel", "dropout: turned over")
    until(opened, lambda: axes(opened)[place - 1]["inverse"])
    rate = moved.index("learning_rate")
    assert axes(opened)[rate]["max"] < 0, "a logarithm"
    arrange(opened, "parallel", "learning_rate: other scale")
    until(opened, lambda: 0.1 <= axes(opened)[rate]["max"] < 0.11)
    until(opened, lambda: "axes=" in opened.execute_script("return location.hash"))
    opened.refresh()
    shown(opened, "#parallel")
    assert names(opened) == moved, "as the address says"
    assert axes(opened)[place - 1]["inverse"]
    for _ in range(4):
        ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    opened.execute_script("document.querySelector('[data-figure=parallel] .arranged + button').click()")
    until(opened, lambda: names(opened) == before)


def test_a_range_stays_the_same_trials_on_another_scale(opened: Any) -> None:
    shown(opened, "#trials .filter-panel summary")
    low, high = opened.find_elements(
        By.XPATH,
        "//*[@class='filter-panel']//fieldset[legend='learning_rate']//input",
    )
    opened.execute_script("arguments[0].closest('details').open = true", low)
    low.send_keys("0.0005")
    high.send_keys("0.001\t")
    kept = count(opened)
    shown(opened, "#parallel")
    active = (
        "return echarts.getInstanceByDom(document.querySelector('#parallel')).getModel().getSeries()[0]"
        ".getRawIndicesByActiveState('active').length"
    )
    lines = opened.execute_script(active)
    assert 30 < lines <= int(kept.split(" ")[0])
    arrange(opened, "parallel", "learning_rate: other scale")
    rate = names(opened).index("learning_rate")
    until(opened, lambda: axes(opened)[rate]["max"] > 0)
    assert opened.execute_script(active) == lines
    assert count(opened) == kept


def test_columns_are_hidden_and_moved(opened: Any) -> None:
    shown(opened, "#trials-rows")
    before = heads(opened)
    rates = column(opened, "learning_rate")
    arrange(opened, "trials-table", "dropout: hidden")
    arrange(opened, "trials-table", "learning_rate earlier")
    after = [name for name in before if name != "dropout"]
    assert sorted(heads(opened)) == sorted(after)
    arrange(opened, "trials-table", "learning_rate earlier")
    assert heads(opened).index("learning_rate") == before.index("learning_rate") - 2
    assert column(opened, "learning_rate") == rates
    assert opened.execute_script("return document.activeElement.getAttribute('aria-label')") == "learning_rate earlier"
    ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    ActionChains(opened).send_keys(Keys.ESCAPE).perform()
    assert heads(opened) == before
