"""Builds networks without training them: their parameter counts, and what a user's `build(hp)` asks for.

Runs in a worker. Importing it is cheap; building imports Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.errors import TrialError, TunerError, one_line
from tuner.families import get_family
from tuner.families.base import Family, Shape
from tuner.families.custom import CustomFamily
from tuner.space import Configuration


@dataclass(frozen=True)
class Question:
    """Which configurations of a family to build, and for which images."""

    family: str
    modules: Path
    shape: Shape
    classes: int
    configurations: tuple[Configuration, ...]


@dataclass(frozen=True)
class Built:
    """A network's number of parameters, or why it cannot be built; its layers with a kernel; what `build(hp)` asked."""

    parameters: int | None
    error: str = ""
    asked: frozenset[str] | None = None
    kernels: tuple[str, ...] = ()


def probe(question: Question) -> list[Built] | TunerError:
    """Build each configuration once and tell about it; or return what is wrong with the family itself."""
    import keras

    found = []
    try:
        family = get_family(question.family, question.modules)
        for values in question.configurations:
            keras.backend.clear_session()
            found.append(_build(family, values, question))
    except TunerError as error:
        return error
    return found


def _build(family: Family, values: Configuration, question: Question) -> Built:
    try:
        asked = None
        if isinstance(family, CustomFamily):
            network, names = family.build_watched(values, question.shape, question.classes)
            asked = frozenset(names)
        else:
            network = family.network(values, question.shape, question.classes)
        from tuner.anatomy import flat_layers

        kernels = tuple(layer.name for layer in flat_layers(network) if hasattr(layer, "kernel"))
        return Built(int(network.count_params()), asked=asked, kernels=kernels)
    except TrialError as error:
        return Built(None, str(error))
    except TunerError:
        raise
    except Exception as error:  # noqa: BLE001  # a user's network may raise anything; the dry run shows it
        return Built(None, one_line(error))
