"""Keys of a search file that the command line sets."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from tuner.errors import InputError
from tuner.search_file.file import parse_search, search_from_json
from tuner.search_file.overrides import Overrides
from tuner.search_file.settings import with_settings

RAW = {
    "title": "x",
    "dataset": "digits",
    "training": {"epochs": 3, "optimizer": "adam"},
    "search": [
        {"family": "ann", "space": {"dense_units": [4, 8]}},
        {"family": "cnn", "algorithm": "random", "max_trials": 4, "space": {"conv_depth": [1, 2]}},
        {"family": "cnn", "name": "deep", "space": {"conv_depth": 3}},
    ],
}


@pytest.mark.parametrize(
    ("setting", "way", "value"),
    [
        ("seed=7", ("seed",), 7),
        ("training.epochs=5", ("training", "epochs"), 5),
        ("training.optimizer=sgd", ("training", "optimizer"), "sgd"),
        ('training.optimizer="sgd"', ("training", "optimizer"), "sgd"),
        ("training.batch_size = 64", ("training", "batch_size"), 64),
        ('title="a = b"', ("title",), "a = b"),
        ("report.matters=0.01", ("report", "matters"), 0.01),
        ("search.ann.space.dropout=[0.1, 0.3]", ("search", 0, "space", "dropout"), [0.1, 0.3]),
        ("search.2.max_trials=9", ("search", 1, "max_trials"), 9),
        ("search.deep.rules.filters_never_decrease=true", ("search", 2, "rules", "filters_never_decrease"), True),
        ("search.1.space.l2={ min = 1e-4, max = 1e-2 }", ("search", 0, "space", "l2"), {"min": 1e-4, "max": 1e-2}),
    ],
)
def test_a_key_is_set_and_nothing_else(setting: str, way: tuple[str | int, ...], value: object) -> None:
    before = copy.deepcopy(RAW)
    changed = with_settings(RAW, [setting])
    assert before == RAW
    place: object = changed
    for step in way:
        place = place[step]  # type: ignore[index]
    assert place == value
    assert type(place) is type(value)


def test_the_last_of_several_holds() -> None:
    changed = with_settings(RAW, ["training.epochs=5", "seed=1", "training.epochs=6"])
    assert (changed["training"]["epochs"], changed["seed"]) == (6, 1)


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("training.epochs", "--set: 'training.epochs' is no setting; write KEY=VALUE, such as training.epochs=5"),
        ("=5", "--set: '=5' is no setting"),
        ("training..epochs=5", "--set: 'training..epochs=5' is no setting"),
        ("title=two words", "--set: 'title=two words' has no value in TOML; write strings of several words in quotes"),
        ("title='x'\nseed = 3", "--set: "),
        ("search.cnn.max_trials=3", "--set: no [[search]] is 'cnn'; "),  # there are two of this family
        ("search.dep.max_trials=3", "--set: no [[search]] is 'dep'; did you mean 'deep'?"),
        ("search.deep=3", "--set: search.deep names no key of a [[search]]"),
        ("title.x=3", "--set: title is a value, not a table"),
    ],
)
def test_what_leads_nowhere_is_one_line(setting: str, line: str) -> None:
    with pytest.raises(InputError) as error:
        with_settings(RAW, [setting])
    assert str(error.value).startswith(line)


def test_a_wrong_value_is_told_as_in_the_file() -> None:
    with pytest.raises(InputError, match=r"^training.epocs: no such setting; did you mean 'epochs'"):
        parse_search(RAW, "x", Path(), Overrides(settings=("training.epocs=5",)), "")


def test_a_search_keeps_its_settings_and_is_named_by_them() -> None:
    plain = parse_search(RAW, "x", Path(), Overrides(), "")
    search = parse_search(RAW, "x", Path(), Overrides(settings=("training.epochs=5", "search.2.max_trials=9")), "")
    assert (search.epochs, search.model_searches[1].max_trials) == (5, 9)
    assert search.raw == plain.raw
    assert search.key != plain.key
    again = search_from_json(search.to_json())
    assert (again.key, again.epochs, again.overrides) == (search.key, 5, search.overrides)
    assert search.overrides.given == [("--set", "training.epochs=5"), ("--set", "search.2.max_trials=9")]


def test_a_search_without_settings_is_recorded_as_before_there_were_any() -> None:
    search = parse_search(RAW, "x", Path(), Overrides(epochs=2), "")
    assert '"overrides": {"epochs": 2, "train_size": null, "test_size": null, "repeats": null}' in search.to_json()


def test_options_of_their_own_come_after_settings() -> None:
    assert parse_search(RAW, "x", Path(), Overrides(epochs=2, settings=("training.epochs=5",)), "").epochs == 2
