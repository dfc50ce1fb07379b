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
from tuner.datasets.store import load_from_store, save_to_store, stored_files
from tuner.errors import LostError, ResourceError, resource_error_of
from tuner.system.files import remove_partials


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
        pytest.param(lambda d: replace(d, validation_images=7), id="validation images of its own"),
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


def _of_a_folder(blobs: Dataset, prefix: str = "") -> Dataset:
    names = {split: tuple(f"{prefix}{split}/{n}.png" for n in range(count)) for split, count in COUNTS.items()}
    return replace(blobs, files=names, left_out=((f"{prefix}x.png", "is a broken image"),))


COUNTS = {"train": 120, "test": 45}


def test_validation_images_file_names_and_what_was_left_out_are_kept(tmp_path, blobs):
    told = replace(_of_a_folder(blobs), validation_images=7)
    folder = save_to_store(told, tmp_path)
    loaded = load_from_store(folder)
    assert (loaded.validation_images, loaded.left_out) == (7, told.left_out)
    assert loaded.fingerprint == told.fingerprint == folder.name
    assert stored_files(folder) == told.files


def test_the_names_of_files_are_those_that_were_loaded_last_and_the_arrays_are_not_written_again(tmp_path, blobs):
    folder = save_to_store(_of_a_folder(blobs, "a-"), tmp_path)
    written = (folder / "x_train.npy").stat().st_mtime_ns
    renamed = _of_a_folder(blobs, "b-")
    assert save_to_store(renamed, tmp_path) == folder
    assert (stored_files(folder), load_from_store(folder).left_out) == (renamed.files, renamed.left_out)
    save_to_store(blobs, tmp_path)  # the same images, out of no folder
    assert (stored_files(folder), load_from_store(folder).left_out) == ({}, ())
    assert (folder / "x_train.npy").stat().st_mtime_ns == written
    assert sorted(model_search.name for model_search in tmp_path.iterdir()) == [blobs.fingerprint]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"train": 1, "test": 2}', '{"train": ["a"], "test": ["b"]}'])
def test_names_that_do_not_fit_the_images_are_as_good_as_none(tmp_path, blobs, content):
    folder = save_to_store(_of_a_folder(blobs), tmp_path)
    (folder / "files.json").write_text(content)
    assert stored_files(folder) == {}
    assert load_from_store(folder).fingerprint == blobs.fingerprint


@pytest.mark.parametrize("key", ['"validation_images": 120', '"validation_images": -1', '"left_out": [[1, 2]]'])
def test_a_copy_that_says_what_cannot_be_is_laid_out_again(tmp_path, blobs, key):
    about = save_to_store(blobs, tmp_path) / "about.json"
    about.write_text(about.read_text()[:-1] + f", {key}}}")
    with pytest.raises(LostError, match="copy for workers is missing"):
        load_from_store(about.parent)
    assert load_from_store(save_to_store(blobs, tmp_path)).validation_images == 0


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
    assert [model_search.name for model_search in tmp_path.iterdir()] == [blobs.fingerprint]


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
    assert resource_error_of(caught.value) is not None
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
