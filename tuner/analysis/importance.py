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

A forest that has few trials, above all of parameters that matter only together, predicts too close to the mean. Where
the measured scores rise by more than its predictions do (slope above 1), the shares are multiplied by that slope, and
half of what this adds counts as a further standard error; and a third of the share that the parameter would have in
what the forest leaves unexplained, if that were spread as the rest. The intervals are t intervals whose variance is
that over the trials that are asked, and that over the trials that the forest was grown from (infinitesimal jackknife,
with its correction for a finite number of trees: Wager, Hastie and Efron, 2014). `reports/importance.md` shows by
simulation what they cover, and how often what does not matter is named.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.coded_trials import LEAST_TRIALS, CodedTrials, Codes, Parents
from tuner.analysis.significance import Interval
from tuner.space.parameters import Values

#: With fewer trials than `LEAST_TRIALS`, or fewer for each varying parameter than that, nothing is said.
LEAST_TRIALS_EACH = 3
#: A smaller share than this is not worth telling, however sure it is.
LEAST_SHARE = 0.02
#: Interactions are looked for between so many of the most important parameters.
_PAIRED = 4
#: Rows that the forest predicts in all, so that many trials are swapped less often and take no longer.
_ROWS = 30_000
_MOST_SWAPS, _FEWEST_SWAPS = 12, 3
#: By no more than this are shares multiplied.
_MOST_SLOPE = 2.0
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """The share of the target's variance that a parameter has a part in, or that two have together, with its interval.

    Where the estimate lies below 0, which no share does, it is 0. `tied` parameters go together in these trials, by a
    rule or by how they were drawn, so that no trials could tell them apart: the share is of all of them.
    """

    parameters: tuple[str, ...]
    share: float
    interval: Interval
    tied: bool = False

    @property
    def stands_out(self) -> bool:
        """Whether the share is worth telling and its interval lies above 0."""
        return self.share >= LEAST_SHARE and self.interval.low > 0

    @property
    def label(self) -> str:
        """How the effect is called."""
        return " and ".join(self.parameters) + ", tied" if self.tied else " × ".join(self.parameters)


@dataclass(frozen=True)
class Importance:
    """What matters for one target.

    `effects` has one for each varying parameter, or set of tied ones, the largest first; `interaction` is the strongest
    of two of these, None where there is one. `explained` is the share of the variance (R²) that the forest explains in
    trials that it has not seen; below 0, their mean predicts them better.
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
    configurations: Sequence[Values],
    targets: Sequence[float] | Floats,
    parents: Parents | None = None,
    seed: int = 0,
    rules: Sequence[Collection[str]] = (),
) -> Importance | None:
    """Return how much each varying parameter matters for the target, or None where too few trials could tell.

    Args:
        configurations: the parameters of each trial; one that is left out is inactive there.
        targets: `(trials,)`, one number of each trial, all of them finite.
        parents: for each parameter that not every trial has, those that decide about it. It moves with them: where
            a parent is swapped, what this switches on is taken from the same trial; where it is swapped itself, this
            is between trials that have it.
        seed: of the forest and of the swaps.
        rules: sets of parameters that a rule of the search reads together. Those of them that go together in these
            trials are tied; without a rule, it takes more to be sure of that.

    Swaps pay no heed to rules of the search; parameters that a rule ties are swapped together, and share one effect.
    """
    parents = parents or {}
    y = np.asarray(targets, dtype=np.float64)
    names = varying_parameters(configurations, parents)
    if not names or len(y) < max(LEAST_TRIALS, LEAST_TRIALS_EACH * len(names)) or np.ptp(y) <= 1e-12:
        return None
    table = CodedTrials(configurations, names, parents)
    units = table.units([{names.index(name) for name in rule if name in names} for rule in rules])
    rng = np.random.default_rng(seed)
    swaps = int(np.clip(_ROWS // (len(y) * len(names)), _FEWEST_SWAPS, min(_MOST_SWAPS, len(y) - 1)))
    donors = [table.donors(unit, swaps, rng) for unit in units]
    forest = _Forest(table, y, seed)

    singles = forest.ask([[table.swapped(table.codes, u, d) for d in ds] for u, ds in zip(units, donors, strict=True)])
    slope = forest.slope(singles.plain)
    effects = _effects(singles, forest, slope, [tuple(names[place] for place in unit) for unit in units])
    order = sorted(range(len(units)), key=lambda k: -float(np.mean(forest.off * singles.gains[k])))

    pairs = [cast("tuple[int, int]", tuple(sorted(pair))) for pair in combinations(order[:_PAIRED], 2)]
    both = [
        [
            table.swapped(table.swapped(table.codes, units[a], da), units[b], db)
            for da, db in zip(donors[a], donors[b], strict=True)
        ]
        for a, b in pairs
    ]
    interaction = None
    if pairs:
        # What the one has a part in and the other too: of sets of parameters the index is defined likewise
        asked = forest.ask(both)
        first, second = ([pair[side] for pair in pairs] for side in (0, 1))
        together = _Asked(
            asked.plain,
            singles.gains[first] + singles.gains[second] - asked.gains,
            singles.by_tree[:, first] + singles.by_tree[:, second] - asked.by_tree,
        )
        called = [effects[a].parameters + effects[b].parameters for a, b in pairs]
        most = [min(effects[a].share, effects[b].share) for a, b in pairs]  # what both have a part in
        interaction = max(_effects(together, forest, slope, called, most), key=lambda effect: effect.share)
    return Importance(
        trials=len(y),
        explained=float(1 - np.mean((y - singles.plain) ** 2) / y.var()),
        effects=tuple(effects[place] for place in order),
        interaction=interaction,
    )


@dataclass(frozen=True)
class _Asked:
    """What a forest predicts of trials that it has not seen, and how that changes by swaps.

    `plain` is `(trials,)`, `gains` `(effects, trials)` the prediction minus that after swaps, in the mean over swaps,
    and `by_tree` `(trees, effects)` each tree's part in the share, whose mean over trees is the share.
    """

    plain: Floats
    gains: Floats
    by_tree: Floats


def _effects(
    asked: _Asked, forest: _Forest, slope: float, called: Sequence[tuple[str, ...]], most: Sequence[float] = ()
) -> list[Effect]:
    """Return the shares with their intervals, none of them above 1, or above `most` if that is given for interactions.

    The variance of y is the sample's, over n - 1: swaps are between different trials, whose covariance is not 0 but
    -Var(y) / (n - 1), so that the covariance comes out too large by the same factor.
    """
    from scipy.special import stdtrit

    n, trees = len(forest.off), len(asked.by_tree)
    parts = forest.off * asked.gains / forest.variance
    shares = parts.mean(axis=1)
    of_trials = parts.var(axis=1, ddof=1) / n
    apart = asked.by_tree - asked.by_tree.mean(axis=0)
    of_forest = ((forest.drawn - 1).T @ apart / trees) ** 2
    by_chance = n / trees**2 * (apart**2).sum(axis=0)  # of so few trees, were the trials without any influence
    variance = slope**2 * (of_trials + np.maximum(of_forest.sum(axis=0) - by_chance, 0))
    missed = np.mean((forest.off - (asked.plain - asked.plain.mean())) ** 2) / np.mean(forest.off**2)
    bias = (((slope - 1) / 2) ** 2 + (slope * min(1.0, float(missed)) / 3) ** 2) * shares**2
    errors = np.sqrt(variance + bias)
    half = float(stdtrit(n - 1, 0.975))
    found = []
    for place, (parameters, share, error) in enumerate(zip(called, slope * shares, errors, strict=True)):
        told = float(np.clip(share, 0, most[place] if most else 1))
        low, high = (float(np.clip(share + sign * half * error, 0, 1)) for sign in (-1, 1))
        interval = Interval(min(low, told), max(high, told))
        found.append(Effect(parameters, told, interval, len(parameters) > 1 and not most))
    return found


class _Forest:
    """A random forest that predicts each trial by the trees that have not seen it.

    `off` is how far each trial's target is from their mean, `(trials,)`, `variance` the targets' own, and `drawn` how
    often each tree has drawn each trial, `(trees, trials)`.
    """

    def __init__(self, table: CodedTrials, y: Floats, seed: int) -> None:
        from sklearn.ensemble import RandomForestRegressor

        self.table = table
        forest = RandomForestRegressor(200 if len(y) <= 200 else 100, random_state=seed)
        forest.fit(table.features(table.codes), y)
        self._trees = [tree.tree_ for tree in forest.estimators_]
        self.drawn = np.array([np.bincount(drawn, minlength=len(y)) for drawn in forest.estimators_samples_])
        self.off, self.variance = y - y.mean(), float(y.var(ddof=1))

    def ask(self, swapped: Sequence[Sequence[Codes]]) -> _Asked:
        """Return what swaps change, given each effect's tables of codes."""
        codes = [self.table.codes, *(one for several in swapped for one in several)]
        features = np.stack([self.table.features(one) for one in codes])
        ends = np.cumsum([1, *map(len, swapped)])
        counts = (self.drawn == 0).sum(axis=0)
        plain, gains = np.zeros(len(counts)), np.zeros((len(swapped), len(counts)))
        by_tree = np.zeros((len(self._trees), len(swapped)))
        for k, (tree, drawn) in enumerate(zip(self._trees, self.drawn, strict=True)):
            unseen = np.flatnonzero(drawn == 0)
            rows = np.ascontiguousarray(features[:, unseen]).reshape(-1, features.shape[2])
            found = tree.predict(rows).reshape(len(features), -1) / counts[unseen]
            means = np.add.reduceat(found, ends[:-1], axis=0) / np.diff(ends)[:, None]
            gain = found[0] - means
            plain[unseen] += found[0]
            gains[:, unseen] += gain
            by_tree[k] = len(self._trees) * gain @ self.off[unseen] / (self.variance * len(counts))
        return _Asked(plain, gains, by_tree)

    def slope(self, plain: Floats) -> float:
        """Return by how much the targets rise with the predictions of trials unseen, from 1 on; 1 where these err."""
        off = plain - plain.mean()
        if not (off**2).sum() or np.mean((self.off - off) ** 2) >= np.mean(self.off**2):
            return 1.0
        return float(np.clip((self.off * off).sum() / (off**2).sum(), 1.0, _MOST_SLOPE))
