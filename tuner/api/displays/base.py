"""What all displays have in common: they draw, and they return the numbers that they draw."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tuner.figures.style import report_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


class Display(ABC):
    """What all displays have in common.

    Attributes:
        ax_: the axes that were drawn into last.
        figure_: their figure.
    """

    ax_: Axes
    figure_: Figure | SubFigure
    #: Of a figure of its own, in inches.
    _size: ClassVar[tuple[float, float]] = (5.6, 4.4)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw, into a new figure unless `ax` is given, and return this display.

        Args:
            ax: where to.
            kwargs: what matplotlib's lines, bars, points or image are to have.
        """
        if ax is None:
            from matplotlib import pyplot

            # Outside of the style: the first figure of a notebook changes settings that are to last.
            figure = pyplot.figure(figsize=self._size, layout="constrained", facecolor="white")
            with report_style():
                self.plot(figure.add_subplot(), **kwargs)
                figure.draw_without_rendering()  # what is made while drawing, such as ticks, is in the style too
            return self
        with report_style():
            self._draw(ax, **kwargs)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._about})"

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return the numbers that are drawn, as the files beside the report hold them."""

    @property
    @abstractmethod
    def _about(self) -> str:
        """What is drawn, in words."""

    @abstractmethod
    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        """Draw into these axes."""
