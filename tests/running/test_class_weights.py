"""Weights by class name are held against every data set of a search before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.running.dryrun import check_class_weights, dry_run
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides


def a_search(folder: Path, weights: object = "none", settings: tuple[str, ...] = (), **changed: Any) -> Search:
    raw = {
        "title": "x",
        "dataset": "blobs",
        "training": {"epochs": 1, "class_weight": weights},
        "search": [{"family": "ann"}, {"family": "cnn"}],
        **changed,
    }
    return parse_search(raw, "small", folder, Overrides(settings=settings), "")


def test_a_class_that_a_data_set_has_not_is_refused_with_its_place(tmp_path: Path, blobs: Dataset) -> None:
    check_class_weights(a_search(tmp_path, {"bottom": 2}), "blobs", blobs.class_names)
    wrong = {"bottom": 2, "tp": 1}
    searched = [{"family": "ann"}, {"family": "cnn", "space": {"class_weight": ["none", {"top": 1}, wrong]}}]
    for search, place in (
        (a_search(tmp_path, wrong), r"small.toml training\.class_weight"),
        (a_search(tmp_path, "{tp 1, bottom 2}"), r"small.toml training\.class_weight"),
        (a_search(tmp_path, settings=("training.class_weight={tp=1}",)), "training.class_weight"),
        (a_search(tmp_path, search=searched), r"small.toml \[\[search\]\] 2 space\.class_weight"),
    ):
        with pytest.raises(InputError, match=f"{place}: 'tp' is no class of blobs; did you mean 'top'"):
            check_class_weights(search, "blobs", blobs.class_names)


def test_each_data_set_is_held_against_them_by_the_dry_run_too(tmp_path: Path) -> None:
    search = a_search(tmp_path, {"Dress": 2}, dataset=["fashion_mnist", "mnist"])
    with pytest.raises(InputError, match=r"training\.class_weight: 'Dress' is no class of mnist; known: 0, 1, 2"):
        dry_run(search, None)


def test_values_that_are_tried_first_may_be_tables(tmp_path: Path) -> None:
    space = {"class_weight": ["none", {"top": 2, "bottom": 0.5}]}
    first = [{"class_weight": {"bottom": 0.5, "top": 2.0}}]
    one = {"family": "ann", "algorithm": "random", "max_trials": 2, "space": space, "try_first": first}
    (model_search,) = a_search(tmp_path, search=[one]).model_searches
    assert model_search.first[0]["class_weight"] == "{bottom 0.5, top 2}"
