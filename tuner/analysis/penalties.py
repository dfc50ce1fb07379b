"""Losses with and without penalties: whether a trial recorded both, and whether they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tuner import columns as col
from tuner.trial import Record

#: What the loss of a network's answers alone is called.
LOSS_WITHOUT_PENALTIES = "loss without penalties"
#: Losses that are nearer to each other than this are the same, added up in another order.
_ROUNDING = 1e-5


def unpenalised_val_loss(record: Record) -> float | None:
    """Return the validation loss without penalties of the epoch that counts; None where it was not recorded."""
    return record.result.validated(col.VAL_UNPENALISED_LOSS)


def any_penalised(records: Iterable[Record]) -> bool:
    """Return whether penalties made a difference to the loss of any of these trials, as far as they recorded it."""
    return any(losses_differ(record.result.history) for record in records)


def losses_differ(history: Mapping[str, Sequence[float]]) -> bool:
    """Return whether the losses with and without penalties of a trial differ, as far as it recorded them."""
    pairs = ((col.LOSS, col.UNPENALISED_LOSS), (col.VAL_LOSS, col.VAL_UNPENALISED_LOSS))
    return any(
        not np.allclose(history[whole], history[alone], rtol=_ROUNDING, atol=_ROUNDING)
        for whole, alone in pairs
        if whole in history and alone in history
    )
