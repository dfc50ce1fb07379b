"""Figures of what a search found, after scikit-learn's convention for displays.

`RocDisplay.from_findings(found)` draws at once and returns the display, whose `ax_` and `figure_` are matplotlib's;
`plot` draws it again, into axes of the user's with `ax=`. What the report draws, too, is drawn by the same functions,
in one style. A new display needs its class, two lines here and two in `tuner/__init__.py`.
"""

from __future__ import annotations

from tuner.api.displays.base import Display
from tuner.api.displays.models import AccuracyDisplay, ConfusionDisplay, F1Display, RocDisplay
from tuner.api.displays.parallel import ParallelCoordinatesDisplay
from tuner.api.displays.trials import ImportanceDisplay, LearningCurvesDisplay, SliceDisplay

__all__ = [
    "AccuracyDisplay",
    "ConfusionDisplay",
    "Display",
    "F1Display",
    "ImportanceDisplay",
    "LearningCurvesDisplay",
    "ParallelCoordinatesDisplay",
    "RocDisplay",
    "SliceDisplay",
]
