"""Where a data set is looked for, and the data sets known by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.datasets import DATASETS, load_dataset, named_data
from tuner.errors import InputError


def write_npz(path: Path, grey: int) -> Path:
    """Write a data set of two classes whose pixels all have this value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    x = np.full((4, 3, 3), grey, np.uint8)
    np.savez(path, x_train=x, y_train=np.array([0, 1, 0, 1]), x_test=x[:2], y_test=np.array([0, 1]))
    return path


def write_folder(path: Path, grey: int) -> Path:
    for split in ("train", "test"):
        for name in ("ant", "bee"):
            (path / split / name).mkdir(parents=True)
            Image.new("L", (3, 3), grey).save(path / split / name / "0.png")
    return path


def test_digits_are_1500_and_297_images_of_8_by_8_pixels_from_0_to_255():
    digits = load_dataset("digits")
    assert digits.x_train.shape == (1500, 8, 8, 1)
    assert digits.x_test.shape == (297, 8, 8, 1)
    assert (digits.x_train.min(), digits.x_train.max()) == (0, 255)
    assert digits.class_names == tuple("0123456789")
    assert digits.y_train[:10].tolist() == list(range(10))  # the file begins with 0, 1, 2, …
    assert np.unique(digits.y_test).tolist() == list(range(10))
    assert (DATASETS["digits"].shape, DATASETS["digits"].class_names) == (digits.shape, digits.class_names)
    assert digits.source == "scikit-learn"


def test_every_named_data_set_has_a_shape_for_the_dry_run_and_names_of_its_classes(tmp_path):
    for name, known in DATASETS.items():
        assert known.name == name
        assert len(set(known.class_names)) == len(known.class_names) > 1
        assert named_data(name, tmp_path) == (known.shape, known.class_names)


def test_a_data_dir_with_files_of_its_own_may_have_other_shapes_than_those_that_are_known(tmp_path):
    write_npz(tmp_path / "mnist.npz", 7)
    write_folder(tmp_path / "kmnist", 7)
    assert named_data("mnist", tmp_path) is named_data("kmnist", tmp_path) is named_data("mine", None) is None
    assert named_data("mnist", None) == ((28, 28, 1), tuple("0123456789"))


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_local_file_of_a_named_data_set_has_the_names_of_its_classes(tmp_path, name):
    write_npz(tmp_path / f"{name}.npz", 7)
    dataset = load_dataset(name, data_dir=tmp_path)
    assert (dataset.name, dataset.class_names) == (name, DATASETS[name].class_names)
    assert dataset.source == f"{name}.npz"


def test_the_data_dir_is_looked_at_first_for_a_named_data_set(tmp_path):
    write_npz(tmp_path / "mnist.npz", 7)
    dataset = load_dataset("mnist", data_dir=tmp_path)
    assert dataset.x_train[0, 0, 0, 0] == 7
    assert dataset.name == "mnist"
    assert dataset.class_names == tuple("0123456789")


def test_a_named_data_set_that_the_data_dir_lacks_is_loaded_as_ever(tmp_path):
    assert load_dataset("digits", data_dir=tmp_path).x_train.shape == (1500, 8, 8, 1)


@pytest.mark.parametrize("source", ["mine", "mine.npz"])
def test_the_data_dir_comes_before_the_working_folder_and_the_search_file(tmp_path, monkeypatch, source):
    write_npz(tmp_path / "data" / "mine.npz", 1)
    write_npz(tmp_path / "work" / "mine.npz", 2)
    write_npz(tmp_path / "search" / "mine.npz", 3)
    monkeypatch.chdir(tmp_path / "work")
    dataset = load_dataset(source, data_dir=tmp_path / "data", folder=tmp_path / "search")
    assert dataset.x_train[0, 0, 0, 0] == 1


def test_a_folder_in_the_data_dir_is_found(tmp_path):
    write_folder(tmp_path / "insects", 9)
    dataset = load_dataset("insects", data_dir=tmp_path)
    assert dataset.class_names == ("ant", "bee")
    assert dataset.x_train[0, 0, 0, 0] == 9


@pytest.mark.parametrize("write", [write_npz, write_folder])
@pytest.mark.parametrize("place", ["work", "search"])
def test_a_relative_path_starts_in_the_working_folder_or_beside_the_search_file(tmp_path, monkeypatch, write, place):
    (tmp_path / "work").mkdir()
    write(tmp_path / place / "data" / "mine.npz", 5)
    monkeypatch.chdir(tmp_path / "work")
    assert load_dataset("data/mine.npz", folder=tmp_path / "search").x_train[0, 0, 0, 0] == 5


def test_an_absolute_path_is_taken_as_it_is(tmp_path):
    path = write_npz(tmp_path / "mine.npz", 4)
    assert load_dataset(str(path), data_dir=tmp_path, folder=tmp_path).x_train[0, 0, 0, 0] == 4


def test_size_and_channels_reach_the_images_of_a_folder(tmp_path):
    write_folder(tmp_path / "insects", 9)
    assert load_dataset("insects", folder=tmp_path, image_size=(2, 6), channels=3).shape == (2, 6, 3)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("fashion-mnist", "did you mean 'fashion_mnist'?"),
        ("digit", "did you mean 'digits'?"),
        ("cifar-100", "did you mean 'cifar100'?"),
        ("zebra", "known: cifar10, cifar100, cifar100_coarse, digits, fashion_mnist, fashion_mnist_lt, kmnist, mnist"),
    ],
)
def test_an_unknown_data_set_is_answered_with_the_nearest_name(tmp_path, monkeypatch, name, remedy):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load_dataset(name)
    assert repr(name) in str(caught.value)
    assert remedy in str(caught.value)


def test_a_data_dir_that_is_not_there_is_an_error_of_its_own(tmp_path):
    with pytest.raises(InputError, match=r"--data-dir or TUNER_DATA_DIR: .*absent is not a folder"):
        load_dataset("digits", data_dir=tmp_path / "absent")
