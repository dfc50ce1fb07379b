"""Builds networks without training them: their parameter counts, and what a user's `build(hp)` asks for.

Runs in a worker. Importing it is cheap; building imports Keras.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.datasets.base import Shape
from tuner.errors import InputError, TrialError, TunerError, one_line
from tuner.families import get_family
from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.objective import ToldObjective, objective_of
from tuner.recipe import left_to_build
from tuner.space.space import Configuration
from tuner.system.own_modules import loaded_besides

if TYPE_CHECKING:
    import keras

    from tuner.families.own_network import OwnNetwork


@dataclass(frozen=True)
class Question:
    """Which configuration of a family to build, and for which images."""

    family: str
    modules: Path
    shape: Shape
    classes: int
    values: Configuration
    #: Of a user's network: it is the first of its model search, and has these parameters looked at beside.
    first: bool = False
    looked_at: frozenset[str] = frozenset()
    #: The keys that the search file names.
    named: frozenset[str] = frozenset()
    #: What trials are chosen by, as a trial names it.
    objective: str = ""


@dataclass(frozen=True)
class Built:
    """A network's number of parameters, or why it cannot be built; its layers with a kernel; what `build(hp)` asked.

    `endless` if it was not built within the time that there was for it. `notes` are lines that the user should read.
    `compiles` if `build` compiles it or trains it, and `fits` if it trains by a `fit` or by steps of its own. `work` is
    the multiply-adds of an image, `handed_on` how many numbers its layers hand on for one.
    """

    parameters: int | None
    error: str = ""
    asked: frozenset[str] | None = None
    kernels: tuple[str, ...] = ()
    endless: bool = False
    notes: tuple[str, ...] = ()
    compiles: bool = False
    fits: bool = False
    work: float = 0.0
    handed_on: int = 0


def probe(question: Question) -> Built | TunerError:
    """Build a configuration and tell about it; or return what is wrong with the family itself."""
    import keras

    try:
        _leave_imports_alone()
        keras.backend.clear_session()
        return _build(get_family(question.family, question.modules), question)
    except TunerError as error:
        return error


@functools.cache
def _leave_imports_alone() -> None:
    """Let collections of garbage look at networks alone.

    Clearing the session collects, so that large networks do not pile up. Through all that Keras has imported that
    takes a quarter of a second, ten times as long as to build a network.
    """
    gc.freeze()


def _build(family: Family, question: Question) -> Built:
    try:
        if isinstance(family, CustomFamily):
            return _build_own(family, question)
        return _built(family.network(question.values, question.shape, question.classes))
    except TrialError as error:
        return Built(None, str(error))
    except SystemExit as error:
        return Built(None, f"{question.family} called sys.exit({error.code!r})")
    except TunerError:
        raise
    except Exception as error:  # noqa: BLE001  # a user's network may raise anything; the dry run shows it
        return Built(None, one_line(error))


def _built(network: keras.Model) -> Built:
    from tuner.worker.model_summary import flat_layers
    from tuner.worker.multiply_adds import handed_on, multiply_adds

    work, numbers = 0.0, 0
    with contextlib.suppress(Exception):  # a user's layers may be anything
        work, numbers = multiply_adds(network), handed_on(network)
    kernels = tuple(layer.name for layer in flat_layers(network) if hasattr(layer, "kernel"))
    return Built(int(network.count_params()), kernels=kernels, work=work, handed_on=numbers)


def _build_own(family: CustomFamily, question: Question) -> Built:
    """Build a user's network and tell what it asked for and what there is to note, which takes several builds more.

    Raises:
        InputError: something of it would be lost or without effect; it loads modules that its hash does not cover.
    """
    objective = objective_of(question.objective)
    if not objective.by_epoch and question.values.get("early_stopping") == "objective":
        problem = f"{objective.name} is known when a training has ended"
        raise InputError("early_stopping", problem, 'watch "val_loss" or "val_accuracy", or stop in your fit')
    before = set(sys.modules)
    network, values = _as_trained(family, question)
    for file in loaded_besides(before, family.own_modules(), family.folders):
        problem = (
            f"{family.path} loads {file.name} otherwise than by an import statement, so that no edit of it is seen"
        )
        raise InputError("family", problem, f"write an import of it into {family.module}")
    built = _built(network.model)
    from tuner.families.own_check import Case, check_compiled, check_kept
    from tuner.worker.built import check_trains

    case = Case(family, values, question.shape, question.classes)
    notes = check_kept(case) if question.first else []
    new = network.asked.keys() - question.looked_at
    if question.first or new:
        notes += check_compiled(case, network, new)
    if question.first and (network.compiles or network.trains_itself):
        check_trains(network, values, question.shape, question.classes, f"family {family.path}", objective)
        family.forget_modules()  # whose layers may have been trained
    elif question.first:
        _check_told_by_itself(question)
    compiles = network.compiles or network.trains_itself
    # What a `fit` of its own asks for is seen only as it trains.
    asked = None if network.trains_itself and not question.first else frozenset(network.asked)
    return replace(built, asked=asked, notes=tuple(notes), compiles=compiles, fits=network.trains_itself)


def _check_told_by_itself(question: Question) -> None:
    """See that trials of a network that tells nothing of itself are chosen by something else.

    Raises:
        InputError: they are not.
    """
    objective = objective_of(question.objective)
    if isinstance(objective, ToldObjective):
        problem = f"{objective.form} is told by a network that compiles or trains itself"
        raise InputError("objective", f"{problem}, which {question.family} does not", "compile it in build")


def _as_trained(family: CustomFamily, question: Question) -> tuple[OwnNetwork, Configuration]:
    """Return a user's network with the values that its trial has: without what its own code decides of the recipe."""
    without = {fits: left_to_build(question.named, fits) for fits in (False, True)}
    values = question.values
    fewer = {name: value for name, value in values.items() if name not in without[True]}
    network = family.own_network(fewer, question.shape, question.classes)
    if network.trains_itself:
        return network, fewer
    if network.compiles:
        values = {name: value for name, value in values.items() if name not in without[False]}
    if network.asked.keys() & (values.keys() - fewer.keys()):
        network = family.own_network(values, question.shape, question.classes)
    return network, values
