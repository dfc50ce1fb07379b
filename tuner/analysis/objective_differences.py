"""How far two models are apart in what models are chosen by, with the interval that accuracy has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.findings import Chosen
from tuner.analysis.scoring import Predictions
from tuner.analysis.variance import Difference, compare
from tuner.objective import ACCURACY, Objective
from tuner.objective.log_loss import LogLoss, log_losses
from tuner.objective.macro import Macro
from tuner.objective.one_class import OfAClass

Values = NDArray[np.float64]


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


def values_of(objective: Objective, answers: Predictions) -> Values | None:
    """Return what each image adds to an objective, `(n,)`, whose mean is the objective; None where nothing tells.

    values_of(objective_of("log_loss"), predictions).mean()     # the log loss
    """
    if objective is ACCURACY:
        return answers.correct.astype(np.float64)
    if isinstance(objective, LogLoss):
        return log_losses(answers.probabilities, answers.labels)
    if isinstance(objective, Macro):
        metric = CLASS_METRICS[objective.metric]
        classes = np.unique(answers.labels)
        mean: Values = np.mean([metric.pseudo_values(answers.of_class(label)) for label in classes], axis=0)
        return mean
    if isinstance(objective, OfAClass) and not objective.missing_class(answers.class_names):
        label = list(answers.class_names).index(objective.class_name)
        return CLASS_METRICS[objective.metric].pseudo_values(answers.of_class(label))
    return None
