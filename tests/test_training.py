"""Training of one trial: what it leaves, and how it fails."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tuner import training
from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.families import FAMILIES
from tuner.files import remove_partials, write_whole
from tuner.recipe import RECIPE
from tuner.space import read_space
from tuner.trial import Job, Result, Trial


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials run in this process, whose threads TensorFlow has fixed by now; the seed is what matters here."""
    monkeypatch.setattr(training, "make_repeatable", lambda seed, threads: keras.utils.set_random_seed(seed))


def job(tmp_path: Path, data: Dataset, family: str = "ann", **given: object) -> Job:
    space = read_space(given, {}, [*FAMILIES["ann"].parameters, *RECIPE], {"batch_size": 16})
    (values,) = space.grid()
    trial = Trial(family, data.name, data.fingerprint, values, epochs=2, seed=4)
    return Job(trial, save_to_store(data, tmp_path / "data"), tmp_path / "models", tmp_path)


def test_a_search_trial_is_scored_on_validation_images_and_leaves_no_file(tmp_path: Path, blobs: Dataset) -> None:
    result = training.train(job(tmp_path, blobs))
    assert result.status == "completed"
    assert result.val_accuracy == result.history["val_accuracy"][-1]
    assert result.val_loss == result.history["val_loss"][-1]
    assert {name: len(values) for name, values in result.history.items()} == dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy"), 2
    )
    assert result.test_accuracy is None
    assert result.parameters == 64 * 128 + 128 + 128 * 3 + 3
    assert not (tmp_path / "models").exists()
    assert result.environment["backend"].startswith(keras.backend.backend())


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
    assert result.latency_ms is not None
    assert result.latency_ms > 0


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

    monkeypatch.setattr(training, "engine_for", lambda network: Watching())
    published = job(tmp_path, blobs)
    training.train(replace(published, trial=replace(published.trial, protocol="published")))
    training.train(published)
    assert seen == [120, 45, 96, 24]


def test_a_loss_that_is_not_finite_ends_the_trial_with_the_epoch(tmp_path: Path, blobs: Dataset) -> None:
    result = training.train(job(tmp_path, blobs, optimizer="sgd", learning_rate=1000.0, dense_depth=3))
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
"""


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("memory", "MemoryError: 16 TiB"),
        ("resources", "out of memory"),
        ("bug", "ZeroDivisionError: division by zero"),
        ("leaves", "called sys.exit(0)"),
        ("nothing", "returned NoneType"),
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
    (tmp_path / f".partial-{os.getpid()}-b.keras").touch()
    (tmp_path / "c.keras").touch()
    remove_partials(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f".partial-{os.getpid()}-b.keras", "c.keras"]


def test_failures_of_the_machine_are_marked_as_such_and_those_of_the_trial_not(tmp_path: Path, blobs: Dataset) -> None:
    (tmp_path / "own_kinds.py").write_text(OWN)
    for attribute, transient in (("memory", True), ("resources", True), ("bug", False), ("leaves", False)):
        assert training.train(job(tmp_path, blobs, family=f"own_kinds:{attribute}")).transient is transient
