"""What a saved network asks of memory before it is loaded and before it computes; and `tuner verify`'s own process.

Run as a script, in isolation from everything but plain Keras, this loads the models of a report as their readers do
and writes what they answer. So nothing of this package is imported here.
"""

from __future__ import annotations

import json
import math
import os
import queue
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

#: What a network may take at a time for the values between its layers, in bytes.
MOST_BETWEEN_LAYERS = 1_000_000_000
#: So many batches of images are read at a time.
_BATCHES = 10
#: The exit code of this script where a model asks for more memory than it is given.
REFUSED = 3
#: What reads a weight makes no copy of it.
_NO_COPIES = ("Placeholder", "ReadVariableOp")
#: What Keras and TensorFlow import where it is installed, for wrappers and tables that no saved network has.
_NOT_NEEDED = ("sklearn", "pandas", "matplotlib")


class TooMuch(ValueError):  # noqa: N818  # a reason, in words that continue the name of a file
    """A network asks for more memory than it is given."""


@dataclass
class Step:
    """An operation of a network: the values that it takes, by name, those that it makes with their bytes, and `within`.

    `within` is what it takes besides while it runs, in bytes.
    """

    takes: list[Any]
    makes: dict[Any, int]
    within: int = field(default=0)


@contextmanager
def without_what_others_need() -> Iterator[None]:
    """Import Keras without packages that it looks for and that only offer something beside networks.

    They take a third of the time that Keras' own import takes. Who asks for one later gets it.
    """
    missed = [name for name in _NOT_NEEDED if name not in sys.modules]
    for name in missed:
        sys.modules[name] = None  # type: ignore[assignment]  # by which Python tells that it is not installed
    try:
        yield
    finally:
        for name in missed:
            del sys.modules[name]


def check_weights(path: str, numbers: int) -> None:
    """Compare the number of weights that a file's description asks for with that of the numbers that it holds.

    The network is built without values, so that one that asks for more makes no room for them. Forgets Keras' state.

    Raises:
        TooMuch: it asks for more.
    """
    import keras

    with zipfile.ZipFile(path) as archive:
        config = {**json.loads(archive.read("config.json")), "compile_config": None}
    with keras.StatelessScope(initialize_variables=False):
        network = keras.saving.deserialize_keras_object(config, safe_mode=True)
        needed = sum(math.prod(variable.shape) for variable in network.weights)
    keras.utils.clear_session()  # else what was left without a value would get one later
    if needed > numbers:
        raise TooMuch(f"describes a network of {needed:,} weights and holds {numbers:,}")


def fitting_batch(network: Any, most: int) -> int:
    """Return how many images a network may be given at a time, at most `most`.

    Raises:
        TooMuch: already one image takes too much memory.
    """
    needed = most_bytes(_steps(network))
    if needed > MOST_BETWEEN_LAYERS:
        told = f"takes {needed / 1e9:,.1f} GB of memory for one image"
        raise TooMuch(f"{told}, and at most {MOST_BETWEEN_LAYERS / 1e9:g} GB are given")
    return max(1, min(most, MOST_BETWEEN_LAYERS // max(needed, 1)))


def most_bytes(steps: list[Step]) -> int:
    """Return how much memory the values take that are there at a time; a value stays until its last step is done."""
    waiting = Counter(name for step in steps for name in step.takes)
    there: dict[Any, int] = {}
    taken = most = 0
    for step in steps:
        there |= step.makes
        taken += sum(step.makes.values())
        most = max(most, taken + step.within)
        for name in step.takes:
            waiting[name] -= 1
        for name in {*step.takes, *step.makes}:
            if waiting[name] <= 0:
                taken -= there.pop(name, 0)
    return most


def _steps(network: Any) -> list[Step]:
    """Return what a network does with one image, by the shapes alone; nothing of it is computed."""
    import keras

    shape, kind = (1, *network.input_shape[1:]), network.inputs[0].dtype
    if keras.backend.backend() == "jax":
        import jax

        traced = jax.make_jaxpr(lambda x: network(x, training=False))(jax.ShapeDtypeStruct(shape, kind))
        return list(_steps_in_jax(traced.jaxpr))
    import tensorflow as tf

    function = tf.function(lambda x: network(x, training=False))
    return [
        Step(
            [value.name for value in operation.inputs],
            {
                value.name: (value.shape.num_elements() or 0) * value.dtype.size
                for value in operation.outputs
                if operation.type not in _NO_COPIES and value.dtype.is_numpy_compatible
            },
        )
        for operation in function.get_concrete_function(tf.TensorSpec(shape, kind)).graph.get_operations()
    ]


def _steps_in_jax(jaxpr: Any) -> Iterator[Step]:
    for equation in jaxpr.eqns:
        inner = [getattr(value, "jaxpr", value) for value in equation.params.values()]
        within = [most_bytes(list(_steps_in_jax(one))) for one in inner if hasattr(one, "eqns")]
        makes = {
            id(made): math.prod(made.aval.shape) * made.aval.dtype.itemsize
            for made in equation.outvars
            if hasattr(made.aval, "shape") and hasattr(made.aval.dtype, "itemsize")
        }
        yield Step([id(taken) for taken in equation.invars], makes, max(within, default=0))


def _listen(said: queue.SimpleQueue[str]) -> None:
    """Pass on what the process that started this one says, and end when it does."""
    for line in sys.stdin:
        said.put(line)
    os._exit(1)


def main() -> None:
    """Import Keras, and answer with the models of the jobs that come on the standard input."""
    said: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(said,), daemon=True).start()
    with without_what_others_need():
        import keras
        import numpy as np

    for job in json.loads(said.get()):
        try:
            check_weights(job["model"], job["numbers"])
            model = keras.models.load_model(job["model"])
            if getattr(model, "optimizer", None) is not None:
                raise TooMuch("carries an optimizer")
            batch = fitting_batch(model, 1000)
        except TooMuch as error:
            print(f"{job['shown']}: {error}", file=sys.stderr)  # noqa: T201  # to the process that started this one
            sys.exit(REFUSED)
        np.save(job["answers"], _answers(model, job["images"], batch))


def _answers(model: Any, path: str, batch: int) -> Any:
    """Return what a model answers to the images in a file, of which no more than a few batches come into memory."""
    import numpy as np

    count, answers = len(np.load(path, mmap_mode="r")), []
    for start in range(0, count, _BATCHES * batch):
        images = np.array(np.load(path, mmap_mode="r")[start : start + _BATCHES * batch])  # what is mapped would stay
        answers.append(model.predict(images, batch_size=batch, verbose=0))
    return np.concatenate(answers)


if __name__ == "__main__":
    main()
