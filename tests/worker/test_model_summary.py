"""The description of a network, and what its first convolution sees, against what is computed by hand."""

from __future__ import annotations

import json
from math import prod
from typing import Any

import keras
import numpy as np
import pytest
from from_scratch import FROM_SCRATCH

from tuner.families import FAMILIES
from tuner.space.space import read_space
from tuner.worker.model_summary import MOST_FILTERS, describe, first_layer_view


def network_of(family: str, shape: tuple[int, int, int] = (28, 28, 1), **given: object) -> keras.Model:
    (values,) = read_space(given, {}, FAMILIES[family].parameters, {}).grid()
    return FAMILIES[family].network(values, shape, 10)


def evaluated(formula: str) -> int:
    """Compute a formula: a sum of products of whole numbers."""
    return sum(prod(map(int, term.split("·"))) for term in formula.split(" + ")) if formula else 0


VARIANTS: list[Any] = [pytest.param(name, {}, id=name) for name in FROM_SCRATCH] + [
    pytest.param(name, {"batch_norm": not switch.default}, id=f"{name}-batch_norm-{not switch.default}")
    for name, family in FROM_SCRATCH.items()
    for switch in family.parameters
    if switch.name == "batch_norm"
]


@pytest.mark.parametrize(("family", "given"), VARIANTS)
class TestEveryDescription:
    def test_has_formulas_that_give_the_number_of_parameters(self, family: str, given: dict[str, object]) -> None:
        network = network_of(family, **given)
        described = describe(network)
        for layer in described:
            assert evaluated(layer["formula"]) == layer["parameters"], layer
        assert sum(layer["parameters"] for layer in described) == network.count_params()

    def test_lists_every_layer_once_behind_those_that_feed_it(self, family: str, given: dict[str, object]) -> None:
        described = describe(network_of(family, **given))
        seen: list[str] = []
        for layer in described:
            assert set(layer["inputs"]) <= set(seen)
            assert bool(layer["inputs"]) == bool(seen), "only the first has no inputs"
            assert layer["name"] not in seen
            seen.append(layer["name"])
        used = {name for layer in described for name in layer["inputs"]}
        assert set(seen) - used == {"probabilities"}

    def test_can_be_written_as_json(self, family: str, given: dict[str, object]) -> None:
        described = describe(network_of(family, **given))
        assert json.loads(json.dumps(described)) == described


def test_a_small_cnn_is_described_layer_by_layer() -> None:
    described = describe(network_of("cnn", (8, 8, 3), conv_depth=1, filters=4, dense_units=5, pool_last=True))
    keys = ("name", "kind", "shape", "parameters", "formula", "activation", "inputs")
    assert [tuple(layer[key] for key in keys) for layer in described] == [
        ("pixels", "InputLayer", [8, 8, 3], 0, "", "", []),
        ("scale", "Rescaling", [8, 8, 3], 0, "", "", ["pixels"]),
        ("conv_1", "Conv2D", [6, 6, 4], 112, "3·3·3·4 + 4", "", ["scale"]),
        ("conv_1_relu", "Activation", [6, 6, 4], 0, "", "relu", ["conv_1"]),
        ("pool_1", "MaxPooling2D", [3, 3, 4], 0, "", "", ["conv_1_relu"]),
        ("flatten", "Flatten", [36], 0, "", "", ["pool_1"]),
        ("dense_1", "Dense", [5], 185, "36·5 + 5", "", ["flatten"]),
        ("dense_1_relu", "Activation", [5], 0, "", "relu", ["dense_1"]),
        ("probabilities", "Dense", [10], 60, "5·10 + 10", "softmax", ["dense_1_relu"]),
    ]


def test_normalisation_and_convolutions_without_a_bias_have_their_formulas() -> None:
    described = {layer["name"]: layer for layer in describe(network_of("cnn", filters=4, batch_norm=True))}
    assert described["conv_2"]["formula"] == "3·3·4·4"
    assert described["conv_2_norm"]["formula"] == "4·4"


def test_a_shortcut_is_seen_in_the_inputs_of_the_addition() -> None:
    described = {layer["name"]: layer for layer in describe(network_of("resnet"))}
    assert described["add"]["inputs"] == ["conv_4_relu", "shortcut_relu"]
    assert described["shortcut"]["inputs"] == ["pool_1"] == described["conv_2"]["inputs"]
    assert described["shortcut"]["formula"] == "1·1·32·128 + 128"


def nested() -> keras.Model:
    """A user's network as the tool wraps it: a model inside the model, with layers that no family has."""
    layers = keras.layers
    inner = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.SeparableConv2D(4, 3, name="separable"),
            layers.BatchNormalization(scale=False, name="norm"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.PReLU(shared_axes=[1, 2], name="prelu"),
            layers.LayerNormalization(name="layer_norm"),
            layers.Dropout(0.5, name="dropout"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="dense"),
        ]
    )
    pixels = keras.Input((8, 8, 1), name="pixels")
    return keras.Model(pixels, inner(layers.Rescaling(1 / 255, name="scale")(pixels)))


def test_the_layers_of_a_nested_model_stand_in_its_place() -> None:
    network = nested()
    described = describe(network)
    assert [layer["name"] for layer in described] == [
        "pixels", "scale", "separable", "norm", "depthwise", "prelu", "layer_norm", "dropout", "flatten", "dense",
    ]  # fmt: skip
    assert {layer["name"]: layer["formula"] for layer in described if layer["formula"]} == {
        "separable": "3·3·1·1 + 1·1·1·4 + 4",
        "norm": "3·4",
        "depthwise": "3·3·4·1 + 4",
        "prelu": "1·1·4",
        "layer_norm": "4 + 4",
        "dense": "64·10 + 10",
    }
    assert sum(evaluated(layer["formula"]) for layer in described) == network.count_params()
    assert described[3]["inputs"] == ["separable"]
    assert described[-1]["shape"] == [10]
    json.dumps(described)


def test_a_network_of_the_users_own_class_is_described_as_far_as_it_can_be() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.unused = keras.layers.Dense(9, name="unused")
            self.flat, self.dense = keras.layers.Flatten(), keras.layers.Dense(3, name="dense")

        def call(self, x: object) -> object:
            return self.dense(self.flat(x))

    pixels = keras.Input((4, 4, 1), name="pixels")
    _, unused, _, last = describe(keras.Model(pixels, Own()(pixels)))
    assert (unused["name"], unused["formula"], unused["parameters"]) == ("unused", "", 0)
    assert (last["name"], last["formula"], last["shape"], last["inputs"]) == ("dense", "16·3 + 3", [], [])


# --- what the first convolution sees ---

RNG = np.random.default_rng(2)
IMAGES = RNG.integers(0, 256, (20, 7, 6, 2), dtype=np.uint8)
LABELS = np.array([3, 3, 1, 0, 1, 2, 0, 3, 2, 1] * 2)


def convolved(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Cross-correlate by hand, without padding."""
    height, width = images.shape[1] - kernel.shape[0] + 1, images.shape[2] - kernel.shape[1] + 1
    out = np.zeros((len(images), height, width, kernel.shape[-1]))
    for row, column in np.ndindex(kernel.shape[:2]):
        out += images[:, row : row + height, column : column + width] @ kernel[row, column]
    return out


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_outputs_are_those_of_convolution_normalisation_and_activation(batch_norm: bool) -> None:
    network = network_of("cnn", (7, 6, 2), conv_depth=1, filters=5, activation="tanh", batch_norm=batch_norm)
    network.set_weights([w + RNG.uniform(0.1, 0.5, w.shape) for w in network.get_weights()])
    view = first_layer_view(network, IMAGES, LABELS)
    layer = network.get_layer("conv_1")
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    before = convolved(IMAGES[[3, 2, 5, 0]] / 255.0, kernel)
    if batch_norm:
        norm = network.get_layer("conv_1_norm")
        gamma, beta, mean, variance = (keras.ops.convert_to_numpy(weight) for weight in norm.weights)
        before = gamma * (before - mean) / np.sqrt(variance + norm.epsilon) + beta
    else:
        before += keras.ops.convert_to_numpy(layer.bias)
    np.testing.assert_allclose(view["outputs"], np.tanh(before), atol=2e-3)
    np.testing.assert_array_equal(view["filters"], kernel)
    assert (view["outputs"].dtype, view["filters"].dtype) == (np.float16, np.float32)


def test_the_first_image_of_each_class_is_shown() -> None:
    view = first_layer_view(network_of("cnn", (7, 6, 2), conv_depth=1), IMAGES, LABELS)
    assert view["shown_labels"].tolist() == [0, 1, 2, 3]
    first_channel = IMAGES[[3, 2, 5, 0], ..., :1]  # two channels are no colours
    np.testing.assert_array_equal(view["shown"], first_channel)
    assert view["shown"].dtype == np.uint8


def test_at_most_ten_classes_and_sixteen_filters_are_kept() -> None:
    images = RNG.integers(0, 256, (12, 7, 6, 2), dtype=np.uint8)
    view = first_layer_view(network_of("cnn", (7, 6, 2), conv_depth=1, filters=20), images, np.arange(12))
    assert view["shown_labels"].tolist() == list(range(10))
    assert view["filters"].shape == (3, 3, 2, MOST_FILTERS)
    assert view["outputs"].shape == (10, 5, 4, MOST_FILTERS)


@pytest.mark.parametrize("family", FROM_SCRATCH)
def test_of_every_family_the_first_activation_of_the_first_convolution_is_shown(family: str) -> None:
    images = RNG.integers(0, 256, (4, 16, 16, 1), dtype=np.uint8)
    network = network_of(family, (16, 16, 1))
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    view = first_layer_view(network, images, np.arange(4))
    if not convolutions:
        assert view == {}
        return
    behind = network.layers[network.layers.index(convolutions[0]) :]
    activation = next(layer for layer in behind if isinstance(layer, keras.layers.Activation))
    expected = keras.ops.convert_to_numpy(keras.Model(network.input, activation.output)(images))
    np.testing.assert_allclose(view["outputs"], expected[..., :MOST_FILTERS], atol=2e-3)


@pytest.mark.parametrize("functional", [False, True])
def test_the_first_convolution_of_a_nested_model_is_fed_what_comes_before_it(functional: bool) -> None:
    layers = keras.layers
    stack = [layers.Conv2D(5, 3, use_bias=False, name="mine"), layers.BatchNormalization(), layers.Activation("tanh")]
    tail = [layers.Flatten(), layers.Dense(4, activation="softmax")]
    if functional:
        inside = x = keras.Input((7, 6, 2))
        for layer in [*stack, *tail]:
            x = layer(x)
        inner = keras.Model(inside, x)
    else:
        inner = keras.Sequential([keras.Input((7, 6, 2)), *stack, *tail])
    pixels = keras.Input((7, 6, 2), name="pixels")
    network = keras.Model(pixels, inner(layers.Rescaling(1 / 255, name="scale")(pixels)))
    view = first_layer_view(network, IMAGES, LABELS)
    kernel = keras.ops.convert_to_numpy(stack[0].kernel)
    expected = np.tanh(convolved(IMAGES[[3, 2, 5, 0]] / 255.0, kernel) / np.sqrt(1 + stack[1].epsilon))
    np.testing.assert_allclose(view["outputs"], expected, atol=2e-3)
    np.testing.assert_array_equal(view["filters"], kernel)


def test_a_network_without_a_convolution_shows_nothing() -> None:
    assert first_layer_view(network_of("ann", (7, 6, 2)), IMAGES, LABELS) == {}
