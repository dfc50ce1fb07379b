"""Uneven classes: how much an image of a rare class counts, and how often it is seen. Free of NumPy until asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.space.parameters import Parameter, Values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The idle values are what a network trains by that never heard of these.
IMBALANCE: tuple[Parameter, ...] = (
    Parameter(
        "class_weight",
        "none",
        ("none", "balanced"),
        doc="how much an image counts in training: `balanced` lets all classes count the same together",
        idle="none",
    ),
    Parameter(
        "sampling",
        "shuffled",
        ("shuffled", "balanced"),
        doc="what an epoch shows: every image once, or as many images in all, as many of each class",
        idle="shuffled",
    ),
)


def class_weights(values: Values, labels: NDArray[np.integer], classes: int) -> NDArray[np.float32] | None:
    """Return how much an image of each class counts in training, `(classes,)`; None where all count the same.

    Balanced weights are n / (classes × images of the class), as scikit-learn has them (King and Zeng, 2001): their
    mean over the images is 1. Classes without an image do not count among the classes.

        class_weights({"class_weight": "balanced"}, np.array([0, 0, 0, 1]), 2)   # [0.667, 2.0]
    """
    import numpy as np

    if values.get("class_weight", "none") == "none":
        return None
    counts = np.bincount(labels, minlength=classes)
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
