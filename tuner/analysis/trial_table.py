"""The table of trials, as `tuner results` prints it; trials.csv is without its times. Free of pandas, to be quick."""

from __future__ import annotations

from collections.abc import Iterable

from tuner import columns as col
from tuner.analysis.penalties import unpenalised_val_loss
from tuner.families import in_order
from tuner.ledger.ledger import SearchTrial
from tuner.protocol import ranked
from tuner.text import visible
from tuner.trial import Record

#: The columns that only trials fill which stopped before their last epoch.
_WHERE_STOPPED = (col.TRAINED, col.STOPPED)


def trial_row(model: str, dataset: str, record: Record, finished: bool = True) -> dict[str, object]:
    """Return a trial as one flat row: the columns of `tuner results`, another objective's score, one per parameter."""
    trial, result = record.trial, record.result
    ours = not record.imported  # of others neither seed nor time is known
    return {
        col.TRIAL: trial.id,
        col.MODEL: model,
        col.FAMILY: trial.family,
        col.DATASET: dataset,
        col.STATUS: result.status,
        col.ERROR: visible(result.error),
        col.SEED: trial.seed if ours else None,
        col.EPOCHS: trial.given_epochs,
        col.TRAINED: epochs_trained(record),
        col.STOPPED: why_stopped(record, finished),
        col.BEST_EPOCH: result.best_epoch,
        col.TRAIN_SIZE: trial.train_size,
        col.PARAMETERS: result.parameters,
        col.SECONDS: result.seconds if ours else None,
        col.VAL_ACCURACY: result.val_accuracy,
        col.VAL_LOSS: result.val_loss,
        col.VAL_UNPENALISED_LOSS: unpenalised_val_loss(record),
        **({col.FOLDS: trial.folds, col.STANDARD_ERROR: record.standard_error} if trial.folds else {}),
        **({record.objective.column: record.score} if record.trial.objective else {}),
        **{name: trial.values[name] for name in in_order(trial.values)},
    }


def epochs_trained(record: Record) -> int | None:
    """Return how many epochs a trial was trained; None where that is not recorded."""
    return len(record.result.history["loss"]) if "loss" in record.result.history else None


def why_stopped(record: Record, finished: bool = True) -> str:
    """Return why a completed trial stopped before its last epoch: `pruned` or `early stopping`; empty if it did not.

    While its search has not `finished`, one that was stopped where others go on is `waiting`: it may go on, too.
    """
    if record.trial.is_partial and record.completed:
        return "pruned" if finished else "waiting"
    trained = epochs_trained(record)
    stopped = record.result.best_epoch is not None and trained is not None and trained < record.trial.last_epoch
    return "early stopping" if stopped else ""


def epochs_in_words(record: Record, finished: bool = True) -> str:
    """Return for a cell how many epochs a trial has: which was best, where it was pruned; see `why_stopped`."""
    best, epochs = record.result.best_epoch, f"{record.trial.epochs:,}"
    if record.trial.is_partial and record.completed:
        trained = epochs_trained(record) or record.trial.last_epoch
        return f"{f'best {best:,}, ' if best else ''}{why_stopped(record, finished)} at {trained:,} of {epochs}"
    return f"{best:,} of {epochs}" if best else epochs


def column_names(rows: Iterable[dict[str, object]]) -> list[str]:
    """Return the columns of a table of such rows: the fixed ones, then every parameter that a row has.

    The loss without penalties has a column where a trial recorded it, which those of earlier versions did not; how far
    trials were trained has one where any stopped before its last epoch; the standard error where trials have folds.
    """
    rows = list(rows)
    spared = set()
    if all(row[col.VAL_UNPENALISED_LOSS] is None for row in rows):
        spared.add(col.VAL_UNPENALISED_LOSS)
    if not any(row.get(col.STOPPED) for row in rows):
        spared |= set(_WHERE_STOPPED)
    if not any(col.FOLDS in row for row in rows):
        spared |= {col.FOLDS, col.STANDARD_ERROR}
    parameters = in_order(name for row in rows for name in row if name not in col.RESULTS)
    return [*(name for name in col.RESULTS if name not in spared), *parameters]


def trial_rows(
    search_trials: Iterable[tuple[SearchTrial, Record | None]], finished: bool = True
) -> list[dict[str, object]]:
    """Return the finished search trials as rows, best first, failed ones last; `finished` is whether their search is.

    How far they were trained is told where any stopped before its last epoch.
    """
    done = [
        (search_trial, record) for search_trial, record in search_trials if record and search_trial.role == "search"
    ]
    place = {record.trial.id: rank for rank, record in enumerate(ranked(record for _, record in done))}
    done.sort(key=lambda pair: (place.get(pair[1].trial.id, len(place)), pair[0].model, pair[0].number))
    rows = [trial_row(search_trial.model, search_trial.dataset, record, finished) for search_trial, record in done]
    if any(row[col.STOPPED] for row in rows):
        return rows
    return [{name: value for name, value in row.items() if name not in _WHERE_STOPPED} for row in rows]
