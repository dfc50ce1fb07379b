"""Trials as runs of MLflow's, which its UI sorts, groups and plots."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tuner import columns as col
from tuner.exporters.base import MARK, Recorded, chosen_by, plain, score
from tuner.exporters.storage import check_database, taken, unusable
from tuner.ledger.ledger import SearchTrial
from tuner.system.extras import needs
from tuner.text import escape, shortened, visible
from tuner.trial import Record

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_EXAMPLE = "sqlite:///mlflow.db or http://localhost:5000"
#: MLflow otherwise tells its makers what it is used for, prints a line for each run, and tries for minutes to reach a
#: server that does not answer. Whoever sets these variables is obeyed.
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}
#: How many parameters and metrics go into a batch: MLflow takes 100 of the former and 1,000 of both.
_PARAMS, _METRICS = 100, 900


@dataclass(frozen=True)
class _Run:
    """All that is written of a trial; times are in milliseconds.

    A data set has name and fingerprint, a metric name, value, time and epoch.
    """

    name: str
    status: str
    began: int
    ended: int
    dataset: tuple[str, str]
    tags: dict[str, str]
    params: dict[str, str]
    metrics: list[tuple[str, float, int, int]]

    @property
    def digest(self) -> str:
        """What tells whether a run that is there already is the same."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def export(recorded: Recorded, storage: str) -> Iterator[str]:
    """Write an experiment with the search's name: a run for each trial and for each retraining.

    It holds all models and data sets, since MLflow compares runs inside of an experiment; tags filter and group them.
    Exported again, a run that has not changed stays, with its id and what users noted there; others are replaced.

    Args:
        recorded: what is exported.
        storage: the URL of a database, such as `sqlite:///mlflow.db`, or of a tracking server.

    Yields:
        A line for the experiment.

    Raises:
        InputError: MLflow is not installed, the storage cannot be used, or holds an experiment of this name which
            something else wrote.
    """
    needs("--to", "MLflow", "mlflow", "mlflow", "sqlalchemy", "alembic")
    for name, setting in _SETTINGS.items():
        os.environ.setdefault(name, setting)
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from mlflow.store.db import utils as database
    from mlflow.store.db.db_types import DATABASE_ENGINES
    from mlflow.tracking import MlflowClient
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # it logs the errors that it raises, too
    compared = recorded.compared()
    runs = [_run(recorded, search_trial, record, compared) for search_trial, record in recorded.search_trials]
    try:
        engine = urlsplit(storage).scheme.partition("+")[0]
    except ValueError as error:
        raise unusable(error, storage, _EXAMPLE) from error
    # Without being asked, MLflow brings tables to its own version, which the server that uses them may not know.
    verify = getattr(database, "_verify_schema", None)
    try:
        if engine in DATABASE_ENGINES:
            check_database(storage, "experiments", _EXAMPLE, verify)
        client = MlflowClient(tracking_uri=storage)
        _replace(client, _experiment(client, recorded), runs)
    except (MlflowException, SQLAlchemyError, CommandError, ImportError) as error:
        raise unusable(error, storage, _EXAMPLE) from error
    yield f"{visible(recorded.search.name)}: {len(runs)} runs"


def _experiment(client: MlflowClient, recorded: Recorded) -> str:
    """Return the id of the search's experiment, made or brought up to date."""
    name = recorded.search.name
    tags = {
        key: visible(value if isinstance(value, str) else json.dumps(value)) for key, value in recorded.about().items()
    }
    tags["mlflow.note.content"] = escape(recorded.search.title)
    there = client.get_experiment_by_name(name)
    if there is None:
        return str(client.create_experiment(name, tags=tags))
    if MARK not in there.tags:
        raise taken(f"the experiment {name!r}")
    if there.lifecycle_stage == "deleted":
        client.restore_experiment(there.experiment_id)
    for key, value in tags.items():
        client.set_experiment_tag(there.experiment_id, key, value)
    return str(there.experiment_id)


def _replace(client: MlflowClient, experiment: str, runs: list[_Run]) -> None:
    """Write the runs that are not there, and delete those of an earlier export that are not as they would be now."""
    there, token = [], None
    while token != "":
        page = client.search_runs([experiment], max_results=1_000, page_token=token)
        there += [run for run in page if MARK in run.data.tags]
        token = page.token or ""
    wanted, kept = {run.digest for run in runs}, set()
    for run in there:
        if run.info.status == "RUNNING" or run.data.tags[MARK] not in wanted:  # as an interrupted export leaves it
            client.delete_run(run.info.run_id)
        else:
            kept.add(run.data.tags[MARK])
    for run in runs:
        if run.digest not in kept:
            _write(client, experiment, run)


def _write(client: MlflowClient, experiment: str, run: _Run) -> None:
    from mlflow.entities import Dataset, DatasetInput, Metric, Param

    number = client.create_run(experiment, run.began, {**run.tags, MARK: run.digest}, run.name).info.run_id
    metrics = [Metric(*metric) for metric in run.metrics]
    params = [Param(*param) for param in run.params.items()]
    while metrics or params:
        client.log_batch(number, metrics[:_METRICS], params[:_PARAMS])
        metrics, params = metrics[_METRICS:], params[_PARAMS:]
    client.log_inputs(number, datasets=[DatasetInput(Dataset(*run.dataset, "local", "{}"), [])])
    client.set_terminated(number, run.status, run.ended)


def _run(recorded: Recorded, search_trial: SearchTrial, record: Record, compared: set[str]) -> _Run:
    trial, result = record.trial, record.result
    began, ended = (round(moment.timestamp() * 1_000) for moment in recorded.span(record))
    domains = {model_search.name: model_search.space.domains for model_search in recorded.search.model_searches}.get(
        search_trial.model, {}
    )
    values = {**trial.values, col.EPOCHS: trial.given_epochs}
    tags = {
        col.MODEL: search_trial.model,
        col.DATASET: search_trial.dataset,
        col.ROLE: search_trial.role,
        **chosen_by(recorded.search, search_trial.model),
        **recorded.identity(record),
        "fixed": json.dumps({name: value for name, value in trial.values.items() if name not in compared}),
        "mlflow.source.name": recorded.search.file.name,
    }
    scores = {
        col.SEARCH_SCORE if trial.role == "search" else col.TEST_ACCURACY: score(record),
        col.STANDARD_ERROR: record.standard_error,
        col.TEST_LOSS: result.test_loss,
        **{name: getattr(result, name) for name in (col.BEST_EPOCH, col.PARAMETERS, col.SECONDS)},
        col.LATENCY_MS: recorded.latency_ms(record),
    }
    last = max(map(len, result.history.values()), default=0)
    curves = [
        (_name(name), value, began + (ended - began) * epoch // last, epoch)
        for name, curve in result.history.items()
        for epoch, value in enumerate(curve, start=1)
    ]
    number = f"{'' if search_trial.role == 'search' else 'final-'}{search_trial.number + 1}"
    return _Run(
        name=visible(f"{search_trial.model}/{search_trial.dataset}/{number}"),
        status="FINISHED" if record.completed else "FAILED",
        began=began,
        ended=ended,
        dataset=(shortened(visible(search_trial.dataset), 500), trial.fingerprint),
        tags={name: visible(value) for name, value in tags.items()},
        params={_name(name): visible(plain(values[name], domains.get(name))) for name in values if name in compared},
        # At step 0, since the UI draws a bar for each run of what has no other.
        metrics=curves + [(name, value, ended, 0) for name, value in scores.items() if value is not None],
    )


def _name(name: str) -> str:
    """Return a name as MLflow takes it, which may keep things in files of their names."""
    return re.sub(r"[^\w .-]", "_", name).strip(".") or "_"
