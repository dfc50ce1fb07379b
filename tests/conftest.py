"""Small data sets and search files that many tests use."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest

from tuner.datasets.base import Dataset, checked_dataset


@pytest.fixture
def blobs() -> Dataset:
    """Three classes of 8x8 images that a tiny network tells apart in a few steps: a bright third of the rows."""
    rng = np.random.default_rng(7)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 3
        images = rng.integers(0, 60, (count, 8, 8))
        for image, label in zip(images, labels, strict=True):
            image[label * 3 : label * 3 + 2] += 150
        return images.astype(np.uint8), labels

    x_train, y_train = draw(120)
    x_test, y_test = draw(45)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return checked_dataset("blobs", arrays, ("top", "middle", "bottom"))


@pytest.fixture
def blobs_npz(tmp_path: Path, blobs: Dataset) -> Path:
    """The same as a file `blobs.npz`."""
    path = tmp_path / "blobs.npz"
    np.savez(
        path,
        x_train=blobs.x_train,
        y_train=blobs.y_train,
        x_test=blobs.x_test,
        y_test=blobs.y_test,
        class_names=np.array(blobs.class_names),
    )
    return path


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """No file of this process can grow beyond so many bytes for a while: what a full disk is like."""

    @contextmanager
    def limited(most: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
