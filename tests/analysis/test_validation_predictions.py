"""What search trials answered to their validation images: packed, read again, and kept for the best ones alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tuner.analysis.validation_predictions import LEAST_KEPT, MOST_KEPT, Keeper, load_validation, most_kept, packed
from tuner.errors import CheckError
from tuner.ledger.rows import SearchTrial
from tuner.trial import Record, Result, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of

TRIAL = Trial("ann", "blobs", "0" * 16, {}, epochs=2, seed=0)


def test_packed_probabilities_name_the_same_class_where_two_become_alike() -> None:
    given = np.array([[0.5000001, 0.5], [0.5, 0.5000001], [0.1, 0.9], [0.5, 0.5], [1.0, 0.0]], np.float32)
    small = packed(given)
    assert small.dtype == np.float16
    assert small[:2].argmax(axis=1).tolist() == given[:2].argmax(axis=1).tolist() == [0, 1]
    assert small.argmax(axis=1).tolist() == given.argmax(axis=1).tolist()
    np.testing.assert_allclose(small, given, rtol=1e-3)


def test_random_probabilities_keep_their_class_and_three_digits() -> None:
    given = np.random.default_rng(0).dirichlet(np.full(50, 30.0), 5_000).astype(np.float32)
    small = packed(given)
    assert (given.astype(np.float16).argmax(axis=1) != given.argmax(axis=1)).any(), "nothing becomes alike here"
    np.testing.assert_array_equal(small.argmax(axis=1), given.argmax(axis=1))
    np.testing.assert_allclose(small, given, rtol=1.5e-3)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    file = tmp_path / "kept.npz"
    np.savez_compressed(file, probabilities=np.full((4, 2), 0.5, np.float16))
    return file


def test_what_is_kept_is_read_again(kept: Path) -> None:
    assert load_validation(kept, sha256_of(kept), 4, 2).tolist() == [[0.5, 0.5]] * 4


def test_a_missing_or_damaged_or_unfit_file_is_said_in_one_line(kept: Path, tmp_path: Path) -> None:
    digest = sha256_of(kept)
    with pytest.raises(CheckError, match="5 images"):
        load_validation(kept, digest, 5, 2)
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(CheckError, match="not those that were recorded"):
        load_validation(kept, digest, 4, 2)
    with pytest.raises(CheckError, match="cannot be read"):
        load_validation(kept, sha256_of(kept), 4, 2)
    with pytest.raises(CheckError, match="No such file"):
        load_validation(tmp_path / "gone.npz", digest, 4, 2)


def test_many_images_or_classes_are_kept_for_fewer_trials() -> None:
    assert most_kept(300, 10) == MOST_KEPT
    assert most_kept(10_000, 100) == 250
    assert most_kept(50_000, 1_000) == LEAST_KEPT


class Kept:
    """Trials with files, told to a `Keeper` that keeps two."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.elsewhere: set[str] = set()
        self.keeper = Keeper(folder, lambda trial: 2, lambda name: name in self.elsewhere)

    def finish(self, seed: int, score: float, model: str = "ann", role: str = "search") -> None:
        record = self.record(seed, score)
        artifact_path(self.folder, record.trial.id, "0" * 64, ".validation.npz").touch()
        self.keeper(SearchTrial(model, "blobs", role, seed, record.trial.id), record)

    def record(self, seed: int, score: float) -> Record:
        result = Result("completed", val_accuracy=score, val_loss=1.0, parameters=1, files={"validation": "0" * 64})
        return Record(replace(TRIAL, seed=seed), result)

    def left(self) -> set[int]:
        names = {self.record(seed, 0).trial.id: seed for seed in range(20)}
        return {names[file.name.partition("-")[0]] for file in self.folder.iterdir()}


@pytest.fixture
def trials(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_the_answers_of_the_best_trials_of_each_model_stay(trials: Kept) -> None:
    for seed, score in enumerate((0.5, 0.9, 0.7, 0.6, 0.8)):
        trials.finish(seed, score)
        trials.finish(10 + seed, score / 2, model="cnn")
    assert trials.left() == {1, 4, 11, 14}


def test_a_trial_that_two_models_share_stays_while_it_is_among_the_best_of_one(trials: Kept) -> None:
    for seed, score in enumerate((0.5, 0.9, 0.7)):
        trials.finish(seed, score)
        if seed == 0:
            trials.finish(seed, score, model="the same again")
    assert trials.left() == {0, 1, 2}
    trials.finish(3, 0.8, model="the same again")
    trials.finish(4, 0.8, model="the same again")
    assert trials.left() == {1, 2, 3, 4}


def test_what_another_search_lists_stays(trials: Kept) -> None:
    trials.elsewhere = {trials.record(0, 0.5).trial.id}
    for seed, score in enumerate((0.5, 0.6, 0.7, 0.8)):
        trials.finish(seed, score)
    assert trials.left() == {0, 2, 3}
