"""Trials as codes, for their importance: what is swapped together, from which trials, and what comes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.space.parameters import Value, Values

#: Of fewer trials nothing is said.
LEAST_TRIALS = 10
#: Two parameters count as tied from this Cramér's V on (of up to four groups of values each, its bias corrected).
_TIED, _TIED_GROUPS, _TIED_P = 0.3, 4, 0.01
#: The code of a parameter that a trial does not have.
_INACTIVE = -1

Codes = NDArray[np.int64]
#: For each parameter, those that decide whether a trial has it.
Parents = Mapping[str, Sequence[str]]


class CodedTrials:
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

    def units(self, rules: Sequence[Collection[int]] = ()) -> list[tuple[int, ...]]:
        """Return which parameters are swapped together: those that are tied, and each other one by itself."""
        count = len(self.levels)
        above = [set(self._below(j)) for j in range(count)]
        pairs = [(a, b) for a, b in combinations(range(count), 2) if a not in above[b] and b not in above[a]]
        unit = list(range(count))
        for a, b in pairs:
            if self._tied(a, b, 1.0 if any({a, b} <= set(rule) for rule in rules) else _TIED_P / len(pairs)):
                unit = [unit[a] if one == unit[b] else one for one in unit]
        return [tuple(j for j in range(count) if unit[j] == one) for one in dict.fromkeys(unit)]

    def _tied(self, a: int, b: int, level: float) -> bool:
        """Whether the values of two parameters go together where a trial has both, at this level of significance."""
        from scipy.stats import chi2

        rows = self.codes[(self.codes[:, a] != _INACTIVE) & (self.codes[:, b] != _INACTIVE)]
        if len(rows) < LEAST_TRIALS:
            return False
        groups = [_grouped(rows[:, j]) for j in (a, b)]
        found = np.zeros([group.max() + 1 for group in groups])
        np.add.at(found, tuple(groups), 1)
        expected = np.outer(found.sum(axis=1), found.sum(axis=0)) / len(rows)
        r, c = (size - 1 for size in found.shape)
        if not r or not c:
            return False
        square = float(((found - expected) ** 2 / expected).sum())
        excess = max(0.0, square / len(rows) - r * c / (len(rows) - 1))
        strength = np.sqrt(excess / min(r, c))
        return bool(strength >= _TIED and chi2.sf(square, r * c) < level)

    def donors(self, unit: tuple[int, ...], swaps: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Return from which trial each trial takes parameters in each swap, `(swaps, trials)`, never from itself.

        Trials that have the parameter are put in a circle and each takes from one that stands so many places on; the
        others, which may come to have it, take from any. Of several parameters, those trials form a circle that have
        the same ones; one that is alone keeps its own.
        """
        if len(unit) > 1:
            has = self.codes[:, unit] != _INACTIVE
            result = np.tile(np.arange(len(has)), (swaps, 1))
            for pattern in np.unique(has, axis=0):
                self._turn(result, np.flatnonzero((has == pattern).all(axis=1)), rng)
            return result
        active = np.flatnonzero(self._has(self.codes, unit[0]))
        result = rng.choice(active, (swaps, len(self.codes)))
        self._turn(result, active, rng)
        return result

    @staticmethod
    def _turn(donors: NDArray[np.intp], places: NDArray[np.intp], rng: np.random.Generator) -> None:
        """Let each of these trials take from another of them, in each swap from one that stands further on."""
        circle = rng.permutation(places)
        steps = rng.permutation(max(1, len(circle) - 1)) + 1
        for swap, row in enumerate(donors):
            row[circle] = np.roll(circle, steps[swap % len(steps)])

    def swapped(self, codes: Codes, unit: tuple[int, ...], donors: NDArray[np.intp]) -> Codes:
        """Return configurations some of whose parameters are those of other trials, and what these switch with them."""
        for moved in unit:
            codes = self._with_one_swapped(codes, moved, donors)
        return codes

    def _with_one_swapped(self, codes: Codes, moved: int, donors: NDArray[np.intp]) -> Codes:
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


def _grouped(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return values by few groups, of many values such that each group has about as many trials."""
    distinct, ranks = np.unique(codes, return_inverse=True)
    if len(distinct) <= _TIED_GROUPS:
        return ranks
    inner = np.quantile(ranks, np.arange(1, _TIED_GROUPS) / _TIED_GROUPS)
    return np.unique(np.searchsorted(inner, ranks, side="left"), return_inverse=True)[1]


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(values: Any) -> list[Value]:
    """Return different values in their order: numbers by size (trees ask for no more), others as they come."""
    distinct = list(dict.fromkeys(values))
    return sorted(distinct) if all(isinstance(value, int | float) for value in distinct) else distinct
