"""Images that stand on two sides of a split, and what is said of a data set before it is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.datasets import large, load_dataset
from tuner.datasets.base import Dataset, checked_dataset
from tuner.datasets.copies import copies
from tuner.datasets.folder import load_folder
from tuner.datasets.remarks import remarks, small_classes
from tuner.datasets.store import save_to_store


def data_of(train: list[int], test: list[int], val: list[int] | None = None) -> Dataset:
    """Return a data set whose images are each of one grey, one image of another class apart, in each split."""
    arrays = {}
    for split, greys in (("train", train), ("test", test), ("val", val)):
        if greys is not None:
            arrays[f"x_{split}"] = np.repeat(np.array(greys, np.uint8), 12).reshape(-1, 3, 4)
            arrays[f"y_{split}"] = np.arange(len(greys)) % 2
    return checked_dataset("greys", arrays, ("a", "b"))


def test_each_image_that_stands_on_two_sides_is_found_at_its_place():
    found = copies(data_of([1, 2, 3, 3], [9, 3, 1, 8, 3, 5], [5, 6, 2]))
    assert found.test_in_training.tolist() == [1, 2, 4]
    assert found.test_in_validation.tolist() == [5]
    assert found.validation_in_training.tolist() == [2]
    assert found.first.tolist() == [0, 1, 2, 4, 5, 7, 10]  # training 0 to 3, validation 4 to 6, test 7 to 12


def test_copies_within_one_side_do_not_count_and_a_pixel_makes_another_image():
    data = data_of([1, 1, 2, 2], [7, 7])
    assert copies(data).test_in_training.size == 0
    nearly = data.x_train[:2].copy()
    nearly[:, 2, 3, 0] += 1
    assert copies(replace(data, x_test=nearly)).test_in_training.size == 0
    assert copies(replace(data, x_test=data.x_train[:2])).test_in_training.tolist() == [0, 1]


def test_copies_in_two_classes_are_found_at_their_places():
    assert copies(data_of([1, 1, 2, 3, 2, 3, 4, 5], [9, 8])).in_two_classes.tolist() == [0, 1]
    assert copies(data_of([1, 2, 1, 1], [9, 8], [2, 1])).in_two_classes.tolist() == [0, 1, 2, 3, 4, 5]


def test_it_does_not_matter_how_the_arrays_lie_in_memory_or_how_many_are_read_at_once(monkeypatch):
    data = data_of([1, 2, 3, 4, 5], [5, 9, 1])
    monkeypatch.setattr(large, "BLOCK", 2)
    odd = replace(data, x_train=np.asfortranarray(data.x_train), x_test=np.repeat(data.x_test, 2, axis=0)[::2])
    assert copies(odd).test_in_training.tolist() == [0, 2]


def test_a_data_set_of_the_size_of_cifar_is_compared():
    images = np.random.default_rng(0).integers(0, 256, (60_000, 32, 32, 3), dtype=np.uint8)
    labels = np.zeros(60_000, np.int64)
    data = Dataset("noise", images[:50_000], labels[:50_000], images[49_974:], labels[49_974:], ("a", "b"))
    assert len(copies(data).test_in_training) == 26


@pytest.mark.parametrize(
    ("train", "test", "val", "said"),
    [
        ([1, 2, 3], [4, 5], None, []),
        ([1, 1, 3], [4, 5], None, ["2 of 5 images are copies of each other in different classes"]),
        (
            [1, 3, 1],
            [4, 5],
            None,
            ["1 training image is a copy of another in the same split and class, pixel by pixel"],
        ),
        (
            [1, 3, 1, 2, 1],
            [4, 5, 4],
            None,
            ["2 training images, 1 test image are copies of others in the same split and class, pixel by pixel"],
        ),
        ([1, 2, 3], [3, 5], [7, 8], ["1 of 2 test images is also a training image, pixel by pixel"]),
        ([1, 2, 3], [3, 5, 1], None, ["2 of 3 test images are also training images, pixel by pixel"]),
        (
            [1, 2, 3],
            [7, 5],
            [7, 2, 3],
            [
                "1 of 2 test images is also a validation image, pixel by pixel",
                "2 of 3 validation images are also training images, pixel by pixel",
            ],
        ),
    ],
)
def test_what_stands_on_two_sides_is_said_in_a_line(train, test, val, said):
    data = data_of(train, test, val)
    counts = f"a {(len(train) + 1) // 2}, b {len(train) // 2}"
    few = f"classes of fewer than 20 images to train on: {counts}"
    assert remarks("my\nset", data) == [f"my set: {line}" for line in (few, *said)]


def test_classes_of_twenty_images_are_not_told_as_small():
    data = data_of([*range(40)], [100, 101])
    assert remarks("d", data) == []
    assert remarks("d", replace(data, validation_images=1)) == ["d: classes of fewer than 20 images to train on: b 19"]


def test_of_many_small_classes_the_first_are_named():
    counts = {f"c{number}": number for number in range(25)}
    (line,) = small_classes(counts)
    assert line == (
        "classes of fewer than 20 images to train on: c0 0, c1 1, c2 2, c3 3, c4 4, c5 5, c6 6, c7 7, c8 8, c9 9 "
        "and 10 more"
    )


def test_folders_that_are_passed_over_are_named_also_where_the_images_lie_in_the_store(tmp_path: Path):
    for split in ("train", "test"):
        for number, name in enumerate(("ant", "bee", ".ipynb_checkpoints", "__MACOSX")):
            (tmp_path / "d" / split / name).mkdir(parents=True)
            Image.new("L", (3, 3), 10 * number + len(split)).save(tmp_path / "d" / split / name / "0.png")
    said = "d: passed over 4 folders: train/.ipynb_checkpoints, train/__MACOSX, test/.ipynb_checkpoints and 1 more"
    data = load_dataset(str(tmp_path / "d"), store=tmp_path / "store")
    assert remarks("d", data)[0] == said
    save_to_store(data, tmp_path / "store")
    assert remarks("d", load_dataset(str(tmp_path / "d"), store=tmp_path / "store"))[0] == said


def test_files_that_were_left_out_are_listed_and_many_are_counted(tmp_path: Path):
    for split in ("train", "test"):
        for number, name in enumerate(("ant", "bee")):
            (tmp_path / "d" / split / name).mkdir(parents=True)
            Image.new("L", (3, 3), 10 * number + len(split)).save(tmp_path / "d" / split / name / "0.png")
    for number in range(23):
        (tmp_path / "d" / "train" / "ant" / f"x{number:02}.png").write_text("x")
    lines = remarks("d", load_folder(tmp_path / "d", skip_bad=True))
    assert lines[0] == "d: left out 23 files that cannot be used:"
    assert lines[1].startswith("  train/ant/x00.png: cannot be read as an image (")
    assert lines[21:] == ["  and 3 more", "d: classes of fewer than 20 images to train on: ant 1, bee 1"]


def photographs(seeds: list[int]) -> list[np.ndarray]:
    """Return soft blobs, 64x64, unlike those of other seeds."""
    coarse = [np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8) for seed in seeds]
    return [np.asarray(Image.fromarray(one).resize((64, 64), Image.Resampling.BICUBIC)) for one in coarse]


def test_pairs_that_look_alike_are_counted_with_those_on_two_sides_and_copies_are_not(monkeypatch):
    first = [*photographs([*range(50)])]
    brighter = np.minimum(first[3].astype(int) + 3, 255).astype(np.uint8)
    parts = {
        "train": [*first[:44], first[5]],
        "val": [np.maximum(first[7], 4) - 4, *first[44:46]],
        "test": [brighter, first[9], *first[46:]],
    }
    arrays = {f"x_{split}": np.stack(images) for split, images in parts.items()}
    arrays |= {f"y_{split}": np.arange(len(images)) % 2 for split, images in parts.items()}
    data = checked_dataset("blobs", arrays, ("a", "b"))
    said = "d: 2 pairs of images look alike and are no copies, 2 of them on two sides of the split; "
    assert remarks("d", data)[-1] == f"{said}tuner check shows which"
    within = replace(data, x_train=data.x_train.copy(), x_test=data.x_test[1:], y_test=data.y_test[1:])
    within.x_train[45] = within.x_train[12]
    within.x_train[0] = np.minimum(first[1].astype(int) + 3, 255)
    assert remarks("d", within)[-1] == "d: 1 pair of images looks alike and is no copy; tuner check shows which"
    monkeypatch.setattr("tuner.datasets.remarks.MOST_COMPARED", 53)
    assert "look alike" not in "".join(remarks("d", replace(data, x_test=data.x_test[1:6], y_test=data.y_test[1:6])))
    assert remarks("d", data)[-1] == "d: which of 54 images look alike is not looked at here; tuner check does"
    small = {f"x_{split}": np.stack(images)[:, :47] for split, images in parts.items()}
    assert "alike" not in "".join(remarks("d", checked_dataset("blobs", {**arrays, **small}, ("a", "b"))))
