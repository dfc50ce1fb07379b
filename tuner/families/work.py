"""The work and the weights of a network, counted layer by layer without building it. Free of Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.datasets.base import Shape


class Work:
    """Follows an image through a network and adds up multiply-adds and weights of its convolutions and dense layers.

    Args:
        shape: height, width and channels of the image.
        norm: whether batch normalisation stands behind each layer, with four numbers a channel in place of a bias.
    """

    def __init__(self, shape: Shape, norm: object = False) -> None:
        self.height, self.width, self.channels = shape
        self.norm = bool(norm)
        self.total = 0.0
        self.parameters = 0

    def conv(
        self, filters: float, kernel: float, *, strides: float = 1, padding: object = "same", bias: object = False
    ) -> None:
        """Convolve with square kernels; `bias` keeps a bias in front of batch normalisation."""
        self.pool(kernel, strides, padding)
        self.total += self.height * self.width * kernel**2 * self.channels * filters
        self.parameters += int(kernel**2 * self.channels * filters) + self._beside(int(filters), bias)
        self.channels = int(filters)

    def _beside(self, width: int, bias: object = False) -> int:
        """Return how many weights a layer of this width has beside its kernel."""
        return (4 * width if self.norm else 0) + (width if bias or not self.norm else 0)

    def branch(self) -> Work:
        """Return a way around what follows, which begins here; `join` adds it."""
        return Work((self.height, self.width, self.channels), self.norm)

    def join(self, branch: Work) -> None:
        """Add the multiply-adds and the weights of a branch."""
        self.total += branch.total
        self.parameters += branch.parameters

    def pool(self, size: float, strides: float, padding: object = "valid") -> None:
        """Pool over squares; an image that is too small for them keeps one place."""
        lost = 0 if padding == "same" else int(size) - 1
        self.height = max(1, -(-(self.height - lost) // int(strides)))
        self.width = max(1, -(-(self.width - lost) // int(strides)))

    def average(self) -> None:
        """Take the mean over all places."""
        self.height = self.width = 1

    def dense(self, units: float) -> None:
        """Connect every number with every one of so many units."""
        self._connect(units)
        self.parameters += self._beside(int(units))

    def classify(self, classes: int) -> None:
        """Connect every number with the softmax over the classes, which is never normalised."""
        self._connect(classes)
        self.parameters += classes

    def _connect(self, units: float) -> None:
        self.total += self.height * self.width * self.channels * units
        self.parameters += int(self.height * self.width * self.channels * units)
        self.height, self.width, self.channels = 1, 1, int(units)
