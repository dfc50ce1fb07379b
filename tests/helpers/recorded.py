"""Results as a run records them, for tests that care about one or two of their fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tuner.ledger.rows import CURVES
from tuner.trial import Result


def whole(result: Result, epochs: int = 1) -> Result:
    """Return a completed trial of a search with whatever a run would also have written of it."""
    length = len(next(iter(result.history.values()), [0.5] * epochs))
    missing: dict[str, Any] = {
        name: value
        for name, value in (("parameters", 10), ("val_accuracy", 0.5), ("val_loss", 1.0))
        if getattr(result, name) is None
    }
    curves = {**{name: [0.5] * length for name in CURVES}, **result.history}
    return replace(result, **missing, history=curves)


def whole_final(result: Result) -> Result:
    """Return the same of a retraining."""
    missing: dict[str, Any] = {
        name: value
        for name, value in (("parameters", 10), ("test_accuracy", 0.5), ("test_loss", 1.0))
        if getattr(result, name) is None
    }
    return replace(result, **missing, files={"model": "ab" * 32, "predictions": "cd" * 32, **result.files})
