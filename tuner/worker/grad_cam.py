"""Where a network sees a class in an image: gradient-weighted class activation maps (Grad-CAM; Selvaraju et al., 2017).

Importing this imports Keras.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.analysis.mistakes import MAPPED, MAPS, MOST_SIDE, to_be_mapped
from tuner.datasets.base import Labels
from tuner.datasets.large import Rows

#: Images in one step at most.
_BATCH = 128
_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
#: What makes of a layer, what it was given and its output another output.
Hook = Callable[[keras.layers.Layer, tuple[Any, ...], Any], Any]


def mistakes_maps(
    network: keras.Model, images: Rows, labels: Labels, probabilities: NDArray[np.float32]
) -> dict[str, NDArray[Any]]:
    """Return heat maps of the misclassified images that are shown, as arrays to be saved.

    Each is of the class that was named; see `tuner.analysis.mistakes.HeatMaps`. Empty where no mistake was made, where
    `grad_cam` knows none, and where the network has diverged.
    """
    mapped = to_be_mapped(labels, probabilities)
    if not len(mapped):
        return {}
    maps = grad_cam(network, images, mapped, probabilities[mapped].argmax(axis=1))
    return (
        {} if maps is None or not np.isfinite(maps).all() else {MAPPED: mapped.astype(np.int32), MAPS: as_bytes(maps)}
    )


def grad_cam(
    network: keras.Model, images: Rows, places: NDArray[np.intp], classes: NDArray[Any]
) -> NDArray[np.float32] | None:
    """Return the Grad-CAM of a class in each of some images, `(m, height, width)`, from 0 upwards.

    It is the positive part of the sum of the last feature maps, each weighted by the mean over all places of the
    gradient of the class' score in front of the softmax. The last feature maps are the last outputs of the height and
    width of the last convolution that has more than one place: behind its normalisation, sum and activation, and in
    front of any pool.

    None of a network without such a convolution, and of one that does not end in a softmax.

    Args:
        network: from raw images to probabilities; it is the same afterwards.
        images: the raw images, `(n, height, width, channels)`.
        places: which of them, `(m,)`.
        classes: of each of those, `(m,)`.
    """
    site = _site(network, np.asarray(images[places[:1]], np.float32))
    if site is None:
        return None
    found = []
    for begin in range(0, len(places), _BATCH):
        here = places[begin : begin + _BATCH]
        fed, wanted = np.asarray(images[here], np.float32), classes[begin : begin + _BATCH]
        if keras.backend.backend() == "jax":  # which compiles each step for every number of images
            missing = min(len(places), _BATCH) - len(here)
            fed, wanted = np.pad(fed, [(0, missing), *[(0, 0)] * (fed.ndim - 1)]), np.pad(wanted, (0, missing))
        features, gradients = _features_and_gradients(network, fed, wanted, site)
        weights = gradients.mean(axis=(1, 2), keepdims=True)
        found.append((weights * features).sum(axis=-1).clip(min=0)[: len(here)])
    return np.concatenate(found)


def as_bytes(maps: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return maps, `(m, height, width)`, small: in at most 8 rows and columns of means, 255 the highest of each."""
    from PIL import Image

    height, width = (-(-side // -(-side // MOST_SIDE)) for side in maps.shape[1:])
    if (height, width) != maps.shape[1:]:
        pictures = (Image.fromarray(one).resize((width, height), Image.Resampling.BOX) for one in maps)
        maps = np.stack([np.asarray(picture) for picture in pictures])
    highest = maps.max(axis=(1, 2), keepdims=True)
    small: NDArray[np.uint8] = np.rint(255 * maps / np.where(highest > 0, highest, 1)).astype(np.uint8)
    return small


@dataclass(frozen=True)
class _Site:
    """Where a network is opened: the call of a layer whose output is the last feature maps, and what makes a softmax.

    `call` counts all calls of layers in one call of the network, from 0; `shape` is the output's, without the batch.
    """

    call: int
    shape: tuple[int, ...]
    softmax: keras.layers.Layer


def _site(network: keras.Model, image: NDArray[np.float32]) -> _Site | None:
    calls: list[tuple[keras.layers.Layer, Any]] = []

    def noted(layer: keras.layers.Layer, _: tuple[Any, ...], output: Any) -> Any:
        calls.append((layer, output))
        return output

    with _hooked(noted):
        answer = network(image, training=False)
    last = next((layer for layer, output in calls if output is answer), None)  # layers within others end first
    convolved = [output for layer, output in calls if isinstance(layer, _CONVOLUTIONS) and _places(output) > 1]
    if last is None or not _is_softmax(last) or not convolved:
        return None
    size = convolved[-1].shape[1:3]
    there = [number for number, (_, output) in enumerate(calls) if _places(output) and output.shape[1:3] == size]
    return _Site(there[-1], tuple(calls[there[-1]][1].shape[1:]), last)


def _is_softmax(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.Softmax) or getattr(layer, "activation", None) is keras.activations.softmax


def _places(output: Any) -> int:
    """Return how many places feature maps have; 0 of an output that is none."""
    shape = tuple(getattr(output, "shape", ()))
    return int(shape[1] * shape[2]) if len(shape) == 4 else 0


def _features_and_gradients(
    network: keras.Model, fed: NDArray[np.float32], classes: NDArray[Any], site: _Site
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the last feature maps of images, and the gradients of their classes' scores, `(m, height, width, k)`."""
    wanted = keras.ops.one_hot(classes, network.output_shape[-1])

    def score(added: Any) -> tuple[Any, Any]:
        """Return the sum of all scores, and the feature maps, with numbers added to the latter."""
        number, features = -1, None

        def opened(layer: keras.layers.Layer, given: tuple[Any, ...], output: Any) -> Any:
            nonlocal number, features
            number += 1
            if number == site.call:
                output = features = output + keras.ops.cast(added, output.dtype)
            return given[0] if layer is site.softmax and isinstance(layer, keras.layers.Softmax) else output

        with _hooked(opened), _without_softmax(site.softmax):
            scores = network(fed, training=False)
        return keras.ops.sum(keras.ops.cast(scores, "float32") * wanted), features

    gradients, features = _gradient(score, keras.ops.zeros((len(fed), *site.shape), "float32"))
    to_numpy = keras.ops.convert_to_numpy
    return np.asarray(to_numpy(features), np.float32), np.asarray(to_numpy(gradients), np.float32)


def _gradient(score: Callable[[Any], tuple[Any, Any]], at: Any) -> tuple[Any, Any]:
    """Return the gradient of the first of what a function returns, and the second."""
    if keras.backend.backend() == "jax":
        import jax

        gradient, features = jax.grad(score, has_aux=True)(at)
        return gradient, features
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:  # so that what comes before is not differentiated
        tape.watch(at)
        value, features = score(at)
    return tape.gradient(value, at), features


@contextlib.contextmanager
def _hooked(hook: Hook) -> Iterator[None]:
    """Let the output of each call of a layer pass through a hook."""
    call = keras.layers.Layer.__call__

    def passed(layer: keras.layers.Layer, *args: Any, **options: Any) -> Any:
        return hook(layer, args, call(layer, *args, **options))

    keras.layers.Layer.__call__ = passed
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = call


@contextlib.contextmanager
def _without_softmax(layer: keras.layers.Layer) -> Iterator[None]:
    """Let a layer whose activation is a softmax give what that is made of."""
    if isinstance(layer, keras.layers.Softmax):
        yield
        return
    layer.activation = keras.activations.linear
    try:
        yield
    finally:
        layer.activation = keras.activations.softmax
