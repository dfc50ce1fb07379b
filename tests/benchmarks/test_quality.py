"""Time to quality: the clock by hand, one space in everybody's words, and searches that are over at their target."""

from __future__ import annotations

import json
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from recorded import whole

from benchmarks.quality.clock import Cost, Reached, Spent
from benchmarks.quality.curves import Curves, median_cost, structure_of
from benchmarks.quality.ours import OURS
from benchmarks.quality.section import measure, median, quality_table, summary, target_of
from benchmarks.quality.space import BATCH_SIZES, DROPOUT, EPOCHS, GRID, L2, RATES, chosen, named, search_file
from tuner.oracles import rungs_of
from tuner.search_file.file import load_search
from tuner.trial import Result

COST = Cost(beginning=2.0, epoch=0.5)


class TestClock:
    def test_one_training_after_the_other(self) -> None:
        spent = Spent(0.9)
        spent.train([0.5, 0.6], COST)
        assert (spent.now, spent.seconds, spent.epochs) == (3.0, None, None)
        with pytest.raises(Reached):
            spent.train([0.7, 0.9, 0.95], COST)
        assert spent.seconds == 3.0 + 2.0 + 2 * 0.5
        assert spent.epochs == 4

    def test_two_at_a_time_the_earlier_moment_counts_with_what_both_trained_until_then(self) -> None:
        spent = Spent(0.9)
        assert spent.train([0.5, 0.6, 0.7, 0.9], COST, begun=0.0) == 4.0
        assert spent.seconds == 4.0
        assert spent.train([0.8, 0.9], Cost(1.0, 0.25), begun=1.0) == 2.5
        assert spent.seconds == 2.5
        assert spent.epochs == 1 + 2, "the epoch that ended at 2.5 s, and two of the other training"

    def test_what_is_never_reached_is_infinitely_long(self) -> None:
        found = [Spent(1.0, seconds=3.0, ends=[1.0]), Spent(1.0), Spent(1.0)]
        assert median(found) == float("inf")
        assert "1 of 3" in quality_table({"this tool, random": found})

    def test_peers_are_told_by_their_best_or_as_not_there(self) -> None:
        spent = {
            "this tool, a": [Spent(1.0, seconds=10.0)],
            "Optuna, b": [Spent(1.0)],
            "KerasTuner, c": [Spent(1.0, seconds=25.0)],
            "KerasTuner, d": [Spent(1.0)],
        }
        assert summary(spent) == (
            "The median of this tool, a is 10 s; most runs of each of Optuna's do not reach their target, and the best "
            "of KerasTuner (KerasTuner, c) takes 2.5 times as long."
        )

    def test_the_median_cost_of_rounds(self) -> None:
        assert median_cost([Cost(1, 5), Cost(9, 6), Cost(2, 4)]) == Cost(2, 5)


def every_choice() -> list[str]:
    """Every configuration that a program can choose."""
    found: list[str] = []
    open_: list[list[Any]] = [[]]
    while open_:
        made = open_.pop()
        left = list(made)

        def choose(name: str, values: Any, left: list[Any] = left, made: list[Any] = made) -> Any:
            if left:
                return left.pop(0)
            open_.extend([*made, value] for value in values)
            raise LookupError

        try:
            found.append(chosen(choose))
        except LookupError:
            continue
    return found


def test_the_space_has_200_configurations_and_is_the_same_for_all(tmp_path: Path) -> None:
    file = tmp_path / "search.toml"
    file.write_text(search_file(tmp_path / "images.npz", GRID, 0), encoding="utf-8")
    ours = [named(values) for values in load_search(file).model_searches[0].space.grid()]
    assert len(ours) == len(set(ours)) == 200
    assert sorted(ours) == sorted(every_choice())


@pytest.fixture(scope="module")
def curves() -> Curves:
    """Curves of all 200: higher rates learn faster, and one configuration alone is best."""
    results, costs = {}, {}
    for number, name in enumerate(sorted(every_choice())):
        scores = [0.5 + 0.4 * epoch / EPOCHS * (number + 1) / 200 for epoch in range(1, EPOCHS + 1)]
        result = Result("completed", val_accuracy=scores[-1], history={"val_accuracy": scores}, parameters=10)
        results[name], costs[name] = whole(result, EPOCHS), Cost(1.0, 0.5)
    return Curves(results, "f" * 16, costs, costs)


def test_the_target_is_the_best_of_forty_drawn_by_the_seed(curves: Curves) -> None:
    targets = [target_of(curves, seed) for seed in range(30)]
    assert targets[0] == target_of(curves, 0)
    assert len(set(targets)) > 5
    best = max(map(curves.best, curves.results))
    assert 0 < sum(target == best for target in targets) < 15, "one of 200 is among 40 every fifth time"


@pytest.mark.parametrize("name", OURS)
def test_our_searches_are_over_at_their_target_and_say_what_they_spent(name: str, curves: Curves) -> None:
    spent = Spent(0.85)
    OURS[name](curves, spent, 1)
    assert spent.seconds is not None
    assert spent.epochs is not None
    assert spent.seconds <= spent.now + 1.0 + 0.5 * EPOCHS
    assert 1 <= spent.epochs <= 200 * EPOCHS


def test_pruning_goes_on_from_where_a_configuration_stopped(curves: Curves) -> None:
    never = Spent(2.0)
    OURS["this tool, random and halving"](curves, never, 0)
    assert never.seconds is None
    first = rungs_of(EPOCHS, 3)[0]
    assert 200 * first < len(never.ends) < 200 * EPOCHS / 2


@pytest.mark.slow
def test_every_method_is_measured_on_the_same_targets(curves: Curves, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras_tuner

    from benchmarks.quality.peers import PEERS, SLOW, by_keras_tuner

    few = partial(by_keras_tuner, keras_tuner.BayesianOptimization, {"max_trials": 13})  # twelve drawn, one decided on
    monkeypatch.setitem(PEERS, SLOW, few)  # each that is decided on takes a second, and more the more there were
    spent = measure(curves, seeds=1)
    assert {one.target for found in spent.values() for one in found} == {target_of(curves, 0)}
    assert len(quality_table(spent).splitlines()) == 2 + 9
    assert summary(spent).startswith("The median of this tool, ")


def test_a_structure_is_all_but_the_rate() -> None:
    names = every_choice()
    assert len({structure_of(json.loads(name)) for name in names}) == 200 // len(RATES)
    assert len(list(product(DROPOUT, L2, BATCH_SIZES))) == 8
