"""One style for every figure: colours that colour-blind readers can tell apart, light grid, direct labels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from tuner.text import shortened

#: Okabe and Ito's palette without its yellow, which is too light for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
Dash = tuple[int, tuple[float, ...]]
_DASHES: tuple[Dash, ...] = ((0, ()), (0, (4, 1.5)))
_MARKERS = ("o", "D", "s", "^", "P", "*", "X")
#: Longer names are cut in figures; tables have all of them.
_LONGEST_NAME = 32
#: How high a row of a legend is, in inches.
LEGEND_ROW = 0.2
#: Images of up to so many pixels a side are drawn at least twice as large.
_ENLARGED = 40
#: Light to dark in one hue, for counts.
SEQUENTIAL = "Blues"
#: Blue over white to red, for signed values.
DIVERGING = "RdBu_r"

_RC: dict[Any, Any] = {
    "text.parse_math": False,  # a dollar sign in a class name is a dollar sign
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
}


@contextmanager
def report_style() -> Iterator[None]:
    """Draw in the report's style, whatever the user's own matplotlib settings are."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a letter of a class name: an empty box
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, sizes in inches; it belongs to no window and no global state."""
    return Figure(figsize=(width, height), layout="constrained")


def short(name: str) -> str:
    """Return a name as a figure has room for it: in one line, its end cut off where it is long."""
    return shortened(" ".join(name.split()), _LONGEST_NAME)


def colour(index: int) -> str:
    """Return the colour of series `index`."""
    return COLOURS[index % len(COLOURS)]


def dash(index: int) -> Dash:
    """Return the line style of series `index`: another one when the colours begin again."""
    return _DASHES[index // len(COLOURS) % len(_DASHES)]


def marker(index: int) -> str:
    """Return the marker of the points of series `index`, so that colour is not all that tells series apart.

    Where the colours begin again, each comes with another marker.
    """
    return _MARKERS[(index + index // len(COLOURS)) % len(_MARKERS)]


def legend_grid(inches: float, labels: Sequence[str]) -> tuple[int, int]:
    """Return in how many columns and rows names stand above axes that are nearly as wide as their figure."""
    columns = max(1, min(len(labels), int((inches - 1) / (0.7 + 0.08 * max(map(len, labels))))))
    return columns, -(-len(labels) // columns)


def whole_numbers(axis: Axis) -> None:
    """Put the ticks of an axis on whole numbers, as those of epochs."""
    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def plain_decades(axis: Axis) -> None:
    """Write the ticks of a logarithmic axis as plain numbers, 0.001: powers need the markup that is switched off.

    Call it when the data are drawn: over less than two decades, ticks stand at 2 and 5 as well.
    """
    low, high = axis.get_view_interval()
    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.12g}"))
    axis.set_minor_formatter(NullFormatter())


def in_pixels(side: int) -> str:
    """Return matplotlib's interpolation for an image of so many pixels a side that is a small part of a figure.

    Small ones are enlarged there, and show their pixels as they are: sharp, and a third as large as smoothed ones.
    """
    return "nearest" if side <= _ENLARGED else "auto"


def panels(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` panels, each of this size in inches, two in a row so that they stay legible."""
    across = min(2, count)
    down = -(-count // across)
    figure = new_figure(width * across, height * down)
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for unused in axes[count:]:
        unused.set_axis_off()
    return figure, axes[:count]
