"""What MLflow's own client reads of an export: experiment, runs of trials and of retrainings; and servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from made_up import RAW, Project, first
from recorded import whole

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.ledger.ledger import SearchTrial
from tuner.trial import Attempt, Record, Result, Trial

pytest.importorskip("mlflow")

Export = Callable[[str, Project, str], list[str]]


class Reader:
    """Reads a storage by MLflow's client."""

    def __init__(self, storage: str) -> None:
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient(tracking_uri=storage)

    def experiment(self) -> Any:
        return self.client.get_experiment_by_name("small")

    def runs(self) -> dict[str, Any]:
        runs = self.client.search_runs([self.experiment().experiment_id], max_results=5_000)
        return {run.info.run_name: run for run in runs}

    def ids(self) -> dict[str, str]:
        return {name: run.info.run_id for name, run in self.runs().items()}


@pytest.fixture
def reader(mlflow_storage: str) -> Reader:
    return Reader(mlflow_storage)


def recorded(project: Project, result: Result, number: int = 0, worker: int | None = None, **change: Any) -> Trial:
    """Record one trial of the first model search, with values changed, at a place of its own."""
    model_search = project.search.model_searches[0]
    values = {**next(iter(model_search.space.grid())), **change}
    epochs = max(map(len, result.history.values()), default=0)
    trial = project.search.trial(model_search, "blobs", project.data.fingerprint, values, None)
    trial = replace(trial, epochs=max(epochs, trial.epochs))
    project.ledger.record(Record(trial, result), Attempt(1_000.0, 1_010.0, worker))
    project.ledger.add("small", SearchTrial(model_search.name, "blobs", "search", number, trial.id))
    return trial


def test_there_is_one_experiment_that_says_what_was_searched(
    project: Project, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    export("mlflow", project, mlflow_storage)
    tags = reader.experiment().tags
    assert (tags["title"], tags["mlflow.note.content"]) == ("Blobs", "Blobs")
    assert tags["objective"] == "val_accuracy on validation images"
    assert tags["overrides"] == '{"train_size": 60}'
    places = ["ann/blobs/1", "ann/blobs/2", *(f"cnn/blobs/{number}" for number in range(1, 7))]
    assert sorted(reader.runs()) == [*places[:2], "ann/blobs/final-1", "ann/blobs/final-2", *places[2:]]


def test_what_is_not_the_same_in_all_runs_is_a_parameter_and_the_rest_stands_in_a_tag(
    project: Project, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    export("mlflow", project, mlflow_storage)
    ann, cnn = (reader.runs()[name].data for name in ("ann/blobs/1", "cnn/blobs/1"))
    assert ann.params == {"dense_units": "4"}
    assert cnn.params == {"conv_depth": "1", "filters_1": "2", "dense_units": "64"}  # the default, which is not ann's
    assert '"batch_size": 64' in ann.tags["fixed"]
    assert '"padding": "same"' in cnn.tags["fixed"]
    assert "dense_units" not in ann.tags["fixed"]
    (used,) = reader.runs()["ann/blobs/1"].inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("blobs", project.data.fingerprint)
    told = {name: ann.tags[name] for name in ("model", "dataset", "role", "seed", "epochs")}
    assert told == {"model": "ann", "dataset": "blobs", "role": "search", "seed": "0", "epochs": "3"}


def test_a_run_says_by_what_it_was_chosen_and_what_is_minimised_keeps_its_sign(
    tmp_path: Path, blobs: Dataset, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    first_search, second = RAW["search"]  # type: ignore[misc]
    mixed = {**RAW, "search": [{**first_search, "objective": "log_loss"}, {**second, "objective": "recall:top"}]}  # type: ignore[dict-item]
    project = Project(tmp_path, blobs, mixed)
    ann = project.searched("ann", [0.75, 0.31])
    project.searched("cnn", [0.9])
    project.retrained("ann", ann[1], [first(30)])
    export("mlflow", project, mlflow_storage)
    tags = reader.experiment().tags
    assert tags["objective"] == "val_log_loss, val_recall:top on validation images"
    assert tags["direction"] == "min, max"
    runs = {name: run.data for name, run in reader.runs().items()}
    lowest = runs["ann/blobs/2"]
    assert (lowest.tags["objective"], lowest.tags["direction"]) == ("log_loss", "min")
    assert lowest.metrics["search_score"] == 0.31
    points = reader.client.get_metric_history(reader.ids()["ann/blobs/2"], "val_log_loss")
    assert [point.value for point in points] == [0.1, 0.2, 0.31]
    recall = runs["cnn/blobs/1"]
    assert (recall.tags["objective"], recall.tags["direction"]) == ("recall:top", "max")
    assert (runs["ann/blobs/final-1"].tags["objective"], runs["ann/blobs/final-1"].tags["direction"]) == (
        "log_loss",
        "min",
    )


def test_a_retraining_has_its_test_accuracy_and_its_own_seed(
    project: Project, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    export("mlflow", project, mlflow_storage)
    finals = [reader.runs()[f"ann/blobs/final-{number}"].data for number in (1, 2)]
    assert [run.metrics["test_accuracy"] for run in finals] == pytest.approx([30 / 45, 31 / 45])
    assert [(run.tags["role"], run.tags["seed"]) for run in finals] == [("final", "1"), ("final", "2")]
    assert not any("search_score" in run.metrics for run in finals)
    assert {run.params["dense_units"] for run in finals} == {"8"}
    assert finals[0].metrics["latency_ms"] == 0.25


def test_curves_have_a_step_an_epoch_spread_over_the_time_of_the_trial(
    tmp_path: Path, blobs: Dataset, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    project = Project(tmp_path, blobs)
    curves = {"loss": [2.0, 1.0, 0.75, 0.5], "val_accuracy": [0.5, 0.9, 0.6, 0.7]}
    result = Result("completed", seconds=10.0, val_accuracy=0.9, parameters=12, best_epoch=2, history=curves)
    trial = recorded(project, whole(result), worker=2)
    export("mlflow", project, mlflow_storage)
    (run,) = reader.runs().values()
    points = reader.client.get_metric_history(run.info.run_id, "val_accuracy")
    assert [(point.step, point.value, point.timestamp) for point in points] == [
        (1, 0.5, 1_002_500),
        (2, 0.9, 1_005_000),
        (3, 0.6, 1_007_500),
        (4, 0.7, 1_010_000),
    ]
    assert len(reader.client.get_metric_history(run.info.run_id, "loss")) == 4
    assert (run.data.metrics["search_score"], run.data.metrics["best_epoch"]) == (0.9, 2)  # and not the last epoch's
    assert run.data.metrics["parameters"] == 12
    assert (run.data.tags["trial"], run.data.tags["worker"]) == (trial.id, "2")


def test_a_long_curve_is_logged_in_batches(
    tmp_path: Path, blobs: Dataset, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    project = Project(tmp_path, blobs)
    curve = [epoch / 2_000 for epoch in range(2_000)]
    recorded(project, whole(Result("completed", val_accuracy=0.5, history={"val_accuracy": curve})))
    export("mlflow", project, mlflow_storage)
    (run,) = reader.runs().values()
    assert [point.value for point in reader.client.get_metric_history(run.info.run_id, "val_accuracy")] == curve


def test_exported_again_unchanged_runs_stay_and_others_are_replaced(
    project: Project, mlflow_storage: str, reader: Reader, export: Export, change: Callable[[str], None]
) -> None:
    export("mlflow", project, mlflow_storage)
    before = reader.ids()
    reader.client.set_tag(before["ann/blobs/1"], "mlflow.note.content", "look at this one")
    change("UPDATE trials SET val_accuracy = 0.65 WHERE val_accuracy = 0.6")
    change("DELETE FROM trials WHERE val_accuracy = 0.9")
    assert export("mlflow", project, mlflow_storage) == ["small: 9 runs"]
    after = reader.ids()
    assert before.keys() - after.keys() == {"cnn/blobs/4"}
    assert {name for name in after if after[name] != before[name]} == {"ann/blobs/2", "cnn/blobs/6"}
    assert reader.runs()["ann/blobs/1"].data.tags["mlflow.note.content"] == "look at this one"
    assert reader.runs()["ann/blobs/2"].data.metrics["search_score"] == 0.65


def test_what_an_interrupted_export_left_is_written_again(
    project: Project, mlflow_storage: str, reader: Reader, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            export("mlflow", project, mlflow_storage)
    assert [run.info.status for run in reader.runs().values()] == ["RUNNING"]
    export("mlflow", project, mlflow_storage)
    assert {run.info.status for run in reader.runs().values()} == {"FINISHED", "FAILED"}
    assert reader.runs()["ann/blobs/1"].data.params == {"dense_units": "4"}


def interrupted(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_run_that_a_user_put_into_the_experiment_stays(
    project: Project, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    export("mlflow", project, mlflow_storage)
    reader.client.create_run(reader.experiment().experiment_id, run_name="mine")
    export("mlflow", project, mlflow_storage)
    assert reader.runs()["mine"].info.status == "RUNNING"


def test_an_experiment_that_was_deleted_is_restored(
    project: Project, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    export("mlflow", project, mlflow_storage)
    reader.client.delete_experiment(reader.experiment().experiment_id)
    export("mlflow", project, mlflow_storage)
    assert reader.experiment().lifecycle_stage == "active"
    assert len(reader.runs()) == 10


def test_epochs_are_a_parameter_of_hyperband(
    tmp_path: Path, blobs: Dataset, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    model_search = {"family": "ann", "algorithm": "hyperband", "space": {"dense_units": [4, 8], "l2": [0.1, 0.2]}}
    project = Project(tmp_path, blobs, {**RAW, "search": [model_search], "published": {"study": "-"}, "report": {}})
    recorded(project, whole(Result("completed", val_accuracy=0.5)))
    export("mlflow", project, mlflow_storage)
    assert reader.runs()["ann/blobs/1"].data.params == {"dense_units": "4", "l2": "0.1", "epochs": "3"}


def test_names_and_texts_of_a_stranger_s_ledger_are_text(
    tmp_path: Path, blobs: Dataset, mlflow_storage: str, reader: Reader, export: Export
) -> None:
    project = Project(tmp_path, blobs, {**RAW, "title": "A <b>bold</b> \x1b[31m*one*"})
    error = "\x1b[2J" + "it broke " * 2_000
    trial = recorded(project, Result("failed", error, history={"../a b\x1b": [1.0]}))
    project.ledger.add("small", SearchTrial("another", "../blobs\n", "final", 0, trial.id))
    export("mlflow", project, mlflow_storage)
    assert reader.experiment().tags["mlflow.note.content"] == r"A &lt;b&gt;bold&lt;/b&gt; \\x1b\[31m\*one\*"
    runs = reader.runs()
    assert sorted(runs) == [r"ann/blobs/1", r"another/../blobs\n/final-1".replace(r"\n", r"\x0a")]
    assert runs["ann/blobs/1"].data.tags["error"].startswith(r"\x1b[2Jit broke it broke")
    assert runs["ann/blobs/1"].data.metrics["_a b_"] == 1.0


class Page(BaseHTTPRequestHandler):
    """A web server that is none of MLflow's."""

    status, body = 200, b"<html>Welcome</html>"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serving(status: int) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), type("Of", (Page,), {"status": status}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_a_server_that_is_not_mlflow_s_is_one_line_without_its_password(
    project: Project, export: Export, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with serving(status) as address, pytest.raises(InputError, match=r"^--storage: cannot be used \(") as caught:
        export("mlflow", project, f"http://me:s3cr%20t@{address}")
    assert "s3cr" not in str(caught.value)


def test_a_server_that_does_not_answer_is_one_line(
    project: Project, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with serving(200) as address:
        pass
    with pytest.raises(InputError, match=r"^--storage: cannot be used \(.*refused.*\); give a URL like sqlite:///"):
        export("mlflow", project, f"http://me:s3cret@{address}")
