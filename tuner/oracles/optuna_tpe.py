"""The oracle of `tpe`: Optuna's sampler with rules. Importing this imports Optuna."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Iterator, Sequence
from typing import TypeGuard, cast

import optuna

from tuner.oracles.base import MOST_DRAWS, Oracle, Pause, Proposal
from tuner.space.parameters import Domain, Parameter, Range, Value
from tuner.space.space import Configuration, Space

#: So many proposals are drawn at random before the sampler learns from any: Optuna's own default.
RANDOM_TRIALS = 10
#: So many draws of the sampler's may break a rule or repeat a configuration before one is drawn at random.
_MOST_SAMPLES = 50


class TpeOracle(Oracle):
    """Optuna's tree-structured Parzen estimator behind our interface.

    Parameters are estimated together where they are active together. Numbers that a search lists keep their order: the
    sampler sees their places in the list. A draw that breaks a rule or repeats a configuration is drawn again.

    Args:
        space: what is searched.
        seed: 0 is a seed like any other.
        max_trials: after how many proposals to stop.
        first: configurations that are proposed before any other.
    """

    adaptive = True
    adjustable = True

    def __init__(self, space: Space, seed: int, max_trials: int, first: Sequence[Configuration] = ()) -> None:
        self._space, self._max_trials = space, max_trials
        self._random = random.Random(seed)  # noqa: S311
        self._seen: set[str] = set()
        self._trials: list[optuna.trial.Trial] = []
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with _quietly():
            sampler = optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=RANDOM_TRIALS, multivariate=True, group=True, constant_liar=True
            )
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._first, self._added = list(first), list[Configuration]()
        self._beside = 0  # how many of those that were added have been proposed

    def propose(self) -> Proposal | Pause:
        """Ask the sampler for a configuration; see `Oracle.propose`."""
        if self._added:
            self._beside += 1
            return self._given(self._added.pop(0))
        own = len(self._trials) - self._beside
        if own >= self._max_trials or len(self._seen) == self._space.configurations:
            return Pause.EXHAUSTED
        if self._first:
            return self._given(self._first.pop(0))
        for _ in range(_MOST_SAMPLES):
            trial, values = self._ask()
            if self._is_new(values):
                return self._proposed(trial, values)
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)  # which the sampler does not learn from
        for values in self._drawn():
            if self._is_new(values):
                return self._given(values)
        return Pause.EXHAUSTED

    def observe(self, number: int, score: float | None) -> None:
        """Tell the sampler how a trial ended; see `Oracle.observe`."""
        if score is None:
            self._study.tell(self._trials[number], state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(self._trials[number], score)

    def add(self, values: Configuration) -> None:
        """Let a configuration be what the sampler is asked for next; see `Oracle.add`."""
        self._added.append(values)

    def limit(self, max_trials: int) -> None:
        """End after so many; see `Oracle.limit`."""
        self._max_trials = max_trials

    def _given(self, values: Configuration) -> Proposal:
        """Propose a configuration that the sampler did not draw, and learns from as from its own."""
        self._enqueue(values)
        return self._proposed(*self._ask())

    def _proposed(self, trial: optuna.trial.Trial, values: Configuration) -> Proposal:
        self._seen.add(_key(values))
        self._trials.append(trial)
        return Proposal(values)

    def _is_new(self, values: Configuration) -> bool:
        return _key(values) not in self._seen and self._space.broken_rule(values) is None

    def _ask(self) -> tuple[optuna.trial.Trial, Configuration]:
        """Return a trial of the sampler's with its configuration: each active parameter, parents before children."""
        values: Configuration = {}
        with _quietly():
            trial = self._study.ask()
            for parameter in self._space.parameters:
                if parameter.is_active(values):
                    values[parameter.name] = _suggested(trial, parameter, self._space.domains[parameter.name])
        return trial, values

    def _drawn(self) -> Iterator[Configuration]:
        """Yield configurations at random: where they can be counted from some number on, so that the last is found."""
        part = self._space.finite
        if part is None:
            for _ in range(MOST_DRAWS):
                yield self._drawn_evenly({})
        elif part.endless:
            for _ in range(MOST_DRAWS if part.count else 0):
                found = part.numbered.at(self._random.randrange(part.count))
                yield self._drawn_evenly({name: value for name, value in found.items() if name not in part.endless})
        else:
            start = self._random.randrange(part.count)
            for following in range(part.count):
                yield self._space.active(part.numbered.at((start + following) % part.count))

    def _drawn_evenly(self, given: Configuration) -> Configuration:
        """Return a configuration with the given values, the others drawn each from its domain."""
        values: Configuration = {}
        for parameter in self._space.parameters:
            if parameter.is_active(values):
                domain = self._space.domains[parameter.name]
                values[parameter.name] = given.get(parameter.name, _drawn_from(domain, self._random))
        return values

    def _enqueue(self, values: Configuration) -> None:
        """Let a configuration be what the sampler is asked for next."""
        fixed = self._space.fixed()
        varying = {name: self._seen_by_sampler(name, value) for name, value in values.items() if name not in fixed}
        self._study.enqueue_trial(varying)

    def _seen_by_sampler(self, name: str, value: Value) -> Value:
        """Return a value as the sampler knows it, which sees the place of a number in its list."""
        domain = self._space.domains[name]
        return value if _is_endless(domain) or not _is_ordered(domain.values) else _listed(domain).index(value)


def _suggested(trial: optuna.trial.Trial, parameter: Parameter, domain: Domain) -> Value:
    """Return what the sampler takes from a domain."""
    name = parameter.name
    if _is_endless(domain):
        if domain.whole:
            step = 1 if domain.log else int(domain.step or 1)
            return trial.suggest_int(name, int(domain.low), int(domain.high), step=step, log=domain.log)
        return trial.suggest_float(name, domain.low, domain.high, log=domain.log)
    listed = _listed(domain)
    if len(listed) == 1:
        return listed[0]
    if _is_ordered(listed):
        return listed[trial.suggest_int(name, 0, len(listed) - 1)]
    return cast("Value", trial.suggest_categorical(name, listed))


def _drawn_from(domain: Domain, generator: random.Random) -> Value:
    """Return a value of a domain, each as likely as any other; by its logarithm where the search says so."""
    if not _is_endless(domain):
        return generator.choice(_listed(domain))
    share, low, high = generator.random(), domain.low, domain.high
    drawn = min(max(low * (high / low) ** share if domain.log else low + share * (high - low), low), high)
    return round(drawn) if domain.whole else drawn


def _is_endless(domain: Domain) -> TypeGuard[Range]:
    """Whether a domain is a range whose values are not listed: without a step, or with more than anybody lists."""
    return isinstance(domain, Range) and (domain.step is None or not domain.is_finite)


def _listed(domain: Domain) -> tuple[Value, ...]:
    """Return the values of a domain that lists them, numbers in order."""
    return tuple(sorted(domain.values, key=float)) if _is_ordered(domain.values) else domain.values


def _is_ordered(values: tuple[Value, ...]) -> bool:
    """Whether values are numbers, of which one lies between two others."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _key(values: Configuration) -> str:
    return json.dumps(values, sort_keys=True)


def _quietly() -> warnings.catch_warnings:
    """Silence Optuna's warnings that joint estimation is experimental."""
    return warnings.catch_warnings(action="ignore")
