"""What is said of a search file that is not as `schema.py` has it: keys that stand in a wrong table, values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tuner.errors import InputError, key_name, shown, suggestion
from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.search_file.schema import Compare, SearchFile, SearchTable
from tuner.search_file.tables import ReportOptions, StudyGroup, StudyResults, StudyScore, StudyTrial
from tuner.space.rules import NAMED

#: The tables of a search file that are checked by pydantic, as their author writes them.
_MODELS: dict[type[BaseModel], str] = {
    SearchFile: "the top of the file",
    SearchTable: "[[search]]",
    Compare: "[compare]",
    StudyResults: "[published]",
    StudyScore: "[[published.scores]]",
    StudyTrial: "[[published.trials]]",
    StudyGroup: "[[published.groups]]",
    ReportOptions: "[report]",
}
#: The tables within a table, by their keys.
_WITHIN: dict[type[BaseModel], dict[str, type[BaseModel]]] = {
    SearchFile: {"search": SearchTable, "compare": Compare, "published": StudyResults, "report": ReportOptions},
    StudyResults: {"scores": StudyScore, "trials": StudyTrial, "groups": StudyGroup},
}
#: What `[training]` calls callbacks of the user's own.
CALLBACKS = "callbacks"
TRAINING, SPACE, RULES = "[training]", "[search.space]", "[search.rules]"
#: Every table with its keys; of a space, those that a recipe or a built-in family takes.
TABLES: dict[str, frozenset[str]] = {
    **{name: frozenset(model.model_fields) for model, name in _MODELS.items()},
    TRAINING: frozenset({"epochs", "threads", CALLBACKS, *(parameter.name for parameter in RECIPE)}),
    SPACE: frozenset(item.name for family in FAMILIES.values() for item in (*family.parameters, *RECIPE)),
    RULES: frozenset({*NAMED, "where"}),
}


def homes(key: str) -> list[str]:
    """Return the tables that have a key."""
    return [table for table, keys in TABLES.items() if key in keys]


def check_belongs(key: str, place: str, here: str, known: Collection[str]) -> None:
    """See that a table takes a key.

    Args:
        key: what stands there.
        place: where, for the error.
        here: the table, a key of `TABLES`.
        known: the keys that it takes.

    Raises:
        InputError: it does not, which names the tables that do, or the nearest key.
    """
    if key in known:
        return
    others = [table for table in homes(key) if table != here]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if others:
        printed = all("published" in table for table in others)  # which few files have
        remedy = f"did you mean {near[0]!r}?" if printed and near else ""
        raise InputError(place, f"is no key of {here}: it belongs in {' or '.join(others)}", remedy)
    elsewhere = difflib.get_close_matches(key, set[str]().union(*TABLES.values()), n=1, cutoff=0.85)
    if elsewhere and not near:
        remedy = f"did you mean {elsewhere[0]!r} of {' or '.join(homes(elsewhere[0]))}?"
    else:
        remedy = suggestion(key, known)
    raise InputError(place, f"no such {'setting' if here == TRAINING else 'key'}; {remedy}")


#: What pydantic finds, in the words of the rest of the tool.
_WORDS = {
    "string_type": "is not a string",
    "string_too_short": "is empty",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "bool_type": "is not true or false",
    "list_type": "is not a list",
    "dict_type": "is not a table",
    "model_type": "is not a table",
    "greater_than": "is not above {gt}",
    "greater_than_equal": "is not {ge} or more",
    "less_than": "is not below {lt}",
    "less_than_equal": "is not {le} or less",
    "too_short": "has {actual_length} of at least {min_length} items",
    "too_long": "has {actual_length} of at most {max_length} items",
    "finite_number": "is not finite",
    "literal_error": "is not {expected}",
    "value_error": "{error}",
}


def explained(error: ValidationError) -> InputError:
    """Return what pydantic found first in a search file as an error that names the place."""
    found = error.errors()
    # A misspelt key is one key too many and one missing: the first tells more.
    first = min(found, key=lambda one: one["type"] != "extra_forbidden")
    place, table = _place(first["loc"])
    if first["type"] == "extra_forbidden":
        try:
            check_belongs(str(first["loc"][-1]), place, _MODELS[table], table.model_fields)
        except InputError as misplaced:
            return misplaced
    if first["type"] == "missing":
        return InputError(place, "is missing")
    # What could be of several types has an error for each; of the right type, it has other faults.
    alike = [one for one in found if _place(one["loc"])[0] == place and one["input"] is first["input"]]
    alike = [one for one in alike if not one["type"].endswith("_type")] or alike
    problems = ", ".join(dict.fromkeys(map(_words, alike)))
    return InputError(place, f"{shown(first['input'])} {problems}", _remedy(place, first))


def _remedy(place: str, error: ErrorDetails) -> str:
    """Return how a single value is written where a list is needed."""
    value = error["input"]
    if error["type"] != "list_type":
        return ""
    if isinstance(value, Mapping):
        return f"write [[{place}]], not [{place}]"
    one = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    if len(one) > 50:
        return ""
    if place == "image_size":
        return f"give height and width: image_size = [{one}, {one}]"
    if place.startswith("report.pivots"):
        return 'give pairs of parameters: pivots = [["dropout", "l2"]]'
    return f"write {place.rpartition('.')[2]} = [{one}]"


def _place(steps: Sequence[int | str]) -> tuple[str, type[BaseModel]]:
    """Return the way to a value as its author would write it, and the innermost table on it."""
    place: str = ""
    table: type[BaseModel] = SearchFile
    for step in steps:
        if isinstance(step, int):
            place += f" {step + 1}"
        elif not (place and re.fullmatch(r"str|int|float|bool|list\[.*|constrained-.*", step)):  # a type, not a key
            place = f"{place}.{key_name(step)}" if place else key_name(step)
            table = _WITHIN.get(table, {}).get(step, table)
    return re.sub(r"^search( \d+)", r"[[search]]\1", place), table


def _words(error: ErrorDetails) -> str:
    if error["type"] not in _WORDS:
        return error["msg"][0].lower() + error["msg"][1:]
    context = error.get("ctx", {}).items()
    plain = {name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in context}
    return _WORDS[error["type"]].format_map(plain)
