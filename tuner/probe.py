"""Builds networks without training them: their parameter counts, and what a user's `build(hp)` asks for.

Runs in a worker. Importing it is cheap; building imports Keras.
"""

from __future__ import annotations

import functools
import gc
from dataclasses import dataclass
from pathlib import Path

from tuner.datasets.base import Shape
from tuner.errors import TrialError, TunerError, one_line
from tuner.families import get_family
from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.space import Configuration


@dataclass(frozen=True)
class Question:
    """Which configuration of a family to build, and for which images."""

    family: str
    modules: Path
    shape: Shape
    classes: int
    values: Configuration


@dataclass(frozen=True)
class Built:
    """A network's number of parameters, or why it cannot be built; its layers with a kernel; what `build(hp)` asked.

    `endless` if it was not built within the time that there was for it.
    """

    parameters: int | None
    error: str = ""
    asked: frozenset[str] | None = None
    kernels: tuple[str, ...] = ()
    endless: bool = False


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
        asked = None
        if isinstance(family, CustomFamily):
            network, names = family.build_watched(question.values, question.shape, question.classes)
            asked = frozenset(names)
        else:
            network = family.network(question.values, question.shape, question.classes)
        from tuner.anatomy import flat_layers

        kernels = tuple(layer.name for layer in flat_layers(network) if hasattr(layer, "kernel"))
        return Built(int(network.count_params()), asked=asked, kernels=kernels)
    except TrialError as error:
        return Built(None, str(error))
    except SystemExit as error:
        return Built(None, f"{question.family} called sys.exit({error.code!r})")
    except TunerError:
        raise
    except Exception as error:  # noqa: BLE001  # a user's network may raise anything; the dry run shows it
        return Built(None, one_line(error))
