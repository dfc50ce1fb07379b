"""What holds for every tool that a search is exported to: it shows what the ledger holds; nothing else is harmed."""

from __future__ import annotations

import importlib.util
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from made_up import RAW, Project

from tuner.cli import app
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.exporters import EXPORTERS

Export = Callable[[str, Project, str], list[str]]


@dataclass(frozen=True)
class Seen:
    """A search trial as another tool shows it."""

    trial: str
    seed: str
    error: str
    failed: bool
    score: float | None
    standard_error: float | None
    values: dict[str, str]
    curve: dict[int, float]
    began: datetime
    ended: datetime


class Optuna:
    """Studies."""

    name, title = "optuna", "Optuna"
    lines = ("small/ann/blobs: 2 trials", "small/cnn/blobs: 6 trials")
    #: A place that an export needs.
    place = "the study 'small/ann/blobs'"

    @staticmethod
    def seen(storage: str) -> list[Seen]:
        import optuna

        found = []
        for name in ("small/ann/blobs", "small/cnn/blobs"):
            for trial in optuna.load_study(study_name=name, storage=storage).trials:
                assert trial.datetime_start is not None
                assert trial.datetime_complete is not None
                told = trial.user_attrs
                found.append(
                    Seen(
                        trial=told["trial"],
                        seed=str(told["seed"]),
                        error=told.get("error", ""),
                        failed=trial.state == optuna.trial.TrialState.FAIL,
                        score=trial.value,
                        standard_error=told.get("standard_error"),
                        values={name: str(value) for name, value in trial.params.items()},
                        curve=trial.intermediate_values,
                        began=trial.datetime_start.astimezone(UTC),
                        ended=trial.datetime_complete.astimezone(UTC),
                    )
                )
        return found

    @staticmethod
    def written_by_hand(storage: str, taken: bool) -> Callable[[], object]:
        """Put something else into a storage, `taken` where an export wants to be; return what reads it."""
        import optuna

        name = "small/ann/blobs" if taken else "mine"
        study = optuna.create_study(study_name=name, storage=storage)
        study.add_trial(optuna.trial.create_trial(value=1.0))
        return lambda: [trial.value for trial in optuna.load_study(study_name=name, storage=storage).trials]


class MLflow:
    """Runs of an experiment."""

    name, title = "mlflow", "MLflow"
    lines = ("small: 10 runs",)
    place = "the experiment 'small'"

    @staticmethod
    def seen(storage: str) -> list[Seen]:
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=storage)
        experiment = client.get_experiment_by_name("small")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id], "tags.role = 'search'")
        return [
            Seen(
                trial=run.data.tags["trial"],
                seed=run.data.tags["seed"],
                error=run.data.tags.get("error", ""),
                failed=run.info.status == "FAILED",
                score=run.data.metrics.get("search_score"),
                standard_error=run.data.metrics.get("standard_error"),
                values=run.data.params,
                curve={point.step: point.value for point in client.get_metric_history(run.info.run_id, "val_accuracy")},
                began=datetime.fromtimestamp(run.info.start_time / 1_000, UTC),
                ended=datetime.fromtimestamp(run.info.end_time / 1_000, UTC),
            )
            for run in sorted(runs, key=lambda run: run.info.run_name)  # ann/blobs/1, ann/blobs/2, cnn/blobs/1, …
        ]

    @staticmethod
    def written_by_hand(storage: str, taken: bool) -> Callable[[], object]:
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=storage)
        experiment = client.create_experiment("small" if taken else "mine")
        client.log_metric(client.create_run(experiment).info.run_id, "value", 1.0)
        return lambda: [run.data.metrics for run in client.search_runs([experiment])]


TOOLS = [Optuna, MLflow]
Tool = type[Optuna] | type[MLflow]


@pytest.fixture(params=TOOLS, ids=lambda tool: tool.name)
def tool(request: pytest.FixtureRequest) -> Tool:
    pytest.importorskip(request.param.name)
    return request.param


@pytest.fixture
def storage(tool: Tool, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if tool is MLflow:
        return request.getfixturevalue("mlflow_storage")
    return f"sqlite:///{tmp_path / 'storage.db'}"


def test_every_tool_stands_here() -> None:
    assert [tool.name for tool in TOOLS] == list(EXPORTERS)


def test_trials_have_the_values_scores_and_curves_of_the_ledger(
    tool: Tool, project: Project, storage: str, export: Export
) -> None:
    assert export(tool.name, project, storage) == list(tool.lines)
    seen = tool.seen(storage)
    recorded = [
        (search_trial.model, record)
        for search_trial, record in project.ledger.search_trials("small")
        if record is not None
    ]
    recorded = [(model, record) for model, record in recorded if record.trial.role == "search"]
    assert [one.trial for one in seen] == [record.trial.id for _, record in recorded]
    assert [one.score for one in seen] == [0.5, 0.6, 0.7, 0.8, None, 0.9, 0.85, 0.6]
    for one, (model, record) in zip(seen, recorded, strict=True):
        values = record.trial.values
        assert {name for name in project.search.model_search(model).space.varying() if name in values} <= set(
            one.values
        )
        assert one.values == {name: str(values[name]) for name in one.values}
        assert one.curve == ({} if one.failed else {1: 0.1, 2: 0.2, 3: 0.3})
        assert one.seed == "0"


def test_a_mean_over_folds_has_its_standard_error(
    tool: Tool, tmp_path: Path, blobs: Dataset, storage: str, export: Export
) -> None:
    made = Project(tmp_path / "folds", blobs, {**RAW, "folds": 3})
    made.searched("ann", [0.5, 0.6])
    made.searched("cnn", [0.7, None])
    export(tool.name, made, storage)
    expected = [0.03 / 3**0.5] * 3  # one fold scored 0.03 more, one 0.03 less
    assert [one.standard_error for one in tool.seen(storage)] == [*map(pytest.approx, expected), None]


def test_a_failed_trial_is_failed_and_keeps_its_reason(
    tool: Tool, project: Project, storage: str, export: Export
) -> None:
    export(tool.name, project, storage)
    assert [(place, one.error) for place, one in enumerate(tool.seen(storage)) if one.failed] == [(4, "it | <broke>")]


def test_a_trial_began_and_ended_when_the_ledger_says(
    tool: Tool, project: Project, storage: str, export: Export, change: Callable[[str], None]
) -> None:
    change("UPDATE trials SET began = '2026-03-01T11:58:30+00:00', finished = '2026-03-01T12:00:00.250+00:00'")
    export(tool.name, project, storage)
    one = tool.seen(storage)[0]
    assert one.began == datetime(2026, 3, 1, 11, 58, 30, tzinfo=UTC)
    assert one.ended == datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def test_exported_again_it_is_as_the_ledger_has_it_now_and_nothing_else_is_touched(
    tool: Tool, project: Project, storage: str, export: Export, change: Callable[[str], None]
) -> None:
    others = tool.written_by_hand(storage, taken=False)
    before = others()
    export(tool.name, project, storage)
    change("UPDATE trials SET val_accuracy = 0.95 WHERE val_accuracy = 0.8")
    assert export(tool.name, project, storage) == list(tool.lines)
    assert [one.score for one in tool.seen(storage)] == [0.5, 0.6, 0.7, 0.95, None, 0.9, 0.85, 0.6]
    assert others() == before


def test_what_somebody_else_wrote_is_left_alone(tool: Tool, project: Project, storage: str, export: Export) -> None:
    there = tool.written_by_hand(storage, taken=True)
    before = there()
    with pytest.raises(InputError, match=f"--storage: {tool.place} is there already, and was not exported from here"):
        export(tool.name, project, storage)
    assert there() == before


def test_an_unfinished_search_gives_the_trials_that_have_finished(
    tool: Tool, project: Project, storage: str, export: Export, change: Callable[[str], None]
) -> None:
    change("DELETE FROM trials WHERE trial IN (SELECT trial FROM members WHERE model = 'ann' AND number = 0)")
    export(tool.name, project, storage)
    assert [one.score for one in tool.seen(storage)] == [0.6, 0.7, 0.8, None, 0.9, 0.85, 0.6]


@pytest.mark.parametrize(
    "wrong",
    [
        "nonsense",
        "sqlite:////nowhere/at/all/study.db",
        "mystery://user:secret@host/x",
        "postgresql://user:secret@localhost:1/x",
        "user:secret@host",
        "http://user:secret@[host",
    ],
)
def test_a_storage_that_cannot_be_opened_is_one_line_without_its_password(
    tool: Tool, project: Project, wrong: str, export: Export, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=r"^--storage: cannot be used \(.*\); give a URL like sqlite:///") as caught:
        export(tool.name, project, wrong)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert capfd.readouterr() == ("", "")
    assert not Path("/nowhere").exists()


def test_a_storage_that_is_no_place_is_refused(tool: Tool, project: Project, export: Export) -> None:
    with pytest.raises(InputError, match=r"^--storage: names no file; give a URL like sqlite:///"):
        export(tool.name, project, "sqlite://")
    blank = CliRunner().invoke(app, ["export", "small", "--to", tool.name, "--storage", ""])
    assert (blank.exit_code, "Invalid value for '--storage': it is blank" in blank.output) == (2, True)


def test_a_file_that_is_no_database_stays_as_it_is(
    tool: Tool, project: Project, tmp_path: Path, export: Export
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database at all\n" * 100)
    with pytest.raises(InputError, match="cannot be used"):
        export(tool.name, project, f"sqlite:///{file}")
    assert file.read_text() == "no database at all\n" * 100


def test_another_program_s_database_stays_as_it_is_the_ledger_too(tool: Tool, project: Project, export: Export) -> None:
    query = "SELECT count(*) FROM sqlite_master"
    with sqlite3.connect(project.workspace.ledger) as ledger:
        before = ledger.execute(query).fetchone()
        with pytest.raises(InputError, match="--storage: is another program's database; name another"):
            export(tool.name, project, f"sqlite:///{project.workspace.ledger}")
        assert ledger.execute(query).fetchone() == before
    ledger.close()


def test_a_database_of_another_version_is_one_line(
    tool: Tool, project: Project, storage: str, tmp_path: Path, export: Export
) -> None:
    export(tool.name, project, storage)
    other = shutil.copy(tmp_path / "storage.db", tmp_path / "other.db")  # MLflow keeps what it has opened
    with sqlite3.connect(other) as database:
        database.execute("UPDATE alembic_version SET version_num = 'another'")
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    with pytest.raises(InputError, match=r"--storage: cannot be used \(.*(version|compatible)"):
        export(tool.name, project, f"sqlite:///{other}")
    assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == tables
    database.close()


def test_without_its_package_it_says_how_to_get_it(
    tool: Tool, project: Project, storage: str, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    remedy = rf"{tool.title} is not installed; install it: pip install 'tunetable\[{tool.name}\]'"
    with pytest.raises(InputError, match=remedy):
        export(tool.name, project, storage)


def test_the_command_writes_and_prints_what_is_exported(tool: Tool, project: Project, storage: str) -> None:
    options = ["--to", tool.name, "--storage", storage, "--runs-dir", str(project.workspace.runs)]
    answer = CliRunner().invoke(app, ["export", "small", *options])
    assert answer.output.splitlines() == list(tool.lines)
    never = CliRunner().invoke(app, ["export", "never", *options]).exception
    assert isinstance(never, InputError)
    assert "never: no such search, and none of this name has been run here; did you mean" not in str(never)
    assert "never: no such search, and none of this name has been run here; known: " in str(never)


@pytest.mark.parametrize(
    "wrong",
    [
        "val_accuracy = NULL",
        "finished = 'yesterday'",
        """content = replace(content, '"dense_units": 4', '"dense_units": 5')""",
        """content = replace(content, '"seed": 0', '"seed": 9')""",
    ],
)
def test_a_trial_that_no_run_wrote_is_refused_in_one_line(
    tool: Tool, project: Project, storage: str, wrong: str, export: Export, change: Callable[[str], None]
) -> None:
    change(f"UPDATE trials SET {wrong}")  # noqa: S608  # ours
    with pytest.raises(InputError, match=r"holds what no run wrote \("):
        export(tool.name, project, storage)
