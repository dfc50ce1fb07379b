"""The space of a user's own network: what its `build(hp)` declares, narrowed by what the search file says.

What it declares is known once it has been built (`tuner/running/own_spaces.py`). Until then the space is open: it holds
what the file names, and there may be more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tuner.columns import TAKEN
from tuner.errors import InputError, key_name, suggestion
from tuner.families.custom import RESERVED, SCALING
from tuner.families.declared import Declared, in_words, untold, ways_in_words
from tuner.objective import OBJECTIVES
from tuner.recipe import RECIPE
from tuner.space.parameters import Choice, Domain, Parameter, Range, Value, domain_of
from tuner.space.space import Space, read_space

if TYPE_CHECKING:
    from tuner.search_file.model import Search
    from tuner.search_file.model_search import ModelSearch

_RECIPE = {parameter.name: parameter for parameter in RECIPE}


@dataclass(frozen=True)
class OwnSpace:
    """What a search file says of the space of a user's network.

    Args:
        path: how the file names the network.
        given: `[search.space]`.
        rules: `[search.rules]`.
        training: the recipe's part of `[training]`.
    """

    path: str
    given: Mapping[str, object]
    rules: Mapping[str, object]
    training: Mapping[str, object]

    def unread(self) -> Space:
        """Return the space as far as the file alone tells, without rules where they speak of anything else.

        Raises:
            InputError: something in the file is wrong.
        """
        own = [_own_parameter(key, raw) for key, raw in self.given.items() if key not in _RECIPE]
        try:
            return read_space(self.given, self.rules, [*RECIPE, *own], self.training, is_open=True, sizeless=_RECIPE)
        except InputError as error:
            if not error.place.startswith("rules"):
                raise
            return read_space(self.given, {}, [*RECIPE, *own], self.training, is_open=True, sizeless=_RECIPE)

    def read(self, declared: Sequence[Declared]) -> Space:
        """Return the whole space.

        Raises:
            InputError: the file names a parameter that is not declared, or a value that it may not have.
        """
        by_name = {one.name: one for one in declared}
        for key in self.given:
            if key not in by_name and key not in _RECIPE and key != SCALING:
                problem = f"{self.path} never asks for it"
                raise InputError(f"space.{key_name(key)}", f"{problem}; {suggestion(key, by_name)}")
        domains = {one.name: self.domain_of(one) for one in declared}
        recipe = [self._of_recipe(parameter, by_name.get(parameter.name)) for parameter in RECIPE]
        own = [self._own(one) for one in declared if one.name not in _RECIPE]
        if SCALING in self.given and SCALING not in by_name:
            own.append(_own_parameter(SCALING, self.given[SCALING]))
        place = {name: number for number, name in enumerate(self.given)}
        told = {name for name, domain in domains.items() if isinstance(domain, Range) or len(domain.values) > 1}
        if told <= place.keys() and not any(one.ways for one in own):
            own.sort(key=lambda one: place.get(one.name, len(place)))  # of which a grid is in the order
        return read_space(self.given, self.rules, [*recipe, *own], self.training, domains, sizeless=_RECIPE)

    def domain_of(self, declared: Declared) -> Domain:
        """Return what is searched of a parameter that `build` asks for.

        Raises:
            InputError: what the file says is not among what is declared; or there is nothing that could be searched.
        """
        name = declared.name
        in_file = name in self.given or (name in self.training and name in _RECIPE)
        try:
            if name in _RECIPE:
                parameter = self._of_recipe(_RECIPE[name], declared)
                if name not in self.given and name in self.training:
                    return Choice((parameter.check(self.training[name]),))
                if name in self.given:
                    if declared.kind != "get":
                        declared.narrowed(self.given[name])
                    return domain_of(self.given[name], parameter)
                if declared.kind == "get":
                    return Choice((parameter.default,))
                return _of_kind(declared.domain(), parameter)
            if name in self.given:
                return declared.narrowed(self.given[name])
            _check_name(f"family {self.path}", f"asks for {name!r}, which", name)
            return declared.domain()
        except ValueError as error:
            if in_file:
                raise InputError(f"space.{key_name(name)}", str(error)) from error
            problem = f"asks for {name!r}, which {error}"
            raise InputError(f"family {self.path}", problem, "name it in [search.space]") from error

    def answers(self) -> dict[str, Value]:
        """Return a value of each parameter that the file names, to build with."""
        found: dict[str, Value] = {}
        for name, raw in {**self.training, **self.given}.items():
            parameter = _RECIPE.get(name) or untold(name, raw)
            try:
                domain = domain_of(raw, parameter)
            except ValueError as error:
                raise InputError(f"space.{key_name(name)}", str(error)) from error
            first = domain.low if isinstance(domain, Range) else domain.values[0]
            found[name] = parameter.kind(first)
        return {name: value for name, value in found.items() if name not in RESERVED}

    @staticmethod
    def looked_up() -> dict[str, Value]:
        """Return the recipe's values for what `build` only looks up."""
        return {name: parameter.default for name, parameter in _RECIPE.items() if name not in RESERVED}

    def _own(self, declared: Declared) -> Parameter:
        raw = self.given.get(declared.name)
        return declared.parameter() if raw is None else declared.named(raw)

    def _of_recipe(self, parameter: Parameter, declared: Declared | None) -> Parameter:
        """Return a setting of the recipe that a `build` which asks for it may give other names to, as of optimizers."""
        texts = [] if declared is None else [value for value in declared.values if isinstance(value, str)]
        if not texts or parameter.kind is not str or declared is None:
            return parameter
        return replace(parameter, choices=tuple(dict.fromkeys((*parameter.choices, *texts))))


def _of_kind(domain: Domain, parameter: Parameter) -> Domain:
    """Return a domain with values of a parameter's type, each of which it takes.

    Raises:
        ValueError: it does not.
    """
    try:
        if isinstance(domain, Choice):
            values = [bool(v) if parameter.kind is bool and v in (0, 1) else v for v in domain.values]
            return Choice(tuple(parameter.check(value) for value in values))
        for end in (domain.low, domain.high):
            parameter.check(int(end) if domain.whole else end)
    except ValueError as error:
        raise ValueError(f"is a setting of the recipe: {error}") from error
    return replace(domain, whole=parameter.kind is int)


def _own_parameter(name: str, raw: object) -> Parameter:
    """Return a parameter of a user's own network as the search file alone tells of it.

    Raises:
        InputError: it is called as a column of the tables is.
    """
    _check_name(f"space.{key_name(name)}", "", name)
    return untold(name, raw)


def _check_name(place: str, what: str, name: str) -> None:
    if name in TAKEN or name in {objective.column for objective in OBJECTIVES.values()}:
        problem = f"{what} is a column of the tables".strip()
        raise InputError(place, problem, "give it another name in the network")


def own_parameters(search: Search, model_search: ModelSearch) -> list[dict[str, Any]]:
    """Return what a user's `build(hp)` asks for, a dict each: name, values and where it is active, in words."""
    content = search.content
    part = content["search"][search.model_searches.index(model_search)]
    in_file = {*content["training"], *part.get("space", {})}
    return [
        {
            "name": one.name,
            "values": in_words(model_search.space.domains[one.name]),
            "where": ways_in_words(one.ways) if one.name not in _RECIPE else "",
            "in_file": one.name in in_file,
        }
        for one in model_search.declared or ()
    ]


def difference(unread: Space, read: Space) -> str:
    """Return a hash of what building told of a space beyond its file; empty where that is nothing."""
    described: Callable[[Space], str] = lambda space: json.dumps(  # noqa: E731
        [
            (name, parameter.ways, asdict(space.domains[name]))
            for parameter in space.parameters
            if (name := parameter.name) in space.varying()
        ]
    )
    now = described(read)
    return "" if now == described(unread) else hashlib.sha256(now.encode()).hexdigest()[:16]
