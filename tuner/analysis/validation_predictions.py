"""What search trials answered to the images that they were chosen on: how it is kept, for how many, and read again.

The answers are kept as 16-bit floats: enough for any score, and small. Their labels follow from the split.
"""

from __future__ import annotations

import hashlib
import io
from bisect import insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.per_image import gains_of, is_per_image
from tuner.analysis.scoring import Predictions
from tuner.errors import CheckError, InputError, one_line
from tuner.ledger.rows import SearchTrial
from tuner.objective import ACCURACY, Objective
from tuner.protocol import rank_key
from tuner.trial import ARTIFACTS, Record, Trial, artifact_path
from tuner.untrusted.arrays import read_arrays
from tuner.untrusted.sizes import most_data, read_at_most

#: Of each model on each data set the answers of so many trials are kept, the best ones: as many as fit into so many
#: bytes before they are packed, but never fewer, nor more, than these numbers.
MOST_BYTES, LEAST_KEPT, MOST_KEPT = 500_000_000, 20, 1_000
#: By another score than accuracy so many trials are compared, image by image, since each takes time.
MOST_COMPARED = 100


def most_kept(images: int, classes: int) -> int:
    """Return of how many trials the answers are kept, given the number of validation images and of classes."""
    return int(np.clip(MOST_BYTES // (2 * images * classes), LEAST_KEPT, MOST_KEPT))


def packed(probabilities: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return probabilities `(n, classes)` as 16-bit floats that name the same class for each image.

    Where two probabilities become alike, the most probable class gets the next larger number.
    """
    small = probabilities.astype(np.float16)
    named = probabilities.argmax(axis=1)
    other = np.flatnonzero(small.argmax(axis=1) != named)
    small[other, named[other]] = np.nextafter(small[other].max(axis=1), np.float16(np.inf))
    return small


def load_validation(path: Path, sha256: str, images: int, classes: int) -> NDArray[np.float16]:
    """Return what a search trial answered to its validation images, `(images, classes)`.

    Raises:
        CheckError: the file is missing, or is not the one that was recorded.
    """
    try:
        content = read_at_most(path, most_data())
    except InputError as error:
        raise CheckError(f"{path}: the validation predictions {error.problem}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckError(f"{path}: the validation predictions are not those that were recorded")
    try:
        found = read_arrays(io.BytesIO(content), most_data(), ("probabilities",))["probabilities"]
        if found.shape != (images, classes) or found.dtype != np.float16:
            raise ValueError(f"{found.dtype} of the shape {found.shape}, for {images} images and {classes} classes")
        return found
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on what is no file of ours
        raise CheckError(f"{path}: the validation predictions cannot be read ({one_line(error, 160)})") from error


def kept_answers(record: Record, artifacts: Path, images: int, classes: int) -> NDArray[np.float16] | None:
    """Return what a search trial answered to its validation images, `(images, classes)`; None where it is not there."""
    sha256 = record.result.files.get("validation")
    if sha256 is None:
        return None
    path = artifact_path(artifacts, record.trial.id, sha256, ARTIFACTS["validation"])
    try:
        return load_validation(path, sha256, images, classes)
    except CheckError:
        return None


@dataclass(frozen=True, eq=False)
class Answers:
    """What trials answered to the images that they were chosen on.

    `records` are the trials, best first, and `gains` `(trials, n)` what each image adds to the score of each, more
    being better: for accuracy whether it is right; None where an objective is no mean over images (see
    `tuner.analysis.per_image`). `missing` counts those whose answers are no longer there, or never were, `undefined`
    those whose score is not defined without some image, and `worse` those of which none are kept or compared.
    """

    records: tuple[Record, ...]
    gains: NDArray[Any] | None
    missing: int
    worse: int
    undefined: int = 0


def answers_of(
    order: Sequence[Record],
    artifacts: Path,
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    objective: Objective,
) -> Answers:
    """Return the answers of the best trials.

    Args:
        order: completed search trials of one model on one data set, best first.
        artifacts: where the files lie.
        labels: of the images that they were validated on, `(n,)`.
        class_names: of the data set.
        objective: by which they were ranked.
    """
    # The mean over folds of a score that is no share is not the score of all answers together.
    told = is_per_image(objective) and (objective is ACCURACY or not any(record.trial.folds for record in order))
    most = most_kept(len(labels), len(class_names))
    kept = order[: most if objective is ACCURACY else min(most, MOST_COMPARED)]
    records, gains, there = [], [], 0
    for record in kept:
        answers = kept_answers(record, artifacts, len(labels), len(class_names))
        if answers is None:
            continue
        there += 1
        if not told:
            records.append(record)
            continue
        of_images = gains_of(objective, Predictions(labels, answers.astype(np.float32), tuple(class_names)))
        if of_images is not None:
            records.append(record)
            gains.append(of_images)
    found = np.array(gains, dtype=gains[0].dtype if gains else np.bool_).reshape(-1, len(labels)) if told else None
    return Answers(tuple(records), found, len(kept) - there, len(order) - len(kept), there - len(records))


class Keeper:
    """Removes the answers of all but the best trials of each model on each data set, while a search runs.

    It is told of each place of the search whose trial has finished. What another search lists as well stays.

    Args:
        artifacts: where the files lie.
        most: returns of how many trials like this one the answers are kept.
        listed_elsewhere: whether another search lists a trial of this name.
    """

    def __init__(self, artifacts: Path, most: Callable[[Trial], int], listed_elsewhere: Callable[[str], bool]) -> None:
        self._artifacts, self._most, self._listed_elsewhere = artifacts, most, listed_elsewhere
        self._best: dict[tuple[str, str], list[tuple[Any, str, str]]] = {}
        self._places: Counter[str] = Counter()

    def __call__(self, search_trial: SearchTrial, record: Record) -> None:
        """Take a trial in, and let the worst one go where there are too many."""
        sha256 = record.result.files.get("validation")
        if sha256 is None or not record.completed or search_trial.role != "search":
            return
        best = self._best.setdefault((search_trial.model, search_trial.dataset), [])
        self._places[record.trial.id] += 1
        insort(best, (rank_key(record), record.trial.id, sha256))
        if len(best) <= self._most(record.trial):
            return
        _, trial, sha256 = best.pop()
        self._places[trial] -= 1
        if not self._places[trial] and not self._listed_elsewhere(trial):
            artifact_path(self._artifacts, trial, sha256, ARTIFACTS["validation"]).unlink(missing_ok=True)
