"""Callbacks of the user's own: what they see and may do in a training, and how trials are named by them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import pytest

from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.recipe.own_callbacks import OwnCallbacks
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides
from tuner.space.space import read_space
from tuner.trial import Job, Result, Trial
from tuner.worker import training

HEAD = "import keras\nclass Mine(keras.callbacks.Callback):\n"
MAKE = "def make(trial):\n    return [Mine()]\n"
STOPS = f"{HEAD}    def on_epoch_end(self, epoch, logs=None):\n        self.model.stop_training = epoch == 1\n{MAKE}"
RAISES = f"{HEAD}    def on_epoch_end(self, epoch, logs=None):\n        raise KeyError('lost')\n{MAKE}"
SLOWS = (
    f"{HEAD}    def on_epoch_begin(self, epoch, logs=None):\n        self.model.optimizer.learning_rate = 0.0\n{MAKE}"
)
NOTES = f"""{HEAD}
    def note(self, *told):
        with open({{path!r}}, "a") as file:
            print(*told, file=file)
    def on_train_begin(self, logs=None):
        self.note("begin", self.params["epochs"])
    def on_epoch_begin(self, epoch, logs=None):
        self.note("epoch", epoch)
    def on_epoch_end(self, epoch, logs=None):
        self.note("ended", *sorted(name for name in logs if name in ("accuracy", "val_accuracy")))
    def on_train_end(self, logs=None):
        self.note("end")
{MAKE}"""


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trials run in this process, whose threads TensorFlow has fixed by now."""
    monkeypatch.setattr(training, "set_up_process", lambda *_: None)
    yield
    keras.config.set_dtype_policy("float32")


def trained(folder: Path, data: Dataset, code: str, epochs: int = 3, **changed: Any) -> Result:
    (folder / "calls.py").write_text(code)
    callbacks = OwnCallbacks("calls:make", folder).with_source() if code else None
    (values,) = read_space({}, {}, [*FAMILIES["ann"].parameters, *RECIPE], {"batch_size": 16}).grid()
    named = callbacks.code if callbacks else ""
    trial = Trial("ann", data.name, data.fingerprint, values, epochs=epochs, seed=4, callbacks=named, **changed)
    found = training.train(Job(trial, save_to_store(data, folder / "data"), folder / "models", folder))
    assert isinstance(found, Result)
    return found


def test_a_callback_may_stop_a_training_and_retrainings_stop_there_too(tmp_path: Path, blobs: Dataset) -> None:
    found = trained(tmp_path, blobs, STOPS, epochs=5)
    assert found.status == "completed", found.error
    assert len(found.history["val_accuracy"]) == 2
    assert found.best_epoch == 2
    assert found.val_accuracy == found.history["val_accuracy"][-1]
    assert found.environment["engine"] == "plain"
    assert found.environment["callbacks"] == "calls:make"


def test_a_callback_that_raises_fails_its_trial_in_one_line(tmp_path: Path, blobs: Dataset) -> None:
    found = trained(tmp_path, blobs, RAISES)
    assert found.status == "failed"
    assert found.error == "the callback Mine raised KeyError: 'lost' in on_epoch_end"
    assert not found.transient


def test_a_callback_may_change_the_learning_rate(tmp_path: Path, blobs: Dataset) -> None:
    found = trained(tmp_path, blobs, SLOWS)
    assert found.status == "completed", found.error
    assert len(set(found.history["val_loss"])) == 1  # nothing was learned
    assert len(set(trained(tmp_path, blobs, "").history["val_loss"])) == 3


def test_callbacks_see_one_training_of_all_epochs(tmp_path: Path, blobs: Dataset) -> None:
    notes = tmp_path / "notes.txt"
    assert trained(tmp_path, blobs, NOTES.format(path=str(notes)), epochs=2).status == "completed"
    told = ["begin 2", "epoch 0", "ended accuracy val_accuracy", "epoch 1", "ended accuracy val_accuracy", "end"]
    assert notes.read_text().splitlines() == told


def test_code_that_was_edited_since_is_not_run(tmp_path: Path, blobs: Dataset) -> None:
    (tmp_path / "calls.py").write_text(STOPS)
    before = OwnCallbacks("calls:make", tmp_path).with_source()
    (tmp_path / "calls.py").write_text(SLOWS)
    (values,) = read_space({}, {}, [*FAMILIES["ann"].parameters, *RECIPE], {"batch_size": 16}).grid()
    trial = Trial("ann", "blobs", blobs.fingerprint, values, epochs=1, seed=4, callbacks=before.code)
    found = training.train(Job(trial, save_to_store(blobs, tmp_path / "data"), tmp_path / "models", tmp_path))
    assert "its code is not the code that the search began with" in str(getattr(found, "error", found))


def trial_of(folder: Path, code: str, helper: str = "", **changed: Any) -> Trial:
    (folder / "calls.py").write_text(code)
    (folder / "helper.py").write_text(helper)
    raw = {"title": "x", "dataset": "digits", "training": {"epochs": 1, "callbacks": "calls:make"}}
    search = parse_search({**raw, "search": [{"family": "ann", **changed}]}, "s", folder, Overrides(), "0" * 16)
    one = search.model_searches[0].with_code()
    return search.trial(one, "digits", "0" * 16, {}, None)


def test_trials_are_named_by_the_code_and_by_what_it_imports(tmp_path: Path) -> None:
    first = trial_of(tmp_path, f"import helper\n{MAKE}", "A = 1")
    assert first.id == trial_of(tmp_path, f"import helper\n{MAKE}", "A = 1").id
    assert first.id != trial_of(tmp_path, f"import helper\n{MAKE}", "A = 2").id
    assert first.id != trial_of(tmp_path, f"import helper\n{MAKE}\n", "A = 1").id
    assert Trial.from_json(first.to_json()) == first
    assert first.as_final(1).callbacks == first.callbacks


def test_a_search_may_have_callbacks_of_its_own_or_none(tmp_path: Path) -> None:
    without = trial_of(tmp_path, MAKE, callbacks="")
    assert without.callbacks == ""
    assert "callbacks" not in without.to_json()
    assert trial_of(tmp_path, MAKE, callbacks="helper:make").callbacks.startswith("helper:make ")
