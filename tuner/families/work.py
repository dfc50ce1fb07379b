"""The work of a network, counted layer by layer without building it. Free of Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.datasets.base import Shape


class Work:
    """Follows an image through a network and adds up the multiply-adds of its convolutions and dense layers.

    Args:
        shape: height, width and channels of the image.
    """

    def __init__(self, shape: Shape) -> None:
        self.height, self.width, self.channels = shape
        self.total = 0.0

    def conv(self, filters: float, kernel: float, *, strides: float = 1, padding: object = "same") -> None:
        """Convolve with square kernels."""
        self.pool(kernel, strides, padding)
        self.total += self.height * self.width * kernel**2 * self.channels * filters
        self.channels = int(filters)

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
        self.total += self.height * self.width * self.channels * units
        self.height, self.width, self.channels = 1, 1, int(units)
