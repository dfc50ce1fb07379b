"""How often verdicts are false, and how often what is true is found: tables of `make statistics`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import (
    COUNTS,
    EQUAL,
    RETRAININGS,
    SEARCHED,
    SEARCHED_TAILED,
    SPREADS,
    TAILED,
    TAILS,
    Rule,
    Task,
    run,
    tasks,
)
from benchmarks.measuring import table
from benchmarks.rules import (
    Parts,
    bootstrap,
    cautious,
    floored,
    holm,
    kept,
    lending_all,
    mcnemar,
    pairs_of,
    parts,
    pooled,
    separate,
)
from benchmarks.simulated import Answers, draw, simulate
from tuner.analysis.pairs import Owned, adjusted, paired

#: Accuracy of a retraining that never leaves chance, of ten classes.
CHANCE = 0.1
#: The kept rule, and the same with what all models lend.
_LENT = (kept, lending_all)
#: Numbers of retrainings that are dealt round.
UNEVEN = ((2, 5), (5, 2), (2, 10), (10, 2), (3, 5), (5, 3), (3, 10), (10, 3))


def searches(sets: int) -> str:
    """Return in how many searches any of several equally good models is called really better than another."""
    found = [line for lines in run(_searches, tasks((*SEARCHED, *SEARCHED_TAILED), sets, gap=False)) for line in lines]
    equal, others = (max(worst for unequal, worst, _ in found if unequal is which) for which in (False, True))
    heads = ["images", "sd of seeds", "models", *(f"{rule}, R = {r}" for r in RETRAININGS for rule in _three(r))]
    return (
        "## False verdicts\n\nEqually good models: in how many of 100 searches any is called really better than "
        "another, by p after Holm over all pairs. "
        f"*Before* is the rule before, of {max(1, sets // 20)} searches a row, *McNemar* what `tuner compare` did: "
        "each model against the best one, by the first retrainings.\n\n"
        + table(heads, [row for *_, row in found])
        + f"\n\nFrom three retrainings on, the kept rule errs in at most {equal:.1f} % of searches where the sds are "
        f"equal, heavy tails included, and in at most {others:.1f} % where they are not."
    )


def _searches(task: Task) -> list[tuple[bool, float, list[str]]]:
    """Return for each number of models whether sds are unequal, the kept rule's most errors in %, and the row."""
    rng = task.generator(2)
    found = []
    every = simulate(task.models(max(COUNTS)), task.n, max(RETRAININGS), task.sets, rng)
    for count in COUNTS:
        answers = every.of(count)
        row, worst = [f"{task.n:,}", task.name, str(count)], 0.0
        for retrainings in RETRAININGS:
            mine = answers.first(retrainings)
            pairs = [parts(mine, a, b) for a, b in pairs_of(count)]
            false = [100 * _any(pairs, rule) for rule in (kept, separate, cautious, pooled)]
            row += [f"{share:.1f}" for share in false]
            worst = max(worst, false[0]) if retrainings >= 3 else worst
            if retrainings == 3:
                before = mine.some(max(1, task.sets // 20))
                row += [f"{100 * _any_before(before, rng):.0f}", f"{100 * _any_against_best(mine):.1f}"]
        found.append((task.name not in EQUAL, worst, row))
    return found


def _three(retrainings: int) -> list[str]:
    return ["kept", "own s²_m", "cautious", "pooled s²", *(["before", "McNemar"] if retrainings == 3 else [])]


def _any(pairs: Sequence[Parts], rule: Rule) -> float:
    """Return the share of test sets in which some pair has a p under 0.05 after Holm."""
    return float(_proven(pairs, rule).any(axis=1).mean())


def _proven(pairs: Sequence[Parts], rule: Rule) -> NDArray[np.bool_]:
    """Return which pairs of each test set have a p under 0.05 after Holm, `(sets, pairs)`."""
    return holm(np.stack([rule(found).p for found in pairs], axis=1)) < 0.05


def _ahead(pairs: Sequence[Parts]) -> NDArray[np.bool_]:
    """Return in which pairs of each test set the first model is ahead, `(sets, pairs)`."""
    return np.stack([found.difference > 0 for found in pairs], axis=1)


def _any_before(answers: Answers, rng: np.random.Generator) -> float:
    """Return the share of test sets in which the rule before calls some model better than another."""
    pairs = pairs_of(answers.gram.shape[1])
    judged = [bootstrap(answers, a, b, rng) for a, b in pairs]
    p = holm(np.stack([one.p for one in judged], axis=1))
    ahead = np.stack([answers.accuracies[:, a, 0] - answers.accuracies[:, b, 0] for a, b in pairs], axis=1)
    low, high = (np.stack([getattr(one, end) for one in judged], axis=1) for end in ("low", "high"))
    said = (p < 0.05) & (((low > 0) & (ahead > 0)) | ((high < 0) & (ahead < 0)))
    return float(said.any(axis=1).mean())


def _any_against_best(answers: Answers) -> float:
    """Return the share of test sets in which McNemar's test of first retrainings sets a model below the best one."""
    best = answers.accuracies.mean(axis=2).argmax(axis=1)
    count = answers.gram.shape[1]
    p = np.ones((len(best), count, count))
    for a, b in pairs_of(count):
        p[:, a, b] = p[:, b, a] = mcnemar(answers, a, b)
    others = np.array([[m for m in range(count) if m != one] for one in best])
    against = np.take_along_axis(p[np.arange(len(best)), best], others, axis=1)
    return float((holm(against) < 0.05).any(axis=1).mean())


def power(sets: int) -> str:
    """Return how often a model that is better is called so."""
    rows = [row for rows in run(_power, tasks((*SPREADS, *TAILED), sets // 2, gap=True)) for row in rows]
    heads = [
        "images",
        "better by, points",
        "sd of seeds",
        "retrainings",
        "kept",
        "floored",
        "cautious",
        "pooled s²",
        "before",
    ]
    return (
        "## Power\n\nTwo models, one of them better: in how many of 100 test sets it is called so. Before, of a "
        "quarter of the test sets, interval and McNemar's test had to agree.\n\n" + table(heads, rows)
    )


def _power(task: Task) -> list[list[str]]:
    rng = task.generator(3)
    answers = simulate(task.models(2), task.n, max(RETRAININGS), task.sets, rng)
    rows = []
    for retrainings in RETRAININGS:
        mine = answers.first(retrainings)
        judged = [rule(parts(mine, 0, 1)) for rule in (kept, floored, cautious, pooled)]
        cells = [f"{100 * float(((one.p < 0.05) & (one.low > 0)).mean()):.1f}" for one in judged]
        few = mine.some(max(1, task.sets // 4))
        before = bootstrap(few, 0, 1, rng)
        ahead = few.accuracies[:, 0, 0] > few.accuracies[:, 1, 0]
        said = float(((before.low > 0) & (before.p < 0.05) & ahead).mean())
        rows.append([*task.heads, str(retrainings), *cells, f"{100 * said:.1f}"])
    return rows


def powers(sets: int) -> str:
    """Return how often the best of several models is called better than others."""
    found = [line for lines in run(_powers, tasks((*SEARCHED, f"1{TAILS}"), sets // 2, gap=True)) for line in lines]
    rules = ("kept", "own s²_m")
    heads = ["images", "better by, points", "sd of seeds", "models", "retrainings"]
    heads += [f"{rule}: than {whom}" for whom in ("one or more", "all") for rule in rules]
    return (
        "## Power among several models\n\nThe first of several models is better than the others, which are equally "
        "good: in how many of 100 test sets it is called better than one or more of them, and than all, by p after "
        "Holm over all pairs.\n\n"
        + table(heads, [row for *_, row in found])
        + "\n\nOf 100 test sets the kept rule calls the best one better than at least one other in fewer than the t "
        + f"interval of each pair: {_fewer(found, 3)}, {_fewer(found, 5)}."
    )


def _fewer(found: Sequence[tuple[int, float, list[str]]], retrainings: int) -> str:
    """Return by how much fewer true differences the kept rule finds than the t interval of each pair, in words."""
    lost = [share for count, share, _ in found if count == retrainings]
    mean = round(float(np.mean(lost)), 1) + 0.0  # which has no sign where it is 0
    return (
        f"at {retrainings} retrainings by {mean:.1f} on average (from {-min(lost):.1f} more to {max(lost):.1f} fewer)"
    )


def _powers(task: Task) -> list[tuple[int, float, list[str]]]:
    """Return for each row its retrainings, by how many of 100 the kept rule finds fewer than own s²_m, and the row."""
    every = simulate(task.models(max(COUNTS)), task.n, 5, task.sets, task.generator(5))
    rows = []
    for count in COUNTS[1:]:
        for retrainings in (3, 5):
            answers = every.of(count).first(retrainings)
            pairs = [parts(answers, a, b) for a, b in pairs_of(count)]
            said = [(_proven(pairs, rule) & _ahead(pairs))[:, : count - 1] for rule in (kept, separate)]
            shares = [*(one.any(axis=1).mean() for one in said), *(one.all(axis=1).mean() for one in said)]
            row = [*task.heads, str(count), str(retrainings), *(f"{100 * float(share):.1f}" for share in shares)]
            rows.append((retrainings, 100 * float(shares[1] - shares[0]), row))
    return rows


def stuck(sets: int) -> str:
    """Return what is said of several models where one retraining of another never leaves chance."""
    pairs = zip(tasks(("0.5",), sets // 2, gap=False), tasks(("0.5",), sets // 2, gap=True), strict=True)
    both = [task for pair in pairs for task in pair]
    rows = [row for rows in run(_stuck, both) for row in rows]
    heads = ["images", "better by, points", "sd of seeds", "models", "retrainings"]
    heads += [f"{what}: {rule}" for what in ("any said", "false") for rule in ("kept", "lent by all")]
    return (
        "## Power beside a model that is stuck\n\nThe last of several models stays at chance, "
        f"{100 * CHANCE:g} %, in one of its retrainings. The first is better than the others by as much as the table "
        "says; in how many of 100 test sets is it called better than any of them (*any said*), and is any of these "
        "others, which are equally good, called better than another (*false*).\n\n" + table(heads, rows)
    )


def _stuck(task: Task) -> list[list[str]]:
    every = simulate(task.models(max(COUNTS)), task.n, 5, task.sets, task.generator(6))
    rows = []
    for count in COUNTS[1:]:
        for retrainings in (3, 5):
            answers = every.of(count).first(retrainings).stuck(CHANCE)
            pairs = [parts(answers, *pair) for pair in pairs_of(count)]
            said = {rule: _proven(pairs, rule) for rule in _LENT}
            better = np.array([a == 0 and b < count - 1 for a, b in pairs_of(count)])
            equal = np.array([(a > 0 or not task.gap) and b < count - 1 for a, b in pairs_of(count)])
            shares = [
                *((said[rule] & _ahead(pairs) & better).any(axis=1).mean() for rule in _LENT),
                *((said[rule] & equal).any(axis=1).mean() for rule in _LENT),
            ]
            row = [*task.heads, str(count), str(retrainings)]
            rows.append([*row, *(f"{100 * float(share):.1f}" for share in shares)])
    return rows


def compared(sets: int) -> str:
    """Return in how many comparisons of searches `tuner compare` calls a model better than its equal."""
    sets = max(1, sets // 4)
    rows = [row for rows in run(_compared, tasks(("0.5", "one of 1"), sets, gap=False)) for row in rows]
    heads = ["images", "sd of seeds", "models", "3 retrainings", "5 retrainings", "3 and 5 in turn"]
    return (
        "## False verdicts of `tuner compare`\n\nEqually good models of several searches, all scored on the test "
        f"images of two data sets: in how many of 100 comparisons, of {sets:,} a row, any is called really better than "
        "another. Judged by what `tuner compare` itself calls, `paired` and `adjusted` of `tuner/analysis/pairs.py`, "
        "p after Holm over the pairs of both data sets.\n\n" + table(heads, rows)
    )


def _compared(task: Task) -> list[list[str]]:
    rows = []
    for count in (2, 5):
        cells = []
        for retrainings in ((3,), (5,), (3, 5)):
            rng = task.generator(7)
            sets = draw(task.models(count), task.n, max(retrainings), 2 * task.sets, rng)
            judged = [
                adjusted([pair for _ in range(2) for pair in paired(made_up_models(next(sets), retrainings))])
                for _ in range(task.sets)
            ]
            cells.append(f"{100 * float(np.mean([any(pair.proven for pair in pairs) for pairs in judged])):.1f}")
        rows.append([f"{task.n:,}", task.name, str(count), *cells])
    return rows


def made_up_models(right: NDArray[np.bool_], retrainings: Sequence[int]) -> list[Owned]:
    """Return models as `paired` takes them, with what it reads of each, of which images each retraining got right."""
    search = SimpleNamespace(protocol="holdout", report=SimpleNamespace(matters=0.0), chosen_on=str)
    findings = SimpleNamespace(search=search, trials=lambda *_: [])
    found = []
    for m, answers in enumerate(right):
        correct = answers[: retrainings[m % len(retrainings)]]
        saved = SimpleNamespace(correct=correct[0])
        chosen = SimpleNamespace(
            mean=float(correct.mean()), correct=correct, predictions=saved, model=str(m), dataset="made up"
        )
        found.append(cast(Owned, (findings, chosen)))
    return found


def uneven(sets: int) -> str:
    """Return what is covered, said falsely and found where models have different numbers of retrainings."""
    rows = [row for rows in run(_uneven, tasks(("0.5", "0.2 and 1"), sets // 2, gap=True)) for row in rows]
    heads = ["images", "better by, points", "sd of seeds", "retrainings", "covered: kept", "pooled s²", "found: kept"]
    heads += ["pooled s²", "false among 5: kept", "own s²_m", "false among 10: kept", "own s²_m"]
    return (
        "## Different numbers of retrainings\n\nModels are retrained so often in turn, and have these sds in turn. Of "
        "two equally good models: in how many of 100 test sets the interval holds 0 (*covered*); of two of which the "
        "first is better: in how many it is called so (*found*); of five and of ten equally good ones: in how many any "
        "is called better than another (*false*).\n\n" + table(heads, rows)
    )


def _uneven(task: Task) -> list[list[str]]:
    rng = task.generator(8)
    equal = simulate(replace(task, gap=0.0).models(max(COUNTS)), task.n, max(RETRAININGS), task.sets, rng)
    better = simulate(task.models(2), task.n, max(RETRAININGS), task.sets, rng)
    rows = []
    for retrainings in UNEVEN:
        one, other = (parts(answers.of(2).first(*retrainings), 0, 1) for answers in (equal, better))
        shares = [rule(one).covers(0) for rule in (kept, pooled)]
        shares += [float(((rule(other).p < 0.05) & (other.difference > 0)).mean()) for rule in (kept, pooled)]
        for count in (5, 10):
            mine = equal.of(count).first(*retrainings)
            pairs = [parts(mine, a, b) for a, b in pairs_of(count)]
            shares += [_any(pairs, rule) for rule in (kept, separate)]
        told = " and ".join(map(str, retrainings))
        rows.append([*task.heads, told, *(f"{100 * share:.1f}" for share in shares)])
    return rows
