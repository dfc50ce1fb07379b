"""Trials as studies of Optuna's, which its dashboard and its own analyses open."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from tuner import columns as col
from tuner.analysis.penalties import unpenalised_val_loss
from tuner.exporters.base import MARK, Recorded, no_run_s, plain
from tuner.exporters.storage import check_database, taken, unusable
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Choice, Domain
from tuner.system.extras import needs
from tuner.text import visible
from tuner.trial import Record

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

_EXAMPLE = "sqlite:///study.db"


def export(recorded: Recorded, storage: str) -> Iterator[str]:
    """Write a study for each `[[search]]` on each data set, named `SEARCH/MODEL/DATASET`, in place of an earlier one.

    The objective is the search's. Parameters are those that vary; what is fixed stands
    in the study's attributes.

    Args:
        recorded: what is exported.
        storage: the URL of a database, such as `sqlite:///study.db`.

    Yields:
        A line for each study.

    Raises:
        InputError: Optuna is not installed, the storage cannot be opened, or holds a study of this name which
            something else wrote; or the ledger holds what no run wrote.
    """
    needs("--to", "Optuna", "optuna", "optuna")
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    check_database(storage, "studies", _EXAMPLE)
    try:
        opened = optuna.storages.RDBStorage(storage)
    except (SQLAlchemyError, RuntimeError) as error:  # the latter: tables of another version of Optuna's
        raise unusable(error, storage, _EXAMPLE) from error
    for model_search in recorded.search.model_searches:
        for dataset in recorded.search.datasets:
            try:
                line = _study(recorded, model_search, dataset, opened)
            except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
                raise unusable(error, storage, _EXAMPLE) from error
            yield line


def _study(recorded: Recorded, model_search: ModelSearch, dataset: str, storage: optuna.storages.RDBStorage) -> str:
    import optuna

    name = f"{recorded.search.name}/{model_search.name}/{dataset}"
    if name in optuna.get_all_study_names(storage):
        if MARK not in optuna.load_study(study_name=name, storage=storage).user_attrs:
            raise taken(f"the study {name!r}")
        optuna.delete_study(study_name=name, storage=storage)
    objective = model_search.objective
    direction: Literal["maximize", "minimize"] = "maximize" if objective.direction == "max" else "minimize"
    study = optuna.create_study(study_name=name, storage=storage, direction=direction)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([objective.column])  # or the dashboard calls it "Objective 0"
    for key, value in _about(recorded, model_search, dataset).items():
        study.set_user_attr(key, value)
    distributions = {one: _distribution(model_search.space.domains[one]) for one in model_search.space.varying()}
    trials = recorded.of(model_search.name, dataset, "search")
    for record in trials:
        try:
            frozen = _trial(recorded, record, model_search.space.domains, distributions)
        except ValueError as error:
            raise no_run_s(record, error) from error
        study.add_trial(frozen)
    return f"{visible(name)}: {len(trials)} trials"


def _about(recorded: Recorded, model_search: ModelSearch, dataset: str) -> dict[str, Any]:
    finals = [
        record.result.test_accuracy for record in recorded.of(model_search.name, dataset, "final") if record.completed
    ]
    return {
        **recorded.about(),
        col.OBJECTIVE: f"{model_search.objective.column} on {recorded.search.validates_on}",
        col.DIRECTION: model_search.objective.direction,
        "algorithm": model_search.algorithm.name,
        "fixed": dict(model_search.space.fixed()),
        "retrained_test_accuracy": finals,
    }


def _distribution(domain: Domain) -> BaseDistribution:
    """Return what Optuna calls a domain. Of a step on a logarithmic scale, which it has not, it keeps the scale."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.values)
    stepped = domain.step is not None and not domain.log
    high = float(domain.grid()[-1]) if stepped else domain.high  # it wants the last step to reach the end
    if domain.whole:
        step = int(domain.step or 1) if stepped else 1
        return IntDistribution(int(domain.low), int(high), log=domain.log, step=step)
    return FloatDistribution(domain.low, high, log=domain.log, step=domain.step if stepped else None)


def _trial(
    recorded: Recorded, record: Record, domains: Mapping[str, Domain], distributions: Mapping[str, BaseDistribution]
) -> optuna.trial.FrozenTrial:
    from optuna.trial import TrialState, create_trial

    trial, result = record.trial, record.result
    names = [name for name in distributions if name in trial.values]
    curve = result.history.get(record.objective.column, [])
    attributes = {
        **recorded.identity(record),
        col.BEST_EPOCH: result.best_epoch,
        col.STANDARD_ERROR: record.standard_error,
        col.VAL_LOSS: result.val_loss,
        col.VAL_UNPENALISED_LOSS: unpenalised_val_loss(record),
        col.PARAMETERS: result.parameters,
        col.SECONDS: result.seconds,
    }
    completed = TrialState.PRUNED if trial.is_partial else TrialState.COMPLETE
    frozen = create_trial(
        state=completed if record.completed else TrialState.FAIL,
        value=record.score if record.completed else None,
        params={name: plain(trial.values[name], domains[name]) for name in names},
        distributions={name: distributions[name] for name in names},
        user_attrs={name: value for name, value in attributes.items() if value is not None},
        intermediate_values=dict(enumerate(curve, start=1)),
    )
    # It keeps the time of the machine's own zone, without saying so.
    begin, end = (moment.astimezone().replace(tzinfo=None) for moment in recorded.span(record))
    frozen.datetime_start, frozen.datetime_complete = begin, end
    return frozen
