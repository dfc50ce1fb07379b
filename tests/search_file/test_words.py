"""Every key of every table, placed in every other table: one line that says where it belongs."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tuner.errors import InputError
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides
from tuner.search_file.words import TABLES

SCORE = {"model": "cnn", "dataset": "digits", "test_accuracy": 0.9}
TRIAL = {"model": "cnn", "values": {"conv_depth": 1}, "accuracy": 0.9}
GROUP = {"parameter": "conv_depth", "value": 1, "mean": 0.9, "sd": 0.1}
GOOD: dict[str, Any] = {
    "title": "x",
    "dataset": "digits",
    "training": {"epochs": 3},
    "search": [{"family": "cnn", "space": {"conv_depth": 1}, "rules": {"where": ["conv_depth > 0"]}}],
    "compare": {"datasets": ["digits"]},
    "published": {"study": "A", "scores": [SCORE], "trials": [TRIAL], "groups": [GROUP]},
    "report": {"reach": [0.9]},
}
#: The way to each table, and how an error names it.
WAYS: dict[str, tuple[list[Any], str]] = {
    "the top of the file": ([], ""),
    "[training]": (["training"], "training."),
    "[[search]]": (["search", 0], "[[search]] 1."),
    "[search.space]": (["search", 0, "space"], "[[search]] 1 space."),
    "[search.rules]": (["search", 0, "rules"], "[[search]] 1 rules."),
    "[compare]": (["compare"], "compare."),
    "[published]": (["published"], "published."),
    "[[published.scores]]": (["published", "scores", 0], "published.scores 1."),
    "[[published.trials]]": (["published", "trials", 0], "published.trials 1."),
    "[[published.groups]]": (["published", "groups", 0], "published.groups 1."),
    "[report]": (["report"], "report."),
}
PLACED = [(key, home, here) for home, keys in TABLES.items() for key in sorted(keys) for here in TABLES]


def with_key(here: str, key: str, value: object) -> dict[str, Any]:
    raw = deepcopy(GOOD)
    table = raw
    for step in WAYS[here][0]:
        table = table[step]
    table[key] = value
    return raw


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_search(raw, "x", Path(), Overrides(), "")
    return str(caught.value)


def test_the_tables_are_all_there_are() -> None:
    assert WAYS.keys() == TABLES.keys()
    parse_search(GOOD, "x", Path(), Overrides(), "")
    assert len(PLACED) > 500


@pytest.mark.parametrize("here", WAYS)
def test_a_key_that_stands_in_a_wrong_table_is_told_where_it_belongs(here: str) -> None:
    wrong = [(key, home) for key, home, place in PLACED if place == here and key not in TABLES[here]]
    assert wrong
    for key, home in wrong:
        said = refusal(with_key(here, key, 12))
        assert said.startswith(f"{WAYS[here][1]}{key}: is no key of {here}: it belongs in ")
        assert home in said
        assert said.partition("did you mean ")[2].strip("'?") in {"", *TABLES[here]}
        assert "known:" not in said


@pytest.mark.parametrize("here", WAYS)
def test_a_key_that_nobody_knows_is_shown_the_keys_of_its_own_table(here: str) -> None:
    said = refusal(with_key(here, "zzz", 12))
    assert said.startswith(f"{WAYS[here][1]}zzz: no such ")
    listed = set(said.partition("known: ")[2].split(", "))
    if here == "[search.space]":  # of whose keys the family's own are known
        assert {"conv_depth", "filters", "optimizer"} <= listed
        assert "width" not in listed
    else:
        assert listed == TABLES[here]


@pytest.mark.parametrize("here", WAYS)
def test_a_misspelt_key_is_shown_the_nearest_of_its_own_table(here: str) -> None:
    known = {"[search.space]": "conv_depth"}.get(here) or max(TABLES[here], key=len)
    said = refusal(with_key(here, known[:-1] + "xq", 12))
    assert f"did you mean {known!r}?" in said
    assert " of [" not in said


def test_a_misspelt_key_of_another_table_is_told_where_that_is() -> None:
    said = refusal(with_key("the top of the file", "max_trialss", 12))
    assert "max_trial" in said
    assert "did you mean 'learning_rate' of [training] or [search.space]?" in refusal(
        with_key("[[search]]", "learning_rat", 0.1)
    )


@pytest.mark.parametrize(
    ("here", "key", "value", "remedy"),
    [
        ("the top of the file", "image_size", 64, "give height and width: image_size = [64, 64]"),
        ("the top of the file", "watch", "first", 'write watch = ["first"]'),
        ("[[search]]", "watch", "conv_1", 'write watch = ["conv_1"]'),
        ("[compare]", "datasets", "mnist", 'write datasets = ["mnist"]'),
        ("[report]", "reach", 0.9, "write reach = [0.9]"),
        ("[report]", "pivots", ["dropout", "l2"], 'give pairs of parameters: pivots = [["dropout", "l2"]]'),
        ("[published]", "scores", {"model": "cnn"}, "write [[published.scores]], not [published.scores]"),
        ("the top of the file", "search", {"family": "cnn"}, "write [[search]], not [search]"),
    ],
)
def test_a_single_value_in_place_of_a_list_is_told_how_to_be_written(
    here: str, key: str, value: object, remedy: str
) -> None:
    said = refusal(with_key(here, key, value))
    assert "is not a list" in said
    assert remedy in said
