"""Published results beside ours, where a search file names a study."""

from __future__ import annotations

from tuner import columns as col
from tuner.findings import Chosen, Findings
from tuner.protocol import ranked
from tuner.report.base import DASH, Section, escape, folded, number, plus_minus, setting, signed, table, with_mark
from tuner.report.budget import budget
from tuner.report.trials import summary_by, values_and_score
from tuner.search import Published, PublishedScore, PublishedTrial, Search
from tuner.significance import mean_interval, wilson_interval
from tuner.trial import Record

#: More trials than this are folded away, with one reason for all.
_LONG = 20


def published_section(findings: Findings) -> Section | None:
    """Set the printed scores, trials and group means of a study beside ours."""
    study = findings.search.published
    if study is None:
        return None
    parts = [f"Published: {escape(study.study)}. Ours: {budget(findings)}."]
    parts += _scores(findings, study)
    parts += _others(findings, study)
    parts += _trials(findings, study)
    groups = _groups(findings, study)
    if groups:
        heads = ["parameter", "published mean", "published sd", "our trials", "our mean", "our sd", "difference"]
        parts.append(
            f"Mean and sample standard deviation of the trials' accuracy; theirs on the test set, ours on "
            f"{findings.search.validates_on}:\n\n" + table(groups, heads)
        )
    return Section("Published and ours", "\n\n".join(parts))


def _ours(findings: Findings, printed: PublishedScore) -> Chosen | None:
    return next((c for c in findings.on(printed.dataset) if c.model == printed.model), None)


def _label(findings: Findings, model: str) -> str:
    return escape(findings.search.entry(model).label)


def _scores(findings: Findings, study: Published) -> list[str]:
    """Compare the printed test accuracies with the retrained models', and say why one lies outside our interval."""
    rows, reasons = [], []
    for printed in study.scores:
        ours = _ours(findings, printed)
        low, high = printed.span
        label = _label(findings, printed.model)
        row = [label, escape(printed.dataset), number(low) if low == high else f"{low:g} to {high:g}"]
        if ours is None:
            rows.append([*row, *[DASH] * 5])
            continue
        interval = mean_interval(ours.correct)
        inside = interval.low <= high and low <= interval.high
        nearest = min(max(ours.mean, low), high)
        rows.append(
            [
                *row,
                plus_minus(ours.mean, ours.sd),
                _winner(findings, ours),
                signed(ours.mean - nearest),
                f"{interval.low:.4f} to {interval.high:.4f}",
                "yes" if inside else "no",
            ]
        )
        if not inside:
            reasons.append(
                f"{label} on {escape(printed.dataset)}: {_why(findings.search, study, ours.mean < low, printed.why)}"
            )
    if not rows:
        return []
    heads = ["model", "data set", "published", "ours, mean ± sd", "chosen", "ours − published", "our 95 % interval"]
    parts = [table(rows, [*heads, "published inside it"], text_columns=2)]
    return [*parts, _list_of("Where the published score lies outside our interval:", reasons)]


def _winner(findings: Findings, ours: Chosen) -> str:
    """Return what was chosen of the parameters that varied."""
    values, varying = ours.saved.trial.values, findings.search.entry(ours.model).space.varying()
    return escape(", ".join(f"{n} {setting(values[n])}" for n in varying if n in values)) or DASH


def _why(search: Search, study: Published, lower: bool, told: str) -> str:
    """Return what is known of a difference: what the search file tells, and how the two protocols differ."""
    reasons = [escape(told)] if told else []
    if lower and (search.overrides.epochs or search.overrides.train_size):
        reasons.append("Ours is lower after a smaller budget.")
    if lower and search.protocol == "holdout" and study.chosen_on_test_set:
        reasons.append("Theirs was chosen on the images that it was scored on, which flatters; ours was not.")
    if study.runs == 1:
        reasons.append("Theirs is a single run, printed without its spread.")
    return " ".join(reasons) or "Nothing that is recorded explains it."


def _list_of(head: str, reasons: list[str]) -> str:
    return head + "\n\n" + "\n".join(f"- {reason}" for reason in reasons) if reasons else ""


def _others(findings: Findings, study: Published) -> list[str]:
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
                number(result.test_loss if result else None, 3),
                DASH if printed.parameters is None else f"{printed.parameters:,}",
                f"{result.parameters:,}" if result else DASH,
                number(printed.megabytes, 2),
                number(ours.megabytes if ours else None, 2),
            ]
        )
    heads = ["model", "data set", "test loss, published", "ours", "parameters, published", "ours"]
    return [table(rows, [*heads, "MB, published", "ours"], text_columns=2)] if rows else []


def _trials(findings: Findings, study: Published) -> list[str]:
    """Compare the printed accuracies of single trials with those of our search trials."""
    rows, reasons, within = [], [], 0
    for printed in study.trials:
        label = _label(findings, printed.model)
        text = escape(", ".join(f"{name} {setting(value)}" for name, value in printed.values.items()))
        matching = _matching(findings, printed)
        ours = next(iter(ranked(matching)), None)
        if ours is None:
            rows.append([label, text, number(printed.accuracy), "failed" if matching else DASH, *[DASH] * 3])
            continue
        score = ours.result.val_accuracy or 0.0
        interval = wilson_interval(score, len(findings.chosen_on_images(ours.trial)))
        inside = interval.low <= printed.accuracy <= interval.high
        within += inside
        stuck, theirs_stuck = findings.stuck_at_chance(ours), printed.accuracy <= findings.chance(ours.trial)
        rows.append(
            [
                label,
                text,
                with_mark(printed.accuracy, theirs_stuck),
                with_mark(score, stuck),
                signed(score - printed.accuracy),
                f"{interval.low:.4f} to {interval.high:.4f}",
                "yes" if inside else "no",
            ]
        )
        if not inside:
            reasons.append(f"{label} at {text}: {_why_trial(findings, printed, score, stuck, theirs_stuck)}")
    if not rows:
        return []
    heads = ["model", "trial", "published", "ours", "ours − published", "our 95 % interval", "published inside it"]
    body = table(rows, heads, text_columns=2)
    if len(rows) > _LONG:
        body = folded(f"All {len(rows)} trials", body)
        reasons = [f"{len(rows) - within} of {len(rows)}: {_why(findings.search, study, lower=True, told='')}"]
    return [
        f"Single trials, theirs on the test set, ours on {findings.search.validates_on} (Wilson's interval over those "
        f"images; † never left chance); {within} of {len(rows)} published ones lie inside:\n\n{body}",
        _list_of("Where the published trial lies outside our interval:", reasons),
    ]


def _matching(findings: Findings, printed: PublishedTrial) -> list[Record]:
    return [
        record
        for record in findings.trials(printed.model, printed.dataset or findings.search.datasets[0])
        if all(record.trial.values.get(name) == value for name, value in printed.values.items())
    ]


def _why_trial(findings: Findings, printed: PublishedTrial, score: float, ours_stuck: bool, theirs_stuck: bool) -> str:
    told = f"{escape(printed.why)} " if printed.why else ""
    if ours_stuck != theirs_stuck:
        return f"{told}{'Ours' if ours_stuck else 'Theirs'} never left chance; at such a rate the seed decides."
    if ours_stuck:
        return told + "Neither left chance; which class a stuck network names is luck."
    fewer = "" if findings.search.protocol == "published" else "Ours trained on fewer images. "
    return told + (fewer if score < printed.accuracy else "") + "One seed each; the interval does not cover its luck."


def _groups(findings: Findings, study: Published) -> list[list[object]]:
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
            ours = summary_by(values_and_score(records), printed.parameter, col.VAL_ACCURACY).iloc[0]
            row += [int(ours["trials"]), number(ours["mean"]), number(ours["sd"]), signed(ours["mean"] - printed.mean)]
        else:
            row += [0, DASH, DASH, DASH]
        rows.append(row)
    return rows
