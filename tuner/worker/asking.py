"""Builds a user's network to see what its `build(hp)` asks for, and trains nothing.

Runs in a worker. Importing it is cheap; building imports Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.datasets.base import Shape
from tuner.errors import InputError, TunerError, one_line
from tuner.families.custom import RESERVED, CustomFamily
from tuner.families.own_space import Trace
from tuner.space.parameters import Values

if TYPE_CHECKING:
    from tuner.families.asked import AskedHyperParameters


@dataclass(frozen=True)
class SpaceQuestion:
    """Which network to build, for which images, and what to answer it; `known` are answers to what is looked up."""

    family: str
    modules: Path
    shape: Shape
    classes: int
    answers: Values
    known: Values


def ask(question: SpaceQuestion) -> Trace | TunerError:
    """Build once and tell what was asked for, as far as the build came; or return what is wrong with the family."""
    import keras

    from tuner.families.asked import AskedHyperParameters

    hp = AskedHyperParameters(question.answers, question.known)
    failed = ""
    try:
        keras.backend.clear_session(free_memory=False)
        family = CustomFamily(question.family, question.modules)
        if family.trains():  # by a `fit` that may ask for more
            _train(family, question, hp)
        else:
            family.build(hp, question.shape, question.classes)
    except TunerError as error:
        return error
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a user's network may raise anything; the dry run shows it
        failed = one_line(error)
    reserved = sorted(RESERVED & {one.declared.name for one in hp.told})
    if reserved:
        problem = f"asks for {reserved[0]!r}, which is a setting of the recipe"
        return InputError(f"family {question.family}", problem, "call its own otherwise")
    return Trace(tuple(hp.told), bool(failed), tuple(_notes(question.family, hp)))


def _train(family: CustomFamily, question: SpaceQuestion, hp: AskedHyperParameters) -> None:
    from tuner.worker.built import check_trains

    network = family.own_network({}, question.shape, question.classes, hp)
    try:
        check_trains(network, {}, question.shape, question.classes, f"family {family.path}")
    finally:
        family.forget_modules()  # whose layers may have been trained


def _notes(path: str, hp: AskedHyperParameters) -> list[str]:
    return [
        f"{path}: asks for {first.name!r} twice, as {first} and as {again}: the first counts, as in KerasTuner"
        for first, again in hp.twice
    ]
