"""The data set that comes along, and the names of the classes of all that are known by name."""

from __future__ import annotations

import numpy as np

from tuner.datasets.base import Dataset, checked_dataset
from tuner.datasets.cifar import CIFAR10_NAMES, COARSE_NAMES, FINE_NAMES
from tuner.datasets.kmnist import HIRAGANA
from tuner.datasets.mnist import DIGITS, FASHION_NAMES

#: Names of the classes of data sets that are known by name, for their local `.npz` files too.
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "digits": DIGITS,
    "mnist": DIGITS,
    "fashion_mnist": FASHION_NAMES,
    "kmnist": HIRAGANA,
    "cifar10": CIFAR10_NAMES,
    "cifar100": FINE_NAMES,
    "cifar100_coarse": COARSE_NAMES,
}


def load_digits() -> Dataset:
    """Load scikit-learn's 1,797 handwritten digits of 8x8 pixels, brought from 0…16 to 0…255.

    The first 1,500 images in the file's order train, the last 297 test.
    """
    from sklearn.datasets import load_digits as load

    images, labels = load(return_X_y=True)
    pixels = np.rint(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    cut = 1500
    arrays = {
        "x_train": pixels[:cut],
        "y_train": labels[:cut],
        "x_test": pixels[cut:],
        "y_test": labels[cut:],
    }
    return checked_dataset("digits", arrays, DIGITS, "scikit-learn")
