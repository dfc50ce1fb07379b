"""What is recorded of a layer while its network trains: gradient norms against their definition, histograms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from from_scratch import FROM_SCRATCH

from tuner.errors import InputError, TrialError
from tuner.families import FAMILIES
from tuner.recipe import RECIPE, compile_network
from tuner.running.dryrun import check_watch
from tuner.search_file.file import parse_search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.overrides import Overrides
from tuner.space.space import read_space
from tuner.worker.engines import Samples
from tuner.worker.probe import Built
from tuner.worker.watch import PROBED, Watcher

RNG = np.random.default_rng(5)
IMAGES = RNG.integers(0, 256, (30, 4, 4, 1), dtype=np.uint8)
LABELS = np.arange(30) % 3
TRAINING = Samples(IMAGES, LABELS)


def network_of(family: str = "ann", shape: tuple[int, int, int] = (4, 4, 1), **given: object) -> keras.Model:
    keras.utils.set_random_seed(3)
    (values,) = read_space(given, {}, [*FAMILIES[family].parameters, *RECIPE], {"dense_units": 5}).grid()
    network = FAMILIES[family].network(values, shape, 3)
    compile_network(network, values)
    return network


def softmax_gradient(network: keras.Model, training: Samples, smoothing: float = 0.0) -> np.ndarray:
    """Return the gradient of the mean cross-entropy with respect to the softmax layer's kernel, by its formula."""
    last = network.layers[-1]
    inputs = np.asarray(keras.Model(network.input, last.input)(training.images), np.float64)
    targets = np.eye(3)[training.labels] * (1 - smoothing) + smoothing / 3
    errors = np.asarray(network(training.images), np.float64) - targets
    return inputs.T @ errors / len(training.labels)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_gradient_norm_of_the_last_layer_is_that_of_the_formula(smoothing: float) -> None:
    network = network_of(label_smoothing=smoothing)
    notes = Watcher(network, ("probabilities",), TRAINING).notes["probabilities"]
    expected = np.linalg.norm(softmax_gradient(network, TRAINING, smoothing))
    assert notes["gradient_norm"] == pytest.approx([expected], rel=1e-4)


@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_the_gradient_norm_of_a_hidden_layer_is_that_of_finite_differences(l2: float) -> None:
    network = network_of(dense_units=2, activation="tanh", l2=l2)
    (found,) = Watcher(network, ("dense_1",), TRAINING).notes["dense_1"]["gradient_norm"]
    kernel = network.get_layer("dense_1").kernel
    start = keras.ops.convert_to_numpy(kernel)

    def loss(at: np.ndarray) -> float:
        kernel.assign(at)
        return float(network.loss(LABELS, network(IMAGES, training=False)) + sum(network.losses))

    slopes = []
    for place in np.ndindex(start.shape):
        step = np.zeros_like(start)
        step[place] = 1e-2
        slopes.append((loss(start + step) - loss(start - step)) / 2e-2)
    assert found == pytest.approx(np.linalg.norm(slopes), rel=1e-2)


def test_gradients_are_taken_over_the_first_images_alone_and_without_dropout() -> None:
    many = Samples(np.repeat(IMAGES, 10, axis=0), np.repeat(LABELS, 10))
    first = Samples(many.images[:PROBED], many.labels[:PROBED])
    network = network_of(dropout=0.5)
    norms = [Watcher(network, ("first",), one).notes["dense_1"]["gradient_norm"] for one in (many, first, many)]
    assert norms[0] == norms[1] == norms[2]
    assert norms[0] != Watcher(network, ("first",), TRAINING).notes["dense_1"]["gradient_norm"]


def test_the_histogram_counts_every_weight_of_the_kernel_between_its_ends() -> None:
    network = network_of()
    kernel = keras.ops.convert_to_numpy(network.get_layer("dense_1").kernel)
    (histogram,) = Watcher(network, ("dense_1",), TRAINING).notes["dense_1"]["kernel"]
    assert (histogram["low"], histogram["high"]) == (kernel.min(), kernel.max())
    assert len(histogram["counts"]) == 60
    assert sum(histogram["counts"]) == kernel.size
    assert histogram["counts"] == np.histogram(kernel.astype(float), bins=60)[0].tolist()


@pytest.mark.parametrize(
    "values",
    [[0.5] * 4, [1.0, 1.0, 1.0, float(np.nextafter(np.float32(1), np.float32(2)))], [1e30, -1e30, 0, 0]],
    ids=["all alike", "neighbours", "far apart"],
)
def test_a_histogram_of_any_finite_kernel_counts_all_of_it(values: list[float]) -> None:
    network = network_of(dense_units=4)
    kernel = network.get_layer("dense_1").kernel
    kernel.assign(np.tile(np.array(values, np.float32), (16, 1)))
    (histogram,) = Watcher(network, ("dense_1",), TRAINING).notes["dense_1"]["kernel"]
    assert sum(histogram["counts"]) == kernel.shape[0] * 4


def test_weights_that_are_not_finite_are_left_out_of_the_histogram() -> None:
    network = network_of(dense_units=4)
    kernel = network.get_layer("dense_1").kernel
    kernel.assign(np.tile(np.array([1.0, np.nan, np.inf, 2.0], np.float32), (16, 1)))
    watcher = Watcher(network, ("dense_1",), TRAINING)
    assert sum(watcher.notes["dense_1"]["kernel"][0]["counts"]) == 16 * 2
    kernel.assign(np.full((16, 4), np.nan, np.float32))
    watcher.note()
    assert watcher.notes["dense_1"]["kernel"][1] == {"low": 0.0, "high": 0.0, "counts": []}


def test_every_note_is_added_and_can_be_written_as_json() -> None:
    network = network_of()
    watcher = Watcher(network, ("first", "dense_1", "probabilities"), TRAINING)
    network.get_layer("dense_1").kernel.assign(np.ones((16, 5)))
    watcher.note()
    assert list(watcher.notes) == ["dense_1", "probabilities"]
    assert {len(values) for notes in watcher.notes.values() for values in notes.values()} == {2}
    assert watcher.notes["dense_1"]["kernel"][1]["counts"][30] == 16 * 5
    assert json.loads(json.dumps(watcher.notes)) == watcher.notes


@pytest.mark.parametrize("family", FROM_SCRATCH)
def test_the_first_layer_with_a_kernel_is_found_in_every_family(family: str) -> None:
    images = RNG.integers(0, 256, (6, 16, 16, 1), dtype=np.uint8)
    network = network_of(family, (16, 16, 1))
    (name,) = (notes := Watcher(network, ("first",), Samples(images, LABELS[:6])).notes)
    assert name == next(layer.name for layer in network.layers if hasattr(layer, "kernel"))
    assert notes[name]["gradient_norm"][0] > 0


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("dens_1",), "watch: no layer with a kernel is named 'dens_1'; did you mean 'dense_1'?"),
        (("dense_1", "flatten"), "is named 'flatten'; known: dense_1, probabilities"),
    ],
)
def test_a_layer_without_a_kernel_is_refused_with_those_that_have_one(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(TrialError) as caught:
        Watcher(network_of(), names, TRAINING)
    assert message in str(caught.value)


def test_the_layers_of_a_users_nested_network_are_found() -> None:
    inner = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3, name="mine")])
    pixels = keras.Input((4, 4, 1))
    network = keras.Model(pixels, keras.layers.Softmax()(inner(keras.layers.Rescaling(1 / 255)(pixels))))
    values: dict[str, Any] = {parameter.name: parameter.default for parameter in RECIPE}
    compile_network(network, values)
    for wanted in ("first", "mine"):
        assert Watcher(network, (wanted,), TRAINING).notes["mine"]["gradient_norm"][0] > 0


def test_a_frozen_layer_is_refused_since_no_gradient_reaches_it() -> None:
    network = network_of(dense_depth=2)
    network.get_layer("dense_2").trainable = False
    with pytest.raises(TrialError, match="the layer 'dense_2' is frozen"):
        Watcher(network, ("dense_1", "dense_2"), TRAINING)


# --- before anything is trained ---


def entry_that_watches(*names: str) -> ModelSearch:
    raw = {
        "title": "A test",
        "dataset": "digits",
        "training": {"epochs": 1},
        "search": [{"family": "ann", "watch": list(names), "space": {"dense_depth": [1, 2]}}],
    }
    return parse_search(raw, "mine", Path(), Overrides(), "").model_searches[0]


BUILT = [Built(10, kernels=("dense_1", "probabilities")), Built(10, kernels=("dense_1", "dense_2", "probabilities"))]


@pytest.mark.parametrize("names", [(), ("first",), ("dense_2", "probabilities")])
def test_a_dry_run_takes_layers_that_some_network_of_the_search_has(names: tuple[str, ...]) -> None:
    check_watch(entry_that_watches(*names), BUILT)
    check_watch(entry_that_watches(*names), [Built(None, "cannot be built")])


def test_a_dry_run_refuses_a_layer_that_no_network_of_the_search_has() -> None:
    with pytest.raises(InputError, match=r"watch of ann: no layer .* named 'dens_2'; did you mean 'dense_2'\?"):
        check_watch(entry_that_watches("first", "dens_2"), BUILT)
