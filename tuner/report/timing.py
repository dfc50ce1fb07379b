"""Everything that a clock measured. It stands here and nowhere else, so that the rest repeats byte for byte."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.latency import BATCH, latency_of, milliseconds
from tuner.analysis.pareto import pareto_front
from tuner.analysis.scopes import scopes
from tuner.analysis.shares import shares_frame
from tuner.contents.cells import DASH, number
from tuner.contents.sections import Content, Paragraph, Section, Table
from tuner.ledger.rows import utc
from tuner.report.claims import claims_of_time
from tuner.report.convergence import Convergence, convergences
from tuner.report.provenance import repeats_bit_for_bit
from tuner.report.shares import bars_picture, shares_table
from tuner.search_file.contenders import Contender
from tuner.text import escape
from tuner.trial import ARTIFACTS, Attempt, Record, artifact_path

_PER_EPOCH = "time per epoch"


@dataclass(frozen=True)
class _Row:
    """A row of the comparison on a data set: the trials of its search there, the best of them, and the chosen model.

    One below a limit, and an ensemble, has no trials of its own.
    """

    contender: Contender
    dataset: str
    trials: list[Record]
    best: Convergence | None
    chosen: Chosen | None

    @property
    def seconds(self) -> float:
        """What all trials of the search took."""
        return sum(record.result.seconds for record in self.trials)

    @property
    def per_epoch(self) -> float | None:
        """Seconds per epoch of the best trial."""
        return self.best.record.result.seconds_per_epoch if self.best else None

    def seconds_to(self, accuracy: float) -> float | None:
        """The time until the best trial reached an accuracy: its epochs until then times its seconds per epoch."""
        epochs = self.best.epochs_to[accuracy] if self.best else None
        return None if epochs is None or self.per_epoch is None else epochs * self.per_epoch


def timing_section(findings: Findings) -> Section | None:
    """Say how long trials, models and predictions took, and which parameters matter for it."""
    if not findings.search_trials:
        return None
    rows = _rows(findings)
    wanted = next((list(row.best.epochs_to) for row in rows if row.best), [])
    contents: list[Content] = [Paragraph(introduction(findings)), Paragraph(total_time(findings))]
    contents.append(_table(findings, rows, wanted))
    contents += [*_alone(findings), *claims_of_time(findings)]
    tables = {"timing.csv": _trials_frame(findings), "timing_models.csv": _models_frame(rows, wanted)}
    links = "Every trial: [timing.csv](timing.csv). The table as numbers: [timing_models.csv](timing_models.csv)."
    shares, frames = _importance(findings)
    if frames:
        contents += shares
        tables["timing_importance.csv"] = pd.concat(frames, ignore_index=True)
        links += " Every parameter: [timing_importance.csv](timing_importance.csv)."
    return Section("timing", "Time", [*contents, Paragraph(links)], tables)


def introduction(findings: Findings) -> str:
    """Say which part of a report differs from run to run."""
    text = (
        "The times in this section were measured by a clock, other trials may have run on the same machine meanwhile, "
        "and they differ from run to run; everything else in this report is the same bytes when it is run again with "
        "this seed on such a machine"
    )
    return f"{text}." if repeats_bit_for_bit(findings) else f"{text}, as far as [Provenance](#provenance) says."


def total_time(findings: Findings) -> str:
    """Say how long all trials took, one after another."""
    took = {
        role: sum(record.result.seconds for search_trial, record in findings.search_trials if search_trial.role == role)
        for role in ("search", "final")
    }
    text = f"The trials of the search took {clock(took['search'])} in their workers"
    return f"{text}, the retrainings {clock(took['final'])}." if took["final"] else f"{text}."


def _rows(findings: Findings) -> list[_Row]:
    best = {(one.model_search.name, one.dataset): one for one in convergences(findings)}
    chosen = {(one.model, one.dataset): one for one in findings.chosen}
    found = [
        _Row(
            contender,
            dataset,
            [] if contender.limit or contender.members else findings.trials(contender.name, dataset),
            best.get((contender.name, dataset)),
            chosen.get((contender.name, dataset)),
        )
        for dataset in findings.seen_datasets
        for contender in findings.search.rows
    ]
    return [row for row in found if row.trials or row.chosen]


def _table(findings: Findings, rows: list[_Row], wanted: list[float]) -> Table:
    cells = []
    for row in rows:
        final = row.chosen.saved.result if row.chosen else None
        reached = [row.seconds_to(accuracy) for accuracy in wanted]
        cells.append(
            [
                escape(row.contender.label),
                escape(row.dataset),
                f"{len(row.trials)} in {clock(row.seconds)}" if row.trials else DASH,
                _figure(row.per_epoch),
                *[DASH if seconds is None else clock(seconds) for seconds in reached],
                _figure(final.seconds_per_epoch if final else None),
                _figure(milliseconds(row.chosen.artifact, row.chosen.saved.result) if row.chosen else None),
            ]
        )
    about = (
        "Of the best trial of each search: seconds per epoch, the median without the first, which compiles, where "
        "there are more"
    )
    if wanted:
        about += (
            f"; and the time until it first reached an accuracy on {findings.search.validates_on}, which is its epochs "
            "until then times that, a dash where it never did"
        )
    lead = "Of the saved model: seconds per epoch, and milliseconds to classify one image by itself"
    heads = ["model", "data set", "trials", "s/epoch", *[f"to {accuracy:g}" for accuracy in wanted]]
    return Table(cells, [*heads, "saved model, s/epoch", "ms/image"], 2, lead=lead, about=f"{about}.")


def _alone(findings: Findings) -> list[Content]:
    """Return how fast the saved models are that were measured by themselves, and which no other is better than."""
    cells = []
    for dataset in findings.datasets:
        timed = [(chosen, latency) for chosen in findings.on(dataset) if (latency := latency_of(chosen.artifact))]
        front = pareto_front([one.one.median for _, one in timed], [chosen.mean for chosen, _ in timed])
        for (chosen, latency), best in zip(timed, front, strict=True):
            cells.append(
                [
                    escape(chosen.label),
                    escape(dataset),
                    escape(latency.device),
                    _figure(latency.one.median),
                    f"{_figure(latency.one.low)} to {_figure(latency.one.high)}",
                    _figure(latency.batch.median),
                    f"{_figure(latency.batch.low)} to {_figure(latency.batch.high)}",
                    number(chosen.mean),
                    "yes" if best else "no",
                ]
            )
    if not cells:
        return []
    heads = [
        "model", "data set", "device", "one image, ms", "middle half", f"{BATCH} images, ms", "middle half",
        "mean test accuracy", "on the front",
    ]  # fmt: skip
    lead = "How fast the saved models classify, measured one after another while nothing else of the run trained"
    about = (
        "On the front is a model where no other of its data set is as fast and as accurate, and better in one of the "
        "two."
    )
    return [Table(cells, heads, 3, lead=lead, about=about)]


def _models_frame(rows: list[_Row], wanted: list[float]) -> pd.DataFrame:
    """Return a row per model and data set: the search's trials and the best of them; the saved model."""
    return pd.DataFrame(
        [
            {
                col.MODEL: row.contender.name,
                col.DATASET: row.dataset,
                col.TRIALS: len(row.trials),
                "seconds_of_trials": row.seconds,
                "best_trial": row.best.record.trial.id if row.best else None,
                "best_trial_seconds_per_epoch": row.per_epoch,
                **{f"best_trial_seconds_to_{accuracy:g}": row.seconds_to(accuracy) for accuracy in wanted},
                col.SECONDS_PER_EPOCH: row.chosen.saved.result.seconds_per_epoch if row.chosen else None,
                **_latency_cells(row.chosen),
            }
            for row in rows
        ]
    )


def _latency_cells(chosen: Chosen | None) -> dict[str, object]:
    """Return the latency of a saved model as it is noted, else as an earlier version measured it."""
    if chosen is None:
        return {col.LATENCY_MS: None}
    alone = latency_of(chosen.artifact)
    if alone is None:
        return {col.LATENCY_MS: chosen.saved.result.latency_ms}
    return {
        col.LATENCY_MS: alone.one.median,
        "latency_ms_low": alone.one.low,
        "latency_ms_high": alone.one.high,
        f"latency_ms_of_{BATCH}": alone.batch.median,
        f"latency_ms_of_{BATCH}_low": alone.batch.low,
        f"latency_ms_of_{BATCH}_high": alone.batch.high,
    }


def _trials_frame(findings: Findings) -> pd.DataFrame:
    """Return a row per trial, retrainings last; trials.csv holds under the same name what each one is."""
    return pd.DataFrame(
        [
            {
                col.TRIAL: search_trial.trial,
                col.MODEL: search_trial.model,
                col.DATASET: search_trial.dataset,
                col.ROLE: search_trial.role,
                col.SEED: record.trial.seed,
                **{name: getattr(record.result, name) for name in col.CLOCKED},
                col.LATENCY_MS: _milliseconds(findings, record),
                **_attempt_cells(findings.attempts.get(search_trial.trial)),
            }
            for search_trial, record in findings.search_trials
        ]
    )


def _milliseconds(findings: Findings, record: Record) -> float | None:
    """Return how long a retraining's model takes for one image, where that was measured."""
    sha256 = record.result.files.get("model")
    if sha256 is None:
        return None
    return milliseconds(
        artifact_path(findings.workspace.artifacts, record.trial.id, sha256, ARTIFACTS["model"]), record.result
    )


def _attempt_cells(attempt: Attempt | None) -> dict[str, object]:
    """Return when and where a trial ran, as the page's timeline shows it."""
    if attempt is None:
        return {}
    where = {col.NODE: attempt.node, col.WORKER: attempt.worker}
    return {col.BEGAN: utc(attempt.began), col.ENDED: utc(attempt.ended), **where}


def _importance(findings: Findings) -> tuple[list[Content], list[pd.DataFrame]]:
    """Say which parameters matter for the time per epoch, where there are trials enough to tell."""
    contents: list[Content] = []
    frames = []
    for dataset in findings.search.datasets:
        found = [(scope, result) for scope in scopes(findings, dataset) if (result := scope.importance(_log_time))]
        if not found:
            continue
        lead = (
            "How much of the variation of the time per epoch each parameter has a part in, between trials on "
            f"{escape(dataset)}, with its 95 % interval; times count by their logarithm, since parameters multiply them"
        )
        slug = findings.search.slugs[dataset]
        contents.append(shares_table(found, _PER_EPOCH, lead))
        contents.append(bars_picture("timing", slug, dataset, found, _PER_EPOCH))
        frames.append(shares_frame(dataset, found, col.SECONDS_PER_EPOCH))
    return contents, frames


def _log_time(record: Record) -> float | None:
    seconds = record.result.seconds_per_epoch
    return math.log(seconds) if seconds else None


def clock(seconds: float) -> str:
    """Return a time as people say it: in milliseconds, seconds, minutes or hours."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _figure(value: float | None) -> str:
    """Return a number with three significant digits, or a dash: times of small and of large networks lie far apart."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
