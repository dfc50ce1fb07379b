"""What may be looked at when: which images train, which choose, which score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import SPLITS, Dataset
from tuner.datasets.dividing import drawn_by_group, fold_of_each
from tuner.datasets.large import gathered
from tuner.errors import InputError
from tuner.objective import ACCURACY, Objective
from tuner.trial import Record, Save, Trial

Indices = NDArray[np.intp]
#: Added to the seed of the split for what final trials hold out: no search's own seed is as large.
_FINAL_SPLIT = 2**31
#: Added to the number of a split of all images, which the seed of no other draw reaches.
_SPLITS = 2**33


def stratified(labels: NDArray[np.int64], size: int, seed: int) -> tuple[Indices, Indices]:
    """Draw exactly `size` of the images so that each class keeps its share, and return the drawn and the others.

    Shares are rounded by largest remainder, equal remainders in favour of the lower class; then every class that
    has two images or more keeps at least one on either side. The draw depends on labels, size and seed alone. Both
    results are sorted.

    Raises:
        InputError: there are more classes than images on one of the sides.
    """
    classes, counts = np.unique(labels, return_counts=True)
    quota, remainder = np.divmod(counts * size, len(labels))
    quota[np.argsort(-remainder, kind="stable")[: size - quota.sum()]] += 1
    least, most = np.minimum(1, counts - 1), np.maximum(counts - 1, 1)
    if not least.sum() <= size <= most.sum():
        raise InputError(
            "", f"{size} of {len(labels)} images cannot be drawn so that each of {len(classes)} classes is kept"
        )
    quota = np.clip(quota, least, most)
    while (excess := int(quota.sum()) - size) != 0:
        # One image at a time, from where the share is most exceeded or to where it is least reached.
        over = quota * len(labels) - counts * size
        movable = quota > least if excess > 0 else quota < most
        over = np.where(movable, over, -np.inf if excess > 0 else np.inf)
        quota[over.argmax() if excess > 0 else over.argmin()] -= np.sign(excess)
    rng = np.random.default_rng(seed)
    drawn = np.zeros(len(labels), dtype=bool)
    for label, wanted in zip(classes, quota, strict=True):
        drawn[rng.permutation(np.flatnonzero(labels == label))[:wanted]] = True
    return np.flatnonzero(drawn), np.flatnonzero(~drawn)


def resplit(data: Dataset, split: int) -> Dataset:
    """Return a data set with all of its images divided anew into as many training, validation and test images.

    Split 1 is the data set as it is. The images of another split are drawn by class and depend on the data set and
    the split's number alone. Where the data set has groups, whole groups are drawn, and about as many images.

    Raises:
        InputError: there are too few images of a class.
    """
    if split == 1:
        return data
    y = np.concatenate((data.y_train, data.y_test))
    groups = np.concatenate([data.groups[side] for side in SPLITS]) if data.groups else None
    held = np.empty(0, np.intp)

    def drawn(among: Indices, size: int) -> tuple[Indices, Indices]:
        seed = _SPLITS + split
        if groups is None:
            chosen, others = stratified(y[among], size, seed)
        else:
            chosen, others = drawn_by_group(y[among], groups[among], size / len(among), seed, data.class_names)
        return among[chosen], among[others]

    try:
        tested, trained = drawn(np.arange(len(y)), len(data.y_test))
        if data.validation_images:
            held, fit = drawn(trained, data.validation_images)
            trained = np.concatenate((fit, held))
    except InputError as error:
        raise InputError(data.name, error.problem, "leave splits out of [compare]") from error
    if len(np.unique(y[trained])) < len(np.unique(y)):
        problem = "has a class of one image, which cannot be divided anew into training and test images"
        raise InputError(data.name, problem, "leave splits out of [compare]")
    names = [name for side in SPLITS for name in data.files.get(side, ())]
    places = dict(zip(SPLITS, (trained, tested), strict=True))
    files = {side: tuple(names[place] for place in chosen) for side, chosen in places.items()} if names else {}
    return replace(
        data,
        x_train=gathered(data.x_train, data.x_test, trained),
        y_train=y[trained],
        x_test=gathered(data.x_train, data.x_test, tested),
        y_test=y[tested],
        files=files,
        state="",
        validation_images=len(held),
        groups={} if groups is None else {side: groups[chosen] for side, chosen in places.items()},
    )


def training_images(trial: Trial, data: Dataset) -> tuple[Indices, Indices | None]:
    """Return the indices into the training set that a trial fits, and those that it is validated on.

    The second is None where nothing is held out: a final trial without `hold_out`, and every search trial of the
    published protocol, which validates on the test set. What final trials hold out is drawn anew, the same for all
    seeds, and not what the search chose on. Where the data set has validation images of its own, a search holds out
    these and no others; a smaller stand-in is drawn from them and from the others in proportion.

    A fold of a cross-validated trial is validated on the images of that fold and fits the others; of the trial as a
    whole, which fits and is validated on each of them, both are all.

    Where the data set has groups, images of one group stand on one side.

    Raises:
        InputError: too few images, or groups, for the classes.
    """
    labels, final = data.y_train, trial.role == "final"
    if trial.folds:
        everything, fold_of = folds_of(trial, data)
        if not trial.fold:
            return everything, everything
        held_out = fold_of == trial.fold - 1
        return everything[~held_out], everything[held_out]
    share = trial.hold_out if final else 0.0 if trial.protocol == "published" else trial.validation
    if data.validation_images:
        fit, validation = _own_split(trial, data)
        if not final and trial.protocol == "holdout":
            return fit, validation
        everything = np.concatenate((fit, validation))
    else:
        everything = _draw(labels, trial.train_size, trial, "--train-size")
    if not share:
        return everything, None
    mine = labels[everything]
    seed = trial.split_seed + (_FINAL_SPLIT if final else 0)
    if data.groups:
        try:
            validation, fit = drawn_by_group(mine, data.groups["train"][everything], share, seed, data.class_names)
        except InputError as error:
            raise InputError(trial.dataset, error.problem, error.remedy) from error
        return everything[fit], everything[validation]
    held = max(1, round(share * len(mine)))
    if held < len(np.unique(mine)) or len(mine) - held < len(np.unique(mine)):
        raise InputError(
            trial.dataset,
            f"{len(mine)} training images are too few to hold out {share:g} of each of the "
            f"{len(np.unique(mine))} classes",
            "use more images (--train-size), or another validation share",
        )
    validation, fit = stratified(mine, held, seed)
    return everything[fit], everything[validation]


def folds_of(trial: Trial, data: Dataset) -> tuple[Indices, Indices]:
    """Return the indices of the images that a cross-validated trial divides, and the fold of each, counted from 0.

    Raises:
        InputError: too few images, or groups, for the classes.
    """
    everything = _draw(data.y_train, trial.train_size, trial, "--train-size")
    groups = data.groups["train"][everything] if data.groups else None
    try:
        fold_of = fold_of_each(data.y_train[everything], groups, trial.folds, trial.split_seed, data.class_names)
    except InputError as error:
        raise InputError(trial.dataset, error.problem, error.remedy) from error
    return everything, fold_of


def _own_split(trial: Trial, data: Dataset) -> tuple[Indices, Indices]:
    """Return the indices of the training images proper, and of the data set's own validation images, the last ones."""
    total, held = len(data.y_train), data.validation_images
    size = total if trial.train_size is None else min(trial.train_size, total)
    drawn = max(1, round(size * held / total))
    fit = _draw(data.y_train[:-held], size - drawn, trial, "--train-size")
    return fit, total - held + _draw(data.y_train[-held:], drawn, trial, "--train-size")


def test_images(trial: Trial, labels: NDArray[np.int64]) -> Indices:
    """Return the indices into the test set that a trial is scored on.

    Raises:
        InputError: too few images for the classes.
    """
    return _draw(labels, trial.test_size, trial, "--test-size")


def _draw(labels: NDArray[np.int64], size: int | None, trial: Trial, option: str) -> Indices:
    if size is None or size >= len(labels):
        return np.arange(len(labels))
    try:
        return stratified(labels, size, trial.split_seed)[0]
    except InputError as error:
        raise InputError(trial.dataset, error.problem, f"give {option} a larger number") from error


def ranked(records: Iterable[Record], by: Objective | None = None) -> list[Record]:
    """Return the completed search trials, best first.

    Those that were pruned come after all others, the later pruned first. Then by their score by an objective; equal
    ones by validation loss, then by fewer parameters, then by name, so that the order never depends on which worker was
    first.

    Args:
        records: the trials.
        by: the objective; unless given, what all of them are chosen by, or accuracy where that differs.
    """
    completed = [record for record in records if record.completed and record.trial.role == "search"]
    if by is None and len({record.trial.objective for record in completed}) > 1:
        by = ACCURACY
    return sorted(completed, key=lambda record: rank_key(record, by))


def rank_key(record: Record, by: Objective | None = None) -> tuple[float, float, float, int, str]:
    """Return by what a completed search trial is ranked, the best one's first; see `ranked`."""
    return (
        -record.trial.last_epoch if record.trial.is_partial else -np.inf,
        -(by or record.objective).gain_of(record.result),
        record.result.val_loss if record.result.val_loss is not None else np.inf,
        record.result.parameters or 0,
        record.trial.id,
    )


def saved_of(finals: Sequence[Record], save: Save) -> int:
    """Return which of the completed retrainings of a configuration is saved, by its place among them.

    Of equal ones the first; of an even number that of the lower of the two middle test accuracies is the median.
    """
    if save == "first":
        return 0
    places = range(len(finals))
    if save == "median":
        order = sorted(places, key=lambda k: (finals[k].result.test_accuracy or 0.0, k))
        middle = finals[order[(len(order) - 1) // 2]].result.test_accuracy
        return next(k for k in places if finals[k].result.test_accuracy == middle)

    def quality(place: int) -> tuple[float, float]:
        result = finals[place].result
        return finals[place].gain, -result.val_loss if result.val_loss is not None else -np.inf

    return max(places, key=quality)


def validation_labels(trial: Trial, data: Dataset) -> NDArray[np.int64]:
    """Return the labels of the images that a search trial is validated on; of one that is cross-validated all.

    Raises:
        InputError: too few images for the classes.
    """
    held = training_images(trial, data)[1]
    return data.y_train[held] if held is not None else data.y_test[test_images(trial, data.y_test)]
