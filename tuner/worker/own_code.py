"""Code of the user's own that a trial is trained with, found again in the worker. Importing this imports Keras."""

from __future__ import annotations

import keras

from tuner.errors import InputError, LostError
from tuner.families import get_family
from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.objective import Objective, OwnObjective, objective_of
from tuner.recipe.own_callbacks import recorded_callbacks
from tuner.trial import Job


def objective_of_job(job: Job) -> Objective:
    """Return what a trial is chosen by. The run has tried a user's own: what is wrong now was changed meanwhile."""
    objective = objective_of(job.trial.objective)
    if not isinstance(objective, OwnObjective):
        return objective
    try:
        (own := objective.located(job.modules)).loaded()
    except InputError as error:
        raise LostError(error.place, error.problem, error.remedy or "put back what the search began with") from error
    return own


def callbacks_of_job(job: Job) -> tuple[keras.callbacks.Callback, ...]:
    """Return a trial's callbacks. The run has made them before: what is wrong now was changed meanwhile."""
    if not job.trial.callbacks:
        return ()
    try:
        return tuple(recorded_callbacks(job.trial.callbacks, job.modules).made(job.trial))
    except InputError as error:
        raise LostError(error.place, error.problem, error.remedy or "put back what the search began with") from error


def family_of_job(job: Job) -> Family:
    """Return a trial's family. The run has found it before: what is wrong now has gone, or was changed, meanwhile."""
    try:
        family = get_family(job.trial.family, job.modules, job.files)
        family.own_files()
        if isinstance(family, CustomFamily):
            family.forget_modules()
            family.check_there()
    except InputError as error:
        raise LostError(error.place, error.problem, error.remedy or "put back what the search began with") from error
    return family
