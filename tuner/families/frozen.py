"""What of a backbone does not learn, as arrays that can be held against the source of its weights, bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

#: What names, in the environment of a result, the hash of the frozen arrays as they came from their source.
FROZEN_SHA256 = "frozen_sha256"


def frozen_arrays(backbone: keras.Model, built: keras.Model) -> list[NDArray[Any]]:
    """Return the arrays of a backbone that do not learn, in the order of its layers.

    Args:
        backbone: the network, perhaps reloaded, which then no longer tells what of it learned.
        built: the same as its family builds it, which tells.

    Raises:
        ValueError: the two are not the same network.
    """
    learning = {id(variable) for variable in built.trainable_weights}
    frozen = [id(variable) not in learning for variable in built.weights]
    if [tuple(one.shape) for one in backbone.weights] != [tuple(one.shape) for one in built.weights]:
        raise ValueError("its arrays are not those of the backbone that it was trained with")
    return [np.asarray(one) for one, counts in zip(backbone.get_weights(), frozen, strict=True) if counts]


def hash_of_arrays(arrays: Sequence[NDArray[Any]]) -> str:
    """Return the SHA-256 of arrays: of type, shape and bytes of each, in their order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def first_difference(arrays: Sequence[NDArray[Any]], others: Sequence[NDArray[Any]]) -> int | None:
    """Return the place, counted from 1, of the first array that is not the same in every bit; None where all are."""
    for place, (one, other) in enumerate(zip(arrays, others, strict=True), start=1):
        if one.dtype != other.dtype or one.shape != other.shape or one.tobytes() != other.tobytes():
            return place
    return None


@contextmanager
def without_download() -> Iterator[None]:
    """Let Keras find weights in its own folder alone; what is not there, or damaged, raises as without a network."""
    import keras

    names = keras.utils.get_file.__globals__
    before, says = names["urlretrieve"], keras.config.is_interactive_logging_enabled()

    def refused(*given: object, **named: object) -> object:
        raise FileNotFoundError("not in Keras' folder")

    names["urlretrieve"] = refused
    keras.config.disable_interactive_logging()  # which would say that it downloads
    try:
        yield
    finally:
        names["urlretrieve"] = before
        if says:
            keras.config.enable_interactive_logging()
