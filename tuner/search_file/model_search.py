"""A `[[search]]` of a search file, every value checked and frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.families.declared import Declared
from tuner.ledger.earlier import EarlierTrial
from tuner.ledger.requests import OF_A_MODEL, Change, Decision
from tuner.objective import ACCURACY, Objective
from tuner.oracles import Algorithm, Halving, Oracle, Pruning, UpTo
from tuner.recipe import left_to_build
from tuner.recipe.own_callbacks import OwnCallbacks
from tuner.space.space import Configuration, Space


@dataclass(frozen=True)
class ModelSearch:
    """One `[[search]]`: a family with a space and the algorithm that searches it."""

    name: str
    family: Family
    path: str
    algorithm: Algorithm
    max_trials: int | None
    lag: int
    epochs: int
    watch: tuple[str, ...]
    space: Space
    #: The keys that the file names, and what a user's own `build(hp)` asks for.
    named: frozenset[str] = frozenset()
    #: The hash of a user's own code and of files, as `with_code` read them: what its trials are named by.
    source: str = ""
    #: Configurations that are tried before any other.
    first: tuple[Configuration, ...] = ()
    #: What its trials are chosen by.
    objective: Objective = ACCURACY
    #: When its trials are pruned; None for never.
    pruning: Pruning | None = None
    #: Whether a user's own `build` compiles its networks, as the dry build found.
    compiled: bool = False
    #: Of a user's own network, what its `build(hp)` asks for; None before that was read.
    declared: tuple[Declared, ...] | None = None
    #: What makes callbacks of the user's own; None for none.
    callbacks: OwnCallbacks | None = None
    #: A hash of what that adds to what the file says, a part of what names a list of trials; empty for nothing.
    added: str = ""
    #: What was decided by hand about what it proposes, while it ran; see `with_decisions`.
    decided: tuple[Decision, ...] = ()
    #: Trials of before its file changed, with which its list begins; see `with_earlier`.
    earlier: tuple[EarlierTrial, ...] = ()

    @property
    def asked_trials(self) -> int | None:
        """The `max_trials` that holds: its file's, or what somebody made of it while it ran."""
        made = [one.max_trials for one in self.decided if one.what == "max_trials"]
        return made[-1] if made else self.max_trials

    def changes(self, dataset: str) -> list[Change]:
        """Return what was decided by hand about its proposals on a data set, in order."""
        return [change for one in self.decided for change in one.changes if change.dataset == dataset]

    def with_decisions(self, decisions: Sequence[Decision]) -> ModelSearch:
        """Return the same with what was decided by hand about its proposals, and nothing else of that kind."""
        mine = (one for one in decisions if one.what in OF_A_MODEL and one.model == self.name and not one.refused)
        return replace(self, decided=tuple(mine))

    def with_earlier(self, earlier: Sequence[EarlierTrial]) -> ModelSearch:
        """Return the same with those of a search's earlier trials that are its own, and no others."""
        return replace(self, earlier=tuple(one for one in earlier if one.model == self.name))

    def first_on(self, dataset: str) -> tuple[Configuration, ...]:
        """Return the configurations that are proposed before any other on a data set, those of earlier trials first."""
        earlier = tuple(dict(one.values) for one in self.earlier if one.dataset == dataset)
        return (*earlier, *(values for values in self.first if values not in earlier))

    @property
    def label(self) -> str:
        """How tables call it: the family's label, or the model search's own name."""
        return self.family.label if self.name == self.family.name else self.name

    def with_code(self) -> ModelSearch:
        """Return the same with a user's own code and files as they are now: a run reads them once, at its start.

        What it asks for is to be read anew.

        Raises:
            InputError: there is no such module, or no such file.
        """
        objective = self.objective.with_source()
        callbacks = self.callbacks.with_source() if self.callbacks else None
        if self.source:
            return replace(self, objective=objective, callbacks=callbacks)
        declared = None if isinstance(self.family, CustomFamily) else self.declared
        source = self.family.source_hash()
        return replace(self, source=source, objective=objective, declared=declared, callbacks=callbacks)

    @property
    def is_known(self) -> bool:
        """Whether `planned` tells something: of a grid over a user's network only once it was built."""
        return not (self.space.is_open and self.algorithm.lists_grid)

    def with_compiled(self, fits: bool) -> ModelSearch:
        """Return the same for a network that `build` compiles: without the parts of the recipe that it decides.

        Args:
            fits: whether it trains by a `fit` of its own, too.
        """
        left = left_to_build(self.named, fits)
        kept = tuple(parameter for parameter in self.space.parameters if parameter.name not in left)
        domains = {name: domain for name, domain in self.space.domains.items() if name not in left}
        first = tuple({name: value for name, value in one.items() if name not in left} for one in self.first)
        space = replace(self.space, parameters=kept, domains=domains)
        return replace(self, space=space, first=first, compiled=True)

    @property
    def is_counted(self) -> bool:
        """Whether `planned` knows what rules leave, and not only how many there are before rules."""
        return not self.algorithm.lists_grid or (self.space.is_countable and not self.space.awaits_sizes)

    def planned(self, dataset: str | None = None) -> int:
        """Return how many search trials the model search will have on a data set; one that is pruned counts once.

        Without a name it is a data set to which nothing was added by hand.

        At most so many, for Hyperband, which goes on with fewer where trials fail; for a grid that has too many
        configurations to count what its rules leave; and for rules that random draws hardly ever obey.
        """
        own = self.algorithm.planned(self.space, self._most(dataset), self.epochs)
        added = 0 if dataset is None else sum(change.values is not None for change in self.changes(dataset))
        if not added or self.algorithm.lists_grid:  # of which it is
            return own
        there = None if self.algorithm.varies_epochs else self.space.configurations
        return own + added if there is None else min(own + added, there)

    def _most(self, dataset: str | None) -> int | None:
        """Return after how many trials of its own it ends: `max_trials`, and all that come before any other."""
        asked = self.asked_trials
        if dataset is None or asked is None or any(one.what == "max_trials" for one in self.decided):
            return asked
        return max(asked, len(self.first_on(dataset)))

    @property
    def varies_epochs(self) -> bool:
        """Whether a trial may train for fewer epochs than the model search's, by its algorithm or pruned."""
        return self.algorithm.varies_epochs or self.pruning is not None

    def oracle(self, seed: int, most: int | None = None, dataset: str = "") -> Oracle:
        """Return a fresh oracle that proposes the model search's trials on one data set, at most so many of them.

        Without a name it is a data set on which it has no earlier trials.
        """
        first = self.first_on(dataset)
        number = None if self.max_trials is None else max(self.max_trials, len(first))
        oracle = self.algorithm.oracle(self.space, seed, number, self.epochs, first)
        oracle = oracle if most is None else UpTo(oracle, most)
        return oracle if self.pruning is None else Halving(oracle, self.pruning)
