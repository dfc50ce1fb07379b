"""What ours says to the claims of a study: each is held against recorded trainings by one rule, and answered.

A claim that one is above another holds where the difference is shown (p < 0.05, after Holm), does not hold where the
opposite is shown, or where all of the difference's interval is too small to matter, and cannot be told otherwise. A
claim about several uses all pairs that it names: it does not hold where one of them does not, and holds where all do.
Of two models' test accuracies the verdict is that of the comparison, which judges all pairs of the data set together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.gradients import watched_trainings
from tuner.analysis.measured import Measured, Spread, adjusted_p, difference_of, differences
from tuner.analysis.pairs import judged_on
from tuner.analysis.variance import Difference, compare, quantile
from tuner.objective.log_loss import log_losses
from tuner.search_file.claims import Claim, Name
from tuner.text import setting
from tuner.trial import Record

Verdict = Literal["holds", "does not hold", "cannot tell", "elsewhere"]
#: Why nothing can be told: something named has no training that completed; one training, without a spread over
#: seeds; models that were validated on the images that score them; too few trainings; nothing that asks it.
Missing = Literal["", "absent", "single", "published", "few", "open"]


@dataclass(frozen=True, eq=False)
class Told:
    """The difference of two that a claim is about, `first` − `second`; `says` is what it says of the claim.

    It is empty of a difference that only leads to another one. `together` is how many were judged with it.
    """

    first: str
    second: str
    difference: Difference | None
    p: float | None
    says: Literal["yes", "no", "open", ""]
    together: int = 1


@dataclass(frozen=True, eq=False)
class Answer:
    """What ours says to a claim: the verdict, what was measured, every pair that it rests on, and what is missing.

    `least` is the smallest difference that would have been shown for certain, of the pair that told least; `counted`
    are the trials at chance, and all that were looked at; `stuck` names the former.
    """

    claim: Claim
    verdict: Verdict
    measured: tuple[Measured, ...] = ()
    pairs: tuple[Told, ...] = ()
    missing: Missing = ""
    absent: str = ""
    counted: tuple[int, int] | None = None
    stuck: tuple[str, ...] = ()

    @property
    def least(self) -> float | None:
        """The difference from which on the pair that tells least would have been shown for certain."""
        found = [
            one.difference.least_shown(one.together)
            for one in self.pairs
            if one.says == "open" and one.difference is not None and np.isfinite(one.difference.standard_error)
        ]
        return max(found, default=None)


def answers_to_claims(findings: Findings) -> tuple[Answer, ...]:
    """Return what ours says to each claim of the study that the search file names, in the order of the file."""
    return findings.once(_answers)


def _answers(findings: Findings) -> tuple[Answer, ...]:
    study = findings.search.published
    return tuple(_answer(findings, claim) for claim in (study.claims if study else ()))


def _answer(findings: Findings, claim: Claim) -> Answer:
    if claim.elsewhere is not None:
        return Answer(claim, "elsewhere")
    if claim.open is not None:
        return Answer(claim, "cannot tell", missing="open")
    if claim.at_chance:
        return _at_chance(findings, claim)
    if claim.gains is not None:
        return _gains(findings, claim)
    if claim.flattered is not None:
        return _flattered(findings, claim)
    return _compared(findings, claim)


def _dataset(findings: Findings, claim: Claim) -> str:
    return claim.dataset or findings.search.datasets[0]


def _named(findings: Findings, claim: Claim) -> list[Name]:
    """Return what a claim compares, the one that is to be best in front of all others."""
    if claim.best is None:
        return claim.named
    dataset = _dataset(findings, claim)
    if claim.parameter is None:
        every: list[Name] = [one.name for one in findings.search.model_searches]
    else:
        seen = {r.trial.values.get(claim.parameter) for r in findings.whole_trials(claim.model, dataset)} - {None}
        every = sorted((value for value in seen if value is not None), key=_in_order)
    return [claim.best, *(one for one in every if one != claim.best)]


def _in_order(value: Name) -> tuple[bool, float, str]:
    return isinstance(value, str), 0.0 if isinstance(value, str) else float(value), str(value)


def _compared(findings: Findings, claim: Claim) -> Answer:
    names = _named(findings, claim)
    measured: list[Measured] = []
    for name in names:
        found = _measured(findings, claim, name)
        if found is None:
            return Answer(claim, "cannot tell", tuple(measured), missing="absent", absent=setting(name))
        measured.append(found)
    wanted = [(i, j) for i, j in combinations(range(len(names)), 2) if claim.best is None or i == 0]
    judged = _judged(findings, claim, measured, wanted)
    region = findings.search.report.matters if claim.by == "accuracy" else 0.0
    pairs = tuple(
        Told(measured[i].name, measured[j].name, difference, p, _says(claim, difference, p, region), together)
        for (i, j), (difference, p, together) in zip(wanted, judged, strict=True)
    )
    verdict = _verdict(pairs)
    missing: Missing = ""
    if verdict == "cannot tell":
        unjudged = any(one.p is None for one in pairs if one.says == "open")
        published = findings.search.protocol == "published" and claim.by in ("accuracy", "loss")
        missing = "few" if not unjudged else "published" if published and claim.parameter is None else "single"
    return Answer(claim, verdict, tuple(measured), pairs, missing)


def _judged(
    findings: Findings, claim: Claim, measured: Sequence[Measured], wanted: Sequence[tuple[int, int]]
) -> list[tuple[Difference | None, float | None, int]]:
    """Return the differences that a claim is about, with their p, and how many were judged together."""
    if claim.parameter is None and claim.by == "accuracy":
        return [_as_compared(findings, claim, measured[i].name, measured[j].name) for i, j in wanted]
    every = dict(zip(combinations(range(len(measured)), 2), differences(measured), strict=True))
    found = [every[pair] for pair in wanted]
    return [(one, p, len(found)) for one, p in zip(found, adjusted_p(found), strict=True)]


def _as_compared(findings: Findings, claim: Claim, one: str, other: str) -> tuple[Difference | None, float | None, int]:
    """Return the difference of two models as the comparison tells it, `one` − `other`."""
    for pair in judged_on(findings, _dataset(findings, claim)):
        if (pair.better.label, pair.worse.label) == (one, other):
            return pair.difference, pair.p, pair.pairs
        if (pair.better.label, pair.worse.label) == (other, one):
            return _turned(pair.difference), pair.p, pair.pairs
    return None, None, 1


def _turned(difference: Difference) -> Difference:
    return replace(difference, mean=-difference.mean, low=-difference.high, high=-difference.low)


def _says(claim: Claim, difference: Difference | None, p: float | None, region: float) -> Literal["yes", "no", "open"]:
    """Return what a difference says to a claim; of one that may only be too small, the interval decides."""
    if difference is None or p is None:
        return "open"
    shown = p < 0.05 and difference.mean != 0
    within = max(-difference.low, difference.high) < region
    if claim.alike:
        beyond = difference.low > region or difference.high < -region
        return "yes" if within else "no" if shown and beyond else "open"
    if claim.at_least:
        below = shown and difference.mean < 0
        return "yes" if difference.low > -region or (shown and not below) else "no" if below else "open"
    if shown:
        return "yes" if difference.mean > 0 else "no"
    return "no" if within else "open"


def _verdict(pairs: Sequence[Told]) -> Verdict:
    if any(one.says == "no" for one in pairs):
        return "does not hold"
    return "holds" if pairs and all(one.says == "yes" for one in pairs) else "cannot tell"


def _measured(findings: Findings, claim: Claim, name: Name) -> Measured | None:
    """Return what was measured of a model, or of a parameter's value; None where no training of it completed."""
    if claim.parameter is not None:
        return _of_value(findings, claim, name)
    dataset = _dataset(findings, claim)
    label = findings.search.model_search(str(name)).label
    best = next((record for one, record in findings.best_trials(dataset) if one.name == name), None)
    chosen = next((one for one in findings.on(dataset) if one.model == name), None)
    finals = chosen.finals if chosen else ()
    if claim.by == "accuracy":
        return None if chosen is None else Measured(label, chosen.test_accuracies, chosen.correct.astype(np.float64))
    if claim.by == "loss":
        return None if chosen is None else _losses(label, chosen)
    if claim.by == "gradient":
        seen = [one for one in watched_trainings(findings, dataset) if one.model == name]
        return Measured(label, np.array([one.logarithms[0, 0] for one in seen])) if seen else None
    if claim.by == "gap":
        return None if best is None else _gap(label, findings, best, _spread(chosen))
    if claim.by == "roughness":
        return None if best is None else _roughness(label, best)
    trainings = [record for record in (best, *finals) if record is not None]
    if claim.by == "seconds":
        seconds = [r.result.seconds_per_epoch for r in trainings if r.result.seconds_per_epoch]
        return Measured(label, np.log(np.array(seconds))) if seconds else None
    reached = [_epochs_to(record, claim.reach or 1.0) for record in trainings if record.result.history.get("accuracy")]
    return Measured(label, np.array(reached, dtype=np.float64)) if reached else None


def _losses(label: str, chosen: Chosen) -> Measured:
    found = np.array([log_losses(one.probabilities, one.labels) for one in chosen.all_predictions])
    return Measured(label, found.mean(axis=1), found)


def _epochs_to(record: Record, accuracy: float) -> int:
    """Return the epoch that first reached a training accuracy; one more than there are where none did."""
    curve = record.result.history["accuracy"]
    return next((epoch for epoch, reached in enumerate(curve, start=1) if reached >= accuracy), len(curve) + 1)


def _spread(chosen: Chosen | None, times: int = 1) -> Spread | None:
    """Return the variance over seeds that a single training of a chosen model borrows."""
    if chosen is None or len(chosen.finals) < 2:
        return None
    return Spread(
        f"{chosen.model}-{chosen.dataset}", times * float(chosen.test_accuracies.var(ddof=1)), len(chosen.finals)
    )


def gap_of(record: Record) -> tuple[int, float, float] | None:
    """Return the epoch of a trial that counts, with its training and its validation accuracy; None if not recorded."""
    training, validation = (record.result.history.get(name, []) for name in ("accuracy", "val_accuracy"))
    epoch = record.result.best_epoch or len(validation)
    if not epoch or len(training) < epoch or len(validation) < epoch:
        return None
    return epoch, training[epoch - 1], validation[epoch - 1]


def _gap(label: str, findings: Findings, record: Record, spread: Spread | None) -> Measured | None:
    found = gap_of(record)
    if found is None:
        return None
    _, training, validation = found
    twice = None if spread is None else replace(spread, of=f"gap of {label}", variance=2 * spread.variance)
    images = validation * (1 - validation) / len(findings.chosen_on_images(record.trial))
    return Measured(label, np.array([training - validation]), spread=twice, by_images=images)


def _roughness(label: str, record: Record) -> Measured | None:
    """Measure how far the training loss of an epoch lies from the middle of the epochs around it."""
    loss = np.array(record.result.history.get("loss", []), dtype=np.float64)
    if len(loss) < 3 or not np.isfinite(loss).all():
        return None
    apart = np.abs(loss[1:-1] - (loss[:-2] + loss[2:]) / 2)
    return Measured(label, np.array([apart.mean()]), by_epoch=apart)


def _of_value(findings: Findings, claim: Claim, name: Name) -> Measured | None:
    """Measure the trials with a value of a parameter."""
    dataset, wanted = _dataset(findings, claim), {str(claim.parameter): name, **claim.where}
    label = f"{claim.parameter} {setting(name)}"
    records = [
        r
        for r in findings.whole_trials(claim.model, dataset)
        if all(r.trial.values.get(other) == value for other, value in wanted.items())
    ]
    if not records:
        return None
    owner = _models(findings)[records[0].trial.id]
    spread = _spread(next((one for one in findings.on(dataset) if one.model == owner), None))
    best = max(records, key=lambda record: record.gain if record.gain is not None else -np.inf)
    if claim.by == "roughness":
        return _roughness(label, best)
    if claim.by == "gap":
        return _gap(label, findings, best, spread)
    values = np.array([record.result.val_accuracy or 0.0 for record in records])
    images = []
    for record in records:
        answers = findings.validation_answers(record)
        if answers is not None:
            images.append(answers.argmax(axis=1) == findings.chosen_on_images(record.trial))
    whole = np.array(images, dtype=np.float64) if len(images) == len(records) else None
    share = float(values.mean())
    by_images = share * (1 - share) / len(findings.chosen_on_images(records[0].trial))
    return Measured(label, values, whole, spread=spread, by_images=by_images)


def _models(findings: Findings) -> dict[str, str]:
    """Return of each trial of the search the model that it is of."""
    return {one.trial: one.model for one, _ in findings.search_trials if one.role == "search"}


def _at_chance(findings: Findings, claim: Claim) -> Answer:
    records = findings.whole_trials(None, _dataset(findings, claim))
    if not records:
        return Answer(claim, "cannot tell", missing="absent", absent="a completed trial")
    models = _models(findings)
    names = []
    for record in filter(findings.stuck_at_chance, records):
        of = findings.search.model_search(models[record.trial.id])
        values = [
            f"{name} {setting(record.trial.values[name])}" for name in of.space.varying() if name in record.trial.values
        ]
        names.append(" at ".join(filter(None, [of.label, ", ".join(values)])))
    counted = (len(names), len(records))
    return Answer(claim, "holds" if names else "does not hold", counted=counted, stuck=tuple(names))


def lead(findings: Findings, model: str, over: str, dataset: str) -> Difference | None:
    """Return the difference of two models' test accuracies on a data set, p not adjusted; None where one lacks."""
    there = {one.model: one for one in findings.on(dataset)}
    if model not in there or over not in there:
        return None
    found = compare(there[model].correct, there[over].correct)
    return replace(found, p_value=None) if findings.search.protocol == "published" else found


def _gains(findings: Findings, claim: Claim) -> Answer:
    asked = claim.gains
    if asked is None:
        raise ValueError(claim.how)
    leads = [lead(findings, asked.model, asked.over, dataset) for dataset in (asked.on, asked.than)]
    if leads[0] is None or leads[1] is None:
        absent = asked.on if leads[0] is None else asked.than
        return Answer(claim, "cannot tell", missing="absent", absent=f"a model on {absent}")
    difference = difference_of(leads[0], leads[1])
    says = _says(claim, difference, difference.p_value, findings.search.report.matters)
    pairs = (
        Told(asked.on, "", leads[0], leads[0].p_value, ""),
        Told(asked.than, "", leads[1], leads[1].p_value, ""),
        Told(asked.on, asked.than, difference, difference.p_value, says),
    )
    verdict = _verdict(pairs[2:])
    missing: Missing = "" if verdict != "cannot tell" else "few" if difference.p_value is not None else "single"
    return Answer(claim, verdict, pairs=pairs, missing=missing)


def _flattered(findings: Findings, claim: Claim) -> Answer:
    """Hold the score of the chosen trial against where another training of its configuration would lie."""
    dataset = _dataset(findings, claim)
    chosen = next((one for one in findings.on(dataset) if one.model == claim.flattered), None)
    if chosen is None or chosen.winner is None or chosen.winner.result.val_accuracy is None:
        return Answer(claim, "cannot tell", missing="absent", absent=str(claim.flattered))
    score = chosen.winner.result.val_accuracy
    measured = (Measured("as chosen", np.array([score])), Measured("trained again", chosen.test_accuracies))
    if chosen.sd is None:
        return Answer(claim, "cannot tell", measured, missing="single")
    count = len(chosen.finals)
    error = chosen.sd * float(np.sqrt(1 + 1 / count))
    if findings.search.protocol == "holdout":
        images = (len(findings.chosen_on_images(chosen.winner.trial)), len(chosen.predictions.labels))
        error = float(np.sqrt(error**2 + chosen.mean * (1 - chosen.mean) * sum(1 / n for n in images)))
    half = float(quantile(count - 1, 0.05)) * error
    mean = score - chosen.mean
    difference = Difference(mean, mean - half, mean + half, 0.0 if abs(mean) > half else 1.0, count - 1, error)
    says = _says(claim, difference, difference.p_value, findings.search.report.matters)
    pairs = (Told("as chosen", "trained again", difference, difference.p_value, says),)
    verdict = _verdict(pairs)
    return Answer(claim, verdict, measured, pairs, "" if verdict != "cannot tell" else "few")
