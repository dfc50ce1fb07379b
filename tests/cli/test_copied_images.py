"""Test images that are also training images are told of in the terminal, by each command that looks at data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bad_input import search_text, written
from small_project import tuner

from tuner.datasets.base import Dataset

SAID = (
    ": 2 of 45 test images are also training images, pixel by pixel",
    ": 2 of 165 images are copies of each other in different classes",
)


@pytest.fixture
def folder(tmp_path: Path, blobs: Dataset) -> Path:
    """A search on the blobs, with two test images in the training set, one of which has another class there.

    Its network is none, so that a run ends at once: what it says of its data comes before its first trial.
    """
    x_test = blobs.x_test.copy()
    x_test[1], x_test[3] = blobs.x_train[4], blobs.x_train[5]
    text = search_text(dataset='dataset = "data.npz"', search='family = "net:build"')
    written("searches/small.toml", text)(tmp_path)
    written("searches/net.py", "def build(hp):\n    return 'a net'\n")(tmp_path)
    arrays = {"x_train": blobs.x_train, "y_train": blobs.y_train, "x_test": x_test, "y_test": blobs.y_test}
    np.savez(tmp_path / "searches" / "data.npz", **arrays)
    return tmp_path


def test_a_run_tells_of_them_before_it_trains(folder: Path) -> None:
    lines = tuner(folder, "run", "small", "--workers", "1").stderr.splitlines()
    assert lines[:2] == [f"data.npz{line}" for line in SAID]
    assert lines[2].startswith("search: 1 trials")


def test_a_new_search_tells_of_them_below_its_file(folder: Path) -> None:
    made = tuner(folder, "new", "mine", "--data", "searches/data.npz")
    assert made.returncode == 0, made.stderr
    lines = made.stdout.splitlines()
    assert lines[:3] == ["wrote searches/mine.toml", *(f"searches/data.npz{line}" for line in SAID)]


def test_an_audit_names_them_with_their_sides_and_classes(folder: Path) -> None:
    audited = tuner(folder, "check", "searches/data.npz")
    lines = audited.stdout.splitlines()
    assert (audited.returncode, audited.stderr) == (1, "tuner: searches/data.npz: 3 things to mend\n")
    classes = lines.index("1 image stands in two classes:")
    sides = lines.index("2 images stand on two sides of the split:")
    assert lines[classes + 1] == "  train 5 (2) = test 3 (0)"
    assert lines[sides + 1 : sides + 3] == [
        "  train 4 (training) = test 1 (test)",
        "  train 5 (training) = test 3 (test)",
    ]
