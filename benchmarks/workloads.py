"""The workloads: which configurations are trained for how long on what, the same for every competitor."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sizes import is_smallest, sized
from tuner.datasets import load_dataset
from tuner.protocol import stratified

DATA_DIR = os.environ.get("TUNER_DATA_DIR")
#: Names the folder of the files that `save_images` wrote; competitors find theirs in it.
IMAGES_DIR = "BENCHMARK_IMAGES"

#: Images and labels to fit, and those to validate on.
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Workload:
    """A grid of CNNs; `train` images to fit and `validation` images to score on after every epoch.

    With `dense_at_least_last`, the dense layer is at least as wide as the last convolution.
    """

    name: str
    title: str
    dataset: str
    train: int
    validation: int
    epochs: int
    batch_size: int
    stacks: tuple[tuple[int, ...], ...]
    dense_units: tuple[int, ...]
    dropout: tuple[float, ...]
    padding: str
    shape: tuple[int, int, int]
    dense_at_least_last: bool = False

    def configurations(self) -> list[dict[str, Any]]:
        """Return the configurations in one fixed order."""
        return [
            {"filters": list(stack), "dense_units": units, "dropout": rate}
            for stack in self.stacks
            for units in self.dense_units
            for rate in self.dropout
            if units >= stack[-1] or not self.dense_at_least_last
        ]

    @property
    def file(self) -> Path | None:
        """The `.npz` file with the images of the workload, where there is one."""
        file = Path(os.environ.get(IMAGES_DIR, os.devnull)) / f"{self.name}.npz"
        return file if file.is_file() else None

    def save_images(self, folder: Path) -> None:
        """Write the images as a data set of this tool, which is the same file for every competitor.

        Raises:
            InputError: they are not there.
        """
        x, y = self.images()
        np.savez(folder / f"{self.name}.npz", x_train=x, y_train=y, x_test=x, y_test=y)

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all images of the workload as uint8 `(n, h, w, 1)`, and their labels."""
        if self.file:
            with np.load(self.file) as saved:
                return saved["x_train"], saved["y_train"]
        if is_smallest():  # what is timed then says nothing anyway, and no data set has to be there
            made_up = np.random.default_rng(0).integers(0, 256, (self.train + self.validation, *self.shape))
            return made_up.astype(np.uint8), np.arange(len(made_up)) % 10
        whole = load_dataset(self.dataset, Path(DATA_DIR) if DATA_DIR else None)
        total = self.train + self.validation
        drawn = np.arange(len(whole.y_train))
        if total < len(drawn):
            drawn = stratified(whole.y_train, total, 0)[0]
        return whole.x_train[drawn], whole.y_train[drawn]

    def split(self, seed: int) -> Split:
        """Return images and labels to fit and to validate on, split just as this tool splits `images` at this seed."""
        x, y = self.images()
        held, fit = stratified(y, self.validation, seed)
        return x[fit], y[fit], x[held], y[held]


_WIDTHS = sized((16, 32, 64, 128), (16,))
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "digits36",
            "36 CNNs on 8x8 digits: 6 convolution stacks, 2 dense widths, 3 dropout rates; 1,200 images, 3 epochs",
            "digits", *sized((1200, 300, 3), (80, 20, 1)), 32,
            sized(((8,), (16,), (32,), (8, 16), (16, 16), (16, 32)), ((8,), (8, 16))),
            *sized(((32, 64), (0.0, 0.25, 0.5)), ((32,), (0.25,))), "same", (8, 8, 1),
        ),
        Workload(
            "fashion20",
            "study A's grid of depth 2, 20 CNNs on Fashion-MNIST; 6,400 images, 2 epochs",
            "fashion_mnist", *sized((6400, 1600, 2), (80, 20, 1)), 64,
            tuple((a, b) for a in _WIDTHS for b in _WIDTHS if a <= b), _WIDTHS, (0.5,), "valid", (28, 28, 1),
            dense_at_least_last=True,
        ),
    )
}  # fmt: skip
