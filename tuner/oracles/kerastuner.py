"""`random`, `bayesian` and `hyperband`: KerasTuner's own oracles, with rules. Importing this imports Keras."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus

from tuner.oracles.base import MOST_DRAWS, Oracle, Pause, Proposal
from tuner.oracles.brackets import hyperband_sizes
from tuner.space.finite import FinitePart
from tuner.space.space import Configuration, Space

_OBJECTIVE = keras_tuner.Objective("score", "max")


class _Ruled:
    """Mixed into a KerasTuner oracle: its draws obey the rules, and it writes no files of its own.

    Where draws at random find nothing more although there is more, it draws from what was counted of the space.
    """

    space: Space
    fixed: Configuration
    #: What is proposed before anything is drawn, in KerasTuner's form; and what was added since, which is next.
    first: list[Configuration]
    added: list[Configuration]
    #: How many of those that were added have been proposed.
    beside = 0
    _used_up = False

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose what was added, before anything of the oracle's own."""
        if not self.added:
            response: dict[str, Any] = super().populate_space(trial_id)  # type: ignore[misc]
            return response
        self.beside += 1
        values = self.added.pop(0)
        self._settle_inactive(values)
        return {"status": TrialStatus.RUNNING, "values": values}

    def _duplicate(self, values: Configuration) -> bool:
        # KerasTuner draws again where this is true, which is just what a broken rule needs.
        self._settle_inactive(values)
        if super()._duplicate(values):  # type: ignore[misc]
            return True
        return self.space.broken_rule(self.space.active({**self.fixed, **values})) is not None

    def _next_first(self) -> Configuration:
        values = self.first.pop(0)
        self._settle_inactive(values)
        return values

    def _settle_inactive(self, values: Configuration) -> None:
        """Give what KerasTuner draws without need the same value each time, so that the same trial looks the same."""
        if self.space.alternatives:
            active = self.space.active({**self.fixed, **values})
            for hp in self.hyperparameters.space:  # type: ignore[attr-defined]
                if hp.name in self.space.alternatives and hp.name not in active:
                    values[hp.name] = hp.default

    def _random_values(self) -> Configuration | None:
        if self.first:
            return self._next_first()
        values: Configuration | None = None if self._used_up else super()._random_values()  # type: ignore[misc]
        if values is None and self.space.finite is not None:
            self._used_up = True
            values = self._counted_values(self.space.finite)
        return values

    def _counted_values(self, part: FinitePart) -> Configuration | None:
        """Return a configuration that is allowed and new, if there is one: a random one of those that were counted.

        The numbers after it follow, so that the last new one is found. Endless parameters make every one new; the rules
        about them may then forbid many.
        """
        tries = MOST_DRAWS if part.endless else part.count
        start = self._generator().randrange(part.count) if part.count else 0
        for following in range(tries if part.count else 0):
            number = self._generator().randrange(part.count) if part.endless else (start + following) % part.count
            found = part.numbered.at(number)
            values: Configuration = {}
            for hp in self.hyperparameters.space:  # type: ignore[attr-defined]
                if hp.name in part.endless and hp.name in found:
                    values[hp.name] = hp.prob_to_value(self._generator().random())
                elif hp.name in found:
                    value = found[hp.name]
                    values[hp.name] = int(value) if isinstance(value, bool) else value  # as KerasTuner has it
            if not self._duplicate(values):
                return values
        return None

    def _generator(self) -> random.Random:
        self._seed_state: int = self._seed_state + 1
        return random.Random(self._seed_state)  # noqa: S311

    def save(self) -> None:
        """Write nothing: the ledger is the only truth."""

    def _save_trial(self, trial: Any) -> None:
        """Write nothing, for the same reason."""


class _Random(_Ruled, keras_tuner.oracles.RandomSearchOracle):  # type: ignore[misc]
    pass


class _Hyperband(_Ruled, keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
    def _random_values(self) -> Configuration | None:
        """Draw one, never an empty one: where nothing varies, KerasTuner would take it for none."""
        values = super()._random_values()
        return {"tuner/round": 0} if values == {} else values

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        """Return how many trials a round has: fewer than KerasTuner's where there are fewer configurations.

        Otherwise it would wait for the first round to be full, and take nothing to the second.
        """
        there = self.space.configurations
        sizes = hyperband_sizes(self.max_epochs, None if there is None else there - self.beside)
        return sizes[len(sizes) - 1 - bracket_num][round_num]


class _Bayesian(_Ruled, keras_tuner.oracles.BayesianOptimizationOracle):  # type: ignore[misc]
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the optimum of the acquisition, or the best allowed of many draws where a rule forbids it."""
        if self.first and not self.added:  # which may be more than it draws at random before it learns
            return {"status": TrialStatus.RUNNING, "values": self._next_first()}
        response: dict[str, Any] = super().populate_space(trial_id)
        values = response.get("values")
        if values is None or not self._duplicate(values):
            return response
        draws = [draw for draw in islice(iter(self._random_values, None), 200) if draw is not None]
        if not draws:
            return {"status": TrialStatus.STOPPED, "values": None}
        mean, deviation = self.gpr.predict(np.array([self._vector(draw) for draw in draws]), return_std=True)
        return {"status": TrialStatus.RUNNING, "values": draws[int(np.argmin(mean - self.beta * deviation))]}

    def _vector(self, values: Configuration) -> list[float]:
        return [hp.value_to_prob(values.get(hp.name, hp.default)) for hp in self._nonfixed_space()]


_CLASSES: dict[str, Any] = {"random": _Random, "bayesian": _Bayesian, "hyperband": _Hyperband}


class KerasTunerOracle(Oracle):
    """A KerasTuner oracle behind our interface.

    Args:
        kind: which one, a key of `_CLASSES`.
        space: what is searched.
        seed: 0 is a seed like any other.
        max_trials: after how many proposals to stop; None for Hyperband's own number.
        first: configurations that are proposed before any other.
        adaptive: whether results matter to it.
        options: further arguments of KerasTuner's own class.
    """

    def __init__(
        self,
        kind: str,
        space: Space,
        seed: int,
        max_trials: int | None,
        first: Sequence[Configuration],
        adaptive: bool,
        options: Mapping[str, Any],
    ) -> None:
        self.adaptive, self.adjustable = adaptive, True
        self._max_trials = max_trials
        self._oracle = _CLASSES[kind](
            objective=_OBJECTIVE,
            hyperparameters=space.hyperparameters(varying_only=True),
            allow_new_entries=False,
            tune_new_entries=False,
            seed=seed + 1,  # KerasTuner takes 0 for "any seed"
            max_consecutive_failed_trials=1 << 60,  # when to give up is not the oracle's to say
            **options,
        )
        self._oracle.space, self._oracle.fixed = space, space.fixed()
        self._oracle.first, self._oracle.added = list(map(self._theirs, first)), []
        self._oracle.verbose = 0
        self._oracle._max_collisions = MOST_DRAWS
        self._space = space
        self._trials: list[Any] = []

    def propose(self) -> Proposal | Pause:
        """Ask KerasTuner for a trial; see `Oracle.propose`."""
        own = len(self._trials) - self._oracle.beside
        if self._max_trials is not None and own >= self._max_trials and not self._oracle.added:
            return Pause.EXHAUSTED
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # KerasTuner calls a deprecated method of threading
            trial = self._oracle.create_trial(f"proposal {len(self._trials)}")
        if trial.status == TrialStatus.STOPPED:
            return Pause.EXHAUSTED
        if trial.status == TrialStatus.IDLE:
            return Pause.WAITING
        self._trials.append(trial)
        values = trial.hyperparameters.values
        return Proposal(self._space.active({**self._space.fixed(), **values}), values.get("tuner/epochs"))

    def observe(self, number: int, score: float | None) -> None:
        """Tell KerasTuner how a trial ended; see `Oracle.observe`."""
        trial = self._trials[number]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if score is None:
                trial.status = TrialStatus.FAILED
            else:
                self._oracle.update_trial(trial.trial_id, {"score": score})
                trial.status = TrialStatus.COMPLETED
            self._oracle.end_trial(trial)

    def add(self, values: Configuration) -> None:
        """Let a configuration be the next one; see `Oracle.add`. It is of no bracket of Hyperband's."""
        self._oracle.added.append(self._theirs(values))
        self._oracle.max_trials = None  # it counts what was added, too: when to end, `propose` says

    def limit(self, max_trials: int) -> None:
        """End after so many; see `Oracle.limit`."""
        self._max_trials, self._oracle.max_trials = max_trials, None

    def _theirs(self, values: Configuration) -> Configuration:
        """Return what varies of a configuration in KerasTuner's form."""
        return {
            name: int(value) if isinstance(value, bool) else value
            for name, value in values.items()
            if name not in self._oracle.fixed
        }
