"""Classes and probabilities of image files, by a saved model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tuner.datasets.folder import read_image
from tuner.errors import InputError, one_line
from tuner.quiet import silence
from tuner.text import visible_line
from tuner.untrusted.checked_json import strict_json
from tuner.untrusted.reloading import TooMuch, fitting_batch
from tuner.untrusted.saved_model import checked_model, load_checked
from tuner.untrusted.sizes import MOST_CARD, MOST_PIXELS, read_at_most
from tuner.waiting import doing

#: Keras' own default.
MOST_AT_A_TIME = 32


def predict_files(
    model_path: Path, images: list[Path], warn: Callable[[str], object] = lambda line: None
) -> list[tuple[Path, list[tuple[str, float]]]]:
    """Return for each image file the classes with their probabilities, most probable first.

    The model is looked at before Keras loads it, in safe mode; see `tuner.untrusted.saved_model`. Its class names
    stand in `MODEL.json` beside it, as reports write it; without that file classes are numbers. Images are resized to
    what the model takes. Of weights that are NaN or infinite `warn` is told.

    Raises:
        InputError: the model or an image cannot be read, or the model takes too much memory, or answers with NaN.
    """
    saved = checked_model(model_path)
    if saved.doubt:
        warn(f"{model_path}: {saved.doubt}")
    model = load_checked(saved)
    # Keras does not know the shapes of a network that was never built.
    shape: Any = getattr(model, "input_shape", None)
    answer: Any = getattr(model, "output_shape", None)
    if not _is_images(shape):
        raise InputError(str(model_path), f"takes inputs of shape {shape}, not images of one size, grey or colour")
    if not (isinstance(answer, tuple) and len(answer) == 2 and answer[1]):
        raise InputError(str(model_path), f"gives answers of shape {answer}, not a probability per class")
    _, height, width, channels = shape
    if height * width > MOST_PIXELS:
        raise InputError(
            str(model_path), f"takes images of {height}x{width}", f"at most {MOST_PIXELS:,} pixels are read"
        )
    pixels = np.stack([read_image(image, (height, width), channels) for image in images])
    try:
        with doing(f"computing answers for {len(images):,} images"), silence():
            probabilities = model.predict(pixels, batch_size=fitting_batch(model, MOST_AT_A_TIME), verbose=0)
    except TooMuch as error:
        raise InputError(str(model_path), str(error)) from error
    except Exception as error:  # whatever a network raises that does not fit together
        raise InputError(str(model_path), f"cannot be computed ({one_line(error, 160)})") from error
    if not np.isfinite(probabilities).all():
        raise InputError(str(model_path), f"answers with NaN ({saved.doubt or 'its weights are finite'})")
    names = _class_names(model_path, probabilities.shape[1])
    answers = []
    for image, row in zip(images, probabilities, strict=True):
        order = np.argsort(-row, kind="stable")
        answers.append((image, [(names[index], float(row[index])) for index in order]))
    return answers


def _is_images(shape: object) -> bool:
    return isinstance(shape, tuple) and len(shape) == 4 and all(shape[1:]) and shape[3] in (1, 3)


def _class_names(model_path: Path, count: int) -> list[str]:
    try:
        names = strict_json(read_at_most(model_path.with_suffix(".json"), MOST_CARD))["class_names"]
    except (InputError, ValueError, KeyError, TypeError):
        names = None
    if isinstance(names, list) and len(names) == count and all(isinstance(name, str) for name in names):
        return [visible_line(name) for name in names]
    return [str(index) for index in range(count)]
