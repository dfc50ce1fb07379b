"""Long-tailed data sets: a balanced one with exponentially fewer training images from class to class.

As in "Class-Balanced Loss Based on Effective Number of Samples" (Cui and others, 2019), where such a set is named with
`LT`: of C classes, class c keeps n·μ^(c / (C − 1)) images. Those that come first are kept, so that nothing is drawn.
All test images stay, and they stay balanced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.datasets.base import Dataset, Shape, checked_dataset
from tuner.datasets.downloadable import DownloadableDataset
from tuner.datasets.mnist import FASHION_MNIST
from tuner.datasets.npz import load_npz
from tuner.datasets.source import NamedDataset
from tuner.system.files import is_a


@dataclass(frozen=True)
class LongTailed(NamedDataset):
    """A data set `of` which the first class keeps `most` training images and the last one `least`.

    >>> FASHION_MNIST_LT.counts()
    (5000, 2997, 1797, 1077, 646, 387, 232, 139, 83, 50)
    """

    name: str
    class_names: tuple[str, ...]
    shape: Shape
    of: DownloadableDataset
    most: int
    least: int

    def counts(self) -> tuple[int, ...]:
        """Return how many training images each class keeps."""
        last = len(self.class_names) - 1
        return tuple(round(self.most * (self.least / self.most) ** (c / last)) for c in range(last + 1))

    def load(self) -> Dataset:
        """Load the balanced one and keep the images that count; see `NamedDataset.load`."""
        return self._kept(self.of.load())

    def find(self, data_dir: Path) -> Dataset | None:
        """Read the balanced one in a user's data folder, from its `.npz` file or as it is published."""
        file = data_dir / f"{self.of.name}.npz"
        if is_a(Path.is_file, file):
            return self._kept(load_npz(file, self.of.name, self.of.class_names))
        whole = self.of.find(data_dir)
        return self._kept(whole) if whole else None

    def _kept(self, whole: Dataset) -> Dataset:
        of_class = [np.flatnonzero(whole.y_train == c)[:count] for c, count in enumerate(self.counts())]
        kept = np.sort(np.concatenate(of_class))
        arrays: dict[str, Any] = {
            "x_train": whole.x_train[kept],
            "y_train": whole.y_train[kept],
            "x_test": whole.x_test,
            "y_test": whole.y_test,
        }
        found = checked_dataset(self.name, arrays, self.class_names, whole.source)
        return replace(found, source=f"{len(kept):,} training images of {self.of.name}, {whole.source}")


FASHION_MNIST_LT = LongTailed(
    "fashion_mnist_lt", FASHION_MNIST.class_names, FASHION_MNIST.shape, FASHION_MNIST, most=5_000, least=50
)
