"""Rules about the size of networks: what they allow, for every algorithm, and for users' own networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuner.errors import InputError
from tuner.oracles import Proposal
from tuner.running import sizes
from tuner.running.dryrun import dry_run, preview
from tuner.running.own_spaces import with_spaces_read
from tuner.running.sizes import with_sizes
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.overrides import Overrides

SHAPE, CLASSES = (28, 28, 1), 10
SPACE = {"conv_depth": [1, 2], "filters": [2, 8, 32], "dense_units": [4, 64], "learning_rate": [0.1, 0.01]}


def search_of(folder: Path, rules: list[str], space: dict[str, Any] | None = None, **entry: Any) -> Search:
    one = {"family": "cnn", "space": SPACE if space is None else space, "rules": {"where": rules}, **entry}
    raw = {"title": "x", "dataset": "digits", "training": {"epochs": 1}, "search": [one]}
    return parse_search(raw, "small", folder, Overrides(), "0" * 16)


def sized(search: Search) -> ModelSearch:
    return with_sizes(search, search.model_searches[0], SHAPE, CLASSES)


def parameters_of(model_search: ModelSearch, values: Any) -> int:
    counted = model_search.family.counted(values, SHAPE, CLASSES)
    assert counted is not None
    return counted.parameters


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("parameters <= 5000", lambda work: work.parameters <= 5_000),
        ("megabytes > 0.1", lambda work: 4 * work.parameters / 1e6 > 0.1),
        ("multiply_adds < 2e5", lambda work: work.total < 2e5),
        ("parameters * 10 < multiply_adds or dense_units == 64", None),
    ],
)
def test_a_grid_holds_what_the_rule_allows_and_counts_what_it_rejects(tmp_path: Path, rule: str, allowed: Any) -> None:
    search = search_of(tmp_path, [rule])
    one = sized(search)
    every = list(search_of(tmp_path, []).model_searches[0].space.grid())

    def holds(values: Any) -> bool:
        work = one.family.counted(values, SHAPE, CLASSES)
        assert work is not None
        if allowed is None:
            return work.parameters * 10 < work.total or values["dense_units"] == 64
        return bool(allowed(work))

    kept = [values for values in every if holds(values)]
    assert 0 < len(kept) < len(every)
    assert list(one.space.grid()) == kept
    assert one.space.count() == (len(kept), {rule: len(every) - len(kept)})
    assert one.planned() == len(kept)


def test_before_the_images_are_known_such_a_rule_allows_everything_and_counts_are_upper_limits(tmp_path: Path) -> None:
    (unsized,) = search_of(tmp_path, ["parameters <= 5000"]).model_searches
    assert unsized.planned() == len(list(search_of(tmp_path, []).model_searches[0].space.grid()))
    assert not unsized.is_counted
    assert sized(search_of(tmp_path, ["parameters <= 5000"])).is_counted


def test_without_such_a_rule_nothing_changes(tmp_path: Path) -> None:
    search = search_of(tmp_path, ["dense_units > 4"])
    assert sized(search) is search.model_searches[0]


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "tpe", "hyperband"])
def test_every_algorithm_proposes_what_is_allowed_alone(tmp_path: Path, algorithm: str) -> None:
    ranges = {"filters": {"min": 2, "max": 64, "step": 2}, "dense_units": {"min": 4, "max": 256, "sampling": "log"}}
    most = {} if algorithm == "hyperband" else {"max_trials": 12}
    one = sized(search_of(tmp_path, ["parameters <= 20000"], ranges, algorithm=algorithm, epochs=4, **most))
    oracle = one.oracle(0)
    for number in range(4):
        answer = oracle.propose()
        assert isinstance(answer, Proposal)
        assert parameters_of(one, answer.values) <= 20_000
        oracle.observe(number, 0.5)


def test_a_large_grid_is_counted(tmp_path: Path) -> None:
    space = {
        "conv_depth": [1, 2, 3],
        "filters": [4, 8, 16, 32],
        "dense_units": [8, 16, 32, 64, 128],
        "dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
        "learning_rate": [0.1, 0.03, 0.01, 0.003, 0.001],
        "batch_size": [16, 32, 64, 128],
        "optimizer": ["adam", "sgd", "rmsprop"],
    }
    kept, rejected = sized(search_of(tmp_path, ["parameters <= 20000"], space)).space.count()
    assert kept + rejected["parameters <= 20000"] == (4 + 16 + 64) * 5 * 6 * 5 * 4 * 3
    assert kept > 0


def test_the_dry_run_shows_what_is_left_and_counts_what_was_rejected(tmp_path: Path) -> None:
    search = search_of(tmp_path, ["parameters <= 900"], {"dense_units": [4, 8, 64]}, family="ann")
    told = dry_run(search, None)  # of 8x8 images
    assert [trial["parameters"] for trial in told["trials"]] == [4 * 65 + 50, 8 * 65 + 90]
    assert told["rejected"] == {"parameters <= 900": 1}


OWN = """
import keras

def build(hp, shape, classes):
    units = hp.Choice("units", [2, 4, 50])
    pixels = keras.Input(shape)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    x = keras.layers.Dense(units, activation="relu")(x)
    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))
"""


@pytest.mark.slow
def test_networks_of_a_user_s_own_are_built_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.py").write_text(OWN)
    search = search_of(tmp_path, ["parameters <= 400", "multiply_adds >= 200"], {}, family="net:build")
    read, _ = with_spaces_read(search, None)
    one = with_sizes(read, read.model_searches[0], (8, 8, 1), 10)
    assert [values["units"] for values in preview(read, one)] == [4]
    assert one.space.count()[1] == {"parameters <= 400": 1, "multiply_adds >= 200": 1}
    monkeypatch.setattr(sizes, "MOST_BUILT", 2)
    with pytest.raises(InputError, match="more than 2 would be"):
        list(with_sizes(read, read.model_searches[0], (8, 8, 1), 10).space.grid())
