"""What each image adds to an objective, of which the objective is the mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.scoring import Predictions
from tuner.objective import ACCURACY, Objective
from tuner.objective.log_loss import LogLoss, log_losses
from tuner.objective.macro import Macro
from tuner.objective.one_class import OfAClass

Values = NDArray[np.float64]


def is_per_image(objective: Objective) -> bool:
    """Tell whether an objective is a mean over images, or has pseudo-values: a user's own is not known to be."""
    return objective is ACCURACY or isinstance(objective, (LogLoss, Macro, OfAClass))


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


def gains_of(objective: Objective, answers: Predictions) -> NDArray[np.bool_] | Values | None:
    """Return the same, `(n,)`, where more is better, as `Objective.gain` has it: for accuracy which image is right.

    None also where it is not defined, as a metric of a class that no image has.
    """
    if objective is ACCURACY:
        return answers.correct
    values = values_of(objective, answers)
    if values is None or not np.isfinite(values).all():
        return None
    return values if objective.direction == "max" else -values
