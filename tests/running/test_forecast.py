"""The time that a phase still takes, with numbers worked out by hand, and over whole made-up searches."""

from __future__ import annotations

import heapq
from types import SimpleNamespace

import pytest

from tuner.running import forecast
from tuner.running.forecast import Forecast
from tuner.trial import Record, Result, Trial


def trial(filters: int, dropout: float = 0.0) -> Trial:
    return Trial("cnn", "blobs", "0" * 16, {"filters": filters, "dropout": dropout}, epochs=10, seed=0)


def record(one: Trial, seconds: float, in_epochs: float) -> Record:
    """Return what is recorded of a trial that took so many seconds, of which its ten epochs took `in_epochs`."""
    history = {"loss": [1.0] * 10}
    return Record(one, Result("completed", seconds=seconds, seconds_per_epoch=in_epochs / 10, history=history))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(forecast, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_the_first_trial_tells_what_compiling_takes_and_what_a_unit_of_cost_takes(clock):
    told = Forecast(100.0)
    trials = [trial(filters) for filters in (1, 2, 3)]
    for one, cost in zip(trials, (40.0, 20.0, 10.0), strict=True):
        told.proposed(one, cost)
    assert told.seconds_left(3, 1) is None
    told.started(trials[0])
    clock.now = 106.0
    told.finished(record(trials[0], seconds=6.0, in_epochs=4.0))
    # Two seconds to compile each, and a tenth of a second a unit: (2 + 2) + (2 + 1).
    assert told.seconds_left(2, 1) == pytest.approx(7.0)
    assert told.seconds_left(2, 2) == pytest.approx(4.0)  # side by side, the longer of them
    assert told.seconds_left(3, 1) == pytest.approx(7.0 + (6 + 4 + 3) / 3)  # one that is not proposed yet


def test_what_runs_beside_the_first_is_nearly_done_too(clock):
    told = Forecast(100.0)
    trials = [trial(filters) for filters in range(5)]
    for one in trials:
        told.proposed(one, 10.0)
    for one in trials[:4]:
        told.started(one)
    clock.now = 112.0  # two seconds of which the workers took to start
    told.finished(record(trials[0], seconds=10.0, in_epochs=10.0))
    # Three that have taken all their ten seconds, too, with a tenth ahead, and one that waits; shared by four places.
    assert told.seconds_left(4, 4) == pytest.approx(10.0)
    assert told.seconds_left(4, 1) == pytest.approx(3 * 1.0 + 10.0)


def test_the_kin_of_a_trial_hardly_pays_again_for_what_it_compiled(clock):
    told = Forecast(100.0)
    group = [trial(1, dropout) for dropout in (0.0, 0.1, 0.2)]
    for one in group:
        told.proposed(one, 1.0)
    clock.now = 106.0
    told.finished(record(group[0], seconds=6.0, in_epochs=1.0))
    assert told.seconds_left(2, 1) == pytest.approx(2 * (0.2 * 5.0 + 1.0))
    clock.now = 108.0
    told.finished(record(group[1], seconds=1.5, in_epochs=1.0))
    assert told.seconds_left(1, 1) == pytest.approx(0.5 + 1.0)


@pytest.mark.parametrize("places", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("compiling", [0.0, 3.0, 30.0])
def test_the_first_forecast_of_a_search_is_not_far_off(clock, places, compiling):
    """Sixty trials whose cost differs a hundredfold, the longest first, on up to sixteen workers."""
    trials = [(trial(number), 100.0 / (1 + number * 99 / 59)) for number in range(60)]
    told, free, ends = Forecast(100.0), [104.0] * places, []
    for one, cost in trials:
        told.proposed(one, cost)
        begun = heapq.heappop(free)
        heapq.heappush(free, begun + compiling + cost / 10)
        ends.append((begun + compiling + cost / 10, begun, one, cost))
    first, whole = min(ends)[0], max(ends)[0]
    for _, begun, one, _ in ends:
        if begun < first:
            clock.now = 100.0  # it is handed over before its worker is ready
            told.started(one)
    clock.now = first
    _, _, one, cost = min(ends)
    told.finished(record(one, compiling + cost / 10, cost / 10))
    left = told.seconds_left(59, places)
    assert left is not None
    assert (whole - first) / 2 < left < 2 * (whole - first)


def test_what_is_left_lies_between_two_numbers_that_come_closer_as_more_is_known(clock):
    told = Forecast(100.0)
    trials = [trial(filters) for filters in range(40)]
    for one in trials:
        told.proposed(one, 10.0)
    assert told.left_between(40, 1) is None
    between = []
    for number, one in enumerate(trials[:30]):
        told.started(one)
        seconds = 12.0 if number % 2 else 8.0
        clock.now += seconds
        told.finished(record(one, seconds=seconds, in_epochs=seconds))
        left = 39 - number
        low, high = told.left_between(left, 1)
        assert low < told.seconds_left(left, 1) < high
        between.append(high / low)
    assert between[0] > between[5] > between[-1]
    assert low < 100.0 < high  # ten more, each of ten seconds in the mean
    assert between[-1] < 1.6
