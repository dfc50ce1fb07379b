"""Whatever a search file holds, reading it gives a search, or one line that names the place."""

from __future__ import annotations

import copy
import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tuner.errors import InputError
from tuner.search_file.file import load_search, parse_search, saved_search, search_from_json
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.search_file.schema import SearchFile

Node = dict[str, Any] | list[Any]

#: A file that uses every table.
WHOLE: dict[str, Any] = {
    "title": "A title",
    "dataset": ["digits", "mine.npz"],
    "seed": 7,
    "protocol": "holdout",
    "repeats": 2,
    "validation": 0.25,
    "image_size": [8, 8],
    "channels": 1,
    "max_trial_minutes": 5.0,
    "watch": ["first"],
    "training": {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.01, "epochs": 10, "threads": 1},
    "search": [
        {
            "family": "cnn",
            "algorithm": "grid",
            "space": {
                "conv_depth": [1, 2],
                "filters": [8, 16],
                "dense_units": {"min": 8, "max": 32, "step": 8},
                "l2": {"min": 1e-4, "max": 1e-2, "step": 10, "sampling": "log"},
                "schedule": ["constant", "steps"],
                "schedule_steps": "0.5 0.75",
                "batch_norm": [True, False],
            },
            "rules": {"filters_never_decrease": True, "where": ["dense_units >= last(filters)", "l2 < 0.1"]},
        },
        {
            "family": "ann",
            "name": "random",
            "algorithm": "random",
            "max_trials": 5,
            "lag": 2,
            "epochs": 5,
            "watch": [],
            "space": {"dropout": {"min": 0.0, "max": 0.5}},
        },
        {"family": "nets.own:build", "algorithm": "hyperband", "space": {"width": [4, 8], "kind": "a"}},
    ],
    "compare": {"datasets": ["digits", "mine.npz"]},
    "report": {"pivots": [["model", "l2"]], "curves": "l2", "reach": [0.5, 0.9]},
    "published": {
        "study": "A study",
        "runs": 3,
        "scores": [{"model": "cnn", "dataset": "digits", "test_accuracy": [0.5, 0.6], "test_loss": 0.5}],
        "trials": [{"model": "cnn", "values": {"l2": 0.01, "batch_norm": True}, "accuracy": 0.9}],
        "groups": [{"parameter": "l2", "value": 0.01, "mean": 0.9, "sd": 0.1}],
    },
}


def keys_in(node: object) -> set[str]:
    """Return every key in a tree."""
    if isinstance(node, dict):
        return set(node).union(*map(keys_in, node.values()))
    return set[str]().union(*map(keys_in, node)) if isinstance(node, list) else set()


#: What TOML has for values.
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-3, 40),
    st.sampled_from([2**31, -(2**63), 2**63, 10**30]),
    st.floats(-2, 2),
    st.sampled_from([float("nan"), float("inf"), 1e300, 1e-300]),
    st.text(max_size=8),
    st.sampled_from(["cnn", "ann", "digits", "grid", "random", "steps", "first", "l2", "x:y", "0.5", "1 < 2"]),
    st.sampled_from([datetime.date(2026, 1, 1), datetime.time(1, 2), datetime.datetime(2026, 1, 1)]),
)
KEYS = st.text(max_size=6) | st.sampled_from(sorted(keys_in(WHOLE)))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=5
)


def nodes_of(tree: object) -> list[Node]:
    """Return all dicts and lists of a tree that hold something."""
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else []
    found = [node for child in inner for node in nodes_of(child)]
    return [tree, *found] if isinstance(tree, dict | list) and tree else found


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A good file with a few changes: something dropped, renamed, put in its place, nested, or there twice."""
    raw = copy.deepcopy(WHOLE)
    for table in draw(st.sets(st.sampled_from(["published", "report", "compare", "watch"]))):
        del raw[table]
    del raw["search"][draw(st.integers(1, 3)) :]
    for _ in range(draw(st.integers(0, 3))):
        places = nodes_of(raw)
        if not places:
            break
        node = draw(st.sampled_from(places))
        place = draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        change = draw(st.sampled_from(["drop", "rename", "replace", "nest", "double"]))
        value = node[place]
        if change == "drop" or (change == "rename" and isinstance(node, dict)):
            del node[place]
        if change == "rename" and isinstance(node, dict):
            node[draw(KEYS)] = value
        elif change == "replace":
            node[place] = draw(VALUES)
        elif change == "nest":
            node[place] = draw(st.sampled_from([[value], {"min": value}, {str(place): value}, [value, value]]))
        elif change == "double" and isinstance(node, list):
            node.insert(place, copy.deepcopy(value))
    return raw


def read(raw: dict[str, Any]) -> Search:
    return parse_search(raw, "mine", Path("searches"), Overrides(epochs=3), "0" * 16)


def check_error(error: InputError, raw: dict[str, Any]) -> None:
    """It is one line, and its place begins with a key of the file, or one that the file should have."""
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 1500
    assert error.problem
    first = re.match(r"\[\[search\]\] \d+|\"[^\"]*\"|'[^']*'|[^. ]+", error.place)
    assert first, error
    named = first[0] if first[0][0] not in "\"'" else None
    assert named is None or named.startswith("[[search]]") or named in {*raw, *SearchFile.model_fields}


@settings(deadline=None, max_examples=500, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(spoiled())
def test_a_spoiled_file_is_a_search_or_one_line_that_names_the_place(raw: dict[str, Any]) -> None:
    try:
        search = read(raw)
    except InputError as error:
        check_error(error, raw)
        return
    back = search_from_json(search.to_json())
    assert back.to_json() == search.to_json()
    assert back.key == search.key
    assert [
        (model_search.name, model_search.watch, model_search.epochs, model_search.max_trials)
        for model_search in back.model_searches
    ] == [
        (model_search.name, model_search.watch, model_search.epochs, model_search.max_trials)
        for model_search in search.model_searches
    ]
    assert [model_search.space.domains for model_search in back.model_searches] == [
        model_search.space.domains for model_search in search.model_searches
    ]
    assert [[rule.text for rule in model_search.space.rules] for model_search in back.model_searches] == [
        [rule.text for rule in model_search.space.rules] for model_search in search.model_searches
    ]


def test_the_file_that_is_spoiled_is_right() -> None:
    assert [model_search.name for model_search in read(WHOLE).model_searches] == ["cnn", "random", "build"]


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_table_is_a_search_or_one_line_that_names_the_place(raw: dict[str, Any]) -> None:
    try:
        read(raw)
    except InputError as error:
        check_error(error, raw)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda raw: raw.update(seed=10**5000), id="a number of 5,000 digits"),
        pytest.param(lambda raw: raw["training"].update(momentum=10**5000), id="a setting of 5,000 digits"),
        pytest.param(lambda raw: raw["search"][0]["space"].update(l2=[10**5000]), id="a value of 5,000 digits"),
        pytest.param(
            lambda raw: raw["search"][0]["space"].update(l2={"min": 0.1, "max": 0.2, "step": 10**5000}),
            id="a step of 5,000 digits",
        ),
        pytest.param(lambda raw: raw.update(title=nested(3000)), id="3,000 lists in each other"),
        pytest.param(lambda raw: raw["search"][0]["space"].update(l2=nested(3000)), id="a value 3,000 lists deep"),
        pytest.param(lambda raw: raw["search"][2]["space"].update(width=nested(3000)), id="a value of an own network"),
        pytest.param(lambda raw: raw["search"][0]["rules"].update(where=nested(3000)), id="a rule 3,000 lists deep"),
        pytest.param(lambda raw: raw["search"][0]["rules"].update(where="not " * 5000 + "true"), id="a long rule"),
        pytest.param(lambda raw: raw.update({"key " * 1000: 1}), id="a key of 4,000 characters"),
        pytest.param(lambda raw: raw["search"][0].update(name="x" * 10_000), id="a name of 10,000 characters"),
    ],
)
def test_nothing_is_too_large_to_be_refused_in_a_line(change: Callable[[dict[str, Any]], None]) -> None:
    raw = copy.deepcopy(WHOLE)
    change(raw)
    with pytest.raises(InputError) as caught:
        read(raw)
    check_error(caught.value, raw)


def nested(depth: int) -> list[Any]:
    """Return a list in a list in a list."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


TEXT = """
title = "A title"
dataset = "digits"  # a comment
[training]
epochs = 3
[[search]]
family = "cnn"
[search.space]
filters = [8, 16]
dropout = { min = 0.1, max = 0.5, step = 0.1 }
[search.rules]
where = ["dense_units >= last(filters)"]
"""
PIECES = st.sampled_from(["[", "]", "{", "}", "=", '"', "'", '"""', "\n", "#", ".", ",", "\\", "\x00", "é", "[[", "0x"])


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """A good file of which a few bytes are cut out or replaced, or lines are in another order; or any bytes."""
    if draw(st.integers(0, 7)) == 0:
        return draw(st.binary(max_size=60))
    content = TEXT.encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.sampled_from([0, 0, 1, 2, 20]))
        content = content[:start] + draw(PIECES).encode() + content[end:]
    lines = content.splitlines(keepends=True)
    return b"".join(draw(st.permutations(lines))) if draw(st.booleans()) else content


@settings(deadline=None, max_examples=300, derandomize=True)
@example(b"x = " + b"[" * 5000)
@example(b"seed = " + b"1" * 5000)
@example(b"a." * 5000 + b"a = 1")
@given(texts())
def test_a_file_of_any_bytes_is_a_search_or_one_line_that_names_the_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        search = load_search(path)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        assert error.place.startswith(str(path))
    else:
        assert search.name == "any"
        assert search_from_json(search.to_json()).key == search.key


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.text(max_size=40) | st.recursive(st.integers() | st.text(), st.lists).map(json.dumps))
def test_text_that_no_search_wrote_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError, match="is not as a run records it"):
        saved_search(text)
