"""Data sets in folders of images: `FOLDER/train/CLASS/*.png` and `FOLDER/test/CLASS/*.png`, or `FOLDER/CLASS/*`.

What is no image by its ending is passed over, and so is what lies deeper or is hidden. Of a picture the first frame
counts, upright as its camera says (EXIF), without its transparency.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tuner.datasets.base import SPLITS, Dataset, checked_dataset
from tuner.errors import InputError, one_line
from tuner.untrusted.sizes import MOST_PIXELS, amount, most_data, size_of

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
#: What a file may be, whatever its ending says; Pillow would start another program for a PostScript file.
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM")
#: What turns a picture upright, by the orientation that its camera noted.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION, _SIDEWAYS = 0x0112, (5, 6, 7, 8)
#: Share of the images of each class that becomes the test set where the folder has none of its own.
TEST_SHARE = 0.2


def load_folder(path: Path, image_size: tuple[int, int] | None = None, channels: int | None = None) -> Dataset:
    """Load a data set from a folder of class folders.

    Args:
        path: the folder. Without `train` and `test` in it, a fifth of each class, drawn with seed 0, is the test.
        image_size: height and width that every image is brought to; needed where they differ.
        channels: 1 for grey, 3 for colour; by default grey if every image is.

    Raises:
        InputError: no class folders, a folder without images, an image that cannot be read, sizes that differ, or
            more than fits into memory.
    """
    root = path.resolve()
    if all((path / split).is_dir() for split in SPLITS):
        files = {split: _files_by_class(path / split, root) for split in SPLITS}
    else:
        files = _split(_files_by_class(path, root))
    names = tuple(files["train"])
    for name in files["test"]:
        if name not in names:
            raise InputError(str(path / "test" / name), "a class that the train folder does not have")
    listed = {
        split: [(file, names.index(name)) for name, group in files[split].items() for file in group] for split in SPLITS
    }
    number = sum(map(len, listed.values()))
    if image_size is not None:
        _check_size(path, number, (*image_size, channels or 1))
    if channels is None:
        channels = 1 if all(_is_grey(file) for split in SPLITS for file, _ in listed[split]) else 3
    arrays = {}
    for split in SPLITS:
        arrays[f"x_{split}"] = _pixels([file for file, _ in listed[split]], image_size, channels, path)
        arrays[f"y_{split}"] = np.array([label for _, label in listed[split]], dtype=np.int64)
    kinds = _suffixes(file for split in SPLITS for file, _ in listed[split])
    return checked_dataset(path.name, arrays, names, f"folder {path.name} of {kinds} files")


def has_class_folders(path: Path) -> bool:
    """Tell whether there are folders in `path` that `load_folder` would look into."""
    return path.is_dir() and any(entry.is_dir() and not entry.name.startswith(".") for entry in path.iterdir())


def _suffixes(files: Iterable[Path]) -> str:
    counts = Counter(file.suffix.lower() for file in files)
    *others, last = sorted(counts, key=lambda suffix: (-counts[suffix], suffix))
    return f"{', '.join(others)} and {last}" if others else last


def _files_by_class(folder: Path, root: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise InputError(str(folder), "no such folder")
    classes: dict[str, list[Path]] = {}
    for entry in _entries(folder):
        if not entry.is_dir() or entry.name.startswith("."):
            continue
        inside = [file for file in _entries(entry) if _is_image(file)]
        outside = [file for file in inside if not _leads_inside(file, root)]
        if outside:
            raise InputError(str(outside[0]), "a link that leads out of the data set's folder, or nowhere")
        if not inside:
            endings = ", ".join(sorted(SUFFIXES))
            raise InputError(str(entry), "a class folder without images", f"remove it or fill it; images are {endings}")
        classes[entry.name] = inside
    if not classes:
        raise InputError(str(folder), "has no class folders with images", "put each class's images into a folder")
    return classes


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(str(folder), f"cannot be read ({error.strerror})") from error


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith("._")  # macOS leaves such files


def _leads_inside(file: Path, root: Path) -> bool:
    try:
        return file.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # a link to nowhere, or to itself
        return False


def _split(classes: dict[str, list[Path]]) -> dict[str, dict[str, list[Path]]]:
    rng = np.random.default_rng(0)
    parts: dict[str, dict[str, list[Path]]] = {split: {} for split in SPLITS}
    for name, files in classes.items():
        if len(files) < 2:
            raise InputError(str(files[0].parent), "one image only", "a class needs two, one to train and one to test")
        order = rng.permutation(len(files))
        held = max(1, round(TEST_SHARE * len(files)))
        parts["test"][name] = [files[i] for i in sorted(order[:held])]
        parts["train"][name] = [files[i] for i in sorted(order[held:])]
    return parts


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Open a picture, of which nothing is decoded yet.

    Raises:
        InputError: it is no picture, is broken, or is too large; what goes wrong inside the block is its being broken.
    """
    size_of(file)  # a pipe would let us wait for ever
    with warnings.catch_warnings(action="ignore"):  # of large pictures, which are refused here, and of odd ones
        try:
            image = Image.open(file, formats=FORMATS)
        except Exception as error:  # Pillow's readers raise whatever comes of a damaged file
            raise InputError(str(file), f"cannot be read as an image ({one_line(error, 80)})") from error
        with image:
            if image.mode in ("I", "F") or image.mode.startswith("I;16"):
                problem = f"has pixels of more than 8 bits (mode {image.mode})"
                raise InputError(str(file), problem, "convert it to 8 bits")
            if image.width * image.height > MOST_PIXELS:
                problem = f"is {image.width}x{image.height} pixels"
                raise InputError(str(file), problem, f"at most {MOST_PIXELS:,} are read")
            try:
                yield image
            except Exception as error:
                raise InputError(str(file), f"is a broken image ({one_line(error, 80)})") from error


def _orientation(image: Image.Image) -> int:
    with suppress(Exception):  # what a camera noted may be damaged, and the picture sound
        return int(image.getexif().get(_ORIENTATION, 1))
    return 1


def _is_grey(file: Path) -> bool:
    with _opened(file) as image:
        return image.mode in ("1", "L", "LA")


def size_upright(file: Path) -> tuple[int, int]:
    """Return height and width that `read_image` finds, without decoding the picture.

    Raises:
        InputError: the file is not an image or is too large.
    """
    with _opened(file) as image:
        noted = 1 if image.format == "PNG" else _orientation(image)  # to look for it would decode a PNG
        return image.size if noted in _SIDEWAYS else image.size[::-1]


def read_image(file: Path, image_size: tuple[int, int] | None, channels: int) -> NDArray[np.uint8]:
    """Read one image as `(height, width, channels)`, uint8 from 0 to 255, resized where `image_size` says so.

    Raises:
        InputError: the file is not an image, is broken, or is too large.
    """
    with _opened(file) as image:
        image.load()
        noted = _orientation(image)
        whole = image.convert("RGBA") if "transparency" in image.info else image
        picture = whole.convert("L" if channels == 1 else "RGB")
        if noted in _UPRIGHT:
            picture = picture.transpose(_UPRIGHT[noted])
        if image_size and picture.size != image_size[::-1]:
            picture = picture.resize(image_size[::-1], Image.Resampling.BILINEAR)
        pixels = np.asarray(picture, dtype=np.uint8)
    return pixels.reshape(*pixels.shape[:2], channels)


def _pixels(files: list[Path], image_size: tuple[int, int] | None, channels: int, folder: Path) -> NDArray[np.uint8]:
    first = read_image(files[0], image_size, channels)
    _check_size(folder, len(files), first.shape)
    images = np.empty((len(files), *first.shape), np.uint8)
    for place, file in enumerate(files):
        image = read_image(file, image_size, channels) if place else first
        if image.shape != first.shape:
            sizes = " and ".join(f"{a.shape[0]}x{a.shape[1]}" for a in (first, image))
            raise InputError(str(folder), f"has images of {sizes}", "set image_size = [height, width]")
        images[place] = image
    return images


def _check_size(folder: Path, number: int, shape: tuple[int, ...]) -> None:
    """Refuse more images than there is room for, before they are read."""
    size, most = number * math.prod(shape), most_data()
    if size > most:
        problem = f"has {number:,} images, which take {amount(size)} at {shape[0]}x{shape[1]} pixels"
        raise InputError(str(folder), problem, f"set a smaller image_size = [height, width]; {amount(most)} are read")
