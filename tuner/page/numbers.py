"""Values of tables as JSON holds them: plain, short, and without what JSON has no word for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from tuner.text import visible

#: Significant digits of a number: more than any figure shows.
_DIGITS = 6


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: text without what cannot be seen, numbers short, what is no number as None.

    Lists, tuples, arrays and dicts are made plain all through.
    """
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {plain(key): plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(held) for held in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return short(value)
    return value if isinstance(value, bool | int) else None


def short(value: float) -> float | int | None:
    """Return a number with six significant digits, as a whole one where it is; None where it is not finite."""
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def records(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return the rows of a table, each a dict by column; none of a table that is not there."""
    return [] if frame is None else [plain(row) for row in frame.to_dict("records")]
