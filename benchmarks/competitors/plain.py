"""What the peers have in common: building one configuration with plain Keras, as their tutorials do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers

from benchmarks.workloads import WORKLOADS, Workload

Trained = list[dict[str, object]]


def build(workload: Workload, filters: list[int], dense_units: int, dropout: float) -> keras.Model:
    """Return the compiled network of a configuration, on pixels from 0 to 255."""
    model = keras.Sequential([keras.Input(workload.shape), layers.Rescaling(1 / 255)])
    for i, width in enumerate(filters, start=1):
        model.add(layers.Conv2D(width, 3, padding=workload.padding, activation="relu"))
        if i < len(filters):
            model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    if dropout:
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(dense_units, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(run: Callable[[Workload], Trained]) -> None:
    """Run the competitor on the workload that the command line names and print its trials."""
    sys.stdout.write("\n" + json.dumps(run(WORKLOADS[sys.argv[1]])) + "\n")
