"""A folder that has not changed since it was laid out for workers is not decoded again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.datasets import folder, folder_state, load_dataset
from tuner.datasets.base import Dataset
from tuner.datasets.groups import with_groups
from tuner.datasets.store import save_to_store


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_state, "SETTLED", 0.0)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 256, (5, 4, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"p{number % 3}_{number}.bmp")
    (tmp_path / "photos" / "dog" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "photos"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were decoded."""
    found: list[str] = []
    read = folder.read_image

    def noted(file: Path, *how: object) -> object:
        found.append(file.name)
        return read(file, *how)

    monkeypatch.setattr(folder, "read_image", noted)
    return found


def loaded(photos: Path, image_size: tuple[int, int] | None = None, channels: int | None = None) -> Dataset:
    store = photos.parent / "store"
    return load_dataset(str(photos), None, Path(), image_size, channels, skip_bad=True, store=store)


def laid_out(photos: Path, decoded: list[str]) -> Dataset:
    dataset = loaded(photos)
    save_to_store(dataset, photos.parent / "store")
    decoded.clear()
    return dataset


def test_what_was_laid_out_is_found_again_as_it_was_loaded(photos: Path, decoded: list[str]) -> None:
    before = laid_out(photos, decoded)
    after = loaded(photos)
    assert decoded == []
    for name in ("name", "fingerprint", "files", "left_out", "source", "class_names", "groups", "state"):
        assert getattr(after, name) == getattr(before, name), name
    np.testing.assert_array_equal(after.x_train, before.x_train)
    save_to_store(after, photos.parent / "store")
    assert loaded(photos).fingerprint == before.fingerprint
    assert decoded == []


def _other_content(photos: Path) -> None:
    file = photos / "cat" / "p0_0.bmp"
    content, times = bytearray(file.read_bytes()), file.stat()
    content[-2] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "other pixels of the same size and time": _other_content,
    "a file less": lambda photos: (photos / "cat" / "p0_0.bmp").unlink(),
    "another name": lambda photos: (photos / "cat" / "p0_0.bmp").rename(photos / "cat" / "q.bmp"),
    "another class": lambda photos: (photos / "cat" / "p0_0.bmp").rename(photos / "dog" / "new.bmp"),
    "another name of a class": lambda photos: (photos / "cat").rename(photos / "cow"),
    "a class without images": lambda photos: (photos / "cow").mkdir(),
    "a file that is mended": lambda photos: Image.new("RGB", (4, 5)).save(photos / "dog" / "broken.png"),
    "a folder of another name": lambda photos: photos.rename(photos.with_name("pictures")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_has_changed_is_decoded(photos: Path, decoded: list[str], change: Callable[[Path], object]) -> None:
    laid_out(photos, decoded)
    change(photos)
    photos = photos if photos.is_dir() else photos.with_name("pictures")
    loaded(photos)
    assert len(decoded) > 10


def test_in_another_size_or_in_grey_it_is_decoded(photos: Path, decoded: list[str]) -> None:
    laid_out(photos, decoded)
    assert loaded(photos, image_size=(4, 4)).shape == (4, 4, 3)
    assert loaded(photos, channels=1).shape == (5, 4, 1)
    assert len(decoded) == 12 + 13  # by the headers of the first the broken one is known


def test_what_was_damaged_in_the_store_is_decoded(photos: Path, decoded: list[str]) -> None:
    before = laid_out(photos, decoded)
    array = np.load(photos.parent / "store" / before.fingerprint / "x_train.npy", mmap_mode="r+")
    array[0, 0, 0, 0] ^= 1
    array.flush()
    assert loaded(photos).fingerprint == before.fingerprint
    assert decoded


def test_groups_of_another_search_are_not_found_with_it(photos: Path, decoded: list[str]) -> None:
    dataset = loaded(photos)
    save_to_store(with_groups(dataset, r"p(\d)"), photos.parent / "store")
    decoded.clear()
    found = loaded(photos)
    assert found.groups == {}
    assert found.fingerprint == dataset.fingerprint
    assert decoded == []


def test_of_what_was_changed_just_now_and_of_links_to_folders_nothing_is_told(
    photos: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert loaded(photos).state
    monkeypatch.setattr(folder_state, "SETTLED", 60.0)
    assert loaded(photos).state == ""
    monkeypatch.setattr(folder_state, "SETTLED", 0.0)
    (photos / "link").symlink_to(photos / "cat")
    assert loaded(photos).state == ""
