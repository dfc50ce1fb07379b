"""Making an ensemble of saved models, in a worker: one network whose answer is the weighted mean of theirs.

Importing this imports Keras.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tuner.datasets.base import Shape
from tuner.datasets.large import rows_at
from tuner.datasets.store import load_from_store
from tuner.errors import TrialError, one_line
from tuner.objective import Objective
from tuner.objective.log_loss import cross_entropy
from tuner.protocol import training_images
from tuner.trial import Job, Result
from tuner.untrusted.sizes import sha256_of
from tuner.worker.saving import predict, score
from tuner.worker.surroundings import environment, set_up_process

#: Probabilities of an image sum to 1 within this.
_SUM_TOLERANCE = 1e-3


def make_ensemble(job: Job, begun: float, objective: Objective) -> Result:
    """Make an ensemble of its members' saved models, score it, and keep it as a retraining is kept.

    Args:
        job: of a trial that stands for an ensemble.
        begun: when that began.
        objective: what retrainings are told apart by on the images that they hold out, where they do.

    Raises:
        TrialError: a member cannot be loaded by plain Keras, or gives no probabilities.
    """
    trial = job.trial
    set_up_process(trial.threads)
    data = load_from_store(job.data)
    networks = [_loaded(path) for path, _ in job.members]
    network = mean_of(networks, [weight for _, weight in job.members], data.shape)
    sums = predict(network, np.asarray(data.x_test[:1])).sum(axis=1)
    if not (np.abs(sums - 1) <= _SUM_TOLERANCE).all():
        problem = f"what they say of an image sums to {sums[0]:.3g}, not to 1"
        raise TrialError(f"its members give no probabilities: {problem}")
    scores, files = score(job, network, data, view=False)
    found: dict[str, Any] = {}
    held_out = training_images(trial, data)[1]
    if held_out is not None:
        answers, labels = predict(network, rows_at(data.x_train, held_out)), data.y_train[held_out]
        found = {
            "val_accuracy": float((answers.argmax(axis=1) == labels).mean()),
            "val_loss": cross_entropy(answers, labels),
        }
        curves = {**found, objective.column: objective.score(labels, answers, data.class_names)}
        found["history"] = {name: [value] for name, value in curves.items()}
    return Result(
        "completed",
        parameters=int(network.count_params()),
        seconds=time.perf_counter() - begun,
        environment={**environment(trial), "members": [sha256_of(path) for path, _ in job.members]},
        **{**found, **scores, "files": files},
    )


def mean_of(networks: Sequence[keras.Model], weights: Sequence[int], shape: Shape) -> keras.Model:
    """Return a network whose answer is the weighted mean of those of several networks, which stand in it whole.

    Args:
        networks: from raw pixels to probabilities of the same classes; they are renamed.
        weights: of each, whole numbers from 1.
        shape: height, width and channels of an image.
    """
    pixels = keras.Input(shape, name="pixels")
    answers = []
    for number, (network, weight) in enumerate(zip(networks, weights, strict=True), start=1):
        network.name = f"member_{number}"  # two of a family are called alike
        answers += [network(pixels)] * weight
    return keras.Model(pixels, keras.layers.Average(name="mean")(answers), name="ensemble")


def _loaded(path: Path) -> keras.Model:
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for layers that it does not know
        problem = f"plain Keras cannot load the model of its member {path.name} ({one_line(error, 160)})"
        raise TrialError(f"{problem}; networks with layers of one's own cannot be members") from error
