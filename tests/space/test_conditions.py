"""Parameters that several others decide about: the grid is what a walk over all values by hand gives."""

from __future__ import annotations

import random
from itertools import product

import pytest

from tuner.space.parameters import Choice, Condition, Parameter, Value
from tuner.space.rules import parse_rule
from tuner.space.space import Configuration, Space


def made_up(seed: int) -> Space:
    """Return a space of seven parameters, each active in up to three ways that name up to two parents."""
    draw = random.Random(seed)  # noqa: S311
    parameters: list[Parameter] = []
    domains: dict[str, Choice] = {}
    for number in range(7):
        values: tuple[Value, ...] = tuple(range(draw.choice((1, 2, 2, 3))))
        ways: list[tuple[Condition, ...]] = []
        for _ in range(draw.choice((0, 1, 2, 3)) if parameters else 0):
            above = draw.sample(parameters, min(len(parameters), draw.choice((1, 2))))
            way = [(one.name, (draw.choice(domains[one.name].values), draw.randrange(4))) for one in above]
            ways.append(tuple(way))
        parameters.append(Parameter(f"p{number}", 0, ways=tuple(ways)))
        domains[f"p{number}"] = Choice(values)
    rule = parse_rule("p1 + p6 != 2", set(domains))
    return Space(tuple(parameters), domains, rules=(rule,))


def by_hand(space: Space) -> list[Configuration]:
    """Return every different configuration, found by trying all values and leaving out what does not count."""
    found: list[Configuration] = []
    for values in product(*(space.domains[parameter.name].grid() for parameter in space.parameters)):
        kept: Configuration = {}
        for parameter, value in zip(space.parameters, values, strict=True):
            ways = parameter.ways or ((),)
            if any(all(name in kept and kept[name] in given for name, given in way) for way in ways):
                kept[parameter.name] = value
        allowed = not ("p1" in kept and "p6" in kept) or int(kept["p1"]) + int(kept["p6"]) != 2
        if allowed and kept not in found:
            found.append(kept)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_a_grid_with_several_ways_and_parents_has_each_configuration_once_and_is_counted_rightly(seed: int) -> None:
    space = made_up(seed)
    grid, expected = list(space.grid()), by_hand(space)
    assert sorted(map(str, grid)) == sorted(map(str, expected))
    assert space.count()[0] == len(expected)
    assert space.finite is not None
    numbered = [space.finite.numbered.at(number) for number in range(space.finite.count)]
    assert sorted(map(str, numbered)) == sorted(map(str, expected))


def test_a_parameter_with_two_ways_is_active_in_each_and_names_its_parents_once() -> None:
    ways = ((("kind", ("cnn",)), ("deep", (True,))), (("kind", ("mlp",)),))
    units = Parameter("units", 8, ways=ways)
    assert units.parents == ("kind", "deep")
    assert units.is_active({"kind": "mlp"})
    assert units.is_active({"kind": "cnn", "deep": True})
    assert not units.is_active({"kind": "cnn", "deep": False})
    assert not units.is_active({"kind": "cnn"})
    assert Parameter("rate", 0.1).conditions == ((),)
    assert Parameter("momentum", 0.0, when=("optimizer", ("sgd",))).parents == ("optimizer",)
