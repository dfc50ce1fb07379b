"""What `tuner results` prints: what varies, scores, and test scores of the retrained, within 120 columns."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from made_up import RAW, Project, first
from recorded import whole

from tuner import columns as col
from tuner.analysis.results_table import WIDTH, results_table
from tuner.cli import app
from tuner.datasets.base import Dataset
from tuner.ledger.ledger import SearchTrial
from tuner.trial import Record, Result, Trial


def printed(project: Project) -> str:
    return results_table(project.search, project.ledger.search_trials(project.search.name))


def table_of(text: str, head: str) -> list[dict[str, str]]:
    """Return the rows of the table that stands under a line."""
    part = text.partition(f"{head}:\n\n")[2].partition("\n\n")[0].splitlines()
    heads, _, *rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def test_only_what_varies_within_a_model_has_a_column_and_layers_share_one(project: Project) -> None:
    rows = table_of(printed(project), "8 trials, best first")
    assert list(rows[0]) == [
        "model", "conv_depth", "filters", "dense_units", "parameters", "seconds", "val. loss", "val. accuracy", "trial",
    ]  # fmt: skip
    best = rows[0]
    assert (best["model"], best["conv_depth"], best["filters"], best["val. accuracy"]) == ("CNN", "2", "2 4", "0.9000")
    assert best["dense_units"] == "64", "it varies in the other model, and this one has it too"
    assert [row["val. accuracy"] for row in rows][-1] == "failed"


def test_what_is_the_same_in_all_of_the_budget_is_said_once(project: Project) -> None:
    assert printed(project).endswith(
        "The same in all: epochs 3, seed 0, train_size 60. Every column: --all, or --format csv."
    )


def test_the_retrained_have_their_test_scores(project: Project) -> None:
    rows = table_of(printed(project), "Retrained, accuracy on the test set")
    assert rows == [
        {"model": "ANN", "data set": "blobs", "mean ± sd": "0.6778 ± 0.0157", "each retraining": "0.6667, 0.6889"},
        {"model": "CNN", "data set": "blobs", "mean ± sd": "0.9667 ± 0.0157", "each retraining": "0.9556, 0.9778"},
    ]


def test_failed_trials_are_counted_by_their_reason(project: Project) -> None:
    assert "\n- 1 failed: it \\| &lt;broke&gt;\n" in printed(project)


def test_where_all_trials_failed_none_is_the_best(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.searched("ann", [None, None])
    text = printed(made)
    assert "best first" not in text
    assert [row["val. accuracy"] for row in table_of(text, "2 trials, all of which failed")] == ["failed", "failed"]
    assert "\n- 2 failed: it \\| &lt;broke&gt;\n" in text
    made.searched("cnn", [0.5])
    assert "3 trials, best first:" in printed(made)


def test_a_search_of_which_nothing_has_finished_says_so(tmp_path: Path, blobs: Dataset) -> None:
    assert printed(Project(tmp_path, blobs)) == "No trial has finished."


def test_numbers_are_as_long_as_people_read_them(tmp_path: Path, blobs: Dataset) -> None:
    rates = {"dense_units": 4, "learning_rate": [0.3966700418808315, 1e-05]}
    raw = {**RAW, "search": [{"family": "ann", "space": rates}], "report": {}, "published": {"study": "S"}}
    made = Project(tmp_path, blobs, raw)
    made.searched("ann", [0.123456, 0.5])
    rows = table_of(printed(made), "2 trials, best first")
    assert {row["learning_rate"] for row in rows} == {"0.3967", "1e-05"}
    assert rows[1]["val. accuracy"] == "0.1235"


WIDE: list[tuple[str, dict[str, Any]]] = [
    ("many parameters", {
        "learning_rate": [0.001, 0.002], "label_smoothing": [0.0, 0.1], "batch_size": [16, 32], "dense_units": [4, 8],
        "weight_decay": [0, 0.1], "dropout": [0.0, 0.25], "rotation": [0, 10], "warmup_epochs": [0, 1],
        "zoom": [0.0, 0.1], "dense_dropout": [0.0, 0.1], "activation": ["relu", "leaky_relu"],
    }),
    ("few parameters", {"dense_units": [4, 8]}),
    ("long values", {"schedule": "steps", "schedule_steps": ["0.5 0.75 0.8 0.85 0.9 0.95", "0.25 0.5"]}),
]  # fmt: skip


def searched_from_end_to_end(made: Project, model: str, dataset: str = "blobs") -> Trial:
    """Record two trials that differ in every parameter, and a failed one; return the first."""
    model_search = made.search.model_search(model)
    every = list(model_search.space.grid())
    trials = [
        made.search.trial(model_search, dataset, made.data.fingerprint, values, None)
        for values in (every[0], every[-1])
    ]
    results = [
        whole(Result("completed", parameters=1_000_000, seconds=1e4, val_accuracy=s, val_loss=123.4))
        for s in (0.5, 0.25)
    ]
    failed = replace(trials[0], seed=99)
    pairs = [*zip(trials, results, strict=True), (failed, Result("failed", "a | reason <of> `marks` " * 30))]
    for trial, result in pairs:
        made.ledger.record(Record(trial, result))
    search_trials = [SearchTrial(model, dataset, "search", k, trial.id) for k, (trial, _) in enumerate(pairs)]
    made.ledger.add(made.search.name, *search_trials)
    return trials[0]


@pytest.mark.parametrize(("what", "space"), WIDE, ids=[what for what, _ in WIDE])
@pytest.mark.parametrize("dataset", ["blobs", "|" * 30])
def test_no_line_is_wider_than_a_terminal(
    tmp_path: Path, blobs: Dataset, what: str, space: dict[str, Any], dataset: str
) -> None:
    model_searches = [{"family": "ann", "name": name, "space": space} for name in ("a" * 40, "b")]
    raw = {"title": what, "dataset": [dataset, "other"], "training": {"epochs": 1000}, "search": model_searches}
    made = Project(tmp_path, replace(blobs, name=dataset), raw)
    for model in ("a" * 40, "b"):
        for on in (dataset, "other"):
            trial = searched_from_end_to_end(made, model, on)
            made.retrained(model, trial, [first(30 + k) for k in range(12)], on)
    lines = printed(made).splitlines()
    assert max(map(len, lines)) <= WIDTH
    bars = {line.replace("\\|", "").count("|") for line in lines if line.startswith("|")}
    assert len(bars) == 2, "two tables, each with as many cells in every row"
    assert any("val. loss" in line and "val. accuracy" in line for line in lines), "scores are never left out"


def test_of_many_parameters_those_without_room_stand_in_one_column(tmp_path: Path, blobs: Dataset) -> None:
    raw = {
        "title": "Wide",
        "dataset": "blobs",
        "training": {"epochs": 5},
        "search": [{"family": "ann", "space": WIDE[0][1]}],
    }
    made = Project(tmp_path, blobs, raw)
    searched_from_end_to_end(made, "ann")
    row, *_ = table_of(printed(made), "3 trials, best first")
    assert list(row) == ["parameters that vary", "val. loss", "val. accuracy"]
    assert row["parameters that vary"].startswith("dense_units 4, activation relu, dropout 0, ")


def command(project: Project, *arguments: str) -> str:
    project.ledger.close_search(project.search.name)
    places = ["--runs-dir", str(project.workspace.runs)]
    answer = CliRunner().invoke(app, ["results", project.search.name, *places, *arguments])
    assert answer.exit_code == 0, answer.output
    return answer.output


#: What DESIGN.md promises of each object.
PROMISED = (
    "trial", "family", "dataset", "status", "error", "seed", "epochs", "parameters", "seconds", "val_accuracy",
    "val_loss", "dense_units", "learning_rate",
)  # fmt: skip


def test_json_and_csv_have_every_key_and_the_test_scores_of_what_was_chosen(project: Project) -> None:
    rows = json.loads(command(project, "--format", "json"))
    assert set(PROMISED) <= set(rows[0])
    assert rows[0][col.RETRAINED_MEAN] == pytest.approx((43 + 44) / 90)
    assert rows[0][col.REPEATS] == 2
    assert [row["model"] for row in rows if row[col.RETRAINED_MEAN] is not None] == ["cnn", "ann"]
    table = list(csv.DictReader(io.StringIO(command(project, "--format", "csv"))))
    assert set(PROMISED) <= set(table[0])
    assert [row["trial"] for row in table] == [row["trial"] for row in rows]
    assert table[1][col.RETRAINED_MEAN] == ""


def test_all_shows_every_column_as_markdown(project: Project) -> None:
    whole, brief = command(project, "--all"), command(project)
    assert "label_smoothing" in whole
    assert "label_smoothing" not in brief
    assert len(whole.splitlines()) == 2 + 8
