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


def trial_row(model: str, dataset: str, record: Record) -> dict[str, object]:
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
        col.EPOCHS: trial.epochs,
        col.BEST_EPOCH: result.best_epoch,
        col.TRAIN_SIZE: trial.train_size,
        col.PARAMETERS: result.parameters,
        col.SECONDS: result.seconds if ours else None,
        col.VAL_ACCURACY: result.val_accuracy,
        col.VAL_LOSS: result.val_loss,
        col.VAL_UNPENALISED_LOSS: unpenalised_val_loss(record),
        **({record.objective.column: record.score} if record.trial.objective else {}),
        **{name: trial.values[name] for name in in_order(trial.values)},
    }


def column_names(rows: Iterable[dict[str, object]]) -> list[str]:
    """Return the columns of a table of such rows: the fixed ones, then every parameter that a row has.

    The loss without penalties has a column where a trial recorded it, which those of earlier versions did not.
    """
    rows = list(rows)
    told = any(row[col.VAL_UNPENALISED_LOSS] is not None for row in rows)
    parameters = in_order(name for row in rows for name in row if name not in col.RESULTS)
    return [*(name for name in col.RESULTS if told or name != col.VAL_UNPENALISED_LOSS), *parameters]


def trial_rows(search_trials: Iterable[tuple[SearchTrial, Record | None]]) -> list[dict[str, object]]:
    """Return the finished search trials as rows, best first, failed ones last."""
    finished = [
        (search_trial, record) for search_trial, record in search_trials if record and search_trial.role == "search"
    ]
    place = {record.trial.id: rank for rank, record in enumerate(ranked(record for _, record in finished))}
    finished.sort(key=lambda pair: (place.get(pair[1].trial.id, len(place)), pair[0].model, pair[0].number))
    return [trial_row(search_trial.model, search_trial.dataset, record) for search_trial, record in finished]
