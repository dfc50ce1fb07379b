"""The objectives by name. A new one needs its file and a line here."""

from __future__ import annotations

from functools import cache

from tuner.objective.accuracy import Accuracy
from tuner.objective.base import Objective
from tuner.objective.log_loss import LogLoss
from tuner.objective.macro import BALANCED_ACCURACY, MACRO_AVERAGE_PRECISION, MACRO_F1, MACRO_ROC_AUC
from tuner.objective.one_class import OF_A_CLASS, OfAClass
from tuner.objective.own import OwnObjective, is_path, recorded_objective
from tuner.objective.told import TOLD_FORMS, ToldObjective, is_told, recorded_told

__all__ = [
    "ACCURACY",
    "FORMS",
    "OBJECTIVES",
    "OWN_FORM",
    "TOLD_FORMS",
    "Objective",
    "OwnObjective",
    "ToldObjective",
    "is_path",
    "is_told",
    "objective_of",
]

ACCURACY = Accuracy()
OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (ACCURACY, BALANCED_ACCURACY, MACRO_F1, MACRO_ROC_AUC, MACRO_AVERAGE_PRECISION, LogLoss())
}
#: How those of one class are written.
FORMS = tuple(f"{kind}:CLASS" for kind in OF_A_CLASS)
#: How a function of the user's own is written.
OWN_FORM = "package.module:name"


def objective_of(code: str) -> Objective:
    """Return the objective of this name, or that a trial names by `Objective.code`.

    Raises:
        ValueError: there is none.
    """
    if not code:
        return ACCURACY
    if code in OBJECTIVES:
        return OBJECTIVES[code]
    return recorded_objective(code) or recorded_told(code) or _of_a_class(code)


@cache
def _of_a_class(code: str) -> Objective:
    kind, colon, class_name = code.partition(":")
    if kind not in OF_A_CLASS or not colon or not class_name:
        raise ValueError(f"no objective is named {code!r}")
    return OfAClass(kind, class_name)
