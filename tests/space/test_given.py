"""Configurations that a search file gives to be tried first."""

from __future__ import annotations

import pytest

from tuner.errors import InputError
from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.space.given import read_given
from tuner.space.space import Space, read_space


def space(**more: object) -> Space:
    given = {"conv_depth": [1, 2], "filters": [4, 8, 16], "dense_units": {"min": 4, "max": 64}, "dropout": 0.5, **more}
    rules = {"filters_never_decrease": True}
    return read_space(given, rules, [*FAMILIES["cnn"].parameters, *RECIPE], {})


def test_values_are_completed_by_what_the_space_fixes_and_stand_in_its_order() -> None:
    (found,) = read_given([{"dense_units": 33, "filters": 8, "conv_depth": 2}], space())
    varying = {name: found[name] for name in ("conv_depth", "filters_1", "filters_2", "dense_units", "dropout")}
    assert varying == {"conv_depth": 2, "filters_1": 8, "filters_2": 8, "dense_units": 33, "dropout": 0.5}
    assert list(found) == [parameter.name for parameter in space().parameters if parameter.name in found]
    assert found == space().active(found)


def test_a_layer_may_differ_from_its_group() -> None:
    (found,) = read_given([{"dense_units": 4, "filters": 4, "filters_2": 16, "conv_depth": 2}], space())
    assert (found["filters_1"], found["filters_2"]) == (4, 16)


def test_a_whole_number_is_taken_for_a_real_one() -> None:
    (found,) = read_given([{"dense_units": 4, "filters": 4, "conv_depth": 1, "dropout": 0}], space(dropout=[0.0, 0.5]))
    assert found["dropout"] == 0.0
    assert isinstance(found["dropout"], float)


WHOLE = {"conv_depth": 2, "filters": 8, "dense_units": 33}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([{**WHOLE, "dropuot": 0.5}], "try_first 1 dropuot: no such parameter; did you mean 'dropout'?"),
        ([{"conv_depth": 2, "filters": 8}], "try_first 1 dense_units: is missing: it varies; say which value to try"),
        (
            [{**WHOLE, "dense_units": 65}],
            "try_first 1 dense_units: 65 is not among the values that are searched; add it to [search.space]",
        ),
        (
            [{**WHOLE, "dropout": 0.3}],
            "try_first 1 dropout: 0.3 is not among the values that are searched; add it to [search.space]",
        ),
        ([{**WHOLE, "dense_units": "many"}], "try_first 1 dense_units: 'many' is not a whole number"),
        ([{**WHOLE, "filters": 7}], "try_first 1 filters_1: 7 is not among the values"),
        (
            [{**WHOLE, "conv_depth": 1, "filters_2": 8}],
            "try_first 1 filters_2: has no part in this configuration; remove it",
        ),
        (
            [{**WHOLE, "filters_2": 4}],
            "try_first 1: breaks the rule 'filters_never_decrease'; change the values or the rule",
        ),
        (
            [WHOLE, {**WHOLE, "dense_units": 4}, {**WHOLE, "dropout": 0.5}],
            "try_first 3: is try_first 1 again; remove it",
        ),
    ],
)
def test_what_the_space_has_not_is_one_line(given: list[dict[str, object]], line: str) -> None:
    with pytest.raises(InputError) as error:
        read_given(given, space())
    assert str(error.value).startswith(line)
