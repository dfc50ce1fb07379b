"""Pruning by successive halving: which configurations go on, in whatever order their results come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tuner.oracles import Halving, Oracle, Pause, Proposal, Pruning, rungs_of
from tuner.space.space import Configuration


class Listed(Oracle):
    """Proposes configurations 0, 1, … and notes what it hears."""

    def __init__(self, count: int, adaptive: bool = True) -> None:
        self.adaptive = adaptive
        self.heard: list[tuple[int, float | None]] = []
        self._left = iter(range(count))

    def propose(self) -> Proposal | Pause:
        number = next(self._left, None)
        return Pause.EXHAUSTED if number is None else Proposal({"number": number})

    def observe(self, number: int, score: float | None) -> None:
        assert self.adaptive
        self.heard.append((number, score))


Score = Callable[[int, int], float | None]


def number_of(values: Configuration) -> int:
    return int(values["number"])


def drive(oracle: Halving, score: Score, epochs: int = 20, at_once: int = 1) -> list[tuple[int, int]]:
    """Propose with so many results outstanding; return configuration and last epoch of each proposal."""
    proposals: list[tuple[int, int]] = []
    told = 0
    while True:
        while told <= len(proposals) - at_once:
            oracle.observe(told, score(*proposals[told]))
            told += 1
        answer = oracle.propose()
        if answer is Pause.WAITING:
            assert told < len(proposals), "it waits for nothing"
            oracle.observe(told, score(*proposals[told]))
            told += 1
        elif isinstance(answer, Proposal):
            proposals.append((number_of(answer.values), answer.stop_after or epochs))
        else:
            assert told == len(proposals), "it ends before it has heard all"
            return proposals


@pytest.mark.parametrize(
    ("epochs", "factor", "first", "rungs"),
    [
        (20, 3, None, (3, 7, 20)),
        (27, 3, None, (3, 9, 27)),
        (27, 3, 1, (1, 3, 9, 27)),
        (20, 4, None, (2, 5, 20)),
        (10, 2, 2, (2, 4, 8, 10)),
        (2, 3, None, (1, 2)),
        (3, 3, None, (1, 3)),
        (1, 3, None, (1,)),
        (5, 3, 7, (5,)),
    ],
)
def test_rungs(epochs: int, factor: int, first: int | None, rungs: tuple[int, ...]) -> None:
    assert rungs_of(epochs, factor, first) == rungs


def test_the_best_third_of_each_rung_goes_on_from_where_it_stopped() -> None:
    """Nine configurations, each better than the one before it, worked out by hand."""
    proposals = drive(Halving(Listed(9), Pruning((3, 7, 20), 3)), lambda number, epochs: number + epochs / 100)
    assert proposals == [
        *[(0, 3), (1, 3), (2, 3), (2, 7)],  # the best of three
        *[(3, 3), (3, 7)],  # the best of four
        *[(4, 3), (4, 7), (4, 20)],  # the best of five, and then of the three that reached epoch 7
        *[(5, 3), (5, 7), (5, 20)],
        *[(6, 3), (6, 7), (6, 20)],
        *[(7, 3), (7, 7), (7, 20)],
        *[(8, 3), (8, 7), (8, 20)],
    ]


def test_what_is_worse_than_those_before_it_is_pruned() -> None:
    proposals = drive(Halving(Listed(9), Pruning((3, 7, 20), 3)), lambda number, epochs: -number)
    assert [p for p in proposals if p[1] > 3] == [(0, 7), (1, 7), (2, 7), (0, 20)]


@pytest.mark.parametrize("at_once", [1, 2, 5, 17, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 40])
def test_each_configuration_is_trained_once_to_each_rung_that_it_reaches_and_one_to_the_end(
    count: int, at_once: int
) -> None:
    def score(number: int, epochs: int) -> float | None:
        return None if number % 7 == 3 else (number * 37 % 41) + epochs

    proposals = drive(Halving(Listed(count), Pruning((3, 7, 20), 3)), score, at_once=at_once)
    assert max(Counter(proposals).values()) == 1
    reached = {rung: [number for number, epochs in proposals if epochs == rung] for rung in (3, 7, 20)}
    assert sorted(reached[3]) == list(range(count))
    assert set(reached[20]) <= set(reached[7])
    assert 1 <= len(reached[20]) <= len(reached[7])
    ranked = sorted(reached[3], key=lambda number: -(score(number, 3) or -1))
    assert ranked[0] in reached[20], "the best one throughout is trained to the end"


def test_where_what_went_on_fails_the_next_one_does() -> None:
    proposals = drive(
        Halving(Listed(3), Pruning((3, 20), 3)), lambda number, epochs: None if number and epochs > 3 else number
    )
    assert proposals == [(0, 3), (1, 3), (2, 3), (2, 20), (1, 20), (0, 20)]


def test_where_all_fail_it_ends() -> None:
    assert drive(Halving(Listed(4), Pruning((3, 20), 3)), lambda number, epochs: None) == [(n, 3) for n in range(4)]


def test_the_other_oracle_hears_of_each_configuration_once_where_it_stopped() -> None:
    listed = Listed(9)
    drive(Halving(listed, Pruning((3, 7, 20), 3)), lambda number, epochs: number + epochs / 100, at_once=3)
    assert max(Counter(number for number, _ in listed.heard).values()) == 1
    scores = dict(listed.heard)
    assert scores[0] == 0.03
    assert scores[4] == 4.2
    drive(Halving(Listed(9, adaptive=False), Pruning((3, 7, 20), 3)), lambda number, epochs: number)


def test_a_proposal_says_whether_it_goes_on() -> None:
    oracle = Halving(Listed(1), Pruning((3, 20), 3))
    first = oracle.propose()
    oracle.observe(0, 0.5)
    assert first == Proposal({"number": 0}, stop_after=3)
    assert oracle.propose() == Proposal({"number": 0}, goes_on=True)
