"""The space of a user's `build(hp)`, read by building: all that it asks for, where it asks for it, and nothing twice.

Builds are plain functions here, and each space is held against all answers tried one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tuner.errors import InputError
from tuner.families.asked import AskedHyperParameters
from tuner.families.declared import Declared
from tuner.families.own_space import Reading, Trace, read_own_space
from tuner.space.parameters import Values
from tuner.space.space import Configuration, Space

Build = Callable[[Any], object]


def traced(build: Build, answers: Values) -> Trace:
    hp = AskedHyperParameters(answers, {})
    try:
        build(hp)
    except RuntimeError:
        return Trace(tuple(hp.told), failed=True)
    return Trace(tuple(hp.told), notes=tuple(str(first) for first, _ in hp.twice))


def read(build: Build, **given: Any) -> tuple[Space, Reading, list[Values]]:
    """Return the space of a build that the search file narrows to what is given, and what was built for it."""
    built: list[Values] = []
    bases = {
        name: raw[0] if isinstance(raw, list) else raw["min"] if isinstance(raw, dict) else raw
        for name, raw in given.items()
    }

    def ask(answers: Values) -> Trace:
        built.append(answers)
        return traced(build, {**bases, **answers})

    def domain_of(declared: Declared) -> Any:
        return declared.narrowed(given[declared.name]) if declared.name in given else declared.domain()

    reading = read_own_space("mine:build", ask, domain_of, frozenset(given))
    parameters = tuple(
        one.named(given[one.name]) if one.name in given else one.parameter() for one in reading.parameters
    )
    return Space(parameters, {one.name: domain_of(one.bare) for one in reading.parameters}), reading, built


def by_hand(build: Build, space: Space) -> list[Configuration]:
    """Return every configuration there is: all that a build asks for, one after the other, answered in every way."""
    found: list[Configuration] = []
    waiting: list[Configuration] = [{}]
    while waiting:
        answers = waiting.pop()
        new = [name for name in traced(build, answers).active if name not in answers]
        if not new:
            found.append(answers)
        else:
            waiting += [{**answers, new[0]: value} for value in space.domains[new[0]].grid()]
    return found


def flat(hp: Any) -> None:
    hp.Int("units", 16, 64, step=16)
    hp.Choice("activation", ["relu", "tanh"])
    hp.Boolean("norm")
    hp.Fixed("kind", "flat")
    hp.Float("rate", 1e-4, 1e-2, step=10, sampling="log")


def loop(hp: Any) -> None:
    for i in range(hp.Int("layers", 1, 4)):
        hp.Int(f"units_{i}", 8, 16, step=8)
    hp.Boolean("dropout")


def loop_to_none(hp: Any) -> None:
    for i in range(hp.Int("layers", 0, 3)):
        if hp.Boolean(f"norm_{i}"):
            hp.Choice(f"momentum_{i}", [0.9, 0.99])


def long_loop(hp: Any) -> None:
    for i in range(hp.Int("layers", 1, 12)):
        hp.Fixed(f"width_{i}", 8)
    hp.Boolean("last")


def scopes(hp: Any) -> None:
    kind = hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        layers = hp.Int("layers", 1, 2)
        if kind == "mlp":
            for i in range(layers):
                hp.Choice(f"units_{i}", [8, 16])
    with hp.conditional_scope("model", ["cnn"]):
        hp.Int("filters", 4, 8, step=4)
        hp.Boolean("pool")
    hp.Choice("rate", [0.1, 0.01])


def scopes_with_ifs(hp: Any) -> None:
    """As KerasTuner's guide has it: what stands in a scope runs only where its parent lets it."""
    kind = hp.Choice("model", ["mlp", "cnn", "linear"])
    if kind == "mlp":
        with hp.conditional_scope("model", ["mlp"]):
            hp.Int("units", 8, 16, step=8)
    elif kind == "cnn":
        with hp.conditional_scope("model", ["cnn"]):
            hp.Int("filters", 4, 8, step=4)
            if hp.Boolean("deep"):
                hp.Int("more", 1, 2)


def parents(hp: Any) -> None:
    hp.Boolean("norm")
    hp.Float("momentum", 0.8, 0.9, step=0.1, parent_name="norm", parent_values=[True])
    hp.Choice("optimizer", ["adam", "sgd", "rmsprop"])
    hp.Choice("nesterov", [0, 1], parent_name="optimizer", parent_values=["sgd"])


def nested_scopes(hp: Any) -> None:
    hp.Choice("model", ["a", "b"])
    with hp.conditional_scope("model", ["b"]):
        hp.Choice("inner", ["c", "d"])
        with hp.conditional_scope("inner", ["d"]):
            hp.Int("deepest", 1, 3)


def named_scopes(hp: Any) -> None:
    for part in ("encoder", "head"):
        with hp.name_scope(part):
            if hp.Boolean("norm"):
                hp.Choice("kind", ["batch", "layer"])


def either(hp: Any) -> None:
    if hp.Boolean("a") or hp.Boolean("b"):
        hp.Choice("c", [1, 2])


def both(hp: Any) -> None:
    a, b = hp.Boolean("a"), hp.Boolean("b")
    if a and b:
        hp.Choice("c", [1, 2])


def alike(hp: Any) -> None:
    if hp.Choice("a", [0, 1, 2]) == hp.Choice("b", [0, 1, 2]):
        hp.Choice("c", [1, 2])


def together(hp: Any) -> None:
    if hp.Choice("a", [0, 1, 2]) + hp.Choice("b", [0, 1, 2]) <= 2:
        hp.Choice("c", [1, 2])


def same_name(hp: Any) -> None:
    kind = hp.Choice("model", ["a", "b", "c"])
    if kind != "c":
        with hp.conditional_scope("model", [kind]):
            hp.Choice("units", [8, 16])


def large_choice(hp: Any) -> None:
    if hp.Int("units", 8, 800, step=8) > 400:
        hp.Choice("dropout", [0.1, 0.2])


BUILDS = [
    flat, loop, loop_to_none, long_loop, scopes, scopes_with_ifs, parents, nested_scopes, named_scopes, either, both,
    alike, together, same_name, large_choice,
]  # fmt: skip


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
def test_the_grid_is_what_answering_every_question_in_every_way_comes_to(build: Build) -> None:
    space, _, built = read(build)
    grid, expected = list(space.grid()), by_hand(build, space)
    assert len(grid) == len(expected) == space.count()[0]
    assert sorted(sorted(map(str, one.items())) for one in grid) == sorted(
        sorted(map(str, one.items())) for one in expected
    )
    assert len(built) < 400


def test_no_configuration_has_a_layer_that_is_not_there() -> None:
    space, _, _ = read(loop)
    assert {tuple(values) for values in space.grid()} == {
        ("layers", *(f"units_{i}" for i in range(n)), "dropout") for n in (1, 2, 3, 4)
    }


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"layers": 2}, 4 * 2),
        ({"layers": [1, 3], "units_0": 8}, (1 + 4) * 2),
        ({"layers": {"min": 2, "max": 3}, "dropout": False}, 4 + 8),
        ({"units_3": [8]}, (2 + 4 + 8 + 8) * 2),
    ],
)
def test_the_search_file_narrows_and_fixes(given: dict[str, Any], count: int) -> None:
    space, _, _ = read(loop, **given)
    grid = list(space.grid())
    assert len(grid) == count
    assert all(traced(loop, values).active == values for values in grid)


def test_what_a_narrowed_space_never_comes_to_is_no_part_of_it() -> None:
    space, _, built = read(scopes, model="cnn")
    assert [parameter.name for parameter in space.parameters] == ["model", "filters", "pool", "rate"]
    assert all(answers.get("model", "cnn") == "cnn" for answers in built)


def test_a_build_that_fails_for_some_values_is_read_all_the_same() -> None:
    def deep(hp: Any) -> None:
        layers = hp.Int("layers", 1, 5)
        for i in range(layers):
            if i == 3:
                raise RuntimeError("the images are too small")
            hp.Choice(f"filters_{i}", [4, 8])
        hp.Boolean("norm")

    space, _, _ = read(deep)
    working = [values for values in space.grid() if int(values["layers"]) <= 3]
    assert len(working) == (2 + 4 + 8) * 2
    assert all(traced(deep, values).active == values for values in working)


def test_a_build_that_dies_for_a_value_is_not_asked_with_it_again() -> None:
    def ask(answers: Values) -> Trace:
        tried.append(answers)
        return Trace(failed=True) if answers.get("kind") == "dies" else traced(build, answers)

    def build(hp: Any) -> None:
        hp.Choice("kind", ["fine", "dies"])
        for i in range(hp.Int("layers", 1, 3)):
            hp.Boolean(f"norm_{i}")

    tried: list[Values] = []
    reading = read_own_space("mine:build", ask, lambda one: one.domain(), frozenset())
    assert [one.name for one in reading.parameters] == ["kind", "layers", "norm_0", "norm_1", "norm_2"]
    assert sum(answers.get("kind") == "dies" for answers in tried) == 1


def test_a_real_number_that_decides_is_refused_with_what_to_do() -> None:
    def build(hp: Any) -> None:
        if hp.Float("rate", 0.0, 0.5) > 0.25:
            hp.Boolean("more")

    with pytest.raises(
        InputError, match=r"where it asks for 'more' cannot be told: rate, which decides, is a real number"
    ):
        read(build)
    space, _, _ = read(build, rate=[0.1, 0.3])
    assert len(list(space.grid())) == 1 + 2


def test_a_range_that_depends_on_another_parameter_is_refused_unless_the_file_names_it() -> None:
    def build(hp: Any) -> None:
        first = hp.Int("first", 8, 16, step=8)
        hp.Int("second", 8, first, step=8)

    with pytest.raises(InputError, match=r"asks for 'second' with different values, as others differ \(8 to 8, step=8"):
        read(build)
    space, _, _ = read(build, second=8)
    assert len(list(space.grid())) == 2


def test_a_parameter_that_is_asked_for_twice_has_its_first_range_and_a_note() -> None:
    def build(hp: Any) -> None:
        hp.Int("units", 16, 64, step=16)
        hp.Int("units", 32, 128, step=32)

    space, reading, _ = read(build)
    assert space.domains["units"].grid() == (16, 32, 48, 64)
    assert reading.notes == ("16 to 64, step=16",)


def test_fixed_parameters_are_shown_and_are_no_part_of_a_trials_name() -> None:
    space, _, _ = read(flat)
    kinds = {parameter.name: parameter for parameter in space.parameters}
    assert kinds["kind"].is_idle({"kind": "flat"})
    assert not any(kinds[name].is_idle({name: value}) for name, value in next(space.grid()).items() if name != "kind")


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        (Declared("a", "Int", (), 6, 13, 3), (6, 9, 12)),
        (Declared("a", "Int", (), 2, 5, 1), (2, 3, 4, 5)),
        (Declared("a", "Int", (), 2, 32, 2, "log"), (2, 4, 8, 16, 32)),
        (Declared("a", "Float", (), 0.0, 0.6, 0.1), (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
        (Declared("a", "Float", (), 1e-4, 0.1, 10, "log"), (1e-4, 1e-3, 1e-2, 0.1)),
        (Declared("a", "Int", (), 10, 80, 2, "reverse_log"), (10, 50, 70, 80)),
        (Declared("a", "Int", (), 7, 7, 1), (7,)),
        (Declared("a", "Float", (), 0.5, 0.5), (0.5,)),
        (Declared("a", "Choice", ("x", "y", "x")), ("x", "y")),
        (Declared("a", "Boolean"), (False, True)),
        (Declared("a", "Fixed", (3,)), (3,)),
    ],
)
def test_a_domain_has_the_values_of_the_search_files_own(declared: Declared, values: tuple[object, ...]) -> None:
    assert declared.domain().grid() == values


UNITS = Declared("units", "Int", (), 16, 256, 16)
RATE = Declared("rate", "Float", (), 1e-4, 1e-1, None, "log")
KIND = Declared("kind", "Choice", ("relu", "tanh"))
SIZES = Declared("sizes", "Choice", (3, 5))


@pytest.mark.parametrize(
    ("declared", "raw", "values"),
    [
        (UNITS, 32, (32,)),
        (UNITS, {"min": 32, "max": 80}, (32, 48, 64, 80)),
        (UNITS, {"min": 32, "max": 128, "step": 32}, (32, 64, 96, 128)),
        (UNITS, {"min": 16, "max": 64, "step": 2, "sampling": "log"}, (16, 32, 64)),
        (RATE, [1e-3, 1e-2], (1e-3, 1e-2)),
        (RATE, {"min": 1e-3, "max": 1e-1, "step": 10}, (1e-3, 1e-2, 1e-1)),
        (KIND, "relu", ("relu",)),
        (SIZES, [5], (5,)),
        (Declared("on", "Boolean"), True, (True,)),
        (Declared("on", "Choice", (1, 0)), [True, False], (True, False)),
        (Declared("width", "Float", (), 0.5, 4.0), [1, 2], (1, 2)),
    ],
)
def test_what_the_search_file_says_is_taken_with_the_steps_that_are_declared(
    declared: Declared, raw: object, values: tuple[object, ...]
) -> None:
    found = declared.narrowed(raw).grid()
    assert found == values
    assert [type(one) for one in found] == [type(one) for one in values]


@pytest.mark.parametrize(
    ("declared", "raw", "message"),
    [
        (UNITS, 33, "33 is not among 16, 32, 48, …, 256"),
        (UNITS, 512, "512 is outside 16 to 256"),
        (UNITS, 32.0, "32.0 is not a whole number"),
        (UNITS, {"min": 20, "max": 64}, "20 is not among"),
        (UNITS, {"min": 32, "max": 64, "step": 5}, "64 is outside|37 is not among"),
        (RATE, [1e-3, 1.0], "1.0 is outside 0.0001 to 0.1"),
        (KIND, "gelu", "'gelu' is not one of relu, tanh"),
        (SIZES, [3, 4], "4 is not among 3, 5"),
        (SIZES, {"min": 3, "max": 5}, "4 is not among 3, 5"),
        (Declared("on", "Boolean"), "yes", "'yes' is not true or false"),
        (
            Declared("p", "Float", (), 0.0, 0.5, 0.1),
            {"min": 0.0, "max": 0.5, "sampling": "linear", "step": 0.25},
            "0.25",
        ),
        (Declared("p", "Choice", (0.1, 0.2)), {"min": 0.1, "max": 0.2}, "needs a step: it is 0.1, 0.2"),
    ],
)
def test_what_is_not_declared_is_refused(declared: Declared, raw: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        declared.narrowed(raw)


def test_what_cannot_be_searched_is_said() -> None:
    with pytest.raises(ValueError, match="reverse_log"):
        Declared("a", "Float", (), 0.1, 0.9, None, "reverse_log").domain()
    with pytest.raises(ValueError, match="too many"):
        Declared("a", "Float", (), 0.0, 1.0, 1e-9).domain()
