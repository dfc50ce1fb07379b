"""Making an ensemble of saved models: one file whose answers are the weighted mean of theirs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tuner import protocol
from tuner.analysis.ensemble import Part
from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.space.space import read_space
from tuner.trial import ENSEMBLE, Job, Trial, artifact_path
from tuner.untrusted.saved_model import checked_model
from tuner.worker.training import train

pytestmark = pytest.mark.usefixtures("in_this_process")


def members(folder: Path, data: Dataset, families: tuple[str, ...]) -> list[tuple[Part, Path]]:
    """Save an untrained network of each family, and return the parts with where the files lie."""
    import keras

    found = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(families):
        family = FAMILIES[name]
        values = next(read_space({}, {}, [*family.parameters, *RECIPE], {}).grid())
        keras.utils.set_random_seed(number)
        path = folder / f"{number}.keras"
        family.network(values, data.shape, len(data.class_names)).save(path)
        found.append((Part(f"{number:016x}", f"{number + 10:016x}", number + 1), path))
    return found


def ensemble(data: Dataset, parts: list[Part], **change: object) -> Trial:
    told = " ".join(f"{part.weight}*{part.searched}:{part.final}" for part in parts)
    trial = Trial(ENSEMBLE, data.name, data.fingerprint, {"members": told}, 1, 3, role="final")
    return replace(trial, **change)  # type: ignore[arg-type]


def job_of(folder: Path, data: Dataset, trial: Trial, models: list[tuple[Path, int]]) -> Job:
    store = save_to_store(data, folder / "data")
    return Job(trial, store, folder / "models", members=tuple(models))


def test_the_saved_file_answers_the_weighted_mean_of_its_members(tmp_path: Path, blobs: Dataset) -> None:
    import keras

    made = members(tmp_path / "members", blobs, ("ann", "ann", "cnn"))
    trial = ensemble(blobs, [part for part, _ in made], hold_out=0.2)
    result = train(job_of(tmp_path, blobs, trial, [(path, part.weight) for part, path in made]))
    assert not isinstance(result, Exception)
    assert (result.status, result.error) == ("completed", "")
    path = artifact_path(tmp_path / "models", trial.id, result.files["model"], ".keras")
    saved = checked_model(path)  # as `verify` and `predict` see it
    assert not saved.is_compiled
    images = blobs.x_test[protocol.test_images(trial, blobs.y_test)]
    singles = [keras.models.load_model(path) for _, path in made]
    weights = np.array([part.weight for part, _ in made])
    mean = np.average([one.predict(images, verbose=0) for one in singles], axis=0, weights=weights)
    answers = keras.models.load_model(path, safe_mode=True).predict(images, verbose=0)
    np.testing.assert_allclose(answers, mean, atol=1e-6)
    assert result.test_accuracy == (answers.argmax(axis=1) == blobs.y_test).mean()
    assert result.parameters == sum(one.count_params() for one in singles)
    kept = np.load(artifact_path(tmp_path / "models", trial.id, result.files["predictions"], ".npz"))
    np.testing.assert_allclose(kept["probabilities"], answers, atol=1e-6)
    held = protocol.training_images(trial, blobs)[1]
    held_answers = keras.models.load_model(path).predict(blobs.x_train[held], verbose=0)
    assert result.val_accuracy == (held_answers.argmax(axis=1) == blobs.y_train[held]).mean()
    assert result.history["val_accuracy"] == [result.val_accuracy]
    again = train(job_of(tmp_path, blobs, trial, [(path, part.weight) for part, path in made]))
    assert not isinstance(again, Exception)
    assert again.files == result.files  # the same bytes


@pytest.mark.parametrize("broken", ["no file of Keras", "logits"])
def test_what_cannot_be_a_member_fails_the_ensemble_in_a_line(tmp_path: Path, blobs: Dataset, broken: str) -> None:
    import keras

    made = members(tmp_path / "members", blobs, ("ann", "ann"))
    if broken == "logits":
        pixels = keras.Input(blobs.shape)
        outputs = keras.layers.Dense(3, bias_initializer="ones")(keras.layers.Flatten()(pixels))
        keras.Model(pixels, outputs).save(made[0][1])
    else:
        made[0][1].write_bytes(b"PK and nothing else")
    trial = ensemble(blobs, [part for part, _ in made])
    result = train(job_of(tmp_path, blobs, trial, [(path, part.weight) for part, path in made]))
    assert not isinstance(result, Exception)
    assert result.status == "failed"
    assert (
        "no probabilities" if broken == "logits" else "plain Keras cannot load the model of its member"
    ) in result.error
