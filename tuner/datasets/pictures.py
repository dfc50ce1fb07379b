"""A picture in a file: what is tried to read, what becomes of it, and what is said of those that cannot be used.

Of a picture the first frame counts, upright as its camera says (EXIF), without its transparency.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tuner.errors import InputError, one_line
from tuner.text import visible
from tuner.untrusted.sizes import MOST_PIXELS, size_of

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
#: What a file may be, whatever its ending says; Pillow would start another program for a PostScript file.
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM")
#: Folders that systems and programs leave among a user's, of which none is hidden: macOS' archives, Python, Windows,
#: Linux' file systems, Synology's indexing. Hidden ones begin with a dot, as .ipynb_checkpoints does.
_LEFT_BY_SYSTEMS = {"__MACOSX", "__pycache__", "$RECYCLE.BIN", "System Volume Information", "lost+found", "@eaDir"}
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


def is_passed_over(folder: Path) -> bool:
    """Tell by its name whether a folder is hidden, or one that a system or a program left there."""
    return folder.name.startswith(".") or folder.name in _LEFT_BY_SYSTEMS


def is_image(file: Path) -> bool:
    """Tell by its name whether a file is an image."""
    return file.suffix.lower() in SUFFIXES and not file.name.startswith("._")  # macOS leaves such files


@contextmanager
def opened(file: Path) -> Iterator[Image.Image]:
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


def is_grey(file: Path) -> bool:
    """Tell by its header whether a picture has no colours.

    Raises:
        InputError: the file is not an image or is too large.
    """
    with opened(file) as image:
        return image.mode in ("1", "L", "LA")


def size_upright(file: Path) -> tuple[int, int]:
    """Return height and width that `read_image` finds, without decoding the picture.

    Raises:
        InputError: the file is not an image or is too large.
    """
    with opened(file) as image:
        noted = 1 if image.format == "PNG" else _orientation(image)  # to look for it would decode a PNG
        return image.size if noted in _SIDEWAYS else image.size[::-1]


def read_image(file: Path, image_size: tuple[int, int] | None, channels: int) -> NDArray[np.uint8]:
    """Read one image as `(height, width, channels)`, uint8 from 0 to 255, resized where `image_size` says so.

    Raises:
        InputError: the file is not an image, is broken, or is too large.
    """
    with opened(file) as image:
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


def within(file: str, folder: Path) -> str:
    """Return a file's place in a folder as text, with '/' between its parts; its whole path where it lies elsewhere."""
    path = Path(file)
    return visible(path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path)


def refused(place: str, bad: Sequence[InputError], folder: Path, kind: str = "files") -> InputError:
    """Return one error for all files that cannot be used, of which there is one at least: a line on each.

    Args:
        place: where they were found.
        bad: what is wrong with each of them.
        folder: their places are told within it.
        kind: what they are.
    """
    if len(bad) == 1:
        remedy = f"{bad[0].remedy or 'mend or remove it'}, or leave it out with --skip-bad"
        return InputError(bad[0].place, bad[0].problem, remedy)
    remedy = "mend or remove them, or leave them out with --skip-bad"
    details = tuple(f"{within(error.place, folder)}: {error.problem}" for error in bad)
    return InputError(place, f"{len(bad):,} {kind} cannot be used", remedy, details)
