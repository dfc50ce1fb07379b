"""A search whose file has changed says what of its earlier trials still counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.running.changed import Before, differing
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Record, Result, Trial

BEFORE: dict[str, Any] = {
    "title": "x",
    "dataset": "digits",
    "training": {"epochs": 3},
    "search": [
        {"family": "cnn", "algorithm": "bayesian", "max_trials": 4, "space": {"dropout": {"min": 0.0, "max": 0.5}}},
        {"family": "ann"},
    ],
}
WIDE = {**BEFORE["search"][0], "space": {"dropout": {"min": 0.0, "max": 0.6}}}
WIDER = {**BEFORE, "search": [WIDE, {"family": "ann"}]}


def search_of(raw: dict[str, Any], **overrides: int) -> Search:
    return parse_search(raw, "small", Path(), Overrides(**overrides), "")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in which the search ran with two trials, of which one finished."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.open_search("small", "old", search_of(BEFORE).to_json())
        for number, value in enumerate((0.25, 0.5)):
            trial = Trial("cnn", "digits", "f" * 16, {"dropout": value}, epochs=3, seed=0)
            ledger.add("small", SearchTrial("cnn", "digits", "search", number, trial.id))
            if number == 0:
                ledger.record(Record(trial, Result("failed", "a bad one")))
        yield ledger


def test_a_wider_space_is_named(ledger: Ledger) -> None:
    wider = search_of(WIDER)
    before = Before.read(ledger, wider, "new")
    assert before is not None
    assert before.at_start(wider) == [
        "small has changed since it last ran ([[search]] 1.space.dropout.max): of the 1 trial that finished then, what "
        "is its own still is not trained again.",
    ]


def test_what_no_longer_belongs_is_counted_when_the_search_has_its_trials(ledger: Ledger) -> None:
    before = Before.read(ledger, search_of(WIDER), "new")
    assert before is not None
    search_trials = ledger.search_trials("small")
    assert before.left_behind(search_trials) == ""
    assert before.left_behind(search_trials[1:]).startswith("1 of the 1 trials from before the change no longer belong")


def test_another_budget_is_named_by_its_option(ledger: Ledger) -> None:
    shorter = search_of(BEFORE, epochs=2, train_size=100)
    before = Before.read(ledger, shorter, "new")
    assert before is not None
    assert before.changed == ("--epochs", "--train-size")


def test_an_unchanged_search_and_one_without_trials_say_nothing(ledger: Ledger) -> None:
    assert Before.read(ledger, search_of(BEFORE), "old") is None
    ledger.open_search("small", "newer", search_of(WIDER).to_json())
    assert Before.read(ledger, search_of(BEFORE), "old") is None


def test_what_differs_is_named_as_the_file_has_it() -> None:
    after = {**WIDER, "seed": 1, "training": {"epochs": 4}}
    assert list(differing(BEFORE, after)) == ["training.epochs", "[[search]] 1.space.dropout.max", "seed"]
    assert list(differing(BEFORE, {**BEFORE, "search": BEFORE["search"][:1]})) == ["search"]
    assert list(differing(BEFORE, BEFORE)) == []
