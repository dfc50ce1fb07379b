"""Checkpoints: a training that was stopped goes on to what it would have been, bit for bit; a bad one costs nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counted_epochs import trained

from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.space.space import read_space
from tuner.trial import Job, Result, Trial
from tuner.worker import checkpoints, training
from tuner.worker.engines import Epoch
from tuner.worker.engines.plain import PlainEngine

pytestmark = pytest.mark.usefixtures("in_this_process")

#: What keeps something from one epoch to the next.
KEEPS: dict[str, dict[str, Any]] = {
    "dropout, augmentation, momentum, cosine": {
        "dropout": 0.5,
        "batch_norm": True,
        "l2": 0.001,
        "rotation": 20.0,
        "shift": 0.1,
        "optimizer": "sgd",
        "momentum": 0.9,
        "nesterov": True,
        "schedule": "cosine",
        "label_smoothing": 0.1,
    },
    "mixup, CutMix, colours, class weights": {
        "mixup": 0.4,
        "cutmix": 1.0,
        "brightness": 0.2,
        "erasing": 0.5,
        "rand_augment": 0.3,
        "class_weight": "balanced",
    },
    "warm-up, decay, balanced samples": {
        "optimizer": "adamw",
        "weight_decay": 0.01,
        "warmup_epochs": 3,
        "sampling": "balanced",
    },
    "early stopping": {"early_stopping": "val_loss", "patience": 2, "learning_rate": 0.05},
}


@pytest.fixture(params=["fast", "plain"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "plain":
        monkeypatch.setattr(training, "engine_for", lambda network, *samples, **given: PlainEngine())
    return str(request.param)


def job(tmp_path: Path, data: Dataset, stop_after: int | None = None, **given: object) -> Job:
    family = "cnn" if "batch_norm" in given or "dropout" in given else "ann"
    space = read_space(given, {}, [*FAMILIES[family].parameters, *RECIPE], {"batch_size": 16})
    (values,) = space.grid()
    trial = Trial(family, data.name, data.fingerprint, values, epochs=6, seed=4, stop_after=stop_after)
    goes_on = stop_after is not None
    return Job(trial, save_to_store(data, tmp_path / "data"), tmp_path / "models", tmp_path, goes_on=goes_on)


def told(result: Result) -> dict[str, object]:
    """Return what of a result does not depend on the clock."""
    assert result.status == "completed", result.error
    return {name: value for name, value in vars(result).items() if name not in ("seconds", "seconds_per_epoch")}


def files(tmp_path: Path) -> list[str]:
    folder = tmp_path / "checkpoints"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("given", KEEPS.values(), ids=KEEPS)
def test_a_training_stopped_twice_ends_as_one_at_once(
    given: dict[str, Any], engine: str, tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = told(training.train(job(tmp_path / "at once", blobs, **given)))
    epochs = trained(monkeypatch)
    for stop_after in (1, 4):
        one = job(tmp_path / "stopped", blobs, stop_after, **given)
        part = training.train(one)
        assert part.status == "completed", part.error
        assert files(tmp_path / "stopped") == [f"{one.trial.course}-{len(part.history['loss'])}.npz"]
    whole = training.train(job(tmp_path / "stopped", blobs, **given))
    assert told(whole) == at_once
    assert epochs == list(range(1, len(whole.history["loss"]) + 1)), "no epoch is trained twice"
    assert files(tmp_path / "stopped") == [], "nothing goes on from a whole training"


def test_a_killed_training_goes_on_at_its_last_checkpoint(
    engine: str, tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"dropout": 0.3}
    searched = job(tmp_path / "killed", blobs, **given)
    for one in (searched, replace(searched, trial=searched.trial.as_final(7))):
        at_once = told(training.train(replace(one, artifacts=tmp_path / "at once" / "models")))
        monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
        with monkeypatch.context() as context:
            take = training.Epochs.take

            def until(self: Any, metrics: Epoch, take: Any = take) -> bool:
                if len(self.seconds) == 3:
                    raise KeyboardInterrupt  # a process that ends here; nothing of it is caught
                return bool(take(self, metrics))

            context.setattr(training.Epochs, "take", until)
            with pytest.raises(KeyboardInterrupt):
                training.train(one)
        assert files(tmp_path / "killed") == [f"{one.trial.course}-3.npz"]
        with monkeypatch.context() as context:
            epochs = trained(context)
            assert told(training.train(one)) == at_once
        assert epochs == [4, 5, 6]
        assert files(tmp_path / "killed") == []
        monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 60.0)


def test_watched_layers_are_noted_on_from_where_it_stopped(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watching(folder: Path, stop_after: int | None = None) -> Job:
        one = job(folder, blobs, stop_after)
        return replace(one, trial=replace(one.trial, watch=("first",)))

    at_once = training.train(watching(tmp_path / "at once"))
    training.train(watching(tmp_path / "stopped", 2))
    epochs = trained(monkeypatch)
    assert training.train(watching(tmp_path / "stopped")).watched == at_once.watched
    assert epochs == [3, 4, 5, 6]


def test_more_planned_epochs_go_on_where_the_learning_rate_is_constant(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Hyperband has it, whose later rounds plan more epochs."""
    one = job(tmp_path, blobs)
    training.train(replace(one, trial=replace(one.trial, epochs=2), goes_on=True))
    epochs = trained(monkeypatch)
    training.train(one)
    assert epochs == [3, 4, 5, 6]
    epochs.clear()
    one = job(tmp_path, blobs, schedule="cosine")
    training.train(replace(one, trial=replace(one.trial, epochs=2), goes_on=True))
    epochs.clear()
    training.train(one)
    assert epochs == [1, 2, 3, 4, 5, 6], "a cosine over two epochs is another one"


def damaged(path: Path, how: str) -> None:
    content = dict(np.load(path))
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif how == "a link":
        elsewhere = path.parent.parent / "elsewhere.npz"
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
    elif how == "a pipe":
        path.unlink()
        os.mkfifo(path)
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    else:
        about = content["about"].tobytes()
        if how == "another network's":
            content["state_0"] = np.zeros((3, 5), np.float32)
        elif how == "too few variables":
            content = {name: value for name, value in content.items() if name in ("about", "answers", "state_0")}
        elif how == "no answers":
            del content["answers"]
        elif how == "answers to others":
            content["answers"] = content["answers"][:3]
        elif how == "NaN":
            about = about.replace(b'"spent": ', b'"spent": NaN, "old": ')
        elif how == "another version":
            about = about.replace(b'"keras": "', b'"keras": "0.')
        elif how == "other epochs":
            about = about.replace(b'"seconds": [', b'"seconds": [0.5, ')
        content["about"] = np.frombuffer(about, np.uint8)
        np.savez(path, **content)


DAMAGES = ("cut", "a link", "a pipe", "a folder", "no answers", "answers to others", "NaN", "another version")


def test_what_is_no_checkpoint_of_this_training_is_not_gone_on_from(
    engine: str, tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = told(training.train(job(tmp_path / "at once", blobs)))
    one = job(tmp_path, blobs, 2)
    training.train(one)
    path = tmp_path / "checkpoints" / f"{one.trial.course}-2.npz"
    sound = path.read_bytes()
    epochs = trained(monkeypatch)
    seen = ("another network's", "too few variables", "other epochs")  # of which an engine has to see itself
    for how in (*seen, *(DAMAGES if engine == "fast" else ())):
        path.write_bytes(sound)
        damaged(path, how)
        epochs.clear()
        assert told(training.train(job(tmp_path, blobs))) == at_once, how
        assert epochs == [1, 2, 3, 4, 5, 6], how
        for left in (tmp_path / "checkpoints").iterdir():
            left.rmdir() if left.is_dir() and not left.is_symlink() else left.unlink()


def test_where_none_can_be_written_a_training_ends_all_the_same(tmp_path: Path, blobs: Dataset) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "checkpoints").symlink_to(tmp_path / "elsewhere")
    assert training.train(job(tmp_path, blobs, 2)).status == "completed"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "checkpoints").unlink()
    (tmp_path / "checkpoints").write_text("a file")
    assert training.train(job(tmp_path, blobs, 2)).status == "completed"
    (tmp_path / "checkpoints").unlink()
    one = job(tmp_path, blobs, 2)
    (tmp_path / "checkpoints" / f"{one.trial.course}-1.npz").mkdir(parents=True)
    assert training.train(one).status == "completed"


def test_the_oldest_make_room(tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    first = job(tmp_path, blobs, 1)
    training.train(first)
    size = (tmp_path / "checkpoints" / files(tmp_path)[0]).stat().st_size
    os.utime(tmp_path / "checkpoints" / files(tmp_path)[0], (1, 1))
    monkeypatch.setattr(checkpoints, "MOST_BYTES", int(2.5 * size))
    names = []
    for seed in (5, 6):
        one = replace(first, trial=replace(first.trial, seed=seed))
        training.train(one)
        names.append(f"{one.trial.course}-1.npz")
    assert files(tmp_path) == sorted(names)
    monkeypatch.setattr(checkpoints, "MOST_BYTES", size // 2)
    training.train(replace(first, trial=replace(first.trial, seed=7)))
    assert files(tmp_path) == sorted(names), "one that is larger than all may be is not written"


def test_a_users_network_of_layers_of_its_own_is_trained_anew(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a layer may count in an attribute, which no variable tells."""
    (tmp_path / "counting.py").write_text(
        "import keras\n"
        "class Counting(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        return x * 1.0\n"
        "def build(hp, shape, classes):\n"
        "    layers = [keras.Input(shape), keras.layers.Flatten()]\n"
        "    return keras.Sequential([*layers, *hidden(), keras.layers.Dense(classes, activation='softmax')])\n"
        "def hidden():\n"
        "    return [Counting()]\n"
    )
    one = job(tmp_path, blobs, 2)
    values = {name: value for name, value in one.trial.values.items() if name in {p.name for p in RECIPE}}
    from tuner.families import get_family

    source = get_family("counting:build", tmp_path, ()).source_hash()  # type: ignore[attr-defined]
    trial = replace(one.trial, family="counting:build", values=values, source=source)
    result = training.train(replace(one, trial=trial))
    assert result.status == "completed", result.error
    assert files(tmp_path) == []
