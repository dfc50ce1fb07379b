"""A trial trained to 1 epoch, then to 3, then to 9, as pruning does, is the trial trained to 9 at once, bit for bit.

With everything at once that keeps something from one epoch to the next, by every engine, on every backend, over images
in memory and in files. What is compared is all that could be gone on from after the last epoch: every variable of
network and optimizer, the states of all random generators, the curves, and the answers to the validation images.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from counted_epochs import trained
from numpy.typing import NDArray

from tuner.datasets import large
from tuner.datasets.base import Dataset, checked_dataset
from tuner.datasets.store import save_to_store
from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.space.space import read_space
from tuner.trial import Job, Result, Trial
from tuner.worker import materials, surroundings, training
from tuner.worker.engines import ENGINES
from tuner.worker.engines.compiled import CompiledEngine
from tuner.worker.engines.plain import PlainEngine

pytestmark = pytest.mark.usefixtures("in_this_process")

ON_JAX = keras.backend.backend() == "jax"
NOT_ON_JAX = pytest.mark.skipif(ON_JAX, reason="there the plain engine alone reads files")
RUNGS = (1, 3, 9)
#: Everything that keeps something from one epoch to the next, or is drawn anew in each.
ALL: dict[str, Any] = {
    "conv_depth": 1,
    "filters": 2,
    "dense_units": 4,
    "batch_norm": True,
    "dense_batch_norm": True,
    "dropout": 0.2,
    "conv_dropout": 0.1,
    "dense_dropout": 0.1,
    "l2": 0.001,
    "optimizer": "sgd",
    "momentum": 0.9,
    "nesterov": True,
    "learning_rate": 0.02,
    "schedule": "cosine",
    "warmup_epochs": 2,
    "label_smoothing": 0.1,
    "class_weight": "balanced",
    "rotation": 10.0,
    "erasing": 0.3,
    "mixup": 0.3,
    "cutmix": 1.0,
    "batch_size": 20,
    "early_stopping": "val_accuracy",
}
if ON_JAX:  # which takes seconds to compile each draw, and each size of a batch
    ALL |= {"mixup": 0.0, "batch_size": 28}
#: No epoch before the first can be the best of them, so that this one stops none of 9.
NEVER = 9
#: This one stops none of 3 for the same reason, and some of 9, as few images validate: accuracy rises a few times.
SOMETIMES = 3


@pytest.fixture
def uneven(blobs: Dataset) -> Dataset:
    """A few blobs, of one class fewer than of the others; its batches are not all of one size."""
    kept = np.flatnonzero((blobs.y_train > 0) | (np.arange(len(blobs.y_train)) % 2 == 0))[:70]
    arrays = {"x_train": blobs.x_train[kept], "y_train": blobs.y_train[kept]}
    arrays |= {"x_test": blobs.x_test[:9], "y_test": blobs.y_test[:9]}
    return checked_dataset("uneven", arrays, blobs.class_names)


def trial_of(data: Dataset, **more: object) -> Trial:
    given = {**ALL, **more}
    (values,) = read_space(given, {}, [*FAMILIES["cnn"].parameters, *RECIPE], {}).grid()
    return Trial("cnn", data.name, data.fingerprint, values, epochs=9, seed=2, backend=keras.backend.backend())


def in_another_process() -> None:
    """Forget what a process keeps of the trials that it trained."""
    for engine in ENGINES:
        if isinstance(engine, CompiledEngine):
            engine._kept.clear()
    materials._last.clear()
    surroundings._seeded = False
    keras.backend.clear_session()


def done(trial: Trial, folder: Path, data: Path) -> Result:
    result = training.train(Job(trial, data, folder / "models", folder, goes_on=True))
    assert isinstance(result, Result)
    assert result.status == "completed", result.error
    return result


def end_of(trial: Trial, folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what the one checkpoint of a training says of it but for the clock, and its arrays."""
    (path,) = (folder / "checkpoints").glob(f"{trial.course}-*.npz")
    arrays = dict(np.load(path))
    about = json.loads(arrays.pop("about").tobytes())
    return {name: about[name] for name in about if name not in ("seconds", "spent")}, arrays


@pytest.mark.parametrize(
    ("engine", "lie", "more"),
    [
        ("fast", "in memory", {"patience": NEVER}),
        pytest.param("fast", "in files", {"patience": SOMETIMES}, marks=NOT_ON_JAX),
        ("plain", "in memory", {"patience": NEVER if ON_JAX else SOMETIMES}),
        ("plain", "in files", {"patience": SOMETIMES, "precision": "mixed_float16"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_trial_trained_to_1_then_3_then_9_epochs_is_the_one_trained_to_9_at_once(
    engine: str, lie: str, more: dict[str, Any], tmp_path: Path, uneven: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "plain":
        monkeypatch.setattr(training, "engine_for", lambda network, *samples, **given: PlainEngine())
    if lie == "in files":
        monkeypatch.setattr(large, "LARGE", 0)
        monkeypatch.setattr(large, "BLOCK", 50 * 8 * 8)  # two batches and a half: an epoch is read in two pieces
    data, trial = save_to_store(uneven, tmp_path / "data"), trial_of(uneven, **more)
    in_another_process()
    at_once = done(trial, tmp_path / "at once", data)
    assert materials._last[False][2].training.in_file == (lie == "in files")
    assert at_once.environment["engine"] == ("plain" if engine == "plain" else "jax_epochs" if ON_JAX else "tf_epochs")
    epochs = trained(monkeypatch)
    rungs = RUNGS if (engine, lie) != ("plain", "in memory") else RUNGS[1:]  # as `fit` takes long to begin each time
    for rung in rungs:
        if rung == RUNGS[1]:  # goes on in another process; before and after it, in one that trained others of its kind
            in_another_process()
        elif rung == RUNGS[2] and engine == "fast":
            done(replace(trial, seed=5, stop_after=1), tmp_path / "other", data)
            assert epochs.pop() == 1
        further = done(replace(trial, stop_after=rung), tmp_path / "further", data)
    count = len(at_once.history["loss"])
    assert count == 9 if more["patience"] == NEVER else 3 < count < 9
    assert epochs == list(range(1, count + 1)), "no epoch is trained twice"
    assert further.history == at_once.history
    assert further.best_epoch == at_once.best_epoch
    (about, arrays), (expected, whole) = end_of(trial, tmp_path / "further"), end_of(trial, tmp_path / "at once")
    assert about == expected
    assert arrays.keys() == whole.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(arrays[name], array, err_msg=name)


FITS = """
import keras
import keras_tuner

class Fits(keras_tuner.HyperModel):
    def build(self, hp):
        dense = keras.layers.Dense(3, activation="softmax")
        layers = [keras.layers.Flatten(), keras.layers.Rescaling(1 / 255), keras.layers.Dropout(0.3), dense]
        model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
        model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp, model, *args, **options):
        return model.fit(*args, **options)
"""


def test_code_of_ones_own_that_trains_begins_anew_each_time_and_comes_to_the_same(
    tmp_path: Path, uneven: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what it keeps from one epoch to the next, so that nothing goes on from it."""
    (tmp_path / "own_further.py").write_text(FITS)
    data, trial = save_to_store(uneven, tmp_path / "data"), trial_of(uneven)
    values: dict[str, Any] = {"batch_size": 20, "early_stopping": "off", "precision": "float32"}
    trial = replace(trial, family="own_further:Fits", values=values, epochs=9)
    epochs = trained(monkeypatch)
    results = [done(replace(trial, stop_after=rung), tmp_path, data) for rung in (1, 3, 9, None)]
    assert epochs == [epoch for count in (1, 3, 9, 9) for epoch in range(1, count + 1)]
    assert not (tmp_path / "checkpoints").exists()
    further, at_once = results[-2:]
    assert at_once.environment["engine"] == "fit"
    assert further.history == at_once.history
    assert len(set(further.history["val_loss"])) > 5, "it learns"
    for earlier in results[:2]:
        for name, curve in earlier.history.items():
            assert curve == further.history[name][: len(curve)], name


@pytest.mark.slow
@pytest.mark.skipif(ON_JAX, reason="it is this process already")
def test_so_it_is_on_jax_too(tmp_path: Path) -> None:
    """With the plain engine and the compiled one, and with what else the latter is to keep or to draw."""
    stopped = "test_checkpoints.py::test_a_training_stopped_twice_ends_as_one_at_once"
    others = [
        f"{Path(__file__).with_name(stopped)}[fast-{given}]"
        for given in ("mixup, CutMix, colours, class weights", "warm-up, decay, balanced samples")
    ]
    these = f"{__file__}::test_a_trial_trained_to_1_then_3_then_9_epochs_is_the_one_trained_to_9_at_once"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", these, *others]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["KERAS_BACKEND"] = "jax"
    # The trainings of each case are compiled alike, which takes most of their time; a search keeps that as well.
    # What is compiled runs a few times over a few numbers: to make it fast takes longer than it runs.
    quickly = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    environment["XLA_FLAGS"] = f"{quickly} --xla_disable_hlo_passes=fusion"
    environment["JAX_COMPILATION_CACHE_DIR"] = str(tmp_path)
    environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "5 passed, 1 skipped" in ran.stdout
