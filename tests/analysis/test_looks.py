"""How often test images were looked at, counted over all searches of a ledger."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first

from tuner.analysis.looks import Looks, looks_at
from tuner.datasets.base import Dataset


def test_retrainings_of_a_configuration_are_one_model(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    ann, cnn = made.searched("ann", [0.5, 0.6]), made.searched("cnn", [0.7])
    assert looks_at(made.ledger, blobs.fingerprint, made.workspace.store) == Looks(0, 0, ())
    made.retrained("ann", ann[1], [first(40), first(41), first(42)])
    made.retrained("cnn", cnn[0], [first(40)])
    assert looks_at(made.ledger, blobs.fingerprint, made.workspace.store) == Looks(4, 2, ("small",))
    assert looks_at(made.ledger, "0" * 16, made.workspace.store) == Looks(0, 0, ())


def test_the_same_retraining_in_two_searches_is_one_look(tmp_path: Path, blobs: Dataset) -> None:
    for name, model, right in (("earlier", "ann", [40, 41]), ("later", "ann", [40, 41]), ("last", "cnn", [42])):
        made = Project(tmp_path, blobs, name=name)
        made.retrained(model, made.searched(model, [0.5])[0], [first(count) for count in right])
        made.ledger.close()
    made = Project(tmp_path, blobs, name="reads")
    assert looks_at(made.ledger, blobs.fingerprint, made.workspace.store) == Looks(3, 2, ("earlier", "last", "later"))


def test_the_published_protocol_looks_with_every_trial(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, {**RAW, "protocol": "published"})
    made.searched("ann", [0.5, 0.6])
    made.searched("cnn", [0.5, None, 0.7])
    assert looks_at(made.ledger, blobs.fingerprint, made.workspace.store) == Looks(4, 4, ("small",))


def test_what_is_no_trial_is_passed_over(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(40), first(41)])
    with made.ledger._transaction():
        made.ledger._db.execute("UPDATE trials SET content = 'x' WHERE trial = (SELECT max(trial) FROM trials)")
    found = looks_at(made.ledger, blobs.fingerprint, made.workspace.store)
    assert found.scorings in (1, 2)  # the broken row is one of three


def test_scores_on_the_same_test_images_of_a_cleaned_data_set_count(tmp_path: Path, blobs: Dataset) -> None:
    cleaned = replace(blobs, x_train=blobs.x_train[:-10], y_train=blobs.y_train[:-10])
    others = replace(blobs, x_test=255 - blobs.x_test)  # with the same labels
    relabelled = replace(blobs, y_test=np.roll(blobs.y_test, 1))
    assert len({one.fingerprint for one in (blobs, cleaned, others, relabelled)}) == 4
    for name, data in (("on_others", others), ("relabelled", relabelled), ("on_cleaned", cleaned), ("first", blobs)):
        made = Project(tmp_path, data, name=name, train_size=50)
        made.retrained("ann", made.searched("ann", [0.5])[0], [first(40), first(41)])
        made.ledger.close()
    made = Project(tmp_path, blobs, name="reads")
    assert looks_at(made.ledger, blobs.fingerprint, made.workspace.store) == Looks(4, 1, ("first", "on_cleaned"))
    shutil.rmtree(made.workspace.store_of(cleaned.fingerprint))
    assert looks_at(made.ledger, blobs.fingerprint, made.workspace.store) == Looks(2, 1, ("first",))


@pytest.mark.parametrize("models", [2, 5, 20])
def test_flattery_is_the_mean_largest_of_as_many_scores(models: int) -> None:
    rng = np.random.default_rng(0)
    scores = rng.binomial(500, 0.9, (20_000, models)) / 500
    flattered = float((scores.max(axis=1) - 0.9).mean())
    assert Looks(models, models, ()).flattery(0.9, 500) == pytest.approx(flattered, rel=0.06)


def test_a_single_model_is_not_flattered() -> None:
    assert Looks(3, 1, ("digits",)).flattery(0.9, 500) == 0
