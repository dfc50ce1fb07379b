"""How many images a network is given at a time where it learns nothing: after each epoch, and on test images.

Importing this imports Keras.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras

from tuner.datasets.large import most_images
from tuner.worker.multiply_adds import largest_layer
from tuner.worker.surroundings import device

#: A layer hands on about so many numbers at a time. More takes memory and no less time: on a core, 6,400 images of
#: Fashion-MNIST take a CNN of 128-128 filters as long in batches of 32 as of 1,000, with 900 MB less.
_MOST_ON_A_CPU = 4_000_000
#: A GPU wants more to do at once.
_MOST_ON_A_GPU = 64_000_000
#: Fewer images than these are no gain: training keeps what all layers hand on for as many.
_FEWEST = 32


def evaluation_batch(network: keras.Model, shape: Sequence[int]) -> int:
    """Return how many images, or features, of a shape a network looks at in one step where it learns nothing.

    >>> import keras
    >>> pixels = keras.Input((28, 28, 1))
    >>> convolved = keras.layers.Conv2D(64, 3)(pixels)  # 26·26·64 numbers for an image
    >>> network = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(convolved))
    >>> evaluation_batch(network, (28, 28, 1))
    92
    """
    most = _MOST_ON_A_CPU if device() == "cpu" else _MOST_ON_A_GPU
    return min(most_images(shape), max(_FEWEST, most // max(1, largest_layer(network))))
