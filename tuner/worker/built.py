"""How a built network is compiled: by the recipe, or as a user's own `build` does it. Importing this imports Keras."""

from __future__ import annotations

from collections.abc import Collection

import keras
import numpy as np

from tuner.datasets.base import Shape
from tuner.errors import InputError, TrialError, TunerError, one_line, suggestion
from tuner.families import own_compiled
from tuner.families.own_compiled import compile_as_built, in_its_place
from tuner.families.own_network import OwnNetwork
from tuner.objective import Objective, ToldObjective
from tuner.recipe import RECIPE, augmenter, compile_network, mixing, steps_per_epoch
from tuner.recipe.mixing import is_mixed
from tuner.space.parameters import Values
from tuner.worker.engines import Plan, Samples, engine_for, own_fit
from tuner.worker.engines.base import Epoch

#: Metrics on validation images that every training tells.
_ALWAYS_TOLD = ("val_accuracy", "val_loss", "val_unpenalised_loss")
_DEFAULTS = {parameter.name: parameter.default for parameter in RECIPE}


def compile_built(built: OwnNetwork, values: Values, epochs: int, images: int) -> None:
    """Compile what is to be trained; a network that code of the user's own trains is left as `build` compiled it.

    Args:
        built: the network.
        values: of the trial; of the recipe, only what the search file names where `build` compiles.
        epochs: how many epochs a schedule spans.
        images: how many are trained on.
    """
    if built.trains_itself:
        return
    steps = steps_per_epoch(images, int(values["batch_size"]))
    if built.compiled is None:
        compile_network(built.trained, {**_DEFAULTS, **values}, epochs, steps)
    else:
        if is_mixed(values):
            raise TrialError("mixup and cutmix need the recipe's loss, and build compiles one of its own")
        instead = in_its_place(values, built.asked)
        compile_as_built(built.trained, built.compiled, instead, built.softmax, epochs, steps)


def trained_with(built: OwnNetwork, values: Values) -> str:
    """Return in words what trains a network of the user's own; empty where the recipe does."""
    instead = in_its_place(values, built.asked)
    if built.compiled is not None:
        told = own_compiled.trained_with(built.compiled, instead)
    else:
        told = "what build compiles" if built.compiles else ""
    if not built.trains_itself:
        return told
    by = "HyperModel.fit" if built.fit is not None else f"its {' and '.join(built.steps)}"
    return f"{told}, by {by} of its own" if told else f"{by} of its own"


def check_trains(
    built: OwnNetwork, values: Values, shape: Shape, classes: int, place: str, objective: Objective | None = None
) -> None:
    """Train for an epoch on a few random images: what a user's optimizer, loss, metrics or `fit` raise shows here.

    Args:
        built: the network, which is of no use afterwards.
        values: of the trial.
        shape: height, width and channels of an image.
        classes: how many classes there are.
        place: how the family is named in errors.
        objective: what trials are chosen by; None where that does not matter.

    Raises:
        InputError: it cannot be trained.
    """
    random = np.random.default_rng(0)
    count = max(8, 2 * classes)
    samples = Samples(random.integers(0, 256, (count, *shape)).astype(np.uint8), np.arange(count) % classes)
    taken: list[Epoch] = []

    def take(epoch: Epoch) -> bool:
        taken.append(epoch)
        return False

    try:
        compile_built(built, values, 1, count)
        for validation in (samples, None) if built.trains_itself else (samples,):  # retrainings have no such images
            if built.trains_itself:
                fitted = own_fit.fit(built, samples, validation, values, 1, take)
                if objective is not None and validation is not None:
                    own_fit.score_of(fitted.returned, objective)
            else:
                plan = Plan(1, count, 0, augmenter(values, shape, 0), mixing=mixing(values, classes, 0))
                for epoch in engine_for(built.trained).fit(built.trained, samples, validation, plan):
                    take(epoch)
    except (Exception, SystemExit) as error:
        if isinstance(error, InputError):
            raise
        problem = str(error) if isinstance(error, TunerError | TrialError) else one_line(error, 200)
        without = built.trains_itself and bool(taken)
        where = " without validation images, which retrainings have none of" if without else ""
        remedy = "let fit do without validation_data" if without else "mend it"
        raise InputError(place, f"cannot be trained on a few random images{where} ({problem})", remedy) from error
    finally:
        keras.backend.clear_session(free_memory=False)
    if isinstance(objective, ToldObjective):
        _check_told(objective, built.trains_itself, {name for epoch in taken for name in epoch})


def _check_told(objective: ToldObjective, fits: bool, told: Collection[str]) -> None:
    """See that a network whose training told these metrics tells what trials are chosen by.

    Raises:
        InputError: it does not.
    """
    if not objective.by_epoch:
        if not fits:
            problem = f"no fit of the network's own returns {objective.form}"
            raise InputError("objective", problem, "give its class a fit that does, or choose by another")
        return  # what it returned was looked at
    if objective.column not in told:
        own = [name for name in told if name.startswith("val_") and name not in _ALWAYS_TOLD]
        remedy = suggestion(objective.form, own) if own else "compile the metric in build, or tell it to callbacks"
        raise InputError("objective", f"the network's training tells no {objective.form}", remedy)
