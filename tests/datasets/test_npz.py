"""`.npz` files: the many forms that are right, and what the error says about those that are wrong."""

from __future__ import annotations

import functools
import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tuner.datasets import npz
from tuner.datasets.base import ARRAYS, Dataset, checked_dataset
from tuner.datasets.npz import load_npz
from tuner.errors import InputError
from tuner.text import visible
from tuner.untrusted.sizes import MOST_DATA, most_data

Arrays = dict[str, NDArray[Any]]

PIXELS = np.arange(6 * 4 * 5).reshape(6, 4, 5).astype(np.uint8)  # from 0 to 119
Y_TRAIN = np.array([0, 1, 2, 0, 1, 2])
Y_TEST = np.array([2, 0, 1])


def arrays(**changed: NDArray[Any] | None) -> Arrays:
    """Return a good data set's arrays with some of them changed, and those that are None left out."""
    good: Arrays = {"x_train": PIXELS, "y_train": Y_TRAIN, "x_test": PIXELS[:3], "y_test": Y_TEST}
    return {key: array for key, array in (good | changed).items() if array is not None}


def saved(folder: Path, **changed: NDArray[Any] | None) -> Path:
    path = folder / "mine.npz"
    np.savez(path, **arrays(**changed))
    return path


@pytest.mark.parametrize(
    "convert",
    [
        pytest.param(lambda x: x, id="uint8"),
        pytest.param(lambda x: x[..., np.newaxis], id="uint8 with a channel axis"),
        pytest.param(lambda x: x.astype(np.int64), id="int64"),
        pytest.param(lambda x: x.astype(">i2"), id="big-endian int16"),
        pytest.param(lambda x: x.astype(np.float32), id="float32 from 0 to 255"),
        pytest.param(lambda x: x + 0.25, id="float64 that is rounded"),
        pytest.param(np.asfortranarray, id="Fortran order"),
        pytest.param(lambda x: np.repeat(x, 2, axis=2)[..., ::2], id="a view with strides"),
    ],
)
def test_images_in_any_form_become_the_same_whole_numbers_from_0_to_255(tmp_path, convert):
    dataset = load_npz(saved(tmp_path, x_train=convert(PIXELS), x_test=convert(PIXELS[:3])))
    assert dataset.x_train.dtype == np.uint8
    assert dataset.shape == (4, 5, 1)
    np.testing.assert_array_equal(dataset.x_train[..., 0], PIXELS)
    np.testing.assert_array_equal(dataset.x_test[..., 0], PIXELS[:3])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_real_pixels_from_0_to_1_are_multiplied_by_255(tmp_path, dtype):
    x = np.zeros((6, 4, 5), dtype)
    x[0, 0, :3] = [1.0, 0.5, 0.2]
    dataset = load_npz(saved(tmp_path, x_train=x, x_test=x[:3]))
    assert dataset.x_train[0, 0, :, 0].tolist() == [255, 128, 51, 0, 0]  # 127.5 is rounded to the even 128


@pytest.mark.parametrize("dark", ["x_train", "x_test", "x_val"])
def test_whether_real_pixels_end_at_1_is_told_by_all_splits_together(tmp_path, dark):
    given = {key: PIXELS.astype(np.float32) for key in ("x_train", "x_test", "x_val")}
    given[dark] = (PIXELS > 60).astype(np.float32)
    dataset = load_npz(saved(tmp_path, **given, y_test=Y_TRAIN, y_val=Y_TRAIN))
    there = {"x_train": dataset.x_train[:6], "x_val": dataset.x_train[6:], "x_test": dataset.x_test}
    assert {key: int(pixels.max()) for key, pixels in there.items()} == {**dict.fromkeys(given, 119), dark: 1}
    bright = {key: array / 255 for key, array in given.items()}
    scaled = load_npz(saved(tmp_path, **bright, y_test=Y_TRAIN, y_val=Y_TRAIN))
    np.testing.assert_array_equal(scaled.x_train, dataset.x_train)
    np.testing.assert_array_equal(scaled.x_test, dataset.x_test)


def test_whole_pixels_of_0_and_1_stay_as_they_are(tmp_path):
    x = (PIXELS > 60).astype(np.int32)
    assert load_npz(saved(tmp_path, x_train=x, x_test=x[:3])).x_train.max() == 1


def test_three_channels_are_colour(tmp_path):
    x = np.stack([PIXELS, PIXELS + 1, PIXELS + 2], axis=-1)
    dataset = load_npz(saved(tmp_path, x_train=x, x_test=x[:3]))
    assert dataset.shape == (4, 5, 3)
    np.testing.assert_array_equal(dataset.x_train, x)


@pytest.mark.parametrize(
    ("y_train", "y_test", "class_names"),
    [
        pytest.param(Y_TRAIN, Y_TEST, ("0", "1", "2"), id="whole numbers"),
        pytest.param(Y_TRAIN.astype(np.uint8), Y_TEST.astype(np.int32), ("0", "1", "2"), id="differing widths"),
        pytest.param(Y_TRAIN.astype(float), Y_TEST.astype(float), ("0", "1", "2"), id="whole real numbers"),
        pytest.param(Y_TRAIN[:, np.newaxis], Y_TEST[:, np.newaxis], ("0", "1", "2"), id="a column"),
        pytest.param(np.eye(3, dtype=int)[Y_TRAIN], np.eye(3, dtype=int)[Y_TEST], ("0", "1", "2"), id="one-hot"),
        pytest.param(np.eye(3)[Y_TRAIN], np.eye(3)[Y_TEST], ("0", "1", "2"), id="real one-hot"),
        pytest.param(np.eye(3, dtype=bool)[Y_TRAIN], np.eye(3)[Y_TEST], ("0", "1", "2"), id="boolean one-hot"),
        pytest.param(
            np.array(["ant", "bee", "cow"])[Y_TRAIN],
            np.array(["ant", "bee", "cow"])[Y_TEST],
            ("ant", "bee", "cow"),
            id="strings",
        ),
        pytest.param(
            np.array([3, 10, 700])[Y_TRAIN], np.array([3, 10, 700])[Y_TEST], ("3", "10", "700"), id="with gaps"
        ),
    ],
)
def test_labels_in_any_form_become_indices_into_the_class_names(tmp_path, y_train, y_test, class_names):
    dataset = load_npz(saved(tmp_path, y_train=y_train, y_test=y_test))
    assert dataset.class_names == class_names
    assert dataset.y_train.tolist() == Y_TRAIN.tolist()
    assert dataset.y_test.tolist() == Y_TEST.tolist()
    assert dataset.y_train.dtype == dataset.y_test.dtype == np.int64


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_validation_arrays_are_the_data_sets_own_validation_set(tmp_path, name):
    plain = load_npz(saved(tmp_path))
    dataset = load_npz(saved(tmp_path, **{f"x_{name}": PIXELS[2:4] + 100, f"y_{name}": np.array([1, 1])}))
    assert dataset.validation_images == 2
    np.testing.assert_array_equal(dataset.x_train[..., 0], np.concatenate((PIXELS, PIXELS[2:4] + 100)))
    assert dataset.y_train.tolist() == [*Y_TRAIN, 1, 1]
    assert dataset.fingerprint != plain.fingerprint
    joined = load_npz(saved(tmp_path, x_train=dataset.x_train, y_train=dataset.y_train))
    assert dataset.fingerprint != joined.fingerprint  # the same images, none of them set apart


def test_the_fingerprint_of_a_file_without_validation_images_is_the_one_of_earlier_versions(tmp_path):
    assert load_npz(saved(tmp_path)).fingerprint == "2a665cb8b8fcddb2"


def test_images_without_a_test_set_are_told_what_holds_one_out(tmp_path):
    np.savez(tmp_path / "all.npz", x=PIXELS, y=Y_TRAIN)
    with pytest.raises(InputError) as caught:
        load_npz(tmp_path / "all.npz")
    assert "has no x_train (it has: x, y); it needs x_train, y_train, x_test, y_test; divide x and y" in str(
        caught.value
    )
    assert "tuner.search(…, x, y)" in str(caught.value)


def test_medmnists_names_of_arrays_are_understood(tmp_path):
    ours = load_npz(saved(tmp_path, x_val=PIXELS[:2], y_val=Y_TRAIN[:2, None]))
    theirs = arrays(x_val=PIXELS[:2], y_val=Y_TRAIN[:2, None])
    np.savez(
        tmp_path / "their.npz",
        **{f"{key[2:]}_{'images' if key[0] == 'x' else 'labels'}": array for key, array in theirs.items()},
    )
    dataset = load_npz(tmp_path / "their.npz")
    assert (dataset.validation_images, dataset.fingerprint) == (2, ours.fingerprint)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"x_val": PIXELS[:2]}, "has no y_val (it has: x_train, y_train, x_test, y_test, x_val); it needs x_train"),
        ({"y_valid": Y_TRAIN[:2]}, "has no x_valid (it has: "),
        (
            {"x_val": PIXELS[:2], "y_val": Y_TRAIN[:2], "x_valid": PIXELS[:2]},
            "has two validation sets, x_val and x_valid; leave one out",
        ),
        ({"x_val": PIXELS[:2, :3], "y_val": Y_TRAIN[:2]}, "x_train has images of shape (4, 5, 1) and x_val of (3, 5"),
        ({"x_val": PIXELS[:2], "y_val": Y_TRAIN[:1]}, "x_val has 2 images and y_val 1 labels"),
        ({"x_valid": PIXELS[:2], "y_valid": Y_TRAIN[:1]}, "x_valid has 2 images and y_valid 1 labels"),
        ({"x_val": PIXELS[:1], "y_val": np.array([5])}, "y_val has the label 5, which y_train never has"),
        (
            {"x_val": PIXELS[:2], "y_val": Y_TRAIN[:2], "x_test": None, "y_test": None},
            "has no x_test (it has: x_train, y_train, x_val, y_val); it needs x_train, y_train, x_test, y_test, x_val",
        ),
    ],
)
def test_a_validation_set_that_does_not_fit_is_told_by_the_files_own_names(tmp_path, changed, problem):
    path = saved(tmp_path, **changed)
    with pytest.raises(InputError) as caught:
        load_npz(path)
    assert str(caught.value).startswith(f"{path}: {problem}")


def test_what_is_wrong_with_medmnists_arrays_is_told_by_their_names(tmp_path):
    images, labels = {"train_images": PIXELS, "test_images": PIXELS}, {"train_labels": Y_TRAIN, "test_labels": Y_TEST}
    np.savez(tmp_path / "x.npz", **images, **labels)
    with pytest.raises(InputError, match="test_images has 6 images and test_labels 3 labels"):
        load_npz(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", **images)
    with pytest.raises(InputError, match=r"has no train_labels \(it has: train_images, test_images\)"):
        load_npz(tmp_path / "x.npz")


def test_labels_that_are_numbers_in_words_stand_in_numeric_order(tmp_path):
    words = np.array(["10", "9", "100"])
    dataset = load_npz(saved(tmp_path, y_train=words[Y_TRAIN], y_test=words[Y_TEST]))
    assert dataset.class_names == ("9", "10", "100")
    assert dataset.y_train.tolist() == [1, 0, 2, 1, 0, 2]
    assert dataset.y_test.tolist() == [2, 1, 0]


def test_a_test_set_may_lack_a_class(tmp_path):
    dataset = load_npz(saved(tmp_path, y_test=np.array([2, 2, 0])))
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.y_test.tolist() == [2, 2, 0]


def test_the_file_names_its_classes_and_may_name_one_that_never_occurs(tmp_path):
    dataset = load_npz(saved(tmp_path, class_names=np.array(["ant", "bee", "cow", "dog"])))
    assert dataset.class_names == ("ant", "bee", "cow", "dog")
    assert dataset.y_train.tolist() == Y_TRAIN.tolist()


def test_the_names_in_the_file_come_before_those_of_the_caller(tmp_path):
    path = saved(tmp_path, class_names=np.array(["ant", "bee", "cow"]))
    assert load_npz(path, class_names=("x", "y", "z")).class_names == ("ant", "bee", "cow")
    path = saved(tmp_path)
    assert load_npz(path, class_names=("x", "y", "z")).class_names == ("x", "y", "z")


def test_the_data_set_is_named_by_the_file_or_by_the_caller(tmp_path):
    path = saved(tmp_path)
    assert load_npz(path).name == "mine"
    assert load_npz(path, "yours").name == "yours"
    assert load_npz(path, "yours").source == "mine.npz"


def test_a_compressed_file_is_read_as_well(tmp_path):
    path = tmp_path / "small.npz"
    np.savez_compressed(path, **arrays())
    assert load_npz(path).fingerprint == load_npz(saved(tmp_path)).fingerprint


def _with(value: float, dtype: type = np.float32) -> NDArray[Any]:
    changed = PIXELS.astype(dtype)
    changed[1, 2, 3] = value
    return changed


@pytest.mark.parametrize(
    ("changed", "fragments"),
    [
        pytest.param({"y_test": None}, ["has no y_test", "x_train, y_train, x_test, y_test"], id="missing array"),
        pytest.param(
            {"y_train": np.array([0, 1, 2, 0, 1, "x"], dtype=object)}, ["cannot be read", "Object arrays"], id="pickle"
        ),
        pytest.param(
            {"class_names": np.array(["a", None, "c"], dtype=object)}, ["cannot be read"], id="pickled class names"
        ),
        pytest.param({"x_train": PIXELS.reshape(6, 20)}, ["x_train", "(6, 20)"], id="flat images"),
        pytest.param({"x_test": PIXELS[0]}, ["x_test", "(4, 5)"], id="a single image"),
        pytest.param({"x_train": np.stack([PIXELS] * 17, axis=-1)}, ["x_train", "(6, 4, 5, 17)"], id="17 channels"),
        pytest.param({"x_train": np.stack([PIXELS] * 3, axis=1)}, ["x_train", "(6, 3, 4, 5)"], id="channels first"),
        pytest.param({"x_train": PIXELS[:5]}, ["x_train has 5 images", "y_train 6 labels"], id="fewer train images"),
        pytest.param({"y_test": Y_TEST[:2]}, ["x_test has 3 images", "y_test 2 labels"], id="fewer test labels"),
        pytest.param({"x_test": PIXELS[:3, :3]}, ["(4, 5, 1)", "(3, 5, 1)"], id="images of two sizes"),
        pytest.param({"x_train": PIXELS[:0], "y_train": Y_TRAIN[:0]}, ["x_train is empty"], id="no train images"),
        pytest.param({"x_test": PIXELS[:0], "y_test": Y_TEST[:0]}, ["x_test is empty"], id="no test images"),
        pytest.param({"x_train": PIXELS[:, :0]}, ["x_train is empty", "(6, 0, 5, 1)"], id="no rows"),
        pytest.param({"x_train": _with(np.nan)}, ["x_train", "NaN"], id="NaN pixel"),
        pytest.param({"x_train": _with(np.inf)}, ["x_train", "infinite"], id="infinite pixel"),
        pytest.param({"x_train": _with(256)}, ["x_train has pixels from 0 to 256"], id="real pixel above 255"),
        pytest.param({"x_test": PIXELS[:3] + np.int32(300)}, ["x_test", "from 300 to 359"], id="whole pixels over 255"),
        pytest.param({"x_train": _with(-1, np.int16)}, ["x_train has pixels from -1"], id="negative pixel"),
        pytest.param({"x_train": PIXELS.astype("U3")}, ["x_train holds <U3"], id="text pixels"),
        pytest.param({"x_train": PIXELS.astype(complex)}, ["x_train holds complex128"], id="complex pixels"),
        pytest.param({"y_train": Y_TRAIN + 0.5}, ["y_train holds real numbers"], id="real labels"),
        pytest.param({"y_test": np.array([0, np.nan, 1])}, ["y_test holds real numbers"], id="NaN label"),
        pytest.param({"y_train": Y_TRAIN - 1}, ["y_train has the label -1"], id="negative label"),
        pytest.param({"y_train": np.zeros((6, 2, 2))}, ["y_train has the shape (6, 2, 2)"], id="labels of rank 3"),
        pytest.param({"y_train": np.ones((6, 3))}, ["y_train", "not one-hot"], id="rows that are not one-hot"),
        pytest.param({"y_train": np.zeros((6, 0))}, ["y_train", "not one-hot"], id="rows of no class"),
        pytest.param({"y_train": Y_TRAIN > 0}, ["y_train holds bool"], id="true and false"),
        pytest.param({"y_train": np.full(6, 4)}, ["y_test has the label 0"], id="test label never in train"),
        pytest.param(
            {"y_test": np.array(["0", "1", "2"])}, ["y_train holds int64 and y_test <U1"], id="text against numbers"
        ),
        pytest.param({"y_train": np.full(6, 7), "y_test": np.full(3, 7)}, ["one class only (7)"], id="one class"),
        pytest.param({"class_names": np.array(["a", "b", "a"])}, ["two classes alike"], id="one name for two classes"),
        pytest.param({"class_names": np.array(["a", "b", "c" * 1001])}, ["longer than 1,000 letters"], id="long name"),
        pytest.param({"class_names": np.array(["a", "b"])}, ["label 2", "2 class names"], id="too few class names"),
    ],
)
def test_a_wrong_file_is_refused_with_its_path_and_what_is_wrong_in_it(tmp_path, changed, fragments):
    path = saved(tmp_path, **changed)
    with pytest.raises(InputError) as caught:
        load_npz(path)
    assert str(path) in str(caught.value)
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


def _bytes_of_a_good_file() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays())
    return buffer.getvalue()


def _bytes_of_one_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, PIXELS)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"x_train,y_train\n1,2\n", id="a table"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x80\x04K\x01.", id="a pickle"),
        pytest.param(_bytes_of_one_array(), id="a single array"),
        pytest.param(_bytes_of_a_good_file()[:-100], id="truncated"),
        pytest.param(_bytes_of_a_good_file()[:400], id="truncated early"),
        pytest.param(_bytes_of_a_good_file().replace(PIXELS.tobytes(), bytes(120)), id="changed under its checksum"),
    ],
)
def test_a_file_that_is_no_whole_npz_is_refused(tmp_path, content):
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.npz: cannot be read as an \.npz"):
        load_npz(path)


def test_a_bomb_is_refused_by_its_size_with_the_file(tmp_path, monkeypatch, peak_memory):
    monkeypatch.setattr(npz, "most_data", lambda: 50_000_000)
    x = np.zeros((100, 1000, 1000), np.uint8)
    np.savez_compressed(tmp_path / "mine.npz", **arrays(x_train=x, y_train=np.arange(100) % 2))
    with peak_memory(10_000_000), pytest.raises(InputError) as caught:
        load_npz(tmp_path / "mine.npz")
    assert str(caught.value).startswith(f"{tmp_path / 'mine.npz'}: cannot be read as an .npz of plain arrays (")
    assert "its arrays take 100 MB unpacked, and at most 50 MB are read" in str(caught.value)


def test_no_more_than_16_gb_are_ever_read():
    assert most_data() <= MOST_DATA == 16_000_000_000


def test_a_name_that_commands_a_terminal_is_shown_by_its_escapes(tmp_path):
    names = np.array(["\x1b[2Jred", "two\nlines", "\ud800"])
    dataset = load_npz(saved(tmp_path, y_train=names[Y_TRAIN], y_test=names[Y_TEST]))
    assert set(dataset.class_names) == {r"\x1b[2Jred", r"two\x0alines", r"\ud800"}


def test_byte_strings_that_are_no_text_stay_apart(tmp_path):
    names = np.array([b"caf\xe8", b"caf\xe9", b"tea"])
    dataset = load_npz(saved(tmp_path, y_train=names[Y_TRAIN], y_test=names[Y_TEST]))
    assert dataset.class_names == (r"caf\xe8", r"caf\xe9", "tea")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.npz: no such file"):
        load_npz(tmp_path / "absent.npz")


def test_a_refused_file_does_not_run_what_is_pickled_in_it(tmp_path):
    class Mischief:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    path = saved(tmp_path, y_train=np.array([Mischief()], dtype=object))
    with pytest.raises(InputError):
        load_npz(path)
    assert not (tmp_path / "ran").exists()


def test_arrays_without_a_file_are_checked_by_the_name_of_the_data_set():
    with pytest.raises(InputError, match=r"^mine: y_train has one class only"):
        checked_dataset("mine", arrays(y_train=np.zeros(6, int), y_test=np.zeros(3, int)))


def test_text_labels_of_a_known_data_set_keep_their_own_names(tmp_path):
    path = saved(tmp_path, y_train=Y_TRAIN.astype("U1"), y_test=Y_TEST.astype("U1"))
    assert load_npz(path, class_names=("x", "y", "z")).class_names == ("0", "1", "2")


# --- any file ---

Draw = st.DrawFn
#: Of every kind that NumPy writes, pickled objects among them.
DTYPES = st.one_of(
    st.sampled_from(
        ["?", "u1", "i1", "<u2", ">i2", "<i4", "<i8", "<u8", ">u8", "<f2", "<f4", ">f8", "<c8", "<U1", ">U3"]
    ),
    st.sampled_from(["S1", "S4", "<M8[D]", "<m8[s]", "V3", "O", "i4, f4"]),
).map(np.dtype)
SHAPES = st.lists(st.integers(0, 5), max_size=5).map(tuple)
NUMBERS = (
    st.sampled_from([0, 1, 2, 3, 255, 256, -1, 2**31, 2**53, 2**60, 2**60 + 1, 2**63, 2**64 - 1, 0.5, 1e300])
    | st.floats()
)


@st.composite
def any_array(draw: Draw, shape: st.SearchStrategy[tuple[int, ...]] = SHAPES) -> NDArray[Any]:
    """An array of any kind and shape, of numbers that its kind may hold or not."""
    dtype, size = draw(DTYPES), draw(shape)
    few = draw(st.lists(NUMBERS, min_size=1, max_size=4))
    many = [few[place % len(few)] for place in range(int(np.prod(size)))]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.array(many, dtype=object).astype(dtype).reshape(size)
        except (ValueError, TypeError, OverflowError):
            return np.zeros(size, dtype)


FORMS = st.sampled_from(["numbers", "column", "one-hot", "words", "bytes", "real", "large", "larger"])


@st.composite
def nearly_good(draw: Draw) -> Arrays:
    """Arrays of a good data set, in any right form or a wrong one, and now and then with one of any kind."""
    channels = draw(st.sampled_from([(), (), (1,), (3,), (2,)]))
    classes = draw(st.integers(1, 4))
    names = np.array(draw(st.lists(st.text(max_size=3), min_size=classes, max_size=classes, unique=True)))
    one_form = draw(FORMS)
    found: Arrays = {}
    for split, least in (("train", classes), ("test", 1)):
        count = draw(st.integers(least, 6))
        pixels = np.arange(count * 6 * math.prod(channels)).reshape(count, 2, 3, *channels) % 256
        found[f"x_{split}"] = pixels.astype(draw(st.sampled_from(["u1", "i2", "f4", "f8", "u8"])))
        labels = np.arange(count) % classes
        found[f"y_{split}"] = {
            "numbers": labels,
            "column": labels[:, np.newaxis],
            "one-hot": np.eye(classes)[labels],
            "words": names[labels],
            "bytes": np.char.encode(names, "utf-8")[labels],
            "real": labels.astype("f2"),
            "large": labels + 2**60,
            "larger": labels.astype("u8") + np.uint64(2**60),
        }[draw(FORMS | st.just(one_form) | st.just(one_form))]
    if draw(st.booleans()):
        found["class_names"] = draw(st.sampled_from([names, names[:-1], np.array(7), np.eye(2)]))
    for name in draw(st.sets(st.sampled_from(sorted(found)), max_size=1)):
        found[name] = draw(any_array() | any_array(st.just(found[name].shape)))
    for name in draw(st.sets(st.sampled_from(sorted(found)), max_size=1)) if draw(st.integers(0, 9)) == 0 else ():
        del found[name]
    return found


def loaded(path: Path) -> Dataset | None:
    """Load a file; None where it is refused, which is one line with its path."""
    try:
        return load_npz(path)
    except InputError as error:
        assert error.place == str(path)
        assert len(str(error).splitlines()) == 1
        return None


def check_dataset(dataset: Dataset) -> None:
    """What `Dataset` promises."""
    for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
        assert (x.dtype, x.ndim, y.dtype, y.ndim) == (np.uint8, 4, np.int64, 1)
        assert x.shape[1:] == dataset.shape
        assert len(x) == len(y) > 0
        assert set(y.tolist()) <= set(range(len(dataset.class_names)))
    assert 1 <= dataset.shape[2] <= 16
    assert min(dataset.shape) > 0
    assert len(set(dataset.class_names)) == len(dataset.class_names)
    assert all(isinstance(name, str) for name in dataset.class_names)
    assert set(dataset.y_test.tolist()) <= set(dataset.y_train.tolist())
    assert len(set(dataset.y_train.tolist())) >= 2
    assert len(dataset.fingerprint) == 16


@pytest.mark.filterwarnings("error::RuntimeWarning")  # which would be a second line
@settings(max_examples=400, deadline=None, derandomize=True)
@given(found=nearly_good() | st.dictionaries(st.sampled_from([*ARRAYS, "class_names", "z"]), any_array()))
def test_any_arrays_are_a_data_set_that_keeps_its_promises_or_one_line(tmp_path_factory, found):
    path = tmp_path_factory.getbasetemp() / "any.npz"
    np.savez(path, **found)
    dataset = loaded(path)
    if dataset is None:
        return
    check_dataset(dataset)
    for split, x, y in (("train", dataset.x_train, dataset.y_train), ("test", dataset.x_test, dataset.y_test)):
        given_x, given_y = found[f"x_{split}"], found[f"y_{split}"]
        if given_x.dtype == np.uint8:
            np.testing.assert_array_equal(x.ravel(), given_x.ravel())
        if given_y.ndim == 1 and given_y.dtype.kind == "U":
            assert [dataset.class_names[label] for label in y] == [visible(name) for name in given_y.tolist()]


@functools.cache
def _good_bytes(compressed: bool) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays(class_names=np.array(["a", "b", "c"])))
    return buffer.getvalue()


@st.composite
def damaged(draw: Draw) -> bytes:
    """A good file with bytes changed, cut off, left out, put in or exchanged; or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    content = bytearray(_good_bytes(draw(st.booleans())))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, max(0, len(content) - 1)))
        end = min(len(content), start + draw(st.sampled_from([1, 2, 4, 40, 400])))
        change = draw(st.sampled_from(["flip", "cut", "drop", "insert", "double", "write"]))
        if change == "flip":
            content[start:end] = bytes(byte ^ draw(st.sampled_from([1, 0x80, 0xFF])) for byte in content[start:end])
        elif change == "cut":
            del content[start:]
        elif change == "drop":
            del content[start:end]
        elif change == "insert":
            content[start:start] = draw(st.binary(max_size=20))
        elif change == "double":
            content[start:start] = content[start:end]
        else:
            content[start:end] = draw(st.sampled_from([b"\x00", b"\xff", b"\x7f"])) * (end - start)
    return bytes(content)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(content=damaged())
def test_a_damaged_file_is_refused_or_the_data_set_that_it_was(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(content)
    dataset = loaded(path)
    if dataset is not None:
        check_dataset(dataset)
        np.testing.assert_array_equal(dataset.x_train[..., 0], PIXELS)
        np.testing.assert_array_equal(dataset.y_train, Y_TRAIN)
        np.testing.assert_array_equal(dataset.y_test, Y_TEST)
