"""Tables as users of `import tuner` get them: each column of the narrowest type that holds its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from tuner import columns as col

#: Columns whose kind is known even where every cell is empty.
_WHOLE = (
    col.SEED, col.EPOCHS, col.TRAINED, col.BEST_EPOCH, col.TRAIN_SIZE, col.TEST_SIZE, col.PARAMETERS, col.EPOCH,
    col.REPEATS,
)  # fmt: skip
_REAL = (
    col.SECONDS, col.VAL_ACCURACY, col.VAL_LOSS, col.VAL_UNPENALISED_LOSS, col.RETRAINED_SD, col.DELTA, col.DELTA_LOW,
    col.DELTA_HIGH, col.P_VALUE, col.LEAST_SHOWN, col.CHANCE_AHEAD, col.MCNEMAR, col.VALUE,
)  # fmt: skip


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the narrowest type for each column that holds its values, and its empty cells if any."""
    return frame.astype({name: _kind(str(name), frame[name].tolist()) for name in frame})


def _kind(name: str, values: Sequence[Any]) -> str:
    there = [value for value in values if not pd.isna(value)]
    full = len(there) == len(values)
    if name in _WHOLE:
        return "int64" if full else "Int64"
    if name in _REAL:
        return "float64"
    if not there or not all(isinstance(value, int | float) for value in there):
        return "object"
    if all(isinstance(value, bool) for value in there):
        return "bool" if full else "boolean"
    if any(isinstance(value, bool) for value in there):
        return "object"
    if all(isinstance(value, int) for value in there):
        return "int64" if full else "Int64"
    return "float64"
