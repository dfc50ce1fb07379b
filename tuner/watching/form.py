"""The form for a configuration that somebody adds to a search: what varies and matters beside what was chosen.

Which parameters matter is asked of the space each time, so that a page knows nothing of conditions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tuner.errors import InputError
from tuner.ledger.requests import Request
from tuner.running.asked import check_request, searched_as
from tuner.search_file.model import Search
from tuner.space.parameters import Choice, Domain, Parameter, Range, Value, Values
from tuner.text import setting, visible_line

#: A longer list of values is not chosen from, but typed.
_MOST_CHOICES = 200


def form_of(search: Search, model: str, given: Mapping[str, Value]) -> dict[str, Any]:
    """Return the fields of a form, a dict each, the values that they hold, and what is wrong with these as one line.

    A field has either `choices`, each a value with what it is called, or `low`, `high` and `step` of a number, any of
    them None where it has none. What was not given yet has the first of its values.

    Args:
        search: what runs.
        model: the name of its `[[search]]`.
        given: what was chosen so far; what has no part in the configuration any more is left out.

    Raises:
        InputError: there is no such `[[search]]`.
    """
    space = searched_as(search, model).space
    values: dict[str, Value] = {}  # of the space, by which the next parameter matters or does not
    shown: dict[str, Value] = {}
    fields = []
    varying = set(space.varying())
    for parameter in space.parameters:
        if not parameter.is_active(values):
            continue
        domain = space.domains[parameter.name]
        first = _first(domain)
        values[parameter.name] = first
        if parameter.name not in varying:
            continue
        shown[parameter.name] = given.get(parameter.name, first)
        values[parameter.name] = _held(shown[parameter.name], parameter, domain, first)
        fields.append({"name": parameter.name, "about": visible_line(parameter.doc), **_asked(domain)})
    problem = ""
    try:
        check_request(Request("add", model=model, values=shown), search)
    except InputError as error:
        problem = str(error)
    return {"fields": fields, "values": _finite(shown), "problem": problem}


def _first(domain: Domain) -> Value:
    if isinstance(domain, Choice):
        return domain.values[0]
    return domain.values[0] if domain.step is not None and domain.is_finite else _kind(domain)(domain.low)


def _kind(domain: Range) -> type[int] | type[float]:
    return int if domain.whole else float


def _held(raw: Value, parameter: Parameter, domain: Domain, first: Value) -> Value:
    """Return a value if the domain holds it, and the first one otherwise."""
    try:
        value = parameter.check(raw)
    except ValueError:
        return first
    return value if domain.holds(value) else first


def _asked(domain: Domain) -> dict[str, Any]:
    """Return what can be chosen of a domain."""
    if isinstance(domain, Choice) or (domain.step is not None and domain.size() <= _MOST_CHOICES):
        return {"choices": [[value, visible_line(setting(value))] for value in domain.values]}
    step = None if domain.log else domain.step or (1 if domain.whole else None)
    kind = _kind(domain)
    return {"low": kind(domain.low), "high": kind(domain.high), "step": step, "whole": domain.whole}


def _finite(values: Values) -> dict[str, Value | None]:
    """Return values as JSON can hold them."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()
    }
