"""Where the numbers come from: budget, seeds, data, versions, hardware."""

from __future__ import annotations

from tuner.findings import Findings
from tuner.report.base import Section, escape, table
from tuner.report.budget import budget

#: What workers note about where they ran, and how the table calls it.
_ENVIRONMENT = {
    "backend": "backend",
    "keras": "Keras",
    "numpy": "NumPy",
    "python": "Python",
    "tuner": "tuner",
    "engine": "engine",
    "device": "device",
    "threads": "threads per trial",
}
_METHOD = (
    "Intervals: 95 % percentile bootstrap, seed 0; of an accuracy over the test images, 10,000 resamples; of a "
    "difference over retrainings and test images, 2,000. Seconds per epoch and milliseconds per image were measured "
    "while other trials ran on the same machine."
)


def provenance_section(findings: Findings) -> Section:
    """List what is needed to get the same numbers again."""
    search = findings.search
    records = [record for _, record in findings.members]
    finals = sorted({record.trial.seed for record in records if record.trial.role == "final"})
    rows: list[list[object]] = [
        ["search file", f"{escape(search.name)}.toml, SHA-256 begins {search.file_hash}"],
        ["budget", budget(findings)],
        ["trials", _counts(findings)],
        ["seeds", f"search {search.seed}; retraining {', '.join(map(str, finals)) or '–'}"],
    ]
    for dataset in findings.seen_datasets:
        data = findings.data(dataset)
        rows.append(
            [
                f"data set {escape(dataset)}",
                f"{len(data.y_train):,} training and {len(data.y_test):,} test images"
                + (f" from {escape(data.source)}" if data.source else "")
                + f", fingerprint {data.fingerprint}",
            ]
        )
    environments = [record.result.environment for record in records]
    for key, name in _ENVIRONMENT.items():
        values = dict.fromkeys(str(e[key]) for e in environments if key in e)
        rows.append([name, escape(", ".join(values))])
    hours = sum(record.result.seconds for record in records) / 3600
    rows.append(["time in workers", f"{hours:.2f} h" if hours >= 0.1 else f"{60 * hours:.1f} min"])
    return Section("Provenance", table(rows, ["what", "value"], text_columns=2) + "\n\n" + _METHOD)


def _counts(findings: Findings) -> str:
    searched = findings.trials()
    done = sum(record.completed for record in searched)
    finals = [record for member, record in findings.members if member.role == "final"]
    return (
        f"{done} completed and {len(searched) - done} failed in the search; {len(finals)} retrainings, "
        f"{findings.search.repeats} of each chosen configuration"
    )
