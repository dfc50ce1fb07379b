"""`digits`: the data set that comes along with scikit-learn, so that a search needs no download."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.datasets.base import Dataset, Shape, checked_dataset
from tuner.datasets.mnist import DIGITS
from tuner.datasets.source import NamedDataset


@dataclass(frozen=True)
class Digits(NamedDataset):
    """Scikit-learn's 1,797 handwritten digits of 8x8 pixels, brought from 0…16 to 0…255."""

    name: str = "digits"
    class_names: tuple[str, ...] = DIGITS
    shape: Shape = (8, 8, 1)

    def load(self) -> Dataset:
        """Load them: the first 1,500 images in the file's order train, the last 297 test."""
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        pixels = np.rint(images.reshape(-1, *self.shape[:2]) * (255 / 16)).astype(np.uint8)
        cut = 1500
        arrays = {
            "x_train": pixels[:cut],
            "y_train": labels[:cut],
            "x_test": pixels[cut:],
            "y_test": labels[cut:],
        }
        return checked_dataset(self.name, arrays, self.class_names, "scikit-learn")


DIGITS_8X8 = Digits()
