"""The finite part of a space: what can be counted of it, and drawn by number where random draws find nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuner.errors import InputError
from tuner.space.grid import Grid, Numbered
from tuner.space.parameters import Choice, Domain, Parameter, Value
from tuner.space.rules import Groups, Rule

#: So many steps of a count take half a second: every command that lists a search may count it.
_MOST_EFFORT = 250_000


@dataclass(frozen=True)
class FinitePart:
    """The configurations of the parameters whose values can be listed, as far as the rules about these allow them.

    `endless` names the other parameters, real numbers without a step; in a configuration that is drawn here they stand
    with the lowest value, for the caller to draw one. `rules` are the rules that were asked, which are those that do
    not read an endless parameter, and for which no network is built.
    """

    numbered: Numbered
    endless: frozenset[str]
    rules: tuple[Rule, ...]

    @property
    def count(self) -> int:
        """How many configurations there are, whatever the endless parameters are."""
        return self.numbered.count


def finite_part(
    parameters: Sequence[Parameter], domains: Mapping[str, Domain], rules: Sequence[Rule], groups: Groups
) -> FinitePart | None:
    """Return the finite part of a space, or None where it takes too long to count.

    A rule that cannot be computed for some configurations lets them not be counted either.
    """
    values: list[tuple[Parameter, Sequence[Value]]] = []
    endless = set()
    for parameter in parameters:
        domain = domains[parameter.name]
        if isinstance(domain, Choice) or domain.is_finite:
            values.append((parameter, domain.values))
        else:
            endless.add(parameter.name)
            values.append((parameter, (parameter.kind(domain.low),)))
    asked = tuple(rule for rule in rules if not rule.costly and not rule.reads(groups) & endless)
    try:
        numbered = Grid(values, asked, groups).numbered(_MOST_EFFORT)
    except InputError:
        return None
    return None if numbered is None else FinitePart(numbered, frozenset(endless), asked)
