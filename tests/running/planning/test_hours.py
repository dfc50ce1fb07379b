"""A run with so many hours, on a made-up machine with a clock of its own."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from observers import Silent
from recorded import whole

import tuner
from tuner.analysis.ended import ended_in_words, events_in_words, hours_in_words
from tuner.cli import app
from tuner.errors import InputError
from tuner.executors import Executor, Outcome
from tuner.ledger.events import Event, Stop, limits_of
from tuner.ledger.ledger import Ledger
from tuner.running.loop import Runner
from tuner.running.planned import Prepared, all_final_proposals, all_search_proposals
from tuner.running.planning import hours
from tuner.running.planning.hours import Deadline, Timekeeper, expected, makespan
from tuner.running.planning.needs import Training
from tuner.running.planning.outlook import Outlook
from tuner.running.planning.pace import Load, Measured
from tuner.running.planning.timekeeping import promised
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Job, Result, Trial
from tuner.workspace import Workspace

PRINT = "f" * 16


def search_of(*entries: dict[str, Any], **more: Any) -> Search:
    raw = {"title": "x", "dataset": "blobs", "repeats": 2, "training": {"epochs": 9}, **more, "search": [*entries]}
    return parse_search(raw, "small", Path(), Overrides(), "0" * 16)


def units(family: str, count: int, **more: Any) -> dict[str, Any]:
    space = {"ann": {"dense_units": 0}, "cnn": {"filters": 0, "conv_depth": 1}}[family]
    listed = {name: value or list(range(1, count + 1)) for name, value in space.items()}
    return {"family": family, "space": listed, **more}


class Machine(Executor):
    """Takes so many seconds for an epoch of each family, by a clock of its own; `slower` than it was measured."""

    def __init__(self, places: int, clock: SimpleNamespace, slower: float = 1.0) -> None:
        self.slots, self._clock, self._slower = places, clock, slower
        self._running: list[tuple[float, str, Trial, float]] = []
        self.trained: list[Trial] = []

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        assert isinstance(argument, Job)
        took = seconds_of(argument.trial) * self._slower
        heapq.heappush(self._running, (self._clock.now + took, key, argument.trial, took))

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        ends, key, trial, took = heapq.heappop(self._running)
        self._clock.now = max(self._clock.now, ends)
        self.trained.append(trial)
        return [Outcome(key, result_of(trial, took))]

    def close(self) -> None: ...


def seconds_of(trial: Trial) -> float:
    return {"ann": 1.0, "cnn": 10.0}[trial.family] * trial.last_epoch


def result_of(trial: Trial, took: float) -> Result:
    score = int(trial.id[:4], 16) / 65_536
    history = {name: [score] * trial.last_epoch for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    result = Result(
        "completed",
        val_accuracy=score,
        val_loss=1.0,
        parameters=10,
        seconds=took,
        seconds_per_epoch=took / trial.last_epoch,
        history=history,
    )
    if trial.role == "search":
        return whole(result)
    files = {"model": "ab" * 32, "predictions": "cd" * 32}
    return Result("completed", parameters=10, seconds=took, test_accuracy=0.5, test_loss=1.0, files=files)


class Run:
    """A run of a search on that machine, as `StartedSearch` makes it."""

    def __init__(self, folder: Path, search: Search, clock: SimpleNamespace) -> None:
        self.search, self.clock = search, clock
        self.prepared = {"blobs": Prepared(PRINT, folder, (8, 8, 1), 3, 100)}
        self.workspace = Workspace(folder / "runs", folder / "reports")
        self.ledger = Ledger(self.workspace.ledger)
        self.ledger.open_search("small", "key", search.to_json())

    def go(self, seconds: float | None, places: int = 2, known: bool = True, slower: float = 1.0) -> Machine:
        """Search and retrain within so many seconds; return what trained."""
        machine = Machine(places, self.clock, slower)
        runner = Runner("small", self.ledger, machine, lambda trial: Job(trial, Path(), Path()), Silent())
        limits = limits_of(self.ledger.events("small"))
        keeper = None
        if seconds is not None and not limits:
            keeper = Timekeeper(self.outlook(known), self.clock.now + seconds, places)
            runner.listen(keeper.finished)
        proposals = all_search_proposals(self.search, self.prepared, limits)
        runner.drive("search", proposals, None, keeper)
        if keeper and seconds and (event := keeper.event(seconds / 3600, proposals)):
            self.ledger.note("small", event)
            runner.drive("x", all_search_proposals(self.search, self.prepared, limits_of([event])), None)
        finals = all_final_proposals(self.search, self.ledger, self.prepared, self.workspace)
        runner.drive("retraining", [proposals for proposals, _ in finals], None)
        return machine

    def outlook(self, known: bool) -> Outlook:
        outlook = Outlook(self.search, self.prepared, self.workspace)
        for one in self.search.model_searches if known else ():
            trials = [self.search.trial(one, "blobs", PRINT, values, None) for values in one.space.grid()]
            found = [Measured(t, outlook.load(t), seconds_of(t) / t.last_epoch, 0.0, False) for t in trials]
            for each in found:  # the same for every network, so that numbers can be worked out by hand
                object.__setattr__(each, "load", Load(0.0, each.load.steps))
            outlook.pace.add(found)
        return outlook

    def stops(self) -> dict[str, tuple[int, int]]:
        return {stop.model: (stop.after, stop.planned) for stop in self.ledger.events("small")[-1].stops}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(hours, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.mark.parametrize("places", [1, 2, 3])
@pytest.mark.parametrize("known", [True, False], ids=["measured before", "nothing known"])
def test_a_run_ends_in_its_time_with_its_retrainings_and_uses_most_of_it(
    tmp_path: Path, clock: SimpleNamespace, places: int, known: bool
) -> None:
    run = Run(tmp_path, search_of(units("cnn", 80)), clock)
    machine = run.go(2000, places, known)
    took = clock.now - 1000
    assert 1600 < took <= 2000
    assert [trial.role for trial in machine.trained[-2:]] == ["final", "final"]
    after, planned = run.stops()["cnn"]
    assert planned == 80
    assert after == sum(trial.role == "search" for trial in machine.trained)


def test_a_machine_that_is_slower_than_it_was_is_noticed(tmp_path: Path, clock: SimpleNamespace) -> None:
    run = Run(tmp_path, search_of(units("cnn", 40)), clock)
    run.go(3000, places=1, slower=2.0)
    assert 2200 < clock.now - 1000 <= 3000


def test_models_advance_side_by_side_and_each_has_a_trial_whatever_the_clock_says(
    tmp_path: Path, clock: SimpleNamespace
) -> None:
    run = Run(tmp_path, search_of(units("cnn", 20), units("ann", 10)), clock)
    run.go(800)
    stops = run.stops()
    assert stops["cnn"][0] in range(8, 16)
    assert stops.get("ann", (10, 10))[0] >= stops["cnn"][0] // 2
    short = Run(tmp_path / "short", search_of(units("cnn", 20), units("ann", 10)), clock)
    short.go(1)
    assert {model: after for model, (after, _) in short.stops().items()} == {"cnn": 1, "ann": 1}


def test_a_search_with_time_enough_has_no_event(tmp_path: Path, clock: SimpleNamespace) -> None:
    run = Run(tmp_path, search_of(units("cnn", 5)), clock)
    run.go(10_000)
    assert run.ledger.events("small") == []


@pytest.mark.parametrize("prune", [{}, {"prune": "halving"}], ids=["whole", "pruned"])
@pytest.mark.parametrize("seconds", [None, 5.0, 100_000.0])
def test_a_run_that_goes_on_before_its_report_stays_as_the_clock_left_it(
    tmp_path: Path, clock: SimpleNamespace, prune: dict[str, Any], seconds: float | None
) -> None:
    run = Run(tmp_path, search_of(units("cnn", 30, **prune)), clock)
    first = run.go(400 if prune else 1200)
    before = run.ledger.all_search_trials("small")
    whole_ones = [trial for trial in first.trained if trial.role == "search" and not trial.is_partial]
    assert whole_ones, "the best of what is pruned is trained to its end"
    again = run.go(seconds, places=3)
    assert [trial for trial in again.trained if trial.role == "search"] == []
    assert run.ledger.all_search_trials("small") == before
    assert len(run.ledger.events("small")) == 1


@pytest.mark.parametrize("prune", [{}, {"prune": "halving"}], ids=["whole", "pruned"])
def test_lifted_it_ends_as_if_there_had_been_no_clock(
    tmp_path: Path, clock: SimpleNamespace, prune: dict[str, Any]
) -> None:
    search = search_of(units("cnn", 12, **prune))
    run, free = Run(tmp_path / "a", search, clock), Run(tmp_path / "b", search, clock)
    run.go(250 if prune else 600)
    assert run.stops()["cnn"][0] < 12
    run.ledger.note("small", Event("lifted", None), anew=True)
    run.go(None)
    free.go(None)
    mine, others = (one.ledger.all_search_trials("small") for one in (run, free))
    assert [(place, record and record.trial) for place, record in mine] == [
        (place, record and record.trial) for place, record in others
    ]


def test_time_is_shared_by_the_splits_that_are_left(clock: SimpleNamespace) -> None:
    deadline = Deadline(1.0, begun=1000.0)
    clock.now = 1600.0
    assert deadline.of_split(3, report=600.0) == 1600.0 + (3600 - 600 - 600) / 3
    clock.now = 9000.0
    assert deadline.of_split(1, report=600.0) == 9000.0


def test_trainings_are_laid_out_the_longest_first() -> None:
    assert makespan([5, 5, 5], 2) == 10
    assert makespan([1, 1, 4], 2) == 4
    assert makespan([], 2) == 0


def test_what_can_be_expected_is_taken_in_turn(tmp_path: Path, clock: SimpleNamespace) -> None:
    run = Run(tmp_path, search_of(units("cnn", 4), units("ann", 4)), clock)
    outlook = run.outlook(known=True)
    searched = {
        (one.name, "blobs"): [
            Training(trial, Load(0.0, outlook.load(trial).steps), trial.last_epoch, False)
            for trial in (run.search.trial(one, "blobs", PRINT, values, None) for values in one.space.grid())
        ]
        for one in run.search.model_searches
    }
    # A CNN takes 90 s, an ANN 9: of 200 s at one place two of each, the first of the two that are equally far.
    assert expected(searched, outlook, 200, 1) == {("cnn", "blobs"): 2, ("ann", "blobs"): 2}
    assert expected(searched, outlook, 1e6, 1) == {("cnn", "blobs"): 4, ("ann", "blobs"): 4}


def test_events_are_told_in_words() -> None:
    search = search_of(units("cnn", 65))
    ended = Event("ended", 2.0, (Stop("cnn", "blobs", 12, 65),))
    assert ended_in_words(search, ended) == "12 of 65 configurations of CNN on blobs within 2 hours"
    assert events_in_words(search, [ended, Event("lifted", 0.5), Event("lifted", None)]) == [
        "ended by its hours after 12 of 65 configurations of CNN on blobs within 2 hours",
        "gone on with from there for 0.5 hours",
        "gone on with from there without a limit",
    ]
    assert [hours_in_words(one) for one in (0.02, 1, 8)] == ["1.2 min", "1 hour", "8 hours"]


@pytest.mark.parametrize("given", ["0", "-1", "nan", "inf", "1e9", "soon"])
def test_hours_that_are_none_are_refused_in_one_line(given: str) -> None:
    answer = CliRunner().invoke(app, ["run", "digits", "--hours", given])
    assert answer.exit_code == 2
    assert "--hours" in answer.output
    if given != "soon":
        said = f"hours: is {float(given):g}; it must be above 0, and at most 100,000"
        with pytest.raises(InputError, match=re.escape(said)):
            tuner.run("digits", hours=float(given))


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close every ledger that a test opened."""
    opened: list[Ledger] = []
    made = Ledger.__init__

    def noted(self: Ledger, *given: Any, **more: Any) -> None:
        made(self, *given, **more)
        opened.append(self)

    monkeypatch.setattr(Ledger, "__init__", noted)
    yield
    for ledger in opened:
        ledger.close()


def test_what_is_kept_is_promised_or_said_to_be_more_than_there_is() -> None:
    assert promised("2 h", "about 9 of 12", 180, 7200) == (
        "within 2 h, about 9 of 12 can be expected; 3 min are kept for retrainings and the report"
    )
    assert promised("1.8 min", "about 1 of 4", 240, 108) == (
        "1.8 min are hardly enough: retrainings and the report alone are expected to take 4 min; about "
        "1 of 4 are trained all the same, since without them there is nothing to report"
    )
