"""The logs for TensorBoard, read back with TensorBoard's own reader."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from other_process import finding
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import TENSORS, EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.util.tensor_util import make_ndarray

from tuner.cli import app
from tuner.errors import CheckError, InputError
from tuner.executors import EXECUTORS, ExecutionOptions, Executor, Outcome
from tuner.exporters.tensorboard import LogListener, TensorBoardLogs, write_recorded
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.running.options import RunOptions
from tuner.running.search import started
from tuner.search_file.file import load_search
from tuner.search_file.model import Search
from tuner.trial import Job, Record, Result, Trial
from tuner.workspace import Workspace

SEARCH = """
title = "x"
dataset = "blobs.npz"
repeats = 1
[training]
epochs = 4
[[search]]
family = "ann"
[search.space]
dense_units = [4, 8]
[[search]]
name = "twin"
family = "ann"
[search.space]
dense_units = [4, 16]
[[search]]
family = "cnn"
algorithm = "hyperband"
[search.space]
learning_rate = {min = 1e-4, max = 1e-2, sampling = "log"}
batch_norm = [true, false]
activation = ["relu", "tanh"]
"""
HISTORY = {"loss": [0.9, 0.8, 0.7], "accuracy": [0.1, 0.2, 0.3], "val_loss": [1.0, 0.5, 0.6]}
HISTORY["val_accuracy"] = [0.5, 0.75, 0.7]
WATCHED = {
    "conv_1": {
        "gradient_norm": [2.0, 1.5, 1.25, 1.0],
        "kernel": [{"low": -1.0, "high": 1.0, "counts": [1, 2, 3, epoch]} for epoch in range(4)],
    }
}
GOOD = Result(
    "completed",
    parameters=10,
    seconds=6.0,
    val_accuracy=0.75,
    val_loss=0.5,
    best_epoch=2,
    history=HISTORY,
    watched=WATCHED,
)
VALUES = {"dense_units": 4, "learning_rate": 1e-3, "batch_norm": True, "activation": "relu"}
TRIAL = Trial("ann", "blobs.npz", "f" * 16, VALUES, epochs=4, seed=0)
SEARCH_TRIAL = SearchTrial("ann", "blobs.npz", "search", 0, TRIAL.id)
FINAL = TRIAL.as_final(1)


@pytest.fixture
def search(blobs_npz: Path) -> Search:
    (blobs_npz.parent / "mine.toml").write_text(SEARCH)
    return load_search(blobs_npz.parent / "mine.toml")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "runs", tmp_path / "reports")


@pytest.fixture
def logs(search: Search, workspace: Workspace) -> TensorBoardLogs:
    return TensorBoardLogs(search, workspace)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={TENSORS: 0})
    events.Reload()
    return events


def drawn(folder: Path, tag: str) -> list[tuple[int, Any]]:
    return [(event.step, make_ndarray(event.tensor_proto)) for event in read(folder).Tensors(tag)]


def hparams(folder: Path, tag: str) -> Any:
    parse = {
        metadata.EXPERIMENT_TAG: metadata.parse_experiment_plugin_data,
        metadata.SESSION_START_INFO_TAG: metadata.parse_session_start_info_plugin_data,
        metadata.SESSION_END_INFO_TAG: metadata.parse_session_end_info_plugin_data,
    }[tag]
    return parse(read(folder).SummaryMetadata(tag).plugin_data.content)


def status(folder: Path) -> int:
    return int(hparams(folder, metadata.SESSION_END_INFO_TAG).status)


def opened(search: Search, workspace: Workspace, *recorded: tuple[SearchTrial, Record]) -> Ledger:
    """Return a ledger that lists and holds these trials of a search."""
    ledger = Ledger(workspace.ledger)
    ledger.open_search(search.name, "key", search.to_json())
    for search_trial, record in recorded:
        ledger.add(search.name, search_trial)
        ledger.record(record)
    return ledger


# --- what a log holds ---


def test_curves_are_points_at_their_epochs_counted_from_1(logs: TensorBoardLogs) -> None:
    logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    folder = logs.folder / "ann-blobs" / TRIAL.id
    for name, values in HISTORY.items():
        points = drawn(folder, f"epoch/{name}")
        assert [step for step, _ in points] == [1, 2, 3]
        assert [float(value) for _, value in points] == pytest.approx(values)
    plugins = read(folder).PluginTagToContent("scalars")
    assert set(plugins) == {
        *(f"epoch/{name}" for name in HISTORY), "result/val_accuracy", "result/val_loss", "gradient_norm/conv_1",
    }  # fmt: skip


def test_the_scores_of_a_trial_stand_at_the_epoch_that_was_kept(logs: TensorBoardLogs) -> None:
    logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    assert drawn(logs.folder_of(SEARCH_TRIAL), "result/val_loss") == [(2, 0.5)]
    logs.write(SEARCH_TRIAL, Record(TRIAL, replace(GOOD, best_epoch=None)))
    assert drawn(logs.folder_of(SEARCH_TRIAL), "result/val_loss") == [(3, 0.5)]


def test_a_mean_over_folds_has_its_standard_error(logs: TensorBoardLogs) -> None:
    folds = [{"val_accuracy": 0.75 + apart, "val_loss": 0.5} for apart in (0.03, 0.0, -0.03)]
    logs.write(SEARCH_TRIAL, Record(replace(TRIAL, folds=3), replace(GOOD, folds=folds)))
    ((epoch, error),) = drawn(logs.folder_of(SEARCH_TRIAL), "result/standard_error")
    assert (epoch, error) == (2, pytest.approx(0.03 / 3**0.5))


def test_watched_layers_begin_before_training(logs: TensorBoardLogs) -> None:
    logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    folder = logs.folder_of(SEARCH_TRIAL)
    assert drawn(folder, "gradient_norm/conv_1") == [(0, 2.0), (1, 1.5), (2, 1.25), (3, 1.0)]
    kernels = drawn(folder, "kernel/conv_1")
    assert [step for step, _ in kernels] == [0, 1, 2, 3]
    expected = [[-1.0, -0.5, 1], [-0.5, 0.0, 2], [0.0, 0.5, 3], [0.5, 1.0, 2]]
    np.testing.assert_array_equal(kernels[2][1], expected)
    assert set(read(folder).PluginTagToContent("histograms")) == {"kernel/conv_1"}


def test_a_kernel_without_a_finite_value_is_an_empty_histogram(logs: TensorBoardLogs) -> None:
    watched = {"d": {"gradient_norm": [0.0], "kernel": [{"low": 0.0, "high": 0.0, "counts": []}]}}
    logs.write(SEARCH_TRIAL, Record(TRIAL, replace(GOOD, watched=watched)))
    assert drawn(logs.folder_of(SEARCH_TRIAL), "kernel/d")[0][1].shape == (0, 3)


def test_time_never_goes_back_within_a_log_and_spans_the_training(logs: TensorBoardLogs) -> None:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    times = [event.wall_time for event in EventFileLoader(str(files_in(logs.folder)[0])).Load()]
    assert times == sorted(times)
    assert times[-1] - times[0] == pytest.approx(GOOD.seconds)


def test_a_session_holds_the_values_of_a_trial_each_of_its_type(logs: TensorBoardLogs) -> None:
    logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    folder = logs.folder_of(SEARCH_TRIAL)
    start = hparams(folder, metadata.SESSION_START_INFO_TAG)
    found = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    assert found == {**VALUES, "model": "ann", "dataset": "blobs.npz", "role": "search", "epochs": 4}
    assert found["batch_norm"] is True
    assert status(folder) == api_pb2.STATUS_SUCCESS


def test_a_failed_trial_is_a_session_that_failed(logs: TensorBoardLogs) -> None:
    logs.write(SEARCH_TRIAL, Record(TRIAL, Result("failed", "too deep")))
    folder = logs.folder_of(SEARCH_TRIAL)
    assert status(folder) == api_pb2.STATUS_FAILURE
    assert read(folder).PluginTagToContent("hparams").keys() == {
        metadata.SESSION_START_INFO_TAG, metadata.SESSION_END_INFO_TAG
    }  # fmt: skip


def test_a_retraining_has_a_folder_of_its_own(logs: TensorBoardLogs) -> None:
    search_trial = SearchTrial("ann", "blobs.npz", "final", 1, FINAL.id)
    logs.write(search_trial, Record(FINAL, Result("completed", test_accuracy=0.5, history={"loss": [1.0]})))
    folder = logs.folder / "ann-blobs" / f"final-2-{FINAL.id}"
    assert drawn(folder, "result/test_accuracy") == [(1, 0.5)]


def test_the_experiment_declares_what_varies_and_the_metrics(
    search: Search, workspace: Workspace, logs: TensorBoardLogs
) -> None:
    with opened(search, workspace) as ledger:
        logs.begin(ledger)
    experiment = hparams(logs.folder, metadata.EXPERIMENT_TAG)
    columns = {info.name: info for info in experiment.hparam_infos}
    assert set(columns) == {"model", "role", "epochs", "dense_units", "learning_rate", "batch_norm", "activation"}
    assert list(columns["dense_units"].domain_discrete) == [4, 8, 16, 64], "64 is the cnn's own"
    assert columns["batch_norm"].type == api_pb2.DATA_TYPE_BOOL
    assert columns["activation"].type == api_pb2.DATA_TYPE_STRING
    rate, epochs = columns["learning_rate"].domain_interval, columns["epochs"].domain_interval
    assert (rate.min_value, rate.max_value) == (1e-4, 1e-2)
    assert (epochs.min_value, epochs.max_value) == (1, 4), "Hyperband trains some for fewer"
    tags = ["result/val_accuracy", "result/val_loss", "result/test_accuracy"]
    assert [metric.name.tag for metric in experiment.metric_infos] == tags


def test_what_trials_are_chosen_by_is_told_with_its_direction_and_keeps_its_sign(
    blobs_npz: Path, workspace: Workspace
) -> None:
    file = blobs_npz.parent / "mine.toml"
    file.write_text(SEARCH.replace('family = "cnn"', 'family = "cnn"\nobjective = "log_loss"'))
    search = load_search(file)
    logs = TensorBoardLogs(search, workspace)
    trial = replace(TRIAL, family="cnn", objective="log_loss")
    place = SearchTrial("cnn", "blobs.npz", "search", 0, trial.id)
    history = {**HISTORY, "val_log_loss": [0.9, 0.31, 0.5]}
    with opened(search, workspace) as ledger:
        logs.begin(ledger)
    logs.write(place, Record(trial, replace(GOOD, history=history)))
    logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    folder = logs.folder_of(place)
    ((epoch, value),) = drawn(folder, "result/val_log_loss")
    assert (epoch, float(value)) == (2, pytest.approx(0.31))
    chosen = {"result/val_log_loss", "epoch/val_log_loss"}
    about = {tag: read(folder).SummaryMetadata(tag).summary_description for tag in (*chosen, "result/val_accuracy")}
    assert about == {
        **dict.fromkeys(chosen, "What trials are chosen by; the lower the better."),
        "result/val_accuracy": "",
    }
    for at, by in ((place, ["log_loss", "min"]), (SEARCH_TRIAL, ["accuracy", "max"])):
        told = hparams(logs.folder_of(at), metadata.SESSION_START_INFO_TAG).hparams
        assert [told[name].string_value for name in ("objective", "direction")] == by
    experiment = hparams(logs.folder, metadata.EXPERIMENT_TAG)
    columns = {info.name: list(info.domain_discrete) for info in experiment.hparam_infos}
    assert (columns["objective"], columns["direction"]) == (["accuracy", "log_loss"], ["max", "min"])
    told_of = {metric.display_name: metric.description for metric in experiment.metric_infos}
    assert told_of["val_log_loss"] == "What trials are chosen by; the lower the better."
    assert told_of["val_accuracy"] == "What trials are chosen by; the higher the better."
    assert told_of["val_loss"] == ""


# --- once, and only what the search lists ---


def test_a_log_is_written_once_and_again_where_the_result_is_another(logs: TensorBoardLogs) -> None:
    failed = Record(TRIAL, Result("failed", "killed", transient=True))
    logs.write(SEARCH_TRIAL, failed)
    (first,) = files_in(logs.folder)
    before = first.stat()
    logs.write(SEARCH_TRIAL, failed)
    assert files_in(logs.folder) == [first]
    assert first.stat().st_mtime_ns == before.st_mtime_ns
    logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    (second,) = files_in(logs.folder)
    assert second != first
    assert status(second.parent) == api_pb2.STATUS_SUCCESS


def test_a_log_that_was_left_half_written_is_written_whole(logs: TensorBoardLogs) -> None:
    folder = logs.folder_of(SEARCH_TRIAL)
    folder.mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    (folder / f".partial-{ended.pid}-log").write_bytes(b"half")
    logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    (file,) = files_in(folder)
    assert "tfevents" in file.name


def test_what_the_search_no_longer_lists_goes_and_foreign_files_stay(
    search: Search, workspace: Workspace, logs: TensorBoardLogs
) -> None:
    gone = SearchTrial("cnn", "blobs.npz", "search", 0, "0" * 16)
    foreign = logs.folder / "cnn-blobs" / "mine" / "events.out.tfevents.1"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"")
    logs.write(gone, Record(TRIAL, GOOD))
    with opened(search, workspace, (SEARCH_TRIAL, Record(TRIAL, GOOD))) as ledger:
        write_recorded(search, workspace, ledger)
    assert not logs.folder_of(gone).exists()
    assert foreign.is_file()
    assert len(files_in(logs.folder_of(SEARCH_TRIAL))) == 1


# --- faults ---


def test_a_fault_costs_one_warning_and_the_next_trials_are_tried(search: Search, workspace: Workspace) -> None:
    (workspace.runs / "tensorboard").mkdir(parents=True)
    blocked = workspace.runs / "tensorboard" / "mine"
    blocked.write_text("a file, where a folder should be")
    output = io.StringIO()
    with opened(search, workspace) as ledger:
        listener = LogListener(search, workspace, ledger, Console(file=output, width=60))
        listener(SEARCH_TRIAL, Record(TRIAL, GOOD))
        (warning,) = output.getvalue().splitlines()
        assert warning.startswith("tensorboard: ")
        assert "the search goes on, and run again it writes what is missing" in warning
        blocked.unlink()
        listener(SEARCH_TRIAL, Record(TRIAL, GOOD))
    assert len(files_in(blocked)) == 1


def test_a_full_disk_leaves_the_log_that_was_there(logs: TensorBoardLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.write(SEARCH_TRIAL, Record(TRIAL, Result("failed", "killed")))

    class Full:
        def __init__(self, file: object) -> None: ...

        def write(self, data: bytes) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tuner.exporters.tensorboard.RecordWriter", Full)
    with pytest.raises(OSError, match="No space left"):
        logs.write(SEARCH_TRIAL, Record(TRIAL, GOOD))
    assert len(files_in(logs.folder)) == 1
    assert status(logs.folder_of(SEARCH_TRIAL)) == api_pb2.STATUS_FAILURE


# --- through a search and the command line ---


class MadeUp(Executor):
    """Finishes calls at once; search trials of four units complete, everything else fails."""

    def __init__(self, *_: object) -> None:
        self.slots = 2
        self._calls: dict[str, Job] = {}
        self.trained = 0

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        assert isinstance(argument, Job)
        self._calls[key] = argument
        self.trained += 1

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        calls, self._calls = self._calls, {}
        return [Outcome(key, self._result(job.trial)) for key, job in calls.items()]

    @staticmethod
    def _result(trial: Trial) -> Result:
        return GOOD if trial.values["dense_units"] == 4 and trial.role == "search" else Result("failed", "too big")

    def close(self) -> None: ...


@pytest.fixture
def grid(blobs_npz: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search of two models that share a trial, and an executor for it."""
    monkeypatch.setitem(EXECUTORS, "made-up", MadeUp)
    path = blobs_npz.parent / "mine.toml"
    path.write_text(SEARCH[: SEARCH.rindex("[[search]]")])
    return path


def sessions(workspace: Workspace) -> dict[str, int]:
    root = workspace.runs / "tensorboard" / "mine"
    return {str(path.parent.relative_to(root)): status(path.parent) for path in files_in(root) if path.parent != root}


def test_a_trial_is_logged_at_each_of_its_places_as_it_finishes_and_by_a_resumed_search(
    grid: Path, workspace: Workspace
) -> None:
    def run(tensorboard: bool) -> str:
        output = io.StringIO()
        options = RunOptions(ExecutionOptions("made-up"), tensorboard=tensorboard)
        with started(load_search(grid), workspace, Console(file=output), options) as search:
            search.search_trials()
            assert search.ledger.count_finished("mine") == 4
        return output.getvalue()

    run(tensorboard=False)
    assert not (workspace.runs / "tensorboard").exists()
    run(tensorboard=True)
    after = sessions(workspace)
    shared = {path for path, ended in after.items() if ended == api_pb2.STATUS_SUCCESS}
    assert len(after) == 4
    assert {path.split("/")[0] for path in shared} == {"ann-blobs", "twin-blobs"}
    assert len({path.split("/")[1] for path in shared}) == 1
    shutil.rmtree(workspace.runs)
    run(tensorboard=True)
    assert sessions(workspace) == after

    shutil.rmtree(workspace.runs)
    (workspace.runs / "tensorboard").mkdir(parents=True)
    (workspace.runs / "tensorboard" / "mine").write_text("in the way")
    assert sum("tensorboard: " in line for line in run(tensorboard=True).splitlines()) == 1


def test_run_and_report_take_the_option(grid: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.publish.write.write_report", lambda findings, single_file: Path("report.md"))
    folders = ["--runs-dir", str(workspace.runs), "--reports-dir", str(workspace.reports)]

    def tuner(*arguments: str) -> Any:
        return CliRunner().invoke(app, [*arguments, *folders, "--tensorboard"])

    ran = tuner("run", str(grid), "--executor", "made-up")
    assert isinstance(ran.exception, CheckError), "no retraining completed"
    after = sessions(workspace)
    assert sum(path.split("/")[1].startswith("final-1-") for path in after) == 2

    root = workspace.runs / "tensorboard"
    shutil.rmtree(root)
    reported = tuner("report", "mine")
    assert reported.exit_code == 0, reported.output
    assert f"logs: {root / 'mine'}" in reported.output
    assert sessions(workspace) == after

    shutil.rmtree(root)
    root.write_text("in the way")
    refused = tuner("report", "mine")
    assert isinstance(refused.exception, InputError)


def test_logs_are_written_without_tensorflow_and_keras(tmp_path: Path, blobs_npz: Path, search: Search) -> None:
    script = """
import sys
from pathlib import Path
from tuner.ledger.ledger import Ledger, SearchTrial
from recorded import whole
from tuner.workspace import Workspace
from tuner.search_file.file import load_search
from tuner.exporters.tensorboard import write_recorded
from tuner.trial import Record, Result, Trial
search, workspace = load_search(Path(sys.argv[1])), Workspace(Path(sys.argv[2]))
watched = {"a": {"gradient_norm": [1.0], "kernel": [{"low": 0.0, "high": 1.0, "counts": [1, 2]}]}}
trial = Trial("ann", "blobs.npz", "f" * 16, {"dense_units": 4}, epochs=1, seed=0)
with Ledger(workspace.ledger) as ledger:
    ledger.open_search("mine", "key", search.to_json())
    ledger.add("mine", SearchTrial("ann", "blobs.npz", "search", 0, trial.id))
    ledger.record(Record(trial, whole(Result("completed", val_loss=1.0, history={"loss": [1.0]}, watched=watched))))
    write_recorded(search, workspace, ledger)
assert not {"tensorflow", "keras", "jax"} & set(sys.modules)
"""
    arguments = [sys.executable, "-c", script, str(blobs_npz.parent / "mine.toml"), str(tmp_path / "light")]
    subprocess.run(arguments, check=True, timeout=600, env=finding())
    assert len(files_in(tmp_path / "light" / "tensorboard")) == 2
