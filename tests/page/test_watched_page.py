"""A watched search in a browser: rows come once each, wait until they are asked for, and survive a lost connection.

Skipped where no Chromium with its driver is installed (Debian: `apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from browsing import NEEDS_BROWSER, By, until
from made_up import Project

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import Change, Decision, Request
from tuner.running.status import Status, StatusFile
from tuner.system.files import write_whole
from tuner.trial import Attempt, Job, Record, Result
from tuner.watching.feed import Feed
from tuner.watching.pages import Pages
from tuner.watching.serve import WatchServer, asker
from tuner.worker.progress import Progress

pytestmark = NEEDS_BROWSER


class Watched:
    """A made-up search that is being run and watched."""

    def __init__(
        self, folder: Path, data: Dataset, control: bool = False, raw: dict[str, object] | None = None
    ) -> None:
        self.project = Project(folder, data, raw)
        self.trials = self.project.searched("cnn", [0.7, 0.8, None, 0.9, 0.85]) if raw is None else []
        self.feed = Feed("small", self.project.search, self.project.workspace)
        self.feed.look()
        self.feed.start()
        workspace = self.project.workspace
        pages = Pages("small", workspace, self.feed, control)
        self.server = WatchServer("small", self.feed, pages, ask=asker(self.feed, workspace) if control else None)
        threading.Thread(target=self.server.serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
        self.project.ledger.close()

    def stops(self) -> None:
        (self.project.workspace.runs / "locks" / "small.holder").unlink()

    def runs(self, paused: bool = False) -> None:
        locks = self.project.workspace.runs / "locks"
        locks.mkdir(exist_ok=True)
        at = time.time() + 1
        told = Status("search", 7, 5, 0, 1, 2, (64.0, 95.0), at, paused, tuple(self.trials[3:4]))
        StatusFile(self.project.workspace.progress, "small").tell(told)
        write_whole(locks / "small.holder", lambda file: file.write_text(str(os.getpid())))


@pytest.fixture
def watched(tmp_path: Path, blobs: Dataset, undrawn: None, browser: Any) -> Iterator[Watched]:
    with Watched(tmp_path, blobs) as made:
        browser.get("about:blank")
        browser.get_log("browser")
        yield made


@pytest.fixture
def watching(browser: Any, tmp_path: Path, blobs: Dataset, undrawn: None) -> Iterator[Callable[..., Watched]]:
    """Makes a search that is being watched, in a window of any size; both end with the test."""
    with contextlib.ExitStack() as ends:
        yield lambda *arguments, **options: ends.enter_context(Watched(tmp_path, blobs, *arguments, **options))
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def keys(browser: Any) -> list[str]:
    found: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('#live-rows tbody tr')].map((row) => row.dataset.key)"
    )
    return found


def text(browser: Any, selector: str) -> str:
    return str(browser.find_element(By.CSS_SELECTOR, selector).text)


def open_page(browser: Any, made: Watched, state: str) -> None:
    browser.get(made.server.address)
    until(browser, lambda: browser.find_element(By.ID, "live-part").get_attribute("data-state") == state)


def test_new_rows_wait_until_they_are_asked_for_and_nothing_moves(browser: Any, watched: Watched) -> None:
    open_page(browser, watched, "stopped")
    assert len(keys(browser)) == 5
    show = browser.find_element(By.ID, "live-new")
    assert not show.is_displayed()
    place = "return document.querySelector('#verdict, #trials').getBoundingClientRect().top"
    before = browser.execute_script(place)
    watched.project.searched("ann", [0.5, 0.6])
    until(browser, show.is_displayed)
    assert show.text == "Show 2 new"
    assert browser.execute_script(place) == before
    assert len(keys(browser)) == 5
    show.send_keys("\n")
    assert len(keys(browser)) == len(set(keys(browser))) == 7
    assert not show.is_displayed()
    browser.find_element(By.ID, "live-anew").send_keys("\n")  # as from the keyboard
    until(browser, lambda: "of 7 finished trainings" in text(browser, ".live-below"))
    assert browser.get_log("browser") == []


def test_a_lost_connection_misses_no_row_and_shows_none_twice(browser: Any, watched: Watched) -> None:
    open_page(browser, watched, "stopped")
    before = watched.feed.wait
    watched.feed.wait = lambda seen, seconds: None  # type: ignore[method-assign]  # every stream ends
    browser.execute_script("window.kept = document.querySelector('#live-rows tbody tr')")
    watched.project.searched("ann", [0.5])
    until(browser, lambda: "The connection is lost" in text(browser, ".live-stands"))
    watched.project.searched("ann", [0.5, 0.6])
    watched.feed.wait = before  # type: ignore[method-assign]
    show = browser.find_element(By.ID, "live-new")
    until(browser, lambda: show.text == "Show 2 new")
    show.send_keys("\n")
    assert len(keys(browser)) == len(set(keys(browser))) == 7
    assert browser.execute_script("return window.kept.isConnected")  # a row that was there is there still
    assert browser.get_log("browser") == []


def test_workers_are_shown_with_epoch_and_curve_and_what_is_left_as_a_range(
    browser: Any,
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = watched.project
    monkeypatch.setenv("TUNER_WORKER", "2")
    trial = watched.trials[1]
    project.ledger.forget_trial(trial.id)
    watched.runs()
    with Progress(Job(trial, Path(), project.workspace.artifacts)) as progress:
        progress._told = 0.0
        progress.tell({"val_accuracy": [0.25, 0.5]}, "val_accuracy")
        open_page(browser, watched, "running")
        shown = ["Worker 2", "CNN on blobs", "epoch 2 of 3, validation accuracy 0.5000"]
        until(browser, lambda: text(browser, ".live-worker").splitlines()[:3] == shown)
        line = browser.find_element(By.CSS_SELECTOR, ".live-worker polyline").get_attribute("points")
        assert len(line.split()) == 2
        numbers = ["finished", "5 of 7", "running", "1 of 2", "failed", "1", "left", "64 to 95 s"]
        until(browser, lambda: text(browser, ".live-numbers").splitlines() == numbers)
    until(browser, lambda: "waits" in text(browser, ".live-worker"))
    assert browser.get_log("browser") == []


#: A button that asks whether it is really meant does not take that back after six seconds.
_PATIENT = "const real = setTimeout; window.setTimeout = (f, ms, ...more) => (ms === 6000 ? 1 : real(f, ms, ...more))"


def test_buttons_ask_the_run_and_what_it_decides_is_shown(
    browser: Any, watching: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNER_WORKER", "1")
    watched = watching(control=True)
    project, ledger = watched.project, watched.project.ledger
    running, waiting = watched.trials[1], watched.trials[3]
    for trial in (running, waiting):
        ledger.forget_trial(trial.id)
    watched.runs()
    browser.get("about:blank")
    browser.get_log("browser")
    with Progress(Job(running, Path(), project.workspace.artifacts)):
        open_page(browser, watched, "running")
        browser.execute_script(_PATIENT)
        until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".live-worker"))
        stop = browser.find_element(By.CSS_SELECTOR, ".live-worker button")
        stop.send_keys("\n")
        assert stop.text == "Really stop it?"
        assert ledger.requests("small") == []
        stop.send_keys("\n")
        until(browser, lambda: ledger.requests("small") == [(0, Request("stop", running.id))])
        until(browser, lambda: "not decided yet" in text(browser, ".live-asked"))
        ledger.decide("small", Decision(0, "stop", running.id, 3, trained=True))
        told = f"trial {running.id} stopped while it was trained, after 3 recorded trials"
        until(browser, lambda: text(browser, ".live-asked") == told)
        browser.find_element(By.CSS_SELECTOR, ".live-queued summary").send_keys("\n")
        browser.find_element(By.CSS_SELECTOR, ".live-queue button").send_keys("\n")
        until(browser, lambda: ledger.requests("small") == [(2, Request("skip", waiting.id))])
        pause = browser.find_element(By.ID, "live-pause")
        pause.send_keys("\n")
        until(browser, lambda: (3, Request("pause")) in ledger.requests("small"))
        watched.runs(paused=True)
        until(browser, lambda: pause.text == "Go on")
        assert "It is paused" in text(browser, ".live-stands")
        pause.send_keys("\n")
        until(browser, lambda: (4, Request("resume")) in ledger.requests("small"))
        watched.runs()
        until(browser, lambda: pause.text == "Pause")
        finish = browser.find_element(By.ID, "live-report")
        assert finish.text == "End and report"
        finish.send_keys("\n")
        assert finish.text == "Really end the search?"
        assert len(ledger.requests("small")) == 3
        finish.send_keys("\n")
        until(browser, lambda: (5, Request("report")) in ledger.requests("small"))
        assert finish.text == "End and report"
        watched.stops()
        until(browser, lambda: not pause.is_enabled() and not finish.is_enabled())
    assert browser.get_log("browser") == []


@pytest.mark.parametrize(("width", "control"), [(1280, True), (1280, False), (390, True)])
def test_nothing_moves_when_a_run_begins_decides_and_stops(
    width: int,
    control: bool,
    browser: Any,
    watching: Callable[..., Watched],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = watching(control)
    project, ledger = watched.project, watched.project.ledger
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    open_page(browser, watched, "stopped")

    def tops() -> list[float]:
        script = "return [...document.querySelectorAll('#live h3, #live-rows, #trials')].map((one) => one.offsetTop)"
        return list(browser.execute_script(script))

    def cards() -> list[str]:
        script = "return [...document.querySelectorAll('.live-what')].map((one) => one.textContent)"
        return list(browser.execute_script(script))

    before = tops()
    running = watched.trials[1:3]
    for trial in running:
        ledger.forget_trial(trial.id)
    watched.runs()
    until(browser, lambda: "The search runs." in text(browser, ".live-stands"))
    assert tops() == before
    reports = []
    for worker, trial in enumerate(running, start=1):
        monkeypatch.setenv("TUNER_WORKER", str(worker))
        reports.append(Progress(Job(trial, Path(), project.workspace.artifacts)).__enter__())
    until(browser, lambda: cards() == ["CNN on blobs"] * 2)
    assert tops() == before
    ledger.ask("small", Request("stop", running[0].id))
    ledger.decide("small", Decision(0, "stop", running[0].id, 3, trained=True))
    until(browser, lambda: "stopped while it was trained" in text(browser, ".live-asked"))
    assert tops() == before
    with monkeypatch.context() as patched:
        problem = InputError("runs/ledger.sqlite", "is written with a rollback journal", "end what writes it " * 20)
        patched.setattr(watched.feed, "_recorded", lambda told: (_ for _ in ()).throw(problem))
        until(browser, lambda: "rollback journal" in text(browser, ".live-trouble"))
        assert tops() == before
    for one in reports:
        one.__exit__(None, None, None)
    watched.runs(paused=True)
    until(browser, lambda: cards() == ["waits"] * 2 and "paused" in text(browser, ".live-stands"))
    assert tops() == before
    watched.stops()
    until(browser, lambda: "nobody runs it" in text(browser, ".live-stands"))
    assert cards() == ["waits"] * 2
    assert tops() == before


def test_trainings_of_workers_that_nobody_named_share_the_cards_that_are_there(
    browser: Any, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUNER_WORKER", raising=False)
    for trial in watched.trials:
        watched.project.ledger.forget_trial(trial.id)
    watched.runs()
    open_page(browser, watched, "running")

    def busy() -> int:
        return len(browser.find_elements(By.CSS_SELECTOR, ".live-worker:not(.idle)"))

    def job(place: int) -> Progress:
        return Progress(Job(watched.trials[place], Path(), watched.project.workspace.artifacts))

    with job(0):
        with job(1):
            until(browser, lambda: busy() == 2)
        until(browser, lambda: busy() == 1)
        with job(3):
            until(browser, lambda: busy() == 2)
            assert len(browser.find_elements(By.CSS_SELECTOR, ".live-worker")) == 2


#: What is text, and would act where it was taken for anything else.
EVIL = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


def test_hostile_names_are_text(
    browser: Any, watching: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNER_WORKER", "1")
    space = {"dense_units": [4, 8, 16, 32]}
    raw = {"title": EVIL, "dataset": "blobs", "training": {"epochs": 3}}
    monkeypatch.setattr("tuner.families.ann.Ann.label", EVIL)  # as a network of one's own may be called
    entries = [{"family": "ann", "space": space}, {"family": "cnn", "space": {"filters": [2, 4]}}]
    watched = watching(control=True, raw={**raw, "search": entries})
    project, ledger = watched.project, watched.project.ledger
    watched.trials = project.searched(project.search.model_searches[0].name, [0.5, 0.6, 0.7, 0.8])
    failed, running, _ = watched.trials[1:]  # and one that waits
    for trial in watched.trials[1:]:
        ledger.forget_trial(trial.id)
    ledger.record(Record(failed, Result("failed", EVIL, seconds=1.0)), Attempt.of(1.0, 1))
    watched.runs()
    ledger.ask("small", Request("add", model="cnn", values={"filters": EVIL}))
    browser.get("about:blank")
    browser.get_log("browser")
    until(browser, lambda: any(row["status"] == "failed" for row in watched.feed.told.rows))  # later ones wait unshown
    with Progress(Job(running, Path(), project.workspace.artifacts)):
        open_page(browser, watched, "running")
        until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".live-worker"))
        browser.find_element(By.CSS_SELECTOR, ".live-queued summary").send_keys("\n")
        browser.find_element(By.CSS_SELECTOR, ".live-form summary").send_keys("\n")
        until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "[data-name]"))
        assert browser.title == EVIL
        for place in ("h1", ".live-worker", ".live-queue", ".live-asked", "#live-model", "#live-rows .failed"):
            assert EVIL in browser.find_element(By.CSS_SELECTOR, place).get_attribute("textContent"), place
        with monkeypatch.context() as patched:
            patched.setattr(watched.feed, "_recorded", lambda told: (_ for _ in ()).throw(InputError(EVIL, "x", "y")))
            until(browser, lambda: EVIL in text(browser, ".live-trouble"))
    assert browser.execute_script("return document.querySelectorAll('#live img, [onerror], h1 *').length") == 0
    assert browser.get_log("browser") == []


#: A grid, and a random search over a space with a condition, ranges and a rule.
TWO: dict[str, object] = {
    "title": "Blobs",
    "dataset": "blobs",
    "training": {"epochs": 3},
    "search": [
        {"family": "ann", "space": {"dense_units": [4, 8]}},
        {
            "family": "cnn",
            "algorithm": "random",
            "max_trials": 5,
            "space": {"conv_depth": [1, 2], "filters": [2, 4], "dense_units": {"min": 4, "max": 64}},
            "rules": {"filters_never_decrease": True},
        },
    ],
}


@pytest.fixture
def two(browser: Any, watching: Callable[..., Watched]) -> Iterator[Ledger]:
    """The ledger of a search of these that runs; its page is open, with the form."""
    watched = watching(control=True, raw=TWO)
    watched.runs()
    browser.get("about:blank")
    browser.get_log("browser")
    open_page(browser, watched, "running")
    browser.find_element(By.CSS_SELECTOR, ".live-form summary").send_keys("\n")
    yield watched.project.ledger
    assert [entry for entry in browser.get_log("browser") if "409" not in entry["message"]] == []  # what is refused


def test_the_form_asks_for_what_matters_and_says_what_is_wrong_beside_it(browser: Any, two: Ledger) -> None:
    def find(selector: str) -> Any:
        return browser.find_element(By.CSS_SELECTOR, selector)

    def names() -> list[str]:
        script = "return [...document.querySelectorAll('[data-name]')].map((field) => field.dataset.name)"
        return list(browser.execute_script(script))

    def choose(selector: str, value: str) -> None:
        find(selector).send_keys(value)

    until(browser, lambda: names() == ["dense_units"])
    choose("#live-model", "CNN")
    until(browser, lambda: names() == ["conv_depth", "filters_1", "dense_units"])
    choose("[data-name=conv_depth]", "2")
    until(browser, lambda: names() == ["conv_depth", "filters_1", "filters_2", "dense_units"])
    choose("[data-name=filters_1]", "4")
    rule = "breaks the rule 'filters_never_decrease'; change the values or the rule"
    until(browser, lambda: text(browser, "#live-add-answer") == rule)
    assert not find("#live-add").is_enabled()
    choose("[data-name=filters_2]", "4")
    until(browser, lambda: text(browser, "#live-add-answer") == "")
    units = find("[data-name=dense_units]")
    units.clear()
    units.send_keys("65\t")
    line = "dense_units: 65 is not among the values that are searched; take one of 4 to 64"
    until(browser, lambda: text(browser, "#live-add-answer") == line)
    units.clear()
    units.send_keys("33\t")
    until(browser, lambda: text(browser, "#live-add-answer") == "")
    assert two.requests("small") == []
    find("#live-add").send_keys("\n")
    values = {"conv_depth": 2, "filters_1": 4, "filters_2": 4, "dense_units": 33}
    until(browser, lambda: two.requests("small") == [(0, Request("add", model="cnn", values=values))])


def test_the_form_changes_max_trials_where_there_is_one_and_tells_what_it_is_now(browser: Any, two: Ledger) -> None:
    most, change = browser.find_element(By.ID, "live-most"), browser.find_element(By.ID, "live-change")
    assert not most.is_enabled()
    assert text(browser, "#live-change-answer") == "a grid has none: it tries all"
    browser.find_element(By.ID, "live-model").send_keys("CNN")
    until(browser, most.is_enabled)
    assert most.get_attribute("value") == "5"

    def ask(number: str) -> None:
        most.clear()
        most.send_keys(number)
        change.send_keys("\n")

    ask("0")
    line = "Not taken: max_trials: is not a number from 1 to 1,000,000; take another one"
    until(browser, lambda: text(browser, "#live-change-answer") == line)
    assert two.requests("small") == []
    ask("8")
    until(browser, lambda: two.requests("small") == [(0, Request("max_trials", model="cnn", max_trials=8))])
    made = Change("blobs", 5, 0, True, limit=8)
    two.decide("small", Decision(0, "max_trials", "", 2, False, "", "cnn", None, 8, 5, (made,)))
    told = "max_trials of cnn changed from 5 to 8 after 2 recorded trials"
    until(browser, lambda: text(browser, ".live-asked") == told)
    assert most.get_attribute("value") == "8"


def test_a_page_without_control_has_no_buttons_for_it(browser: Any, watched: Watched) -> None:
    watched.runs()
    open_page(browser, watched, "running")
    assert not browser.find_element(By.ID, "live-pause").is_displayed()
    assert not browser.find_element(By.CSS_SELECTOR, ".live-queued").is_displayed()
    assert not browser.find_element(By.CSS_SELECTOR, ".live-form").is_displayed()


def test_a_page_with_nothing_yet_says_so_and_complains_of_nothing(
    browser: Any,
    tmp_path: Path,
    blobs: Dataset,
) -> None:
    made = Project(tmp_path, blobs)
    feed = Feed("small", made.search, made.workspace)
    feed.look()
    browser.get("about:blank")
    browser.get_log("browser")
    server = WatchServer("small", feed, Pages("small", made.workspace, feed))
    with contextlib.closing(made.ledger), contextlib.closing(server):
        threading.Thread(target=server.serve, daemon=True).start()
        browser.get(server.address)
        until(browser, lambda: "nobody runs it" in text(browser, ".live-stands"))
        assert text(browser, ".live-below") == "There are no figures yet."
        assert browser.get_log("browser") == []
