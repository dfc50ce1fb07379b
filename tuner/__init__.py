"""Which Keras image classifier is best, and is it really better?

`tuner.run("digits")` does what `tuner run digits` does and returns what was found; `results`, `history`, `scores` and
`compare` are its tables, the displays its figures. The rooms and the way of the data are described in ARCHITECTURE.md.
Importing this package imports neither Keras nor TensorFlow, nor pandas: they take seconds, and `tuner list` should not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tuner.system.version import __version__ as __version__

if TYPE_CHECKING:
    from tuner.api.displays import (
        AccuracyDisplay,
        ConfusionDisplay,
        F1Display,
        ImportanceDisplay,
        LearningCurvesDisplay,
        ParallelCoordinatesDisplay,
        RocDisplay,
        SliceDisplay,
    )
    from tuner.api.functions import compare, history, load_findings, load_search, results, run, scores
    from tuner.api.planning import plan
    from tuner.api.saved import export, load_model, predict
    from tuner.api.search import Search, search
    from tuner.errors import TunerError

__all__ = [
    "AccuracyDisplay",
    "ConfusionDisplay",
    "F1Display",
    "ImportanceDisplay",
    "LearningCurvesDisplay",
    "ParallelCoordinatesDisplay",
    "RocDisplay",
    "Search",
    "SliceDisplay",
    "TunerError",
    "compare",
    "export",
    "history",
    "load_findings",
    "load_model",
    "load_search",
    "plan",
    "predict",
    "results",
    "run",
    "scores",
    "search",
]


#: Where the functions are that do not stand in `api.functions`.
_ELSEWHERE = {
    "Search": "api.search",
    "TunerError": "errors",
    "export": "api.saved",
    "load_model": "api.saved",
    "plan": "api.planning",
    "predict": "api.saved",
    "search": "api.search",
}
#: Rooms that are public by themselves: `tuner.families.FAMILIES` holds networks for plain KerasTuner.
_ROOMS = ("families",)


def __getattr__(name: str) -> object:
    """Import what is public when it is first asked for."""
    if name in _ROOMS:
        return importlib.import_module(f"tuner.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = "api.displays" if name.endswith("Display") else _ELSEWHERE.get(name, "api.functions")
    return getattr(importlib.import_module(f"tuner.{room}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__, *_ROOMS]
