"""Searches that choose by what a user's own network tells, as KerasTuner's users write it: a metric, or a `fit`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_project import make_project, recorded, trials, tuner

pytestmark = pytest.mark.slow

SEARCH = """
title = "mine"
dataset = "blobs.npz"
repeats = 1
{objective}
[training]
batch_size = 16
epochs = 1
[[search]]
family = "mynet:{name}"
name = "mynet"
"""
#: A metric with states of its own, and a `fit` that returns how far its answers are off.
NETWORK = """
import keras
import keras_tuner
import numpy as np

class Missing(keras.metrics.Metric):
    def __init__(self, **options):
        super().__init__(name="missing", **options)
        self.sum = self.add_weight(name="sum", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = keras.ops.take_along_axis(y_pred, keras.ops.cast(keras.ops.reshape(y_true, (-1, 1)), "int32"), axis=1)
        self.sum.assign_add(keras.ops.sum(1 - right))
        self.count.assign_add(keras.ops.cast(keras.ops.size(right), "float32"))

    def result(self):
        return self.sum / self.count

def build(hp):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten()])
    model.add(keras.layers.Dense(hp.Choice("units", [2, 8]), activation="relu"))
    model.add(keras.layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy", Missing()])
    return model

def plain(hp):
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    return keras.Sequential(layers)

class Net(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, x, y, validation_data=None, **options):
        model.fit(x, y, validation_data=validation_data, **options)
        if validation_data is None:
            return None
        images, labels = validation_data
        answers = model.predict(images, verbose=0)
        return {returned}
"""
ERROR = "float(1 - answers[np.arange(len(labels)), labels].mean())"


def project(folder: Path, blobs_file: Path, objective: str, name: str, returned: str = ERROR) -> Path:
    made = make_project(folder, blobs_file, SEARCH.format(objective=objective, name=name))
    (made / "searches" / "mynet.py").write_text(NETWORK.replace("{returned}", returned))
    return made


@pytest.mark.parametrize(
    ("objective", "name", "returned", "column"),
    [
        ('objective = "val_missing"\ndirection = "min"', "build", ERROR, "val_missing"),
        ('objective = "returned"', "Net", ERROR, "val_returned"),
        ('objective = "returned.off"\ndirection = "min"', "Net", f"{{'off': {ERROR}}}", "val_returned.off"),
    ],
    ids=["a metric", "a number", "a dictionary"],
)
def test_trials_are_chosen_by_it(
    tmp_path: Path, blobs_file: Path, objective: str, name: str, returned: str, column: str
) -> None:
    folder = project(tmp_path / "p", blobs_file, objective, name, returned)
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    rows = trials(folder)
    assert len(rows) == 2
    (chosen,) = [row for row in rows if row["retrained_mean"] is not None]
    assert chosen[column] == min(row[column] for row in rows)  # type: ignore[type-var]
    assert 0 < float(str(chosen[column])) < 1
    told = (folder / "reports" / "small" / "report.md").read_text()
    assert "The test images could not be scored by " in told
    assert "only the network's own training tells" in told
    assert tuner(folder, "run", "small").returncode == 0
    assert recorded(folder) == 2 + 1, "nothing is trained twice"
    summary = json.loads((folder / "reports" / "small" / "summary.json").read_text())
    assert summary["title"] == "mine"


@pytest.mark.parametrize(
    ("objective", "name", "returned", "says"),
    [
        (
            'objective = "val_mising"\ndirection = "min"',
            "build",
            ERROR,
            "tells no val_mising; did you mean 'val_missing'?",
        ),
        ('objective = "returned"', "build", ERROR, "no fit of the network's own returns returned; give"),
        ('objective = "returned"', "Net", "'good'", "its fit returns nothing, and returned is a number"),
        ('objective = "returned.on"', "Net", "{'off': 1.0}", "its fit returns off, and returned.on is not in it"),
        ('objective = "accuracy"', "Net", ERROR, "which trials are not chosen by"),
        ('objective = "val_missing"\ndirection = "min"', "plain", ERROR, "trains itself, which mynet:plain does not"),
        (
            'objective = "returned"\n[training]\nearly_stopping = "objective"\n',
            "Net",
            ERROR,
            "when a training has ended",
        ),
    ],
)
def test_what_is_wrong_with_it_is_one_line_and_nothing_is_trained(
    tmp_path: Path, blobs_file: Path, objective: str, name: str, returned: str, says: str
) -> None:
    folder = project(tmp_path / "p", blobs_file, objective, name, returned)
    file = folder / "searches" / "small.toml"
    if "early_stopping" in objective:
        file.write_text(file.read_text().replace("[training]\nbatch_size", "batch_size"))
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 2
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("tuner: ")]
    assert says in line
    assert not (folder / "runs" / "ledger.sqlite").exists()


def test_a_network_of_the_tool_tells_no_such_thing(tmp_path: Path, blobs_file: Path) -> None:
    search = SEARCH.format(objective='objective = "val_missing"\ndirection = "min"', name="")
    search = search.replace('family = "mynet:"\nname = "mynet"\n', 'family = "ann"\n')
    folder = make_project(tmp_path / "p", blobs_file, search)
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 2
    assert "objective: val_missing is told by a network of your own, which ann is not; choose by another" in ran.stderr
