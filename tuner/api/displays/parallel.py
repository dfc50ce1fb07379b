"""Parallel coordinates of the trials: a line for each, across an axis for each parameter and one for the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tuner.analysis.parallel import ParallelCoordinates
from tuner.analysis.slices import lower_end
from tuner.api.displays.base import Display
from tuner.api.displays.trials import scope_of
from tuner.api.functions import Ran, load_findings
from tuner.figures.parallel import draw_parallel

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class ParallelCoordinatesDisplay(Display):
    """Each trial as a line across its parameters to its validation score: the darker, the more trials are worse.

    A line has its trial's name as `gid`. Below the axis of a parameter that some models do not have, their lines pass
    at "none". Trials that hardly learned end at the lower end of the score where the others would be hard to tell
    apart.
    """

    parallel: ParallelCoordinates
    _size = (9, 4.2)

    @classmethod
    def from_findings(
        cls, found: Ran, *, model: str | None = None, dataset: str | None = None, ax: Axes | None = None, **kwargs: Any
    ) -> Self:
        """Draw the trials on a data set, by default all of those on the first.

        Args:
            found: what `tuner.run` returned, or a search that ran.
            model: draw the trials of this `[[search]]` alone.
            dataset: on which they were trained.
            ax: where to draw; by default into a new figure.
            kwargs: what matplotlib's lines are to have.

        Raises:
            InputError: there is no completed trial.
        """
        findings = load_findings(found)
        scope, dataset = scope_of(findings, model, dataset)
        low = lower_end(scope.scores, findings.score_at_chance(scope.records[0].trial, scope.objective))
        return cls(ParallelCoordinates.of(scope, dataset, low)).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.parallel.scope.label}, {self.parallel.dataset}"

    def frame(self) -> pd.DataFrame:
        """Return a row for each trial: the parameters that vary, empty where it has none, and the score."""
        return self.parallel.frame()

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_parallel(axes, self.parallel, **kwargs)
