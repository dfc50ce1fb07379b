"""What a trial leaves: its scores and its files. Importing this imports Keras."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.analysis.validation_predictions import packed
from tuner.datasets.base import Dataset
from tuner.datasets.large import Rows, RowsInFile, rows_at, rows_of
from tuner.objective.log_loss import cross_entropy
from tuner.protocol import test_images
from tuner.system.files import partial_of, publish
from tuner.trial import ARTIFACTS, Job, artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.worker.evaluation import evaluation_batch
from tuner.worker.grad_cam import mistakes_maps
from tuner.worker.model_files import make_reproducible
from tuner.worker.model_summary import first_layer_view


def score(job: Job, network: keras.Model, data: Dataset, view: bool = True) -> tuple[dict[str, float], dict[str, str]]:
    """Score a network on the test images, and keep it with what it answered to them.

    With `view`, what its first convolution sees is kept, too, and where it saw the classes that it took images for
    wrongly. Return the scores by their names in
    `tuner.trial.Result`, and the SHA-256 of each file by its kind.
    """
    tested = test_images(job.trial, data.y_test)
    labels = data.y_test[tested]
    images = rows_at(data.x_test, tested)
    probabilities = predict(network, images)
    arrays: dict[str, Any] = {"probabilities": probabilities, "labels": labels}
    with contextlib.suppress(Exception):  # a user's network may be anything; it goes without rather than be lost
        arrays |= first_layer_view(network, images, labels) if view else {}
    with contextlib.suppress(Exception):
        arrays |= mistakes_maps(network, images, labels, probabilities) if view else {}
    job.artifacts.mkdir(parents=True, exist_ok=True)
    files = {
        "model": _keep(job, "model", network.save),
        "predictions": _keep(job, "predictions", lambda path: np.savez_compressed(path, **arrays)),
    }
    scores = {
        "test_accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
        "test_loss": cross_entropy(probabilities, labels),
    }
    return scores, files


def keep_answers(job: Job, answers: NDArray[np.float32] | None) -> dict[str, str]:
    """Keep what a search trial answered to its validation images, for what is later asked of the choice."""
    if answers is None or answers.ndim != 2 or not answers.size:  # a user's network may answer anything
        return {}
    job.artifacts.mkdir(parents=True, exist_ok=True)
    small = packed(answers)
    return {"validation": _keep(job, "validation", lambda path: np.savez_compressed(path, probabilities=small))}


def predict(network: keras.Model, images: Rows) -> NDArray[np.float32]:
    """Return class probabilities, `(n, classes)`, of raw images, `(n, height, width, channels)`."""
    size = evaluation_batch(network, images.shape[1:])
    piece = rows_of(images.shape[1:], batch=size) if isinstance(images, RowsInFile) else len(images)
    parts = [
        network.predict(images[start : start + piece], batch_size=size, verbose=0)
        for start in range(0, len(images), piece)
    ]
    return np.concatenate(parts)


def _keep(job: Job, kind: str, write: Callable[[Path], object]) -> str:
    """Write a file of this kind into the artifacts and return its SHA-256, part of which names it.

    Two searches may train the same trial at once; where their files differ, as on a GPU, neither replaces the other.
    """
    suffix = ARTIFACTS[kind]
    with partial_of(job.artifacts / f"{job.trial.id}{suffix}") as partial:
        write(partial)
        make_reproducible(partial)
        digest = sha256_of(partial)
        publish(partial, artifact_path(job.artifacts, job.trial.id, digest, suffix))
    return digest
