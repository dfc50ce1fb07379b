"""Training of one trial: what it leaves, and how it fails."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tuner.analysis.scoring import load_predictions
from tuner.analysis.validation_predictions import load_validation
from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.errors import LostError, ResourceError
from tuner.executors import PRELOAD, LocalExecutor
from tuner.families import FAMILIES, get_family
from tuner.protocol import validation_labels
from tuner.recipe import RECIPE
from tuner.space.space import read_space
from tuner.system.files import remove_partials, write_whole
from tuner.trial import Job, Result, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.worker import training
from tuner.worker.engines import Engine, Epoch, Plan, Samples

pytestmark = pytest.mark.usefixtures("in_this_process")


def job(tmp_path: Path, data: Dataset, family: str = "ann", epochs: int = 2, **given: object) -> Job:
    declared = FAMILIES[family if family in FAMILIES else "ann"].parameters
    (values,) = read_space(given, {}, [*declared, *RECIPE], {"batch_size": 16}).grid()
    trial = Trial(family, data.name, data.fingerprint, values, epochs=epochs, seed=4)
    return Job(trial, save_to_store(data, tmp_path / "data"), tmp_path / "models", tmp_path)


def test_a_search_trial_is_scored_on_validation_images_and_leaves_what_it_answered_to_them(
    tmp_path: Path, blobs: Dataset
) -> None:
    one = job(tmp_path, blobs)
    result = training.train(one)
    assert result.status == "completed"
    assert result.val_accuracy == result.history["val_accuracy"][-1]
    assert result.val_loss == result.history["val_loss"][-1]
    assert {name: len(values) for name, values in result.history.items()} == dict.fromkeys(
        ("loss", "accuracy", "unpenalised_loss", "val_loss", "val_accuracy", "val_unpenalised_loss"), 2
    )
    assert result.test_accuracy is None
    assert result.parameters == 64 * 128 + 128 + 128 * 3 + 3
    (file,) = (tmp_path / "models").iterdir()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert result.files == {"validation": digest}
    assert file.name == f"{one.trial.id}-{digest[:8]}.validation.npz"
    labels = validation_labels(one.trial, blobs)
    answers = load_validation(file, digest, len(labels), 3)
    assert (answers.argmax(axis=1) == labels).mean() == result.val_accuracy
    of_truth = answers[np.arange(len(labels)), labels].astype(np.float64)
    assert result.val_loss == pytest.approx(-np.log(of_truth).mean(), rel=1e-2)
    assert result.environment["backend"].startswith(keras.backend.backend())


def test_a_search_trial_is_validated_on_the_data_sets_own_validation_images(tmp_path: Path, blobs: Dataset) -> None:
    """The validation images have wrong labels throughout, so that a network that learns has them all wrong."""
    wrong = blobs.y_train.copy()
    wrong[90:] = (wrong[90:] + 1) % 3
    own = replace(blobs, y_train=wrong, validation_images=30)
    result = training.train(job(tmp_path, own, epochs=25, learning_rate=0.01))
    assert result.status == "completed", result.error
    assert result.history["accuracy"][-1] > 0.9  # none of the wrong ones is trained on
    assert result.val_accuracy < 0.1


def test_a_final_trial_trains_on_the_own_validation_images_too(tmp_path: Path, blobs: Dataset) -> None:
    own = replace(blobs, validation_images=30)
    given = job(tmp_path, own, epochs=2)
    joined = job(tmp_path, blobs, epochs=2)
    assert given.trial.id != joined.trial.id
    scores = [training.train(replace(one, trial=one.trial.as_final(1))).history["loss"] for one in (given, joined)]
    assert scores[0] == scores[1]  # the same images in the same order


NOISY = """
import keras, tensorflow as tf

class Noise(keras.layers.Layer):
    def call(self, x, training=False):
        return x + tf.random.uniform(tf.shape(x)) if training else x

def build(hp, shape, classes):
    return keras.Sequential([
        keras.Input(shape), keras.layers.Rescaling(1 / 255), Noise(), keras.layers.Flatten(),
        keras.layers.Dense(classes, activation="softmax"),
    ])
"""


@pytest.mark.slow
@pytest.mark.parametrize("family", ["cnn", "noisy:build"])
def test_kin_in_one_process_have_the_results_of_a_process_each(family: str, tmp_path: Path, blobs: Dataset) -> None:
    if family == "noisy:build":
        pytest.importorskip("tensorflow")
        if keras.backend.backend() != "tensorflow":
            pytest.skip("draws from TensorFlow's generator")
    (tmp_path / "noisy.py").write_text(NOISY)
    levels = [{"dropout": 0.5, "l2": 0.01}, {"learning_rate": 0.01, "dropout": 0.25}, {}]
    given = [{**one, "filters": 4, "flip": "horizontal"} if family == "cnn" else {} for one in levels]
    jobs = [job(tmp_path, blobs, family, **one) for one in given]
    jobs = [replace(one, trial=replace(one.trial, seed=seed)) for seed, one in enumerate(jobs)]
    assert len({one.trial.compile_group for one in jobs}) == 1
    found: dict[str, list[Result]] = {}
    with LocalExecutor("tuner.worker.training:train", 1, log=tmp_path / "log", preload=PRELOAD) as executor:
        for group in ("", "group"):
            found[group] = []
            for one in jobs:
                executor.submit(one.trial.id, one, group)
                (outcome,) = executor.wait()
                found[group].append(outcome.value)
    assert [one.status for one in found["group"]] == ["completed"] * 3
    assert [one.history for one in found["group"]] == [one.history for one in found[""]]
    assert len({str(one.history) for one in found[""]}) == 3


@pytest.mark.slow
def test_groups_that_share_a_process_have_the_results_and_models_of_a_process_each(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.executors.local.MOST_KEPT_BYTES", 1 << 40)  # JAX takes much to compile
    given: list[tuple[str, dict[str, Any]]] = [
        ("cnn", {"filters": 4, "dropout": 0.5, "precision": "mixed_bfloat16"}),
        ("ann", {"dense_units": 8, "dropout": 0.25}),
        ("cnn", {"filters": 2, "batch_norm": True, "flip": "horizontal", "class_weight": "balanced"}),
        ("ann", {"dense_units": 8, "optimizer": "sgd", "momentum": 0.9, "mixup": 0.2, "label_smoothing": 0.1}),
    ]
    jobs = [job(tmp_path, blobs, family, **one) for family, one in given]
    jobs = [replace(one, trial=replace(one.trial, seed=3).as_final(9)) for one in jobs]
    assert len({one.trial.compile_group for one in jobs}) == len(jobs)
    found: dict[str, list[Result]] = {}
    processes: dict[str, set[int]] = {}
    with LocalExecutor("tuner.worker.training:train", 1, log=tmp_path / "log", preload=PRELOAD) as executor:
        for setting in ("", "alike"):
            found[setting], processes[setting] = [], set()
            for one in jobs:
                executor.submit(one.trial.id, one, one.trial.compile_group, setting)
                processes[setting].update(executor.worker_pids())
                (outcome,) = executor.wait()
                found[setting].append(outcome.value)
    assert [len(those) for those in processes.values()] == [4, 1]
    for alone, together in zip(*found.values(), strict=True):
        assert together.status == "completed", together.error
        assert together.history == alone.history
        assert together.files == alone.files
        assert together.test_loss == alone.test_loss


def test_a_final_trial_leaves_its_model_and_its_predictions_with_their_hashes(tmp_path: Path, blobs: Dataset) -> None:
    final = job(tmp_path, blobs)
    final = replace(final, trial=final.trial.as_final(9))
    result = training.train(final)
    assert result.status == "completed"
    files = {file.suffix: file for file in (tmp_path / "models").iterdir()}
    assert set(files) == {".keras", ".npz"}
    assert result.files == {
        "model": hashlib.sha256(files[".keras"].read_bytes()).hexdigest(),
        "predictions": hashlib.sha256(files[".npz"].read_bytes()).hexdigest(),
    }
    with np.load(files[".npz"]) as saved:
        np.testing.assert_array_equal(saved["labels"], blobs.y_test)
        assert result.test_accuracy == (saved["probabilities"].argmax(axis=1) == blobs.y_test).mean()
        of_truth = saved["probabilities"][np.arange(len(blobs.y_test)), blobs.y_test]
        assert result.test_loss == pytest.approx(-np.log(of_truth).mean(), rel=1e-5)
    model = keras.models.load_model(files[".keras"])
    assert getattr(model, "optimizer", None) is None
    assert result.latency_ms is None  # which is measured once nothing else trains


def test_the_test_set_is_drawn_by_class_where_a_size_is_given(tmp_path: Path, blobs: Dataset) -> None:
    final = job(tmp_path, blobs)
    final = replace(final, trial=replace(final.trial, test_size=9).as_final(1))
    training.train(final)
    (file,) = (tmp_path / "models").glob("*.npz")
    with np.load(file) as saved:
        assert np.bincount(saved["labels"]).tolist() == [3, 3, 3]


def test_the_published_protocol_validates_on_the_test_set_and_fits_everything_else(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    class Watching:
        name = "watching"

        def fit(self, network, fitted, validation, plan):
            seen.extend((len(fitted.labels), len(validation.labels)))
            yield {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}

    monkeypatch.setattr(training, "engine_for", lambda network, *samples, **given: Watching())
    published = job(tmp_path, blobs)
    training.train(replace(published, trial=replace(published.trial, protocol="published")))
    training.train(published)
    assert seen == [120, 45, 96, 24]


def test_a_loss_that_is_not_finite_ends_the_trial_with_the_epoch(tmp_path: Path, blobs: Dataset) -> None:
    result = training.train(job(tmp_path, blobs, optimizer="sgd", learning_rate=1000.0, dense_depth=3, l2=10.0))
    assert result.status == "failed"
    assert "became nan in epoch" in result.error or "became inf in epoch" in result.error
    assert "lower learning rate" in result.error


OWN = """
import sys
import keras

def memory(hp): raise MemoryError("16 TiB")
def resources(hp): raise RuntimeError("RESOURCE_EXHAUSTED: failed to allocate")
def bug(hp): return 1 / 0
def leaves(hp): sys.exit(0)
def nothing(hp): return None
def late(hp, shape, classes):
    class Late(keras.layers.Layer):
        def call(self, x, training=False):
            return sys.exit(4) if training else x
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), Late(),
                             keras.layers.Dense(classes, activation="softmax")])
"""


PRETRAINED = """
import keras
import numpy as np
from {base} import BASE

def build(hp, shape, classes):
    adapted = keras.layers.Normalization(name="adapted")
    adapted.adapt(np.random.uniform(0, 90, (64, *shape)).astype("float32"))
    frozen = keras.layers.Dense(8, activation="relu", name="frozen")
    pixels = keras.Input(shape)
    x = BASE(frozen(keras.layers.Flatten()(adapted(pixels))))
    frozen.set_weights([np.linspace(-1, 1, 512).reshape(64, 8), np.full(8, 0.5)])
    frozen.trainable = False
    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))
"""
BASE = """
import keras
BASE = keras.layers.Dense(6, kernel_initializer="ones", name="base")
"""


def test_a_retraining_begins_from_what_build_gives_and_saves_frozen_bits_and_states(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_pretrained.py").write_text(PRETRAINED.format(base="own_base"))
    (tmp_path / "own_base.py").write_text(BASE)
    began = []
    engine_for = training.engine_for

    def noting(network: keras.Model, *samples: Samples, **given: Any) -> Engine:
        began.append(next(layer for layer in network._flatten_layers() if layer.name == "base").get_weights())
        return engine_for(network, *samples, **given)

    monkeypatch.setattr(training, "engine_for", noting)
    one = job(tmp_path, blobs, family="own_pretrained:build", epochs=3, learning_rate=0.01)
    values = {name: value for name, value in one.trial.values.items() if name != "scaling"}
    one = replace(one, trial=replace(one.trial, values=values))
    results = [training.train(replace(one, trial=one.trial.as_final(seed))) for seed in (4, 5, 4)]
    assert [result.status for result in results] == ["completed"] * 3, results[0].error
    assert all((kernel == 1).all() and (bias == 0).all() for kernel, bias in began), "the layer outside of build too"
    assert results[0].files == results[2].files, "in one process as in another"
    assert results[0].environment["scaling"].endswith("which scales them itself")
    final = one.trial.as_final(4)
    saved = keras.models.load_model(artifact_path(tmp_path / "models", final.id, results[0].files["model"], ".keras"))
    layers = {layer.name: layer for layer in saved._flatten_layers()}
    kernel, bias = layers["frozen"].get_weights()
    np.testing.assert_array_equal(kernel, np.linspace(-1, 1, 512).reshape(64, 8).astype("float32"))
    np.testing.assert_array_equal(bias, np.full(8, 0.5))
    assert 40 < float(layers["adapted"].get_weights()[0].mean()) < 50
    assert not (layers["base"].get_weights()[0] == 1).any()
    with np.load(artifact_path(tmp_path / "models", final.id, results[0].files["predictions"], ".npz")) as kept:
        np.testing.assert_allclose(saved.predict(blobs.x_test, verbose=0), kept["probabilities"], atol=1e-6)


def test_code_that_was_edited_since_the_search_began_ends_it(tmp_path: Path, blobs: Dataset) -> None:
    (tmp_path / "own_edited.py").write_text(PRETRAINED.format(base="own_edited_base"))
    (tmp_path / "own_edited_base.py").write_text(BASE)
    one = job(tmp_path, blobs, family="own_edited:build", epochs=1)
    named = replace(one, trial=replace(one.trial, source=get_family(one.trial.family, tmp_path).source_hash()))
    first = training.train(named)
    assert isinstance(first, Result)
    assert first.status == "completed", first.error
    (tmp_path / "own_edited_base.py").write_text(BASE + "EDITED = True\n")
    lacks = training.train(named)
    assert isinstance(lacks, LostError)
    assert "own_edited:build: its code is not the code that the search began with" in str(lacks)


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("memory", "MemoryError: 16 TiB"),
        ("resources", "out of memory"),
        ("bug", "ZeroDivisionError: division by zero"),
        ("leaves", "called sys.exit(0)"),
        ("nothing", "returned NoneType"),
        ("late", "called sys.exit(4)"),
    ],
)
def test_whatever_a_users_network_does_is_a_failed_result_with_its_reason(
    tmp_path: Path, blobs: Dataset, attribute: str, reason: str
) -> None:
    (tmp_path / f"own_{attribute}.py").write_text(OWN)
    result = training.train(job(tmp_path, blobs, family=f"own_{attribute}:{attribute}"))
    assert result.status == "failed"
    assert reason in result.error
    assert len(result.error.splitlines()) == 1
    assert result.seconds > 0


def test_the_same_seed_gives_the_same_result_and_another_one_does_not(tmp_path: Path, blobs: Dataset) -> None:
    def history(seed: int) -> dict[str, list[float]]:
        one = job(tmp_path, blobs, dropout=0.5)
        result: Result = training.train(replace(one, trial=replace(one.trial, seed=seed)))
        return result.history

    assert history(0) == history(0)
    assert history(0) != history(1)


UNNAMED = """
import keras

def build(hp, shape, classes):
    return keras.Sequential([
        keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(hp.Int("units", 2, 8), activation="relu"),
        keras.layers.Dropout(0.5), keras.layers.Dense(classes, activation="softmax"),
    ])
"""


@pytest.mark.parametrize("family", ["ann", "unnamed:build"])
def test_a_final_trial_leaves_the_same_bytes_whatever_its_process_trained_before(
    family: str, tmp_path: Path, blobs: Dataset
) -> None:
    (tmp_path / "unnamed.py").write_text(UNNAMED)
    given = {"dropout": 0.5, "l2": 0.01} if family == "ann" else {}
    final = job(tmp_path, blobs, family, **given)
    final = replace(final, trial=final.trial.as_final(9))
    others = [replace(final, trial=replace(final.trial, seed=seed)) for seed in (1, 2)]
    found = [training.train(one) for one in (others[0], final, others[1], final)]
    assert [one.status for one in found] == ["completed"] * 4
    assert found[1].layers == found[3].layers == found[0].layers
    assert found[1].files == found[3].files != found[0].files


def test_a_file_that_cannot_be_written_whole_is_not_left_behind(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        write_whole(tmp_path / "model.keras", fail)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_half_written_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    killed = subprocess.Popen(["true"])
    killed.wait()
    (tmp_path / f".partial-{killed.pid}-a.keras").touch()
    (tmp_path / f".partial-{killed.pid}-data").mkdir()
    (tmp_path / f".partial-{killed.pid}-data" / "x_train.npy").touch()
    (tmp_path / f".partial-{os.getpid()}-b.keras").touch()
    (tmp_path / "c.keras").touch()
    remove_partials(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f".partial-{os.getpid()}-b.keras", "c.keras"]


def test_failures_of_the_machine_are_marked_as_such_and_those_of_the_trial_not(tmp_path: Path, blobs: Dataset) -> None:
    (tmp_path / "own_kinds.py").write_text(OWN)
    for attribute, transient in (("memory", True), ("resources", True), ("bug", False), ("leaves", False)):
        assert training.train(job(tmp_path, blobs, family=f"own_kinds:{attribute}")).transient is transient


def test_a_disk_without_room_for_a_model_is_the_machines_fault_and_leaves_nothing(
    tmp_path: Path, blobs: Dataset, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    final = job(tmp_path, blobs)
    final = replace(final, trial=final.trial.as_final(9))
    with file_size_limit(2000):
        answer = training.train(final)
    assert isinstance(answer, ResourceError)
    assert "models" in str(answer)
    assert list((tmp_path / "models").iterdir()) == []
    again = training.train(final)
    assert isinstance(again, Result)
    assert again.status == "completed"


# --- early stopping ---


class Scripted(Engine):
    """Yields metrics that a test wrote down, and sets every weight to the number of the epoch."""

    name = "scripted"

    def __init__(self, **metrics: list[float]) -> None:
        self.metrics = metrics
        self.plan: Plan | None = None
        self.validated = False

    def takes(self, network: keras.Model) -> bool:
        return True

    def fit(self, network: keras.Model, training: Samples, validation: Samples | None, plan: Plan) -> Iterator[Epoch]:
        self.plan, self.validated = plan, validation is not None
        for epoch in range(1, plan.epochs + 1):
            network.set_weights([np.full_like(weights, epoch) for weights in network.get_weights()])
            metrics = {name: values[epoch - 1] for name, values in self.metrics.items()}
            yield Epoch(metrics, lambda epoch=epoch: np.full((2, 3), epoch / 8, np.float32))  # type: ignore[misc]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    def of(**metrics: list[float]) -> Scripted:
        engine = Scripted(**metrics)
        monkeypatch.setattr(training, "engine_for", lambda network, *samples, **given: engine)
        return engine

    return of


def answers_of(folder: Path) -> float:
    """Return what a `Scripted` training's kept answers are made of, which tells their epoch."""
    with np.load(*(folder / "models").glob("*.validation.npz")) as kept:
        (value,) = set(kept["probabilities"].flat)
        return float(value)


@pytest.mark.parametrize(
    ("watched", "val_loss", "val_accuracy"),
    [
        ("val_loss", [3.0, 1.0, 2.0, 1.5, 0.5, 0.1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        ("val_accuracy", [6.0, 5.0, 4.0, 3.0, 2.0, 1.0], [0.5, 0.7, 0.7, 0.6, 0.9, 0.9]),
    ],
)
def test_early_stopping_counts_the_scores_of_the_best_epoch_and_keeps_every_epoch_that_ran(
    tmp_path: Path, blobs: Dataset, scripted: Any, watched: str, val_loss: list[float], val_accuracy: list[float]
) -> None:
    scripted(loss=[1.0] * 6, accuracy=[0.5] * 6, val_loss=val_loss, val_accuracy=val_accuracy)
    result = training.train(job(tmp_path, blobs, epochs=6, early_stopping=watched, patience=2))
    assert (result.status, result.best_epoch) == ("completed", 2)
    assert (result.val_loss, result.val_accuracy) == (val_loss[1], val_accuracy[1])
    assert result.history["val_loss"] == val_loss[:4]
    assert {len(values) for values in result.history.values()} == {4}
    assert answers_of(tmp_path) == 2 / 8


def test_without_early_stopping_the_last_epoch_counts(tmp_path: Path, blobs: Dataset, scripted: Any) -> None:
    scripted(loss=[1.0] * 3, accuracy=[0.5] * 3, val_loss=[1.0, 2.0, 3.0], val_accuracy=[0.9, 0.8, 0.7])
    result = training.train(job(tmp_path, blobs, epochs=3))
    assert (result.best_epoch, result.val_loss, result.val_accuracy) == (None, 3.0, 0.7)
    assert answers_of(tmp_path) == 3 / 8


def test_a_training_that_improves_to_its_end_is_kept_whole(tmp_path: Path, blobs: Dataset, scripted: Any) -> None:
    scripted(loss=[1.0] * 3, accuracy=[0.5] * 3, val_loss=[3.0, 2.0, 1.0], val_accuracy=[0.5] * 3)
    result = training.train(job(tmp_path, blobs, epochs=3, early_stopping="val_loss", patience=1))
    assert (result.best_epoch, result.val_loss, len(result.history["loss"])) == (3, 1.0, 3)


def test_a_final_trial_stops_where_it_is_told_and_not_by_itself(tmp_path: Path, blobs: Dataset, scripted: Any) -> None:
    engine = scripted(loss=[1.0] * 9, accuracy=[0.5] * 9)
    one = job(tmp_path, blobs, epochs=9, early_stopping="val_loss", patience=1)
    result = training.train(replace(one, trial=one.trial.as_final(3, stop_after=4)))
    assert result.status == "completed"
    assert (engine.plan.epochs, engine.validated) == (4, False)
    model = keras.models.load_model(*(tmp_path / "models").glob("*.keras"))
    assert all((weights == 4).all() for weights in model.get_weights())
    assert {name: len(values) for name, values in result.history.items()} == {"loss": 4, "accuracy": 4}
    assert result.best_epoch is None


def test_a_final_trial_that_holds_images_out_is_scored_on_them_at_its_end_and_not_stopped_by_them(
    tmp_path: Path, blobs: Dataset, scripted: Any
) -> None:
    engine = scripted(
        loss=[1.0] * 9, accuracy=[0.5] * 9, val_loss=[1.0, 2.0, 3.0, 4.0], val_accuracy=[0.9, 0.8, 0.7, 0.6]
    )
    one = job(tmp_path, blobs, epochs=9, early_stopping="val_loss", patience=1)
    result = training.train(replace(one, trial=one.trial.as_final(3, stop_after=4, hold_out=0.25)))
    assert (engine.plan.epochs, engine.validated) == (4, True)
    assert (result.val_accuracy, result.val_loss, result.best_epoch) == (0.6, 4.0, None)


def test_a_final_trial_that_stops_early_is_on_the_schedule_of_all_epochs(tmp_path: Path, blobs: Dataset) -> None:
    def losses(epochs: int, stop_after: int | None) -> list[float]:
        one = job(tmp_path, blobs, epochs=epochs, schedule="cosine", learning_rate=0.01, dense_units=8)
        result = training.train(replace(one, trial=one.trial.as_final(3, stop_after=stop_after)))
        assert set(result.history) == {"loss", "accuracy", "unpenalised_loss"}
        return result.history["loss"]

    assert losses(4, 2) == losses(4, None)[:2]
    assert losses(4, 2) != losses(2, None)


def test_early_stopping_is_followed_by_real_epochs_too(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs, epochs=30, early_stopping="val_accuracy", patience=2, learning_rate=0.01)
    result = training.train(one)
    best = result.best_epoch
    assert best is not None
    assert len(result.history["loss"]) == best + 2
    assert result.val_accuracy == max(result.history["val_accuracy"]) == result.history["val_accuracy"][best - 1]


# --- what else a recipe asks for ---


@pytest.mark.parametrize(
    "given",
    [
        {"label_smoothing": 0.1},
        {"schedule": "steps", "schedule_steps": "1"},
        {"schedule": "cosine", "warmup_epochs": 1},
        {"flip": "horizontal", "rotation": 10.0, "crop": 1, "shift": 0.1, "zoom": 0.1},
        {"brightness": 0.2, "contrast": 0.2, "rand_augment": 0.2, "erasing": 0.5},
        {"mixup": 0.2, "cutmix": 1.0},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
    ],
    ids="-".join,
)
def test_every_part_of_a_recipe_changes_what_is_learned(tmp_path: Path, blobs: Dataset, given: dict[str, Any]) -> None:
    plain, other = (training.train(job(tmp_path, blobs, dense_units=8, **values)) for values in ({}, given))
    assert (plain.status, other.status, other.error) == ("completed", "completed", "")
    assert plain.history["loss"] != other.history["loss"]


def test_augmentation_follows_the_seed_of_the_trial(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs, dense_units=8, rotation=20.0, crop=1, erasing=0.5, cutmix=1.0)
    first, again = training.train(one), training.train(one)
    assert first.history == again.history


def test_an_augmentation_that_the_images_are_too_small_for_fails_the_trial_in_words(
    tmp_path: Path, blobs: Dataset
) -> None:
    result = training.train(job(tmp_path, blobs, crop=9))
    assert (result.status, result.transient) == ("failed", False)
    assert result.error.startswith("crop = 9 pads by more than the 8x8 images have")


def test_a_trial_of_mixed_precision_leaves_a_model_of_32_bits(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs, family="cnn", filters=4, dense_units=8, precision="mixed_bfloat16", batch_norm=True)
    result = training.train(replace(one, trial=one.trial.as_final(9)))
    assert result.status == "completed", result.error
    assert keras.config.dtype_policy().name == "float32"
    model = keras.models.load_model(*(tmp_path / "models").glob("*.keras"))
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    with np.load(*(tmp_path / "models").glob("*.npz")) as saved:
        again = model.predict(blobs.x_test, verbose=0)
        np.testing.assert_allclose(again, saved["probabilities"], atol=1e-6)
        assert saved["probabilities"].dtype == np.float32


def test_the_precision_of_a_search_trial_does_not_reach_the_next_one(tmp_path: Path, blobs: Dataset) -> None:
    training.train(job(tmp_path, blobs, precision="mixed_bfloat16", dense_units=8))
    result = training.train(job(tmp_path, blobs, dense_units=8))
    assert keras.config.dtype_policy().name == "float32"
    assert result.status == "completed"


# --- what is recorded of layers ---


def test_watched_layers_are_noted_before_the_first_epoch_and_after_each(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs, epochs=3, dense_depth=2, dense_units=8)
    result = training.train(replace(one, trial=replace(one.trial, watch=("first", "dense_2"))))
    assert list(result.watched) == ["dense_1", "dense_2"]
    for name, size in (("dense_1", 64 * 8), ("dense_2", 8 * 8)):
        noted = result.watched[name]
        assert len(noted["gradient_norm"]) == len(noted["kernel"]) == 3 + 1
        assert all(norm > 0 for norm in noted["gradient_norm"])
        assert [sum(histogram["counts"]) for histogram in noted["kernel"]] == [size] * 4
        assert noted["kernel"][0] != noted["kernel"][-1]
    json.dumps(result.watched)


def test_every_layer_that_learns_can_be_watched_in_the_order_of_the_network(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs, epochs=1, dense_depth=2, dense_units=8)
    result = training.train(replace(one, trial=replace(one.trial, watch=("every",))))
    assert list(result.watched) == ["dense_1", "dense_2", "probabilities"]


def test_watching_changes_nothing_of_what_is_learned(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs, dense_units=8, dropout=0.5)
    plain, watched = (training.train(replace(one, trial=replace(one.trial, watch=w))) for w in ((), ("first",)))
    assert watched.history == plain.history
    assert plain.watched == {}


def test_an_unknown_layer_to_watch_fails_the_trial_with_a_suggestion(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs)
    result = training.train(replace(one, trial=replace(one.trial, watch=("dense_2",))))
    assert (result.status, result.transient) == ("failed", False)
    assert result.error == "watch: no layer with a kernel is named 'dense_2'; did you mean 'dense_1'?"


def test_a_final_trial_describes_its_layers_and_keeps_what_the_first_convolution_sees(
    tmp_path: Path, blobs: Dataset
) -> None:
    one = job(tmp_path, blobs, family="cnn", filters=4, dense_units=8, precision="mixed_bfloat16")
    result = training.train(replace(one, trial=one.trial.as_final(9)))
    assert [layer["name"] for layer in result.layers] == [
        "pixels", "scale", "conv_1", "conv_1_relu", "pool_1", "conv_2", "conv_2_relu", "flatten", "dense_1",
        "dense_1_relu", "probabilities",
    ]  # fmt: skip
    assert sum(layer["parameters"] for layer in result.layers) == result.parameters
    json.dumps(result.layers)
    with np.load(*(tmp_path / "models").glob("*.npz")) as saved:
        assert saved["filters"].shape == (3, 3, 1, 4)
        assert saved["shown"].shape == (3, 8, 8, 1)
        assert saved["outputs"].shape == (3, 6, 6, 4)
        assert saved["shown_labels"].tolist() == [0, 1, 2]


def test_a_final_trial_keeps_heat_maps_of_its_mistakes_beside_its_predictions(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs, family="cnn", filters=4, dense_units=8, learning_rate=1e-6)
    training.train(replace(one, trial=one.trial.as_final(9)))
    (path,) = (tmp_path / "models").glob("*.npz")
    kept = load_predictions(path, sha256_of(path), blobs.class_names)
    wrong = np.flatnonzero(~kept.correct)
    assert len(wrong) > 5, "it has learned nothing"
    assert kept.heat is not None
    assert kept.heat.images.tolist() == wrong.tolist()
    assert kept.heat.maps.shape == (len(wrong), 1, 1) or kept.heat.maps[0].max() in (0, 255)
    with np.load(path) as saved:
        old = {name: saved[name] for name in saved if not name.startswith("heat_")}
    np.savez_compressed(path, **old)
    before = load_predictions(path, sha256_of(path), blobs.class_names)
    assert before.heat is None, "as an earlier version kept it"
    np.testing.assert_array_equal(before.probabilities, kept.probabilities)


def test_a_final_trial_without_a_convolution_keeps_its_predictions_alone(tmp_path: Path, blobs: Dataset) -> None:
    one = job(tmp_path, blobs, dense_units=8)
    result = training.train(replace(one, trial=one.trial.as_final(9)))
    assert [layer["name"] for layer in result.layers][-1] == "probabilities"
    with np.load(*(tmp_path / "models").glob("*.npz")) as saved:
        assert set(saved) == {"probabilities", "labels"}


def test_a_search_trial_describes_no_layers(tmp_path: Path, blobs: Dataset) -> None:
    assert training.train(job(tmp_path, blobs)).layers == []


@pytest.mark.parametrize("role", ["search", "final"])
def test_what_every_trial_lacks_is_no_result_of_one(tmp_path: Path, blobs: Dataset, role: str) -> None:
    asked = job(tmp_path, blobs)
    asked = replace(asked, trial=asked.trial.as_final(1)) if role == "final" else asked
    (asked.data / "x_test.npy").unlink()
    lost = training.train(asked)
    assert isinstance(lost, LostError)
    assert lost.place == str(asked.data)


def test_a_module_that_was_moved_away_is_no_trials_fault(tmp_path: Path, blobs: Dataset) -> None:
    lost = training.train(job(tmp_path, blobs, "moved_away_meanwhile:build"))
    assert isinstance(lost, LostError)
    assert "moved_away_meanwhile" in str(lost)


def test_a_file_in_place_of_the_folder_of_models_is_no_trials_fault(tmp_path: Path, blobs: Dataset) -> None:
    asked = job(tmp_path, blobs)
    (tmp_path / "models").write_text("in the way")
    lost = training.train(replace(asked, trial=asked.trial.as_final(1)))
    assert isinstance(lost, LostError)
    assert lost.place == str(tmp_path / "models")
