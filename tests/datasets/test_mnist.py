"""MNIST and Fashion-MNIST: downloads that are whole, cut short, changed or damaged since; checksums for each file."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from tuner.datasets import DATASETS, load_dataset
from tuner.datasets.downloadable import DownloadableDataset
from tuner.errors import InputError

X = np.random.default_rng(1).integers(0, 256, (12, 28, 28), dtype=np.uint8)
Y = np.array([9, 0, 4, 1, 2, 3, 5, 6, 7, 8, 9, 0], np.uint8)
FASHION = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
FASHION += ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")


def publish(folder: Path, name: str) -> Path:
    """Write the files of a small data set as its publisher calls them; return the folder."""
    folder.mkdir(parents=True)
    if name == "mnist":
        np.savez(folder / "mnist.npz", x_train=X, y_train=Y, x_test=X[:3], y_test=Y[:3])
        return folder
    for file, array in zip(FASHION, (X, Y, X[:3], Y[:3]), strict=True):
        header = bytes((0, 0, 8, array.ndim)) + b"".join(struct.pack(">I", size) for size in array.shape)
        (folder / file).write_bytes(gzip.compress(header + array.tobytes()))
    return folder


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
class TestEach:
    def test_is_downloaded_and_read(self, tmp_path, mirrored, name):
        mirrored(DATASETS[name], publish(tmp_path / "published", name))
        dataset = load_dataset(name)
        assert dataset.name == name
        assert (dataset.shape, dataset.class_names) == (DATASETS[name].shape, DATASETS[name].class_names)
        assert dataset.class_names == DATASETS[name].class_names
        np.testing.assert_array_equal(dataset.x_train[..., 0], X)
        assert dataset.y_train.tolist() == Y.tolist()
        assert dataset.y_test.tolist() == [9, 0, 4]
        assert "localhost" in dataset.source

    def test_that_comes_cut_short_is_one_line_with_the_remedy(self, tmp_path, mirrored, name):
        folder = publish(tmp_path / "published", name)
        first = folder / DATASETS[name].files[0].name
        whole = hashlib.md5(first.read_bytes()).hexdigest()  # noqa: S324
        first.write_bytes(first.read_bytes()[:-100])
        mirrored(DATASETS[name], folder, md5=whole)
        with pytest.raises(InputError) as caught:
            load_dataset(name)
        text = str(caught.value)
        assert text.startswith(f"{name}: the download of {first.name} failed (")
        assert "hash does not match" in text
        assert f"go online, or pass --data-dir with {name}.npz in it" in text
        assert "\n" not in text

    def test_that_cannot_be_reached_is_one_line_with_the_remedy(self, tmp_path, mirrored, name):
        mirrored(DATASETS[name], tmp_path)
        with pytest.raises(InputError, match=rf"^{name}: the download of .* failed \(.*URL fetch failure"):
            load_dataset(name)

    def test_that_was_damaged_in_the_cache_is_downloaded_again(self, tmp_path, keras_cache, mirrored, name):
        mirrored(DATASETS[name], publish(tmp_path / "published", name))
        first = load_dataset(name)
        for file in [path for path in keras_cache.rglob("*") if path.is_file()]:
            file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2])
        assert load_dataset(name).fingerprint == first.fingerprint

    def test_lies_where_keras_own_loader_keeps_it(self, tmp_path, keras_cache, mirrored, name):
        mirrored(DATASETS[name], publish(tmp_path / "published", name))
        load_dataset(name)
        there = {path.relative_to(keras_cache).as_posix() for path in keras_cache.rglob("*") if path.is_file()}
        assert there == ({"mnist.npz"} if name == "mnist" else {f"fashion-mnist/{file}" for file in FASHION})


def test_every_file_that_is_downloaded_has_a_checksum():
    for published in filter(lambda one: isinstance(one, DownloadableDataset), DATASETS.values()):
        for file in published.files:
            assert len(file.checksum) in (32, 64)  # which is how Keras tells MD5 from SHA-256
            assert int(file.checksum, 16) > 0


def test_a_published_npz_of_the_wrong_arrays_is_refused(tmp_path, mirrored):
    np.savez(tmp_path / "mnist.npz", x_train=X, y_train=Y)
    mirrored(DATASETS["mnist"], tmp_path)
    with pytest.raises(InputError, match=r"mnist\.npz: has no x_test; it needs x_train, y_train, x_test, y_test"):
        load_dataset("mnist")


def test_the_four_files_of_fashion_mnist_are_read_from_a_data_dir(tmp_path, no_download):
    publish(tmp_path / "fashion-mnist", "fashion_mnist")
    dataset = load_dataset("fashion_mnist", data_dir=tmp_path)
    assert dataset.class_names[9] == "Ankle boot"
    assert dataset.source == "4 published files in the folder fashion-mnist"
