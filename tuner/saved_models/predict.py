"""Classes and probabilities of image files, by a saved model, or by one that was exported."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from tuner import columns as col
from tuner.datasets.base import Shape, as_pixels
from tuner.datasets.channels import MOST_CHANNELS
from tuner.datasets.depth import BITS, as_bytes
from tuner.datasets.pictures import is_image, is_passed_over, read_image, refused
from tuner.errors import InputError, one_line
from tuner.saved_models.exporting import Format, format_of
from tuner.saved_models.exporting.runtime import check_exported, runtime
from tuner.saved_models.trusted import checked_or_trusted
from tuner.system.files import is_a
from tuner.system.interrupts import INTERRUPTS
from tuner.system.quiet import silence
from tuner.system.scratch import scratch_folder
from tuner.system.waiting import doing
from tuner.text import visible_line
from tuner.untrusted.checked_json import strict_json
from tuner.untrusted.reloading import TooMuch, fitting_batch
from tuner.untrusted.sizes import MOST_CARD, MOST_PIXELS, read_at_most

#: Keras' own default.
MOST_AT_A_TIME = 32

if TYPE_CHECKING:
    import keras

#: So many images are read at once.
_BLOCK = 256


@dataclass(frozen=True)
class Predicted:
    """What a model says of images.

    `probabilities` are `(n, classes)`, a row for each of `images`, the files; of an array's images there are no files,
    and `images` is empty. `class_names` are `output 0`, `output 1`, … where
    the model's card does not name them, and `no_card` says so then. `left_out` says what is wrong with images that were
    passed over.
    """

    images: tuple[Path, ...]
    class_names: tuple[str, ...]
    probabilities: NDArray[np.float32]
    no_card: str = ""
    left_out: tuple[InputError, ...] = ()

    def ranked(self) -> Iterator[tuple[Path, list[tuple[str, float]]]]:
        """Yield for each image the classes with their probabilities, most probable first."""
        for image, row in zip(self.images, self.probabilities, strict=True):
            order = np.argsort(-row, kind="stable")
            yield image, [(self.class_names[index], float(row[index])) for index in order]

    @property
    def columns(self) -> list[str]:
        """What stands beside an image's file: its most probable class, with its probability, and that of each class."""
        return [col.PREDICTED_CLASS, col.CONFIDENCE, *(f"probability_{name}" for name in self.class_names)]

    def write_csv(self, file: TextIO) -> None:
        """Write a row an image: its file and `columns`."""
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([col.FILE, *self.columns])
        for image, row in zip(self.images, self.probabilities, strict=True):
            best = int(row.argmax())
            numbers = [f"{float(p):.6g}" for p in (row[best], *row)]
            writer.writerow([visible_line(image), self.class_names[best], *numbers])


def predict_files(
    model_path: Path,
    paths: Iterable[Path],
    skip_bad: bool = False,
    warn: Callable[[str], object] = lambda line: None,
    trusted: Collection[str] = (),
) -> Predicted:
    """Return what a saved model says of image files, and of those in folders, however deep they lie.

    The model is looked at before Keras loads it, in safe mode; see `tuner.untrusted.saved_model`. One that was
    exported is run in a process of its own. Its class names stand in `MODEL.json` beside it, as reports write it.
    Images are resized to what the model takes.

    Args:
        model_path: the model's `.keras` file, or what `tuner export` made of one.
        paths: files, each of which is taken for an image, and folders, of which the images by their endings are.
        skip_bad: leave out files that are no images or are broken.
        warn: is told of weights that are NaN or infinite, where the answers are numbers all the same.
        trusted: modules that may make a network again which no file can; see `tuner.saved_models.trusted`.

    Raises:
        InputError: the model cannot be read, takes too much memory, or answers with NaN; a folder has no image; or,
            with all of them in one list, images that cannot be read.
    """
    given = list(paths)
    images = [image for path in given for image in _images_of(path)]
    doubt, opened = _checked(model_path, trusted)
    bits = _bits_before(model_path)
    _check_there([] if skip_bad else given)
    read: list[Path] = []
    bad: list[InputError] = []
    with opened() as model:
        _check_colours(model_path, model.shape[2])
        found = [
            _answers(model, model_path, pixels, doubt)
            for first in range(0, len(images), _BLOCK)
            if (pixels := _pixels(images[first : first + _BLOCK], model.shape, bits, read, bad)) is not None
        ]
    if bad and not skip_bad:
        raise refused("", bad, Path(), "images")
    if not read:
        raise InputError("", f"{len(bad):,} images cannot be used")
    if doubt:
        warn(f"{model_path}: {doubt}")
    probabilities = np.concatenate(found)
    names, no_card = _class_names(model_path, probabilities.shape[1])
    return Predicted(tuple(read), names, probabilities, no_card, tuple(bad))


def _check_colours(model_path: Path, channels: int) -> None:
    """See that the model takes what image files hold."""
    if channels not in (1, 3):
        problem = f"takes {channels} channels, and image files are grey or have three colours"
        raise InputError(str(model_path), problem, "give arrays to tuner.predict in Python")


def _check_there(paths: Sequence[Path]) -> None:
    """See that files and folders are there, before anything is told of images that cannot be used."""
    gone = [str(path) for path in paths if not is_a(os.path.lexists, path)]
    if len(gone) == 1:
        raise InputError(gone[0], "no such file or folder")
    if gone:
        raise InputError("", f"{len(gone):,} files or folders are not there", details=tuple(gone))


def predict_array(
    model_path: Path,
    images: NDArray[Any],
    warn: Callable[[str], object] = lambda line: None,
    trusted: Collection[str] = (),
) -> Predicted:
    """Return what a saved model says of images in an array, as a data set may hold them; see `predict_files`.

    Args:
        model_path: the model's file, as `predict_files` takes it.
        images: `(n, height, width)` or `(n, height, width, channels)`, of the model's size.
        warn: as `predict_files` takes it.
        trusted: the same.

    Raises:
        InputError: the model cannot be read or answers with NaN; the array is no such images.
    """
    pixels = as_pixels("images", images)
    doubt, opened = _checked(model_path, trusted)
    with opened() as model:
        if pixels.shape[1:] != model.shape:
            given, taken = ("x".join(map(str, one)) for one in (pixels.shape[1:], model.shape))
            problem = f"are {given}, and {model_path} takes {taken}"
            raise InputError("images", problem, "resize them, or give their files")
        if doubt:
            warn(f"{model_path}: {doubt}")
        probabilities = _answers(model, model_path, pixels, doubt)
    names, no_card = _class_names(model_path, probabilities.shape[1])
    return Predicted((), names, probabilities, no_card)


@dataclass(frozen=True)
class _Model:
    """A model that is open: the shape of its images, and its answers to some, `(n, classes)`."""

    shape: Shape
    answers: Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def _checked(model_path: Path, trusted: Collection[str]) -> tuple[str, Callable[[], AbstractContextManager[_Model]]]:
    """Look at a model; return what is wrong with its weights, and what opens it."""
    form = format_of(model_path)
    if form is not None:
        check_exported(model_path, form)
        form.check_runs(model_path)
        return "", partial(_exported, model_path, form)
    saved, load = checked_or_trusted(model_path, trusted)
    return saved.doubt, lambda: nullcontext(_in_keras(model_path, load()))


@contextmanager
def _exported(model_path: Path, form: Format) -> Iterator[_Model]:
    with scratch_folder("predict") as scratch, runtime(scratch) as started:
        with doing(f"loading {model_path}"):
            opened = started.open(model_path, form.name)
        yield _Model(_shape_of_images(model_path, opened.takes, opened.gives), lambda x: started.answer(x)[0])


def _in_keras(model_path: Path, model: keras.Model) -> _Model:
    # Keras does not know the shapes of a network that was never built.
    shapes = (getattr(model, "input_shape", None), getattr(model, "output_shape", None))

    def answers(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = model.predict(pixels, batch_size=fitting_batch(model, MOST_AT_A_TIME), verbose=0)
        return found

    return _Model(_shape_of_images(model_path, *shapes), answers)


def _shape_of_images(model_path: Path, shape: Any, answer: Any) -> Shape:
    """Return the shape of a model's images, where it takes such and gives a probability per class."""
    if not _is_images(shape):
        raise InputError(str(model_path), f"takes inputs of shape {shape}, not images of one size, grey or colour")
    if not (isinstance(answer, tuple) and len(answer) == 2 and answer[1]):
        raise InputError(str(model_path), f"gives answers of shape {answer}, not a probability per class")
    _, height, width, channels = shape
    if height * width > MOST_PIXELS:
        raise InputError(
            str(model_path), f"takes images of {height}x{width}", f"at most {MOST_PIXELS:,} pixels are read"
        )
    return height, width, channels


def _images_of(path: Path) -> list[Path]:
    """Return the images in a folder, by name; what is no folder is one itself."""
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for here, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not is_passed_over(Path(name)))
        found += [Path(here) / name for name in sorted(names) if is_image(Path(name))]
    if not found:
        raise InputError(str(path), "has no image in it")
    return found


def _pixels(
    images: Sequence[Path], shape: tuple[int, int, int], bits: int, read: list[Path], bad: list[InputError]
) -> NDArray[np.uint8] | None:
    """Return the images that can be read, `(n, height, width, channels)`; note which these are, and what others are."""
    height, width, channels = shape
    pixels = []
    for image in images:
        try:
            found = read_image(image, (height, width), channels)
            pixels.append(found if found.dtype == np.uint8 else as_bytes(found, bits))
            read.append(image)
        except InputError as error:
            bad.append(error)
    return np.stack(pixels) if pixels else None


def _answers(model: _Model, model_path: Path, pixels: NDArray[np.uint8], doubt: str) -> NDArray[np.float32]:
    INTERRUPTS.hear()  # loading and clearing run Python in callbacks of Keras, TensorFlow and JAX
    try:
        with doing(f"computing answers for {len(pixels):,} images"), silence():
            probabilities = model.answers(pixels)
    except InputError:
        raise
    except TooMuch as error:
        raise InputError(str(model_path), str(error)) from error
    except Exception as error:  # whatever a network raises that does not fit together
        raise InputError(str(model_path), f"cannot be computed ({one_line(error, 160)})") from error
    if not np.isfinite(probabilities).all():
        raise InputError(str(model_path), f"answers with NaN ({doubt or 'its weights are finite'})")
    return probabilities


def _is_images(shape: object) -> bool:
    return isinstance(shape, tuple) and len(shape) == 4 and all(shape[1:]) and shape[3] <= MOST_CHANNELS


def _bits_before(model_path: Path) -> int:
    """Return how many bits the pixels had of which a model learned, by its card: what fills 16 bits unless it says."""
    try:
        bits = strict_json(read_at_most(model_path.with_suffix(".json"), MOST_CARD))["input"]["bits_before"]
    except (InputError, ValueError, KeyError, TypeError):
        return BITS[-1]
    return bits if bits in BITS else BITS[-1]


def _class_names(model_path: Path, count: int) -> tuple[tuple[str, ...], str]:
    """Return the names of the classes by the model's card; or places in the output, and what is wrong with the card."""
    card = model_path.with_suffix(".json")
    try:
        names = strict_json(read_at_most(card, MOST_CARD))["class_names"]
        problem = f"does not name the model's {count} classes"
    except InputError as error:
        names, problem = None, error.problem
    except (ValueError, KeyError, TypeError):
        names, problem = None, "is no card of a model"
    if isinstance(names, list) and len(names) == count and all(isinstance(name, str) for name in names):
        return tuple(visible_line(name) for name in names), ""
    note = f"{card}: {problem}; without the model's card classes are told by their place in its output, from 0"
    return tuple(f"output {index}" for index in range(count)), note
