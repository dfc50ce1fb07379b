"""Data sets in folders of images: `FOLDER/train/CLASS/*.png` and `FOLDER/test/CLASS/*.png`, or `FOLDER/CLASS/*`."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tuner.datasets.base import SPLITS, Dataset, checked_dataset
from tuner.errors import InputError, one_line

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
#: Larger pictures are refused before they are decoded.
MOST_PIXELS = 64_000_000
#: Share of the images of each class that becomes the test set where the folder has none of its own.
TEST_SHARE = 0.2


def load_folder(path: Path, image_size: tuple[int, int] | None = None, channels: int | None = None) -> Dataset:
    """Load a data set from a folder of class folders.

    Args:
        path: the folder. Without `train` and `test` in it, a fifth of each class, drawn with seed 0, is the test.
        image_size: height and width that every image is brought to; needed where they differ.
        channels: 1 for grey, 3 for colour; by default grey if every image is.

    Raises:
        InputError: no class folders, a folder without images, an image that cannot be read, or sizes that differ.
    """
    if all((path / split).is_dir() for split in SPLITS):
        files = {split: _files_by_class(path / split) for split in SPLITS}
    else:
        files = _split(_files_by_class(path))
    names = tuple(files["train"])
    for name in files["test"]:
        if name not in names:
            raise InputError(str(path / "test" / name), "a class that the train folder does not have")
    listed = {
        split: [(file, names.index(name)) for name, group in files[split].items() for file in group] for split in SPLITS
    }
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


def _files_by_class(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise InputError(str(folder), "no such folder")
    root = folder.resolve()
    classes: dict[str, list[Path]] = {}
    for entry in sorted(folder.iterdir()):
        if not entry.is_dir() or entry.name.startswith("."):
            continue
        inside = sorted(file for file in entry.iterdir() if _is_image(file))
        outside = [file for file in inside if not _leads_inside(file, root)]
        if outside:
            raise InputError(str(outside[0]), "a link that leads out of the data set's folder, or nowhere")
        if not inside:
            raise InputError(str(entry), "a class folder without images", "remove it or fill it")
        classes[entry.name] = inside
    if not classes:
        raise InputError(str(folder), "has no class folders with images", "put each class's images into a folder")
    return classes


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


def _open(file: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused just below, and sooner
            image = Image.open(file)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, ValueError) as error:
        raise InputError(str(file), f"cannot be read as an image ({one_line(error, 80)})") from error
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        raise InputError(str(file), f"has pixels of more than 8 bits (mode {image.mode})", "convert it to 8 bits")
    if image.width * image.height > MOST_PIXELS:
        raise InputError(str(file), f"is {image.width}x{image.height} pixels", f"at most {MOST_PIXELS:,} are read")
    return image


def _is_grey(file: Path) -> bool:
    with _open(file) as image:
        return image.mode in ("1", "L", "LA")


def read_image(file: Path, image_size: tuple[int, int] | None, channels: int) -> NDArray[np.uint8]:
    """Read one image as `(height, width, channels)`, uint8 from 0 to 255, resized where `image_size` says so.

    Raises:
        InputError: the file is not an image, is broken, or is too large.
    """
    with _open(file) as image:
        try:
            picture = image.convert("L" if channels == 1 else "RGB")
            if image_size and picture.size != image_size[::-1]:
                picture = picture.resize(image_size[::-1], Image.Resampling.BILINEAR)
            pixels = np.asarray(picture, dtype=np.uint8)
        except (OSError, ValueError, SyntaxError) as error:
            raise InputError(str(file), f"is a broken image ({one_line(error, 80)})") from error
    return pixels.reshape(*pixels.shape[:2], channels)


def _pixels(files: list[Path], image_size: tuple[int, int] | None, channels: int, folder: Path) -> NDArray[np.uint8]:
    images: list[NDArray[np.uint8]] = []
    for file in files:
        image = read_image(file, image_size, channels)
        if images and image.shape != images[0].shape:
            sizes = " and ".join(f"{a.shape[0]}x{a.shape[1]}" for a in (images[0], image))
            raise InputError(str(folder), f"has images of {sizes}", "set image_size = [height, width]")
        images.append(image)
    return np.stack(images)
