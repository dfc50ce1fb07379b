"""The long-tailed Fashion-MNIST: how many images of each class it keeps, and which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuner.datasets import load_dataset, named_data
from tuner.datasets.long_tailed import FASHION_MNIST_LT
from tuner.datasets.mnist import FASHION_NAMES
from tuner.errors import InputError


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A balanced data set of that name with 5,000 images a class of 28x28 pixels, each told by its first pixels."""
    labels = np.tile(np.arange(10), 5_000)
    images = np.zeros((50_000, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(50_000) // 10, 256)
    np.savez(tmp_path / "fashion_mnist.npz", x_train=images, y_train=labels, x_test=images[:20], y_test=labels[:20])
    return tmp_path


def test_classes_become_rarer_by_one_factor() -> None:
    counts = FASHION_MNIST_LT.counts()
    assert counts == (5000, 2997, 1797, 1077, 646, 387, 232, 139, 83, 50)
    assert np.allclose(np.log10(counts), np.linspace(np.log10(5000), np.log10(50), 10), atol=5e-3)


def test_the_first_images_of_each_class_are_kept_in_their_order(data_dir: Path) -> None:
    found = load_dataset("fashion_mnist_lt", data_dir)
    assert np.bincount(found.y_train).tolist() == list(FASHION_MNIST_LT.counts())
    assert np.bincount(found.y_test).tolist() == [2] * 10
    number = found.x_train[:, 0, 0, 0].astype(int) * 256 + found.x_train[:, 0, 1, 0]
    for c, count in enumerate(FASHION_MNIST_LT.counts()):
        assert number[found.y_train == c].tolist() == list(range(count))
    assert (found.name, found.class_names) == ("fashion_mnist_lt", FASHION_NAMES)
    assert found.source.startswith("12,408 training images of fashion_mnist, ")


def test_a_dry_run_needs_none_of_its_data(data_dir: Path) -> None:
    assert named_data("fashion_mnist_lt", data_dir) == ((28, 28, 1), FASHION_NAMES)


def test_one_of_its_own_in_the_data_folder_comes_first(tmp_path: Path) -> None:
    images = np.zeros((20, 28, 28), np.uint8)
    labels = np.arange(20) % 10
    np.savez(tmp_path / "fashion_mnist_lt.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    assert len(load_dataset("fashion_mnist_lt", tmp_path).y_train) == 20


def test_where_the_balanced_one_cannot_be_read_the_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "fashion_mnist.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"fashion_mnist\.npz: "):
        load_dataset("fashion_mnist_lt", tmp_path)
