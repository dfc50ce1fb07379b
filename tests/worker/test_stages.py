"""Fine-tuning in two stages: the head alone on features that are computed once, then the backbone's last layers too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from counted_epochs import trained
from made_up import banded_photos

from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.families import FAMILIES
from tuner.families.pretrained import Pretrained
from tuner.recipe import RECIPE
from tuner.space.space import read_space
from tuner.trial import Job, Result, Trial
from tuner.worker import materials, stages, training
from tuner.worker.engines.plain import PlainEngine
from tuner.worker.features import Backbone

TWO: dict[str, Any] = {
    "backbone": "mobilenet",
    "alpha": 0.25,
    "weights": "mine.weights.h5",
    "batch_size": 16,
    "optimizer": "adam",
    "fine_tune": 0.05,
    "learning_rate": 1e-4,
    "head_epochs": 2,
    "head_learning_rate": 0.01,
}
EPOCHS = 4


def tiny(include_top: bool, weights: str | None, input_shape: tuple[int, int, int], alpha: float) -> keras.Model:
    """Stand for a network of `keras.applications`, of two convolutions: to trace one of 28 takes ten times as long."""
    layers = keras.layers
    x = pixels = keras.Input(input_shape)
    for number, filters in enumerate((6, 10)):
        x = layers.Conv2D(filters, 3, strides=2, use_bias=False, name=f"conv_{number}")(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"norm_{number}")(x))
    network = keras.Model(pixels, x, name="tiny")
    if weights is not None:
        network.load_weights(weights)
    return network


@pytest.fixture(autouse=True)
def _here(in_this_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial finds what another one loaded."""
    monkeypatch.setattr(keras.applications, "MobileNet", tiny)
    monkeypatch.setattr(materials, "_last", {})


@pytest.fixture(scope="module")
def photos() -> Dataset:
    return banded_photos("abc", 36, 26)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(9)
    source = tiny(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25)
    rng = np.random.default_rng(1)
    source.set_weights([one + rng.uniform(0, 0.05, one.shape) for one in source.get_weights()])
    path = tmp_path_factory.mktemp("weights") / "mine.weights.h5"
    source.save_weights(path)
    return path


def job(tmp_path: Path, data: Dataset, file: Path, stop_after: int | None = None, **given: object) -> Job:
    (values,) = read_space({**TWO, **given}, {}, [*FAMILIES["pretrained"].parameters, *RECIPE], {}).grid()
    tmp_path.mkdir(parents=True, exist_ok=True)
    (tmp_path / file.name).write_bytes(file.read_bytes())
    source = Pretrained(tmp_path, (file.name,)).source_hash()
    trial = Trial("pretrained", data.name, data.fingerprint, values, EPOCHS, 4, source=source, stop_after=stop_after)
    folder = save_to_store(data, tmp_path / "data")
    return Job(trial, folder, tmp_path / "models", tmp_path, (file.name,), goes_on=stop_after is not None)


def done(result: object) -> Result:
    assert isinstance(result, Result)
    assert result.status == "completed", result.error
    return result


def told(result: object) -> dict[str, object]:
    """Return what of a result does not depend on the clock."""
    return {name: value for name, value in vars(done(result)).items() if not name.startswith(("seconds", "latency"))}


def test_the_head_learns_alone_as_if_frozen_and_fine_tuning_begins_with_it_at_its_own_rate(
    tmp_path: Path, photos: Dataset, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[list[np.ndarray]] = []
    hand_on = training.hand_on

    def noted(before: Any, after: Any) -> None:
        hand_on(before, after)
        begun.append(after.built.trained.get_weights())
        assert float(after.built.trained.optimizer.learning_rate) == pytest.approx(1e-4)
        assert float(before.built.trained.optimizer.learning_rate) == pytest.approx(0.01)

    monkeypatch.setattr(training, "hand_on", noted)
    one = job(tmp_path, photos, weights)
    whole = done(training.train(one))
    frozen = job(tmp_path, photos, weights, fine_tune=0.0, learning_rate=0.01)
    head = done(training.train(replace(frozen, trial=replace(frozen.trial, epochs=2))))
    for name, curve in head.history.items():
        assert whole.history[name][:2] == curve, name
    assert len(whole.history["loss"]) == EPOCHS
    # The second stage by hand: Keras' fit of the same network, from where the head stood.
    data = materials._last[False][2]
    network = Pretrained(tmp_path, (weights.name,)).network(one.trial.values, photos.shape, 3)
    network.set_weights(begun[0])
    assert len(network.trainable_variables) > 2, "the last layers of the backbone learn, too"
    network.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    orders = list(training.Plan(EPOCHS, 16, 4).orders(data.training.labels))[2:]
    losses = [
        network.fit(data.training.images[o], data.training.labels[o], 16, shuffle=False, verbose=0).history["loss"][0]
        for o in orders
    ]
    np.testing.assert_allclose(whole.history["loss"][2:], losses, rtol=1e-3)


@pytest.mark.parametrize("engine", ["fast", "plain"])
def test_a_training_stopped_in_each_stage_ends_as_one_at_once(
    engine: str, tmp_path: Path, photos: Dataset, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "plain":
        monkeypatch.setattr(training, "engine_for", lambda network, *samples, **given: PlainEngine())
    given = {"dropout": 0.3, "dense_units": 6, "schedule": "cosine", "early_stopping": "val_loss", "patience": 9}

    def watching(stop_after: int | None = None) -> Job:
        one = job(tmp_path, photos, weights, stop_after, **given)
        return replace(one, trial=replace(one.trial, watch=("first",)))

    at_once = told(training.train(replace(watching(), artifacts=tmp_path / "at once" / "models")))
    assert list(at_once["watched"]) == ["dense_1"], "the first layer that learns from the first epoch on"
    epochs = trained(monkeypatch)
    for stop_after in (1, 2, 3) if engine == "fast" else (2, 3):  # within each stage, and at the end of the first
        done(training.train(watching(stop_after)))
    (path,) = (tmp_path / "checkpoints").iterdir()
    sound = dict(np.load(path))
    assert told(training.train(watching())) == at_once
    assert epochs == [1, 2, 3, 4], "no epoch is trained twice"
    assert list((tmp_path / "checkpoints").iterdir()) == [], "nothing goes on from a whole training"
    if engine == "plain":
        return
    epochs.clear()
    np.savez(path, **{**sound, "state_0": np.zeros((3, 5), np.float32)})  # of another network
    assert told(training.train(watching())) == at_once
    assert epochs == [1, 2, 3, 4]


def test_with_augmentation_the_head_learns_alone_on_images_and_the_backbone_stays_as_it_is(
    tmp_path: Path, photos: Dataset, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backbone, "features", None)
    one = job(tmp_path, photos, weights, flip="horizontal")
    source = Pretrained(tmp_path, (weights.name,)).backbone(one.trial.values, photos.shape).get_weights()
    hand_on = training.hand_on

    def noted(before: Any, after: Any) -> None:
        network, later = before.built.trained, after.built.trained
        assert not before.stage.on_features
        for mine, theirs in zip(network.get_layer("backbone").get_weights(), source, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        hand_on(before, after)
        for mine, theirs in zip(later.get_weights(), network.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)

    monkeypatch.setattr(training, "hand_on", noted)
    assert len(done(training.train(replace(one, trial=replace(one.trial, epochs=3)))).history["loss"]) == 3


def test_features_are_those_of_frozen_trials_and_are_not_computed_again(
    tmp_path: Path, photos: Dataset, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(training.train(job(tmp_path, photos, weights, fine_tune=0.0)))
    monkeypatch.setattr(Backbone, "features", None)
    final = job(tmp_path, photos, weights)
    final = replace(final, trial=final.trial.as_final(7, 1))  # its best epoch was one of the head alone
    assert len(done(training.train(final)).history["loss"]) == 1


def test_an_epoch_takes_the_mean_over_both_stages_each_without_its_first_epoch() -> None:
    one = stages.Stage(0, 3, 3, {}, on_features=True)
    other = stages.Stage(3, 5, 2, {}, on_features=False)
    assert stages.seconds_per_epoch([9.0, 1.0, 1.0, 30.0, 6.0], [one, other]) == (3 * 1 + 2 * 6) / 5
    assert stages.seconds_per_epoch([9.0, 2.0, 1.0], [one, other]) == 1.5, "the second was not come to"
    assert stages.seconds_per_epoch([9.0, 2.0, 4.0], [replace(one)]) == 3.0
    assert stages.seconds_per_epoch([9.0], [one]) == 9.0
