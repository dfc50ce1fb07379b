"""A search file's value, list or range becomes a domain; whatever does not fit is refused with the reason."""

from __future__ import annotations

import pytest

from tuner.space.parameters import Choice, Layered, Parameter, Range, Value, domain_of

UNITS = Parameter("units", 32, (16, 32, 64), low=1, high=1000)
RATE = Parameter("rate", 0.1, low=0, high=10)
PADDING = Parameter("padding", "valid", ("valid", "same"))
NORM = Parameter("norm", False)
FREE = Parameter("label", "")


@pytest.mark.parametrize(
    ("parameter", "raw", "expected"),
    [
        (UNITS, 16, 16),
        (UNITS, 48, 48),  # choices of a number are what plain KerasTuner searches, not all that is permitted
        (UNITS, 1, 1),
        (UNITS, 1000, 1000),
        (RATE, 0.5, 0.5),
        (RATE, 1, 1.0),
        (PADDING, "same", "same"),
        (NORM, True, True),
        (FREE, "anything", "anything"),
    ],
)
def test_a_fitting_value_is_taken_in_the_parameters_own_type(
    parameter: Parameter, raw: object, expected: Value
) -> None:
    value = parameter.check(raw)
    assert value == expected
    assert type(value) is parameter.kind


@pytest.mark.parametrize(
    ("parameter", "raw", "message"),
    [
        (UNITS, 16.0, "16.0 is not a whole number"),
        (UNITS, True, "True is not a whole number"),
        (UNITS, "16", "'16' is not a whole number"),
        (UNITS, 0, "0 is outside 1 to 1000"),
        (UNITS, 1001, "1001 is outside 1 to 1000"),
        (RATE, "high", "'high' is not a number"),
        (RATE, False, "False is not a number"),
        (RATE, -0.5, "-0.5 is outside 0 to 10"),
        (RATE, float("nan"), "nan is not finite"),
        (RATE, float("inf"), "inf is not finite"),
        (PADDING, "sme", "'sme' is not one of valid, same"),
        (PADDING, 1, "1 is not a string"),
        (NORM, 1, "1 is not true or false"),
        (NORM, "true", "'true' is not true or false"),
    ],
)
def test_an_unfitting_value_is_refused_with_what_was_expected(parameter: Parameter, raw: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parameter.check(raw)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "active"),
    [({"optimizer": "sgd"}, True), ({"optimizer": "adam"}, False), ({}, False)],
)
def test_a_conditional_parameter_matters_only_beside_its_parents_value(values: dict[str, Value], active: bool) -> None:
    assert Parameter("momentum", 0.0, when=("optimizer", ("sgd",))).is_active(values) is active


def test_an_unconditional_parameter_always_matters() -> None:
    assert RATE.is_active({})


@pytest.mark.parametrize(
    ("parameter", "raw", "expected"),
    [
        pytest.param(UNITS, 16, Choice((16,)), id="a value is fixed"),
        pytest.param(RATE, 1, Choice((1.0,)), id="a whole number for a real one"),
        pytest.param(NORM, [False, True], Choice((False, True)), id="list of booleans"),
        pytest.param(UNITS, [64, 16], Choice((64, 16)), id="a list keeps its order"),
        pytest.param(RATE, [1, 0.5], Choice((1.0, 0.5)), id="list of numbers"),
        pytest.param(PADDING, ["same"], Choice(("same",)), id="list of one string"),
        pytest.param(RATE, {"min": 0, "max": 1}, Range(0.0, 1.0), id="linear by default"),
        pytest.param(RATE, {"min": 0, "max": 1, "sampling": "linear"}, Range(0.0, 1.0), id="linear"),
        pytest.param(RATE, {"min": 0.0, "max": 0.6, "step": 0.1}, Range(0.0, 0.6, 0.1), id="with a step"),
        pytest.param(
            RATE, {"min": 1e-4, "max": 1e-2, "sampling": "log"}, Range(1e-4, 1e-2, log=True), id="logarithmic"
        ),
        pytest.param(
            RATE,
            {"min": 1e-4, "max": 1e-2, "sampling": "log", "step": 10},
            Range(1e-4, 1e-2, 10.0, log=True),
            id="logarithmic with a factor",
        ),
        pytest.param(UNITS, {"min": 1, "max": 4}, Range(1, 4, whole=True), id="whole numbers"),
        pytest.param(UNITS, {"min": 8, "max": 64, "step": 8}, Range(8, 64, 8, whole=True), id="whole with a step"),
        pytest.param(
            UNITS, {"min": 1, "max": 64, "sampling": "log"}, Range(1, 64, log=True, whole=True), id="whole logarithmic"
        ),
    ],
)
def test_a_value_a_list_or_a_table_becomes_a_domain(parameter: Parameter, raw: object, expected: object) -> None:
    assert domain_of(raw, parameter) == expected


@pytest.mark.parametrize(
    ("parameter", "raw", "fragment"),
    [
        pytest.param(UNITS, "many", "'many' is not a whole number", id="wrong type"),
        pytest.param(UNITS, [16, "many"], "'many' is not a whole number", id="wrong type in a list"),
        pytest.param(UNITS, [16, 2000], "2000 is outside 1 to 1000", id="out of bounds in a list"),
        pytest.param(UNITS, [[16]], "[16] is not a whole number", id="a list in a list"),
        pytest.param(PADDING, ["same", "sme"], "'sme' is not one of valid, same", id="not a choice"),
        pytest.param(UNITS, [], "the list is empty", id="empty list"),
        pytest.param(UNITS, [16, 32, 16], "names a value twice", id="a value twice"),
        pytest.param(RATE, [1, 1.0], "names a value twice", id="a value twice in two spellings"),
        pytest.param(PADDING, {"min": 1, "max": 2}, "padding takes a string", id="range of strings"),
        pytest.param(NORM, {"min": 0, "max": 1}, "norm takes true or false", id="range of booleans"),
        pytest.param(RATE, {"min": 0, "max": 1, "stepp": 1}, "no key 'stepp' (its keys: min, max, step", id="misspelt"),
        pytest.param(RATE, {"max": 1}, "needs min and max", id="no min"),
        pytest.param(RATE, {"min": 1}, "needs min and max", id="no max"),
        pytest.param(RATE, {}, "needs min and max", id="empty table"),
        pytest.param(RATE, {"min": 0, "max": 1, "sampling": "lg"}, "'lg' is not one of linear, log", id="sampling"),
        pytest.param(RATE, {"min": 1, "max": 1}, "min 1 is not below max 1", id="min is max"),
        pytest.param(RATE, {"min": 2, "max": 1}, "min 2 is not below max 1", id="min above max"),
        pytest.param(RATE, {"min": -1, "max": 1}, "-1 is outside 0 to 10", id="min out of bounds"),
        pytest.param(RATE, {"min": 1, "max": 11}, "11 is outside 0 to 10", id="max out of bounds"),
        pytest.param(RATE, {"min": "a", "max": 1}, "'a' is not a number", id="min is no number"),
        pytest.param(UNITS, {"min": 1.5, "max": 4}, "1.5 is not a whole number", id="min is not whole"),
        pytest.param(RATE, {"min": 0, "max": 1, "sampling": "log"}, "needs a min above 0", id="log from 0"),
        pytest.param(RATE, {"min": 0, "max": 1, "step": 0}, "step 0 is not a number above 0", id="step 0"),
        pytest.param(RATE, {"min": 0, "max": 1, "step": -1}, "step -1 is not a number above 0", id="negative step"),
        pytest.param(RATE, {"min": 0, "max": 1, "step": True}, "step True is not a number", id="boolean step"),
        pytest.param(RATE, {"min": 0, "max": 1, "step": "1"}, "step '1' is not a number", id="step is a string"),
        pytest.param(RATE, {"min": 0, "max": 1, "step": float("nan")}, "step nan is not a number", id="step is nan"),
        pytest.param(
            RATE, {"min": 1, "max": 8, "step": 1, "sampling": "log"}, "step 1 is not a number above 1", id="factor 1"
        ),
        pytest.param(UNITS, {"min": 1, "max": 4, "step": 1.5}, "step 1.5 is not a whole number", id="fractional step"),
    ],
)
def test_a_wrong_domain_is_refused_with_the_reason(parameter: Parameter, raw: object, fragment: str) -> None:
    with pytest.raises(ValueError) as caught:
        domain_of(raw, parameter)
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        pytest.param(Choice((64, 16)), (64, 16), id="list"),
        pytest.param(Range(1, 4, whole=True), (1, 2, 3, 4), id="every whole number"),
        pytest.param(Range(8, 32, 8, whole=True), (8, 16, 24, 32), id="whole numbers with a step"),
        pytest.param(Range(1, 6, 2, whole=True), (1, 3, 5), id="the step jumps over max"),
        pytest.param(Range(1, 3, 5, whole=True), (1,), id="the step is wider than the range"),
        pytest.param(Range(1, 64, 4, log=True, whole=True), (1, 4, 16, 64), id="powers of four"),
        pytest.param(Range(1, 60, 4, log=True, whole=True), (1, 4, 16), id="powers of four below max"),
        pytest.param(Range(0.0, 0.6, 0.1), (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), id="tenths, as they are written"),
        pytest.param(Range(0.25, 1.0, 0.5), (0.25, 0.75), id="halves from a quarter"),
        pytest.param(Range(1e-4, 1e-1, 10, log=True), (1e-4, 1e-3, 1e-2, 1e-1), id="powers of ten"),
    ],
)
def test_a_grid_visits_these_values(domain: Choice | Range, expected: tuple[Value, ...]) -> None:
    assert domain.grid() == expected
    assert [type(value) for value in domain.grid()] == [type(value) for value in expected]


@pytest.mark.parametrize(
    "domain",
    [Range(0.0, 1.0), Range(1e-4, 1e-2, log=True), Range(1, 64, log=True, whole=True)],
    ids=["real", "logarithmic", "whole and logarithmic"],
)
def test_a_range_that_does_not_say_its_steps_has_no_grid(domain: Range) -> None:
    with pytest.raises(ValueError, match="a list of values or a range with a step"):
        domain.grid()


FILTERS = Layered(Parameter("filters", 32, low=1, high=512), depth="conv_depth")
WIDTHS = Layered(Parameter("dense_units", 64, low=1, high=512), depth="dense_depth", first="dense_units")


@pytest.mark.parametrize(
    ("layered", "names"),
    [
        (FILTERS, ["filters_1", "filters_2", "filters_3"]),
        (WIDTHS, ["dense_units", "dense_units_2", "dense_units_3"]),
    ],
)
def test_a_layered_parameter_has_a_name_in_each_layer(layered: Layered, names: list[str]) -> None:
    assert [layered.name_in(layer) for layer in (1, 2, 3)] == names
    assert [parameter.name for parameter in layered.expand(3)] == names


def test_a_layers_parameter_matters_only_where_the_stack_is_deep_enough() -> None:
    layers = FILTERS.expand(3)
    for depth in (1, 2, 3):
        assert [layer.is_active({"conv_depth": depth}) for layer in layers] == [depth >= 1, depth >= 2, depth >= 3]


def test_a_layers_parameter_keeps_default_and_bounds_of_its_group() -> None:
    second = FILTERS.expand(2)[1]
    assert (second.default, second.low, second.high) == (32, 1, 512)


def test_a_stack_of_no_layers_has_no_parameters() -> None:
    assert WIDTHS.expand(0) == ()


@pytest.mark.parametrize(
    ("layered", "values", "expected"),
    [
        (FILTERS, {"conv_depth": 2, "filters_1": 16, "filters_2": 64}, [16, 64]),
        (FILTERS, {"conv_depth": 1, "filters_1": 16, "filters_2": 64}, [16]),
        (WIDTHS, {"dense_depth": 2, "dense_units": 128, "dense_units_2": 32}, [128, 32]),
        (WIDTHS, {"dense_depth": 0}, []),
    ],
)
def test_reading_a_layered_parameter_gives_the_existing_layers_first_to_last(
    layered: Layered, values: dict[str, Value], expected: list[Value]
) -> None:
    assert layered.read(values) == expected
