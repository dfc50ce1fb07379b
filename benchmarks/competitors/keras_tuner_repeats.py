"""Plain KerasTuner: twenty executions of one configuration of part `repeats20`."""

from __future__ import annotations

import json
import sys
import tempfile

import keras
import keras_tuner

from benchmarks.competitors.plain import build
from benchmarks.repeats import EPOCHS, REPEATED_WIDTH, REPEATS
from benchmarks.workloads import WORKLOADS


def run() -> list[int]:
    """Train with `keras_tuner.GridSearch` of one choice and return how many epochs each execution had."""
    workload = WORKLOADS["digits36"]
    x, y, x_val, y_val = workload.split(0)
    epochs: list[int] = []

    class Repeated(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
            return build(workload, [16], hp.Choice("dense_units", [REPEATED_WIDTH]), 0.0)

        def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: object, **kwargs: object) -> object:
            history = model.fit(*args, **kwargs)
            epochs.append(len(history.history["loss"]))
            return history

    with tempfile.TemporaryDirectory() as folder:
        search = keras_tuner.GridSearch(
            Repeated(), "val_accuracy", executions_per_trial=REPEATS, directory=folder, project_name="repeats"
        )
        search.search(x, y, batch_size=workload.batch_size, epochs=EPOCHS, validation_data=(x_val, y_val), verbose=0)
    if epochs != [EPOCHS] * REPEATS:
        raise RuntimeError(f"executions had {epochs} epochs")
    return epochs


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(run()) + "\n")
