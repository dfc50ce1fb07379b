"""Classes and probabilities of image files, by a saved model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tuner.datasets.folder import read_image
from tuner.errors import InputError, one_line
from tuner.quiet import import_keras


def predict_files(model_path: Path, images: list[Path]) -> list[tuple[Path, list[tuple[str, float]]]]:
    """Return for each image file the classes with their probabilities, most probable first.

    The model is loaded in safe mode. Its class names stand in `MODEL.json` beside it, as reports write it; without
    that file classes are numbers. Images are resized to what the model takes.

    Raises:
        InputError: the model or an image cannot be read.
    """
    if not model_path.is_file():
        raise InputError(str(model_path), "no such model file")
    import_keras()
    import keras

    try:
        model = keras.models.load_model(model_path, safe_mode=True, compile=False)
    except Exception as error:  # Keras raises many kinds for files that are not models
        raise InputError(
            str(model_path), f"cannot be loaded in safe mode ({one_line(error, 160)})", "only plain .keras models are"
        ) from error
    shape, answer = model.input_shape, model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3):
        raise InputError(str(model_path), f"takes inputs of shape {shape}, not images of one size")
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise InputError(str(model_path), f"gives answers of shape {answer}, not a probability per class")
    pixels = np.stack([read_image(image, (shape[1], shape[2]), shape[3]) for image in images])
    probabilities = model.predict(pixels, verbose=0)
    names = _class_names(model_path, probabilities.shape[1])
    answers = []
    for image, row in zip(images, probabilities, strict=True):
        order = np.argsort(-row, kind="stable")
        answers.append((image, [(names[index], float(row[index])) for index in order]))
    return answers


def _class_names(model_path: Path, count: int) -> list[str]:
    try:
        names = json.loads(model_path.with_suffix(".json").read_text(encoding="utf-8"))["class_names"]
    except (OSError, ValueError, KeyError, TypeError):
        names = None
    if isinstance(names, list) and len(names) == count:
        return [str(name) for name in names]
    return [str(index) for index in range(count)]
