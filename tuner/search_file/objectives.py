"""What a search file says of objectives: a name or the path of a function, and which way that one is better."""

from __future__ import annotations

from pathlib import Path

from tuner.errors import InputError
from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.objective import Objective, is_path, is_told, objective_of
from tuner.objective.own import own_objective
from tuner.objective.told import told_objective
from tuner.search_file.schema import SearchFile, SearchTable


def read_objective(part: SearchTable, file: SearchFile, folder: Path, family: Family) -> Objective:
    """Return what a `[[search]]` of a file chooses by.

    Args:
        part: the `[[search]]`, whose own objective counts where it has one.
        file: the file.
        folder: where it lies, beside which a function of the user's own is looked for.
        family: of the networks that are chosen among.

    Raises:
        InputError: it is said which way an objective is better that has its own, or not said of one that has none; a
            family of this package is to tell what only a user's own network does.
    """
    _check_direction(part, part.objective or "")
    given = part if part.objective else file
    name = str(given.objective)
    if is_told(name):
        direction = given.direction or ("min" if name.startswith("returned") else None)  # as KerasTuner has it
        if not isinstance(family, CustomFamily):
            problem = f"{name} is told by a network of your own, which {family.name} is not"
            raise InputError("objective", problem, "choose by another, or give each [[search]] its own")
        if direction is None:
            raise InputError("direction", f"{name} has none of its own", 'add direction = "max" or direction = "min"')
        return told_objective(name, direction)
    return own_objective(name, given.direction or "max", folder) if is_path(name) else objective_of(name)


def check_direction(file: SearchFile) -> None:
    """See that the top of a file says which way is better of an objective of the user's own alone.

    Raises:
        InputError: it says so of another.
    """
    _check_direction(file, file.objective)


def _check_direction(given: SearchTable | SearchFile, name: str) -> None:
    if given.direction and not (is_path(name) or is_told(name)):
        of_its_own = f"is for an objective of your own: {name} has its direction"
        raise InputError("direction", of_its_own if name else "needs an objective beside it", "remove it")
