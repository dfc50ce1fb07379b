"""Parameters and rules become exactly the configurations that a brute-force count by hand gives."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from itertools import islice, product
from math import prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.errors import InputError
from tuner.families import FAMILIES, get_family
from tuner.recipe import RECIPE
from tuner.search_file.file import load_search
from tuner.space.parameters import Choice, Layered, Parameter
from tuner.space.space import Configuration, Space, read_space

SEARCHES = Path(__file__).parents[2] / "searches"
PUBLISHED = Path(__file__).parents[1] / "published"

SMALL: tuple[Parameter | Layered, ...] = (
    Parameter("depth", 1, low=0, high=20),
    Layered(Parameter("width", 8, low=1, high=999), depth="depth"),
    Parameter("optimizer", "adam", ("adam", "sgd")),
    Parameter("momentum", 0.0, low=0, high=1, when=("optimizer", ("sgd",))),
    Parameter("rate", 0.1, low=0, high=1),
)


def small(given: Mapping[str, object], rules: Mapping[str, object] | None = None, **defaults: object) -> Space:
    return read_space(given, rules or {}, SMALL, defaults)


def cnn(given: Mapping[str, object], rules: Mapping[str, object]) -> Space:
    return read_space(given, rules, (*get_family("cnn").parameters, *RECIPE), {})


def stack(values: Configuration) -> tuple[Any, ...]:
    """What varies in these tests: the filters of every convolution that is there, and the dense width."""
    names = sorted(name for name in values if name.startswith("filters"))
    assert names == [f"filters_{i}" for i in range(1, int(values["conv_depth"]) + 1)]
    return (*(values[name] for name in names), values["dense_units"])


@pytest.fixture(scope="module")
def fashion() -> Space:
    (model_search,) = load_search(SEARCHES / "fashion_cnn.toml").model_searches
    return model_search.space


@pytest.mark.parametrize(("depth", "count"), [(1, 10), (2, 20), (3, 35)])
def test_the_fashion_grid_holds_exactly_the_published_networks(fashion: Space, depth: int, count: int) -> None:
    with (PUBLISHED / f"fashion_cnn_depth{depth}.csv").open(newline="", encoding="utf-8") as file:
        names = [*(f"filters_{i}" for i in range(1, depth + 1)), "dense_units"]
        published = [tuple(int(row[name]) for name in names) for row in csv.DictReader(file)]
    ours = [stack(values) for values in fashion.grid() if values["conv_depth"] == depth]
    assert len(published) == count
    assert sorted(ours) == sorted(published)


def test_the_fashion_grid_has_no_other_depths_and_the_rest_is_fixed(fashion: Space) -> None:
    grid = list(fashion.grid())
    assert len(grid) == 10 + 20 + 35
    assert {values["conv_depth"] for values in grid} == {1, 2, 3}
    assert {(values["dropout"], values["l2"], values["kernel_size"]) for values in grid} == {(0.5, 1e-3, 3)}
    assert set(fashion.varying()) == {"conv_depth", "filters_1", "filters_2", "filters_3", "dense_units"}


def test_each_rejected_configuration_counts_for_the_first_rule_that_it_breaks(fashion: Space) -> None:
    # 4 widths x (4 + 16 + 64) stacks; 6 pairs and 44 triples decrease; of the 136 others 65 have wide dense layers
    kept, rejected = fashion.count()
    assert (len(list(fashion.candidates())), kept) == (336, 65)
    assert rejected == {"filters_never_decrease": 4 * (6 + 44), "dense_units >= last(filters)": 136 - 65}


def test_a_rule_that_rejects_nothing_is_counted_too() -> None:
    assert small({"depth": [1, 2]}, {"where": ["depth < 9"]}).count() == (2, {"depth < 9": 0})


def test_the_grid_lists_parents_before_children_and_the_last_parameter_fastest() -> None:
    space = small({"depth": [1, 2], "width": [8, 16], "rate": [0.1, 0.2]})
    rows = [tuple(values[name] for name in values if name != "optimizer") for values in space.grid()]
    assert rows == [
        (1, 8, 0.1),
        (1, 8, 0.2),
        (1, 16, 0.1),
        (1, 16, 0.2),
        (2, 8, 8, 0.1),
        (2, 8, 8, 0.2),
        (2, 8, 16, 0.1),
        (2, 8, 16, 0.2),
        (2, 16, 8, 0.1),
        (2, 16, 8, 0.2),
        (2, 16, 16, 0.1),
        (2, 16, 16, 0.2),
    ]


def test_a_parameter_that_does_not_matter_is_absent_and_multiplies_nothing() -> None:
    grid = list(small({"optimizer": ["adam", "sgd"], "momentum": [0.0, 0.5, 0.9]}).grid())
    assert [(values["optimizer"], values.get("momentum")) for values in grid] == [
        ("adam", None),
        ("sgd", 0.0),
        ("sgd", 0.5),
        ("sgd", 0.9),
    ]
    assert "momentum" not in grid[0]


def test_a_stack_may_have_no_layer_at_all() -> None:
    grid = list(small({"depth": [0, 1], "width": [8, 16]}).grid())
    assert [(values["depth"], values.get("width_1")) for values in grid] == [(0, None), (1, 8), (1, 16)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"rate": 0.1, "width_2": 16, "width_1": 8, "depth": 2, "optimizer": "adam"},
            ["depth", "width_1", "width_2", "optimizer", "rate"],
        ),
        ({"depth": 1, "width_1": 8, "width_2": 16, "optimizer": "sgd"}, ["depth", "width_1", "optimizer"]),
        (
            {"depth": 1, "width_1": 8, "optimizer": "adam", "momentum": 0.5, "rate": 0.1},
            ["depth", "width_1", "optimizer", "rate"],
        ),
        ({"depth": 1, "optimizer": "sgd", "momentum": 0.5}, ["depth", "optimizer", "momentum"]),
        ({"depth": 1, "stranger": 3}, ["depth"]),
    ],
)
def test_active_keeps_what_matters_in_the_order_of_the_parameters(values: Configuration, expected: list[str]) -> None:
    kept = small({"depth": [1, 2]}).active(values)
    assert list(kept) == expected
    assert kept.items() <= values.items()


def test_a_grandchild_does_not_matter_where_its_parent_does_not() -> None:
    parameters = (
        Parameter("augment", False),
        Parameter("flip", False, when=("augment", (True,))),
        Parameter("axis", "x", when=("flip", (True,))),
    )
    space = Space(parameters, {p.name: Choice((p.default,)) for p in parameters})
    assert space.active({"augment": False, "flip": True, "axis": "y"}) == {"augment": False}
    assert list(space.active({"augment": True, "flip": True, "axis": "y"})) == ["augment", "flip", "axis"]


def test_a_range_with_a_step_is_a_list_in_a_grid() -> None:
    space = small({"depth": {"min": 1, "max": 3}, "rate": {"min": 0.0, "max": 0.5, "step": 0.25}})
    assert len(list(space.grid())) == 3 * 3
    assert {values["rate"] for values in space.grid()} == {0.0, 0.25, 0.5}


def test_a_range_without_a_step_has_no_grid() -> None:
    space = small({"rate": {"min": 0.0, "max": 0.5}})
    with pytest.raises(InputError, match=r"rate: .*list.*step") as caught:
        list(space.grid())
    assert '"random"' in caught.value.remedy


def test_a_value_for_one_layer_beats_the_value_for_all_of_them() -> None:
    (values,) = small({"depth": 3, "width": 8, "width_2": 64}).grid()
    assert [values[f"width_{i}"] for i in (1, 2, 3)] == [8, 64, 8]


def test_what_the_search_leaves_out_comes_from_the_training_table_and_then_from_the_parameter() -> None:
    (values,) = small({"depth": 2}, rate=0.7).grid()
    assert values == {"depth": 2, "width_1": 8, "width_2": 8, "optimizer": "adam", "rate": 0.7}


def test_what_the_search_gives_beats_the_training_table() -> None:
    assert [values["rate"] for values in small({"rate": [0.2, 0.3]}, rate=0.7).grid()] == [0.2, 0.3]


@pytest.mark.parametrize(
    ("given", "rules", "fragments"),
    [
        ({"widht": 8}, {}, ["space.widht", "did you mean 'width'?"]),
        ({"depth": [1, 3], "width_5": 8}, {}, ["space.width_5", "depth is at most 3"]),
        ({"width": 0}, {}, ["space.width", "0 is outside 1 to 999"]),
        ({"depth": 2, "width_2": []}, {}, ["space.width_2", "empty"]),
        ({}, {"where": "dept < 3"}, ["rules.where", "'dept < 3'", "did you mean 'depth'?"]),
        ({}, {"where": [3]}, ["rules.where", "3 is not a rule", 'where = ["']),
        ({}, {"wher": "depth < 3"}, ["rules.wher", "did you mean 'where'?"]),
        ({}, {"filters_never_decrese": True}, ["did you mean 'filters_never_decrease'?"]),
        ({}, {"filters_never_decrease": "yes"}, ["rules.filters_never_decrease", "'yes' is not true or false"]),
        ({}, {"filters_never_decrease": True}, ["rules.filters_never_decrease", "'filters'"]),
    ],
)
def test_a_wrong_space_is_refused_with_place_value_and_remedy(
    given: dict[str, object], rules: dict[str, object], fragments: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        small(given, rules)
    assert [part for part in fragments if part not in str(caught.value)] == []


def test_a_named_rule_that_is_switched_off_rejects_nothing() -> None:
    space = cnn({"conv_depth": 2, "filters": [16, 32]}, {"filters_never_decrease": False})
    assert space.count() == (4, {})


def test_a_rule_that_cannot_be_computed_is_the_users_error() -> None:
    space = small({"depth": [1, 2]}, {"where": ["6 / (depth - 1) > 1"]})
    with pytest.raises(InputError, match=r"6 / \(depth - 1\) > 1.*by zero"):
        space.count()


def test_the_first_broken_rule_is_told() -> None:
    space = small({"depth": [1, 2]}, {"where": ["depth > 1", "rate > 1"]})
    assert [rule and rule.text for rule in map(space.broken_rule, space.candidates())] == ["depth > 1", "rate > 1"]


#: Rules as a search file writes them, and the same in Python for a tuple of filters and a dense width.
RULES = {
    "filters_never_decrease": lambda filters, dense: list(filters) == sorted(filters),
    "filters_never_increase": lambda filters, dense: list(filters) == sorted(filters, reverse=True),
    "dense_at_least_last_filters": lambda filters, dense: dense >= filters[-1],
    "dense_units < sum(filters)": lambda filters, dense: dense < sum(filters),
    "conv_depth == 1 or filters_2 > first(filters)": lambda filters, dense: (
        len(filters) == 1 or filters[1] > filters[0]
    ),
    "filters_3 == dense_units": lambda filters, dense: len(filters) < 3 or filters[2] == dense,
    "max(filters) / min(filters) <= 2": lambda filters, dense: max(filters) <= 2 * min(filters),
    "len(filters) != 2 and dense_units % 32 == 0": lambda filters, dense: len(filters) != 2 and dense % 32 == 0,
}


def _some(*values: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(values), unique=True, min_size=1)


@settings(deadline=None, max_examples=80)
@given(_some(1, 2, 3), _some(16, 32, 64), _some(16, 32, 64), st.lists(st.sampled_from(list(RULES)), unique=True))
def test_the_grid_is_what_brute_force_leaves(
    depths: Sequence[int], filters: Sequence[int], widths: Sequence[int], rules: Sequence[str]
) -> None:
    missing = [f"filters_{layer}" for layer in range(max(depths) + 1, 4)]  # a rule that names one is refused
    rules = [rule for rule in rules if not any(name in rule for name in missing)]
    expected = {
        (*stacked[:depth], dense)
        for depth, *stacked, dense in product(depths, filters, filters, filters, widths)
        if all(RULES[rule](stacked[:depth], dense) for rule in rules)
    }
    space = cnn(
        {"conv_depth": depths, "filters": filters, "dense_units": widths},
        {
            **{rule: True for rule in rules if rule.isidentifier()},
            "where": [rule for rule in rules if not rule.isidentifier()],
        },
    )
    found = [stack(values) for values in space.grid()]
    assert len(found) == len(set(found))
    assert set(found) == expected
    kept, rejected = space.count()
    assert kept == len(expected)
    assert kept + rejected.total() == sum(len(filters) ** depth for depth in depths) * len(widths)


@pytest.mark.timeout(300)
def test_a_grid_of_more_than_a_thousand_million_configurations_is_not_listed_to_get_the_first_ones() -> None:
    space = small({"depth": 20, "width": [8, 16, 32]}, {"where": ["width_20 != 8"]})
    assert prod(len(space.domains[name].grid()) for name in space.groups["width"]) > 10**9  # type: ignore[union-attr]
    first = next(space.grid())
    assert [first["width_1"], first["width_19"], first["width_20"]] == [8, 8, 16]
    assert [values["width_20"] for values in islice(space.grid(), 4)] == [16, 32, 16, 32]


def test_kerastuner_is_told_of_the_domains_and_of_when_they_matter() -> None:
    space = cnn(
        {
            "conv_depth": [1, 2],
            "filters": [16, 32],
            "dense_units": {"min": 16, "max": 64, "step": 16},
            "dropout": 0.5,
            "l2": {"min": 1e-6, "max": 1e-2, "sampling": "log"},
        },
        {},
    )
    declared = space.hyperparameters()  # imports KerasTuner, and so Keras: seconds
    by_name = {hp.name: hp for hp in declared.space}
    assert list(by_name) == [parameter.name for parameter in space.parameters]

    for depth, matters in ((1, False), (2, True)):
        declared.values["conv_depth"] = depth
        assert declared.is_active("filters_1")
        assert declared.is_active("filters_2") is matters
    assert not declared.is_active("momentum")  # the optimizer is not SGD

    assert list(by_name["filters_1"].values) == [16, 32]
    dense, l2 = by_name["dense_units"], by_name["l2"]
    assert (dense.min_value, dense.max_value, dense.step, dense.sampling) == (16, 64, 16, "linear")
    assert (l2.min_value, l2.max_value, l2.step, l2.sampling) == (1e-6, 1e-2, None, "log")
    assert by_name["dropout"].value == 0.5


@pytest.mark.parametrize("rule", ["dense_units >= last(filters)", "min(filters) > 0", "max(dense_units, 3) > 2"])
def test_a_rule_about_a_layer_that_a_configuration_lacks_says_nothing_about_it(rule: str) -> None:
    given = {"conv_depth": 1, "filters": 8, "dense_depth": [0, 1], "dense_units": [4, 16]}
    found = list(read_space(given, {"where": [rule]}, [*FAMILIES["cnn"].parameters], {}).grid())
    assert any("dense_units" not in values for values in found)
    assert any(values.get("dense_units") == 16 for values in found)
