"""Fingerprints, and data sets laid out for workers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from tuner.datasets.base import ARRAYS, Dataset
from tuner.datasets.store import load_from_store, save_to_store
from tuner.errors import LostError, ResourceError, lacking
from tuner.files import remove_partials


def changed(dataset: Dataset, name: str, index: tuple[int, ...]) -> Dataset:
    array = getattr(dataset, name).copy()
    array[index] = (array[index] + 1) % 3
    return replace(dataset, **{name: array})


def test_the_same_content_has_the_same_fingerprint_under_any_name_and_in_any_memory_layout(blobs):
    twin = replace(
        blobs, name="other", x_train=np.asfortranarray(blobs.x_train), y_test=np.repeat(blobs.y_test, 2)[::2]
    )
    assert twin.fingerprint == blobs.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: changed(d, "x_train", (5, 2, 3, 0)), id="a train pixel"),
        pytest.param(lambda d: changed(d, "x_test", (0, 0, 0, 0)), id="a test pixel"),
        pytest.param(lambda d: changed(d, "y_train", (7,)), id="a train label"),
        pytest.param(lambda d: changed(d, "y_test", (44,)), id="a test label"),
        pytest.param(lambda d: replace(d, class_names=("top", "middle", "Bottom")), id="a class name"),
        pytest.param(lambda d: replace(d, class_names=("middle", "top", "bottom")), id="the order of class names"),
        pytest.param(lambda d: replace(d, x_test=d.x_test[:-1], y_test=d.y_test[:-1]), id="an image less"),
        pytest.param(lambda d: replace(d, x_test=d.x_test.reshape(45, 4, 16, 1)), id="another shape"),
    ],
)
def test_any_change_of_the_content_changes_the_fingerprint(blobs, change: Callable[[Dataset], Dataset]):
    assert change(blobs).fingerprint != blobs.fingerprint


def test_what_was_laid_out_is_read_back(tmp_path, blobs):
    folder = save_to_store(blobs, tmp_path / "store")
    loaded = load_from_store(folder)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(blobs, name))
    assert (loaded.name, loaded.class_names) == (blobs.name, blobs.class_names)
    assert folder.name == loaded.fingerprint == blobs.fingerprint


def test_where_the_images_came_from_is_kept_but_does_not_count_as_content(tmp_path, blobs):
    told = replace(blobs, source="blobs.npz")
    assert told.fingerprint == blobs.fingerprint
    assert load_from_store(save_to_store(told, tmp_path)).source == "blobs.npz"


def test_a_copy_of_an_earlier_version_does_not_say_where_its_images_came_from(tmp_path, blobs):
    about = save_to_store(replace(blobs, source="blobs.npz"), tmp_path) / "about.json"
    known = json.loads(about.read_text(encoding="utf-8"))
    del known["source"]
    about.write_text(json.dumps(known), encoding="utf-8")
    assert load_from_store(about.parent).source == ""


def test_the_arrays_are_mapped_into_memory_and_cannot_be_written(tmp_path, blobs):
    loaded = load_from_store(save_to_store(blobs, tmp_path))
    assert isinstance(loaded.x_train, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        loaded.x_train[0] = 0


def test_laying_out_twice_keeps_the_first(tmp_path, blobs):
    first = save_to_store(blobs, tmp_path)
    written = (first / "x_train.npy").stat().st_mtime_ns
    assert save_to_store(replace(blobs, name="other"), tmp_path) == first
    assert (first / "x_train.npy").stat().st_mtime_ns == written
    assert [entry.name for entry in tmp_path.iterdir()] == [blobs.fingerprint]


def test_a_killed_save_leaves_what_is_ignored_and_can_be_told_from_the_work_of_a_living_one(tmp_path, blobs):
    dies = dedent(
        """
        import os, signal, sys
        from pathlib import Path
        import numpy as np
        from tuner.datasets import store
        from tuner.datasets.base import Dataset

        arrays = {name: array for name, array in np.load(sys.argv[1]).items() if name != "class_names"}
        store.np.save = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        store.save_to_store(Dataset("blobs", **arrays, class_names=("top", "middle", "bottom")), Path(sys.argv[2]))
        """
    )
    np.savez(tmp_path / "blobs.npz", **{name: getattr(blobs, name) for name in ARRAYS})
    store = tmp_path / "store"
    killed = subprocess.run([sys.executable, "-c", dies, tmp_path / "blobs.npz", store], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(store.iterdir())) == 1
    folder = save_to_store(blobs, store)
    assert load_from_store(folder).fingerprint == blobs.fingerprint
    remove_partials(store)
    assert list(store.iterdir()) == [folder]


def test_a_save_that_is_interrupted_leaves_nothing_that_looks_finished(tmp_path, blobs, monkeypatch):
    def interrupted(path: Path, array: np.ndarray) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("numpy.save", interrupted)
        save_to_store(blobs, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert load_from_store(save_to_store(blobs, tmp_path)).fingerprint == blobs.fingerprint


def test_two_data_sets_lie_side_by_side(tmp_path, blobs):
    other = changed(blobs, "y_train", (0,))
    folders = {save_to_store(dataset, tmp_path) for dataset in (blobs, other)}
    assert {load_from_store(folder).fingerprint for folder in folders} == {blobs.fingerprint, other.fingerprint}


def test_a_copy_that_was_damaged_is_laid_out_anew(tmp_path, blobs):
    folder = save_to_store(blobs, tmp_path)
    for damage in (lambda content: content[:-100], lambda content: content[:-1] + bytes([content[-1] ^ 1])):
        file = folder / "x_train.npy"
        file.write_bytes(damage(file.read_bytes()))
        assert save_to_store(blobs, tmp_path) == folder
        assert load_from_store(folder).fingerprint == blobs.fingerprint


def test_a_disk_without_room_is_said_in_a_line_and_leaves_nothing_half_written(tmp_path, blobs, file_size_limit):
    with file_size_limit(1000), pytest.raises((ResourceError, OSError)) as caught:
        save_to_store(blobs, tmp_path)
    assert lacking(caught.value) is not None
    assert list(tmp_path.iterdir()) == []
    assert load_from_store(save_to_store(blobs, tmp_path)).fingerprint == blobs.fingerprint


@pytest.mark.parametrize(
    "about", ["{", "[]", "{}", '{"name": 1, "class_names": []}', '{"name": "x", "class_names": [1]}']
)
def test_a_copy_that_does_not_say_what_it_is_is_laid_out_again(tmp_path, blobs, about):
    folder = save_to_store(blobs, tmp_path)
    (folder / "about.json").write_text(about)
    with pytest.raises(LostError, match="run the search again"):
        load_from_store(folder)
    assert load_from_store(save_to_store(blobs, tmp_path)).class_names == blobs.class_names


def test_a_copy_with_a_pickle_in_it_is_laid_out_again(tmp_path, blobs):
    class Mischief:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    folder = save_to_store(blobs, tmp_path / "store")
    np.save(folder / "y_test.npy", np.array([Mischief()], dtype=object), allow_pickle=True)
    with pytest.raises(LostError, match="run the search again"):
        load_from_store(folder)
    assert not (tmp_path / "ran").exists()


def test_names_of_a_copy_are_shown_by_their_escapes(tmp_path, blobs):
    folder = save_to_store(blobs, tmp_path)
    about = {"name": "x", "class_names": ["\x1b[2J", "\ud800", "c"], "source": "\x07"}
    (folder / "about.json").write_text(json.dumps(about))
    found = load_from_store(folder)
    assert found.class_names == (r"\x1b[2J", r"\ud800", "c")
    assert found.source == r"\x07"
