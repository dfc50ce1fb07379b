"""How large networks are, for rules that speak of it: counted layer by layer, or by building them in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from tuner.errors import InputError
from tuner.families.base import Family
from tuner.families.pretrained import NO_WEIGHTS, Pretrained
from tuner.running.building import build_all
from tuner.search_file.contenders import SizeLimit
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Choice, Value, Values
from tuner.space.rules import Measure

if TYPE_CHECKING:
    from tuner.datasets.base import Shape

#: More networks are not built to tell which of them a rule allows: minutes.
MOST_BUILT = 2_000

_Key = tuple[tuple[str, Value], ...]


def with_sizes(search: Search, model_search: ModelSearch, shape: Shape, classes: int) -> ModelSearch:
    """Return a model search whose rules know how large its networks are on images of a shape.

    Where no rule asks for it, that is the model search itself.
    """
    space = model_search.space
    if not space.awaits_sizes:
        return model_search
    named = frozenset[str]().union(*(rule.reads(space.groups) for rule in space.rules if rule.measured))
    if _is_counted(model_search):
        return replace(model_search, space=space.measured_by(_counting(model_search, shape, classes, named), False))
    building = _Building(search, model_search, shape, classes, named)
    return replace(model_search, space=space.measured_by(building, True))


def _is_counted(model_search: ModelSearch) -> bool:
    """Whether the family counts its networks without building them."""
    return type(model_search.family).counted is not Family.counted


def _counting(model_search: ModelSearch, shape: Shape, classes: int, named: frozenset[str]) -> Measure:
    known: dict[_Key, Mapping[str, float]] = {}

    def measure(values: Values) -> Mapping[str, float]:
        key = tuple((name, value) for name, value in values.items() if name in named)
        if key not in known:
            work = model_search.family.counted(values, shape, classes)
            known[key] = _told(work.parameters, work.total) if work else {}
        return known[key]

    return measure


def _told(parameters: int, multiply_adds: float) -> dict[str, float]:
    return {
        "parameters": parameters,
        "megabytes": SizeLimit.in_bytes(parameters) / 1e6,
        "multiply_adds": multiply_adds,
    }


class _Building:
    """Builds networks in a worker to tell how large they are, each once; those of a grid all at once."""

    def __init__(
        self, search: Search, model_search: ModelSearch, shape: Shape, classes: int, named: frozenset[str]
    ) -> None:
        self._search, self._model_search, self._images, self._named = search, model_search, (shape, classes), named
        self._known: dict[_Key, Mapping[str, float]] = {}
        self._beside: dict[str, Value] = {
            name: domain.values[0] if isinstance(domain, Choice) else domain.low
            for name, domain in model_search.space.domains.items()
            if name not in named
        }
        if isinstance(model_search.family, Pretrained):
            self._beside["weights"] = NO_WEIGHTS

    def __call__(self, values: Values) -> Mapping[str, float]:
        """Return what there is to know of the network of these values.

        Raises:
            InputError: more networks would be built than anybody waits for.
        """
        key = self._key(values)
        if key not in self._known:
            if not self._known and self._model_search.algorithm.lists_grid:
                self._build(*self._of_the_grid())
            if key not in self._known:
                self._build(values)
        return self._known[key]

    def _key(self, values: Values) -> _Key:
        return tuple((name, value) for name, value in values.items() if name in self._named)

    def _of_the_grid(self) -> list[Values]:
        """Return a configuration of each network in the grid."""
        space = self._model_search.space
        free = replace(space, rules=tuple(rule for rule in space.rules if not rule.measured))
        found: dict[_Key, Values] = {}
        for values in islice(free.grid(), 1_000 * MOST_BUILT):
            found.setdefault(self._key(values), values)
            if len(found) > MOST_BUILT:
                break
        return list(found.values())

    def _build(self, *several: Values) -> None:
        if len(self._known) + len(several) > MOST_BUILT:
            problem = f"speak of the size of networks that only building tells, and more than {MOST_BUILT:,} would be"
            raise InputError("rules", problem, "search fewer values, or leave that rule out")
        whole = [{**self._beside, **values} for values in several]
        for values, built in zip(
            several, build_all(self._search, self._model_search, *self._images, whole), strict=True
        ):
            told = {} if built.parameters is None else _told(built.parameters, built.work)
            self._known[self._key(values)] = told
