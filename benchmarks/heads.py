"""Part `heads`: heads on a frozen pretrained network over photographs, by this tool and by KerasTuner.

Run as `python -m benchmarks.heads tool` or `keras_tuner`, with the folder of what `section` laid out in the
environment; each prints its trials as JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.driving import search_of
from benchmarks.measuring import Run, median_and_spread, report_progress, run_module, table
from benchmarks.sizes import is_smallest, sized
from benchmarks.workloads import DATA_DIR
from tuner.datasets.base import ARRAYS
from tuner.datasets.folder import load_folder
from tuner.protocol import stratified
from tuner.running.search import started
from tuner.workspace import Workspace

#: Names the folder with the images and the weights, for the processes that are timed.
_FOLDER = "BENCHMARK_HEADS"
#: Photographs in four classes, and ImageNet's weights of MobileNetV2 at width 0.35, in TUNER_DATA_DIR.
PHOTOS = "weather_photos.tar"
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
SIDE, ALPHA, VALIDATION, BATCH = sized(96, 32), 0.35, 0.2, 32
EPOCHS = sized(20, 1)
UNITS = sized((0, 32, 64, 128, 256), (0,))
RATES = sized((0.0, 0.3, 0.6), (0.0, 0.3))
LEARNING = sized((1e-3, 1e-2), (1e-3,))

_SEARCH = """\
title = "heads"
dataset = "photos.npz"
validation = {validation}
[training]
optimizer = "adam"
batch_size = {batch}
epochs = {epochs}
[[search]]
family = "pretrained"
[search.space]
backbone = "mobilenet_v2"
alpha = {alpha}
weights = "{weights}"
dense_units = {units}
dropout = {rates}
learning_rate = {learning}
"""


def configurations() -> list[dict[str, float]]:
    """Return the heads: units of a hidden layer, 0 for none, dropout, and learning rate."""
    names = ("dense_units", "dropout", "learning_rate")
    return [dict(zip(names, values, strict=True)) for values in itertools.product(UNITS, RATES, LEARNING)]


def lay_out(folder: Path) -> str:
    """Write the images and find the weights for both; return the name of the weights, or raise.

    Raises:
        FileNotFoundError: there are no photographs, or no weights.
    """
    if is_smallest():
        rng = np.random.default_rng(0)
        images, labels = rng.integers(0, 256, (24, SIDE, SIDE, 3)).astype(np.uint8), np.arange(24) % 4
        np.savez(folder / "photos.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
        return "none"
    data = Path(DATA_DIR or os.devnull)
    for file in (data / PHOTOS, data / "weights" / WEIGHTS):
        if not file.is_file():
            raise FileNotFoundError(f"{file.name} is not in TUNER_DATA_DIR")
    with tarfile.open(data / PHOTOS) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (photos,) = (folder / "unpacked").iterdir()
    found = load_folder(photos, (SIDE, SIDE), 3)
    arrays: dict[str, Any] = {name: getattr(found, name) for name in ARRAYS}
    np.savez(folder / "photos.npz", **arrays)
    (folder / WEIGHTS).write_bytes((data / "weights" / WEIGHTS).read_bytes())
    return WEIGHTS


def by_this_tool(folder: Path, weights: str) -> list[dict[str, Any]]:
    """Search the heads with this tool, up to the end of its search."""
    text = _SEARCH.format(
        validation=VALIDATION,
        batch=BATCH,
        epochs=EPOCHS,
        alpha=ALPHA,
        weights=weights,
        units=list(UNITS),
        rates=list(RATES),
        learning=list(LEARNING),
    )
    with tempfile.TemporaryDirectory() as name:
        search = search_of(text, folder)
        with started(search, Workspace(Path(name) / "runs", Path(name) / "reports"), Console(stderr=True)) as run:
            run.search_trials()
            found = run.ledger.search_trials(search.name)
    return [
        {
            **{key: record.trial.values[key] for key in ("dense_units", "dropout", "learning_rate")},
            "val_accuracy": record.result.val_accuracy,
            "epochs": len(record.result.history["loss"]),
        }
        for _, record in found
        if record is not None and record.completed
    ]


def by_keras_tuner(folder: Path, weights: str) -> list[dict[str, Any]]:
    """Search the same networks with KerasTuner's random search, each trained as a whole, as its users do."""
    import keras
    import keras_tuner
    from keras import layers

    with np.load(folder / "photos.npz") as saved:
        x, y = saved["x_train"], saved["y_train"]
    held, fit = stratified(y, round(VALIDATION * len(y)), 0)
    named = {json.dumps(values): values for values in configurations()}
    trials: list[dict[str, Any]] = []

    class Heads(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
            values = named[hp.Choice("configuration", list(named))]
            path = None if weights == "none" else str(folder / weights)
            backbone = keras.applications.MobileNetV2(
                include_top=False, weights=path, input_shape=(SIDE, SIDE, 3), alpha=ALPHA, pooling="avg"
            )
            backbone.trainable = False
            pixels = keras.Input((SIDE, SIDE, 3))
            out = backbone(layers.Rescaling(1 / 127.5, offset=-1)(pixels), training=False)
            out = layers.Dropout(values["dropout"])(out)
            if values["dense_units"]:
                out = layers.Dense(int(values["dense_units"]), activation="relu")(out)
                out = layers.Dropout(values["dropout"])(out)
            model = keras.Model(pixels, layers.Dense(4, activation="softmax")(out))
            adam = keras.optimizers.Adam(values["learning_rate"])
            model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
            return model

        def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: object, **kwargs: object) -> object:
            history = model.fit(*args, **kwargs)
            curves = history.history
            last = {"val_accuracy": float(curves["val_accuracy"][-1]), "epochs": len(curves["loss"])}
            trials.append({**named[hp.get("configuration")], **last})
            return history

    with tempfile.TemporaryDirectory() as name:
        search = keras_tuner.RandomSearch(
            Heads(), "val_accuracy", max_trials=len(named), seed=1, directory=name, project_name="heads"
        )
        search.oracle._max_collisions = 10_000  # or it gives up before it has drawn all of so small a space
        search.search(x[fit], y[fit], batch_size=BATCH, epochs=EPOCHS, validation_data=(x[held], y[held]), verbose=0)
    return trials


def section(rounds: int) -> str:
    """Time both in alternating order and return the section."""
    heading = (
        f"## {len(configurations())} heads on a frozen MobileNetV2 ({ALPHA}, {SIDE} pixels) over photographs of the "
        f"weather; {EPOCHS} epochs"
    )
    runs: dict[str, list[Run]] = {"this tool": [], "KerasTuner RandomSearch": []}
    modules = dict(zip(runs, ("tool", "keras_tuner"), strict=True))
    with tempfile.TemporaryDirectory() as name:
        try:
            weights = lay_out(Path(name))
        except FileNotFoundError as error:
            return f"{heading}\n\nNot measured: {error}."
        for number in range(rounds):
            for who in list(runs)[:: -1 if number % 2 else 1]:
                runs[who].append(run_module("heads", modules[who], weights, environment={_FOLDER: name}))
                report_progress(f"heads, round {number + 1}, {who}: {runs[who][-1].seconds:.1f} s")
                check(runs[who][-1].found)
    return "\n\n".join([heading, _EXPLAINED, heads_table(runs)])


_EXPLAINED = (
    "A whole process each, imports included, which reads the images from one `.npz` file. This tool computes what the "
    "backbone makes of the images once, and trains the heads on that; KerasTuner trains the whole network with a "
    "frozen backbone, image by image, as its users do. Both read the weights from a file, and nothing is kept from a "
    "round to the next."
)


def check(trials: list[dict[str, Any]]) -> None:
    """See that every head was trained, for all of its epochs.

    Raises:
        RuntimeError: one was not.
    """
    names = ("dense_units", "dropout", "learning_rate")
    done = {tuple(trial[name] for name in names) for trial in trials}
    wanted = {tuple(values[name] for name in names) for values in configurations()}
    if done != wanted or {trial["epochs"] for trial in trials} != {EPOCHS}:
        raise RuntimeError(f"{len(done)} of {len(wanted)} heads were trained for {EPOCHS} epochs")


def heads_table(runs: dict[str, list[Run]]) -> str:
    """Return the table: seconds, memory, and validation accuracy of all heads and of the best."""
    ours = statistics.median(run.seconds for run in next(iter(runs.values())))
    rows = []
    for name, mine in runs.items():
        scores = [[float(trial["val_accuracy"]) for trial in run.found] for run in mine]
        rows.append(
            [
                name,
                *median_and_spread([run.seconds for run in mine]),
                f"{statistics.median(run.seconds for run in mine) / ours:.2f}",
                f"{statistics.median(run.megabytes for run in mine):,.0f}",
                f"{statistics.mean(map(statistics.mean, scores)):.4f}",
                f"{statistics.mean(map(max, scores)):.4f}",
            ]
        )
    heads = ("heads by", "median s", "min to max", "× the first", "peak MB", "val. accuracy, mean", "best")
    return table(heads, rows)


if __name__ == "__main__":
    kinds = {"tool": by_this_tool, "keras_tuner": by_keras_tuner}
    sys.stdout.write("\n" + json.dumps(kinds[sys.argv[1]](Path(os.environ[_FOLDER]), sys.argv[2])) + "\n")
