"""Callbacks of the user's own: a function `make(trial)` or `make()` that returns Keras callbacks, by dotted path."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.errors import InputError, LostError, TrialError, one_line
from tuner.system.own_code import OwnCode
from tuner.system.own_modules import (
    PATH,
    importable,
    loaded_besides,
    own_attribute,
)
from tuner.text import shortened

if TYPE_CHECKING:
    from tuner.trial import Trial

PLACE = "callbacks"
#: What is said of a function that cannot be used.
FORM = "it is called as make(trial) or make(), and returns a list of keras.callbacks.Callback"


@dataclass(frozen=True)
class OwnCallbacks(OwnCode):
    """What makes the callbacks of a trial, for example `mypackage.watching:make`.

    `folder` is where the search file lies, beside which the module is looked for. `source` is the hash of the module
    and of all modules of the user's own that it imports, by which trials are named: so an edited one makes others.
    """

    path: str
    folder: Path
    source: str = ""
    place = PLACE

    def in_file(self) -> tuple[str, str, Path | None]:
        """Return where they are named; see `OwnCode.in_file`."""
        return self.path, self.module, self.folder

    @property
    def module(self) -> str:
        """The dotted name of the module."""
        return self.path.partition(":")[0]

    @property
    def code(self) -> str:
        """How a trial names them: the path and the hash."""
        return f"{self.path} {self.source}"

    def with_source(self) -> OwnCallbacks:
        """Return the same with the hash of the code as it is now, unless it has one.

        Raises:
            InputError: there is no such code.
        """
        return self if self.source else replace(self, source=self.source_hash())

    def made(self, trial: Trial) -> list[Any]:
        """Return the callbacks of a trial; its function is imported anew.

        Raises:
            InputError: it cannot be imported, is no function, or loads code of which no edit would be seen.
            LostError: its code is not the code that the trial is named by.
            TrialError: it raises, or returns something else than callbacks.
        """
        import keras

        function = self._loaded()
        try:
            with importable(*self.folders):
                found = function(trial) if _takes_a_trial(function) else function()
        except (Exception, SystemExit) as error:  # a function of the user's may raise anything
            raise TrialError(f"{self.path} raised {one_line(error, 200)}") from error
        if not isinstance(found, list | tuple):
            raise TrialError(f"{self.path} returned {type(found).__name__}, not a list of callbacks")
        for one in found:
            if not isinstance(one, keras.callbacks.Callback):
                raise TrialError(f"{self.path} returned {shortened(repr(one), 60)} among its callbacks, which is none")
        return list(found)

    def _loaded(self) -> Callable[..., Any]:
        modules = self.own_modules()
        for name in modules:
            sys.modules.pop(name, None)
        before = set(sys.modules)
        name = self.path.partition(":")[2]
        function = own_attribute(self.module, name, self.folders, PLACE)
        for file in loaded_besides(before, modules, self.folders):
            problem = (
                f"{self.path} loads {file.name} otherwise than by an import statement, so that no edit of it is seen"
            )
            raise InputError(PLACE, problem, f"write an import of it into {self.module}")
        if not callable(function):
            raise InputError(PLACE, f"{self.path!r} is no function, but {type(function).__name__}", FORM)
        if self.source and self.source_hash() != self.source:  # looked at behind the import, so that nothing slips by
            problem = "its code is not the code that the search began with: it was edited since, or differs here"
            raise LostError(self.path, problem, "leave it as it is while a search runs, and run the search again")
        return function  # type: ignore[no-any-return]


def _takes_a_trial(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # of a function in C
        return True
    return True


def own_callbacks(path: object, folder: Path) -> OwnCallbacks:
    """Return the callbacks that a search file in `folder` names by a path.

    Raises:
        ValueError: it is no path.
    """
    if not isinstance(path, str) or not PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path of a function, such as 'mypackage.module:make'")
    return OwnCallbacks(path, folder)


def recorded_callbacks(code: str, folder: Path) -> OwnCallbacks:
    """Return the callbacks that a trial names by `OwnCallbacks.code`, found in a folder."""
    path, _, source = code.partition(" ")
    return OwnCallbacks(path, folder, source)
