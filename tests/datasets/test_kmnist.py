"""Kuzushiji-MNIST: the IDX format, downloads, the published files in a user's folder, and damage of every kind."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.datasets import DATASETS, load_dataset
from tuner.datasets.idx import read_idx
from tuner.datasets.kmnist import KMNIST
from tuner.errors import InputError

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
NAMES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

NOISE = np.random.default_rng(3).integers(0, 256, (12, 28, 28), dtype=np.uint8)
Y_TRAIN = np.array([9, 0, 4, 1, 2, 3, 5, 6, 7, 8, 9, 0], np.uint8)
Y_TEST = np.array([7, 9, 0], np.uint8)


def idx(array: np.ndarray, magic: bytes | None = None, sizes: tuple[int, ...] | None = None) -> bytes:
    """Return an array of bytes as a gzipped IDX file, with another header where the test asks for it."""
    sizes = array.shape if sizes is None else sizes
    header = (magic or bytes([0, 0, 8, len(sizes)])) + b"".join(struct.pack(">I", size) for size in sizes)
    return gzip.compress(header + array.tobytes(), mtime=0)


def write(folder: Path, **changed: bytes | None) -> Path:
    """Write the four files; `train_images=…` and so on give one other bytes or leave it out."""
    good = {"train_images": idx(NOISE), "train_labels": idx(Y_TRAIN)}
    good |= {"test_images": idx(NOISE[::-1][:3]), "test_labels": idx(Y_TEST)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(NAMES, (good | changed).values(), strict=True):
        if content is not None:
            (folder / name).write_bytes(content)
    return folder


def test_the_four_files_are_downloaded_and_read(tmp_path, mirrored):
    mirrored(KMNIST, write(tmp_path / "published"))
    dataset = load_dataset("kmnist")
    assert dataset.name == "kmnist"
    assert dataset.class_names == ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    assert (dataset.shape, dataset.class_names) == (DATASETS["kmnist"].shape, DATASETS["kmnist"].class_names)
    np.testing.assert_array_equal(dataset.x_train[..., 0], NOISE)
    np.testing.assert_array_equal(dataset.x_test[..., 0], NOISE[::-1][:3])
    assert dataset.y_train.tolist() == Y_TRAIN.tolist()
    assert dataset.y_test.tolist() == [7, 9, 0]
    assert dataset.source == "4 published files from localhost"


def test_a_pixel_lies_in_its_row_and_column(tmp_path, no_download):
    content = bytearray(12 * 28 * 28)
    content[5 * 784 + 3 * 28 + 20] = 200  # the sixth image, the fourth row, the twenty-first column
    pixels = np.frombuffer(bytes(content), np.uint8).reshape(12, 28, 28)
    write(tmp_path / "kmnist", train_images=idx(pixels))
    x_train = load_dataset("kmnist", data_dir=tmp_path).x_train
    assert np.argwhere(x_train).tolist() == [[5, 3, 20, 0]]
    assert x_train[5, 3, 20, 0] == 200


def test_a_download_is_kept_apart_from_mnist_in_the_cache_and_not_repeated(tmp_path, keras_cache, mirrored):
    folder = write(tmp_path / "published")
    mirrored(KMNIST, folder)
    first = load_dataset("kmnist")
    assert sorted(path.name for path in (keras_cache / "kmnist").iterdir()) == sorted(NAMES)
    for name in NAMES:
        (folder / name).unlink()
    assert load_dataset("kmnist").fingerprint == first.fingerprint


def test_a_cached_file_that_was_damaged_is_downloaded_again(tmp_path, keras_cache, mirrored):
    mirrored(KMNIST, write(tmp_path / "published"))
    first = load_dataset("kmnist")
    (keras_cache / "kmnist" / TRAIN_LABELS).write_bytes(b"half")
    assert load_dataset("kmnist").fingerprint == first.fingerprint


@pytest.mark.parametrize(
    ("md5", "missing", "fragments"),
    [
        pytest.param("0" * 32, None, [TRAIN_IMAGES, "hash does not match"], id="another MD5"),
        pytest.param(None, TEST_IMAGES, [TEST_IMAGES, "URL fetch failure"], id="not there"),
    ],
)
def test_a_download_that_fails_is_one_line_with_the_remedy(tmp_path, mirrored, md5, missing, fragments):
    folder = write(tmp_path / "published")
    if missing:
        (folder / missing).unlink()
    mirrored(KMNIST, folder, md5)
    with pytest.raises(InputError) as caught:
        load_dataset("kmnist")
    text = str(caught.value)
    assert text.startswith("kmnist: the download of ")
    assert "go online, or pass --data-dir with kmnist.npz in it" in text
    assert "4 published files in its folder kmnist" in text
    assert all(fragment in text for fragment in fragments)
    assert "\n" not in text


def test_the_published_files_in_the_data_dir_are_read_in_place_of_a_download(tmp_path, no_download):
    write(tmp_path / "kmnist")
    dataset = load_dataset("kmnist", data_dir=tmp_path)
    np.testing.assert_array_equal(dataset.x_train[..., 0], NOISE)
    assert dataset.name == "kmnist"
    assert dataset.source == "4 published files in the folder kmnist"


def test_an_npz_file_and_class_folders_come_before_the_published_files(tmp_path, no_download):
    write(tmp_path / "kmnist")
    for split in ("train", "test"):
        for name in ("ant", "bee"):
            (tmp_path / "kmnist" / split / name).mkdir(parents=True)
            Image.new("L", (3, 3), 9).save(tmp_path / "kmnist" / split / name / "0.png")
    assert load_dataset("kmnist", data_dir=tmp_path).source == "folder kmnist of .png files"
    np.savez(tmp_path / "kmnist.npz", x_train=NOISE, y_train=Y_TRAIN, x_test=NOISE[:3], y_test=Y_TEST)
    assert load_dataset("kmnist", data_dir=tmp_path).source == "kmnist.npz"


def test_a_folder_with_neither_images_nor_published_files_is_refused(tmp_path, no_download):
    (tmp_path / "kmnist").mkdir()
    with pytest.raises(InputError, match=r"kmnist: has no class folders with images"):
        load_dataset("kmnist", data_dir=tmp_path)


def test_hidden_folders_beside_the_published_files_do_not_matter(tmp_path, no_download):
    (write(tmp_path / "kmnist") / ".cache").mkdir()
    assert load_dataset("kmnist", data_dir=tmp_path).x_train.shape == (12, 28, 28, 1)


def test_a_data_dir_without_them_leads_to_the_download(tmp_path, mirrored):
    mirrored(KMNIST, write(tmp_path / "published"))
    (tmp_path / "data").mkdir()
    assert load_dataset("kmnist", data_dir=tmp_path / "data").x_train.shape == (12, 28, 28, 1)


@pytest.mark.parametrize("name", NAMES)
def test_when_some_of_the_four_are_there_the_missing_one_is_named(tmp_path, no_download, name):
    (write(tmp_path / "kmnist") / name).unlink()
    with pytest.raises(InputError) as caught:
        load_dataset("kmnist", data_dir=tmp_path)
    assert str(caught.value) == f"{tmp_path / 'kmnist' / name}: no such file; kmnist needs all 4 published files"


GOOD = idx(NOISE)


@pytest.mark.parametrize(
    ("key", "content", "problem"),
    [
        pytest.param("train_images", b"", "begins with nothing", id="nothing"),
        pytest.param("train_images", b"I am no gzip file", "cannot be read as a gzip file", id="text"),
        pytest.param("train_images", gzip.decompress(GOOD), "cannot be read as a gzip file", id="unpacked"),
        pytest.param("test_images", GOOD[:-200], "cannot be read as a gzip file (EOFError", id="cut off"),
        pytest.param("test_images", GOOD[:-8] + bytes(8), "cannot be read as a gzip file (BadGzip", id="checksum"),
        pytest.param("train_labels", b"\x1f\x8b" + bytes(40), "cannot be read as a gzip file", id="no compression"),
        pytest.param("train_labels", GOOD[:10] + b"\xff" * 50, "cannot be read as a gzip file (error", id="bad block"),
        pytest.param("test_labels", gzip.compress(b"\0\0"), "begins with 00 00;", id="half a magic number"),
        pytest.param("train_labels", GOOD, "begins with 00 00 08 03; an IDX file of bytes in 1", id="images as labels"),
        pytest.param("train_images", idx(Y_TRAIN), "begins with 00 00 08 01; an IDX", id="labels as images"),
        pytest.param("train_images", idx(NOISE, b"\0\0\x0d\3"), "begins with 00 00 0d 03", id="real numbers"),
        pytest.param("train_images", gzip.compress(bytes((0, 0, 8, 3, 0, 0))), "breaks off in its header", id="header"),
        pytest.param(
            "train_images", idx(NOISE, sizes=(13, 28, 28)), "has 9408 values, but its header says 13 x 28", id="fewer"
        ),
        pytest.param("test_labels", idx(Y_TEST, sizes=(2,)), "has more than 2 values, but its", id="more"),
        pytest.param("train_images", idx(NOISE, sizes=(2**32 - 1,) * 3), "its header says 4294967295 x", id="huge"),
        pytest.param("test_images", idx(NOISE[:0]), "is empty", id="no images"),
        pytest.param("test_images", idx(NOISE[:, :14]), "has images of 14x28; they are 28x28", id="other size"),
        pytest.param("train_labels", idx(Y_TRAIN[:-1]), "has 11 labels, but train-images-idx3-ubyte.gz has 12", id="n"),
        pytest.param("test_labels", idx(Y_TEST + 3), "has the label 12, but there are 10 classes", id="label"),
    ],
)
def test_damage_is_one_line_that_names_the_file(tmp_path, no_download, key, content, problem):
    write(tmp_path / "kmnist", **{key: content})
    files = dict(zip(("train_images", "train_labels", "test_images", "test_labels"), NAMES, strict=True))
    with pytest.raises(InputError) as caught:
        load_dataset("kmnist", data_dir=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'kmnist' / files[key]}: {problem}")
    assert "\n" not in str(caught.value)


def test_what_is_wrong_with_all_of_them_names_their_folder(tmp_path, no_download):
    write(tmp_path / "kmnist", train_labels=idx(np.full(12, 7, np.uint8)))
    with pytest.raises(InputError) as caught:
        load_dataset("kmnist", data_dir=tmp_path)
    assert str(caught.value) == f"{tmp_path / 'kmnist'}: y_test has the label 0, which y_train never has"


@pytest.mark.parametrize("cut", range(0, len(GOOD), 997))
def test_an_idx_file_that_breaks_off_anywhere_is_refused(tmp_path, cut):
    path = tmp_path / TRAIN_IMAGES
    path.write_bytes(GOOD[:cut])
    with pytest.raises(InputError, match=TRAIN_IMAGES):
        read_idx(path, 3)


@pytest.mark.parametrize("position", range(12, len(GOOD), 997))
def test_an_idx_file_with_a_byte_changed_is_refused(tmp_path, position):
    content = bytearray(GOOD)
    content[position] ^= 0xFF
    path = tmp_path / TRAIN_IMAGES
    path.write_bytes(content)
    with pytest.raises(InputError, match=TRAIN_IMAGES):
        read_idx(path, 3)


def test_no_more_is_unpacked_than_the_header_says(tmp_path, peak_memory):
    path = tmp_path / TRAIN_LABELS
    path.write_bytes(idx(np.zeros(200_000_000, np.uint8), sizes=(5,)))
    assert path.stat().st_size < 1_000_000
    with peak_memory(5_000_000), pytest.raises(InputError, match="has more than 5 values, but its header says 5"):
        read_idx(path, 1)


def test_an_idx_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.gz: cannot be read as a gzip file \(FileNotFoundError"):
        read_idx(tmp_path / "absent.gz", 1)
