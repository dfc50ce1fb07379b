"""What a section is, and the markdown and pictures that all of them are made of."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
from tabulate import tabulate

from tuner.analysis.findings import Findings
from tuner.text import escape, setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Section:
    """A part of the report: markdown under a heading; its pictures and its tables by file name.

    Whoever looks for a section looks for its `key`: a heading is words, which may change.
    """

    key: str
    heading: str
    markdown: str
    figures: dict[str, Figure] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


__all__ = [
    "DASH", "Section", "SectionMaker", "escape", "folded", "number", "p_text", "picture", "plus_minus", "png",
    "setting", "signed", "table", "with_mark",
]  # fmt: skip

#: Makes a section of what was found, or None where there is nothing to say.
SectionMaker = Callable[[Findings], Section | None]

DASH = "–"
#: A picture of more colours than this holds photographs.
_COLOURS_OF_A_DRAWING = 10_000


def table(rows: Sequence[Sequence[object]], headers: Sequence[str], text_columns: int = 1) -> str:
    """Return a markdown table; the first `text_columns` columns are aligned to the left, numbers to the right."""
    align = ["left"] * text_columns + ["right"] * (len(headers) - text_columns)
    return tabulate(
        [[cell if isinstance(cell, str) else DASH if cell is None else str(cell) for cell in row] for row in rows],
        headers=list(headers),
        tablefmt="pipe",
        colalign=align if rows else None,
        disable_numparse=True,
    )


def number(value: float | None, digits: int = 4) -> str:
    """Return a score with `digits` decimals, or a dash where it is not defined."""
    return DASH if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 4) -> str:
    """Return a difference with its sign, or a dash."""
    return DASH if value is None or not math.isfinite(value) else f"{value:+.{digits}f}".replace("-", "−")


def plus_minus(mean: float, sd: float | None) -> str:
    """Return a mean with its standard deviation, where there is one."""
    return number(mean) if sd is None else f"{mean:.4f} ± {sd:.4f}"


def p_text(p: float) -> str:
    """Return a p-value in words that can follow the letter p."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def folded(summary: str, body: str) -> str:
    """Return markdown that opens when a reader asks for it."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def with_mark(score: float | None, stuck: bool) -> str:
    """Return a score, marked † where its trial never left chance."""
    return number(score) + (" †" if stuck else "")


def picture(name: str, caption: str) -> str:
    """Return the markdown of a picture with its caption under it."""
    return f"![{escape(caption)}]({name})\n\n*{escape(caption)}*"


def png(figure: Figure) -> bytes:
    """Return a picture so that the same content gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, bbox_inches="tight", metadata={"Software": None})
    return with_palette(buffer.getvalue())


def with_palette(picture: bytes) -> bytes:
    """Return a PNG with at most 256 colours as one of a byte a pixel, which is less than half as large.

    A drawing has few colours beside the shades of its edges, so that none moves far; a sheet of colour photographs has
    tens of thousands, and stays as it is.
    """
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    if image.getcolors(_COLOURS_OF_A_DRAWING) is None:
        return picture
    buffer = io.BytesIO()
    few = image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
