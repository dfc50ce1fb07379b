"""Which parameter of a search matters: how much of the variation of a score, or of a time, each one explains.

A random forest (Breiman, 2001) learns to predict the target y from the parameters, and each trial is predicted by
those trees alone that have not seen it: once as it is, f(x), and once with the values of one parameter swapped between
trials, f(x'). Then Cov(y, f(x) - f(x')) / Var(y) is the parameter's total Sobol index (Homma and Saltelli, 1996; with
the measured y in the place of the one f): the share of the variation that the parameter has a part in, alone or
together with others. The shares of parameters that act together overlap, and the noise has no share.

Half the rise of the squared error, which is permutation importance as it is commonly taken, means the same (Gregorutti,
Michel and Saint-Pierre, 2017) but comes out too large in a grid, where a swapped configuration is another trial that
the trees have seen, noise and all. As it stands here, what means nothing gets 0 in the mean; a decomposition of the
forest itself (functional ANOVA: Hutter, Hoos and Leyton-Brown, 2014) would give it a share of the noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.parameters import Value, Values
from tuner.significance import Interval

#: With fewer trials than this, or fewer for each varying parameter than that, nothing is said.
LEAST_TRIALS = 10
LEAST_TRIALS_EACH = 3
#: A smaller share than this is not worth telling, however sure it is.
LEAST_SHARE = 0.02
#: Interactions are looked for between so many of the most important parameters.
_PAIRED = 4
#: Rows that the forest predicts in all, so that many trials are swapped less often and take no longer.
_ROWS = 30_000
_MOST_SWAPS, _FEWEST_SWAPS = 12, 3
_RESAMPLES = 1_000
#: The code of a parameter that a trial does not have.
_INACTIVE = -1

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
#: For each parameter, those that decide whether a trial has it.
Parents = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Effect:
    """The share of the target's variance that a parameter has a part in, or that two have together, with its interval.

    The share is 0 in the mean where there is no such effect, and may then come out below it.
    """

    parameters: tuple[str, ...]
    share: float
    interval: Interval

    @property
    def stands_out(self) -> bool:
        """Whether the share is worth telling and its interval lies above 0."""
        return self.share >= LEAST_SHARE and self.interval.low > 0


@dataclass(frozen=True)
class Importance:
    """What matters for one target.

    `effects` has one for each varying parameter, the largest first; `interaction` is the strongest of two parameters,
    None where one parameter varies. `explained` is the share of the variance (R²) that the forest explains in trials
    that it has not seen; below 0, their mean predicts them better.
    """

    trials: int
    explained: float
    effects: tuple[Effect, ...]
    interaction: Effect | None

    @property
    def outstanding(self) -> list[Effect]:
        """The parameters that are shown to matter, the largest effect first."""
        return [effect for effect in self.effects if effect.stands_out] if self.explained > 0 else []

    @property
    def outstanding_interaction(self) -> Effect | None:
        """The strongest interaction, if it is shown to matter."""
        known = self.interaction is not None and self.interaction.stands_out and self.explained > 0
        return self.interaction if known else None


def varying_parameters(configurations: Sequence[Values], parents: Parents) -> list[str]:
    """Return the parameters that take several values, in order of appearance.

    One that some trials lack counts by its values in the others: that it is there at all is its parents' doing.
    """
    names = dict.fromkeys(name for values in configurations for name in values)
    found = []
    for name in names:
        states = {values.get(name) for values in configurations}
        if any(parent in names for parent in parents.get(name, ())):
            states.discard(None)
        if len(states) > 1:
            found.append(name)
    return found


def importance(
    configurations: Sequence[Values], targets: Sequence[float] | Floats, parents: Parents | None = None, seed: int = 0
) -> Importance | None:
    """Return how much each varying parameter matters for the target, or None where too few trials could tell.

    Args:
        configurations: the parameters of each trial; one that is left out is inactive there.
        targets: `(trials,)`, one number of each trial, all of them finite.
        parents: for each parameter that not every trial has, those that decide about it. It moves with them: where
            a parent is swapped, what this switches on is taken from the same trial; where it is swapped itself, this
            is between trials that have it.
        seed: of the forest, of the swaps and of the resampling.

    The intervals are percentiles of a bootstrap over the trials' parts in the covariance (as for other measures of
    importance that are means over unseen cases: Williamson and others, 2023). The forest is not grown again for it.
    Swaps pay no heed to rules of the search, and of two parameters that go together each gets a part of the credit.
    """
    parents = parents or {}
    y = np.asarray(targets, dtype=np.float64)
    names = varying_parameters(configurations, parents)
    if not names or len(y) < max(LEAST_TRIALS, LEAST_TRIALS_EACH * len(names)) or np.ptp(y) <= 1e-12:
        return None
    table = _Table(configurations, names, parents)
    rng = np.random.default_rng(seed)
    swaps = int(np.clip(_ROWS // (len(y) * len(names)), _FEWEST_SWAPS, min(_MOST_SWAPS, len(y) - 1)))
    donors = [table.donors(place, swaps, rng) for place in range(len(names))]
    forest = _Forest(table, y, seed)

    plain = forest.predict([table.codes])[0]
    singles = [forest.predict([table.swapped(table.codes, j, d) for d in donors[j]]) for j in range(len(names))]
    gains = [plain - swapped.mean(axis=0) for swapped in singles]
    order = np.argsort([-np.mean((y - y.mean()) * gain) for gain in gains], kind="stable")

    pairs = [tuple(sorted(pair)) for pair in combinations(order[:_PAIRED].tolist(), 2)]
    together = []
    for a, b in pairs:
        both = [
            table.swapped(table.swapped(table.codes, a, da), b, db) for da, db in zip(donors[a], donors[b], strict=True)
        ]
        # What the one has a part in and the other too: of sets of parameters the index is defined likewise
        together.append(gains[a] + gains[b] - (plain - forest.predict(both).mean(axis=0)))
    shares, intervals = _with_intervals(np.stack([*gains, *together]), y, rng)
    effects = [
        Effect(tuple(names[place] for place in places), float(share), interval)
        for places, share, interval in zip([(j,) for j in range(len(names))] + pairs, shares, intervals, strict=True)
    ]
    return Importance(
        trials=len(y),
        explained=float(1 - np.mean((y - plain) ** 2) / y.var()),
        effects=tuple(effects[place] for place in order),
        interaction=max(effects[len(names) :], key=lambda effect: effect.share, default=None),
    )


def _with_intervals(gains: Floats, y: Floats, rng: np.random.Generator) -> tuple[Floats, list[Interval]]:
    """Return the covariance of y with each row of gains `(effects, trials)` as a share of its variance, with intervals.

    The variance is the sample's, over n - 1: swaps are between different trials, whose covariance is not 0 but
    -Var(y) / (n - 1), so that the covariance comes out too large by the same factor.
    """
    n = len(y)
    weights = np.vstack([np.full(n, 1 / n), rng.multinomial(n, np.full(n, 1 / n), _RESAMPLES) / n])
    means, square = weights @ y, weights @ y**2
    variances = (square - means**2) * n / (n - 1)
    known = variances > 1e-12 * square  # a resample may hold one trial alone, or alike ones
    shares = (weights @ (y * gains).T - means[:, None] * (weights @ gains.T))[known] / variances[known, None]
    low, high = np.percentile(shares[1:], [2.5, 97.5], axis=0)
    return shares[0], [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]


class _Table:
    """The trials as codes: of each parameter the rank of its value, or `_INACTIVE`; `(trials, parameters)`."""

    def __init__(self, configurations: Sequence[Values], names: Sequence[str], parents: Parents) -> None:
        columns, self.levels = [], []
        self.unordered = []
        for name in names:
            values = [values.get(name) for values in configurations]
            ordered = _ordered(value for value in values if value is not None)
            code = {value: rank for rank, value in enumerate(ordered)}
            columns.append([_INACTIVE if value is None else code[value] for value in values])
            self.levels.append(len(ordered))
            self.unordered.append(len(ordered) > 2 and not all(_is_number(value) for value in ordered))
        self.codes: Codes = np.array(columns, dtype=np.int64).T
        place = {name: j for j, name in enumerate(names)}
        self.parents = [[place[parent] for parent in parents.get(name, ()) if parent in place] for name in names]

    def donors(self, moved: int, swaps: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Return from which trial each trial takes a parameter in each swap, `(swaps, trials)`, never from itself.

        Trials that have the parameter are put in a circle and each takes from one that stands so many places on; the
        others, which may come to have it, take from any.
        """
        active = rng.permutation(np.flatnonzero(self._has(self.codes, moved)))
        steps = rng.permutation(max(1, len(active) - 1))[:swaps] + 1
        result = rng.choice(active, (swaps, len(self.codes)))
        for swap, row in enumerate(result):
            row[active] = np.roll(active, steps[swap % len(steps)])
        return result

    def swapped(self, codes: Codes, moved: int, donors: NDArray[np.intp]) -> Codes:
        """Return configurations whose parameter `moved` is that of other trials, and what it switches with it."""
        new, given = codes.copy(), self.codes[donors]
        here = self._has(codes, moved)
        new[here, moved] = given[here, moved]
        for child in self._below(moved):
            changed = np.any([new[:, parent] != codes[:, parent] for parent in self.parents[child]], axis=0)
            kept = (codes[:, child] != _INACTIVE) & (given[:, child] != _INACTIVE)
            take = changed & ~kept
            new[take, child] = given[take, child]
        return new

    def _has(self, codes: Codes, parameter: int) -> NDArray[np.bool_]:
        """Return which configurations have a parameter; where no other decides, lacking it is a value like others."""
        has: NDArray[np.bool_] = (codes[:, parameter] != _INACTIVE) | (not self.parents[parameter])
        return has

    def _below(self, moved: int) -> list[int]:
        """Return what a parameter decides about, directly or not, parents before children."""
        found = [moved]
        for _ in self.parents:
            found += [j for j, above in enumerate(self.parents) if j not in found and set(above) & set(found)]
        return found[1:]

    def features(self, codes: Codes) -> NDArray[np.float32]:
        """Return what the forest sees, `(trials, features)`: ranks, and a column per value of what has no order."""
        columns: list[NDArray[Any]] = []
        for j, several in enumerate(self.unordered):
            columns += [codes[:, j] == level for level in range(self.levels[j])] if several else [codes[:, j]]
        return np.stack(columns, axis=1).astype(np.float32)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(values: Any) -> list[Value]:
    """Return different values in their order: numbers by size (trees ask for no more), others as they come."""
    distinct = list(dict.fromkeys(values))
    return sorted(distinct) if all(isinstance(value, int | float) for value in distinct) else distinct


class _Forest:
    """A random forest that predicts each trial by the trees that have not seen it."""

    def __init__(self, table: _Table, y: Floats, seed: int) -> None:
        from sklearn.ensemble import RandomForestRegressor

        self.table = table
        forest = RandomForestRegressor(200 if len(y) <= 200 else 100, random_state=seed)
        forest.fit(table.features(table.codes), y)
        self.trees = [tree.tree_ for tree in forest.estimators_]
        self.unseen = [np.setdiff1d(np.arange(len(y)), drawn) for drawn in forest.estimators_samples_]

    def predict(self, tables: Sequence[Codes]) -> Floats:
        """Return the prediction of each trial of each table of codes, `(tables, trials)`."""
        features = np.stack([self.table.features(codes) for codes in tables])
        sums, counts = np.zeros(features.shape[:2]), np.zeros(features.shape[1])
        for tree, unseen in zip(self.trees, self.unseen, strict=True):
            rows = np.ascontiguousarray(features[:, unseen]).reshape(-1, features.shape[2])
            sums[:, unseen] += tree.predict(rows).reshape(len(features), -1)
            counts[unseen] += 1
        return sums / counts
