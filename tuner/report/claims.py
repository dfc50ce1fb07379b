"""The claims of a study, each with what ours measured, whether it holds, and why; what ours contradicts is first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from tuner.analysis.claims import Answer, Told, Verdict, answers_to_claims
from tuner.analysis.findings import Findings
from tuner.analysis.measured import Measured
from tuner.contents.cells import number, p_text, plus_minus, signed
from tuner.contents.sections import Content, Items, Paragraph, Section, Table
from tuner.report.budget import is_smaller
from tuner.search_file.claims import Claim
from tuner.text import escape, setting

#: The order of the table, and how often each verdict was reached, in words.
_ORDER: dict[Verdict, str] = {
    "does not hold": "does not hold",
    "holds": "holds",
    "cannot tell": "cannot be told",
    "elsewhere": "is answered by another search",
}
_SEVERAL: dict[Verdict, str] = {
    "does not hold": "do not hold",
    "holds": "hold",
    "cannot tell": "cannot be told",
    "elsewhere": "are answered by other searches",
}
#: What is compared, as heads of numbers say it; accuracy needs no word.
_WHAT = {
    "loss": "test loss ",
    "gap": "gap of training and validation accuracy ",
    "roughness": "roughness of the training loss ",
    "epochs": "epochs ",
    "gradient": "gradient at the first layer before training ",
    "seconds": "seconds per epoch ",
    "accuracy": "",
}
#: Counted by a clock, and therefore told in the section of times alone.
_CLOCKED = "seconds"


def claims_section(findings: Findings) -> Section | None:
    """Answer each claim of the study that the search file names."""
    study, answers = findings.search.published, answers_to_claims(findings)
    if study is None or not answers:
        return None
    order = list(_ORDER)
    told = sorted(answers, key=lambda one: len(order) if one.claim.by == _CLOCKED else order.index(one.verdict))
    rows = [_row(findings, one) for one in told]
    contents: list[Content] = []
    against = [_says(one) for one in told if _contradicts(one)]
    if against:
        after = ", after a smaller budget than its own," if is_smaller(findings.search) else ""
        contents.append(Items(against, f"Ours{after} contradicts the study where it says:"))
    table = Table(rows, ["claim", "ours", "verdict", "why"], text_columns=4, lead=_counted(answers))
    contents += [table, Paragraph(_rule(findings, answers)), Paragraph("The same as a file: [claims.csv](claims.csv).")]
    frame = pd.DataFrame(
        {
            "claim": one.claim.says,
            "verdict": "time" if one.claim.by == _CLOCKED else one.verdict,
            "ours": "" if one.claim.by == _CLOCKED else _numbers(one),
            "why": "" if one.claim.by == _CLOCKED else _why(findings, one),
        }
        for one in answers
    )
    return Section("claims", "What the study says, and what ours says", contents, {"claims.csv": frame})


def claims_in_words(findings: Findings) -> list[str]:
    """Return what ours contradicts, and how many claims of the study hold, in a statement; nothing without claims."""
    answers = answers_to_claims(findings)
    if not answers:
        return []
    against = "; ".join(f"“{_says(one).rstrip('.')}”" for one in answers if _contradicts(one))
    after = ", after a smaller budget," if is_smaller(findings.search) else ""
    contradicted = f" **Ours contradicts it**{after} where it says {against}." if against else ""
    return [f"{_counted(answers)}.{contradicted}"]


def claims_of_time(findings: Findings) -> list[Content]:
    """Return the claims that a clock answers, for the section of times."""
    answers = [one for one in answers_to_claims(findings) if one.claim.by == _CLOCKED]
    rows = [[_says(one), _numbers(one), one.verdict, _why(findings, one)] for one in answers]
    lead = "What the study says of time"
    return [Table(rows, ["claim", "ours", "verdict", "why"], text_columns=4, lead=lead)] if rows else []


def _contradicts(answer: Answer) -> bool:
    return answer.verdict == "does not hold" and answer.claim.by != _CLOCKED


def _counted(answers: Sequence[Answer]) -> str:
    """Return how many claims of the study hold, do not, and cannot be told."""
    of = {verdict: sum(one.verdict == verdict and one.claim.by != _CLOCKED for one in answers) for verdict in _ORDER}
    parts = [f"{count} {_ORDER[v] if count == 1 else _SEVERAL[v]}" for v, count in of.items() if count]
    if clocked := sum(one.claim.by == _CLOCKED for one in answers):
        parts.append(f"{clocked} {'is' if clocked == 1 else 'are'} about time")
    if len(answers) == 1:
        return f"The one claim of the study {parts[0].removeprefix('1 ')}"
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"Of {len(answers)} claims of the study, {listed}"


def _says(answer: Answer) -> str:
    return escape(answer.claim.says)


def _row(findings: Findings, answer: Answer) -> list[str]:
    if answer.claim.by == _CLOCKED:
        return [_says(answer), "see [Time](#time)", "see [Time](#time)", "a clock measured it"]
    verdict = f"**{answer.verdict}**" if answer.verdict == "does not hold" else answer.verdict
    if answer.verdict == "elsewhere":
        verdict = f"see `{escape(answer.claim.elsewhere)}`"
    return [_says(answer), _numbers(answer), verdict, _why(findings, answer)]


def _numbers(answer: Answer) -> str:
    """Return what was measured, and the differences that the verdict rests on."""
    if answer.counted is not None:
        stuck, every = answer.counted
        which = f": {escape('; '.join(answer.stuck[:_MOST_STUCK]))}" if stuck else ""
        return f"{stuck} of {every:,} trials never left chance{which}"
    write = _WRITERS.get(answer.claim.by, _plain if answer.claim.parameter is None else _of_trials)
    told = [f"{escape(one.name)} {write(one)}" for one in answer.measured]
    if answer.claim.gains is not None:
        told = [f"lead on {escape(one.first)} {_difference(one)}" for one in answer.pairs[:2]]
        told += [f"difference of the two {_difference(one)}" for one in answer.pairs[2:]]
    elif answer.claim.by in ("accuracy", "loss", "gap"):
        told += [f"{escape(one.first)} − {escape(one.second)} {_difference(one)}" for one in answer.pairs[:_MOST_PAIRS]]
    return f"{_WHAT[answer.claim.by]}{'; '.join(told)}" if told else ""


#: Of so many pairs the differences are told; of more the numbers themselves.
_MOST_PAIRS = 3


#: So many trials at chance are named.
_MOST_STUCK = 6


def _plain(one: Measured) -> str:
    return plus_minus(one.mean, one.sd)


def _of_trials(one: Measured) -> str:
    return _plain(one) + (f" ({len(one.values):,} trials)" if len(one.values) > 1 else "")


def _of_logarithms(one: Measured) -> str:
    """Return the geometric mean of what was measured as logarithms, with its range."""
    low, middle, high = (float(np.exp(of)) for of in (one.values.min(), one.mean, one.values.max()))
    return f"{middle:.3g}" if len(one.values) == 1 else f"{middle:.3g} ({low:.3g} to {high:.3g})"


def _epochs(one: Measured) -> str:
    low, high = int(one.values.min()), int(one.values.max())
    return f"{low}" if low == high else f"{one.mean:.1f} ({low} to {high})"


_WRITERS: dict[str, Callable[[Measured], str]] = {
    "gradient": _of_logarithms,
    "seconds": _of_logarithms,
    "epochs": _epochs,
    "gap": lambda one: signed(one.mean),
    "roughness": lambda one: number(one.mean),
}


def _difference(pair: Told) -> str:
    if pair.difference is None:
        return "not judged"
    interval = f" ({signed(pair.difference.low)} to {signed(pair.difference.high)})"
    return f"{signed(pair.difference.mean)}{interval if np.isfinite(pair.difference.low) else ''}"


def _why(findings: Findings, answer: Answer) -> str:
    """Return why a claim holds, does not, or cannot be told, and what the search file adds."""
    claim = answer.claim
    smaller = ["That is after a smaller budget."] if _contradicts(answer) and is_smaller(findings.search) else []
    said = [*_reason(findings, answer), *smaller, *_where(claim), *([escape(claim.why)] if claim.why else [])]
    return " ".join(said)


def _reason(findings: Findings, answer: Answer) -> list[str]:
    claim, region = answer.claim, f"{100 * findings.search.report.matters:g} points"
    if answer.verdict == "elsewhere":
        return [f"The search `{escape(claim.elsewhere)}` asks it."]
    if answer.verdict == "cannot tell":
        return [_lacking(answer, findings.search.report.matters)]
    if answer.counted is not None:
        return ["No better than always naming the largest class, in any epoch."] if answer.counted[0] else []
    if answer.verdict == "does not hold":
        return [_refuted(claim, one, region) for one in answer.pairs if one.says == "no"][:_MOST_PAIRS]
    if claim.alike:
        return [f"Every interval lies within {region}, which do not matter."]
    if claim.at_least:
        return [f"At most {region} behind, by the whole interval."]
    last = max((one.p for one in answer.pairs if one.says == "yes" and one.p is not None), default=None)
    several = sum(one.says == "yes" for one in answer.pairs) > 1
    shown = "" if last is None else f" (p {p_text(last)}{' or less' * several})"
    return [f"{'Every pair is' if several else 'The difference is'} shown{shown}."]


def _refuted(claim: Claim, pair: Told, region: str) -> str:
    """Return why a pair speaks against a claim."""
    between = f"{escape(pair.first)} and {escape(pair.second)}"
    if claim.alike and pair.p is not None:
        return f"{between} are shown to differ by more than {region} (p {p_text(pair.p)})."
    if pair.p is not None and pair.p < 0.05:
        return f"The opposite is shown of {between} (p {p_text(pair.p)})."
    return f"Between {between} any difference is too small to matter (under {region})."


#: Why nothing can be told of models that are said to be as good.
_TOO_WIDE = "The intervals are too wide to tell whether it matters."


def _unproven(pair: Told, region: float) -> str:
    """Return that two of several are far enough apart by their interval, but not by p, which is after Holm."""
    return (
        f"Between {escape(pair.first)} and {escape(pair.second)} the interval lies beyond {100 * region:g} points, but "
        f"after Holm the difference is not shown (p {p_text(pair.p or 0.0)})."
    )


def _lacking(answer: Answer, region: float) -> str:
    """Return why a claim cannot be told, and what is missing for it; `region` is how far apart does not matter."""
    match answer.missing:
        case "open":
            return escape(answer.claim.open)
        case "absent":
            return f"Missing: {escape(answer.absent)}."
        case "published":
            return "Each was validated on the test images that score it. Missing: the holdout protocol."
        case "single":
            return "One training tells nothing of its seeds. Missing: several retrainings (`repeats`)."
    least = answer.least
    if least is None or answer.claim.by not in ("accuracy", "loss", "gap"):
        return "No difference is shown. Missing: more trainings."
    if answer.claim.alike or answer.claim.at_least:
        beyond = [
            one for one in answer.pairs if one.says == "open" and one.difference and one.difference.matters(region)
        ]
        return f"{_unproven(beyond[0], region) if beyond else _TOO_WIDE} Missing: more retrainings."
    shares = answer.claim.by in ("accuracy", "gap")
    limit = "none" if shares and least >= 1 else f"from {number(least)} on one"
    return f"Not every difference is shown; {limit} would have been. Missing: more retrainings."


def _where(claim: Claim) -> list[str]:
    """Return which trials alone a claim compares, in a sentence."""
    fixed = " and ".join(f"{name} {setting(value)}" for name, value in claim.where.items())
    return [f"Of the trials with {escape(fixed)}."] if fixed else []


def _rule(findings: Findings, answers: Sequence[Answer]) -> str:
    """Return by which rule claims are answered, and what the measures mean that were used."""
    told = (
        "A claim that one is above another holds where the difference is shown (p below 0.05, after Holm), and does "
        "not hold where the opposite is shown or where the whole interval is within "
        f"{100 * findings.search.report.matters:g} points of accuracy, which do not matter (`matters` in `[report]`); "
        "else it cannot be told. One about several needs all pairs that it names. Test accuracies of models are judged "
        "as in the comparison below. "
    )
    used = {one.claim.by for one in answers}
    values = any(one.claim.parameter is not None and one.claim.by == "accuracy" for one in answers)
    more = {
        "gap": "The gap is that of a model's best trial at its last epoch, or the one it was kept at; training "
        "accuracy is measured while dropout is at work, which lowers it. Its luck of seeds is borrowed from the "
        "retrainings. ",
        "roughness": "Roughness is how far the training loss of an epoch lies from the middle of the epochs around it, "
        "in the mean; judged by the sign test over epochs of one training each. ",
        "epochs": "Epochs are counted until the training accuracy first reached the one that is named, in the best "
        "trial and in each retraining. ",
        "gradient": "The gradient is the norm at the first watched layer before training, of the best trial and each "
        "watched retraining, geometric mean and range; judged by its logarithm. ",
    }
    if values:
        told += (
            f"Values of a parameter are compared over all trials that have them, on {findings.search.validates_on}; "
            "single trials borrow their luck of seeds from the retrainings. "
        )
    return (told + "".join(text for name, text in more.items() if name in used)).strip()
