"""Where a data set comes from: a name that is known, or a kind of file or folder of the user's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tuner.datasets.base import Dataset, Shape


class NamedDataset(ABC):
    """A data set known by its name, with its image shape and classes, so that a dry run needs none of its data."""

    name: str
    class_names: tuple[str, ...]
    shape: Shape

    @abstractmethod
    def load(self) -> Dataset:
        """Load it, downloading what is not there.

        Raises:
            InputError: it cannot be had.
        """

    def find(self, data_dir: Path) -> Dataset | None:
        """Read its published files in a user's data folder; None where none of them is there.

        Raises:
            InputError: some are missing, or one cannot be read.
        """
        return None


@dataclass(frozen=True)
class Reading:
    """How images are read: brought to this height and width, as grey or colour, without files that cannot be used.

    `store` is where data sets are laid out for workers, in which one that has not changed is found again.
    """

    image_size: tuple[int, int] | None = None
    channels: int | None = None
    skip_bad: bool = False
    store: Path | None = None


class Kind(ABC):
    """A kind of file or folder that holds a data set; `name` and `doc` are what errors and the reference call it."""

    name: ClassVar[str]
    doc: ClassVar[str]

    @abstractmethod
    def takes(self, path: Path) -> bool:
        """Tell whether what lies at `path` is of this kind."""

    @abstractmethod
    def load(self, path: Path, reading: Reading) -> Dataset:
        """Load the data set at `path`.

        Raises:
            InputError: it cannot be read, or holds what is not images and labels.
        """
