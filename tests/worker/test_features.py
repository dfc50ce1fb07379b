"""Features of a frozen backbone: computed once, in pieces, for all trials; heads trained on them are whole networks."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from made_up import banded_photos

from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.errors import LostError
from tuner.families import FAMILIES, get_family
from tuner.families.pretrained import Pretrained
from tuner.protocol import training_images
from tuner.recipe import RECIPE
from tuner.space.space import read_space
from tuner.trial import Job, Result, Trial, artifact_path
from tuner.worker import features, materials, stages, training
from tuner.worker.features import Backbone, Features

SMALL: dict[str, Any] = {"backbone": "mobilenet", "alpha": 0.25, "weights": "mine.weights.h5", "batch_size": 16}


@pytest.fixture(autouse=True)
def _here(in_this_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial finds what another one loaded."""
    monkeypatch.setattr(materials, "_last", {})


@pytest.fixture(scope="module")
def photos() -> Dataset:
    return banded_photos("abcd", 40, 28)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a backbone, whose moving means and variances are none that it begins with."""
    keras.utils.set_random_seed(9)
    source = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25)
    rng = np.random.default_rng(1)
    source.set_weights([one + rng.uniform(0, 0.05, one.shape) for one in source.get_weights()])
    path = tmp_path_factory.mktemp("weights") / "mine.weights.h5"
    source.save_weights(path)
    return path


def job(tmp_path: Path, data: Dataset, file: Path | None = None, **given: object) -> Job:
    fixed = {**SMALL, **given}
    (values,) = read_space(fixed, {}, [*FAMILIES["pretrained"].parameters, *RECIPE], {}).grid()
    tmp_path.mkdir(parents=True, exist_ok=True)
    source, files = "", ()
    if file is not None:
        (tmp_path / file.name).write_bytes(file.read_bytes())
        files = (file.name,)
        source = Pretrained(tmp_path, files).source_hash()
    trial = Trial("pretrained", data.name, data.fingerprint, values, epochs=2, seed=4, source=source)
    return Job(trial, save_to_store(data, tmp_path / "data"), tmp_path / "models", tmp_path, files)


def done(result: object) -> Result:
    assert isinstance(result, Result)
    assert result.status == "completed", result.error
    return result


def pieces(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "features").glob("*/*.npz"))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images went through a backbone, each time that any did."""
    found: list[int] = []
    of = Backbone.features

    def counted(self: Backbone, images: Any) -> Any:
        found.append(len(images))
        return of(self, images)

    monkeypatch.setattr(Backbone, "features", counted)
    return found


def test_the_saved_model_is_whole_and_answers_as_the_head_that_was_trained_on_features(
    tmp_path: Path, photos: Dataset, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[keras.Model] = []
    give = training.give_head
    monkeypatch.setattr(training, "give_head", lambda network, head: (heads.append(head), give(network, head)))
    one = job(tmp_path, photos, weights, dense_units=8)
    final = replace(one, trial=one.trial.as_final(7))
    result = done(training.train(final))
    path = artifact_path(final.artifacts, final.trial.id, result.files["model"], ".keras")
    saved = keras.models.load_model(path, safe_mode=True)
    family = get_family("pretrained", tmp_path)
    assert isinstance(family, Pretrained)
    backbone = family.backbone(final.trial.values, photos.shape)
    on_features = heads[0].predict(backbone.predict(photos.x_test, verbose=0), verbose=0)
    whole = saved.predict(photos.x_test, verbose=0)
    np.testing.assert_allclose(whole, on_features, atol=1e-5)
    assert result.parameters == saved.count_params()
    for ours, theirs in zip(saved.get_layer("backbone").get_weights(), backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert result.test_accuracy == float((whole.argmax(axis=1) == photos.y_test).mean())


def test_a_head_on_features_learns_what_the_whole_network_learns(
    tmp_path: Path, photos: Dataset, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = job(tmp_path, photos, weights)
    on_features = done(training.train(one))
    monkeypatch.setattr(stages, "is_on_features", lambda *_: False)
    monkeypatch.setattr(materials, "_last", {})
    seeded = training._build

    def as_the_head(family: Any, trial: Trial, data: Dataset, values: Any) -> Any:
        network = seeded(family, trial, data, values)
        training.draw_from(trial.seed, everything=False)
        training.give_head(network.model, family.head(trial.values, 256, 4))
        return network

    monkeypatch.setattr(training, "_build", as_the_head)
    whole = done(training.train(one))
    for name, curve in on_features.history.items():
        np.testing.assert_allclose(curve, whole.history[name], atol=1e-4, err_msg=name)
    assert on_features.parameters == whole.parameters


def test_features_are_computed_once_for_trials_retrainings_and_searches(
    tmp_path: Path, photos: Dataset, weights: Path, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "PIECE", 10)
    one = job(tmp_path, photos, weights)
    done(training.train(one))
    assert computed == [10, 10, 8]
    assert pieces(tmp_path) == ["train-0.npz", "train-10.npz", "train-20.npz"]
    build = Pretrained.backbone
    monkeypatch.setattr(Pretrained, "backbone", None)  # nothing is built any more
    others = [{"dense_units": 5}, {"dropout": 0.5}, {"batch_size": 7}]
    for given in others:
        done(training.train(job(tmp_path, photos, weights, **given)))
    published = replace(one.trial, protocol="published")
    monkeypatch.setattr(Pretrained, "backbone", build)
    done(training.train(replace(one, trial=one.trial.as_final(5))))
    assert computed == [10, 10, 8]
    done(training.train(replace(one, trial=published)))
    assert computed == [10, 10, 8, 10, 2], "those of the test images, which it validates on"
    computed.clear()
    done(training.train(job(tmp_path, photos, weights, pooling="max")))
    assert computed == [10, 10, 8], "others"


def test_after_a_kill_the_rest_are_computed_and_what_is_damaged_is_computed_again(
    tmp_path: Path, photos: Dataset, weights: Path, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "PIECE", 10)
    one = job(tmp_path, photos, weights)
    before = done(training.train(one))
    (folder,) = (tmp_path / "features").iterdir()
    computed.clear()
    damages: list[Any] = [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-50]),
        lambda path: np.savez(path, features=np.zeros((3, 256), np.float32)),
        lambda path: np.savez(path, features=np.full((10, 256), np.nan, np.float32)),
        lambda path: np.savez(path, features=np.ones(10, np.float32)),
        lambda path: (path.unlink(), os.mkfifo(path)),
    ]
    for damage in damages:
        damage(folder / "train-10.npz")
        monkeypatch.setattr(materials, "_last", {})
        after = done(training.train(one))
        assert after.history == before.history
        assert computed == [10]
        computed.clear()
        if not (folder / "train-10.npz").is_file():
            (folder / "train-10.npz").unlink()
    (folder / "about.json").write_text(json.dumps({"parameters": "many"}))
    monkeypatch.setattr(materials, "_last", {})
    assert done(training.train(one)).history == before.history


def test_random_weights_are_those_of_the_trials_seed(tmp_path: Path, photos: Dataset, computed: list[int]) -> None:
    one = job(tmp_path, photos, weights="none")
    done(training.train(one))
    assert len(computed) == 1
    other = replace(one, trial=replace(one.trial, seed=5))
    done(training.train(other))
    assert len(computed) == 2
    final = replace(one, trial=one.trial.as_final(6))
    result = done(training.train(final))
    assert len(computed) == 3
    path = artifact_path(final.artifacts, final.trial.id, result.files["model"], ".keras")
    saved = keras.models.load_model(path)
    found = [np.load(file)["features"] for file in (tmp_path / "features").glob("*/train-0.npz")]
    mine = saved.get_layer("backbone").predict(photos.x_train, verbose=0)
    same = [np.allclose(mine, one, rtol=1e-3, atol=0) for one in found]  # random networks give tiny numbers
    assert sorted(same) == [False, False, True], "the saved backbone is that of its features"


@pytest.mark.parametrize(
    "given", [{"fine_tune": 0.3}, {"flip": "horizontal"}, {"mixup": 0.2}, {"precision": "mixed_bfloat16"}], ids=str
)
def test_where_images_differ_or_the_backbone_learns_the_whole_network_is_trained(
    given: dict[str, Any], tmp_path: Path, photos: Dataset, weights: Path, computed: list[int]
) -> None:
    result = done(training.train(job(tmp_path, photos, weights, **given)))
    assert computed == []
    assert len(result.history["loss"]) == 2


def test_weights_that_were_changed_since_the_search_began_end_it(
    tmp_path: Path, photos: Dataset, weights: Path
) -> None:
    one = job(tmp_path, photos, weights)
    (tmp_path / weights.name).write_bytes(b"others")
    with pytest.raises(LostError, match="is not what it was when the search began"):
        raise_(training.train(one))
    (tmp_path / weights.name).unlink()
    with pytest.raises(LostError, match="is not there"):
        raise_(training.train(one))


def raise_(result: object) -> None:
    if isinstance(result, Exception):
        raise result
    raise AssertionError(result)


def _compute(folder: Path, images: np.ndarray, noted: Path) -> None:
    class Slow:
        output_shape = (None, 3)

        def count_params(self) -> int:
            return 12

        def __call__(self, given: np.ndarray) -> np.ndarray:
            with noted.open("a") as file:
                file.write(f"{given[0, 0]}\n")
            return given[:, :3] * 2.0

    found = Features(folder, Backbone(Slow)).of("train", images)
    np.testing.assert_array_equal(found, images[:, :3] * 2.0)


def test_what_was_used_longest_ago_makes_room_and_what_is_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Doubling:
        def __call__(self, images: Any) -> Any:
            return images * 2.0

        def count_params(self) -> int:
            return 7

    def used(name: str) -> Features:
        found = Features(tmp_path / "runs" / "features" / name, Backbone(Doubling))
        assert found.parameters() == 7
        found.of("train", np.ones((400, 4), np.float32))  # 6,400 bytes and some
        return found

    first, second, third = (f"{number:016x}-{number:016x}" for number in range(3))
    folder = tmp_path / "runs" / "features"
    (tmp_path / "elsewhere").mkdir()
    used(first)
    (folder / f"{9:016x}-{9:016x}").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(features, "MOST_BYTES", 15_000)
    used(second)
    for name, hours in ((first, 3), (second, 2)):
        then = time.time() - 3600 * hours
        os.utime(folder / name / "about.json", (then, then))
    used(first)  # again, which makes it the later one
    used(third)
    assert (folder / second).is_dir(), "there was room when it came"
    monkeypatch.setattr(features, "MOST_BYTES", 1)
    used(f"{4:016x}-{4:016x}")
    left = {path.name for path in folder.iterdir()}
    assert left == {first, third, f"{4:016x}-{4:016x}", f"{9:016x}-{9:016x}"}, "those of this hour stay"
    assert used(second).of("train", np.ones((400, 4), np.float32)).shape == (400, 4)


def test_several_processes_share_the_work_and_none_is_done_twice(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "features" / "x"
    images = np.arange(4_500 * 4, dtype=np.float32).reshape(-1, 4)
    context = multiprocessing.get_context("fork")
    others = [context.Process(target=_compute, args=(folder, images, tmp_path / "noted")) for _ in range(3)]
    for process in others:
        process.start()
    for process in others:
        process.join(120)
        assert process.exitcode == 0
    batches = (tmp_path / "noted").read_text().split()
    assert len(batches) == len(set(batches)) == 4_500 // 50


def test_folds_share_the_features_of_the_whole_training_set(
    tmp_path: Path, photos: Dataset, weights: Path, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "PIECE", 10)
    one = job(tmp_path, photos, weights)
    parts = replace(one.trial, folds=2).parts
    fits, held = zip(*(training_images(part, photos) for part in parts), strict=True)
    assert sorted(np.concatenate(held)) == list(range(28)), "each image is held out once"
    on_features = [done(training.train(replace(one, trial=part))) for part in parts]
    assert computed == [10, 10, 8], "the second fold finds what the first one had computed"
    (folder,) = (tmp_path / "features").iterdir()
    whole = np.concatenate([np.load(folder / f"train-{begin}.npz")["features"] for begin in (0, 10, 20)])
    family = get_family("pretrained", tmp_path)
    assert isinstance(family, Pretrained)
    backbone = family.backbone(one.trial.values, photos.shape)
    np.testing.assert_allclose(whole, backbone.predict(photos.x_train, verbose=0), rtol=1e-4, atol=1e-5)
    for part, fit, out in zip(parts, fits, held, strict=True):
        monkeypatch.setattr(materials, "_last", {})
        given = materials.materials_of(replace(one, trial=part), family)
        np.testing.assert_array_equal(given.training.images, whole[fit])
        assert given.validation is not None
        np.testing.assert_array_equal(given.validation.images, whole[out])
    assert on_features[0].history != on_features[1].history
