"""What a search file and a user's `build(hp)` together make a space of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuner.errors import InputError
from tuner.families.declared import Declared
from tuner.search_file.file import parse_search, search_from_json, with_declared
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.overrides import Overrides
from tuner.space.parameters import Choice, Range

UNITS = Declared("units", "Int", (), 16, 64, 16)
KIND = Declared("kind", "Choice", ("relu", "tanh"))
MORE = Declared("more", "Boolean", ways=((("kind", ("tanh",)),),))
FIXED = Declared("size", "Fixed", (3,))
RATE = Declared("learning_rate", "Float", (), 1e-4, 1e-1, None, "log")
OPTIMIZER = Declared("optimizer", "Choice", ("adam", "adagrad"))


def search(training: dict[str, Any] | None = None, **table: Any) -> Search:
    raw = {
        "title": "x",
        "dataset": "blobs.npz",
        "training": {"epochs": 2, **(training or {})},
        "search": [{"family": "net:build", **table}],
    }
    return parse_search(raw, "mine", Path("searches"), Overrides(), "0" * 16)


def read(*declared: Declared, **parts: Any) -> ModelSearch:
    (model_search,) = with_declared(search(**parts), {"build": declared}).model_searches
    return model_search


def test_before_a_build_a_space_is_open_and_a_grid_has_no_number() -> None:
    (model_search,) = search(space={"units": [16, 32]}).model_searches
    assert model_search.space.is_open
    assert not model_search.is_known
    assert model_search.space.configurations is None


def test_before_a_build_others_than_grids_have_as_many_trials_as_they_ask_for() -> None:
    (model_search,) = search(space={"units": [16, 32]}, algorithm="random", max_trials=30).model_searches
    assert model_search.is_known
    assert model_search.planned() == 30


def test_what_the_file_does_not_name_is_searched_as_declared() -> None:
    found = read(UNITS, KIND, MORE, FIXED, space={"units": 32})
    assert not found.space.is_open
    assert found.planned() == 1 + 2
    assert found.space.varying() == ("kind", "more")
    assert [values.get("more") for values in found.space.grid()] == [None, False, True]
    assert all((values["units"], values["size"]) == (32, 3) for values in found.space.grid())


def test_a_search_whose_file_names_all_is_as_it_was_in_the_order_of_the_file() -> None:
    space = {"kind": ["tanh", "relu"], "units": [64, 16]}
    before = search(space=space).model_searches[0].space
    found = read(UNITS, KIND, FIXED, space=space)
    assert found.added == ""
    assert [parameter.name for parameter in found.space.parameters][:-1] == [p.name for p in before.parameters]
    assert [{**values, "size": 3} for values in before.grid()] == list(found.space.grid())


def test_a_list_of_trials_is_named_by_what_a_build_adds_too() -> None:
    names = {
        read(UNITS, KIND, space={"units": [16]}).added,
        read(UNITS, KIND, MORE, space={"units": [16]}).added,
        read(UNITS, space={"units": [16]}).added,
    }
    assert len(names) == 3
    assert "" in names


def test_a_fixed_parameter_is_no_part_of_a_trials_name() -> None:
    ids = []
    for declared in ((UNITS,), (UNITS, FIXED)):
        whole = with_declared(search(space={"units": [16, 32]}), {"build": declared})
        from dataclasses import replace

        model_search = replace(whole.model_searches[0], source="f" * 16)
        ids.append([whole.trial(model_search, "blobs", "e" * 16, v, None).id for v in model_search.space.grid()])
    assert ids[0] == ids[1]


def test_a_setting_of_the_recipe_that_build_asks_for_is_searched_unless_the_file_gives_it() -> None:
    assert read(RATE, algorithm="random", max_trials=3).space.domains["learning_rate"] == Range(1e-4, 1e-1, None, True)
    assert read(RATE, training={"learning_rate": 0.5}).space.domains["learning_rate"] == Choice((0.5,))
    assert read(RATE, space={"learning_rate": [0.01]}).space.domains["learning_rate"] == Choice((0.01,))
    assert read(OPTIMIZER).space.domains["optimizer"] == Choice(("adam", "adagrad"))


@pytest.mark.parametrize(
    ("declared", "parts", "message"),
    [
        (UNITS, {"space": {"unit": 3}}, r"space\.unit: net:build never asks for it; did you mean 'units'\?"),
        (UNITS, {"space": {"units": [16, 20]}}, r"space\.units: 20 is not among 16, 32, 48, 64"),
        (RATE, {"space": {"learning_rate": [1.0]}}, r"space\.learning_rate: 1\.0 is outside 0\.0001 to 0\.1"),
        (RATE, {}, r"learning_rate: a grid needs a list of values or a range with a step"),
        (
            Declared("batch_size", "Float", (), 0.5, 1.5, 0.5),
            {},
            r"asks for 'batch_size', which is a setting of the recipe: 0\.5 is not a whole number",
        ),
        (Declared("seed", "Boolean"), {}, "asks for 'seed', which is a column of the tables"),
        (Declared("width", "get"), {}, r"asks for 'width', which is looked up in hp .*; name it in \[search\.space\]"),
        (UNITS, {"rules": {"where": ["unit > 3"]}}, "no parameter is named 'unit'"),
        (UNITS, {"rules": {"where": ["units > 300"]}}, "leave no configuration"),
        (UNITS, {"try_first": [{"units": 17}], "algorithm": "random", "max_trials": 3}, "try_first 1 units: 17"),
    ],
)
def test_what_does_not_go_together_is_one_line(declared: Declared, parts: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(declared, **parts)


def test_rules_and_first_configurations_may_speak_of_what_is_declared() -> None:
    parts = {"rules": {"where": ["units > 16"]}, "try_first": [{"units": 48}], "algorithm": "random", "max_trials": 3}
    found = read(UNITS, **parts)
    assert found.space.finite is not None
    assert found.space.finite.count == 3
    assert [values["units"] for values in found.first] == [48]


def test_what_was_declared_is_recorded_and_comes_back() -> None:
    whole = with_declared(search(space={"units": [16, 32]}), {"build": (UNITS, KIND, MORE, FIXED)})
    back = search_from_json(whole.to_json())
    assert back.model_searches[0].declared == whole.model_searches[0].declared
    assert list(back.model_searches[0].space.grid()) == list(whole.model_searches[0].space.grid())
    assert "declared" not in search().to_json()
