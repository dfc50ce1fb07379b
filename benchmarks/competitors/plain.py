"""What the peers have in common: building and training one configuration with plain Keras, as their tutorials do."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from benchmarks.workloads import Split, Workload


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


def train(workload: Workload, split: Split, seed: int, values: dict[str, Any]) -> dict[str, object]:
    """Build and fit one configuration, and return what is to be printed of it."""
    keras.utils.set_random_seed(seed)
    x, y, x_val, y_val = split
    model = build(workload, **values)
    history = model.fit(x, y, workload.batch_size, workload.epochs, validation_data=(x_val, y_val), verbose=0)
    return trained(values, history)


def trained(values: dict[str, Any], history: keras.callbacks.History) -> dict[str, object]:
    """Return what is to be printed of a training: its values, its last score, and its epochs, counted."""
    curves = history.history
    return {**values, "val_accuracy": float(curves["val_accuracy"][-1]), "epochs": len(curves["loss"])}
