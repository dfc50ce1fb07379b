"""A stranger's ledger: what it calls a search, a trial or a file never leads out of the folders of runs and reports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_project import tuner

from tuner.errors import InputError
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.search_file.file import load_search, parse_search
from tuner.search_file.overrides import Overrides
from tuner.trial import Record, Result, Trial
from tuner.workspace import Workspace, as_described_now, recorded_search

RAW: dict[str, Any] = {
    "title": "x",
    "dataset": "digits",
    "training": {"epochs": 1},
    "search": [{"family": "ann", "space": {"dense_units": 4}}],
}
Change = Callable[[sqlite3.Connection], object]


def project(folder: Path, change: Change | None = None) -> Workspace:
    """Write a ledger with a search of one failed trial, and change it behind the ledger's back."""
    workspace = Workspace(folder / "runs", folder / "reports")
    search = parse_search(RAW, "mine", folder / "searches", Overrides(), "0" * 16)
    trial = Trial("ann", "digits", "0" * 16, {"dense_units": 4}, epochs=1, seed=0)
    with Ledger(workspace.ledger) as ledger:
        ledger.open_search("mine", "key", search.to_json())
        ledger.add("mine", SearchTrial("ann", "digits", "search", 0, trial.id))
        ledger.record(Record(trial, Result("failed", "boom \x1b[2J | <b>")))
    if change is not None:
        with sqlite3.connect(workspace.ledger) as db:
            db.execute("PRAGMA journal_mode = DELETE")
            change(db)
        db.close()
    return workspace


def search_says(**changed: object) -> Change:
    def change(db: sqlite3.Connection) -> None:
        (text,) = db.execute("SELECT content FROM searches").fetchone()
        db.execute("UPDATE searches SET content = ?", (json.dumps({**json.loads(text), **changed}),))

    return change


def trial_says(**changed: object) -> Change:
    def change(db: sqlite3.Connection) -> None:
        (text,) = db.execute("SELECT content FROM trials").fetchone()
        db.execute("UPDATE trials SET content = ?", (json.dumps({**json.loads(text), **changed}),))

    return change


def sql(statement: str) -> Change:
    return lambda db: db.executescript(statement)


STRANGE = [
    pytest.param(search_says(name="../../evil"), "name: String should match pattern", id="search named as a path"),
    pytest.param(search_says(name="other"), "calls the search 'mine' 'other' elsewhere", id="search named otherwise"),
    pytest.param(search_says(name=3), "name: ", id="search named by a number"),
    pytest.param(search_says(raw=[]), "raw: ", id="no content"),
    pytest.param(search_says(raw={**RAW, "title": 3}), "title", id="content that no file has"),
    pytest.param(search_says(overrides={"epochs": "x"}), "overrides", id="budget that is text"),
    pytest.param(search_says(file_hash="../../x"), "file_hash: ", id="hash that is a path"),
    pytest.param(search_says(surprise=1), "surprise: ", id="more than a search"),
    pytest.param(sql("UPDATE searches SET content = '{'"), "Invalid JSON", id="broken JSON"),
    pytest.param(sql("UPDATE searches SET content = '" + "[" * 5000 + "'"), "recursion limit", id="deep JSON"),
    pytest.param(sql("UPDATE members SET trial = '../../evil'"), "trial: '../../evil'", id="trial as a path"),
    pytest.param(sql("UPDATE members SET model = '../../evil'"), "model: '../../evil'", id="model as a path"),
    pytest.param(sql("UPDATE members SET role = '../x'"), "role: '../x'", id="role as a path"),
    pytest.param(trial_says(fingerprint="../../x"), "content.fingerprint: '../../x'", id="fingerprint as a path"),
    pytest.param(
        sql("""UPDATE trials SET files = '{"model": "../../../../x"}'"""),
        "files.model: '../../../../x'",
        id="file as a path",
    ),
    pytest.param(sql("UPDATE trials SET history = 'x'"), "Invalid JSON", id="broken trial"),
]


@pytest.mark.parametrize(("change", "problem"), STRANGE)
def test_what_no_run_wrote_is_refused_in_one_line(tmp_path, change, problem):
    workspace = project(tmp_path, change)
    with pytest.raises(InputError) as caught, Ledger(workspace.ledger) as ledger:
        recorded_search(ledger, "mine")
        ledger.search_trials("mine")
    assert str(caught.value).startswith(str(workspace.ledger))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("command", ["results", "report", "verify", "compare"])
def test_commands_answer_a_strange_ledger_with_one_line_and_write_nothing(tmp_path, command):
    project(tmp_path, search_says(name="../../evil"))
    before = sorted(path for path in tmp_path.rglob("*") if not path.name.startswith("ledger.sqlite"))
    answer = tuner(tmp_path, command, "mine")
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert "runs/ledger.sqlite" in answer.stderr
    assert sorted(path for path in tmp_path.rglob("*") if not path.name.startswith("ledger.sqlite")) == before


def test_a_trial_of_a_model_or_data_set_that_the_search_has_not_is_refused(tmp_path):
    for number, change in enumerate(("UPDATE members SET model = 'x'", "UPDATE members SET dataset = 'x'")):
        folder = tmp_path / str(number)
        project(folder, sql(change))
        answer = tuner(folder, "report", "mine", "--tensorboard")
        assert answer.returncode == 2, answer.stdout + answer.stderr
        assert "lists a trial of " in answer.stderr
        assert not (folder / "runs" / "tensorboard").exists()


def test_a_stranger_s_error_reaches_the_terminal_as_text(tmp_path):
    project(tmp_path)
    for form in ("md", "csv", "json"):
        answer = tuner(tmp_path, "results", "mine", "--format", form)
        assert answer.returncode == 0, answer.stderr
        assert "\x1b" not in answer.stdout
        assert "x1b[2J" in answer.stdout.replace("\\[", "[")
    table = tuner(tmp_path, "results", "mine").stdout
    assert "boom \\\\x1b\\[2J \\| &lt;b&gt;" in table


def test_a_view_in_the_place_of_a_table_is_refused_and_what_a_file_defines_runs_no_function(tmp_path):
    workspace = project(tmp_path, sql("SELECT 1"))
    with Ledger(workspace.ledger) as ledger:
        assert ledger._db.execute("PRAGMA trusted_schema").fetchone() == (0,)
    view = "ALTER TABLE searches RENAME TO s; CREATE VIEW searches AS SELECT name, key, content FROM s"
    workspace = project(tmp_path / "other", sql(view))
    with pytest.raises(InputError, match="has the table 's', which no ledger of ours has"):
        Ledger(workspace.ledger)


FILE = """title = "before"
dataset = "digits"
[training]
epochs = 1
[[search]]
family = "ann"
"""


def test_a_recorded_search_is_described_as_its_file_says_now_unless_it_searches_something_else(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(FILE)
    recorded = load_search(file, Overrides(repeats=2))
    described = FILE.replace("before", "after") + "[report]\nreach = [0.5]\n"
    file.write_text(described)
    now = as_described_now(recorded, str(file))
    assert (now.title, now.report.reach, now.repeats) == ("after", [0.5], 2)
    for other in (described.replace("epochs = 1", "epochs = 2"), "no search file"):
        file.write_text(other)
        assert as_described_now(recorded, str(file)) is recorded
