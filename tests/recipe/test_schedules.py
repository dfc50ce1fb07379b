"""Schedules: the rate at each step, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

from tuner.errors import InputError
from tuner.recipe.optimizers import make_optimizer
from tuner.recipe.schedules import SCHEDULES, learning_rate, parse_steps


def rates(values: dict[str, Any], epochs: int, steps: int) -> list[float]:
    """Return the rate at each step of a training."""
    rate = learning_rate(values, epochs, steps)
    return [float(rate(step)) if callable(rate) else rate for step in range(epochs * steps)]


def by_epoch(values: dict[str, Any], epochs: int, steps: int) -> list[float]:
    """Return the rate of each epoch, which has to be one in all its steps."""
    table = np.reshape(rates(values, epochs, steps), (epochs, steps))
    assert (table == table[:, :1]).all(), "the rate changes within an epoch"
    return [float(f"{rate:.6g}") for rate in table[:, 0]]


@pytest.mark.parametrize("name", SCHEDULES)
class TestEverySchedule:
    def test_begins_at_the_full_rate_and_never_exceeds_it(self, name: str, recipe: Any) -> None:
        found = rates(recipe(schedule=name, learning_rate=0.5), 6, 3)
        assert found[0] == pytest.approx(0.5, rel=0.01)
        assert all(0 <= rate <= 0.5 * (1 + 1e-6) for rate in found)

    def test_rises_linearly_through_its_warm_up_and_is_itself_afterwards(self, name: str, recipe: Any) -> None:
        plain = rates(recipe(schedule=name, learning_rate=0.5), 6, 4)
        warm = rates(recipe(schedule=name, learning_rate=0.5, warmup_epochs=2), 6, 4)
        assert warm[0] == pytest.approx(0.5 / 8)
        assert warm[:8] == pytest.approx([rate * (i + 1) / 8 for i, rate in enumerate(plain[:8])])
        assert warm[7:] == pytest.approx(plain[7:])

    def test_is_what_the_optimizer_steps_by(self, name: str, recipe: Any) -> None:
        values = recipe(schedule=name, learning_rate=0.5, warmup_epochs=1, optimizer="sgd")
        optimizer = make_optimizer(values, learning_rate(values, 4, 3))
        variable = keras.Variable([0.0])
        places = [0.0]
        for _ in range(12):
            optimizer.apply([keras.ops.convert_to_tensor([-1.0])], [variable])
            places.append(float(variable[0]))
        np.testing.assert_allclose(np.diff(places), rates(values, 4, 3), atol=1e-6)

    def test_is_the_same_in_a_graph(self, name: str, recipe: Any) -> None:
        if keras.backend.backend() != "tensorflow":
            pytest.skip("graphs are TensorFlow's")
        import tensorflow as tf

        values = recipe(schedule=name, warmup_epochs=1)
        rate = learning_rate(values, 3, 2)
        traced = tf.function(rate)
        assert [float(traced(tf.constant(i, tf.int64))) for i in range(6)] == pytest.approx(rates(values, 3, 2))


def test_without_a_warm_up_a_constant_rate_is_a_number(recipe: Any) -> None:
    assert learning_rate(recipe(learning_rate=0.25), 10, 10) == 0.25


#: 14 epochs at 0.1, 15 at 0.02, 10 at 0.004 and 11 at 0.0008.
STUDY_E = [0.1] * 14 + [0.02] * 15 + [0.004] * 10 + [0.0008] * 11


@pytest.mark.parametrize("steps", ["14 29 39", "0.28 0.58 0.78", "14, 29, 39"])
def test_steps_drop_the_rate_at_the_first_step_of_an_epoch(recipe: Any, steps: str) -> None:
    values = recipe(schedule="steps", schedule_steps=steps, schedule_factor=0.2, learning_rate=0.1)
    assert by_epoch(values, 50, 3) == STUDY_E


def test_shares_follow_the_number_of_epochs_and_epochs_do_not(recipe: Any) -> None:
    shares = recipe(schedule="steps", schedule_steps="0.5 0.75", learning_rate=1.0)
    epochs = recipe(schedule="steps", schedule_steps="2 6", learning_rate=1.0)
    assert by_epoch(shares, 4, 2) == [1, 1, 0.1, 0.01]
    assert by_epoch(shares, 8, 2) == [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01]
    assert by_epoch(epochs, 4, 2) == [1, 1, 0.1, 0.1]


def test_drops_that_fall_on_one_epoch_of_a_short_training_count_all(recipe: Any) -> None:
    values = recipe(schedule="steps", schedule_steps="0.4 0.5 0.6", learning_rate=1.0)
    assert by_epoch(values, 2, 3) == [1, 0.001]


def test_one_step_an_epoch_is_enough_for_a_schedule(recipe: Any) -> None:
    assert by_epoch(recipe(schedule="steps", schedule_steps="1 2", learning_rate=1.0), 3, 1) == [1, 0.1, 0.01]


def test_cosine_goes_from_the_full_rate_over_the_half_to_nothing(recipe: Any) -> None:
    rate = learning_rate(recipe(schedule="cosine", learning_rate=0.4), 10, 5)
    assert [float(rate(step)) for step in (0, 25, 50, 60)] == pytest.approx([0.4, 0.2, 0, 0], abs=1e-7)
    found = rates(recipe(schedule="cosine", learning_rate=0.4), 10, 5)
    assert found == pytest.approx([0.2 * (1 + math.cos(math.pi * i / 50)) for i in range(50)], abs=1e-7)
    assert found[-1] > 0


def test_the_warm_up_ends_at_the_full_rate(recipe: Any) -> None:
    found = rates(recipe(learning_rate=0.8, warmup_epochs=2), 3, 4)
    assert found == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8])


@pytest.mark.parametrize(
    ("text", "numbers"), [("14 29 39", [14, 29, 39]), ("0.5", [0.5]), ("1", [1]), (" .5,.75 ", [0.5, 0.75])]
)
def test_steps_are_read_as_epochs_or_shares(text: str, numbers: list[float]) -> None:
    assert parse_steps(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "9 soon",
        "0 5",
        "-1 5",
        "1.5",
        "5 5",
        "9 5",
        "0.75 0.5",
        "0.5 5",
        "0.5 1",
        "nan",
        "inf",
        "1e999",
    ],
)
def test_steps_that_are_no_rising_epochs_or_shares_are_the_users_error(recipe: Any, text: str) -> None:
    with pytest.raises(ValueError, match="is not rising epochs"):
        parse_steps(text)
    with pytest.raises(InputError, match=r"space\.schedule_steps: .* is not rising epochs"):
        recipe(schedule="steps", schedule_steps=text)
