"""A data set that a caller of `import tuner` gives as arrays, as Keras' `load_data` returns them, or as `tf.data`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.datasets import DATASETS
from tuner.datasets.base import ARRAYS, VALIDATION_ARRAYS, Dataset, checked_dataset
from tuner.datasets.groups import GROUP_ARRAYS, given_groups
from tuner.errors import InputError, shown
from tuner.protocol import stratified
from tuner.system.files import file_part
from tuner.untrusted.sizes import amount, most_data

#: Share of the images that is held out as the test set where none is given.
TEST_SHARE = 0.2
#: The seed by which it is drawn, whatever a search's own is: another seed is to have the same test set.
_SEED = 0
_NAMES = {*ARRAYS, *VALIDATION_ARRAYS, "class_names", *GROUP_ARRAYS.values()}
_REMEDY = "give ((x_train, y_train), (x_test, y_test)), or a dict with x_train, y_train, x_test, y_test"


def is_data(value: object) -> bool:
    """Whether something is itself a data set, and no name or path of one, nor several."""
    return not isinstance(value, str | os.PathLike | list) and not (
        isinstance(value, Mapping) and not _NAMES & set(value)
    )


def given_dataset(name: str, data: Any, test_share: float = TEST_SHARE) -> tuple[Dataset, list[str]]:
    """Return a data set that is given as values, and lines on what was done with them.

    Args:
        name: what the search calls it.
        data: a dict with `x_train`, `y_train`, `x_test`, `y_test`, perhaps `x_val`, `y_val`, `class_names`,
            `groups_train` and `groups_test`, as an `.npz` file has them; `((x_train, y_train), (x_test, y_test))`;
            `(x, y)`; a `tf.data.Dataset` of images and labels, or a training and a test one.
        test_share: of the images that are held out as the test set where there is none.

    Raises:
        InputError: it is none of these, or holds what is not images and labels.
    """
    if not name or file_part(name) != name or len(name) > 100:
        raise InputError("dataset", f"{shown(name)} is no name", "take letters, digits, '.', '_' and '-'")
    if name in DATASETS:
        raise InputError("dataset", f"{name!r} is the name of a data set that is known", "call yours otherwise")
    if isinstance(data, Dataset):
        return data, []
    arrays = _arrays(name, data)
    names = arrays.pop("class_names", None)
    class_names = None if names is None else tuple(map(str, np.asarray(names).ravel()))
    if missing := {"x_train", "y_train"} - arrays.keys():
        raise InputError(name, f"has no {min(missing)}", _REMEDY)
    for one, other in (("x_test", "y_test"), ("x_val", "y_val")):
        if (one in arrays) != (other in arrays):
            raise InputError(name, f"has {one if one in arrays else other} alone", f"give {one} and {other}")
    found = {key: np.asarray(value) for key, value in arrays.items()}
    if "x_test" in found:
        dataset = checked_dataset(name, found, class_names, "arrays")
        return replace(dataset, groups=given_groups(found, dataset)), []
    if "x_val" in found:
        raise InputError(name, "has validation images, and no test images", "give x_test and y_test")
    if set(GROUP_ARRAYS.values()) & found.keys():
        raise InputError(name, "has groups, and no test images that were kept apart by them", "give x_test and y_test")
    whole = {**found, "x_test": found["x_train"][:1], "y_test": found["y_train"][:1]}
    return _held_out(checked_dataset(name, whole, class_names), test_share)


def _held_out(whole: Dataset, test_share: float) -> tuple[Dataset, list[str]]:
    """Return all images as training and test images, drawn by class; and how, in words."""
    if isinstance(test_share, bool) or not isinstance(test_share, int | float) or not 0 < test_share < 1:
        raise InputError("test_share", f"is {shown(test_share)}", "it must be between 0 and 1")
    total, name = len(whole.y_train), whole.name
    size = max(round(test_share * total), 1)
    try:
        tested, trained = stratified(whole.y_train, size, _SEED)
    except InputError as error:
        raise InputError(name, error.problem, "give x_test and y_test") from error
    dataset = Dataset(
        name,
        whole.x_train[trained],
        whole.y_train[trained],
        whole.x_train[tested],
        whole.y_train[tested],
        whole.class_names,
        f"arrays, of whose {total:,} images {size:,} were held out as the test set, drawn by class",
    )
    if len(np.unique(dataset.y_train)) < len(whole.class_names):
        raise InputError(name, "has a class of one image, which cannot stand on both sides", "give x_test and y_test")
    said = f"{name}: {size:,} of its {total:,} images are the test set, drawn by class; or give x_test and y_test"
    return dataset, [said]


def _arrays(name: str, data: Any) -> dict[str, Any]:
    """Return what is given by the names of arrays."""
    if isinstance(data, Mapping):
        if strange := set(data) - _NAMES:
            raise InputError(name, f"has {shown(min(map(str, strange)))}", _REMEDY)
        return dict(data)
    if _is_tf(data):
        return _from_tf(name, data, "train")
    if isinstance(data, tuple) and len(data) == 2:
        first, second = data
        if _is_tf(first) and _is_tf(second):
            return {**_from_tf(name, second, "test"), **_from_tf(name, first, "train")}
        if all(isinstance(one, tuple | list) and len(one) == 2 for one in data):
            return {"x_train": first[0], "y_train": first[1], "x_test": second[0], "y_test": second[1]}
        return {"x_train": first, "y_train": second}
    raise InputError(name, f"is {shown(type(data).__name__)}", _REMEDY)


def _is_tf(data: object) -> bool:
    return hasattr(data, "as_numpy_iterator") and hasattr(data, "element_spec")


def _from_tf(name: str, data: Any, split: str) -> dict[str, Any]:
    """Return the images and labels of a `tf.data.Dataset`, whether or not it comes in batches.

    In the order of their content: one that shuffles gives them in another order each time.
    """
    spec = data.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2 or not all(hasattr(one, "shape") for one in spec):
        raise InputError(name, "does not give pairs of images and labels", "map it to (image, label)")
    if int(data.cardinality()) == -1:
        raise InputError(name, "never ends", "leave out repeat()")
    if not _in_batches(*(tuple(one.shape) for one in spec)):
        data = data.batch(256)
    x: list[NDArray[Any]] = []
    y: list[NDArray[Any]] = []
    taken, most = 0, most_data()
    for images, labels in data.as_numpy_iterator():
        taken += images.nbytes
        if taken > most:
            raise InputError(name, f"takes more than {amount(most)}", "give a folder of images, or fewer")
        x.append(images)
        y.append(labels)
    if not x:
        raise InputError(name, "is empty")
    images, labels = np.concatenate(x), np.concatenate(y)
    pairs = zip(images, labels, strict=True)
    keys = [(hashlib.sha256(image.tobytes()).digest(), label.tobytes()) for image, label in pairs]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    found = {f"x_{split}": images[order], f"y_{split}": labels[order]}
    return found | ({"class_names": data.class_names} if getattr(data, "class_names", None) else {})


def _in_batches(images: tuple[int | None, ...], labels: tuple[int | None, ...]) -> bool:
    """Tell by the shapes of an element whether it is a batch."""
    if len(images) == 4:
        return True
    return len(images) == 3 and len(labels) >= 1 and images[-1] not in (1, 3)
