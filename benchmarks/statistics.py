"""What the intervals and verdicts of this tool are worth, by simulation, and write `reports/statistics.md`.

`make statistics`, or `python -m benchmarks.statistics [--sets N]`. Nothing is trained: models whose true accuracies are
known answer test sets (`benchmarks.simulated`), and the rule that decides is held against the rule before it and
against others that were tried.
"""

from __future__ import annotations

import argparse
from time import monotonic

import numpy as np

from benchmarks.cells import ACCURACY, EQUAL, RETRAININGS, SPREADS, TAILED, Rule, Task, run, tasks
from benchmarks.few_retrainings import few_retrainings
from benchmarks.measuring import provenance, report_file, report_progress, table
from benchmarks.rules import (
    bootstrap,
    cautious,
    floored,
    kept,
    parts,
    pooled,
    pooled_plus,
    seeds_alone,
    separate_plus,
)
from benchmarks.simulated import DIFFICULTY, MODEL_BY_IMAGE, simulate
from benchmarks.splits import splits_table
from benchmarks.verdicts import compared, power, powers, searches, stuck, uneven
from tuner.analysis.variance import OUTLYING

SETS = 2_000
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
a share of 5 % has a standard error of {error:.1f} points; as many behind searches, where fewer models are the first of
ten, and half as many behind tables of power and of different numbers of retrainings. *Heavy tails*: the shifts of seeds
are t-distributed with 3 degrees of freedom. *One of 1*: the seeds of one model have an sd of 1, those of the others of
0.1.

The rules:

- **kept**: that of `tuner/analysis/variance.py`. V = Σ S_m + max(I − E, 0) with the variance s²_m of each model's seeds
  and Welch's and Hillis' degrees of freedom; where more than two models are judged together, s²_m of R retrainings
  counts as no less than s² / (R − 1), where s² is the variance of the seeds of all of them together, without models
  whose seeds vary so much more that an F test against the rest has a p below {outlying:g}.
- **own s²_m**: the same without anything from the others: the t interval of each pair. For two models it is the kept
  rule.
- **lent by all**: the kept rule with s² of all models, however much more the seeds of one vary.
- **floored**: s²_m counts as no less than the whole of s², however many models and retrainings there are.
- **cautious**: own s²_m, with Σ S_m counted twice where V's degrees of freedom are told.
- **pooled s²**: one variance for all models.
- **S + I**: own s²_m and pooled s² without subtracting E, which the seeds' part and the images' part both contain.
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
        outlying=OUTLYING,
        error=error,
    )
    return "\n\n".join(
        [
            introduction,
            coverage(sets),
            searches(sets),
            compared(sets),
            power(sets),
            powers(sets),
            uneven(sets),
            stuck(sets),
            splits_table(sets),
            few_retrainings(sets),
            CONCLUSION,
        ]
    )


def coverage(sets: int) -> str:
    """Return how often the interval of two equally good models holds 0, and how wide it is."""
    found = [line for lines in run(_coverage, tasks((*SPREADS, *TAILED), sets, gap=False)) for line in lines]
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
    rng = task.generator(1)
    answers = simulate(task.models(2), task.n, max(RETRAININGS), task.sets, rng)
    found = []
    for retrainings in RETRAININGS:
        mine = answers.first(retrainings)
        judged = [rule(parts(mine, 0, 1)) for rule in RULES.values()]
        before = bootstrap(mine.some(max(1, task.sets // 4)), 0, 1, rng)
        cells = [f"{100 * one.covers(0):.1f}" for one in [*judged, before]]
        widths = [f"{100 * one.width:.2f}" for one in (*judged[:2], before)]
        row = [f"{task.n:,}", task.name, str(retrainings), *cells, *widths]
        found.append((task.name not in EQUAL, retrainings, 100 * judged[0].covers(0), row))
    return found


CONCLUSION = """## What was kept, and why

Among the rules that hold what they promise, the kept one has the power of the t interval, which for two models it is.
Pooling finds more, but breaks where one model's seeds are luckier than another's, and nobody knows beforehand whether
they are. S + I counts what a seed does to single images twice, and so covers too much where images are few. The t
interval of each pair, though right for one pair, calls some model better too often where Holm's steps ask for the tails
of many pairs of few retrainings: in up to 13 of 100 searches of ten models at three retrainings, and in up to 31 at
two. The variance that models lend each other mends that, and 1 / (R − 1) of it is as much as that takes: all of it at
two retrainings, half of it at three, a quarter at five. With five retrainings the best of several models is then found
as often as by the t interval of each pair. With three it is found in 0.6 fewer of 100 test sets on average and in 6 at
most, which is with ten models and heavy tails, where that interval errs in 8.4 of 100 searches. With the whole of s² at
three and five retrainings, the rule before this one, it was found in up to 18 fewer, at fewer false verdicts than are
allowed. A model whose seeds vary far more than the others' lends nothing: one that never leaves chance in some
retrainings would else keep every other difference of its search from being shown.

Left over are, at three retrainings, two or three models with many test images where the seeds of one vary several times
as much as those of the others, and at two retrainings more than that: three then err in up to 8.6 % of searches, two in
up to 11.3 %, five in no more than 6 % (two models, of 10,000 test sets each as below: 7.4, 9.7 and 5.9 %). Nine other
rules were tried. Those that err in no more than 6 % there at three retrainings, *seeds of one*, *upper end* and
*Behrens-Fisher*, miss 12 to 37 more of 100 true differences elsewhere, where the kept rule errs as rarely as it should;
*cautious* gets to 6.1 % and misses up to 7 more. Nor is there anything to see by which such searches could be told: a
verdict is false where few unlucky seeds lie close together by chance, and so where spreads do not look different. Where
the larger sd that is seen is three times the smaller or more, three retrainings err in no more than 5 %, and two in
hardly more than 6 %. So the rule was left as it is, and a verdict by two or three retrainings whose sds are seen to lie
closer together says in a sentence what it may err in, unless its p is below 0.001 (two) or 0.01 (three).

Where models have different numbers of retrainings and those with the fewest vary most from seed to seed, several models
err more often, as they do by the t interval of each pair: ten of them in up to 13 % of searches where the fewest are
three, in up to 31 % where they are two; two models in up to 9 % with 5 and 3, in up to 14 % with 10 and 2. A verdict on
two that were retrained unequally often says so, at three retrainings unless its p is below 0.001. Models that are to be
compared are best retrained equally often.

With two retrainings a model has one degree of freedom, and the report says how little that can tell. By default a
winner is retrained five times: there the rule errs in no more than 6 % of the searches above, and in comparisons of two
data sets, of which fewer were simulated, in up to 7 %; intervals are narrower by a fifth to two fifths than with three,
for two thirds more time to retrain. Among ten models three retrainings hardly ever show the best one better than all
others; five show it better than at least one of them 1.2 to 2.4 times as often."""


if __name__ == "__main__":
    main()
