"""Optimizers by name, with what they take."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from tuner.recipe.optimizers import OPTIMIZERS, make_optimizer


def moved(optimizer: keras.optimizers.Optimizer, gradient: float, start: float = 1.0) -> float:
    """Return where one step takes a variable."""
    variable = keras.Variable([start])
    optimizer.apply([keras.ops.convert_to_tensor([gradient])], [variable])
    return float(keras.ops.convert_to_numpy(variable)[0])


@pytest.mark.parametrize("name", OPTIMIZERS)
class TestEveryOptimizer:
    def test_is_keras_own_of_this_name_with_the_rate_that_is_asked_for(self, name: str, recipe: Any) -> None:
        optimizer = make_optimizer(recipe(optimizer=name, learning_rate=0.25), 0.25)
        assert type(optimizer).__name__.lower() == name
        assert float(optimizer.learning_rate) == 0.25

    def test_steps_against_the_gradient(self, name: str, recipe: Any) -> None:
        values = recipe(optimizer=name)
        assert moved(make_optimizer(values, 0.1), 1.0) < 1.0
        assert moved(make_optimizer(values, 0.1), -1.0) > 1.0

    def test_takes_a_schedule_for_its_rate(self, name: str, recipe: Any) -> None:
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.125])
        optimizer = make_optimizer(recipe(optimizer=name), schedule)
        assert float(optimizer.learning_rate) == 0.5
        moved(optimizer, 1.0)
        assert float(optimizer.learning_rate) == 0.125

    def test_decays_weights_by_rate_times_decay_at_each_step(self, name: str, recipe: Any) -> None:
        optimizer = make_optimizer(recipe(optimizer=name, weight_decay=0.5), 0.1)
        assert moved(optimizer, 0.0) == pytest.approx(1 - 0.1 * 0.5)

    def test_decays_nothing_where_no_decay_is_asked_for(self, name: str, recipe: Any) -> None:
        assert moved(make_optimizer(recipe(optimizer=name), 0.1), 0.0) == 1.0


def test_momentum_and_nesterov_are_taken_by_sgd_alone(recipe: Any) -> None:
    given = {"momentum": 0.9, "nesterov": True}
    optimizer = make_optimizer(recipe(optimizer="sgd", **given), 0.1)
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)
    assert {"momentum", "nesterov"}.isdisjoint(recipe(optimizer="adam", **given))


@pytest.mark.parametrize(("nesterov", "second"), [(False, 1.9), (True, 0.9 * 1.9 + 1)])
def test_momentum_by_hand(recipe: Any, nesterov: bool, second: float) -> None:
    # Velocity is 1, then 0.9 + 1, in units of rate times gradient; Nesterov looks a step ahead.
    optimizer = make_optimizer(recipe(optimizer="sgd", momentum=0.9, nesterov=nesterov), 0.1)
    variable = keras.Variable([0.0])
    for _ in range(2):
        before = float(variable[0])
        optimizer.apply([keras.ops.convert_to_tensor([1.0])], [variable])
    assert before - float(variable[0]) == pytest.approx(0.1 * second)
