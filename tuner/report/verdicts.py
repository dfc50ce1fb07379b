"""The verdict in words: which model is best, and whether it really is."""

from __future__ import annotations

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.pairs import Pair, judged_on
from tuner.analysis.significance import accuracy_interval
from tuner.contents.cells import DASH, number, p_text, plus_minus, span
from tuner.text import escape

#: What every verdict is about, and what no number here covers.
SCOPE = (
    "All of this is conditional on this training set, this split and this search: the intervals cover the luck of the "
    "seeds and of the test images, not what other training images or another search would give."
)
#: Why nothing is judged in the published protocol.
CHOSEN_THERE = "validated on the test images that score it"
#: Of a verdict by so few retrainings: their number in words, in how many of 100 searches of two equally good models it
#: is wrong at most, and below which p it is wrong in no more than 5, however the seeds of the two models vary.
_FEW = {2: ("two", 14, 0.001), 3: ("three", 9, 0.01)}
#: The same of several models that were retrained unequally often, by the retrainings of the one with fewest of the two.
_UNEQUAL = {2: (31, 0.0), 3: (13, 0.001)}


def pairs_on(findings: Findings, dataset: str) -> tuple[Pair, ...]:
    """Return every pair of chosen models on a data set, pairs of the best model first, judged together."""
    return findings.once(judged_on, dataset)


def verdict_on(findings: Findings, dataset: str) -> str:
    """Return in a few sentences which model is best on a data set, and whether it really is."""
    where = escape(dataset)
    pairs = pairs_on(findings, dataset)
    if not pairs:
        (only,) = findings.on(dataset)
        interval = accuracy_interval(only.predictions.correct)
        return (
            f"On {where}, **{escape(only.label)} reaches {100 * only.mean:.1f} %** of the test images "
            f"({plus_minus(only.mean, only.sd)} over {_retrainings(only)}; the saved model's 95 % interval "
            f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %)."
        )
    return pair_in_words(where, pairs[0])  # of the best model and the second best


def pair_in_words(where: str, pair: Pair) -> str:
    """Return in words, markdown, whether the better of two models really is better; `where` is escaped."""
    a, b = escape(pair.better.label), escape(pair.worse.label)
    points = f"{100 * pair.difference.mean:.{_digits(pair)}f} points"
    equal = pair.difference.mean == 0
    lead = "they have the same mean test accuracy" if equal else f"it is {points} of test accuracy ahead"
    ahead = f"{lead} {_evidence(pair)}"
    if pair.published:
        return f"On {where}, **{a} is not judged against {b}**: {ahead} Each was {CHOSEN_THERE}, which may flatter."
    if pair.p is None:
        return (
            f"On {where}, **one retraining cannot tell whether {a} beats {b}**: {ahead} The two saved files "
            f"{'differ' if pair.mcnemar < 0.05 else 'are not shown to differ'} (McNemar's mid-p "
            f"{p_text(pair.mcnemar)}); of other seeds they say nothing."
        )
    if pair.proven:
        said = f"On {where}, **{a} beats {b} by {points}** of test accuracy {_evidence(pair)}"
    else:
        said = f"On {where}, **{a} is not shown to beat {b}**: {ahead}"
    return " ".join([said, *_told_by_few(pair), *_hidden_luck(pair), *_unequal(pair), *_importance(pair)])


def _evidence(pair: Pair) -> str:
    """Return interval, p, means and the effort behind either model."""
    low, high = 100 * pair.difference.low, 100 * pair.difference.high
    told = (
        "" if pair.p is None else f"; p {p_text(pair.p)}" + (f" after Holm for {pair.pairs} pairs" * (pair.pairs > 1))
    )
    means = f"{plus_minus(pair.better.mean, pair.better.sd)} against {plus_minus(pair.worse.mean, pair.worse.sd)}"
    one, other = pair.trials
    effort = "" if one == other else f", chosen from {one:,} trials against {other:,}"
    retrained = _retrainings(pair.better)
    if _differ(pair):
        retrained += f" against {len(pair.worse.finals)}"
    return f"(95 % interval {span(low, high, 1)}{told}): {means} over {retrained}{effort}."


def _digits(pair: Pair) -> int:
    """Return with how many decimals points are told: one, or two where a lead and the least to be shown look alike."""
    return 2 if f"{100 * (pair.least_shown or 0.0):.1f}" == f"{100 * pair.difference.mean:.1f}" else 1


def _told_by_few(pair: Pair) -> list[str]:
    """Return what could have been shown, where nothing was or two retrainings are all there is."""
    least = pair.least_shown or 0.0
    limit = "no difference" if least >= 1 else f"only {100 * least:.{_digits(pair)}f} points or more"
    limit += " would have been shown for certain."
    if pair.retrainings == 2:
        return [f"Two retrainings of a model leave one degree of freedom for the luck of its seeds: {limit}"]
    return [] if pair.proven else [limit[0].upper() + limit[1:]]


def _hidden_luck(pair: Pair) -> list[str]:
    """Return what a verdict by few retrainings may be wrong in, where its p and the spreads do not rule that out.

    The shares are those of `reports/statistics.md`. Where seeds are seen to vary differently, none of that is hidden.
    """
    if not pair.proven or pair.retrainings not in _FEW or (pair.pairs > 1 and (pair.retrainings > 2 or _differ(pair))):
        return []  # where several models are judged together, the variance that they lend each other mends most of it
    number, share, clear = _FEW[pair.retrainings]
    if not pair.seeds_alike or (pair.p or 0.0) < clear:
        return []
    return [
        f"If one model's seeds really vary several times as much as the other's, which {number} "
        f"retrainings may hide, such verdicts are wrong in up to {share} of 100 searches, not 5; five retrainings mend "
        "that."
    ]


def _differ(pair: Pair) -> bool:
    """Return whether the two models were retrained unequally often."""
    return len(pair.better.finals) != len(pair.worse.finals)


def _unequal(pair: Pair) -> list[str]:
    """Return what a verdict on two of several models with different numbers of retrainings may be wrong in."""
    if not pair.proven or pair.pairs == 1 or pair.retrainings not in _UNEQUAL or not _differ(pair):
        return []
    share, clear = _UNEQUAL[pair.retrainings]
    if (pair.p or 0.0) < clear:
        return []
    return [
        "If, of several models that are retrained unequally often, those with the fewest retrainings vary most from "
        f"seed to seed, such verdicts are wrong in up to {share} of 100 searches, not 5; retraining all equally often "
        "mends most of that."
    ]


def _importance(pair: Pair) -> list[str]:
    """Return whether the difference matters, where that can be told."""
    region = f"{100 * pair.region:g} points"
    if pair.matters is None:
        return [f"It may be too small to matter (under {region})."] if pair.proven else []
    return [] if pair.matters else [f"Either way it is too small to matter (under {region})."]


def _retrainings(chosen: Chosen) -> str:
    return "1 retraining" if len(chosen.finals) == 1 else f"{len(chosen.finals)} retrainings"


def importance_word(pair: Pair) -> str:
    """Return whether the difference of two models matters, in a word for a table; a dash where nothing is judged."""
    return DASH if pair.p is None else matters_word(pair.matters)


def matters_word(matters: bool | None) -> str:
    """Return whether a difference matters, None where its interval does not tell, in a word for a table."""
    return "cannot tell" if matters is None else "yes" if matters else "no"


def least_word(least: float | None) -> str:
    """Return from which difference of two accuracies on it would have been shown, in a word for a table.

    "none" where that is more than accuracies can differ by.
    """
    return "none" if least is not None and least >= 1 else number(least)
