"""Arrays that lie in files are what they would be in memory, and leave nothing of them there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.datasets import large
from tuner.datasets.copies import copies
from tuner.datasets.folder import load_folder
from tuner.datasets.large import LARGE, RowsInFile, blocks, gathered, joined, moved_to_front, room_for, rows_at, taken
from tuner.datasets.store import load_from_store, save_to_store
from tuner.errors import ResourceError

SMALL = np.random.default_rng(0).integers(0, 256, (50, 4, 3, 1), np.uint8)


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every array count as large, and a block be 5 of our small images."""
    monkeypatch.setattr(large, "LARGE", 0)
    monkeypatch.setattr("tuner.datasets.store.LARGE", 0)
    monkeypatch.setattr(large, "BLOCK", 60)


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[np.memmap]:
    np.save(tmp_path / "small.npy", SMALL)
    yield np.load(tmp_path / "small.npy", mmap_mode="r")


def test_rows_of_two_arrays_are_gathered_in_any_order(mapped: np.memmap, everything_is_large: None) -> None:
    first, second = mapped[:30], SMALL[30:]
    places = np.random.default_rng(1).permutation(50)
    found = gathered(first, second, places)
    assert in_a_file(found)
    np.testing.assert_array_equal(found, SMALL[places])
    assert gathered(first, second, places[:0]).shape == (0, 4, 3, 1)


def in_a_file(array: np.ndarray) -> bool:
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


class TestRoom:
    def test_is_memory_for_what_is_small_and_a_file_for_what_is_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert not in_a_file(room_for(3, (2, 2, 1)))
        monkeypatch.setattr(large, "LARGE", 11)
        found = room_for(3, (2, 2, 1))
        assert in_a_file(found)
        assert found.shape == (3, 2, 2, 1)
        found[:] = 7
        large.release(found)
        assert (found == 7).all()

    def test_a_full_disk_is_told_before_anything_is_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(large, "LARGE", 0)
        monkeypatch.setattr(os, "posix_fallocate", full)
        with pytest.raises(ResourceError, match="No space left"):
            room_for(3, (2, 2, 1))


@pytest.mark.usefixtures("everything_is_large")
class TestParts:
    def test_blocks_are_all_rows_in_their_order(self) -> None:
        found = list(blocks(SMALL))
        assert [len(block) for block in found] == [5] * 10
        np.testing.assert_array_equal(np.concatenate(found), SMALL)
        assert list(blocks(SMALL[:0])) == []

    @pytest.mark.parametrize("places", [list(range(3, 20)), [0], [1, 2, 5, 8, 9, 40, 49]])
    def test_rows_are_taken_and_moved_as_indexing_does(self, places: list[int]) -> None:
        np.testing.assert_array_equal(taken(SMALL, places), SMALL[places])
        np.testing.assert_array_equal(moved_to_front(SMALL.copy(), places), SMALL[places])

    def test_neighbours_are_joined_without_a_copy_and_others_with_one(self) -> None:
        whole = SMALL.copy()
        found = joined(whole[2:10], whole[10:30])
        np.testing.assert_array_equal(found, SMALL[2:30])
        assert np.shares_memory(found, whole)
        for first, second in ((whole[2:10], whole[11:30]), (whole[:5], SMALL[5:9]), (whole[:9:3], whole[9:12])):
            np.testing.assert_array_equal(joined(first, second), np.concatenate((first, second)))
            assert not np.shares_memory(joined(first, second), whole)


class TestRowsInFile:
    @pytest.mark.parametrize(
        "which", [slice(None), slice(2, 7), slice(40, 99), slice(0, 0), np.array([3, 1, 2, 2, 3, 4, 49, 0])]
    )
    def test_gives_rows_as_the_array_does(self, mapped: np.memmap, which: slice | np.ndarray) -> None:
        np.testing.assert_array_equal(RowsInFile(mapped)[which], SMALL[which])
        some = np.array([7, 8, 9, 3, 49, 11])
        rows = RowsInFile(mapped, some)
        if isinstance(which, slice):
            np.testing.assert_array_equal(rows[which], SMALL[some][which])
        assert (len(rows), rows.shape, rows.dtype) == (6, (6, 4, 3, 1), np.uint8)
        np.testing.assert_array_equal(np.asarray(rows), SMALL[some])

    def test_a_file_that_became_shorter_is_an_error(self, mapped: np.memmap) -> None:
        rows = RowsInFile(mapped)
        os.truncate(str(mapped.filename), 300)
        with pytest.raises(EOFError, match="shorter than it was"):
            rows[:]

    def test_a_part_of_an_array_is_refused(self, mapped: np.memmap) -> None:
        with pytest.raises(ValueError, match="not the whole array"):
            RowsInFile(mapped[3:])

    def test_rows_are_read_of_the_file_only_where_they_are_large(
        self, mapped: np.memmap, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        places = np.arange(1, 40)
        assert type(rows_at(mapped, places)) is np.ndarray
        monkeypatch.setattr(large, "LARGE", 39 * 12)
        assert type(rows_at(mapped, places)) is np.ndarray
        monkeypatch.setattr(large, "LARGE", 39 * 12 - 1)
        assert isinstance(rows_at(mapped, places), RowsInFile)
        assert type(rows_at(np.asarray(mapped), places)) is np.ndarray
        np.testing.assert_array_equal(np.asarray(rows_at(mapped, places)), SMALL[places])


def pictures(root: Path, splits: tuple[str, ...]) -> Path:
    rng = np.random.default_rng(1)
    for split in splits:
        for name in ("ant", "bee"):
            (root / split / name).mkdir(parents=True)
            for number in range(9):
                pixels = rng.integers(0, 256, (4, 3), np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.png")
    return root


@pytest.mark.parametrize("splits", [("",), ("train", "test"), ("train", "val", "test")], ids=len)
def test_a_folder_that_is_large_is_the_same_data_set_and_lies_in_files(
    splits: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pictures(tmp_path / "bugs", splits)
    small = load_folder(root)
    laid_out = {path.name: path.read_bytes() for path in save_to_store(small, tmp_path / "a").iterdir()}
    monkeypatch.setattr(large, "LARGE", 0)
    monkeypatch.setattr("tuner.datasets.store.LARGE", 0)
    monkeypatch.setattr(large, "BLOCK", 60)
    found = load_folder(root)
    assert in_a_file(found.x_train)
    assert in_a_file(found.x_test)
    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(found, name), getattr(small, name))
    assert (found.fingerprint, found.files, found.validation_images) == (
        small.fingerprint,
        small.files,
        small.validation_images,
    )
    for one, other in zip(vars(copies(found)).values(), vars(copies(small)).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    folder = save_to_store(found, tmp_path / "b")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == laid_out
    assert load_from_store(folder).fingerprint == small.fingerprint


def test_a_data_set_counts_as_large_from_the_same_size_on_everywhere() -> None:
    assert LARGE == 250_000_000  # a change is another training of each trial on such data
