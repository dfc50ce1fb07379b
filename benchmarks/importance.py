"""What the importance of parameters says of searches whose truth is known; writes `reports/importance.md`.

python -m benchmarks.importance [--searches 200] [--report reports/importance.md]

Each case is searched many times: its trials are drawn, scores are made of its formula and of noise, and the shares that
`tuner.analysis.importance` finds are held against the true ones: those that swaps give with the formula in the place of
the forest. A share is covered if it lies in its interval.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tabulate import tabulate

from benchmarks.measuring import report_file
from tuner.analysis.importance import Effect, Importance, importance
from tuner.system.files import write_whole

Trials = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A kind of search: how its trials come about, what a configuration is worth, and the noise of a training.

    `matter` are the parameters that matter.
    """

    name: str
    trials: Callable[[np.random.Generator], Trials]
    worth: Callable[[Mapping[str, Any]], float]
    noise: float
    matter: tuple[str, ...]
    parents: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rules: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What was found of a case, as shares of searches, but for `covered`, of which there is one for each effect.

    `named` is how often what matters was named, in the mean, and `falsely` how often anything was that does not.
    """

    case: Case
    covered: Mapping[tuple[str, ...], float]
    named: float
    falsely: float


def grid(**domains: Sequence[Any]) -> Trials:
    """Return every combination."""
    return [dict(zip(domains, values, strict=True)) for values in itertools.product(*domains.values())]


def _drawn(rng: np.random.Generator) -> Trials:
    return [
        {
            "learning_rate": float(10 ** rng.uniform(-5, -1)),
            "optimizer": str(rng.choice(["adam", "sgd", "rmsprop"])),
            "batch_norm": bool(rng.integers(2)),
            "units": int(rng.choice([32, 64, 128])),
        }
        for _ in range(65)
    ]


def _six(rng: np.random.Generator) -> Trials:
    return [{name: float(rng.random()) for name in "abcdef"} for _ in range(40)]


_GRID = grid(depth=[1, 2, 3], rate=[0.1, 0.001], optimizer=["adam", "sgd", "rmsprop"], filters=[8, 16, 32])
_XOR = grid(flip=[False, True], norm=[False, True], filters=[8, 16, 32], dropout=[0.0, 0.25, 0.5])
_LARGE_XOR = grid(flip=[False, True], norm=[False, True], filters=[8, 16, 32, 64], dropout=[0.0, 0.1, 0.2, 0.3, 0.4])
_TIED = [
    one
    for one in grid(filters_1=[8, 16, 32], filters_2=[8, 16, 32], dropout=[0.0, 0.25, 0.5], flip=[False, True])
    if one["filters_1"] <= one["filters_2"]
]
_DEPTHS = [one for depth in (1, 2) for one in grid(depth=[depth], filters=[8, 16, 32], dropout=[0.0, 0.1, 0.2, 0.3])]
_DEPTHS = [{**one, **more} for one in _DEPTHS for more in (grid(second=[8, 16, 32]) if one["depth"] == 2 else [{}])]


def _differ(values: Mapping[str, Any]) -> float:
    return float(values["flip"] != values["norm"])


CASES = (
    Case("nothing matters, grid of 54", lambda _: _GRID, lambda _: 0.9, 0.01, ()),
    Case("nothing matters, 40 drawn, 6 parameters", _six, lambda _: 0.9, 0.01, ()),
    Case("one matters", lambda _: _GRID, lambda v: float(v["depth"]), 0.4, ("depth",)),
    Case("one of 6, 40 drawn", _six, lambda v: float(v["a"]), 0.3, ("a",)),
    Case("two add up", lambda _: _GRID, lambda v: v["depth"] + 1.5 * (v["rate"] > 0.01), 0.37, ("depth", "rate")),
    Case("either of two alone (XOR), grid of 36", lambda _: _XOR, _differ, 0.15, ("flip", "norm")),
    Case("XOR, grid of 80, much noise", lambda _: _LARGE_XOR, _differ, 0.35, ("flip", "norm")),
    Case(
        "a rate over decades and a choice, 65 drawn",
        _drawn,
        lambda v: -0.01 * (np.log10(v["learning_rate"]) + 3) ** 2 - 0.02 * (v["optimizer"] == "sgd"),
        0.006,
        ("learning_rate", "optimizer"),
    ),
    Case(
        "one of two that a rule ties matters",
        lambda _: _TIED,
        lambda v: v["filters_2"] / 16,
        0.4,
        ("filters_1", "filters_2"),
        rules=(("filters_1", "filters_2"),),
    ),
    Case(
        "what a rule ties does not matter",
        lambda _: _TIED,
        lambda v: 4 * v["dropout"],
        0.4,
        ("dropout",),
        rules=(("filters_1", "filters_2"),),
    ),
    Case(
        "what a depth switches on matters",
        lambda _: _DEPTHS,
        lambda v: float(v.get("second", 0) == 32),
        0.2,
        ("depth", "second"),
        {"second": ["depth"]},
    ),
)


def true_share(case: Case, trials: Trials, parameters: Sequence[str]) -> float:
    """Return the share of the variance that parameters have a part in: by swaps between all trials, with the formula.

    Where a trial lacks one of them, it keeps to the others that do, as it has no value to give.
    """
    worth = np.array([case.worth(one) for one in trials])
    away = np.zeros(len(trials))
    for place, one in enumerate(trials):
        givers = [other for other in trials if all((name in one) == (name in other) for name in parameters)]
        changed = [case.worth(_swapped(case, one, other, parameters)) for other in givers]
        # Swaps are between different trials: the trial itself is among the givers, and changes nothing
        away[place] = (len(changed) * worth[place] - sum(changed)) / max(1, len(changed) - 1)
    variance = worth.var(ddof=1) + case.noise**2
    return float(np.mean((worth - worth.mean()) * away) / variance) if worth.var() else 0.0


def _swapped(case: Case, one: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    taken = {**one, **{name: other[name] for name in names if name in other}}
    for child, parents in case.parents.items():
        if set(parents) & set(names) and any(one[parent] != other[parent] for parent in parents):
            taken.pop(child, None)
            if child in other:
                taken[child] = other[child]
    return taken


def study(case: Case, searches: int, seed: int = 0) -> Outcome:
    """Search a case so many times."""
    hits: dict[tuple[str, ...], list[bool]] = {}
    named, falsely = [], []
    known: dict[tuple[str, ...], float] = {}
    fixed = case.trials(np.random.default_rng(0)) is case.trials(np.random.default_rng(1))
    for number in range(searches):
        rng = np.random.default_rng([seed, number])
        trials = case.trials(rng)
        scores = np.array([case.worth(one) for one in trials]) + case.noise * rng.standard_normal(len(trials))
        found = importance(trials, scores, case.parents, number, case.rules)
        if found is None:
            continue
        for effect in found.effects:
            if effect.parameters not in known or not fixed:
                known[effect.parameters] = true_share(case, trials, effect.parameters)
            hits.setdefault(effect.parameters, []).append(_covers(effect, known[effect.parameters]))
        named.append(_named(case, found))
        falsely.append(any(not set(effect.parameters) & set(case.matter) for effect in found.outstanding))
    covered = {parameters: float(np.mean(each)) for parameters, each in hits.items() if len(each) > searches / 10}
    return Outcome(case, covered, float(np.mean(named)), float(np.mean(falsely)))


def _covers(effect: Effect, truth: float) -> bool:
    return effect.interval.low - 1e-6 <= max(0.0, truth) <= effect.interval.high + 1e-6


def _named(case: Case, found: Importance) -> float:
    told = {name for effect in found.outstanding for name in effect.parameters}
    return len(told & set(case.matter)) / len(case.matter) if case.matter else 1.0


def report(outcomes: Sequence[Outcome], searches: int) -> str:
    """Return the study as markdown."""
    least = [min(outcome.covered.items(), key=lambda one: one[1]) for outcome in outcomes]
    rows = [
        [
            outcome.case.name,
            f"{100 * share:.1f}",
            " and ".join(names),
            f"{100 * outcome.named:.1f}" if outcome.case.matter else "–",
            f"{100 * outcome.falsely:.1f}",
        ]
        for outcome, (names, share) in zip(outcomes, least, strict=True)
    ]
    heads = ["case", "least coverage, %", "of", "what matters is named, %", "anything else is named, %"]
    text = tabulate(
        rows, heads, tablefmt="pipe", disable_numparse=True, colalign=["left", "right", "left", "right", "right"]
    )
    return (
        "# Importance of parameters, held against the truth\n\n"
        f"`python -m benchmarks.importance --searches {searches}`: each case searched {searches} times, with scores "
        "made of a formula and of noise. Coverage is how often the 95 % interval holds the true share, of the "
        "parameter (or of the tied parameters) that is covered least; the last column how often a search names "
        "anything that does not matter.\n\n" + text + "\n"
    )


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--report", type=report_file, default="reports/importance.md")
    options = parser.parse_args()
    outcomes = []
    for case in CASES:
        outcomes.append(study(case, options.searches))
    text = report(outcomes, options.searches)
    write_whole(options.report, lambda path: path.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main()
