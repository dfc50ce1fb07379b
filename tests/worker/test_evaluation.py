"""How many images a network looks at in one step where it learns nothing."""

from __future__ import annotations

import gc
import importlib
from typing import Any

import keras
import numpy as np
import pytest

from tuner.datasets.large import most_images
from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.space.space import read_space
from tuner.worker import evaluation, preloaded
from tuner.worker.evaluation import evaluation_batch


def network_of(shape: tuple[int, ...], **given: object) -> keras.Model:
    (values,) = read_space(given, {}, [*FAMILIES["cnn"].parameters, *RECIPE], {}).grid()
    return FAMILIES["cnn"].network(values, shape, 3)


@pytest.mark.parametrize(
    ("shape", "given", "batch"),
    [
        ((8, 8, 1), {"filters": 32, "padding": "same"}, 1000),  # its largest layer hands on 8·8·32 numbers
        ((28, 28, 1), {"filters": 16, "padding": "valid"}, 4_000_000 // (26 * 26 * 16)),
        ((28, 28, 1), {"filters": 64, "padding": "same"}, 4_000_000 // (28 * 28 * 64)),
        ((28, 28, 1), {"filters": 512, "padding": "same"}, 32),
    ],
)
def test_is_so_large_that_its_largest_layer_hands_on_four_million_numbers(
    shape: tuple[int, ...], given: dict[str, object], batch: int
) -> None:
    assert evaluation_batch(network_of(shape, conv_depth=1, dense_units=8, **given), shape) == batch


def test_is_never_more_than_images_of_the_shape_allow() -> None:
    shape = (256, 256, 3)
    network = keras.Sequential([keras.Input(shape), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)])
    assert evaluation_batch(network, shape) == most_images(shape) == 62


def test_counts_the_layers_of_a_network_within_a_network() -> None:
    pixels = keras.Input((28, 28, 1))
    inner = keras.Sequential([keras.layers.Conv2D(64, 3, padding="same"), keras.layers.GlobalAveragePooling2D()])
    network = keras.Model(pixels, keras.layers.Dense(3)(inner(pixels)))
    assert evaluation_batch(network, (28, 28, 1)) == 4_000_000 // (28 * 28 * 64)


def test_of_a_network_that_tells_nothing_of_its_layers_the_shape_alone_counts() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def call(self, images: Any) -> Any:
            return keras.ops.mean(images, axis=(1, 2))

    assert evaluation_batch(Own(), (28, 28, 1)) == most_images((28, 28, 1))


def test_a_gpu_is_given_more_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of((28, 28, 1), conv_depth=1, filters=128, padding="same", dense_units=8)
    before = evaluation_batch(network, (28, 28, 1))
    monkeypatch.setattr(evaluation, "device", lambda: "NVIDIA H100")
    assert before < evaluation_batch(network, (28, 28, 1)) == 64_000_000 // (28 * 28 * 128)


def test_what_is_predicted_is_the_same_whatever_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    from tuner.worker.saving import predict

    keras.utils.set_random_seed(1)
    network = network_of((8, 8, 1), conv_depth=1, filters=4, dense_units=8)
    images = np.random.default_rng(0).integers(0, 256, (70, 8, 8, 1)).astype(np.uint8)
    whole = predict(network, images)
    monkeypatch.setattr("tuner.worker.saving.evaluation_batch", lambda network, shape: 32)
    np.testing.assert_allclose(predict(network, images), whole, rtol=1e-4, atol=1e-6)


def test_what_workers_share_with_their_server_is_not_looked_through_for_garbage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: done.append(gc.isenabled()))
    importlib.reload(preloaded)
    assert done == [True]
