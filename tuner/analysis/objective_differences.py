"""How far two models are apart in what models are chosen by, with the interval that accuracy has."""

from __future__ import annotations

import numpy as np

from tuner.analysis.findings import Chosen
from tuner.analysis.per_image import Values, values_of
from tuner.analysis.variance import Difference, compare
from tuner.objective import Objective


def difference_in(objective: Objective, a: Chosen, b: Chosen) -> Difference | None:
    """Return the difference of the means of two models' retrainings in an objective, a − b, on the same test images.

    It is None where the objective is no mean over images and has no pseudo-values (`tuner.analysis.jackknife`): a
    user's own one. All of it is NaN where the objective is not defined, or not without some image.
    """
    ours, theirs = (_values(objective, chosen) for chosen in (a, b))
    if ours is None or theirs is None:
        return None
    found = compare(ours, theirs)
    ends = objective.low, objective.high
    return found if ends[0] is None or ends[1] is None else found.within(ends[1] - ends[0])


def _values(objective: Objective, chosen: Chosen) -> Values | None:
    each = [values_of(objective, one) for one in chosen.all_predictions]
    return np.stack(each) if all(values is not None for values in each) else None  # type: ignore[arg-type]
