"""What may be looked at when: which images train, which choose, which score."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tuner.errors import InputError
from tuner.trial import Record, Trial

Indices = NDArray[np.intp]


def stratified(labels: NDArray[np.int64], size: int, seed: int) -> tuple[Indices, Indices]:
    """Draw `size` of the images so that each class keeps its share, and return the drawn and the others.

    Shares are rounded by largest remainder, every class that has an image to spare keeps one on either side, and
    equal remainders fall to the lower class, so that the draw depends on labels, size and seed alone. Both
    results are sorted.
    """
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * size / len(labels)
    quota = np.floor(exact).astype(int)
    remainder = np.argsort(-(exact - quota), kind="stable")
    quota[remainder[: size - quota.sum()]] += 1
    quota = np.minimum(np.maximum(quota, np.minimum(1, counts - 1)), np.maximum(counts - 1, 0))
    rng = np.random.default_rng(seed)
    drawn = np.zeros(len(labels), dtype=bool)
    for label, wanted in zip(classes, quota, strict=True):
        drawn[rng.permutation(np.flatnonzero(labels == label))[:wanted]] = True
    return np.flatnonzero(drawn), np.flatnonzero(~drawn)


def training_images(trial: Trial, labels: NDArray[np.int64]) -> tuple[Indices, Indices | None]:
    """Return the indices into the training set that a trial fits, and those that it is validated on.

    The second is None where nothing is held out: a final trial, and every trial of the published protocol, which
    validates on the test set.

    Raises:
        InputError: too few images for the classes.
    """
    everything = np.arange(len(labels))
    if trial.train_size is not None and trial.train_size < len(labels):
        everything = stratified(labels, trial.train_size, trial.split_seed)[0]
    if trial.role == "final" or trial.protocol == "published":
        return everything, None
    mine = labels[everything]
    held = max(1, round(trial.validation * len(mine)))
    if held < len(np.unique(mine)) or len(mine) - held < len(np.unique(mine)):
        raise InputError(
            trial.dataset,
            f"{len(mine)} training images are too few to hold out {trial.validation:g} of each of the "
            f"{len(np.unique(mine))} classes",
            "use more images (--train-size), or another validation share",
        )
    validation, fit = stratified(mine, held, trial.split_seed)
    return everything[fit], everything[validation]


def test_images(trial: Trial, labels: NDArray[np.int64]) -> Indices:
    """Return the indices into the test set that a trial is scored on."""
    if trial.test_size is not None and trial.test_size < len(labels):
        return stratified(labels, trial.test_size, trial.split_seed)[0]
    return np.arange(len(labels))


def ranked(records: Iterable[Record]) -> list[Record]:
    """Return the completed search trials, best first.

    By validation accuracy; equal ones by validation loss, then by fewer parameters, then by name, so that the
    order never depends on which worker was first.
    """
    completed = [record for record in records if record.completed and record.trial.role == "search"]
    return sorted(
        completed,
        key=lambda record: (
            -(record.result.val_accuracy or 0.0),
            record.result.val_loss if record.result.val_loss is not None else np.inf,
            record.result.parameters or 0,
            record.trial.id,
        ),
    )
