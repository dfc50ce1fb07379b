"""Parameters that several others decide about, proposed by each algorithm: none twice, none that does not count."""

from __future__ import annotations

import pytest

from tuner.oracles import ALGORITHMS, Pause, Proposal
from tuner.space.parameters import Choice, Parameter, Range
from tuner.space.space import Configuration, Space

KIND = Parameter("kind", "mlp")
DEEP = Parameter("deep", False, when=("kind", ("cnn", "resnet")))
ALWAYS = Parameter("always", 3)
#: Of a convolution network that is deep, or of any dense one.
UNITS = Parameter("units", 8, ways=((("kind", ("cnn",)), ("deep", (True,))), (("kind", ("mlp",)),)))
#: Below one that has two ways.
RATE = Parameter("rate", 0.1, when=("units", (16,)))
#: What decides is fixed, and is active for some only.
SIZE = Parameter("size", 3, when=("kind", ("resnet",)))
INNER = Parameter("inner", 1, when=("size", (3,)))


def space() -> Space:
    domains = {
        "kind": Choice(("mlp", "cnn", "resnet")),
        "deep": Choice((False, True)),
        "always": Choice((3,)),
        "units": Choice((8, 16)),
        "rate": Choice((0.1, 0.2)),
        "size": Choice((3,)),
        "inner": Range(1, 3, whole=True),
    }
    return Space((KIND, DEEP, ALWAYS, UNITS, RATE, SIZE, INNER), domains)


#: By hand: mlp 8, 16 with 2 rates; cnn shallow, or deep with the same 3; resnet 2 depths with 3 inner values.
COUNT = 3 + 1 + 3 + 2 * 3


def proposals(algorithm: str) -> list[Configuration]:
    if algorithm == "tpe":
        pytest.importorskip("optuna")
    most = None if algorithm in ("grid", "hyperband") else 100
    first = [] if algorithm == "grid" else [{"kind": "cnn", "deep": False, "always": 3}]
    oracle = ALGORITHMS[algorithm].oracle(space(), 0, most, 9, first)
    found: list[Configuration] = []
    told = 0
    while (answer := oracle.propose()) is not Pause.EXHAUSTED:
        if isinstance(answer, Proposal):
            found.append(answer.values)
        if oracle.adaptive and told < len(found):
            oracle.observe(told, 0.5 + 0.01 * (told % 7))
            told += 1
    return found


@pytest.mark.parametrize("algorithm", ["grid", "random", "bayesian", "tpe"])
def test_all_configurations_are_proposed_once_each(algorithm: str) -> None:
    found = [tuple(sorted(values.items())) for values in proposals(algorithm)]
    assert len(found) == len(set(found)) == COUNT
    assert set(found) == {tuple(sorted(values.items())) for values in space().grid()}


def test_hyperband_begins_with_as_many_as_there_are_none_of_them_twice_and_can_be_repeated() -> None:
    found = [tuple(sorted(values.items())) for values in proposals("hyperband")]
    allowed = {tuple(sorted(values.items())) for values in space().grid()}
    assert set(found) <= allowed
    first = found[: min(9, COUNT)]
    assert len(set(first)) == len(first)
    assert found == [tuple(sorted(values.items())) for values in proposals("hyperband")]
