"""Dividing of images into folds, or into two sides, by class and so that images of one group stay together.

A group is what several images are of, such as a patient: a network that has seen some of them knows the others. The
splitters are scikit-learn's, `StratifiedKFold` and `StratifiedGroupKFold`; what they give is checked, and drawn again
where a class is missing on a side.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.remarks import number_of
from tuner.errors import InputError, shown

Indices = NDArray[np.intp]
#: So many divisions are drawn before it is said that there is none.
_ATTEMPTS = 25
#: A share is approximated by fractions whose denominator is at most this: so many folds, some of which are drawn.
_MOST_PARTS = 10


def fold_of_each(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    folds: int,
    seed: int,
    class_names: Sequence[str],
) -> Indices:
    """Return in which fold each image is held out, from 0 to folds − 1, `(n,)`; every class is in each fold.

    Args:
        labels: the class of each image, `(n,)`.
        groups: the group of each image, `(n,)`, each of which is in one fold; None where images stand alone.
        folds: how many, 2 or more.
        seed: of the draw, which depends on nothing else.
        class_names: for what is said.

    Raises:
        InputError: a class has too few images, or groups, or no division was found that keeps every class in each fold.
    """
    smallest, count = _smallest_class(labels, groups)
    if count < folds:
        held = number_of(count, "image") if groups is None else f"images of {number_of(count, 'group')}"
        problem = f"class {shown(class_names[smallest])} has {held}, too few for {folds} folds"
        raise InputError("", problem, f"set folds to {count} or fewer" if count > 1 else "hold out a share instead")
    for found in _divisions(labels, groups, folds, seed):
        if all(len(np.unique(labels[found == fold])) == len(np.unique(labels)) for fold in range(folds)):
            return found
    problem = f"its groups cannot be divided into {folds} folds with images of each class"
    raise InputError("", problem, "set folds to fewer, or leave groups out")


def drawn_by_group(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    share: float,
    seed: int,
    class_names: Sequence[str],
) -> tuple[Indices, Indices]:
    """Draw about a share of the images, whole groups of them, and return the drawn and the others, each sorted.

    Every class is on both sides. Groups are drawn so that each class keeps its share as nearly as their sizes allow; of
    a class with few groups more may be drawn than asked for.

    Raises:
        InputError: a class has images of one group alone, or no division was found with every class on both sides.
    """
    smallest, count = _smallest_class(labels, groups)
    if count < 2:
        problem = f"class {shown(class_names[smallest])} has images of one group alone, which cannot stand on two sides"
        raise InputError("", problem, "add images of another group, or leave groups out")
    if share > 0.5:
        others, drawn = drawn_by_group(labels, groups, 1 - share, seed, class_names)
        return drawn, others
    wanted = share * np.bincount(labels)
    for several, parts in _fractions(share, len(np.unique(groups))):
        found = []
        for part_of_each in _divisions(labels, groups, parts, seed):
            found = [
                chosen
                for first in range(parts)
                if _on_both_sides(labels, chosen := (part_of_each - first) % parts < several)
            ]
            if found:
                break
        if found:
            best = min(
                found, key=lambda one: float(abs(np.bincount(labels[one], minlength=len(wanted)) - wanted).sum())
            )
            return np.flatnonzero(best), np.flatnonzero(~best)
    problem = "its groups cannot be divided so that images of each class stand on both sides"
    raise InputError("", problem, "add images of other groups, or leave groups out")


def _smallest_class(labels: NDArray[np.int64], groups: NDArray[np.int64] | None) -> tuple[int, int]:
    """Return the class with the fewest images, or groups that have images of it, and how many these are."""
    if groups is not None:
        labels = np.unique(np.stack((labels, groups), axis=1), axis=0)[:, 0]
    classes, counts = np.unique(labels, return_counts=True)
    place = int(counts.argmin())
    return int(classes[place]), int(counts[place])


def _fractions(share: float, groups: int) -> Iterator[tuple[int, int]]:
    """Yield as how many of how many parts a share of up to a half can be drawn, the nearest first."""
    near = Fraction(share).limit_denominator(_MOST_PARTS) or Fraction(1, round(1 / share))
    parts = near.denominator
    if parts <= groups:
        yield near.numerator, parts
    yield from ((1, fewer) for fewer in range(min(groups, parts - 1, round(1 / share)), 1, -1))


def _on_both_sides(labels: NDArray[np.int64], drawn: NDArray[np.bool_]) -> bool:
    return len(np.unique(labels[drawn])) == len(np.unique(labels[~drawn])) == len(np.unique(labels))


def _divisions(
    labels: NDArray[np.int64], groups: NDArray[np.int64] | None, parts: int, seed: int
) -> Iterator[NDArray[np.intp]]:
    """Yield in which of so many parts each image stands, in one division after another."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter: Callable[..., StratifiedKFold | StratifiedGroupKFold]
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    for attempt in range(_ATTEMPTS if groups is not None else 1):
        random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence([seed, attempt])))
        found = np.empty(len(labels), np.intp)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes with fewer images than parts, which is checked here
            try:
                pairs = list(splitter(parts, shuffle=True, random_state=random).split(labels, labels, groups))
            except ValueError:  # more parts than images of every class
                return
        for part, (_, held) in enumerate(pairs):
            found[held] = part
        yield found
