"""What the intervals and verdicts of this tool are worth, by simulation, and write `reports/statistics.md`.

`make statistics`, or `python -m benchmarks.statistics [--sets N]`. Nothing is trained: models whose true accuracies are
known answer test sets (`benchmarks.simulated`), and the rule that decides is held against the rule before it and
against others that were tried.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import numpy as np

from benchmarks.measuring import provenance, report_file, report_progress, table
from benchmarks.simulated import (
    DIFFICULTY,
    MODEL_BY_IMAGE,
    Answers,
    Judged,
    Models,
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
    pooled_plus,
    seeds_alone,
    separate,
    separate_plus,
    simulate,
)
from benchmarks.splits import splits_table
from tuner.analysis.variance import FEW, OUTLYING

SETS = 2_000
RETRAININGS = (2, 3, 5, 10)
IMAGES = (297, 1_000, 10_000)
ACCURACY = 0.9
#: Names of the sds of the seeds of models, in points, which are dealt round.
SPREADS = {
    "0.2": (0.2,),
    "0.5": (0.5,),
    "1": (1.0,),
    "0.2 and 1": (0.2, 1.0),
    "0.1 and 1": (0.1, 1.0),
}
TAILED = {"0.5, heavy tails": (0.5,), "1, heavy tails": (1.0,)}
UNEQUAL = ("0.2 and 1", "0.1 and 1")
EQUAL = ("0.2", "0.5", "1")
#: Those of searches with up to ten models.
SEARCHED = {"0.2": (0.2,), "0.5": (0.5,), "1": (1.0,), "1, 0.2, 0.5, 0.1": (1.0, 0.2, 0.5, 0.1), "one of 1": ()}
COUNTS = (2, 3, 5, 10)
#: How much better the better model is, as a share, by number of test images.
GAPS = {297: 0.04, 1_000: 0.02, 10_000: 0.01}
#: Accuracy of a retraining that never leaves chance, of ten classes.
CHANCE = 0.1
#: The kept rule, and the same with what all models lend.
_LENT = (kept, lending_all)


@dataclass(frozen=True)
class Task:
    """A part of a table, simulated in a process: the test images, the name of the seeds' sds, the test sets, a gap."""

    n: int
    name: str
    sets: int
    gap: float

    def generator(self, which: int) -> np.random.Generator:
        """Return the random numbers of this part of table `which`, the same in every process."""
        return np.random.default_rng([which, self.n, *self.name.encode()])


Rule = Callable[[Parts], Judged]
T = TypeVar("T")
RULES: dict[str, Rule] = {
    "kept": kept,
    "floored": floored,
    "cautious": cautious,
    "pooled s²": pooled,
    "own, S + I": separate_plus,
    "pooled, S + I": pooled_plus,
    "seeds alone": seeds_alone,
}

INTRODUCTION = """# What the intervals and verdicts are worth

Of two equally good models a 95 % interval of their difference should hold 0 in 95 of 100 searches, and of any number of
equally good models one should be called really better in no more than 5. Here models whose true accuracies are known
are made up: whether a retraining classifies an image rightly depends on how difficult the image is, on how the model
takes to it, on how the seed does, and on a shift of the seed, which moves all images (a probit model with the sds
{difficulty:g}, {by_image:g}, 1, and a shift that gives accuracies, {accuracy:g} % on average, the sd over seeds that
the tables name, in points of a test set without end). {sets:,} test sets stand behind a row of the first table, so that
a share of 5 % has a standard error of {error:.1f} points; as many behind
searches, where fewer models are the first of ten, and half as many behind the last table.

The rules:

- **kept**: that of `tuner/analysis/variance.py`. V = Σ S_m + max(I − E, 0) with the variance s²_m of each model's seeds
  and Welch's and Hillis' degrees of freedom; where more than two models are judged together, with up to {few}
  retrainings each, s²_m counts as no less than the variance s² of all of them together, but for models whose seeds vary
  so much more that an F test against the rest has a p below {outlying:g}.
- **own s²_m**: the same without that exception: the t interval of each pair. For two models it is the kept rule.
- **lent by all**: the kept rule with s² of all models, however much more the seeds of one vary.
- **floored**: s²_m counts as no less than s² however many models and retrainings there are.
- **cautious**: own s²_m, with Σ S_m counted twice where V's degrees of freedom are told.
- **pooled s²**: one variance for all models.
- **S + I**: the same two without subtracting E, which the seeds' part and the images' part both contain.
- **seeds alone**: Welch's t-test of the retrainings' accuracies, which takes these test images for all that there are.
- **before**: what this tool did first: percentiles of a bootstrap of retrainings and images, and for a verdict
  McNemar's test (exact, or with Edwards' correction) of the two first retrainings beside it."""


def main() -> None:
    """Simulate everything and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=SETS, help="test sets a row")
    parser.add_argument("--report", type=report_file, default="reports/statistics.md", help="where to write")
    options = parser.parse_args()
    if options.sets < 1:
        parser.error("--sets is not 1 or more")
    began = monotonic()
    text = report(options.sets)
    minutes = (monotonic() - began) / 60
    text += f"\n\nWritten by `make statistics` in {minutes:.0f} minutes: {provenance(('numpy', 'scipy'))}\n"
    options.report.write_text(text, encoding="utf-8")
    report_progress(str(options.report))


def report(sets: int) -> str:
    """Return the report but for its last line; the same number of sets gives the same text."""
    error = 100 * np.sqrt(0.05 * 0.95 / sets)
    introduction = INTRODUCTION.format(
        difficulty=DIFFICULTY,
        by_image=MODEL_BY_IMAGE,
        accuracy=100 * ACCURACY,
        sets=sets,
        few=FEW,
        outlying=OUTLYING,
        error=error,
    )
    return "\n\n".join(
        [
            introduction,
            coverage(sets),
            searches(sets),
            power(sets),
            powers(sets),
            stuck(sets),
            splits_table(sets),
            CONCLUSION,
        ]
    )


def _dealt(spreads: Sequence[float], count: int) -> tuple[float, ...]:
    """Return the sd of each model's accuracy over seeds, as a share."""
    given = spreads or (1.0, *[0.1] * (count - 1))
    return tuple(given[m % len(given)] / 100 for m in range(count))


def _cells(cell: Callable[[Task], list[T]], tasks: Sequence[Task]) -> list[list[T]]:
    """Return what a function gives for each task, on all cores."""
    found = []
    with ProcessPoolExecutor() as pool:
        for task, one in zip(tasks, pool.map(cell, tasks), strict=True):
            found.append(one)
            report_progress(f"{cell.__name__.strip('_')}: {task.n:,} images, sd {task.name} done")
    return found


def coverage(sets: int) -> str:
    """Return how often the interval of two equally good models holds 0, and how wide it is."""
    tasks = [Task(n, name, sets, GAPS[n]) for n in IMAGES for name in {**SPREADS, **TAILED}]
    found = [line for lines in _cells(_coverage, tasks) for line in lines]
    told = [(unequal, share) for unequal, retrainings, share, _ in found if retrainings >= 3]
    equal, others = ([share for unequal, share in told if unequal is which] for which in (False, True))
    heads = ["images", "sd of seeds", "retrainings", *RULES, "before", "width: kept", "floored", "before"]
    return (
        "## Coverage\n\nTwo equally good models: in how many of 100 test sets the 95 % interval of the difference "
        "holds 0, and its mean width in points; *before* of a quarter of the test sets.\n\n"
        + table(heads, [row for *_, row in found])
        + f"\n\nFrom three retrainings on, the kept rule covers {min(equal):.1f} to {max(equal):.1f} % where the sds "
        f"are equal, heavy tails included, and at least {min(others):.1f} % where they are not."
    )


def _coverage(task: Task) -> list[tuple[bool, int, float, list[str]]]:
    """Return for each number of retrainings whether sds are unequal, the kept rule's coverage in %, and the row."""
    models = Models((ACCURACY, ACCURACY), _dealt({**SPREADS, **TAILED}[task.name], 2), heavy_tails=task.name in TAILED)
    rng = task.generator(1)
    answers = simulate(models, task.n, max(RETRAININGS), task.sets, rng)
    found = []
    for retrainings in RETRAININGS:
        mine = answers.first(retrainings)
        judged = [rule(parts(mine, 0, 1)) for rule in RULES.values()]
        before = bootstrap(mine.some(max(1, task.sets // 4)), 0, 1, rng)
        cells = [f"{100 * one.covers(0):.1f}" for one in [*judged, before]]
        widths = [f"{100 * one.width:.2f}" for one in (*judged[:2], before)]
        row = [f"{task.n:,}", task.name, str(retrainings), *cells, *widths]
        found.append((task.name in UNEQUAL, retrainings, 100 * judged[0].covers(0), row))
    return found


def searches(sets: int) -> str:
    """Return in how many searches any of several equally good models is called really better than another."""
    tasks = [Task(n, name, sets, GAPS[n]) for n in IMAGES for name in SEARCHED]
    found = [line for lines in _cells(_searches, tasks) for line in lines]
    equal, others = (max(worst for unequal, worst, _ in found if unequal is which) for which in (False, True))
    heads = ["images", "sd of seeds", "models", *(f"{rule}, R = {r}" for r in RETRAININGS for rule in _three(r))]
    return (
        "## False verdicts\n\nEqually good models: in how many of 100 searches any is called really better than "
        "another, by p after Holm over all pairs; models of a search and those of `tuner compare` are judged alike. "
        f"*Before* is the rule before, of {max(1, sets // 20)} searches a row, *McNemar* what `tuner compare` did: "
        "each model against the best one, by the first retrainings.\n\n"
        + table(heads, [row for *_, row in found])
        + f"\n\nFrom three retrainings on, the kept rule errs in at most {equal:.1f} % of searches where the sds are "
        f"equal, and in at most {others:.1f} % where they are not."
    )


def _searches(task: Task) -> list[tuple[bool, float, list[str]]]:
    """Return for each number of models whether sds are unequal, the kept rule's most errors in %, and the row."""
    rng = task.generator(2)
    found = []
    models = Models((ACCURACY,) * max(COUNTS), _dealt(SEARCHED[task.name], max(COUNTS)))
    every = simulate(models, task.n, max(RETRAININGS), task.sets, rng)
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
    return float((holm(np.stack([rule(found).p for found in pairs], axis=1)) < 0.05).any(axis=1).mean())


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
    tasks = [Task(n, name, max(1, sets // 2), GAPS[n]) for n in IMAGES for name in SPREADS]
    rows = [row for rows in _cells(_power, tasks) for row in rows]
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
    models = Models((ACCURACY + task.gap, ACCURACY), _dealt(SPREADS[task.name], 2))
    rng = task.generator(3)
    answers = simulate(models, task.n, max(RETRAININGS), task.sets, rng)
    rows = []
    for retrainings in RETRAININGS:
        mine = answers.first(retrainings)
        judged = [rule(parts(mine, 0, 1)) for rule in (kept, floored, cautious, pooled)]
        cells = [f"{100 * float(((one.p < 0.05) & (one.low > 0)).mean()):.1f}" for one in judged]
        few = mine.some(max(1, task.sets // 4))
        before = bootstrap(few, 0, 1, rng)
        ahead = few.accuracies[:, 0, 0] > few.accuracies[:, 1, 0]
        said = float(((before.low > 0) & (before.p < 0.05) & ahead).mean())
        rows.append([f"{task.n:,}", f"{100 * task.gap:g}", task.name, str(retrainings), *cells, f"{100 * said:.1f}"])
    return rows


def powers(sets: int) -> str:
    """Return how often the best of several models is called better than others."""
    tasks = [Task(n, name, max(1, sets // 2), GAPS[n]) for n in IMAGES for name in ("0.5",)]
    rows = [row for rows in _cells(_powers, tasks) for row in rows]
    rules = ("kept", "own s²_m")
    heads = ["images", "better by, points", "sd of seeds", "models", "retrainings"]
    heads += [f"{rule}: than {whom}" for whom in ("any", "all") for rule in rules]
    return (
        "## Power among several models\n\nThe first of several models is better than the others, which are equally "
        "good: in how many of 100 test sets it is called better than any of them, and than all, by p after Holm over "
        "all pairs.\n\n" + table(heads, rows)
    )


def _powers(task: Task) -> list[list[str]]:
    sds = _dealt(SEARCHED[task.name], max(COUNTS))
    models = Models((ACCURACY + task.gap, *[ACCURACY] * (max(COUNTS) - 1)), sds)
    every = simulate(models, task.n, 5, task.sets, task.generator(5))
    rows = []
    for count in COUNTS[1:]:
        for retrainings in (3, 5):
            answers = every.of(count).first(retrainings)
            pairs = [parts(answers, a, b) for a, b in pairs_of(count)]
            ahead = np.stack([found.difference > 0 for found in pairs[: count - 1]], axis=1)
            said = [
                (holm(np.stack([rule(found).p for found in pairs], axis=1))[:, : count - 1] < 0.05) & ahead
                for rule in (kept, separate)
            ]
            shares = [*(one.any(axis=1).mean() for one in said), *(one.all(axis=1).mean() for one in said)]
            row = [f"{task.n:,}", f"{100 * task.gap:g}", task.name, str(count), str(retrainings)]
            rows.append([*row, *(f"{100 * float(share):.1f}" for share in shares)])
    return rows


def stuck(sets: int) -> str:
    """Return what is said of several models where one retraining of another never leaves chance."""
    tasks = [Task(n, "0.5", max(1, sets // 2), gap) for n in IMAGES for gap in (0.0, GAPS[n])]
    rows = [row for rows in _cells(_stuck, tasks) for row in rows]
    heads = ["images", "better by, points", "sd of seeds", "models", "retrainings"]
    heads += [f"{what}: {rule}" for what in ("any said", "false") for rule in ("kept", "lent by all")]
    return (
        "## Power beside a model that is stuck\n\nThe last of several models stays at chance, "
        f"{100 * CHANCE:g} %, in one of its retrainings. The first is better than the others by as much as the table "
        "says; in how many of 100 test sets is it called better than any of them (*any said*), and is any of these "
        "others, which are equally good, called better than another (*false*).\n\n" + table(heads, rows)
    )


def _stuck(task: Task) -> list[list[str]]:
    models = Models((ACCURACY + task.gap, *[ACCURACY] * (max(COUNTS) - 1)), _dealt(SEARCHED[task.name], max(COUNTS)))
    every = simulate(models, task.n, 5, task.sets, task.generator(6))
    rows = []
    for count in COUNTS[1:]:
        for retrainings in (3, 5):
            answers = every.of(count).first(retrainings).stuck(CHANCE)
            pairs = {pair: parts(answers, *pair) for pair in pairs_of(count)}
            said = {rule: holm(np.stack([rule(found).p for found in pairs.values()], axis=1)) < 0.05 for rule in _LENT}
            better = np.array([a == 0 and b < count - 1 for a, b in pairs])
            equal = np.array([(a > 0 or not task.gap) and b < count - 1 for a, b in pairs])
            ahead = np.stack([found.difference > 0 for found in pairs.values()], axis=1)
            shares = [
                *((said[rule] & ahead & better).any(axis=1).mean() for rule in _LENT),
                *((said[rule] & equal).any(axis=1).mean() for rule in _LENT),
            ]
            row = [f"{task.n:,}", f"{100 * task.gap:g}", task.name, str(count), str(retrainings)]
            rows.append([*row, *(f"{100 * float(share):.1f}" for share in shares)])
    return rows


CONCLUSION = """## What was kept, and why

Among the rules that hold what they promise, the kept one has the power of the t interval, which for two models it is.
Pooling is narrower, but breaks where one model's seeds are luckier than another's, and nobody knows beforehand whether
they are. S + I counts what a seed does to single images twice, and so covers too much where images are few. The t
interval of each pair, though right for one pair, calls some model better too often where Holm's steps ask for the tails
of many pairs of three retrainings; the variance that models lend each other mends that. A model whose seeds vary far
more than the others' lends nothing: one that never leaves chance in some retrainings would else keep every other
difference of its search from being shown. Left over are two or three
models with many test images where the seeds of one vary ten times as much as the others': three retrainings then err a
little too often, five do not. More cautious degrees of freedom do not mend that: *cautious*, which counts the seeds'
part twice there, still errs in 7.8 % of these searches of two models, where the kept rule does in 8.6 %, and at three
retrainings it sees a true difference of equally lucky models less often, by 1 to 6 in 100 test sets. So the rule was
left as it is. With two retrainings a model has one degree of freedom, and the report says how little that can tell. The
default of three retrainings stays: five narrow the intervals by a fifth to two fifths, for two thirds more time to
retrain. Among ten models three retrainings hardly ever show the best one better than all others; five show it better
than any of them one and a half times to twice as often."""


if __name__ == "__main__":
    main()
