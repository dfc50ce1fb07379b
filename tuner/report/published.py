"""Published results beside ours, where a search file names a study."""

from __future__ import annotations

from tuner import columns as col
from tuner.findings import Findings
from tuner.report.base import DASH, Section, escape, number, plus_minus, setting, signed, table
from tuner.report.budget import budget
from tuner.report.trials import summary_by, values_and_score
from tuner.significance import mean_interval


def published_section(findings: Findings) -> Section | None:
    """Set the printed scores and group means of a study beside ours."""
    study = findings.search.published
    if study is None:
        return None
    parts = [f"Published: {escape(study.study)}. Ours: {budget(findings)}."]
    scores = []
    for printed in study.scores:
        ours = next((c for c in findings.on(printed.dataset) if c.model == printed.model), None)
        row = [escape(printed.model), escape(printed.dataset), number(printed.test_accuracy)]
        if ours is None:
            scores.append([*row, DASH, DASH, DASH, DASH])
            continue
        interval = mean_interval(ours.correct)
        inside = interval.low <= printed.test_accuracy <= interval.high
        row[0] = escape(ours.label)
        scores.append(
            [
                *row,
                plus_minus(ours.mean, ours.sd),
                signed(ours.mean - printed.test_accuracy),
                f"{interval.low:.4f} to {interval.high:.4f}",
                "yes" if inside else "no",
            ]
        )
    if scores:
        heads = ["model", "data set", "published", "ours, mean ± sd", "ours − published", "our 95 % interval"]
        parts.append(table(scores, [*heads, "published inside it"], text_columns=2))
    groups = _groups(findings)
    if groups:
        heads = ["parameter", "published mean", "published sd", "our trials", "our mean", "our sd", "difference"]
        parts.append(
            "Mean and sample standard deviation of the trials' accuracy; theirs on the test set, ours on "
            + ("the test set" if findings.search.protocol == "published" else "validation images")
            + ":\n\n"
            + table(groups, heads)
        )
    return Section("Published and ours", "\n\n".join(parts))


def _groups(findings: Findings) -> list[list[object]]:
    rows: list[list[object]] = []
    published = findings.search.published
    for printed in published.groups if published else []:
        records = [
            r for r in findings.trials() if r.completed and r.trial.values.get(printed.parameter) == printed.value
        ]
        row: list[object] = [
            f"{printed.parameter} = {setting(printed.value)}",
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
