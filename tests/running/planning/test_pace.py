"""How fast a machine trains, and what a run needs, with numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tuner.running.planning.needs import Interval, Network, Steps, Training, disk_of, memory_of, span_of, whole_time
from tuner.running.planning.pace import MOST_SLOWER, Load, Measured, Pace, load_of, measured
from tuner.trial import Record, Result, Trial


def trial(filters: int = 1, family: str = "cnn", epochs: int = 9, **more: Any) -> Trial:
    values = {"filters": filters, "batch_size": 8, "dropout": more.pop("dropout", 0.0), **more.pop("values", {})}
    return Trial(family, "blobs", "0" * 16, values, epochs=epochs, seed=0, **more)


def once(one: Trial, load: Load, per_epoch: float, beside: float = 0.0, later: bool = False) -> Measured:
    return Measured(one, load, per_epoch, beside, later)


def test_an_epoch_has_the_steps_and_the_multiply_adds_of_its_images() -> None:
    searched = trial(train_size=60, validation=0.2)
    assert load_of(searched, 10.0, 1000) == Load(10.0 * (48 + 12 / 3), 6.0)
    assert load_of(searched.as_final(1), 10.0, 1000) == Load(600.0, 7.5)
    assert load_of(replace(searched, train_size=None), 10.0, 50).steps == 5.0


def test_a_step_and_a_multiply_add_each_take_their_time() -> None:
    pace = Pace()
    pace.add([once(trial(1), Load(100, 10), 3.0, beside=4.0), once(trial(2), Load(300, 10), 5.0, beside=2.0)])
    # A hundredth of a second a unit of work, and a fifth of a second a step.
    assert pace.seconds(trial(3), Load(200, 10), 4, later=False) == pytest.approx(3.0 + 4 * (2 + 2))
    assert pace.seconds(trial(3), Load(200, 10), 4, later=True) == pytest.approx(0.2 * 3.0 + 4 * (2 + 2))
    assert pace.knows(trial(9))
    assert not pace.knows(trial(9, family="ann"))
    assert not pace.knows(trial(9, threads=2))


def test_one_training_tells_by_its_work_alone_or_by_its_steps_where_nobody_knows_the_work() -> None:
    pace = Pace()
    pace.add([once(trial(), Load(100, 10), 2.0)])
    assert pace.seconds(trial(), Load(50, 10), 1, later=False) == pytest.approx(1.0)
    pace.add([once(trial(family="own:build"), Load(0, 10), 2.0)])
    assert pace.seconds(trial(family="own:build"), Load(0, 20), 1, later=False) == pytest.approx(4.0)


def test_early_stopping_takes_part_of_the_epochs_as_far_as_it_did() -> None:
    stopping = trial(values={"early_stopping": "val_loss"})
    pace = Pace()
    pace.add([replace(once(stopping, Load(100, 10), 1.0), share=0.5)])
    assert pace.seconds(stopping, Load(100, 10), 8, later=False) == pytest.approx(4.0)
    assert pace.seconds(stopping.as_final(1), Load(100, 10), 8, later=False) == pytest.approx(8.0)


def test_a_look_at_the_machine_as_it_is_now_corrects_what_was_recorded_and_not_what_was_probed() -> None:
    pace = Pace()
    pace.add([once(trial(), Load(100, 10), 2.0, beside=1.0)])
    pace.add([once(trial(family="ann"), Load(100, 10), 2.0, beside=1.0)], probed=True)
    pace.check([once(trial(), Load(50, 10), 3.0), once(trial(), Load(50, 10), 3.0)])
    assert pace.slower == pytest.approx(3.0)
    assert pace.seconds(trial(), Load(100, 10), 2, later=False) == pytest.approx(3 * 5.0)
    assert pace.seconds(trial(family="ann"), Load(100, 10), 2, later=False) == pytest.approx(5.0)
    pace.check([once(trial(), Load(50, 10), 1e9)])
    assert pace.slower == MOST_SLOWER


def test_what_a_run_measures_takes_the_place_of_a_probe_in_the_interval() -> None:
    pace = Pace()
    pace.add([once(trial(1), Load(100, 10), 1.0)], probed=True)
    guessed = pace.drift(trial(1))
    pace.add([once(trial(number), Load(100, 10), 1.0) for number in range(5)])
    assert pace.drift(trial(1)) < guessed


def test_a_record_tells_what_lies_beside_its_epochs_and_whether_its_group_came_before() -> None:
    history = {"loss": [1.0] * 3}
    result = Result("completed", seconds=5.0, seconds_per_epoch=1.0, history=history)
    seen: set[str] = set()
    first = measured(Record(trial(), result), Load(1, 1), seen)
    later = measured(Record(trial(dropout=0.5), result), Load(1, 1), seen)
    assert first is not None and later is not None
    assert (first.beside, first.later, first.share) == (2.0, False, 3 / 9)
    assert later.later
    assert measured(Record(trial(), Result("failed", "x")), Load(1, 1), seen) is None


def test_a_further_training_takes_the_epochs_behind_the_one_before_and_a_recorded_one_none() -> None:
    rungs = [trial(stop_after=1), trial(stop_after=3), trial()]
    steps = Steps(lambda one: Load(1, 1), [])
    assert [one.epochs for one in steps.of(rungs)] == [1, 2, 6]
    after = Steps(lambda one: Load(1, 1), rungs[:2])
    assert [one.epochs for one in after.of([*rungs, trial(2)])] == [6, 9]
    assert [one.epochs for one in after.of([trial().as_final(5)])] == [9]


def trainings(count: int, **more: Any) -> list[Training]:
    return [Training(trial(number), Load(100, 10), 1, False, **more) for number in range(count)]


@pytest.fixture
def pace() -> Pace:
    pace = Pace()
    pace.add([once(trial(1), Load(100, 10), 10.0)])
    return pace


def test_trainings_are_shared_by_all_places_and_end_no_sooner_than_the_longest(pace: Pace) -> None:
    assert span_of(trainings(4), pace, 2).seconds == pytest.approx(20)
    assert span_of(trainings(4), pace, 8).seconds == pytest.approx(10)
    assert span_of([], pace, 2).seconds == 0
    assert span_of(trainings(2, weight=10.0, guessed="drawn"), pace, 2).seconds == pytest.approx(100)


def test_what_nobody_knows_yet_makes_the_interval_wider(pace: Pace) -> None:
    known = [Training(trial(n), Load(100 * (n + 1), 10), 1, False) for n in range(6)]
    spreads = [
        span_of([replace(one, guessed=guessed) for one in known], pace, 1).spread
        for guessed in ("", "drawn", "learned", "winner")
    ]
    assert spreads == sorted(spreads)
    assert len(set(spreads)) == 4


def test_a_winner_stands_for_its_retrainings_whichever_it_is() -> None:
    found = Steps(lambda one: Load(1, 1), []).winners([trial(1), trial(2)], repeats=3, hold_out=0.0)
    assert [one.weight for one in found] == [1.5, 1.5]
    assert {one.trial.role for one in found} == {"final"}


def test_the_interval_of_the_whole_time_holds_its_parts(pace: Pace) -> None:
    span = span_of(trainings(4), pace, 2)
    whole = whole_time(5.0, span, span, 5.0)
    assert whole.middle == pytest.approx(50)
    assert whole.low < 50 < whole.high
    assert whole.low * whole.high == pytest.approx(50**2)
    assert Interval.around(10.0, 0.0) == Interval(10.0, 10.0, 10.0)
    assert math.isclose(Interval.around(10.0, 0.1).high, 10 * math.exp(0.1645))


def test_memory_grows_with_networks_batches_and_places() -> None:
    small, large = Network(1_000, 10_000), Network(10_000_000, 1_000_000)
    one = memory_of([(small, 32)], 1e6, 1)
    assert one.low < one.middle < one.high
    assert memory_of([(large, 32)], 1e6, 1).middle - one.middle > 4 * 1_000_000 * 32
    assert memory_of([(small, 32)], 1e6, 4).middle > 2 * one.middle


def test_disk_holds_what_is_known_and_the_models_that_may_win() -> None:
    found = disk_of({"data": 10.0, "rows": 10.0}, [100.0, 300.0], files=2)
    assert (found.low, found.middle) == (16.0 + 200.0, 20.0 + 400.0)
    assert found.high > 600.0
