"""An objective of the user's own: a function `score(labels, probabilities) -> float`, given by dotted path."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from tuner.errors import InputError, LostError, TrialError, one_line
from tuner.objective.base import Objective
from tuner.objective.one_class import OF_A_CLASS
from tuner.system.own_code import OwnCode
from tuner.system.own_modules import (
    PATH,
    importable,
    loaded_besides,
    own_attribute,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Direction = Literal["max", "min"]
#: What a trial names such an objective by: the path, the direction, the hash of the code.
_CODE = re.compile(rf"({PATH.pattern}) (max|min) ([0-9a-f]{{16}})")
_PLACE = "objective"


class OwnObjective(OwnCode, Objective):
    """The score that a function of the user's own computes, for example `mypackage.metrics:cost`. See `Objective`.

    It is called with the labels, `(n,)`, and the probabilities, `(n, classes)`, as functions of scikit-learn are, and
    returns a number. `direction` says which way is better. `folder` is where the search file lies, beside which the
    function's module is looked for; a trial that is read back knows none, and is not scored again. `source` is the hash
    of the function's module and of all modules of the user's own that it imports: so an edited function is another
    objective.
    """

    low, high = None, None
    place = _PLACE

    def __init__(self, path: str, direction: Direction, folder: Path | None, source: str) -> None:
        self.module, _, self.attribute = path.partition(":")
        self.name, self.label = path, self.attribute
        self.doc = f"What {path} returns."
        self.direction = direction
        self.folder, self.source = folder, source
        self._function: Callable[..., Any] | None = None

    @property
    def code(self) -> str:
        """The path with direction and hash; see `Objective.code`."""
        return f"{self.name} {self.direction} {self.source}"

    def in_file(self) -> tuple[str, str, Path | None]:
        """Return where it is named; see `OwnCode.in_file`."""
        return self.name, self.module, self.folder

    def located(self, folder: Path) -> OwnObjective:
        """Return the same with the folder of the search file."""
        return _made(self.name, self.direction, folder, self.source)

    def as_recorded(self, code: str) -> OwnObjective:
        """Return the same with the code that a trial names; see `code`."""
        return _made(self.name, self.direction, self.folder, code.rpartition(" ")[2])

    def with_source(self) -> Self:
        """Return the same with the hash of the code as it is now, unless it has one; see `Objective.with_source`."""
        return self if self.source else cast(Self, _made(self.name, self.direction, self.folder, self.source_hash()))

    def remedy(self) -> str:
        """Return what to do where there is no such module: it may be meant as a metric of a class."""
        near = difflib.get_close_matches(self.module, OF_A_CLASS, n=1)
        return f"did you mean '{near[0]}:{self.attribute}'?" if near else super().remedy()

    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        """Return what the function does; see `Objective.score`.

        Raises:
            InputError: the function is not there.
            LostError: its code is not the code that trials are named by.
            TrialError: it raises, or returns no number.
        """
        function = self.loaded()
        try:
            with importable(*self.folders):  # for what it imports only now
                answer = function(labels.copy(), probabilities.copy())  # which it may write to
        except (Exception, SystemExit) as error:  # a function of the user's may raise anything
            raise TrialError(f"{self.name} raised {one_line(error, 200)}") from error
        if isinstance(answer, str | bytes):
            raise TrialError(f"{self.name} returned {type(answer).__name__}, not a number")
        try:
            return float(answer)
        except Exception as error:  # whatever it returns may be made a number in its own way
            raise TrialError(f"{self.name} returned {type(answer).__name__}, not a number") from error

    def loaded(self) -> Callable[..., Any]:
        """Return the function, imported anew when it is first asked for.

        A module may have been imported before it was edited, as in a notebook. That what is imported is what trials are
        named by is looked at behind the import, so that no edit slips by.

        Raises:
            InputError: it cannot be imported, or is no function.
            LostError: its code is not the code that trials are named by.
        """
        if self._function is None or not self.source:  # without a hash nothing tells whether it was edited
            modules = self.own_modules()
            for name in modules:
                sys.modules.pop(name, None)
            before = set(sys.modules)
            self._function = self._imported()
            for file in loaded_besides(before, modules, self.folders):
                problem = f"{self.name} loads {file.name} otherwise than by an import statement"
                raise InputError(_PLACE, f"{problem}, and no edit of it is seen", f"write one into {self.module}")
            if self.source and self.source_hash() != self.source:
                self._function = None
                problem = "its code is not the code that trials were chosen by: it was edited since, or differs here"
                raise LostError(self.name, problem, "leave it as it is while a search runs, and run the search again")
        return self._function

    def _imported(self) -> Callable[..., Any]:
        function = own_attribute(self.module, self.attribute, self.folders, _PLACE)
        if not callable(function):
            kind = type(function).__name__
            raise InputError(_PLACE, f"{self.name!r} is no function score(labels, probabilities), but {kind}")
        return function  # type: ignore[no-any-return]


def is_path(name: str) -> bool:
    """Whether this names a function of the user's, as `module:name`, and no objective of a class."""
    return bool(PATH.fullmatch(name)) and name.partition(":")[0] not in OF_A_CLASS


def own_objective(path: str, direction: Direction, folder: Path) -> OwnObjective:
    """Return the objective that a search file in `folder` names by this path."""
    return _made(path, direction, folder, "")


def recorded_objective(code: str) -> OwnObjective | None:
    """Return the objective that a trial names by `OwnObjective.code`; None for what is none."""
    found = _CODE.fullmatch(code)
    if found is None or not is_path(found[1]):
        return None
    return _made(found[1], "max" if found[3] == "max" else "min", None, found[4])


@cache
def _made(path: str, direction: Direction, folder: Path | None, source: str) -> OwnObjective:
    """Return the one objective of these, so that two are alike where they are the same."""
    return OwnObjective(path, direction, folder, source)
