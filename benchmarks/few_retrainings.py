"""Whether a stricter rule would do where retrainings are few; a part of `benchmarks.statistics`.

Of two models with three retrainings or fewer, where the seeds of one vary far more than the other's and test images are
many, the t interval errs too often: if the few seeds lie close together by chance, the variance is too small, and its
degrees of freedom, told by that variance, are too many. Each rule here gives fewer degrees of freedom or more variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from benchmarks.cells import EQUAL, SPREADS, TAILED, TAILS, Rule, Task, run, tasks
from benchmarks.measuring import table
from benchmarks.rules import Judged, Parts, by_t, cautious, floored, kept, parts
from benchmarks.simulated import Numbers, simulate
from tuner.analysis.pairs import APART
from tuner.analysis.variance import combine

#: Numbers of retrainings of both models.
_FEW = (2, 3, 5)
#: How many points of a Behrens-Fisher distribution its tail is the mean over.
_NODES = 800
#: What a rule may err in, as a share of searches.
_ALLOWED = 0.06


def _seeds(found: Parts) -> tuple[Numbers, Numbers, Numbers, int]:
    """Return S of either model, what images add to V, and how many retrainings each has."""
    count = found.retrainings[0]
    one, other = found.spreads
    return one / count, other / count, np.maximum(found.images - found.shared, 0.0), count


def _df(found: Parts, one: Numbers, other: Numbers) -> Numbers:
    """Return Satterthwaite's degrees of freedom where the models' S were these."""
    count = found.retrainings[0]
    spreads, images = [one * count, other * count], found.images - found.shared
    df: Numbers = combine(spreads, found.retrainings, (0.0, 0.0), np.inf, images, found.n)[1]
    return df


def upper(found: Parts) -> Judged:
    """Degrees of freedom told as if both S stood at the upper end of their one-sided 75 % interval (chi-square)."""
    from scipy import stats

    one, other, images, count = _seeds(found)
    times = (count - 1) / stats.chi2.ppf(0.25, count - 1)
    return by_t(found, one + other + images, _df(found, times * one, times * other))


def ratio(found: Parts) -> Judged:
    """The fewest degrees of freedom within the 50 % interval of the ratio of the models' variances of seeds (F)."""
    from scipy import stats

    one, other, images, count = _seeds(found)
    times = stats.f.ppf(0.75, count - 1, count - 1)
    every = [_df(found, one * factor, other) for factor in (1.0, times, 1 / times)]
    return by_t(found, one + other + images, np.minimum.reduce(every))


def of_one(found: Parts) -> Judged:
    """The seeds of both models with the degrees of freedom of one, which is as if one had them all."""
    one, other, images, _ = _seeds(found)
    return by_t(found, one + other + images, _df(found, one + other, 0.0 * other))


def capped(found: Parts, times: int = 2) -> Judged:
    """No more degrees of freedom than so many times those of one model's seeds, however much is the images'."""
    one, other, images, count = _seeds(found)
    return by_t(found, one + other + images, np.minimum(_df(found, one, other), times * (count - 1)))


def half(found: Parts) -> Judged:
    """Either variance of seeds no less than half of their mean."""
    one, other, images, _ = _seeds(found)
    least = (one + other) / 4
    one, other = np.maximum(one, least), np.maximum(other, least)
    return by_t(found, one + other + images, _df(found, one, other))


def behrens_fisher(found: Parts) -> Judged:
    """The fiducial distribution of Behrens and Fisher, two t and the images' normal part; p alone, no interval."""
    from scipy import special

    one, other, images, count = _seeds(found)
    place = (np.arange(_NODES) + 0.5) / _NODES
    draws = [special.stdtrit(count - 1, at) for at in (place, (np.arange(_NODES) * 0.6180339887498949 + 0.25) % 1)]
    shift = np.sqrt(one)[:, np.newaxis] * draws[0] + np.sqrt(other)[:, np.newaxis] * draws[1]
    sd = np.sqrt(np.maximum(images, 1e-14))[:, np.newaxis]
    ahead = np.abs(found.difference)[:, np.newaxis]
    p = (special.ndtr((shift - ahead) / sd) + special.ndtr((-ahead - shift) / sd)).mean(axis=1)
    unknown = np.full(len(p), np.nan)
    return Judged(unknown, unknown, np.minimum(p, 1.0))


TRIED: dict[str, Rule] = {
    "kept": kept,
    "floored": floored,
    "half": half,
    "capped at 4 (R − 1)": partial(capped, times=4),
    "capped at 2 (R − 1)": capped,
    "cautious": cautious,
    "seeds of one": of_one,
    "upper end": upper,
    "ratio": ratio,
    "Behrens-Fisher": behrens_fisher,
}

_NAMES = (*SPREADS, *TAILED, f"0.1 and 1{TAILS}")


def few_retrainings(sets: int) -> str:
    """Return what each rule errs in and what power it loses, and what the seen spreads tell of it."""
    false = run(_false, tasks(_NAMES, 5 * sets, gap=False))
    found = run(_found, tasks(_NAMES, sets, gap=True))
    errs = np.array([[shares for shares, _ in cell] for cell in false])  # (cells, retrainings, rules)
    sees = np.array(found)
    equal = np.array([task.name in EQUAL for task in tasks(_NAMES, 1, gap=False)])
    holds = errs[:, :, :1] <= _ALLOWED
    lost = np.where(holds, sees[:, :, :1] - sees, 0.0)
    rows = []
    for place, name in enumerate(TRIED):
        cells: list[str] = []
        for r in range(len(_FEW)):
            of_all = errs[:, r, place]
            shares = of_all[equal].max(), of_all[~equal].max(), lost[:, r, place].max()
            cells += [f"{100 * float(share):.1f}" for share in shares]
        rows.append([name, *cells])
    heads = ["rule", *(f"{what}, R = {r}" for r in _FEW for what in ("errs, equal", "errs, unequal", "loses"))]
    return "\n\n".join(
        [
            _INTRODUCTION.format(sets=5 * sets),
            table(heads, rows),
            _RULES,
            _SEEN,
            _by_ratio([row for cell in false for row in cell]),
        ]
    )


_INTRODUCTION = f"""## Would a stricter rule do at few retrainings?

Of two models, over all numbers of test images and sds of the first table, and *0.1 and 1* with heavy tails: in how many
of 100 searches at most a rule calls one of two equally good models better (*errs*), where the sds are equal and where
they are not; and how many points of power it loses at most against the kept rule where the kept rule itself errs in no
more than {100 * _ALLOWED:g} % (*loses*). {{sets:,}} test sets stand behind a share of *errs*, a fifth of them behind
one of power. Every rule is the kept one, for two models the t interval, but for what stands under the table."""

_RULES = """- *half*: either variance of seeds counts as no less than half of their mean; *floored*: as no less than it.
- *capped*: degrees of freedom are at most 4 or 2 times R − 1, however much of the variance is the images'.
- *cautious*: the seeds' part counts twice where degrees of freedom are told.
- *seeds of one*: the seeds of both models have R − 1 degrees of freedom together, as if one model had all the luck.
- *upper end*: degrees of freedom as if both variances of seeds stood at the upper end of their one-sided 75 % interval.
- *ratio*: the fewest degrees of freedom within the 50 % interval of the ratio of the two variances.
- *Behrens-Fisher*: the fiducial distribution of the difference, two t of R − 1 degrees of freedom and a normal part."""

_SEEN = """### What the spreads that are seen tell

Of two equally good models: in how many of 100 searches the larger of the two sds over retrainings, as they are seen, is
less than three times the smaller, and in how many of 100 searches the verdict is false: of these, of the others, of
all."""


def _false(task: Task) -> list[tuple[list[float], list[str]]]:
    """Return for each number of retrainings the share of false verdicts of each rule, and a row by spreads seen."""
    answers = simulate(task.models(2), task.n, max(_FEW), task.sets, task.generator(9))
    lines = []
    for retrainings in _FEW:
        found = parts(answers.first(retrainings), 0, 1)
        said = {name: rule(found).p < 0.05 for name, rule in TRIED.items()}
        near, false = np.maximum(*found.spreads) < APART**2 * np.minimum(*found.spreads), said["kept"]
        either = [false[which].mean() if which.any() else np.nan for which in (near, ~near)]
        shares = [near.mean(), *either, false.mean()]
        cells = ["–" if np.isnan(share) else f"{100 * float(share):.1f}" for share in shares]
        row = [f"{task.n:,}", task.name, str(retrainings), *cells]
        lines.append(([float(one.mean()) for one in said.values()], row))
    return lines


def _found(task: Task) -> list[list[float]]:
    """Return for each number of retrainings in how many test sets each rule calls the better model so."""
    answers = simulate(task.models(2), task.n, max(_FEW), task.sets, task.generator(10))
    shares = []
    for retrainings in _FEW:
        found = parts(answers.first(retrainings), 0, 1)
        judged = [rule(found) for rule in TRIED.values()]
        shares.append([float(((one.p < 0.05) & (found.difference > 0)).mean()) for one in judged])
    return shares


def _by_ratio(lines: Sequence[tuple[list[float], list[str]]]) -> str:
    """Return a table of false verdicts by how far the sds that are seen lie apart, of some of the sds."""
    heads = ["images", "sd of seeds", "retrainings", "sds within a factor of 3", "false there", "false beyond", "false"]
    return table(heads, [row for _, row in lines if row[1] in ("0.2", "1", "0.2 and 1", "0.1 and 1")])
