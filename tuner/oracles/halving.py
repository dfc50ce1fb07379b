"""Pruning by successive halving: what another oracle proposes is trained a little, and the best of it further.

The rule is that of asynchronous successive halving (Li et al., 2020, "A system for massively parallel hyperparameter
tuning", algorithm 2): a configuration goes on from a rung when it is among the best 1/factor of those that have reached
the rung so far. Free of Keras.
"""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, field, replace

from tuner.oracles.base import Oracle, Pause, Proposal
from tuner.space.space import Configuration

#: What `prune` in a search file may say.
PRUNINGS = ("halving",)


@dataclass(frozen=True)
class Pruning:
    """How a search prunes: after how many epochs it decides, and one of how many goes on each time.

    `rungs` are numbers of epochs, rising; the last is the whole training, after which nothing is decided.
    """

    rungs: tuple[int, ...]
    factor: int


def rungs_of(epochs: int, factor: int, first: int | None = None) -> tuple[int, ...]:
    """Return after how many epochs trials of `epochs` epochs are pruned, and their last epoch.

    Each rung has `factor` times the epochs of the rung before. Unless the first is given there are two before the last,
    as long as the trials are long enough.

    Example:
        rungs_of(20, 3)  # (3, 7, 20)
        rungs_of(27, 3, first=1)  # (1, 3, 9, 27)
    """
    if first is None:
        below = [-(-epochs // factor**power) for power in (2, 1)]
        return tuple(sorted({rung for rung in below if rung < epochs} | {epochs}))
    rungs = [first]
    while rungs[-1] * factor < epochs:
        rungs.append(rungs[-1] * factor)
    return (*(rung for rung in rungs if rung < epochs), epochs)


@dataclass(eq=False)
class _Tried:
    """A configuration as it was proposed: how many rungs it was sent to, and what it scored at those that it reached.

    A score is None where the training failed.
    """

    number: int
    proposal: Proposal
    started: int = 0
    scores: list[float | None] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return None in self.scores

    @property
    def stands(self) -> bool:
        """Whether nothing of it is being trained."""
        return self.started == len(self.scores)

    def rank(self, rung: int) -> tuple[float, int]:
        """Return by what it is ranked among those that reached a rung, the best one's first."""
        score = self.scores[rung]
        return (math.inf if score is None else -score), self.number


class Halving(Oracle):
    """Proposes what another oracle does, each for a few epochs first, and goes on with the best.

    Further training comes before new configurations, the furthest first. The other oracle hears of a configuration
    once, when it stops for the time being: what it scored where it stopped. When the other has nothing more to propose,
    every rung sends at least one configuration on, so that the best of them ends with the whole training.

    Args:
        oracle: proposes configurations; it decides on no epochs of its own.
        pruning: when and how many go on.
    """

    adaptive = True

    def __init__(self, oracle: Oracle, pruning: Pruning) -> None:
        self._oracle, self._pruning, self.adjustable = oracle, pruning, oracle.adjustable
        self._proposed: list[_Tried] = []  # by the number of the proposal
        self._heard = self._configurations = 0
        self._exhausted = False
        #: Those that reached each rung but the last, best first.
        self._reached: list[list[_Tried]] = [[] for _ in pruning.rungs[:-1]]
        self._untold: list[_Tried] = []

    def propose(self) -> Proposal | Pause:
        """Return what goes on, or else what is new; see `Oracle.propose`."""
        following = self._best_to_go_on()
        if following is not None:
            return self._further(following)
        if not self._exhausted:
            self._tell()
            answer = self._oracle.propose()
            if isinstance(answer, Proposal):
                tried = _Tried(self._configurations, answer)
                self._configurations += 1
                self._untold.append(tried)
                return self._further(tried)
            self._exhausted = answer is Pause.EXHAUSTED
        if self._heard < len(self._proposed):
            return Pause.WAITING
        following = self._best_to_go_on(at_least=1)
        return Pause.EXHAUSTED if following is None else self._further(following)

    def observe(self, number: int, score: float | None) -> None:
        """Hear how a training to a rung ended; see `Oracle.observe`."""
        self._heard += 1
        tried = self._proposed[number]
        rung = len(tried.scores)
        tried.scores.append(score)
        if rung < len(self._reached):
            insort(self._reached[rung], tried, key=lambda one: one.rank(rung))

    def add(self, values: Configuration) -> None:
        """Let a configuration be the next new one; further training of others comes before it, as before any."""
        self._oracle.add(values)
        self._exhausted = False

    def limit(self, max_trials: int) -> None:
        """End after so many configurations; see `Oracle.limit`."""
        self._oracle.limit(max_trials)
        self._exhausted = False

    def _further(self, tried: _Tried) -> Proposal:
        """Return the proposal that trains a configuration to its next rung."""
        rung = tried.started
        tried.started += 1
        self._proposed.append(tried)
        stop_after = self._pruning.rungs[rung] if rung < len(self._reached) else None
        return replace(tried.proposal, stop_after=stop_after, goes_on=rung > 0)

    def _best_to_go_on(self, at_least: int = 0) -> _Tried | None:
        """Return the best configuration that may go on from the furthest rung from which one may.

        `at_least` is how many go on, and come through, from a rung that one has reached, however few there are.
        """
        for rung, order in reversed(list(enumerate(self._reached))):
            several = len(order) // self._pruning.factor
            if at_least and sum(one.started > rung + 1 and not one.failed for one in order) < at_least:
                several = len(order)
            for tried in order[:several]:
                if tried.started == rung + 1 and not tried.failed:
                    return tried
        return None

    def _tell(self) -> None:
        """Tell the other oracle of configurations that have stopped for the time being, in the order of proposal."""
        if self._oracle.adaptive:
            for tried in self._untold:
                if tried.stands:
                    self._oracle.observe(tried.number, tried.scores[-1])
        self._untold = [tried for tried in self._untold if not tried.stands]
