"""Networks built without training: whatever a user's own code does, the dry run ends and says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.errors import InputError
from tuner.running.building import build_all
from tuner.running.dryrun import preview
from tuner.search_file.file import load_search
from tuner.worker.probe import Built

OWN = """
import os, sys, time
import keras

def build(hp, shape, classes):
    kind = hp.Choice("kind", ["fine", "raises", "leaves", "dies", "endless"])
    if kind == "raises":
        raise ValueError("no such\\nshape")
    if kind == "leaves":
        sys.exit(3)
    if kind == "dies":
        os._exit(5)
    while kind == "endless":
        time.sleep(1)
    last = keras.layers.Dense(classes, activation="softmax")
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), last])
"""
SEARCH = """
title = "x"
dataset = "blobs.npz"
[training]
epochs = 1
[[search]]
family = "{family}"
[search.space]
kind = {kinds}
"""


def built(folder: Path, kinds: list[str], family: str = "own_build:build") -> dict[str, Built]:
    (folder / "own_build.py").write_text(OWN)
    (folder / "own_exits.py").write_text("raise SystemExit(7)")
    (folder / "own.toml").write_text(SEARCH.format(kinds=kinds, family=family))
    search = load_search(folder / "own.toml")
    found = build_all(search, search.model_searches[0], (8, 8, 1), 3, preview(search, search.model_searches[0]))
    return dict(zip(kinds, found, strict=True))


def test_each_network_is_counted_or_says_why_it_cannot_be_built(tmp_path: Path) -> None:
    found = built(tmp_path, ["fine", "raises", "leaves", "dies"])
    assert found["fine"].parameters == (64 + 1) * 3
    assert found["fine"].asked == {"kind"}
    assert {kind: one.parameters for kind, one in found.items() if kind != "fine"} == dict.fromkeys(
        ("raises", "leaves", "dies")
    )
    assert found["raises"].error == "ValueError: no such shape"
    assert "sys.exit(3)" in found["leaves"].error
    assert "exit code 5" in found["dies"].error


def test_a_build_that_never_ends_is_ended_and_no_other_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.running.building.MOST_BUILD_MINUTES", 3 / 60)
    found = built(tmp_path, ["endless", "dies"])
    assert found["endless"].endless
    assert "longer than 0.05 minutes" in found["endless"].error
    assert found["dies"] == found["endless"]


def test_a_module_that_cannot_be_imported_is_an_input_error_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'own_exits' cannot be imported \(SystemExit: 7, own_exits\.py line 1\)"):
        built(tmp_path, ["fine"], "own_exits:build")


def test_a_family_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no 'bild'; did you mean 'build'"):
        built(tmp_path, ["fine"], "own_build:bild")
