"""Folders of class folders: how they are split, what their images become, and what is refused."""

from __future__ import annotations

import os
import pickle
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from tuner.datasets import folder as folder_module
from tuner.datasets import pictures
from tuner.datasets.folder import load_folder
from tuner.datasets.pictures import read_image, size_upright
from tuner.errors import InputError


def picture(path: Path, value: int | tuple[int, int, int] = 100, size: tuple[int, int] = (5, 4)) -> Path:
    """Write an image of one colour; `size` is width and height, as in Pillow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(value, int) else "RGB", size, value).save(path)
    return path


def fill(root: Path, train: int = 3, test: int = 1, classes: tuple[str, ...] = ("ant", "bee")) -> Path:
    """Write `train` and `test` grey images of each class; each image has a grey of its own."""
    grey = 0
    for split, count in (("train", train), ("test", test)):
        for name in classes:
            for number in range(count):
                picture(root / split / name / f"{number}.png", grey)
                grey += 1
    return root


def fill_flat(root: Path, counts: dict[str, int]) -> Path:
    """Write class folders without a split; the n-th image of the k-th class by name has the grey 50 k + n."""
    for name, count in counts.items():
        for number in range(count):
            picture(root / name / f"{number:03}.png", 50 * sorted(counts).index(name) + number)
    return root


def greys(images: np.ndarray) -> list[int]:
    return images[:, 0, 0, 0].tolist()


def test_train_and_test_folders_are_the_split_and_class_folders_the_classes(tmp_path):
    dataset = load_folder(fill(tmp_path / "insects"))
    assert dataset.name == "insects"
    assert dataset.class_names == ("ant", "bee")
    assert dataset.shape == (4, 5, 1)
    assert greys(dataset.x_train) == [0, 1, 2, 3, 4, 5]
    assert dataset.y_train.tolist() == [0, 0, 0, 1, 1, 1]
    assert greys(dataset.x_test) == [6, 7]
    assert dataset.y_test.tolist() == [0, 1]


def test_a_class_may_be_missing_from_the_test_folder(tmp_path):
    root = fill(tmp_path / "d", classes=("ant", "bee", "cow"))
    (root / "test" / "bee" / "0.png").unlink()
    (root / "test" / "bee").rmdir()
    assert load_folder(root).y_test.tolist() == [0, 2]


def test_of_flat_class_folders_a_fifth_of_each_class_is_the_test(tmp_path):
    dataset = load_folder(fill_flat(tmp_path / "d", {"ant": 10, "bee": 20, "cow": 2}))
    assert np.bincount(dataset.y_train).tolist() == [8, 16, 1]
    assert np.bincount(dataset.y_test).tolist() == [2, 4, 1]
    every = [*range(10), *range(50, 70), 100, 101]
    assert sorted(greys(dataset.x_train) + greys(dataset.x_test)) == every


def test_the_split_of_flat_folders_is_the_same_every_time_and_in_every_place(tmp_path):
    first = load_folder(fill_flat(tmp_path / "one", {"ant": 10, "bee": 7}))
    again = load_folder(tmp_path / "one")
    elsewhere = load_folder(fill_flat(tmp_path / "two", {"bee": 7, "ant": 10}))
    assert first.fingerprint == again.fingerprint == elsewhere.fingerprint


def test_files_that_are_no_images_and_hidden_folders_are_passed_over(tmp_path):
    root = fill(tmp_path / "d")
    before = load_folder(root).fingerprint
    (root / "train" / "ant" / "notes.txt").write_text("not an image")
    (root / "train" / "README.md").write_text("about")
    (root / "train" / ".cache").mkdir()
    assert load_folder(root).fingerprint == before


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".gif", ".pgm", ".tif", ".webp"])
def test_lossless_images_of_every_format_keep_their_pixels(tmp_path, suffix):
    root = fill(tmp_path / "d")
    path = root / "test" / "ant" / f"0{suffix}"
    (root / "test" / "ant" / "0.png").unlink()
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5) * 12
    image = Image.fromarray(pixels)
    image.save(path, lossless=True) if suffix == ".webp" else image.save(path)
    np.testing.assert_array_equal(load_folder(root, channels=1).x_test[0, ..., 0], pixels)


@pytest.mark.parametrize(
    ("colour", "channels", "expected"),
    [
        pytest.param(50, None, [50], id="all grey"),
        pytest.param((50, 60, 70), None, [50, 60, 70], id="one in colour makes all colour"),
        pytest.param(50, 3, [50, 50, 50], id="grey asked for in colour"),
        # 0.299 x 50 + 0.587 x 60 + 0.114 x 70 = 58.15 (ITU-R 601-2)
        pytest.param((50, 60, 70), 1, [58], id="colour asked for in grey"),
    ],
)
def test_images_are_grey_if_every_one_is_and_else_as_asked_for(tmp_path, colour, channels, expected):
    root = fill(tmp_path / "d")
    picture(root / "test" / "bee" / "0.png", colour)
    dataset = load_folder(root, channels=channels)
    assert dataset.x_test[1, 0, 0].tolist() == expected
    assert dataset.x_train.shape == (6, 4, 5, len(expected))
    assert dataset.x_train[3, 0, 0].tolist() == [3] * len(expected)


@pytest.mark.parametrize(
    ("suffixes", "source"),
    [
        ([".png"] * 4, "folder insects of .png files"),
        ([".png", ".PNG", ".bmp", ".png"], "folder insects of .png and .bmp files"),
        ([".bmp", ".gif", ".gif", ".png"], "folder insects of .gif, .bmp and .png files"),
    ],
)
def test_the_source_names_the_folder_and_its_formats_the_most_frequent_first(tmp_path, suffixes, source):
    places = [tmp_path / "insects" / split / name for split in ("train", "test") for name in ("ant", "bee")]
    for place, suffix in zip(places, suffixes, strict=True):
        picture(place / f"0{suffix}")
    assert load_folder(tmp_path / "insects").source == source


def test_image_size_is_height_and_width_and_brings_all_images_to_it(tmp_path):
    root = fill(tmp_path / "d")
    picture(root / "train" / "bee" / "large.png", 200, size=(40, 30))
    dataset = load_folder(root, image_size=(6, 9))
    assert dataset.shape == (6, 9, 1)
    assert np.unique(dataset.x_train[-1]).tolist() == [200]


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_photograph_is_decoded_in_a_fraction_of_its_size_and_looks_the_same(tmp_path, monkeypatch, orientation):
    rng = np.random.default_rng(0)
    whole = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).resize((1200, 900), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    whole.save(tmp_path / "large.jpg", quality=95, exif=exif)
    decoded = []
    load = JpegImageFile.load
    monkeypatch.setattr(JpegImageFile, "load", lambda image: (decoded.append(image.size), load(image))[1])
    size = (90, 120) if orientation == 1 else (120, 90)
    found = read_image(tmp_path / "large.jpg", size, 3)
    assert decoded[0] == (300, 225), "the smallest that is twice as large"
    upright = whole if orientation == 1 else whole.transpose(Image.Transpose.ROTATE_270)
    expected = np.asarray(upright.resize(size[::-1], Image.Resampling.BILINEAR), int)
    assert found.shape == (*size, 3)
    assert np.abs(found - expected).mean() < 1.5
    decoded.clear()
    read_image(tmp_path / "large.jpg", None, 3)
    assert decoded[0] == (1200, 900)


def test_images_of_two_sizes_are_refused_with_the_remedy(tmp_path):
    root = fill(tmp_path / "d")
    picture(root / "train" / "bee" / "large.png", size=(7, 6))
    with pytest.raises(InputError, match=r"has images of 4x5 and 6x7; set image_size = \[height, width\]"):
        load_folder(root)


def _truncate(root: Path) -> Path:
    path = root / "train" / "ant" / "0.png"
    noise = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    return path


def _text(root: Path) -> Path:
    path = root / "train" / "bee" / "9.png"
    path.write_text("I am no image")
    return path


def _empty_file(root: Path) -> Path:
    path = root / "test" / "bee" / "9.jpg"
    path.touch()
    return path


def _folder_named_as_an_image(root: Path) -> Path:
    path = root / "train" / "ant" / "folder.png"
    path.mkdir()
    return path


def _pipe(root: Path) -> Path:
    path = root / "train" / "ant" / "pipe.png"
    os.mkfifo(path)
    return path


def _postscript(root: Path) -> Path:
    """A program that Pillow would hand to Ghostscript."""
    path = root / "train" / "ant" / "drawing.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 4\n%%EndComments\nshowpage\n%%EOF\n")
    return path


def _text_that_unpacks_to_more(root: Path) -> Path:
    """A PNG with a compressed comment of 100 MB in front of its pixels."""
    path = root / "train" / "ant" / "wordy.png"
    content = picture(path).read_bytes()
    body = b"zTXtComment\0\0" + zlib.compress(bytes(100_000_000), 9)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(content[:33] + chunk + content[33:])  # behind the header
    return path


def _train_is_a_link_to_elsewhere(root: Path) -> Path:
    for name in ("1.png", "2.png"):
        (root / "train" / "ant" / name).unlink()
    shutil.rmtree(root / "train" / "bee")
    (root / "train").rename(root.parent / "elsewhere")
    (root / "train").symlink_to(root.parent / "elsewhere")
    return root / "train" / "ant" / "0.png"


def _unreadable_class(root: Path) -> Path:
    (root / "train" / "cow").mkdir(mode=0)
    return root / "train" / "cow"


def _real_numbers(root: Path) -> Path:
    path = root / "train" / "ant" / "deep.tif"
    Image.fromarray(np.full((4, 5), 0.5, np.float32)).save(path)
    return path


def _dangling_link(root: Path) -> Path:
    path = root / "train" / "ant" / "link.png"
    path.symlink_to("nowhere.png")
    return path


def _empty_class(root: Path) -> Path:
    path = root / "train" / "cow"
    path.mkdir()
    return path


def _only_in_test(root: Path) -> Path:
    return picture(root / "test" / "cow" / "0.png").parent


def _link_to_a_file_outside(root: Path) -> Path:
    path = root / "train" / "ant" / "link.png"
    path.symlink_to(picture(root.parent / "secret.png"))
    return path


def _link_to_a_folder_outside(root: Path) -> Path:
    picture(root.parent / "outside" / "0.png")
    (root / "train" / "cow").symlink_to(root.parent / "outside")
    return root / "train" / "cow" / "0.png"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_truncate, "is a broken image"),
        (_text, "cannot be read as an image"),
        (_empty_file, "cannot be read as an image"),
        (_folder_named_as_an_image, "is not a file; pipes, devices and folders are not read"),
        (_pipe, "is not a file; pipes, devices and folders are not read"),
        (_postscript, "cannot be read as an image"),
        (_text_that_unpacks_to_more, "cannot be read as an image (ValueError: Decompressed data too large"),
        (_real_numbers, "has pixels that are real numbers"),
        (_train_is_a_link_to_elsewhere, "a link that leads out of the data set's folder"),
        pytest.param(
            _unreadable_class,
            "cannot be read (Permission denied)",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything"),
        ),
        (_dangling_link, "a link that leads out of the data set's folder, or nowhere"),
        (_empty_class, "a class folder without images; remove it or fill it"),
        (_only_in_test, "a class that the train folder does not have"),
        (_link_to_a_file_outside, "a link that leads out of the data set's folder"),
        (_link_to_a_folder_outside, "a link that leads out of the data set's folder"),
    ],
)
def test_what_is_wrong_in_a_folder_is_named_with_its_path(tmp_path, spoil, problem):
    root = fill(tmp_path / "d")
    place = spoil(root)
    with pytest.raises(InputError) as caught:
        load_folder(root)
    assert str(caught.value).startswith(f"{place}: {problem}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_a_validation_folder_is_the_data_sets_own_validation_set(tmp_path, name):
    without = load_folder(fill(tmp_path / "d")).fingerprint
    picture(tmp_path / "d" / name / "bee" / "0.png", 100)
    dataset = load_folder(tmp_path / "d")
    assert dataset.validation_images == 1
    assert greys(dataset.x_train) == [0, 1, 2, 3, 4, 5, 100]
    assert dataset.y_train.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert greys(dataset.x_test) == [6, 7]
    assert dataset.files["train"][-2:] == ("train/bee/2.png", f"{name}/bee/0.png")
    assert dataset.fingerprint != without


def _in_a_split(root: Path, *splits: str) -> Path:
    for split in splits:
        picture(root / split / "ant" / "0.png")
        picture(root / split / "bee" / "0.png")
    return root


@pytest.mark.parametrize(
    ("splits", "problem"),
    [
        (
            ("train", "val"),
            "has train and val, but no test folder; put images to score on into test/CLASS; or rename val",
        ),
        (("train", "validation"), "has train and validation, but no test folder; "),
        (("train",), "has train, but no test folder; put images to score on into test/CLASS; or name "),
        (("test",), "has test, but no train folder; put training images into train/CLASS"),
        (("val", "test"), "has test and val, but no train folder"),
        (("train", "test", "val", "valid"), "has two folders for validation, val and valid; put them into one"),
    ],
)
def test_splits_that_are_not_whole_are_told_what_is_missing(tmp_path, splits, problem):
    root = _in_a_split(tmp_path / "d", *splits)
    with pytest.raises(InputError) as caught:
        load_folder(root)
    assert str(caught.value).startswith(f"{root}: {problem}")


def test_classes_may_be_called_as_splits_are(tmp_path):
    dataset = load_folder(fill_flat(tmp_path / "vehicles", {"train": 5, "car": 5, "val": 5}))
    assert dataset.class_names == ("car", "train", "val")
    assert dataset.validation_images == 0


def test_numeric_class_folders_stand_in_numeric_order(tmp_path):
    dataset = load_folder(fill(tmp_path / "d", train=1, classes=("10", "9", "2", "01")))
    assert dataset.class_names == ("01", "2", "9", "10")
    assert dataset.y_train.tolist() == [0, 1, 2, 3]
    assert greys(dataset.x_train) == [3, 2, 1, 0]


@pytest.mark.parametrize("classes", [("ant", "bee"), ("0", "1", "9"), ("a10", "a9"), ("10", "9", "x")])
def test_other_names_of_classes_keep_their_order_and_their_data_its_fingerprint(tmp_path, classes):
    dataset = load_folder(fill(tmp_path / "d", classes=classes))
    assert dataset.class_names == tuple(sorted(classes))


def test_the_fingerprint_of_a_folder_is_the_one_of_earlier_versions(tmp_path):
    assert load_folder(fill(tmp_path / "split")).fingerprint == "f6812e7856aeb207"
    assert load_folder(fill_flat(tmp_path / "flat", {"ant": 10, "bee": 7})).fingerprint == "4dc99a163a62db57"


@pytest.mark.parametrize("flat", [False, True])
def test_what_systems_leave_among_images_is_passed_over(tmp_path, flat):
    root = fill_flat(tmp_path / "d", {"ant": 5, "bee": 5}) if flat else fill(tmp_path / "d")
    before = load_folder(root).fingerprint
    class_folder = root / "ant" if flat else root / "train" / "ant"
    for place in (root, class_folder.parent):
        for name in ("__MACOSX", ".ipynb_checkpoints", "@eaDir"):
            picture(place / name / "0.png", 200)
            picture(place / name / "ant" / "0.png", 200)
        for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
            (place / name).write_bytes(b"x")
    picture(class_folder / ".ipynb_checkpoints" / "0-checkpoint.png")
    (class_folder / "._0.png").write_bytes(b"Mac OS X")
    (class_folder / "Thumbs.db").write_bytes(b"x")
    assert load_folder(root).fingerprint == before


SPOILT = (_text, _truncate, _empty_file, _real_numbers, _dangling_link, _folder_named_as_an_image, _empty_class)


def test_all_files_that_cannot_be_used_are_told_at_once_with_what_each_is(tmp_path):
    root = fill(tmp_path / "d")
    spoilt = [spoil(root) for spoil in SPOILT]
    with pytest.raises(InputError) as caught:
        load_folder(root)
    assert str(caught.value) == (
        f"{root}: {len(spoilt)} files cannot be used; mend or remove them, or leave them out with --skip-bad"
    )
    told = dict(line.split(": ", 1) for line in caught.value.details)
    assert told.keys() == {path.relative_to(root).as_posix() for path in spoilt}
    assert told["train/cow"] == "a class folder without images"
    assert told["train/ant/0.png"].startswith("is a broken image")
    assert told["test/bee/9.jpg"].startswith("cannot be read as an image")
    assert told["train/ant/deep.tif"] == "has pixels that are real numbers (mode F)"
    assert pickle.loads(pickle.dumps(caught.value)).details == caught.value.details  # noqa: S301


def test_images_of_two_sizes_are_told_with_the_bad_ones(tmp_path):
    root = fill(tmp_path / "d")
    picture(root / "train" / "ant" / "large.png", size=(7, 6))
    _text(root)
    with pytest.raises(InputError) as caught:
        load_folder(root)
    assert [line.partition(" (")[0] for line in caught.value.details] == [
        ".: has images of 4x5 and 6x7; set image_size = [height, width]",
        "train/bee/9.png: cannot be read as an image",
    ]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_cut_picture_far_behind_another_size_is_told_in_the_same_list(tmp_path, suffix):
    root = fill(tmp_path / "d", train=150, classes=("ant", "bee"))
    picture(root / "train" / "ant" / "1.png", size=(7, 6))
    cut = root / "train" / "bee" / f"99z.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
    Image.fromarray(noise).save(cut)
    cut.write_bytes(cut.read_bytes()[:1500])
    with pytest.raises(InputError) as caught:
        load_folder(root)
    assert str(caught.value) == f"{root}: 2 things are wrong; mend them; --skip-bad leaves out files alone"
    assert [line.partition(" (")[0] for line in caught.value.details] == [
        ".: has images of 4x5 and 6x7; set image_size = [height, width]",
        f"train/bee/99z.{suffix}: is a broken image",
    ]


def test_a_class_that_is_in_test_alone_is_told_with_broken_files_and_sizes(tmp_path):
    root = fill(tmp_path / "d")
    _only_in_test(root)
    picture(root / "test" / "dog" / "0.png", size=(7, 6))
    _text(root)
    with pytest.raises(InputError) as caught:
        load_folder(root)
    assert [line.partition(" (")[0] for line in caught.value.details] == [
        "test/cow: a class that the train folder does not have",
        "test/dog: a class that the train folder does not have",
        ".: has images of 4x5 and 6x7; set image_size = [height, width]",
        "train/bee/9.png: cannot be read as an image",
    ]


def test_classes_of_one_image_are_told_with_broken_files(tmp_path):
    root = fill_flat(tmp_path / "d", {"ant": 5, "bee": 1, "cow": 1})
    (root / "ant" / "003.png").write_text("I am no image")
    with pytest.raises(InputError) as caught:
        load_folder(root)
    two = "one image only; a class needs two, one to train and one to test"
    assert [line.partition(" (")[0] for line in caught.value.details] == [
        f"bee: {two}",
        f"cow: {two}",
        "ant/003.png: cannot be read as an image",
    ]
    with pytest.raises(InputError) as caught:
        load_folder(root, skip_bad=True)
    assert caught.value.details == (f"bee: {two}", f"cow: {two}")


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("channels", [None, 1])
def test_to_leave_bad_files_out_is_as_if_they_were_not_there(tmp_path, flat, channels):
    def make(root: Path) -> Path:
        return fill_flat(root, {"ant": 11, "bee": 9}) if flat else fill(root)

    clean = load_folder(make(tmp_path / "clean"), channels=channels)
    assert clean.left_out == ()
    root = make(tmp_path / "d")
    places = [root / ("bee" if flat else "train/bee") / name for name in ("000b.png", "007b.png", "zzz.png")]
    for place in places:
        place.write_bytes(b"x" if place.name.startswith("0") else picture(place).read_bytes()[:-20])
    dataset = load_folder(root, channels=channels, skip_bad=True)
    assert dataset.fingerprint == clean.fingerprint
    assert dataset.files == clean.files
    assert [file for file, _ in dataset.left_out] == [place.relative_to(root).as_posix() for place in places]


@pytest.mark.parametrize("split", ["train/ant", "val", "test"])
def test_a_class_or_a_split_of_which_nothing_is_left_is_refused(tmp_path, split):
    root = fill(tmp_path / "d")
    _in_a_split(root, "val")
    for file in (root / split).rglob("*.png"):
        file.write_bytes(b"x")
    with pytest.raises(InputError, match=f"d/{split}: has no image that can be used"):
        load_folder(root, skip_bad=True)


def test_the_file_of_each_image_is_known(tmp_path):
    dataset = load_folder(fill(tmp_path / "d", train=2))
    assert dataset.files == {
        "train": ("train/ant/0.png", "train/ant/1.png", "train/bee/0.png", "train/bee/1.png"),
        "test": ("test/ant/0.png", "test/bee/0.png"),
    }
    flat = load_folder(fill_flat(tmp_path / "flat", {"ant": 10, "bee": 20}))
    for split in ("train", "test"):
        for file, grey in zip(flat.files[split], greys(getattr(flat, f"x_{split}")), strict=True):
            assert file == f"{'ant' if grey < 50 else 'bee'}/{grey % 50:03}.png"


def test_every_picture_is_decoded_once(tmp_path, monkeypatch):
    decoded: list[Path] = []
    monkeypatch.setattr(
        folder_module, "read_image", lambda file, *given: (decoded.append(file), read_image(file, *given))[1]
    )
    root = fill(tmp_path / "d")
    _text(root)
    load_folder(root, skip_bad=True)
    assert len(decoded) == len(set(decoded)) == 8


def _save_frames(path: Path) -> None:
    frames = [Image.new("L", (5, 4), grey) for grey in (10, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def _save_sideways(path: Path) -> None:
    """Save a picture, dark on top, as a camera that was held upright does: turned, with a note how."""
    upright = Image.fromarray(np.repeat(np.array([[0], [255]], np.uint8), 8, axis=0).repeat(8, axis=1))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=100)


def _save_palette_with_transparency(path: Path) -> None:
    image = Image.new("P", (5, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(path, transparency=bytes([255, 128]))


@pytest.mark.parametrize(
    ("save", "name", "expected"),
    [
        pytest.param(_save_frames, "x.gif", 10, id="first frame of an animation"),
        pytest.param(_save_frames, "x.tif", 10, id="first page"),
        pytest.param(_save_palette_with_transparency, "x.png", 18, id="palette with transparency"),
        pytest.param(lambda p: Image.new("RGBA", (5, 4), (9, 9, 9, 0)).save(p), "x.png", 9, id="transparent"),
        pytest.param(lambda p: Image.new("LA", (5, 4), (9, 0)).save(p), "x.png", 9, id="transparent grey"),
        pytest.param(lambda p: Image.new("1", (5, 4), 1).save(p), "x.png", 255, id="black and white"),
        pytest.param(lambda p: Image.new("CMYK", (5, 4), (0, 0, 0, 0)).save(p), "x.tif", 255, id="print colours"),
    ],
)
def test_other_kinds_of_pictures_have_a_plain_meaning_and_print_nothing(tmp_path, recwarn, save, name, expected):
    save(tmp_path / name)
    assert np.unique(read_image(tmp_path / name, None, 1)).tolist() == [expected]
    assert read_image(tmp_path / name, None, 3).shape == (4, 5, 3)
    assert [str(warning.message) for warning in recwarn] == []


def test_a_picture_is_turned_upright_as_its_camera_says(tmp_path):
    _save_sideways(tmp_path / "x.jpg")
    assert size_upright(tmp_path / "x.jpg") == (16, 8)
    pixels = read_image(tmp_path / "x.jpg", None, 1)[..., 0]
    assert pixels.shape == (16, 8)
    assert pixels[:7].max() < 30
    assert pixels[9:].min() > 220


def test_a_damaged_note_of_the_camera_leaves_the_picture_as_it_is(tmp_path):
    _save_sideways(tmp_path / "x.jpg")
    content = (tmp_path / "x.jpg").read_bytes()
    at = content.index(b"Exif\0\0") + 6
    (tmp_path / "x.jpg").write_bytes(content[:at] + b"\xff" * 8 + content[at + 8 :])
    assert read_image(tmp_path / "x.jpg", None, 1).shape == (8, 16, 1)


@pytest.mark.parametrize("size", [None, (3000, 3000)])
def test_more_images_than_memory_holds_are_refused_before_they_are_read(tmp_path, monkeypatch, size):
    monkeypatch.setattr(folder_module, "most_data", lambda: 60)
    with pytest.raises(
        InputError, match=r"d: has \d images, which take .* at \d+x\d+ pixels; set a smaller image_size"
    ):
        load_folder(fill(tmp_path / "d"), size)


def test_an_image_that_is_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 50)
    root = fill(tmp_path / "d")
    path = picture(root / "train" / "ant" / "huge.png", size=(51, 1))
    path.write_bytes(path.read_bytes()[:45])  # hardly more than the header: decoding it would say that it is broken
    with pytest.raises(InputError, match=r"huge\.png: is 51x1 pixels; at most 50 are read"):
        load_folder(root)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda root: root.mkdir(), "has no class folders with images", id="empty"),
        pytest.param(lambda root: picture(root / "0.png"), "has no class folders with images", id="images alone"),
        pytest.param(lambda root: None, "no such folder", id="absent"),
        pytest.param(lambda root: fill_flat(root, {"ant": 5}), "one class only", id="one class"),
        pytest.param(lambda root: fill_flat(root, {"ant": 5, "bee": 1}), "one image only", id="one image of a class"),
        pytest.param(
            lambda root: [(root / s).mkdir(parents=True) for s in ("train", "test")],
            "has no class folders with images",
            id="empty train and test",
        ),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused(tmp_path, make, problem):
    make(tmp_path / "d")
    with pytest.raises(InputError, match=problem):
        load_folder(tmp_path / "d")


def test_odd_names_of_classes_and_files_are_kept_as_they_are(tmp_path):
    names = ("-rf", "<script>", "Ä ö", "[bold]", "`a|b`", "a b", "${x}", "cat", "Cat", "日本", "n" * 255)
    root = tmp_path / "my data"
    for name in names:
        for split in ("train", "test"):
            picture(root / split / name / "-0 ü.png")
    dataset = load_folder(root)
    assert dataset.name == "my data"
    assert dataset.class_names == tuple(sorted(names))
    assert len(dataset.fingerprint) == 16


def test_a_name_that_is_no_text_or_commands_a_terminal_is_shown_by_its_escapes(tmp_path):
    names = (b"caf\xe9", b"red\x1b[31m", b"two\nlines", b"\xe2\x80\xaeesrever")
    for name in names:
        for split in ("train", "test"):
            picture(tmp_path / "d" / split / os.fsdecode(name) / "0.png")
    dataset = load_folder(tmp_path / "d")
    assert set(dataset.class_names) == {r"caf\xe9", r"red\x1b[31m", r"two\x0alines", r"\u202eesrever"}
    assert all(name.isprintable() for name in dataset.class_names)


def test_the_working_folder_does_not_matter(tmp_path, monkeypatch):
    fill(tmp_path / "d")
    absolute = load_folder(tmp_path / "d").fingerprint
    monkeypatch.chdir(tmp_path)
    assert load_folder(Path("d")).fingerprint == absolute
    assert load_folder(Path(os.curdir) / "d").fingerprint == absolute
