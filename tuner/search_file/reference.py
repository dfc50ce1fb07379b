"""The reference of the search file, `docs/search-file.md`, written from what a search file is checked against.

`python -m tuner.search_file.reference` (or `make docs`) writes it again; a test compares it with what is committed.
Sentences stand beside what they describe: in the models' fields, in `Parameter.doc` and in the families' docstrings.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from tabulate import tabulate

from tuner.datasets import DATASETS, KINDS
from tuner.families import FAMILIES
from tuner.objective import FORMS, OBJECTIVES, OWN_FORM, TOLD_FORMS, objective_of
from tuner.oracles import ALGORITHMS
from tuner.recipe import RECIPE
from tuner.search_file.claims import Claim
from tuner.search_file.file import EPOCHS, THREADS
from tuner.search_file.schema import Compare, SearchFile, SearchTable
from tuner.search_file.tables import ReportOptions, StudyGroup, StudyResults, StudyScore, StudyTrial
from tuner.space.parameters import Layered, Parameter, Value
from tuner.space.rules import FUNCTIONS, NAMED
from tuner.system.files import write_whole

#: Where the reference is committed.
PAGE = Path("docs/search-file.md")

#: The models, each with the heading of its table in a search file, in the order of the page.
TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("[[search]]", SearchTable),
    ("[compare]", Compare),
    ("[report]", ReportOptions),
    ("[published]", StudyResults),
    ("[[published.scores]]", StudyScore),
    ("[[published.trials]]", StudyTrial),
    ("[[published.groups]]", StudyGroup),
    ("[[published.claims]]", Claim),
)

_NONE = "–"
_TYPES = {"string": "string", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
_KINDS = {str: "string", int: "whole number", float: "number", bool: "`true` or `false`"}

_OWN_OBJECTIVE = (
    "What a function of your own returns, called as `score(labels, probabilities)` with arrays `(n,)` and "
    "`(n, classes)`; see [What the best is](writing-a-search.md#what-the-best-is)."
)
_TOLD = (
    "A metric of a network of your own, which its `build` compiles, or which its `fit` tells its callbacks.",
    "The number that the `fit` of a network of your own returns.",
    "A number of the dictionary that it returns.",
)
_HEAD = """# The search file

Every key that a search file may have. This page is written by `make docs` from what files are checked against. What a
search file looks like: [writing a search](writing-a-search.md); what to do with it: [how-to](how-to.md). Anything else
in a file is refused in one line that names file, key and value and the nearest right one.
"""

_SPACES = (
    ("`0.5`", "Nothing: the value is fixed."),
    ("`[16, 32, 64]`", "These values."),
    (
        "`{ min = 16, max = 64, step = 16 }`",
        "16, 32, 48, 64. Without `step` all whole numbers; or real ones, from which a grid cannot choose.",
    ),
    (
        '`{ min = 1e-5, max = 1e-2, step = 10, sampling = "log" }`',
        "Each a factor of `step` above the last. Without `step`, which a grid needs, drawn on a logarithmic scale.",
    ),
)


#: What the reference says of `prune`.
_PRUNING = """`prune = "halving"` beside `grid`, `random`, `bayesian` or `tpe` trains each configuration for a few
epochs at first. At each *rung*, a number of epochs, the best third of those that have reached it goes on to the next:
that is asynchronous successive halving ([Li et al., 2020](https://arxiv.org/abs/1810.05934)). With 20 epochs the rungs
are 3 and 7, so that 81 configurations take about 81 x 3 + 27 x 4 + 9 x 13 = 468 epochs instead of 1,620.
`prune_factor = 4` keeps a quarter, and `prune_first = 1` begins after one epoch. Hyperband, which does this by itself
with several first rungs, takes no `prune`. Nothing waits for all to reach a rung, so that early configurations go on
more easily: of few configurations more than a third goes on (27 of 9 epochs trained 93 epochs; whole rounds would have
been 63, and without pruning 243).

A configuration that goes on does so from where it stopped, exactly: its weights, its optimizer and its random numbers
are kept in `runs/checkpoints/` (at most 2 GB) until the search is over. A changing learning rate spans all epochs, as
if nothing were pruned. Which configurations go on depends on recorded results alone, so that a search that was killed,
or that runs with another number of workers, is the same. Tables show each configuration once, as far as it was trained,
with the word `pruned`, or `waiting` while the search has not finished; `max_trials` counts configurations."""


def reference() -> str:
    """Return the page as markdown."""
    parts = [_HEAD, "## Top level", _fields(SearchFile), "## `[training]`", _training(), "## Spaces", _spaces()]
    parts += ["## Rules", _rules()]
    for heading, model in TABLES:
        parts += [f"## `{heading}`", inspect.getdoc(model) or "", _fields(model)]
    algorithms = [(f"`{one.name}`", one.doc, f"{one.max_trials} it") for one in ALGORITHMS.values()]
    parts += ["## Algorithms", _table(algorithms, ("algorithm", "what it proposes", "`max_trials`"))]
    parts += ["## Pruning", _PRUNING]
    objectives = [
        (f"`{one.name}`", one.doc, "higher" if one.direction == "max" else "lower", f"`{one.column}`")
        for one in OBJECTIVES.values()
    ]
    objectives += [(f"`{form}`", objective_of(form).doc, "higher", f"`val_{form}`") for form in FORMS]
    objectives.append((f"`{OWN_FORM}`", _OWN_OBJECTIVE, "as `direction` says", f"`val_{OWN_FORM}`"))
    for form, what in zip(TOLD_FORMS, _TOLD, strict=True):
        better = "as `direction` says" if form.startswith("val_") else "lower, unless `direction` says `max`"
        objectives.append((f"`{form}`", what, better, f"`val_{form.removeprefix('val_')}`"))
    parts += ["## Objectives", _table(objectives, ("objective", "what it is", "better", "column"))]
    parts += ["## Families", "Every family takes the recipe's parameters too. Bounds include both ends."]
    for family in FAMILIES.values():
        parts += [f"### `{family.name}`", _paragraph(inspect.getdoc(family) or ""), _parameters(family.parameters)]
    names = ", ".join(f"`{name}`" for name in DATASETS)
    kinds = " or ".join(kind.doc for kind in KINDS)
    parts += ["## Data sets", f"By name {names}; of your own {kinds}: see [Data](data.md)."]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _fields(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    rows = []
    for name, field in schema["properties"].items():
        default = "required" if name in schema.get("required", ()) else _default(field)
        rows.append((f"`{name}`", _type(field), default, field["description"]))
    return _table(rows, ("key", "type", "default", "what it says"))


def _type(field: Mapping[str, Any]) -> str:
    """Return in words what a JSON schema permits."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(one) for one in field["anyOf"] if one.get("type") != "null"))
    if "enum" in field:
        return ", ".join(f"`{_toml(one)}`" for one in field["enum"])
    if "$ref" in field or field["type"] == "object":
        return "table"
    if field["type"] == "array":
        least, most = field.get("minItems", 0), field.get("maxItems")
        inside = _type(field["items"])
        if least == most:
            return f"list of {least}: {inside}"
        return ("list of tables" if inside == "table" else f"list: {inside}") + (f", {least} or more" if least else "")
    return _TYPES[field["type"]] + _bounds(field)


def _bounds(field: Mapping[str, Any]) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    found = [f"{word} {field[key]:,}".removesuffix(".0") for key, word in words.items() if key in field]
    return " " + " ".join(found) if found else ""


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return _NONE if default in (None, "", [], {}) or isinstance(default, dict) else f"`{_toml(default)}`"


def _training() -> str:
    said = "Settings of the recipe. Those below `threads` can be searched as well, in `[search.space]`."
    return f"{said}\n\n{_parameters((EPOCHS, THREADS, *RECIPE))}"


def _parameters(parameters: Iterable[Parameter | Layered]) -> str:
    rows = []
    for item in parameters:
        one = item.parameter if isinstance(item, Layered) else item
        default = "required" if item is EPOCHS else f"`{_toml(one.default)}`"
        rows.append((f"`{item.name}`", _domain(one), default, _sentence(_doc(item))))
    return _table(rows, ("parameter", "domain", "default", "what it is"))


def _doc(item: Parameter | Layered) -> str:
    if isinstance(item, Layered):
        return f"{item.parameter.doc}: of all `{item.depth}`, or of each as `{item.name_in(1)}`, `{item.name_in(2)}`, …"
    if item.above is not None:
        parent, number = item.above
        return f"{item.doc}; only where `{parent}` is above {number:g}"
    if item.when is None:
        return item.doc
    parent, values = item.when
    return f"{item.doc}; only where `{parent}` is {' or '.join(f'`{_toml(value)}`' for value in values)}"


def _domain(parameter: Parameter) -> str:
    if parameter.kind is str and parameter.choices:
        also = f" or {parameter.table.doc}" if parameter.table is not None else ""
        return ", ".join(f"`{_toml(choice)}`" for choice in parameter.choices) + also
    if parameter.kind in (int, float) and math.isfinite(parameter.low):
        return f"{_KINDS[parameter.kind]} from {_figure(parameter.low)} to {_figure(parameter.high)}"
    return _KINDS[parameter.kind]


def _figure(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _spaces() -> str:
    return (
        "A key of `[search.space]` is any parameter of the [family](#families) or of the [recipe](#training).\n\n"
        f"{_table(_SPACES, ('written', 'searched'))}\n\n"
        "A parameter of each layer of a stack is given for all layers at once (`filters`), or for one (`filters_2`). "
        "Parameters that stand in neither space nor `[training]` have their defaults. All that a network of your "
        "own asks for in its `build(hp)` is searched, and a space narrows that: see [your own network](own-network.md)."
    )


def _rules() -> str:
    named = [(f"`{name} = true`", f"`{text}`") for name, text in NAMED.items()]
    functions = ", ".join(f"`{name}`" for name in FUNCTIONS)
    return (
        "`[search.rules]` takes rules by name, and free ones as `where`, a list of expressions that every "
        'configuration must obey: `where = ["dense_units >= last(filters)"]`.\n\n'
        f"{_table(named, ('rule', 'stands for'))}\n\n"
        "An expression may use parameters, groups of layers (`filters`), numbers, strings, `true`, `false`, lists, "
        f"comparisons, `and`, `or`, `not`, `in`, `+ - * / // %` and the functions {functions}. A rule about a "
        "parameter that is not active in a configuration says nothing about it.\n\n"
        'It may also speak of the network that a configuration builds, as in `where = ["parameters <= 1e6"]`: of '
        "`parameters`, all of its weights; of `megabytes`, what these take at 4 bytes each; and of `multiply_adds`, "
        "those of its convolutions and dense layers for one image. A parameter of that name is meant first. "
        "Networks from scratch are counted without being built; `pretrained` and users' own are built for it, at most "
        "2,000 of them."
    )


def _paragraph(doc: str) -> str:
    return doc.partition("\n\n")[0].replace("\n", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".") + "."


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return tabulate(escaped, headers, tablefmt="pipe", disable_numparse=True)


if __name__ == "__main__":
    write_whole(PAGE, lambda path: path.write_text(reference(), encoding="utf-8"))
