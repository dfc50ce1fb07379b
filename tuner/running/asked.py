"""What may be asked about a `[[search]]`: whether a request makes sense for it, before anybody decides on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuner.errors import InputError, suggestion
from tuner.families.declared import in_words
from tuner.ledger.requests import Change, Request
from tuner.running.loop import Place
from tuner.running.proposals import Proposals
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.schema import MOST
from tuner.space.given import read_one
from tuner.space.space import Configuration, Space


def searched_as(search: Search, model: str) -> ModelSearch:
    """Return the `[[search]]` of a name.

    Raises:
        InputError: there is none.
    """
    found = {one.name: one for one in search.model_searches}
    if model not in found:
        raise InputError(model, "no [[search]] of this name", suggestion(model, found))
    return found[model]


def configuration_of(request: Request, space: Space) -> Configuration:
    """Return the configuration that is to be added, read as those of `try_first` are.

    Raises:
        InputError: it is none of the space; the error names the parameter and says what to do.
    """
    return read_one(request.values or {}, space, lambda domain: f"take one of {in_words(domain)}")


def why_no_number(searched: ModelSearch) -> str:
    """Return why a `[[search]]` has no `max_trials`; empty where it has one."""
    algorithm = searched.algorithm
    if algorithm.max_trials == "refuses":
        return f"a {algorithm.name} has none: it tries all"
    return f"{searched.label} has none: {algorithm.name} ends by itself" if searched.asked_trials is None else ""


def check_number(request: Request, searched: ModelSearch) -> int:
    """Return the number of trials that is to hold for a `[[search]]`.

    Raises:
        InputError: it has no such number, or it makes no sense.
    """
    number = request.max_trials or 0
    if none := why_no_number(searched):
        raise InputError("max_trials", none, "skip trials that are too many")
    if not 1 <= number <= MOST:
        raise InputError("max_trials", f"is not a number from 1 to {MOST:,}", "take another one")
    if number == searched.asked_trials:
        raise InputError("max_trials", f"is {number:,} already", "take another number")
    return number


def added(request: Request, places: Sequence[Place]) -> list[Change]:
    """Return what adds a configuration to the proposals of a `[[search]]`, on each data set where it is new.

    Raises:
        InputError: it is none of the space, or has been proposed everywhere.
    """
    changes, known = [], ""
    for place in places:
        proposals = place.proposals
        searched = _adjustable(proposals)
        values = configuration_of(request, searched.space)
        known = proposals.name_of(values)
        if not known:
            changes.append(proposals.change(proposals.trial_of(values).id, values))
    if not changes:
        raise InputError("", f"it is trial {known} of this search already", "change a value")
    return changes


def limited(request: Request, places: Sequence[Place]) -> list[Change]:
    """Return what lets another `max_trials` hold for the proposals of a `[[search]]`, on each data set.

    Where more have been proposed, the last ones of those that nobody has begun are left out.

    Raises:
        InputError: it has no such number, or more trials have begun.
    """
    changes = []
    for place in places:
        proposals = place.proposals
        number = check_number(request, _adjustable(proposals))
        own = proposals.configurations - len(proposals.added)
        begun = own - len(place.unbegun)
        if number < begun:
            raise InputError("max_trials", f"{begun:,} trials have begun on {place.dataset}", f"take {begun:,} or more")
        left_out = place.unbegun[len(place.unbegun) - (own - number) :] if number < own else ()
        limit = number + proposals.cut + len(left_out)
        changes.append(proposals.change(limit=limit, left_out=left_out))
    return changes


def asked_trials(places: Sequence[Place]) -> int | None:
    """Return the `max_trials` that holds for a `[[search]]`."""
    searched = places[0].proposals.searched
    return searched.asked_trials if searched else None


def _adjustable(proposals: Proposals) -> ModelSearch:
    """Return whose proposals these are, if they can be changed.

    Raises:
        InputError: they cannot.
    """
    if proposals.searched is None or not proposals.adjustable:
        raise InputError(proposals.model, "its algorithm proposes what it proposes", "stop or skip single trials")
    return proposals.searched


def check_request(request: Request, search: Search) -> None:
    """See that a request about a `[[search]]` makes sense for it; whether it can be granted, its run decides.

    Rules about the size of a network are left to the run, which knows the images.

    Raises:
        InputError: it does not.
    """
    searched = searched_as(search, request.model)
    if request.what == "max_trials":
        check_number(request, searched)
    elif searched.space.is_open:
        raise InputError(searched.label, "its parameters are not known before it has been built", "wait for its run")
    else:
        known = tuple(rule for rule in searched.space.rules if not rule.measured or rule.measure is not None)
        configuration_of(request, replace(searched.space, rules=known))
