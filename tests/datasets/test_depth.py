"""Pixels of 16 bits are brought to 0 to 255 by the bits that a data set fills, wherever it comes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.datasets.base import checked_dataset
from tuner.datasets.depth import as_bytes, bits_of, seen
from tuner.datasets.folder import load_folder
from tuner.datasets.npz import load_npz
from tuner.datasets.pictures import is_grey, read_image
from tuner.datasets.remarks import remarks
from tuner.datasets.store import load_from_store, save_to_store
from tuner.errors import InputError


def deep(path: Path, value: int, size: tuple[int, int] = (5, 4)) -> Path:
    """Write a grey image of 16 bits with the value in its left half and 0 in the right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(size[::-1], np.uint16)
    pixels[:, : size[0] // 2] = value
    Image.fromarray(pixels).save(path)
    return path


def test_the_largest_pixel_tells_the_bits() -> None:
    assert [bits_of(most) for most in (0, 255, 256, 1_023, 1_024, 4_095, 4_096, 16_384, 65_535)] == [
        8, 8, 10, 10, 12, 12, 14, 16, 16
    ]  # fmt: skip
    pixels = np.array([0, 1, 2_048, 4_095], np.uint16)
    assert as_bytes(pixels, 12).tolist() == [0, 0, 128, 255]
    assert as_bytes(pixels, 16).tolist() == [0, 0, 8, 16]
    assert as_bytes(np.array([65_535], np.uint16), 12).tolist() == [255], "of a new image that is brighter than all"
    assert seen(pixels).tolist() == [0, 0, 128, 255]


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_folder_is_read_by_the_bits_of_all_its_images(tmp_path: Path, ending: str) -> None:
    for number, (name, value) in enumerate((("ant", 100), ("ant", 4_095), ("ant", 2_048), ("bee", 10), ("bee", 20))):
        deep(tmp_path / "d" / name / f"{number}.{ending}", value)
    dataset = load_folder(tmp_path / "d")
    assert (dataset.shape, dataset.bits) == ((4, 5, 1), 12)
    every = np.concatenate((dataset.x_train, dataset.x_test))
    assert sorted(every[:, 0, 0, 0].tolist()) == [1, 1, 6, 128, 255]
    assert (every[:, :, 2:] == 0).all()
    assert remarks("d", dataset)[0] == "d: pixels of 12 bits, 0 to 4,095, are brought to 0 to 255"
    stored = load_from_store(save_to_store(dataset, tmp_path / "store"))
    assert (stored.bits, stored.fingerprint) == (12, dataset.fingerprint)
    assert load_folder(tmp_path / "d", channels=3).shape == (4, 5, 3)


@pytest.mark.parametrize("first", ["a", "z"])
def test_beside_images_of_8_bits_all_have_16(tmp_path: Path, first: str) -> None:
    for number in range(2):
        deep(tmp_path / "d" / "ant" / f"m{number}.png", 300)
        (tmp_path / "d" / "bee").mkdir(exist_ok=True)
        Image.new("L", (5, 4), 200).save(tmp_path / "d" / "bee" / f"{first}{number}.png")
        Image.new("L", (5, 4), 200).save(tmp_path / "d" / "ant" / f"{first}{number}.png")
    dataset = load_folder(tmp_path / "d")
    assert dataset.bits == 16
    every = np.concatenate((dataset.x_train, dataset.x_test))[:, 0, 0, 0]
    assert sorted(set(every.tolist())) == [1, 200]


def test_an_image_of_16_bits_is_grey_and_can_be_resized(tmp_path: Path) -> None:
    file = deep(tmp_path / "x.png", 40_000, (8, 4))
    assert is_grey(file)
    found = read_image(file, (2, 4), 1)
    assert found.dtype == np.uint16
    assert (
        found[..., 0].tolist() == [[40_000, pytest.approx(35_000, abs=1_500), pytest.approx(5_000, abs=1_500), 0]] * 2
    )
    assert (read_image(file, None, 3)[..., 2] == read_image(file, None, 1)[..., 0]).all()
    wide = np.array([[-1, 70_000]], np.int32)
    Image.fromarray(wide).save(tmp_path / "wide.tif")
    with pytest.raises(InputError, match="has pixels from -1 to 70,000; convert it to 16 bits"):
        read_image(tmp_path / "wide.tif", None, 1)


def arrays(train: np.dtype | type, test: np.dtype | type, most: int) -> dict[str, np.ndarray]:
    images = np.linspace(0, most, 8 * 4 * 4).reshape(8, 4, 4)
    labels = np.arange(4) % 2
    return {
        "x_train": images[:4].astype(train), "y_train": labels, "x_test": images[4:].astype(test), "y_test": labels,
    }  # fmt: skip


def test_arrays_of_16_bits_are_read_by_the_bits_of_both_splits(tmp_path: Path) -> None:
    given = arrays(np.uint16, np.uint16, 16_383)
    np.savez(tmp_path / "d.npz", **given)
    dataset = load_npz(tmp_path / "d.npz")
    assert dataset.bits == 14
    assert dataset.x_test.max() == 255
    np.testing.assert_array_equal(dataset.x_train[..., 0], as_bytes(given["x_train"], 14))
    small = checked_dataset("small", arrays(np.uint16, np.uint16, 255))
    assert (small.bits, small.x_test.max()) == (8, 255)


def test_16_bits_in_one_split_alone_are_refused() -> None:
    with pytest.raises(InputError, match="has pixels of 16 bits, and x_train holds uint8; give all of them as uint16"):
        checked_dataset("d", {**arrays(np.uint8, np.uint16, 255), "x_test": np.full((4, 4, 4), 999, np.uint16)})
    with pytest.raises(InputError, match="x_train has pixels from 0 to "):
        checked_dataset("d", arrays(np.int32, np.int32, 999))
