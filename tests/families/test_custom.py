"""A user's own network, in a file of theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuner.errors import InputError, TrialError
from tuner.families import get_family

MODELS = '''
import sys
import keras
from keras import layers
import keras_tuner

def build(hp):
    """As KerasTuner's tutorials write it: fixed input, compiled, pixels taken as they come."""
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()])
    model.add(layers.Dense(hp.Int("units", 4, 64, step=4), activation=hp.Choice("activation", ["relu", "tanh"])))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile("adam", "categorical_crossentropy")
    return model

def scaled(hp, shape, classes):
    pixels = keras.Input(shape)
    x = layers.Flatten()(layers.Rescaling(1 / 255)(pixels))
    return keras.Model(pixels, layers.Dense(classes, activation="softmax")(x))

class Net(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

def nothing(hp): pass
def leaves(hp): sys.exit("bye")
def wide(hp): return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(5)])
def large(hp): return keras.Sequential([keras.Input((9, 9, 1)), layers.Flatten(), layers.Dense(3)])
number = 3

def flips(hp, shape, classes):
    hp.Choice("flip", ["none", "horizontal"])
    return build(hp)

def compiles(hp):
    hp.Float("learning_rate", 1e-4, 1e-1)
    hp.Choice("batch_size", [8, 16])
    return build(hp)
'''


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    # One module name per test: an imported module stays imported.
    name = "mine_" + "".join(c if c.isalnum() else "_" for c in request.node.name)
    (tmp_path / f"{name}.py").write_text(MODELS)
    return tmp_path


def family(folder: Path, attribute: str):
    (module,) = folder.glob("mine_*.py")
    return get_family(f"{module.stem}:{attribute}", folder)


@pytest.mark.parametrize("attribute", ["build", "Net"])
def test_functions_and_hypermodels_are_built_with_the_values_of_the_search(folder: Path, attribute: str) -> None:
    built = family(folder, attribute).own_network({"units": 12}, (8, 8, 1), 3)
    assert built.model.count_params() == 64 * 12 + 12 + 12 * 3 + 3
    assert built.asked.keys() == {"units", "activation"}


def test_scaling_is_put_in_front_of_a_network_that_has_none(folder: Path) -> None:
    network = family(folder, "build").network({"units": 4}, (8, 8, 1), 3)
    assert [type(layer).__name__ for layer in network.layers][:2] == ["InputLayer", "Rescaling"]


def test_a_network_that_scales_is_left_as_it_is_and_may_ask_for_shape_and_classes(folder: Path) -> None:
    network = family(folder, "scaled").network({}, (6, 6, 3), 4)
    assert network.output_shape == (None, 4)
    white = np.full((1, 6, 6, 3), 255, np.uint8)
    scales = [layer for layer in network._flatten_layers(include_self=False) if type(layer).__name__ == "Rescaling"]
    assert len(scales) == 1
    assert network.predict(white, verbose=0).shape == (1, 4)


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        ("nothing", "returned NoneType, not a keras.Model"),
        ("leaves", "called sys.exit"),
        ("wide", r"gives an output of shape \(None, 5\), not \(None, 3\)"),
        ("large", "does not take images of shape"),
    ],
)
def test_networks_that_cannot_be_used_fail_their_trial_with_a_reason(
    folder: Path, attribute: str, message: str
) -> None:
    with pytest.raises(TrialError, match=message):
        family(folder, attribute).network({}, (8, 8, 1), 3)


def test_what_the_loop_that_trains_does_is_not_for_a_network_to_ask_for(folder: Path) -> None:
    with pytest.raises(InputError, match="asks for 'flip', which is a setting of the recipe"):
        family(folder, "flips").network({"units": 4, "flip": "none"}, (8, 8, 1), 3)


def test_a_network_may_ask_for_what_compile_takes_and_for_the_batch_size(folder: Path) -> None:
    values = {"units": 4, "learning_rate": 0.01, "batch_size": 8, "flip": "none"}
    built = family(folder, "compiles").own_network(values, (8, 8, 1), 3)
    assert built.asked.keys() == {"units", "activation", "learning_rate", "batch_size"}


@pytest.mark.parametrize(
    ("attribute", "message"),
    [("bild", "did you mean 'build'"), ("number", "is not a function")],
)
def test_paths_that_lead_nowhere_are_the_users_error(folder: Path, attribute: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        family(folder, attribute).network({}, (8, 8, 1), 3)


@pytest.mark.parametrize("path", ["a b:c", ":x", "m:", "../m:x", "m:x.y"])
def test_paths_must_be_dotted_names(path: str) -> None:
    with pytest.raises(InputError, match=r"package\.module:name"):
        get_family(path)


def test_an_edited_network_is_another_trial(folder: Path) -> None:
    mine = family(folder, "build")
    before = mine.source_hash()
    assert mine.source_hash() == before
    (module,) = folder.glob("mine_*.py")
    module.write_text(MODELS + "# edited\n")
    assert mine.source_hash() == family(folder, "build").source_hash() != before


def test_a_build_after_its_modules_are_forgotten_is_as_in_a_fresh_process(tmp_path: Path) -> None:
    (tmp_path / "mine_forgotten.py").write_text(
        """
import keras
from mine_forgotten_base import BASE

def build(hp, shape, classes):
    pixels = keras.Input(shape)
    x = BASE(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels)))
    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))
"""
    )
    (tmp_path / "mine_forgotten_base.py").write_text(
        """
import keras
BASE = keras.layers.Dense(2, kernel_initializer="ones")
"""
    )
    mine = get_family("mine_forgotten:build", tmp_path)
    kernel = mine.network({}, (2, 2, 1), 3).trainable_weights[0]
    kernel.assign(kernel * 5)  # as a training does
    assert (mine.network({}, (2, 2, 1), 3).get_weights()[0] == 5).all(), "the layer stands outside of build"
    mine.forget_modules()
    assert (mine.network({}, (2, 2, 1), 3).get_weights()[0] == 1).all()


def test_a_hypermodel_that_trains_by_itself_is_given_its_parameters(folder: Path) -> None:
    (module,) = folder.glob("mine_*.py")
    code = "    def fit(self, hp, model, *args, **options):\n        return hp.get('units'), args\n"
    module.write_text(f"{MODELS}\nclass Own(Net):\n{code}")
    assert family(folder, "Net").own_network({"units": 4}, (8, 8, 1), 3).fit is None
    network = family(folder, "Own").own_network({"units": 4}, (8, 8, 1), 3)
    assert network.trains_itself
    assert network.fit is not None
    assert network.fit(network.inner, "images") == (4, ("images",))


def test_a_model_in_place_of_a_hypermodel_is_said(folder: Path) -> None:
    (module,) = folder.glob("mine_*.py")
    module.write_text(f"{MODELS}\nclass Own(keras.Model): ...\n")
    with pytest.raises(InputError, match=r"is a keras\.Model, not a function build\(hp\) or a HyperModel"):
        family(folder, "Own").network({"units": 4}, (8, 8, 1), 3)


def test_a_module_that_is_not_there_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no module 'nowhere'"):
        get_family("nowhere:build", tmp_path).source_hash()
