"""The objectives by name. A new one needs its file and a line here."""

from __future__ import annotations

from tuner.objective.accuracy import Accuracy
from tuner.objective.base import Objective

__all__ = ["ACCURACY", "OBJECTIVES", "Objective", "objective_of"]

ACCURACY = Accuracy()
OBJECTIVES: dict[str, Objective] = {objective.name: objective for objective in (ACCURACY,)}


def objective_of(code: str) -> Objective:
    """Return the objective that a trial names by `Objective.code`.

    Raises:
        ValueError: there is none.
    """
    if not code:
        return ACCURACY
    if code not in OBJECTIVES:
        raise ValueError(f"no objective is named {code!r}")
    return OBJECTIVES[code]
