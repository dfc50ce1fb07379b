"""What a family is: a kind of network, its parameters, and how values become a Keras model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tuner.space.parameters import Layered, Parameter, Values

if TYPE_CHECKING:
    import keras
    import keras_tuner

    from tuner.datasets.base import Shape


class Family(ABC):
    """A kind of network. A subclass names its parameters and builds the network for their values."""

    name: ClassVar[str]
    label: ClassVar[str]
    parameters: ClassVar[tuple[Parameter | Layered, ...]]

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

    def work(self, values: Values, shape: Shape, classes: int) -> float:
        """Return the multiply-adds of one image's way through the network, by which long trials are told from short.

        0 for a network that only building it can tell about. The arguments are those of `network`.
        """
        return 0.0

    def hypermodel(self, shape: Shape, classes: int) -> keras_tuner.HyperModel:
        """Return the family as a compiled `keras_tuner.HyperModel`, to be used with plain KerasTuner."""
        from tuner.families.hypermodel import FamilyHyperModel

        return FamilyHyperModel(self, shape, classes)
