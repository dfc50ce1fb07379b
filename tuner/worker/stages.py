"""The stages of a training, most of which have one: a fine-tuning may begin with epochs of the head alone.

Importing this imports Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import keras
import numpy as np

from tuner.families.base import Family
from tuner.families.own_network import OwnNetwork
from tuner.families.pretrained import HEAD, HEAD_LAYERS, HEAD_RATE, Pretrained, give_head
from tuner.space.parameters import Values
from tuner.space.space import Configuration
from tuner.trial import FIRST_LAYER, Trial
from tuner.worker.materials import Materials


@dataclass(frozen=True)
class Stage:
    """Epochs of a training in which the same layers learn, by an optimizer of their own.

    `begin` is how many epochs of the training come before it, `end` how many have been trained when it ends. `planned`
    is how many epochs its learning-rate schedule spans. `values` are those of the trial, as they are in this stage.
    `on_features` if a head learns on what a frozen backbone makes of images, which is computed once.
    """

    begin: int
    end: int
    planned: int
    values: Configuration
    on_features: bool


@dataclass(frozen=True, eq=False)
class Ready:
    """A stage with its compiled network, and what that is trained with."""

    stage: Stage
    built: OwnNetwork
    materials: Materials


def stages_of(family: Family, trial: Trial) -> tuple[Stage, ...]:
    """Return the stages of a trial up to its last epoch."""
    head = head_epochs(family, trial)
    if not head:
        return (Stage(0, trial.last_epoch, trial.epochs, trial.values, is_on_features(family, trial, trial.values)),)
    values = {**trial.values, "fine_tune": 0.0, "learning_rate": trial.values[HEAD_RATE]}
    first = Stage(0, min(head, trial.last_epoch), head, values, is_on_features(family, trial, values))
    if trial.last_epoch <= head:
        return (first,)
    return (first, Stage(head, trial.last_epoch, max(1, trial.epochs - head), trial.values, on_features=False))


def head_epochs(family: Family, trial: Trial) -> int:
    """Return after how many epochs the last stage of a trial begins, whether or not it is trained that far."""
    return family.head_epochs(trial.values) if isinstance(family, Pretrained) else 0


def is_on_features(family: Family, trial: Trial, values: Values) -> bool:
    """Whether a trial trains a head alone, on what a backbone makes of images that are the same in every epoch.

    Args:
        family: of the trial.
        trial: says what is watched.
        values: of the trial, in one of its stages.
    """
    if not isinstance(family, Pretrained) or not family.is_frozen(values):
        return False
    watched = set(trial.watch) - {FIRST_LAYER, *HEAD_LAYERS}
    return not watched and not family.without_features_by(values)


def watched_layers(family: Family, trial: Trial) -> tuple[str, ...]:
    """Return the layers that a trial watches; the first one is that of the head where the head learns first."""
    if not head_epochs(family, trial):
        return trial.watch
    first = HEAD_LAYERS[0] if trial.values["dense_units"] else HEAD_LAYERS[-1]
    return tuple(first if name == FIRST_LAYER else name for name in trial.watch)


def hand_on(before: Ready, after: Ready) -> None:
    """Let a stage go on with the head that the stage before it trained."""
    trained: keras.Model = before.built.trained
    give_head(after.built.trained, trained if before.stage.on_features else trained.get_layer(HEAD))


def seconds_per_epoch(seconds: Sequence[float], stages: Sequence[Stage]) -> float:
    """Return how long an epoch took: in each stage the median without the first one, which compiles; of both, the mean.

    Args:
        seconds: of each epoch that was trained.
        stages: of the training, some of which it may not have come to.
    """
    bounds = [0, *(stage.end for stage in stages[:-1]), len(seconds)]
    parts = [seconds[begin:end] for begin, end in pairwise(bounds)]
    medians = [(len(part), float(np.median(part[1:] or part))) for part in parts if part]
    return sum(count * one for count, one in medians) / len(seconds) if len(medians) > 1 else medians[0][1]
