"""Groups of images: read from names of files or arrays, and never on two sides where images are divided."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner import protocol
from tuner.api.data import given_dataset
from tuner.datasets.base import Dataset
from tuner.datasets.dividing import drawn_by_group, fold_of_each
from tuner.datasets.groups import with_groups
from tuner.datasets.npz import load_npz, save_npz
from tuner.datasets.remarks import groups_in_words, remarks
from tuner.datasets.store import load_from_store, save_to_store
from tuner.errors import InputError
from tuner.trial import Trial

NAMES = ("a", "b", "c")
TRIAL = Trial("ann", "scans", "0" * 16, {"units": 8}, epochs=2, seed=0)


@st.composite
def grouped(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels and groups: of each class 5 to 12 groups, each of 1 to 6 images of it; some groups have two."""
    labels: list[int] = []
    groups: list[int] = []
    number = 0
    for label in range(draw(st.integers(2, 3))):
        for _ in range(draw(st.integers(5, 12))):
            several = draw(st.integers(1, 6))
            labels += [label] * several
            groups += [number] * several
            if draw(st.integers(0, 9)) == 0:
                labels.append(0)
                groups.append(number)
            number += 1
    order = np.random.default_rng(draw(st.integers(0, 99))).permutation(len(labels))
    return np.array(labels, np.int64)[order], np.array(groups, np.int64)[order]


def apart(groups: np.ndarray, *sides: np.ndarray) -> bool:
    """Whether no group stands on two sides, and every image on one."""
    every = [set(groups[side].tolist()) for side in sides]
    assert sorted(np.concatenate(sides).tolist()) == list(range(len(groups)))
    return sum(map(len, every)) == len(set[int]().union(*every))


def data_of(labels: np.ndarray, groups: np.ndarray, tested: int = 0) -> Dataset:
    """Return a data set, the last images of which are the test set, each image of a colour of its own."""
    images = np.arange(len(labels)).astype(np.uint8).reshape(-1, 1, 1, 1)
    cut = len(labels) - tested
    sides = {"train": groups[:cut], "test": groups[cut:] if tested else groups[:1]}
    if not tested:
        return Dataset("scans", images, labels, images[:1], labels[:1], NAMES, groups=sides)
    return Dataset("scans", images[:cut], labels[:cut], images[cut:], labels[cut:], NAMES, groups=sides)


@given(one=grouped(), share=st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.7]), seed=st.integers(0, 2**34))
@settings(max_examples=30, deadline=None)
def test_a_share_that_is_held_out_divides_no_group_and_has_every_class_on_either_side(
    one: tuple[np.ndarray, np.ndarray], share: float, seed: int
) -> None:
    labels, groups = one
    drawn, others = drawn_by_group(labels, groups, share, seed, NAMES)
    assert apart(groups, drawn, others)
    assert set(labels[drawn]) == set(labels[others]) == set(labels)
    again = drawn_by_group(labels.copy(), groups.copy(), share, seed, NAMES)
    np.testing.assert_array_equal(drawn, again[0])


@given(one=grouped(), folds=st.integers(2, 4), seed=st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_folds_divide_no_group_and_have_every_class_each(
    one: tuple[np.ndarray, np.ndarray], folds: int, seed: int
) -> None:
    labels, groups = one
    fold_of = fold_of_each(labels, groups, folds, seed, NAMES)
    assert apart(groups, *(np.flatnonzero(fold_of == fold) for fold in range(folds)))
    assert all(set(labels[fold_of == fold]) == set(labels) for fold in range(folds))


@given(one=grouped(), split=st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_another_split_of_all_images_divides_no_group(one: tuple[np.ndarray, np.ndarray], split: int) -> None:
    labels, groups = one
    order = np.argsort(groups % 4 == 3, kind="stable")  # a quarter of the groups are the test set
    data = data_of(labels[order], groups[order], tested=int((groups % 4 == 3).sum()))
    other = protocol.resplit(data, split)
    train, test = other.x_train.ravel(), other.x_test.ravel()
    assert sorted([*train, *test]) == list(range(len(labels)))
    np.testing.assert_array_equal(other.groups["train"], groups[order][train])
    np.testing.assert_array_equal(other.groups["test"], groups[order][test])
    assert not set(other.groups["train"]) & set(other.groups["test"])
    assert set(other.y_train) == set(other.y_test) == set(labels)


def test_what_trials_and_retrainings_hold_out_are_whole_groups() -> None:
    labels = np.repeat([0, 1, 0, 1, 0, 1, 0, 1, 0, 1], 6)
    groups = np.repeat(np.arange(20), 3)
    data = data_of(labels, groups)
    cases = [TRIAL, TRIAL.as_final(1, hold_out=0.2), *replace(TRIAL, folds=5).parts, replace(TRIAL, train_size=40)]
    for trial in cases:
        fit, held = protocol.training_images(trial, data)
        assert held is not None
        assert not set(groups[fit]) & set(groups[held])
        assert set(labels[fit]) == set(labels[held]) == {0, 1}
    fit, held = protocol.training_images(TRIAL, data)
    assert held is not None
    assert len(held) == 12
    final = protocol.training_images(TRIAL.as_final(1, hold_out=0.2), data)[1]
    assert final is not None
    assert held.tolist() != final.tolist()


def test_of_a_class_with_few_groups_more_is_held_out_than_asked_for() -> None:
    labels, groups = np.repeat([0, 1], 20), np.repeat([0, 1, 2, 3], 10)
    drawn, others = drawn_by_group(labels, groups, 0.1, 0, NAMES)
    assert (len(drawn), len(others)) == (20, 20)


def test_groups_that_cannot_be_divided_are_told() -> None:
    labels, groups = np.repeat([0, 1], 20), np.repeat([0, 1, 2, 2], 10)
    with pytest.raises(InputError, match="scans: class 'b' has images of one group alone, which cannot stand on two"):
        protocol.training_images(TRIAL, data_of(labels, groups))
    with pytest.raises(InputError, match="class 'b' has images of 1 group, too few for 3 folds; hold out a share"):
        protocol.training_images(replace(TRIAL, folds=3), data_of(labels, groups))
    three = np.repeat([0, 1, 2, 3, 4, 5, 6, 7], 5)
    with pytest.raises(InputError, match="class 'a' has images of 4 groups, too few for 5 folds; set folds to 4"):
        protocol.training_images(replace(TRIAL, folds=5), data_of(labels, three))
    # Each class in two groups, and one of them is the same: to hold it out leaves others, to keep it too.
    both, shared = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1, 2, 1, 2, 0])
    with pytest.raises(InputError, match="cannot be divided so that images of each class stand on both sides"):
        protocol.training_images(TRIAL, data_of(both, shared))
    with pytest.raises(InputError, match="cannot be divided into 2 folds with images of each class"):
        protocol.training_images(replace(TRIAL, folds=2), data_of(both, shared))


# --- where groups come from ---


def from_files(*names: str) -> Dataset:
    images = np.arange(len(names)).astype(np.uint8).reshape(-1, 1, 1, 1)
    labels = np.arange(len(names)) % 2
    cut = len(names) - 2
    files = {"train": names[:cut], "test": names[cut:]}
    return Dataset("scans", images[:cut], labels[:cut], images[cut:], labels[cut:], NAMES[:2], files=files)


FILES = ("a/patient_7_1.png", "b/patient_7_2.png", "a/patient_12_1.png", "b/patient_7_3.png", "a/patient_1_1.png")


def test_a_pattern_on_names_of_files_tells_groups() -> None:
    data = from_files(*FILES)
    found = with_groups(data, r"patient_(\d+)")
    every = [*found.groups["train"], *found.groups["test"]]
    assert [every[0] == one for one in every] == [True, True, False, True, False]
    assert len(set(every)) == 3
    assert found.fingerprint != data.fingerprint
    assert with_groups(found, "(.)") is found
    two = with_groups(data, r"patient_(\d+)_(\d)")
    assert len({*two.groups["train"], *two.groups["test"]}) == 5
    folders = with_groups(data, "([ab])")  # of the name alone, each of which has an "a" of "patient"
    assert len({*folders.groups["train"], *folders.groups["test"]}) == 1


def test_a_file_that_the_pattern_does_not_match_is_named() -> None:
    with pytest.raises(
        InputError, match=r"^groups: .* is not found in the name of 'b/scan_2.png' of scans, nor in 1 more"
    ):
        with_groups(from_files(FILES[0], "b/scan_2.png", "a/scan_3.png", *FILES[3:]), r"patient_(\d+)")
    with pytest.raises(InputError, match=r"in the name of 'a/x_.png' of scans; change"):
        with_groups(from_files("a/x_.png", *FILES[1:]), r"patient_(\d+)|x")
    with pytest.raises(InputError, match=r"is looked for in the names of files, and scans has none"):
        with_groups(replace(from_files(*FILES), files={}), r"patient_(\d+)")


def npz(path: Path, **changed: object) -> Path:
    rng = np.random.default_rng(0)
    arrays: dict[str, object] = {
        "x_train": rng.integers(0, 255, (6, 4, 4), np.uint8),
        "y_train": np.arange(6) % 2,
        "x_test": rng.integers(0, 255, (2, 4, 4), np.uint8),
        "y_test": np.arange(2),
        "groups_train": np.array(["p1", "p1", "p2", "p2", "p3", "p3"]),
        "groups_test": np.array(["p4", "p2"]),
    }
    arrays |= changed
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})  # type: ignore[arg-type]
    return path


def test_arrays_of_an_npz_file_tell_groups(tmp_path: Path) -> None:
    data = load_npz(npz(tmp_path / "scans.npz"))
    assert data.groups["train"].tolist() == [0, 0, 1, 1, 2, 2]
    assert data.groups["test"].tolist() == [3, 1]
    plain = load_npz(npz(tmp_path / "plain.npz", groups_train=None, groups_test=None))
    assert (dict(plain.groups), plain.fingerprint != data.fingerprint) == ({}, True)
    save_npz(data, tmp_path / "again.npz")
    assert load_npz(tmp_path / "again.npz").fingerprint == data.fingerprint
    stored = load_from_store(save_to_store(data, tmp_path / "store"))
    assert stored.fingerprint == data.fingerprint
    assert stored.groups["train"].tolist() == data.groups["train"].tolist()
    assert groups_in_words(data) == [
        "8 images of 4 groups: images of one group stay together wherever they are divided",
        "1 group has both training and test images, as the data set comes",
    ]
    assert f"scans: {groups_in_words(data)[0]}" in remarks("scans", data)
    assert groups_in_words(plain) == []


def test_groups_of_validation_images_stand_with_theirs(tmp_path: Path) -> None:
    held = {"x_val": np.zeros((2, 4, 4), np.uint8), "y_val": np.arange(2), "groups_val": np.array(["p5", "p1"])}
    data = load_npz(npz(tmp_path / "scans.npz", **held))
    assert data.groups["train"].tolist() == [0, 0, 1, 1, 2, 2, 4, 0]
    save_npz(data, tmp_path / "again.npz")
    assert load_npz(tmp_path / "again.npz").fingerprint == data.fingerprint
    assert "1 group has both training and validation images, as the data set comes" in groups_in_words(data)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"groups_test": None}, "has groups_train, and no groups_test; add groups_test"),
        ({"groups_train": None}, "has groups_test, and no groups_train; add groups_train"),
        ({"groups_val": np.arange(2)}, "has groups_val, and no validation images"),
        ({"groups_train": np.arange(5)}, r"groups_train has the shape \(5,\), for 6 images"),
        ({"groups_test": np.array([0.5, 1.0])}, "groups_test holds float64; groups are whole numbers or strings"),
        ({"groups_test": np.arange(2)}, "numbers in one array and strings in another"),
    ],
)
def test_arrays_of_groups_that_do_not_fit_are_told(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_npz(npz(tmp_path / "scans.npz", **changed))


def test_a_copy_for_workers_whose_groups_are_gone_is_laid_out_anew(tmp_path: Path) -> None:
    data = load_npz(npz(tmp_path / "scans.npz"))
    folder = save_to_store(data, tmp_path / "store")
    (folder / "groups_train.npy").unlink()
    assert load_from_store(save_to_store(data, tmp_path / "store")).fingerprint == data.fingerprint


def test_arrays_that_python_gives_may_have_groups(tmp_path: Path) -> None:
    with np.load(npz(tmp_path / "scans.npz")) as file:
        arrays = dict(file)
    data, _ = given_dataset("scans", arrays)
    assert data.groups["test"].tolist() == [3, 1]
    for name in ("x_test", "y_test"):
        del arrays[name]
    with pytest.raises(InputError, match="has groups, and no test images"):
        given_dataset("scans", arrays)
