"""Uneven classes: how much an image of a rare class counts, and how often it is seen. Free of NumPy until asked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tuner.errors import TrialError, shown
from tuner.space.parameters import Parameter, Table, Value, Values
from tuner.trial import CLASS_WEIGHT, LONGEST_TEXT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Weights that single precision can tell, with room for what is multiplied by them.
_LEAST, _MOST = 1e-9, 1e9
#: A class with its weight, as `read_weights` writes it: in quotes where it has a comma, a quote or a space at an end.
_WEIGHT = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^",\s](?:[^",]*[^",\s])?) +([^",\s]+)\s*(?:,|$)')


def read_weights(raw: Mapping[str, object] | str) -> str | None:
    """Return weights by class as the text that is their value in a trial; None for a string that gives none.

    The text is the same in whatever order they stand, and is read again.

        read_weights({"top": 1, "bottom": 2.5})   # "{bottom 2.5, top 1}"
        read_weights("{top 1, bottom 2.5}")       # "{bottom 2.5, top 1}"
        read_weights("balanced")                  # None

    Raises:
        ValueError: a weight is no number above 0, or there is none.
    """
    pairs: Sequence[tuple[str, object]] | None = _pairs(raw) if isinstance(raw, str) else list(raw.items())
    if pairs is None:
        return None
    if len(dict(pairs)) < len(pairs):
        raise ValueError(f"{shown(raw)} names a class twice")
    if not pairs:
        raise ValueError('the table is empty: name a class with its weight, or write "none"')
    inside = ", ".join(f"{_name(name)} {_checked(name, weight)}" for name, weight in sorted(pairs))
    text = f"{{{inside}}}"  # in braces, since lists of settings have commas, too
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the table is longer than {LONGEST_TEXT:,} letters: leave out classes that weigh 1")
    return text


def weights_of(value: Value) -> dict[str, float]:
    """Return the weights by class that a value of `class_weight` names; empty where it names none."""
    return dict(_pairs(str(value)) or ())


def unknown_class(values: Iterable[Value], class_names: Collection[str]) -> str | None:
    """Return the first class that values of `class_weight` name and that is not there; None where all are."""
    return next((name for value in values for name in weights_of(value) if name not in class_names), None)


def _pairs(text: str) -> list[tuple[str, float]] | None:
    """Return classes with their weights in a text, as they stand there; None where it is no such text."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    found: list[tuple[str, float]] = []
    at, end = 1, len(text) - 1
    while at < end:
        part = _WEIGHT.match(text, at, end)
        if part is None:
            return None
        name, weight = part.groups()
        try:
            name = json.loads(name) if name.startswith('"') else name
            name.encode("utf-8")  # which half of a surrogate pair has no place in
            found.append((name, float(weight)))
        except ValueError:
            return None
        at = part.end()
    return found or None


def _name(name: str) -> str:
    plain = re.fullmatch(r'[^",\s](?:[^",]*[^",\s])?', name) and name.isprintable()
    return name if plain else json.dumps(name, ensure_ascii=False)


def _checked(name: str, weight: object) -> str:
    """Return a weight as it is written, without a needless fraction."""
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise ValueError(f"{shown(weight)} of {shown(name)} is not a number above 0")
    if not _LEAST <= weight <= _MOST:
        raise ValueError(f"{shown(weight)} of {shown(name)} is outside {_LEAST:g} to {_MOST:g}")
    return repr(float(weight)).removesuffix(".0")


#: The idle values are what a network trains by that never heard of these.
IMBALANCE: tuple[Parameter, ...] = (
    Parameter(
        CLASS_WEIGHT,
        "none",
        ("none", "balanced"),
        doc="how much an image counts in training: `balanced` lets all classes count the same together; a table such "
        "as `{ melanoma = 3, nevus = 0.5 }` says it of each class that it names, and an image of any other counts 1",
        idle="none",
        table=Table("a table of weights by class", read_weights),
    ),
    Parameter(
        "sampling",
        "shuffled",
        ("shuffled", "balanced"),
        doc="what an epoch shows: every image once, or as many images in all, as many of each class",
        idle="shuffled",
    ),
)


def class_weights(
    values: Values, labels: NDArray[np.integer], class_names: Sequence[str]
) -> NDArray[np.float32] | None:
    """Return how much an image of each class counts in training, `(classes,)`; None where all count the same.

    Balanced weights are n / (classes × images of the class), as scikit-learn has them (King and Zeng, 2001): their
    mean over the images is 1. Classes without an image do not count among the classes. Of weights by class those that
    are not named are 1.

        class_weights({"class_weight": "balanced"}, np.array([0, 0, 0, 1]), ["a", "b"])   # [0.667, 2.0]
        class_weights({"class_weight": "{b 3}"}, np.array([0, 0, 0, 1]), ["a", "b"])        # [1.0, 3.0]

    Raises:
        TrialError: a class is named that is not there.
    """
    import numpy as np

    value = values.get(CLASS_WEIGHT, "none")
    if value == "none":
        return None
    if value != "balanced":
        missing = unknown_class([value], class_names)
        if missing is not None:
            raise TrialError(f"class_weight names {shown(missing)}, which is no class of the data")
        named = weights_of(value)
        return np.array([named.get(name, 1.0) for name in class_names], np.float32)
    counts = np.bincount(labels, minlength=len(class_names))
    shares: NDArray[np.float32] = (len(labels) / (np.maximum(counts, 1) * (counts > 0).sum())).astype(np.float32)
    return shares


def balanced_order(labels: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return places of images for an epoch in which each class has as many, `(n,)`; the order is random.

    What cannot be dealt out evenly goes to classes drawn at random. All images of a class are drawn before any of them
    comes again.
    """
    import numpy as np

    present = np.unique(labels)
    share, rest = divmod(len(labels), len(present))
    wanted = np.full(len(present), share)
    wanted[rng.permutation(len(present))[:rest]] += 1
    picked = []
    for label, count in zip(present, wanted, strict=True):
        places = np.flatnonzero(labels == label)
        rounds = [rng.permutation(places) for _ in range(-(-int(count) // len(places)))]
        picked.append(np.concatenate(rounds)[:count])
    order: NDArray[np.int64] = rng.permutation(np.concatenate(picked))
    return order
