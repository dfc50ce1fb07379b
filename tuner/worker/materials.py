"""What a trial is trained with: images, or what a frozen backbone makes of them. Importing this imports Keras."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Dataset
from tuner.datasets.large import rows_at
from tuner.datasets.store import load_from_store
from tuner.errors import LostError
from tuner.executors.untimed import untimed
from tuner.families.base import Family
from tuner.families.pretrained import NO_WEIGHTS, Pretrained
from tuner.protocol import test_images, training_images
from tuner.trial import Job, Trial
from tuner.worker.engines import Samples
from tuner.worker.features import Backbone, Features
from tuner.worker.surroundings import draw_from, environment


def check_files(family: Family, trial: Trial) -> None:
    """See that the files that a trial is named by are what they were when its search began.

    Raises:
        LostError: one was changed.
    """
    if family.files and trial.source and family.source_hash() != trial.source:
        problem = "is not what it was when the search began, or differs on this machine"
        remedy = "leave it as it is while a search runs, and run the search again"
        raise LostError(", ".join(family.files), problem, remedy)


def _features(job: Job, family: Pretrained, data: Dataset) -> Features:
    trial, made_with = job.trial, environment(job.trial)

    def build() -> keras.Model:
        check_files(family, trial)
        draw_from(trial.seed, everything=False)
        return family.backbone(trial.values, data.shape)

    told = [family.of_backbone(trial.values, data.shape, trial.seed, trial.source), made_with]
    name = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
    return Features(job.artifacts.parent / "features" / f"{trial.fingerprint}-{name}", Backbone(build))


@dataclass(frozen=True, eq=False)
class Materials:
    """What a trial is trained with: the data set, what it learns from, and what validates it.

    Where these are features, `backbone` is the number of parameters of what they come from; else None.
    """

    data: Dataset
    training: Samples
    validation: Samples | None
    backbone: int | None


#: What the last trial of this process trained on; the next one of its group trains on the same. A fine-tuning that
#: begins with the head alone has features (True) and images (False).
_last: dict[bool, tuple[Trial, Path, Materials]] = {}


def materials_of(job: Job, frozen: Family | None) -> Materials:
    """Return the data set, and the images, or their features, to train on and to validate on.

    They are the same objects for trials of one group.
    """
    trial, of_features = job.trial, frozen is not None
    last = _last.get(of_features)
    if last is None or last[0].compile_group != trial.compile_group or last[1] != job.data or _random(trial):
        data = load_from_store(job.data)
        x_train: NDArray[Any] = data.x_train
        x_test: NDArray[Any] = data.x_test
        backbone = None
        if isinstance(frozen, Pretrained):
            features = _features(job, frozen, data)
            with untimed():
                backbone, x_train = features.parameters(), features.of("train", data.x_train)
                if trial.role == "search" and trial.protocol == "published":
                    x_test = features.of("test", data.x_test)
        fit, held = training_images(trial, data)
        training = Samples(rows_at(x_train, fit), np.asarray(data.y_train[fit]))
        validation = None
        if held is not None:
            validation = Samples(rows_at(x_train, held), np.asarray(data.y_train[held]))
        elif trial.role == "search":
            tested = test_images(trial, data.y_test)
            validation = Samples(rows_at(x_test, tested), np.asarray(data.y_test[tested]))
        last = _last[of_features] = trial, job.data, Materials(data, training, validation, backbone)
    return last[2]


def _random(trial: Trial) -> bool:
    """Whether trials of one group differ in their features, as those of backbones with random weights do."""
    return trial.values.get("weights") == NO_WEIGHTS
