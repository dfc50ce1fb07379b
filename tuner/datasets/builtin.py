"""Data sets known by name: what ships with scikit-learn, and what Keras downloads."""

from __future__ import annotations

import numpy as np

from tuner.datasets.base import Dataset, checked_dataset
from tuner.datasets.cifar import CIFAR10_NAMES, COARSE_NAMES, FINE_NAMES
from tuner.datasets.kmnist import HIRAGANA
from tuner.datasets.published import download_error
from tuner.quiet import import_keras

FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
DIGITS = tuple("0123456789")

#: Names of the classes of data sets that are known by name, for their local `.npz` files too.
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "digits": DIGITS,
    "mnist": DIGITS,
    "fashion_mnist": FASHION,
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


def load_keras(name: str) -> Dataset:
    """Load `mnist` or `fashion_mnist` with Keras' own loader, which downloads and verifies it.

    Raises:
        InputError: the download fails.
    """
    import_keras()
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise download_error(name, error) from error
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return checked_dataset(name, arrays, CLASS_NAMES[name], "Keras' download")
