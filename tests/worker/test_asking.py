"""One build of a user's network, and what it asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.errors import InputError
from tuner.families.declared import Declared
from tuner.families.own_space import Asked, Trace
from tuner.space.parameters import Value
from tuner.worker.asking import SpaceQuestion, ask

CODE = """
import sys
import keras
import keras_tuner

class Net(keras_tuner.HyperModel):
    def build(self, hp):
        hp.Int("units", 8, 64, step=8, default=16)
        hp.Choice("kind", ["a", "b"])
        with hp.conditional_scope("kind", ["b"]):
            hp.Float("rate", 1e-4, 1e-1, sampling="log")
        if hp.Boolean("norm", default=True, parent_name="kind", parent_values=["a"]):
            hp.Fixed("fixed", 3)

class Fits(keras_tuner.HyperModel):
    def build(self, hp):
        dense = keras.layers.Dense(3, activation="softmax")
        model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), dense])
        model.compile(hp.Choice("way", ["sgd", "adam"]), "sparse_categorical_crossentropy")
        return model

    def fit(self, hp, model, *args, **options):
        options["batch_size"] = hp.Choice("batch_size", [8, 16])
        return model.fit(*args, shuffle=hp.Boolean("shuffle"), **options)

def fails(hp, classes):
    hp.Int("units", 1, classes)
    raise ValueError("no such network")

def leaves(hp):
    hp.Boolean("norm")
    sys.exit(3)

def twice(hp):
    hp.Int("units", 8, 64, step=8)
    hp.Int("units", 8, 64, step=8)
    hp.Int("units", 16, 32)
    hp.Int("units", 16, 32)

def flips(hp):
    hp.Choice("flip", ["none", "horizontal"])

def looks_up(hp):
    hp.get("width") + hp["learning_rate"]

def looks_up_nothing(hp):
    hp.get("depth")
"""


def asked(folder: Path, name: str, **answers: Value) -> Trace:
    found = tried(folder, name, **answers)
    assert isinstance(found, Trace)
    return found


def tried(folder: Path, name: str, **answers: Value) -> object:
    (folder / "own_asking.py").write_text(CODE)
    return ask(SpaceQuestion(f"own_asking:{name}", folder, (8, 8, 1), 3, answers, {"learning_rate": 0.1}))


UNITS = Declared("units", "Int", (), 8, 64, 8, default=16)
KIND = Declared("kind", "Choice", ("a", "b"), default="a")
RATE = Declared("rate", "Float", (), 1e-4, 1e-1, None, "log", 1e-4, ways=((("kind", ("b",)),),))
NORM = Declared("norm", "Boolean", default=True, ways=((("kind", ("a",)),),))
FIXED = Declared("fixed", "Fixed", (3,), default=3)


def test_what_is_asked_for_is_told_in_order_as_it_is_declared_with_its_value(tmp_path: Path) -> None:
    trace = asked(tmp_path, "Net")
    assert trace.asked == (
        Asked(UNITS, 16),
        Asked(KIND, "a"),
        Asked(RATE, None),
        Asked(NORM, True),
        Asked(FIXED, 3),
    )
    assert trace.active == {"units": 16, "kind": "a", "norm": True, "fixed": 3}


def test_it_is_answered_and_what_is_not_active_has_no_value(tmp_path: Path) -> None:
    trace = asked(tmp_path, "Net", units=64, kind="b", rate=0.01, norm=True)
    assert trace.active == {"units": 64, "kind": "b", "rate": 0.01}


@pytest.mark.parametrize(("name", "active"), [("fails", {"units": 1}), ("leaves", {"norm": False})])
def test_a_build_that_fails_tells_what_it_asked_for_before(tmp_path: Path, name: str, active: dict[str, Value]) -> None:
    trace = asked(tmp_path, name)
    assert trace.failed
    assert trace.active == active


def test_another_range_for_the_same_name_is_noted_once(tmp_path: Path) -> None:
    trace = asked(tmp_path, "twice")
    assert [one.declared.low for one in trace.asked] == [8]
    assert trace.notes == (
        "own_asking:twice: asks for 'units' twice, as 8 to 64, step=8 and as 16 to 32: the first counts, as in "
        "KerasTuner",
    )


def test_what_is_looked_up_has_the_value_of_file_or_recipe(tmp_path: Path) -> None:
    assert asked(tmp_path, "looks_up", width=4).active == {"width": 4, "learning_rate": 0.1}
    assert asked(tmp_path, "looks_up_nothing").failed


def test_what_a_fit_of_its_own_asks_for_is_told_too(tmp_path: Path) -> None:
    trace = asked(tmp_path, "Fits", batch_size=16)
    assert not trace.failed
    assert trace.active == {"way": "sgd", "batch_size": 16, "shuffle": False}


def test_a_setting_of_the_recipe_that_a_network_has_no_use_for_is_refused(tmp_path: Path) -> None:
    error = tried(tmp_path, "flips")
    assert isinstance(error, InputError)
    assert "asks for 'flip', which is a setting of the recipe" in str(error)


def test_a_module_that_is_not_there_is_the_users_error(tmp_path: Path) -> None:
    assert isinstance(ask(SpaceQuestion("nowhere_at_all:build", tmp_path, (8, 8, 1), 3, {}, {})), InputError)
