"""The grid is what a filter over the whole product leaves, in the same order, and its count is that filter's."""

from __future__ import annotations

import time
from collections import Counter
from itertools import islice, product
from math import prod
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.errors import InputError
from tuner.families import get_family
from tuner.recipe import RECIPE
from tuner.search_file import file as search_file
from tuner.search_file.file import parse_search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.overrides import Overrides
from tuner.space import space as space_module
from tuner.space.parameters import Layered, Parameter
from tuner.space.rules import Rule
from tuner.space.space import Configuration, Space, read_space

MILLION = {
    "conv_depth": 4,
    "filters": [8, 16, 32, 64, 128],
    "dense_units": [16, 32, 64, 128, 256],
    "dropout": [0.0, 0.2, 0.4, 0.6],
    "learning_rate": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
    "batch_size": [16, 32, 64, 128],
    "batch_norm": [False, True],
    "padding": ["same", "valid"],
}
RULES = {"filters_never_decrease": True, "where": ["dense_units >= last(filters)"]}


def cnn(given: dict[str, object], rules: dict[str, object]) -> Space:
    return read_space(given, rules, (*get_family("cnn").parameters, *RECIPE), {})


def product_of(space: Space) -> list[Configuration]:
    """Every combination of all values, without what does not matter, each once."""
    names = [parameter.name for parameter in space.parameters]
    combined = product(*(space.domains[name].grid() for name in names))
    active = (space.active(dict(zip(names, values, strict=True))) for values in combined)
    return [dict(items) for items in dict.fromkeys(tuple(values.items()) for values in active)]


def filtered(space: Space) -> tuple[list[Configuration], Counter[str]]:
    """The product without what breaks a rule, and how many broke which rule first; fails like `broken_rule`."""
    kept, rejected = [], Counter({rule.text: 0 for rule in space.rules})
    for values in product_of(space):
        rule = space.broken_rule(values)
        if rule is None:
            kept.append(values)
        else:
            rejected[rule.text] += 1
    return kept, rejected


NUMBERS = st.sampled_from([*"0123abcd", "depth", "width_2", *(f"{f}(width)" for f in ("len", "sum", "first", "last"))])
TERMS = NUMBERS | st.tuples(NUMBERS, st.sampled_from(["+", "*", "//", "%"]), NUMBERS).map(" ".join)
COMPARED = st.tuples(TERMS, st.sampled_from(["<", "<=", "==", "!="]), TERMS).map(" ".join)
CONDITIONS = st.one_of(
    st.sampled_from(["never_decrease(width)", "never_increase(width)", "not never_increase(width)", "a in width"]),
    COMPARED,
    st.tuples(COMPARED, st.sampled_from(["and", "or"]), COMPARED).map(" ".join),
)
SUBSETS = st.lists(st.integers(0, 3), unique=True, min_size=1, max_size=3)


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Four parameters and a stack, each with values and perhaps a condition on one before it."""
    accepted: list[Parameter | Layered] = []
    given: dict[str, object] = {}
    for name in draw(st.permutations(["a", "b", "c", "d", "depth"])):
        parents = st.sampled_from([item.name for item in accepted if isinstance(item, Parameter)] or [""])
        when = (draw(parents), tuple(draw(SUBSETS))) if accepted and draw(st.booleans()) else None
        accepted.append(Parameter(name, 0, when=when))
        given[name] = draw(SUBSETS)
        if name == "depth":
            accepted.append(Layered(Parameter("width", 0), depth="depth"))
    given["depth"] = draw(st.sampled_from([[2], [3], [0, 2], [1, 2], [3, 1, 2]]))
    given["width"] = draw(SUBSETS)
    return read_space(given, {"where": draw(st.lists(CONDITIONS, max_size=3))}, accepted, {})


@settings(deadline=None, max_examples=200)
@given(spaces())
def test_the_grid_and_its_count_are_those_of_a_filter_over_the_product(space: Space) -> None:
    everything = product_of(space)
    assert [list(values.items()) for values in space.candidates()] == [list(values.items()) for values in everything]
    assert space.size() == len(everything)
    try:
        kept, rejected = filtered(space)
    except InputError:
        with pytest.raises(InputError, match="cannot be computed"):
            space.count()
        return
    assert [list(values.items()) for values in space.grid()] == [list(values.items()) for values in kept]
    assert space.count() == (len(kept), rejected)


def test_a_rule_that_cannot_be_computed_where_an_earlier_one_rejects_is_no_mistake() -> None:
    accepted = [Parameter("early", 0), Parameter("late", 0)]
    guarded = read_space({"early": [0, 1], "late": [0, 5]}, {"where": ["late > 9", "1 / early > 0"]}, accepted, {})
    assert list(guarded.grid()) == []
    assert guarded.count() == (0, {"late > 9": 4, "1 / early > 0": 0})
    unguarded = read_space({"early": [0, 1], "late": [0, 5]}, {"where": ["late > 1", "1 / early > 0"]}, accepted, {})
    for use in (Space.count, lambda space: list(space.grid())):
        with pytest.raises(InputError, match=r"'1 / early > 0' cannot be computed for early = 0: .*by zero"):
            use(unguarded)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each rule has been asked."""
    times: Counter[str] = Counter()
    allows = Rule.allows

    def counted(rule: Rule, *arguments: object) -> bool:
        times[rule.text] += 1
        return allows(rule, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Rule, "allows", counted)
    return times


def test_a_million_configurations_are_counted_and_listed_with_a_few_thousand_questions(asked: Counter[str]) -> None:
    space = cnn(MILLION, RULES)
    assert space.size() == 1_000_000
    # of 5 ascending widths 70 stacks ascend: 1 + 4 + 10 + 20 + 35 of them end with 8, 16, 32, 64, 128; dense layers
    # of 16 or more, …, 256 allow 5 + 5 + 4 + 3 + 2 widths; 4 * 5 * 4 * 2 * 2 others
    allowed = 320 * (1 * 5 + 4 * 5 + 10 * 4 + 20 * 3 + 35 * 2)
    assert space.count() == (
        allowed,
        {"filters_never_decrease": 1_000_000 - 70 * 1600, "dense_units >= last(filters)": 70 * 1600 - allowed},
    )
    assert asked.total() < 3_000
    asked.clear()
    assert sum(1 for _ in space.grid()) == allowed
    assert asked.total() < 3_000


def test_rules_about_few_parameters_cost_little_however_large_the_grid_is(asked: Counter[str]) -> None:
    deep = {**MILLION, "conv_depth": 20, "filters": [8, 16, 32]}
    space = cnn(deep, {**RULES, "filters_never_increase": True})
    assert space.size() == 3**20 * 1600
    kept, rejected = space.count()
    assert (kept, rejected.total()) == ((5 + 5 + 4) * 320, 3**20 * 1600 - kept)
    assert asked.total() < 10_000


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({"conv_depth": [1, 2, 3], "filters": [8, 16], "dropout": [0.0, 0.5]}, {"filters_never_decrease": True}),
        ({"conv_depth": [1, 2], "filters": [8, 16, 32]}, {"where": ["last(filters) % 16 == 0", "dense_units > 3"]}),
        ({"optimizer": ["adam", "sgd"], "momentum": [0.0, 0.5, 0.9], "batch_norm": [True, False]}, {}),
        ({"dense_units": {"min": 1, "max": 400}}, {"where": ["dense_units % 200 == 7"]}),
        ({"conv_depth": [1, 2]}, {"where": ["conv_depth > 2"]}),
    ],
)
def test_every_allowed_configuration_has_a_number(given: dict[str, object], rules: dict[str, object]) -> None:
    space = cnn(given, rules)
    part = space.finite
    assert part is not None
    found = [part.numbered.at(number) for number in range(part.count)]
    assert sorted(map(repr, found)) == sorted(map(repr, space.grid()))
    assert (part.count, part.endless) == (space.configurations, frozenset())


def test_a_thousand_rules_are_counted_in_a_second_or_two() -> None:
    # Noting for each rule anew what is still to be read took half a minute for ten thousand.
    begun = time.process_time()
    rules = [f"dense_units > {-number}" for number in range(500)] + [f"sum(filters) > {-n}" for n in range(500)]
    space = cnn({"conv_depth": [1, 2, 3], "filters": [8, 16], "dense_units": [4, 8]}, {"where": rules})
    assert space.count()[0] == space.configurations == (2 + 4 + 8) * 2
    assert time.process_time() - begun < 10


def test_numbers_reach_into_a_grid_that_nobody_could_walk() -> None:
    space = cnn({**MILLION, "conv_depth": 20, "filters": [8, 16, 32]}, RULES)
    part = space.finite
    assert part is not None
    assert part.count == space.count()[0] > 10**5
    last = part.numbered.at(part.count - 1)
    assert space.broken_rule(last) is None
    assert last not in [part.numbered.at(0), part.numbered.at(part.count // 2)]


def test_of_a_space_with_real_numbers_the_other_parameters_are_counted() -> None:
    given = {"l2": {"min": 0.0, "max": 0.1}, "dense_units": {"min": 1, "max": 2000}, "batch_norm": [True, False]}
    space = cnn(given, {"where": ["dense_units == 77", "l2 > 0.01"]})
    assert space.configurations is None
    part = space.finite
    assert part is not None
    assert (part.count, part.endless, [rule.text for rule in part.rules]) == (2, {"l2"}, ["dense_units == 77"])
    assert {(v["dense_units"], v["batch_norm"]) for v in map(part.numbered.at, range(2))} == {(77, True), (77, False)}


def test_a_large_grid_is_as_lazy_as_a_small_one(asked: Counter[str]) -> None:
    deep = {**MILLION, "conv_depth": 20}
    space = cnn(deep, {"where": ["sum(filters) + dense_units > 0"]})
    assert prod(len(space.domains[name].grid()) for name in space.groups["filters"]) > 10**13
    assert len(list(islice(space.grid(), 1000))) == 1000
    assert asked.total() < 1_000


def test_a_grid_that_would_take_too_long_to_count_says_how_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_module, "_MOST_EFFORT", 5_000)
    wide = "sum(filters) * dense_units * batch_size > 9"
    space = cnn(MILLION, {"where": [wide]})
    assert not space.is_countable
    with pytest.raises(InputError, match="1,000,000 configurations") as caught:
        space.count()
    assert "random" in caught.value.remedy
    assert next(space.grid())["filters_1"] == 8
    assert cnn({**MILLION, "filters": 8}, {"where": [wide]}).count() == (1600, {wide: 0})


def test_a_range_of_a_thousand_million_steps_is_not_held_in_memory() -> None:
    with pytest.raises(InputError, match=r"learning_rate: 1,000,000,000 steps from 1e-09 to 1 are too many: give a la"):
        cnn({"learning_rate": {"min": 1e-9, "max": 1.0, "step": 1e-9}}, {})
    space = read_space({"units": {"min": 1, "max": 10**9}}, {}, (Parameter("units", 1),), {})
    for use in (Space.count, Space.grid, Space.size):
        with pytest.raises(InputError, match="units: 1,000,000,000 values are too many for a grid"):
            use(space)
    assert space.configurations is None  # it is searched as real numbers are


def load(algorithm: str, rule: str) -> ModelSearch:
    part = {"family": "cnn", "algorithm": algorithm, "space": MILLION, "rules": {"where": [rule]}}
    if algorithm != "grid":
        part["max_trials"] = 3
    raw = {"title": "x", "dataset": "digits", "training": {"epochs": 1}, "search": [part]}
    return parse_search(raw, "x", Path(), Overrides(), "").model_searches[0]


def test_an_entry_plans_at_most_what_there_is_before_rules_that_cannot_be_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load("grid", "padding == 'same'").planned() == 500_000
    monkeypatch.setattr(space_module, "_MOST_EFFORT", 100)
    assert load("grid", "sum(filters) * dense_units > 9").planned() == 1_000_000


def test_rules_that_leave_nothing_for_long_are_refused_for_a_grid_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    last = "sum(filters) == 4 * 128"
    assert next(load("grid", last).space.grid())["filters_1"] == 128
    monkeypatch.setattr(search_file, "_LOOKED_AT", 600)
    with pytest.raises(InputError, match="leave no configuration within the first 600 steps of the grid "):
        load("grid", last)
    assert load("random", last).planned() == 3
    for algorithm in ("grid", "random"):
        with pytest.raises(InputError, match=r"leave no configuration \('conv_depth > 4'\)"):
            load(algorithm, "conv_depth > 4")
