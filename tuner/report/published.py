"""Published results beside ours, where a search file names a study."""

from __future__ import annotations

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.significance import Interval
from tuner.analysis.variance import prediction_interval, single_prediction
from tuner.contents.cells import DASH, number, plus_minus, signed, with_mark
from tuner.contents.sections import Content, Items, Paragraph, Section, Table, folded_if
from tuner.objective import ACCURACY
from tuner.protocol import ranked
from tuner.report.budget import budget, is_smaller
from tuner.report.ranking import luck_of_rankings, ranking_against_ours
from tuner.report.study_margins import study_margins
from tuner.report.trials import summary_by, values_and_score
from tuner.search_file.model import Search
from tuner.search_file.tables import StudyResults, StudyScore, StudyTrial
from tuner.text import escape, setting
from tuner.trial import Record

#: More trials than this are folded away, with one reason for all.
_LONG = 20


def published_section(findings: Findings) -> Section | None:
    """Set the printed scores, trials and group means of a study beside ours."""
    study = findings.search.published
    if study is None or not (study.scores or study.trials or study.groups):
        return None
    contents: list[Content] = [Paragraph(f"Published: {escape(study.study)}. Ours: {budget(findings)}.")]
    contents += [*_scores(findings, study), *study_margins(findings, study)]
    contents += _others(findings, study)
    contents += [*_trials(findings, study), *luck_of_rankings(findings)]
    groups = _groups(findings, study)
    if groups:
        heads = ["parameter", "published mean", "published sd", "our trials", "our mean", "our sd", "difference"]
        lead = (
            f"Mean and sample standard deviation of the trials' accuracy; theirs on the test set, ours on "
            f"{findings.search.validates_on}"
        )
        contents.append(Table(groups, heads, lead=lead))
    return Section("published", "Published and ours", contents)


def _ours(findings: Findings, printed: StudyScore) -> Chosen | None:
    return next((c for c in findings.on(printed.dataset) if c.model == printed.model), None)


def _label(findings: Findings, model: str) -> str:
    return escape(findings.search.model_search(model).label)


def _scores(findings: Findings, study: StudyResults) -> list[Content]:
    """Hold the printed test accuracies against a prediction from our retrainings, and say why one lies outside."""
    rows, reasons = [], []
    runs = study.runs or 1
    for printed in study.scores:
        ours = _ours(findings, printed)
        low, high = printed.span
        label = _label(findings, printed.model)
        row = [label, escape(printed.dataset), number(low) if low == high else f"{low:g} to {high:g}"]
        if ours is None:
            rows.append([*row, *[DASH] * 5])
            continue
        interval = prediction_interval(ours.test_accuracies, runs, *_other_images(findings, ours))
        inside = _inside(findings, interval, low, high)
        nearest = min(max(ours.mean, low), high)
        rows.append(
            [
                *row,
                plus_minus(ours.mean, ours.sd),
                _winner(findings, ours),
                signed(ours.mean - nearest),
                DASH if interval is None else f"{interval.low:.4f} to {interval.high:.4f}",
                inside,
            ]
        )
        if inside == "no":
            why = _why(findings, study, printed.model, ours.mean < low, printed.why)
            reasons.append(f"{label} on {escape(printed.dataset)}: {why}")
    if not rows:
        return []
    heads = ["model", "data set", "published", "ours, mean ± sd", "chosen", "ours − published", "95 % prediction"]
    what = "a single run" if runs == 1 else f"a mean of {runs} runs"
    explained = (
        f"The prediction is where {what} of our configuration lies, by the luck of its seeds (mean ± t · sd · "
        f"√(1{'' if runs == 1 else f'/{runs}'} + 1/R) of R retrainings, Hahn 1969), and of the images where theirs are "
        f"not all of ours; {_cannot_tell(findings)}"
    )
    table = Table(rows, [*heads, "published inside it"], text_columns=2)
    where = "Where the published score lies outside our prediction:"
    return [table, Paragraph(explained), *_list_of(where, reasons)]


def _other_images(findings: Findings, ours: Chosen) -> tuple[float, int]:
    """Return the variance of a difference of accuracies by images that are not shared, and how many ours are.

    A study is scored on the whole test set; of a part of it, the rest are images that ours has not seen.
    """
    n, every = len(ours.predictions.labels), len(findings.data(ours.dataset).y_test)
    return ours.mean * (1 - ours.mean) * (1 / n - 1 / max(every, n)), n


def _inside(findings: Findings, interval: Interval | None, low: float, high: float) -> str:
    """Return whether a printed range meets a prediction: yes, no, or that the prediction is too wide to tell."""
    if interval is None:
        return "cannot tell"
    if interval.low > high or low > interval.high:
        return "no"
    return "cannot tell" if interval.high - interval.low > 2 * findings.search.report.matters else "yes"


def _cannot_tell(findings: Findings) -> str:
    region = 100 * findings.search.report.matters
    return (
        "one retraining predicts nothing, and a prediction that reaches further than "
        f"{region:g} points to either side cannot tell whether a score inside it agrees (`matters` in `[report]`)."
    )


def _winner(findings: Findings, ours: Chosen) -> str:
    """Return what was chosen of the parameters that varied."""
    values, varying = ours.saved.trial.values, findings.search.model_search(ours.model).space.varying()
    return escape(", ".join(f"{n} {setting(values[n])}" for n in varying if n in values)) or DASH


def _why(findings: Findings, study: StudyResults, model: str, lower: bool, told: str) -> str:
    """Return what is known of a difference: what the search file tells, and how the two protocols differ."""
    search = findings.search
    reasons = [escape(told)] if told else []
    if lower:
        reasons += _smaller_budget(search)
        chosen = study.chosen_on_test_set and search.model_search(model).planned() > 1
        if chosen and search.protocol == "holdout":
            reasons.append("Theirs was chosen on the images that it was scored on, which flatters; ours was not.")
    if study.runs == 1:
        reasons.append("Theirs is a single run, printed without its spread, which is taken to be ours.")
    return " ".join(reasons) or "Nothing that is recorded explains it."


def _smaller_budget(search: Search) -> list[str]:
    return ["Ours is lower after a smaller budget."] if is_smaller(search) else []


def _list_of(lead: str, reasons: list[str]) -> list[Content]:
    return [Items(reasons, lead)] if reasons else []


def _others(findings: Findings, study: StudyResults) -> list[Content]:
    """Compare what else was printed of each model: test loss, parameters and the size of its file."""
    rows = []
    for printed in study.scores:
        ours = _ours(findings, printed)
        if printed.test_loss is None and printed.parameters is None and printed.megabytes is None:
            continue
        result = ours.saved.result if ours else None
        rows.append(
            [
                _label(findings, printed.model),
                escape(printed.dataset),
                number(printed.test_loss, 3),
                number(ours.predictions.loss if ours else None, 3),
                DASH if printed.parameters is None else f"{printed.parameters:,}",
                f"{result.parameters:,}" if result else DASH,
                number(printed.megabytes, 2),
                number(ours.megabytes if ours else None, 2),
            ]
        )
    heads = ["model", "data set", "test loss, published", "ours", "parameters, published", "ours"]
    return [Table(rows, [*heads, "MB, published", "ours"], text_columns=2)] if rows else []


def _trials(findings: Findings, study: StudyResults) -> list[Content]:
    """Compare the printed accuracies of single trials with those of our search trials."""
    rows, reasons = [], []
    both: list[tuple[StudyTrial, float]] = []
    counts = dict.fromkeys(("yes", "no", "cannot tell"), 0)
    sides = {"lower": 0, "higher": 0}
    for printed in study.trials:
        label = _label(findings, printed.model)
        text = escape(", ".join(f"{name} {setting(value)}" for name, value in printed.values.items()))
        matching = _matching(findings, printed)
        ours = next(iter(ranked(matching)), None)
        if ours is None:
            rows.append([label, text, number(printed.accuracy), "failed" if matching else DASH, *[DASH] * 3])
            continue
        score = ours.result.val_accuracy or 0.0
        both.append((printed, score))
        interval = _prediction_of_trial(findings, printed, ours)
        inside = _inside(findings, interval, printed.accuracy, printed.accuracy)
        counts[inside] += 1
        stuck, theirs_stuck = findings.stuck_at_chance(ours), printed.accuracy <= findings.chance(ours.trial)
        rows.append(
            [
                label,
                text,
                with_mark(printed.accuracy, theirs_stuck),
                with_mark(score, stuck),
                signed(score - printed.accuracy),
                DASH if interval is None else f"{interval.low:.4f} to {interval.high:.4f}",
                inside,
            ]
        )
        if inside == "no":
            sides["lower" if score < printed.accuracy else "higher"] += 1
            reasons.append(f"{label} at {text}: {_why_trial(findings, printed, score, stuck, theirs_stuck)}")
    if not rows:
        return []
    heads = ["model", "trial", "published", "ours", "ours − published", "95 % prediction", "published inside it"]
    if len(rows) > _LONG:
        reasons = [
            f"Ours is {side} in {count} of {len(rows)}: {_fewer(findings, side == 'lower')}"
            for side, count in sides.items()
            if count
        ]
    about = (
        f"Single trials, theirs on the test set, ours on {findings.search.validates_on} († never left chance). The "
        "prediction of one run from one run has the spread over seeds of the model's retrainings, twice, and of the "
        f"images where they are not the same; {_cannot_tell(findings)}"
    )
    lead = (
        f"Of {len(rows)} published ones {counts['yes']} lie inside, {counts['no']} outside, and of "
        f"{counts['cannot tell']} it cannot be told"
    )
    table = Table(rows, heads, text_columns=2, lead=lead, about=about)
    shown = folded_if(len(rows) > _LONG, f"All {len(rows)} trials", table)
    outside = _list_of("Where the published trial lies outside our prediction:", reasons)
    return [*shown, *outside, *ranking_against_ours(findings, both)]


def _prediction_of_trial(findings: Findings, printed: StudyTrial, ours: Record) -> Interval | None:
    """Return where another run of a trial lies, with the spread over seeds of its model's retrainings."""
    dataset = printed.dataset or findings.search.datasets[0]
    chosen = next((c for c in findings.on(dataset) if c.model == printed.model), None)
    if chosen is None or chosen.sd is None:
        return None
    score = ours.result.val_accuracy or 0.0
    n, every = len(findings.chosen_on_images(ours.trial)), len(findings.data(dataset).y_test)
    apart = 1 / n + 1 / every if findings.search.protocol == "holdout" else 1 / n - 1 / max(every, n)
    return single_prediction(score, chosen.test_accuracies, score * (1 - score) * apart, n)


def _matching(findings: Findings, printed: StudyTrial) -> list[Record]:
    return [
        record
        for record in findings.trials(printed.model, printed.dataset or findings.search.datasets[0])
        if all(record.trial.values.get(name) == value for name, value in printed.values.items())
    ]


def _why_trial(findings: Findings, printed: StudyTrial, score: float, ours_stuck: bool, theirs_stuck: bool) -> str:
    told = f"{escape(printed.why)} " if printed.why else ""
    if ours_stuck != theirs_stuck:
        return f"{told}{'Ours' if ours_stuck else 'Theirs'} never left chance; at such a rate the seed decides."
    if ours_stuck:
        return told + "Neither left chance; which class a stuck network names is luck."
    return told + _fewer(findings, score < printed.accuracy)


def _fewer(findings: Findings, lower: bool) -> str:
    """Return what is known of single trials that differ: how much less ours trained, where ours is lower."""
    reasons = _smaller_budget(findings.search) if lower else []
    if lower and findings.search.protocol == "holdout":
        reasons.append("Ours trained on fewer images.")
    return " ".join(reasons) or "Nothing that is recorded explains it."


def _groups(findings: Findings, study: StudyResults) -> list[list[object]]:
    rows: list[list[object]] = []
    for printed in study.groups:
        searched = findings.trials(None, printed.dataset or findings.search.datasets[0])
        records = [r for r in searched if r.completed and r.trial.values.get(printed.parameter) == printed.value]
        row: list[object] = [
            escape(f"{printed.parameter} = {setting(printed.value)}"),
            number(printed.mean),
            number(printed.sd),
        ]
        if records:
            ours = summary_by(values_and_score(records, ACCURACY), printed.parameter, ACCURACY.column).iloc[0]
            row += [int(ours["trials"]), number(ours["mean"]), number(ours["sd"]), signed(ours["mean"] - printed.mean)]
        else:
            row += [0, DASH, DASH, DASH]
        rows.append(row)
    return rows
