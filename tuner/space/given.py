"""Configurations that somebody knows beforehand: read from what a search file gives, and held against its space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tuner.errors import InputError, key_name, shown, suggestion
from tuner.space.parameters import Domain, Parameter, Range, Value
from tuner.space.space import Configuration, Space

#: What a search file can do about a value that is not searched.
_WIDEN = "add it to [search.space]"


def read_given(given: Sequence[Mapping[str, object]], space: Space) -> tuple[Configuration, ...]:
    """Return whole configurations of a space from what a search file gives of each.

        read_given([{"dropout": 0.3, "filters": 16}], space)

    Args:
        given: of each configuration the values of parameters, or of a group of layers as one (`filters`). What the
            space fixes may be left out.
        space: what is searched.

    Raises:
        InputError: a name or value that the space has not, one that is missing, a rule that is broken, the same
            configuration twice; it names the place.
    """
    found: list[Configuration] = []
    for number, values in enumerate(given, start=1):
        place = f"try_first {number}"
        try:
            configuration = read_one(values, space)
        except InputError as error:
            raise error.inside(place) from error
        if configuration in found:
            raise InputError(place, f"is try_first {found.index(configuration) + 1} again", "remove it")
        found.append(configuration)
    return tuple(found)


def read_one(
    given: Mapping[str, object], space: Space, instead: Callable[[Domain], str] = lambda domain: _WIDEN
) -> Configuration:
    """Return a whole configuration of a space from values of what varies in it, as `read_given` does for each.

    `instead` says what to do about a value that is not among those of a domain.

    Raises:
        InputError: see `read_given`.
    """
    configuration = _whole(given, space, instead)
    rule = space.broken_rule(configuration)
    if rule is not None:
        raise InputError("", f"breaks the rule {shown(rule.text)}", "change the values or the rule")
    return configuration


def _whole(given: Mapping[str, object], space: Space, instead: Callable[[Domain], str]) -> Configuration:
    """Return the configuration with these values, each checked."""
    behind = {member: group for group, members in space.groups.items() for member in members}
    values: Configuration = {}
    read: set[str] = set()
    for parameter in space.parameters:
        if not parameter.is_active(values):
            continue
        keys = [key for key in (parameter.name, behind.get(parameter.name)) if key in given]
        read.update(key for key in keys if key)
        domain = space.domains[parameter.name]
        values[parameter.name] = (
            _value(given[keys[0]], parameter, domain, instead) if keys and keys[0] else _only(parameter, domain)
        )
    names = {parameter.name for parameter in space.parameters} | space.groups.keys()
    for key in given:
        if key not in names:
            raise InputError(key_name(key), "no such parameter; " + suggestion(key, names))
        if key not in read:
            raise InputError(key_name(key), "has no part in this configuration", "remove it")
    return values


def _value(raw: object, parameter: Parameter, domain: Domain, instead: Callable[[Domain], str]) -> Value:
    """Return a value that a parameter takes and the space searches."""
    try:
        value = parameter.check(raw)
    except ValueError as error:
        raise InputError(key_name(parameter.name), str(error)) from error
    if not domain.holds(value):
        problem = f"{shown(value)} is not among the values that are searched"
        raise InputError(key_name(parameter.name), problem, instead(domain))
    return value


def _only(parameter: Parameter, domain: Domain) -> Value:
    """Return the one value of a parameter that does not vary."""
    if isinstance(domain, Range) or len(domain.values) > 1:
        raise InputError(key_name(parameter.name), "is missing: it varies", "say which value to try")
    return domain.values[0]
