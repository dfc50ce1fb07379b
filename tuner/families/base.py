"""What a family is: a kind of network, its parameters, and how values become a Keras model."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from tuner.errors import InputError
from tuner.families.work import Work
from tuner.space.parameters import Layered, Parameter, Values
from tuner.system.files import is_a

if TYPE_CHECKING:
    import keras
    import keras_tuner

    from tuner.datasets.base import Shape
    from tuner.space.space import Space


def files_in(folder: Path, names: Iterable[str], key: str, remedy: str) -> dict[str, Path]:
    """Return where files of a user's own lie in a folder, by their names.

    Args:
        folder: that of the search file.
        names: as the search file gives them.
        key: of the search file, under which they stand.
        remedy: what else than putting a missing file there would help.

    Raises:
        InputError: one is not there, or is no file.
    """
    found = {name: folder / name for name in names}
    for name, path in found.items():
        if not is_a(Path.is_file, path):
            problem = "is not a file" if is_a(os.path.lexists, path) else "is not there"
            raise InputError(f"{key} {name!r}", problem, f"put it at {path}, or {remedy}")
    return found


class Family(ABC):
    """A kind of network. A subclass names its parameters and builds the network for their values.

    `files` are those that it reads, in the folder of the search file, by their names.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    parameters: ClassVar[tuple[Parameter | Layered, ...]]
    files: tuple[str, ...] = ()

    @abstractmethod
    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the uncompiled network.

        Args:
            values: a value for every active parameter of the family.
            shape: height, width and channels of an image.
            classes: how many classes the softmax tells apart.

        Returns:
            A model from raw pixels, `(n, *shape)` from 0 to 255, to probabilities, `(n, classes)`.

        Raises:
            TrialError: these values cannot be built on images of this shape.
        """

    def reading(self, space: Space) -> Self:
        """Return the same with the files that the values of a space name, for one whose parameters name any."""
        return self

    def own_files(self) -> dict[str, Path]:
        """Return where `files` lie, by their names.

        Raises:
            InputError: one is not there.
        """
        return {}

    def source_hash(self) -> str:
        """Return a hash of what it is beside this package's code: of the user's code, and of files; empty for nothing.

        All of it is read whenever this is asked.

        Raises:
            InputError: something of it is not there.
        """
        return ""

    def work(self, values: Values, shape: Shape, classes: int) -> float:
        """Return the multiply-adds of one image's way through the network, by which long trials are told from short.

        0 for a network that only building it can tell about. The arguments are those of `network`.
        """
        counted = self.counted(values, shape, classes)
        return counted.total if counted else 0.0

    def counted(self, values: Values, shape: Shape, classes: int) -> Work | None:
        """Return the weights and the multiply-adds of the network; None where only building it can tell.

        The weights are all that Keras counts, those that do not learn among them. The arguments are those of `network`.
        """
        return None

    def hypermodel(self, shape: Shape, classes: int) -> keras_tuner.HyperModel:
        """Return the family as a compiled `keras_tuner.HyperModel`, to be used with plain KerasTuner."""
        from tuner.families.hypermodel import FamilyHyperModel

        return FamilyHyperModel(self, shape, classes)
