"""Logs of a search for TensorBoard: curves, watched layers and the HParams dashboard.

    runs/tensorboard/NAME/                             the experiment: what varies, and the metrics
    runs/tensorboard/NAME/MODEL-DATASET/TRIAL/         a trial of the search
    runs/tensorboard/NAME/MODEL-DATASET/final-1-TRIAL/ a retraining

Each folder holds one event file, written whole when its trial has finished; everything in it stands in the ledger too.
TensorBoard's own `EventFileWriter` and `hparams.summary` import TensorFlow for seconds; its protocol buffers and its
`RecordWriter`, which are used here, do not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.histogram import metadata as histogram_metadata
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

from tuner import columns as col
from tuner.errors import InputError
from tuner.exporters.base import chosen_by
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.objective import ACCURACY, Objective
from tuner.search_file.model import Search
from tuner.space.parameters import Range, Value
from tuner.system.files import folder_inside, partial_of, publish, remove_partials
from tuner.text import visible_line
from tuner.trial import Record, Result
from tuner.workspace import Workspace

#: Tags: curves by epoch, scores of the whole trial, and what was recorded of watched layers, by layer.
CURVE, SCORE, GRADIENT_NORM, KERNEL = "epoch/", "result/", "gradient_norm/", "kernel/"
#: The scores, in the order of the HParams dashboard.
METRICS = (col.VAL_ACCURACY, col.VAL_LOSS, col.TEST_ACCURACY)
#: What the HParams dashboard shows beside a trial's values.
ROLE = "role"

_FORMAT = 3  # counted up when other things are logged, so that older logs are written again
_START, _END = "events.out.tfevents.", ".tuner"  # TensorBoard reads whatever has `tfevents` in its name
_FILES = f"{_START}*{_END}"


class TensorBoardLogs:
    """The logs of one search. Whatever is logged already is not written again; methods may raise OSError."""

    def __init__(self, search: Search, workspace: Workspace) -> None:
        self._runs, self._search = workspace.runs, search
        self.folder = workspace.runs / "tensorboard" / search.name

    def begin(self, ledger: Ledger) -> None:
        """Write the experiment, and remove the logs of trials that the search no longer lists."""
        # The folder is read before the ledger: a search that runs beside us lists a trial before it logs it.
        folder_inside(self._runs, *self.folder.relative_to(self._runs).parts)
        there = list(self.folder.glob(f"*/*/{_FILES}"))
        listed = {self.folder_of(search_trial) for search_trial, _ in ledger.all_search_trials(self._search.name)}
        for file in there:
            if file.parent not in listed and not (file.parent.is_symlink() or file.parent.parent.is_symlink()):
                file.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # something else is in there
                    file.parent.rmdir()
                    file.parent.parent.rmdir()
        experiment = _experiment(self._search)
        self._write_once(self.folder, experiment.SerializeToString(), lambda: _events([(0, experiment)], 0))

    def folder_of(self, search_trial: SearchTrial) -> Path:
        """Return the folder of the trial at this place of the search."""
        name = (
            search_trial.trial
            if search_trial.role == "search"
            else f"{search_trial.role}-{search_trial.number + 1}-{search_trial.trial}"
        )
        return self.folder / f"{search_trial.model}-{self._search.slugs[search_trial.dataset]}" / name

    def write(self, search_trial: SearchTrial, record: Record) -> None:
        """Log a trial that has finished, unless just this result of it is logged."""
        others = self._search.objectives != (ACCURACY,)
        by = chosen_by(self._search, search_trial.model) if others else {}
        content = f"{record.trial.to_json()} {json.dumps(vars(record.result), sort_keys=True)} {json.dumps(by)}"
        seconds = record.result.seconds
        self._write_once(
            self.folder_of(search_trial), content.encode(), lambda: _events(_session(search_trial, record, by), seconds)
        )

    def _write_once(self, folder: Path, content: bytes, events: Callable[[], Iterable[Any]]) -> None:
        _write_once(folder_inside(self._runs, *folder.relative_to(self._runs).parts), content, events)


class LogListener:
    """Logs the trials of a search that runs. What cannot be logged costs one warning, never a trial.

    It is a `tuner.running.loop.Listener`. The search must be open in the ledger.
    """

    def __init__(self, search: Search, workspace: Workspace, ledger: Ledger, console: Console) -> None:
        self._search, self._console, self._warned = search, console, False
        self._logs = TensorBoardLogs(search, workspace)
        with self._forgiven():
            self._logs.begin(ledger)

    def __call__(self, search_trial: SearchTrial, record: Record) -> None:
        """Log the trial at this place of the search."""
        with self._forgiven():
            self._logs.write(search_trial, record)

    @contextlib.contextmanager
    def _forgiven(self) -> Iterator[None]:
        try:
            yield
        except (OSError, InputError) as error:
            if not self._warned:
                remedy = "the search goes on, and run again it writes what is missing"
                warning = visible_line(f"tensorboard: {error}; {remedy}")
                self._console.print(warning, markup=False, highlight=False, emoji=False, soft_wrap=True)
            self._warned = True


def write_recorded(search: Search, workspace: Workspace, ledger: Ledger) -> Path:
    """Log every recorded trial of a search and return the folder of its logs.

    Raises:
        InputError: they cannot be written.
    """
    logs = TensorBoardLogs(search, workspace)
    try:
        logs.begin(ledger)
        for search_trial, record in ledger.all_search_trials(search.name):
            if record is not None:
                logs.write(search_trial, record)
    except OSError as error:
        raise InputError(str(logs.folder), f"cannot be written ({error})") from error
    return logs.folder


def _session(search_trial: SearchTrial, record: Record, by: Mapping[str, str]) -> list[tuple[int, Any]]:
    """Return all that is logged of a trial, each with its epoch, in order; epoch 0 is before training.

    `by` says what its model is chosen by, where the search is not by accuracy alone; scores keep their sign.
    """
    result = record.result
    told = {record.objective.column: _chosen_in_words(record.objective)} if record.trial.role == "search" else {}
    found = []
    for name, values in result.history.items():
        about = told.get(name, "")
        found += [(epoch, _scalar(CURVE + name, value, about)) for epoch, value in enumerate(values, start=1)]
    for layer, notes in result.watched.items():
        found += [(epoch, _scalar(GRADIENT_NORM + layer, norm)) for epoch, norm in enumerate(notes["gradient_norm"])]
        found += [(epoch, _histogram(KERNEL + layer, kernel)) for epoch, kernel in enumerate(notes["kernel"])]
    last = max((epoch for epoch, _ in found), default=0)
    scores = {record.objective.column: record.score, **{name: getattr(result, name) for name in METRICS}}
    scores[col.STANDARD_ERROR] = record.standard_error
    for name, score in scores.items():
        if score is not None:
            found.append((result.best_epoch or last, _scalar(SCORE + name, score, told.get(name, ""))))
    found.sort(key=lambda point: point[0])
    return [(0, _session_start(search_trial, record, by)), *found, (last, _session_end(result))]


def _scalar(tag: str, value: float, about: str = "") -> Any:
    tensor = make_tensor_proto(np.float32(value))
    return Summary.Value(tag=tag, metadata=scalar_metadata.create_summary_metadata("", about), tensor=tensor)


def _chosen_in_words(objective: Objective) -> str:
    """Return what is said of the score that trials are chosen by."""
    return f"What trials are chosen by; the {'higher' if objective.direction == 'max' else 'lower'} the better."


def _histogram(tag: str, kernel: dict[str, Any]) -> Any:
    """Return a histogram as TensorBoard has it: a row of left edge, right edge and count for each bin."""
    counts = kernel["counts"]
    edges = np.linspace(kernel["low"], kernel["high"], len(counts) + 1)
    rows = np.stack([edges[:-1], edges[1:], np.asarray(counts, np.float64)], axis=1)
    metadata = histogram_metadata.create_summary_metadata("", "")
    return Summary.Value(tag=tag, metadata=metadata, tensor=make_tensor_proto(rows))


def _hparams(tag: str, **content: Any) -> Any:
    metadata = hparams_metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(**content))
    return Summary.Value(tag=tag, metadata=metadata, tensor=hparams_metadata.NULL_TENSOR)


def _session_start(search_trial: SearchTrial, record: Record, by: Mapping[str, str]) -> Any:
    """Return a trial's values for the HParams dashboard."""
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=time.time() - record.result.seconds)
    trial = record.trial
    ours = {
        col.MODEL: search_trial.model,
        col.DATASET: search_trial.dataset,
        ROLE: search_trial.role,
        col.EPOCHS: trial.given_epochs,
    }
    for name, value in {**ours, **by, **trial.values}.items():
        if isinstance(value, bool):  # which is an int, too
            start.hparams[name].bool_value = value
        elif isinstance(value, int | float):
            start.hparams[name].number_value = value
        else:
            start.hparams[name].string_value = value
    return _hparams(hparams_metadata.SESSION_START_INFO_TAG, session_start_info=start)


def _session_end(result: Result) -> Any:
    status = api_pb2.STATUS_SUCCESS if result.status == "completed" else api_pb2.STATUS_FAILURE
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    return _hparams(hparams_metadata.SESSION_END_INFO_TAG, session_end_info=end)


def _experiment(search: Search) -> Any:
    """Return the columns of the HParams dashboard: whatever is not the same in every trial, and the metrics."""
    values: dict[str, list[Value]] = defaultdict(list)
    values[col.DATASET] += search.all_datasets
    values[ROLE] += ["search", "final"]
    ranged = set()
    values[col.MODEL] += [contender.name for contender in search.listed]
    if len(search.objectives) > 1:
        values[col.OBJECTIVE] += [objective.name for objective in search.objectives]
        values[col.DIRECTION] += [objective.direction for objective in search.objectives]
    for model_search in search.model_searches:
        values[col.EPOCHS].append(model_search.epochs)
        if model_search.varies_epochs:  # trains for any number of epochs up to the model search's
            values[col.EPOCHS].append(1)
            ranged.add(col.EPOCHS)
        for name, domain in model_search.space.domains.items():
            if isinstance(domain, Range):
                ranged.add(name)
            values[name] += (domain.low, domain.high) if isinstance(domain, Range) else domain.values
    columns = [_column(name, sorted(set(found), key=str), name in ranged) for name, found in values.items()]
    error = (col.STANDARD_ERROR,) if search.folds else ()
    names = dict.fromkeys((*(objective.column for objective in search.objectives), *METRICS, *error))
    told = {objective.column: _chosen_in_words(objective) for objective in search.objectives}
    metrics = [
        api_pb2.MetricInfo(name=api_pb2.MetricName(tag=SCORE + name), display_name=name, description=told.get(name, ""))
        for name in names
    ]
    experiment = api_pb2.Experiment(hparam_infos=[column for column in columns if column], metric_infos=metrics)
    return _hparams(hparams_metadata.EXPERIMENT_TAG, experiment=experiment)


def _column(name: str, values: list[Value], ranged: bool) -> Any | None:
    """Return the column of what takes these values; None where it takes a single one."""
    if len(values) < 2:
        return None
    column = api_pb2.HParamInfo(name=name, type=api_pb2.DATA_TYPE_STRING, differs=True)
    if all(isinstance(value, bool) for value in values):
        column.type = api_pb2.DATA_TYPE_BOOL
    elif all(isinstance(value, int | float) for value in values):
        column.type = api_pb2.DATA_TYPE_FLOAT64
        values = sorted(values)
        if ranged:
            column.domain_interval.min_value, column.domain_interval.max_value = values[0], values[-1]
            return column
    column.domain_discrete.extend(values)
    return column


def _events(values: list[tuple[int, Any]], seconds: float) -> Iterator[Any]:
    """Yield the events of a log. Its epochs are spread over the `seconds` that a trial took until now."""
    end, last = time.time(), values[-1][0]
    yield Event(wall_time=end - seconds, file_version="brain.Event:2")
    for epoch, value in values:
        past = epoch / last if last else 1.0
        yield Event(wall_time=end - seconds * (1 - past), step=epoch, summary=Summary(value=[value]))


def _write_once(folder: Path, content: bytes, events: Callable[[], Iterable[Any]]) -> None:
    """Write a log named by its content. One of other content, such as that of a failure, gives way to it."""
    digest = hashlib.sha256(b"%d " % _FORMAT + content).hexdigest()[:16]
    path = folder / f"{_START}{digest}{_END}"
    if path.is_file():
        return
    remove_partials(folder)
    with partial_of(folder / "log") as partial:  # a name that TensorBoard does not read
        with partial.open("wb") as file:
            writer = RecordWriter(file)
            for event in events():
                writer.write(event.SerializeToString())
        for old in folder.glob(_FILES):  # first: two logs in one folder would draw every point twice
            old.unlink()
        publish(partial, path)
