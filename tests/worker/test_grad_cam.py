"""Grad-CAM against maps made by hand: of a network in TensorFlow's functions, or with gradients in closed form."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from from_scratch import FROM_SCRATCH

from tuner.analysis.mistakes import EACH, MAPPED, MAPS, MOST_MAPS, HeatMaps, heat_maps_in, surest_by_cell, to_be_mapped
from tuner.families import FAMILIES
from tuner.space.space import read_space
from tuner.worker.grad_cam import as_bytes, grad_cam, mistakes_maps

layers = keras.layers
RNG = np.random.default_rng(5)
IMAGES = RNG.integers(0, 256, (6, 8, 10, 2), dtype=np.uint8)
CLASSES = np.array([0, 2, 1, 2, 0, 1])
ALL = np.arange(6)


def network_of(family: str, shape: tuple[int, int, int] = (8, 10, 2), **given: object) -> keras.Model:
    keras.utils.set_random_seed(3)
    (values,) = read_space(given, {}, FAMILIES[family].parameters, {}).grid()
    network = FAMILIES[family].network(values, shape, 3)
    noise = np.random.default_rng(3)
    for weight in network.trainable_weights:
        weight.assign(weight + noise.normal(0, 0.3, weight.shape))
    return network


def weights_of(network: keras.Model, name: str) -> list[np.ndarray]:
    return [np.asarray(weight, np.float32) for weight in network.get_layer(name).get_weights()]


def by_hand(network: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return Grad-CAM of scale, convolution, ReLU, 2x2 pool, convolution, ReLU, flatten, dense, ReLU, dense.

    Equation 1 and 2 of Selvaraju and others (2017), an image at a time.
    """
    maps = []
    for image, label in zip(images, classes, strict=True):
        x = tf.constant(image[None].astype(np.float32) / 255)
        kernel, bias = weights_of(network, "conv_1")
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "VALID") + bias)
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        kernel, bias = weights_of(network, "conv_2")
        features = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "VALID") + bias)
        with tf.GradientTape() as tape:
            tape.watch(features)
            hidden_kernel, hidden_bias = weights_of(network, "dense_1")
            hidden = tf.nn.relu(tf.reshape(features, (1, -1)) @ hidden_kernel + hidden_bias)
            last_kernel, last_bias = weights_of(network, "probabilities")
            score = (hidden @ last_kernel + last_bias)[0, int(label)]
        gradient = tape.gradient(score, features).numpy()[0]
        alpha = gradient.mean(axis=(0, 1))
        maps.append(np.maximum((features.numpy()[0] * alpha).sum(axis=-1), 0))
    return np.stack(maps)


def test_the_maps_are_those_made_by_hand() -> None:
    network = network_of("cnn", conv_depth=2, filters=4, dense_units=5)
    found, expected = grad_cam(network, IMAGES, ALL, CLASSES), by_hand(network, IMAGES, CLASSES)
    assert expected.shape == (6, 1, 2)
    assert (expected > 0).any()
    assert (expected == 0).any()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_behind_a_global_average_a_weight_is_that_of_the_dense_layer() -> None:
    """There, Grad-CAM is the class activation map of Zhou and others (2016), but for a factor of 1 / places."""
    network = network_of(
        "cnn", conv_depth=1, filters=4, head="average", dense_depth=0, activation="tanh", padding="same"
    )
    kernel, bias = weights_of(network, "conv_1")
    features = np.tanh(tf.nn.conv2d(IMAGES.astype(np.float32) / 255, kernel, 1, "SAME").numpy() + bias)
    weights = weights_of(network, "probabilities")[0][:, CLASSES].T[:, None, None, :] / 80
    np.testing.assert_allclose(
        grad_cam(network, IMAGES, ALL, CLASSES), (features * weights).sum(axis=-1).clip(min=0), rtol=1e-4, atol=1e-6
    )


def test_only_the_images_that_are_asked_for_have_maps_and_the_network_stays_what_it_is() -> None:
    network = network_of("cnn", conv_depth=2, filters=4, dense_units=5)
    before = network.predict(IMAGES, verbose=0)
    some = grad_cam(network, IMAGES, np.array([1, 4]), CLASSES[[1, 4]])
    np.testing.assert_allclose(some, by_hand(network, IMAGES[[1, 4]], CLASSES[[1, 4]]), rtol=1e-4, atol=1e-6)
    assert network.layers[-1].activation is keras.activations.softmax
    np.testing.assert_array_equal(network.predict(IMAGES, verbose=0), before)


def wrapped(tail: list[keras.layers.Layer]) -> tuple[keras.Model, keras.layers.Conv2D, keras.layers.Dense]:
    """Return a network of the user's own as the tool wraps it, with its convolution and its dense layer."""
    convolution, dense = layers.Conv2D(4, 3, name="mine"), layers.Dense(3)
    body = [convolution, layers.BatchNormalization(), layers.ReLU(), layers.GlobalAveragePooling2D(), dense, *tail]
    inner = keras.Sequential([keras.Input((8, 10, 2)), *body])
    pixels = keras.Input((8, 10, 2), name="pixels")
    return keras.Model(pixels, inner(layers.Rescaling(1 / 255)(pixels))), convolution, dense


@pytest.mark.parametrize("tail", [[layers.Softmax()], [layers.Activation("softmax")]], ids=["softmax", "activation"])
def test_a_nested_network_with_normalisation_and_a_softmax_layer_has_its_maps(tail: list[keras.layers.Layer]) -> None:
    network, convolution, dense = wrapped(tail)
    kernel, bias = (np.asarray(weight) for weight in convolution.get_weights())
    features = tf.nn.conv2d(IMAGES.astype(np.float32) / 255, kernel, 1, "VALID").numpy() + bias
    features = np.maximum(features / np.sqrt(1 + 1e-3), 0)
    weights = np.asarray(dense.get_weights()[0])[:, CLASSES].T[:, None, None, :] / 48
    np.testing.assert_allclose(
        grad_cam(network, IMAGES, ALL, CLASSES), (features * weights).sum(axis=-1).clip(min=0), rtol=1e-4, atol=1e-6
    )


def test_of_a_softmax_within_the_network_nothing_is_taken_away() -> None:
    pixels = keras.Input((8, 10, 2))
    x = layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(pixels))
    x = layers.GlobalAveragePooling2D()(layers.Softmax()(x))
    dense = layers.Dense(3)
    network = keras.Model(pixels, layers.Softmax()(dense(x)))
    features = keras.ops.convert_to_numpy(keras.Model(pixels, network.layers[3].output)(IMAGES))
    np.testing.assert_allclose(features.sum(axis=-1), 1, atol=1e-5)
    weights = np.asarray(dense.get_weights()[0])[:, CLASSES].T[:, None, None, :] / 48
    np.testing.assert_allclose(
        grad_cam(network, IMAGES, ALL, CLASSES), (features * weights).sum(axis=-1).clip(min=0), rtol=1e-4, atol=1e-6
    )


def test_the_last_convolution_that_has_several_places_is_the_one() -> None:
    pixels = keras.Input((8, 10, 2))
    x = first = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(pixels))
    x = layers.Flatten()(layers.Conv2D(5, (6, 8))(x))
    network = keras.Model(pixels, layers.Dense(3, activation="softmax")(x))
    assert grad_cam(network, IMAGES, ALL, CLASSES).shape == (6, *first.shape[1:3])


@pytest.mark.parametrize("family", FROM_SCRATCH)
def test_every_family_with_a_convolution_has_maps_and_the_ann_has_none(family: str) -> None:
    network = network_of(family, (16, 16, 1))
    found = grad_cam(network, RNG.integers(0, 256, (4, 16, 16, 1), dtype=np.uint8), np.arange(4), np.zeros(4, int))
    assert (found is None) == (family == "ann")
    assert found is None or (found.ndim == 3 and np.isfinite(found).all())


def test_a_network_that_has_diverged_has_none() -> None:
    network = network_of("cnn", conv_depth=2, filters=4, dense_units=5)
    probabilities = network.predict(IMAGES, verbose=0)
    network.set_weights([weight * np.nan for weight in network.get_weights()])
    assert mistakes_maps(network, IMAGES, probabilities.argmin(axis=1), probabilities) == {}


def test_a_network_whose_softmax_is_no_layer_has_none() -> None:
    pixels = keras.Input((8, 10, 2))
    x = layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 3)(pixels)))
    assert grad_cam(keras.Model(pixels, keras.ops.softmax(x)), IMAGES, ALL, CLASSES) is None


# --- what is kept of them ---


def test_maps_are_kept_as_bytes_the_highest_of_each_255() -> None:
    maps = np.zeros((3, 2, 2), np.float32)
    maps[0] = [[0, 1], [2, 4]]
    maps[2] = [[1e-4, 0], [0, 0]]
    kept = as_bytes(maps)
    assert kept.tolist() == [[[0, 64], [128, 255]], [[0, 0], [0, 0]], [[255, 0], [0, 0]]]
    assert kept.dtype == np.uint8


def test_large_maps_are_kept_as_means_of_equal_parts() -> None:
    maps = RNG.uniform(0, 1, (2, 14, 28)).astype(np.float32)
    parts = maps.reshape(2, 7, 2, 7, 4).mean(axis=(2, 4))
    expected = 255 * parts / parts.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(as_bytes(maps), expected, atol=0.51)


def test_the_surest_mistakes_of_every_cell_are_mapped() -> None:
    labels = np.array([0, 0, 1, 1, 1])
    probabilities = np.array([[0.2, 0.8], [0.9, 0.1], [0.7, 0.3], [0.8, 0.2], [0.4, 0.6]], np.float32)
    assert surest_by_cell(labels, probabilities) == {(0, 1): [0], (1, 0): [3, 2]}
    assert to_be_mapped(labels, probabilities).tolist() == [0, 2, 3]


def test_no_more_images_are_mapped_than_are_shown() -> None:
    labels = np.zeros(3000, int)
    probabilities = np.tile(np.float32([0.1, 0.9]), (3000, 1))
    assert len(to_be_mapped(labels, probabilities)) == EACH
    many = np.arange(3000) % 60
    wrong = np.eye(60, dtype=np.float32)[(many + 1 + np.arange(3000) // 1500) % 60]
    assert len(to_be_mapped(many, wrong)) == MOST_MAPS


def test_the_maps_of_mistakes_are_of_the_classes_that_were_named() -> None:
    network = network_of("cnn", conv_depth=2, filters=4, dense_units=5)
    probabilities = network.predict(IMAGES, verbose=0)
    named = probabilities.argmax(axis=1)
    labels = np.where(np.arange(6) < 4, (named + 1) % 3, named)
    kept = mistakes_maps(network, IMAGES, labels, probabilities)
    assert kept[MAPPED].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(kept[MAPS].astype(int), as_bytes(by_hand(network, IMAGES[:4], named[:4])), atol=1)
    heat = heat_maps_in(kept, 6)
    assert isinstance(heat, HeatMaps)
    np.testing.assert_array_equal(heat.of(2), kept[MAPS][2])
    assert heat.of(5) is None
    assert mistakes_maps(network, IMAGES, named, probabilities) == {}, "no mistake"
