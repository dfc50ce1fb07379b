"""A picture in a file: what is tried to read, what becomes of it, and what is said of those that cannot be used.

Of a picture the first frame counts, upright as its camera says (EXIF), without its transparency.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tuner.errors import InputError, one_line
from tuner.system.waiting import counting
from tuner.text import visible
from tuner.untrusted.sizes import MOST_PIXELS, size_of

Item = TypeVar("Item")
Found = TypeVar("Found")

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
#: What a file may be, whatever its ending says; Pillow would start another program for a PostScript file.
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM")
#: Folders that systems and programs leave among a user's, of which none is hidden: macOS' archives, Python, Windows,
#: Linux' file systems, Synology's indexing. Hidden ones begin with a dot, as .ipynb_checkpoints does.
_LEFT_BY_SYSTEMS = {"__MACOSX", "__pycache__", "$RECYCLE.BIN", "System Volume Information", "lost+found", "@eaDir"}
#: Modes of grey pictures of 16 bits; of some, Pillow makes whole numbers of 32 bits ("I").
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
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
#: A JPEG is decoded in an eighth, a quarter or half of its size where that still is so many times the size wanted.
_DRAFT = 2


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
    with _unwarned():
        try:
            image = Image.open(file, formats=FORMATS)
        except Exception as error:  # Pillow's readers raise whatever comes of a damaged file
            raise InputError(str(file), f"cannot be read as an image ({one_line(error, 80)})") from error
        with image:
            if image.mode == "F":
                raise InputError(str(file), "has pixels that are real numbers (mode F)", "convert it to 8 or 16 bits")
            if image.width * image.height > MOST_PIXELS:
                problem = f"is {image.width}x{image.height} pixels"
                raise InputError(str(file), problem, f"at most {MOST_PIXELS:,} are read")
            try:
                yield image
            except Exception as error:
                raise InputError(str(file), f"is a broken image ({one_line(error, 80)})") from error


def _unwarned() -> AbstractContextManager[object]:
    """Keep silent what Pillow says of large pictures, which are refused here, and of odd ones.

    Warnings are the whole process's: `in_parallel` keeps them silent for its threads.
    """
    main = threading.current_thread() is threading.main_thread()
    return warnings.catch_warnings(action="ignore") if main else nullcontext()


def in_parallel(function: Callable[[Item], Found], items: Sequence[Item], what: str) -> Iterator[Found]:
    """Yield what a function makes of each item, in their order: by a thread a core, a few items ahead.

    Args:
        function: reads a picture, say; Pillow lets other threads run while it decodes.
        items: what it is called with.
        what: is said while one waits, such as "reading 1,000 images".
    """
    threads = os.cpu_count() or 1
    ahead: deque[Future[Found]] = deque()
    with _unwarned(), counting(what, len(items)) as count, ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                ahead.append(pool.submit(function, item))
                if len(ahead) > 4 * threads:
                    yield ahead.popleft().result()
                    count()
            while ahead:
                yield ahead.popleft().result()
                count()
        finally:
            for waiting in ahead:
                waiting.cancel()


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
        return image.mode in ("1", "L", "LA", *_DEEP)


def size_upright(file: Path) -> tuple[int, int]:
    """Return height and width that `read_image` finds, without decoding the picture.

    Raises:
        InputError: the file is not an image or is too large.
    """
    with opened(file) as image:
        noted = 1 if image.format == "PNG" else _orientation(image)  # to look for it would decode a PNG
        return image.size if noted in _SIDEWAYS else image.size[::-1]


def read_image(file: Path, image_size: tuple[int, int] | None, channels: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read one image as `(height, width, channels)`, uint8 from 0 to 255, resized where `image_size` says so.

    One of 16 bits is uint16 as it stands in the file (`tuner.datasets.depth`).

    Raises:
        InputError: the file is not an image, is broken, or is too large.
    """
    with opened(file) as image:
        if image_size and image.format == "JPEG":
            height, width = image_size[::-1] if _orientation(image) in _SIDEWAYS else image_size
            image.draft(image.mode, (_DRAFT * width, _DRAFT * height))
        image.load()
        noted = _orientation(image)
        deep = image.mode in _DEEP
        if deep:
            picture = Image.fromarray(np.asarray(image).astype(np.float32))  # which can be resized, as these cannot
        else:
            whole = image.convert("RGBA") if "transparency" in image.info else image
            picture = whole.convert("L" if channels == 1 else "RGB")
        if noted in _UPRIGHT:
            picture = picture.transpose(_UPRIGHT[noted])
        if image_size and picture.size != image_size[::-1]:
            picture = picture.resize(image_size[::-1], Image.Resampling.BILINEAR)
        pixels = np.asarray(picture)
    if not deep:
        return pixels.astype(np.uint8, copy=False).reshape(*pixels.shape[:2], channels)
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high >= 1 << 16:
        raise InputError(str(file), f"has pixels from {low:,.0f} to {high:,.0f}", "convert it to 16 bits")
    return np.repeat(np.rint(pixels).astype(np.uint16)[..., np.newaxis], channels, axis=2)


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
