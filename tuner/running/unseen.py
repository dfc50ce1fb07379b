"""Classes of which no image is among those that trials are chosen on, for example none of `bottom` for validation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Dataset
from tuner.errors import InputError, shown
from tuner.protocol import validation_labels
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.text import first_of, visible_line

#: So many classes are named; of more, how many there are.
_MOST_NAMED = 10


def labels_chosen_on(search: Search, model_search: ModelSearch, name: str, dataset: Dataset) -> NDArray[np.int64]:
    """Return the labels of the images of a data set that trials are chosen on; with folds of all that are divided.

    Raises:
        InputError: too few images for the classes.
    """
    return validation_labels(search.trial(model_search, name, dataset.fingerprint, {}, None), dataset)


def check_unseen(search: Search, name: str, dataset: Dataset) -> None:
    """See that there is an image of the class that trials are chosen by, if they are chosen by one, to choose on.

    Raises:
        InputError: there is none, so that no trial would have a score.
    """
    if name not in search.datasets:
        return
    for number, model_search in enumerate(search.model_searches, start=1):
        class_name = model_search.objective.class_name
        if not class_name:
            continue
        there = np.unique(labels_chosen_on(search, model_search, name, dataset))
        if dataset.class_names.index(class_name) in there:
            continue
        own = "objective" in search.raw["search"][number - 1]
        place = f"{search.place}{f' [[search]] {number}' * own} objective"
        problem = f"no trial could be scored: {name} has no image of {shown(class_name)} among its {_images(search)}"
        drawn = search.protocol == "holdout" and not search.folds and not dataset.validation_images
        add = f"add images of it{' to the training images' * drawn}"
        raise InputError(place, problem, f"{add}{_larger(search)}, or choose by another objective")


def unseen_notes(search: Search, datasets: Mapping[str, Dataset]) -> list[str]:
    """Return in a line for each data set which classes trials are not chosen on; mostly none."""
    found = []
    for name in search.datasets:
        dataset = datasets[name]
        there = set(labels_chosen_on(search, search.model_searches[0], name, dataset).tolist())
        lacking = [one for label, one in enumerate(dataset.class_names) if label not in there]
        if lacking:
            names = visible_line(first_of(lacking, _MOST_NAMED))
            count = "counts" if len(lacking) == 1 else "count"
            found.append(
                f"{visible_line(name)} has no image of {names} among its {_images(search)}: {count} in no score "
                "that trials are chosen by"
            )
    return found


def _images(search: Search) -> str:
    """Return in words which images trials are chosen on."""
    if search.folds:
        return "training images, which the folds divide"
    return "test images, on which trials are chosen" if search.protocol == "published" else "validation images"


def _larger(search: Search) -> str:
    """Return in words that a smaller stand-in of the data set may be what leaves the class out; mostly nothing."""
    given, published = search.overrides, search.protocol == "published"
    option, size = ("--test-size", given.test_size) if published else ("--train-size", given.train_size)
    return "" if size is None else f", give {option} a larger number"
