"""What can be wrong with what a finished search left, as a stranger may have edited it, for `test_bad_input.py`."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bad_input import LEDGER, Case, Given, empty_folder, link, pipe
from strangers import forged_predictions

from tuner.analysis.recorded import load_findings
from tuner.ledger.ledger import Ledger
from tuner.report.cards import card_json, card_name
from tuner.search_file.model import Search
from tuner.trial import artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.workspace import Workspace


def publish(folder: Path, search: Search) -> None:
    """Write what `verify` reads of the report of a made-up search: models, of a few bytes each, and their cards."""
    workspace = Workspace(folder / "runs", folder / "reports")
    report = folder / "reports" / search.name
    report.mkdir(parents=True)
    (report / "report.md").write_text("# Blobs\n")
    database = sqlite3.connect(folder / LEDGER)
    with database:
        for trial, text in database.execute("SELECT trial, files FROM trials WHERE files LIKE '%model%'").fetchall():
            files = json.loads(text)
            model = artifact_path(workspace.artifacts, trial, files["model"], ".keras")
            files["model"] = sha256_of(model)
            model.rename(artifact_path(workspace.artifacts, trial, files["model"], ".keras"))
            database.execute("UPDATE trials SET files = ? WHERE trial = ?", (json.dumps(files), trial))
    database.close()
    with Ledger(workspace.ledger) as ledger:
        findings = load_findings(ledger, search, workspace)
    for chosen in findings.chosen:
        model = artifact_path(workspace.artifacts, chosen.saved.trial.id, chosen.saved.result.files["model"], ".keras")
        shutil.copy(model, report / chosen.file_name)
        (report / card_name(chosen)).write_text(card_json(findings, chosen), encoding="utf-8")


def _rows(change: str) -> Given:
    """Return what changes the rows of a ledger as an UPDATE says."""

    def make(folder: Path) -> None:
        database = sqlite3.connect(folder / LEDGER)
        with database:
            assert database.execute(f"UPDATE {change}").rowcount  # ours
        database.close()

    return make


def _in_place_of(pattern: str, make: Callable[[str], Given]) -> Given:
    """Return what puts something else in the place of the first file of that pattern."""

    def replace(folder: Path) -> None:
        path = min(folder.glob(pattern))
        path.unlink()
        make(str(path.relative_to(folder)))(folder)

    return replace


def _huge(path: str) -> Given:
    def make(folder: Path) -> None:
        with (folder / path).open("wb") as file:
            file.truncate(10**12)

    return make


def _array(value: Any) -> Callable[[str], Given]:
    def at(path: str) -> Given:
        def make(folder: Path) -> None:
            with (folder / path).open("wb") as file:
                np.save(file, value)

        return make

    return at


def _predictions(part: str, value: Any) -> Given:
    return lambda folder: forged_predictions(folder, lambda arrays: {**arrays, part: value})


def _card(change: Callable[[str], str]) -> Given:
    def make(folder: Path) -> None:
        path = folder / "reports" / "small" / "cnn-blobs.json"
        text = path.read_text(encoding="utf-8")
        changed = change(text)
        assert changed != text
        path.write_text(changed, encoding="utf-8")

    return make


def _instead(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


#: What no run writes into a column of every trial, as SQL.
TRIALS = (
    ("latency_ms", "9e999"),
    ("val_accuracy", "9e999"),
    ("val_accuracy", "2.0"),
    ("val_accuracy", "NULL"),
    ("val_loss", "-9e999"),
    ("parameters", "NULL"),
    ("parameters", "-1"),
    ("seconds", "-1.0"),
    ("seconds_per_epoch", "9e999"),
    ("test_accuracy", "-0.5"),
    ("best_epoch", "0"),
    ("status", "'odd'"),
    ("transient", "7"),
    ("history", "'{}'"),
    ("history", "'[]'"),
    ("history", """'{"loss": 1}'"""),
    ("files", """'{"model": "../../x"}'"""),
    ("environment", "'[]'"),
    ("layers", "'{}'"),
    ("layers", """'[{"name": 1}]'"""),
    ("watched", """'{"x": 1}'"""),
    ("watched", """'{"x": {"kernel": [1]}}'"""),
    ("passed", "'[]'"),
    ("content", "'null'"),
    ("content", "json_set(content, '$.seed', -1)"),
    ("content", "json_set(content, '$.split_seed', -1)"),
    ("content", "json_set(content, '$.epochs', 1e30)"),
    ("content", "json_remove(content, '$.values')"),
)
#: The same of the other tables, with what has to be said of it.
OTHERS = (
    ("members SET role = 'none' WHERE rowid = 1", "role: 'none'"),
    ("members SET number = -1 WHERE rowid = 1", "number: -1"),
    ("members SET model = '' WHERE rowid = 1", "model: ''"),
    ("members SET trial = 'x' WHERE rowid = 1", "trial: 'x'"),
    ("searches SET content = 'NaN'", "should be an object"),
    ("searches SET content = json_set(content, '$.raw.repeats', -1)", "repeats: -1 is not 1 or more"),
    ("searches SET content = json_set(content, '$.raw.validation', 'NaN')", "validation: 'NaN' is not a number"),
    ("searches SET content = json_set(content, '$.raw.validation', 1e999)", "is not as a run records it"),
    ("searches SET content = json_set(content, '$.raw.seed', 1e300)", "seed: 1e+300 is not a whole number"),
    ("searches SET content = json_set(content, '$.name', '../../x')", "name: String should match"),
    ("searches SET content = json_remove(content, '$.raw')", "raw: Field required"),
    ("searches SET started = ''", "started: ''"),
    ("searches SET finished = '0001-01-01T00:00:00+00:00'", "no time in UTC from 1970 to 2199"),
)
#: What may lie where a file of ours was.
KINDS: dict[str, Callable[[str], Given]] = {
    "a pipe": pipe,
    "a device": lambda path: link(path, "/dev/zero"),
    "a folder": empty_folder,
    "a huge file": _huge,
    "deep brackets": lambda path: lambda folder: (folder / path).write_text("[" * 100_000),
}
ARRAYS: dict[str, Callable[[str], Given]] = {
    "a number": _array(np.array(7)),
    "an array of text": _array(np.array(["a", "b"])),
    "a pickle": _array(np.array([{}], dtype=object)),
    "no rows": _array(np.zeros((0, 8, 8, 1), np.uint8)),
}
CARDS: dict[str, tuple[Callable[[str], str], str]] = {
    "a key twice": (_instead('"model": "cnn"', '"model": "ann", "model": "cnn"'), "it has the key 'model' twice"),
    "true for 1": (_instead('"seed": 1', '"seed": true'), "does not say what was recorded of"),
    "1.0 for 1": (_instead('"seed": 1', '"seed": 1.0'), "does not say what was recorded of"),
    "NaN": (_instead('"seed": 1', '"seed": NaN'), "NaN is no number of JSON"),
    "an infinite number": (_instead('"seed": 1', '"seed": 1e999'), "does not say what was recorded of"),
    "a number of ten thousand digits": (_instead('"seed": 1', f'"seed": {"9" * 10_000}'), "cannot be read"),
    "a list": (lambda text: f"[{text}]", "does not say what was recorded of anything"),
    "nothing": (lambda text: "", "cannot be read"),
    "half of it": (lambda text: text[: len(text) // 2], "cannot be read"),
    "two of them": (lambda text: text + "{}", "cannot be read"),
    "a key that clears the screen": (_instead("{", '{"\\u001b[2J": 1, '), "was recorded of \\x1b[2J;"),
    "a mark of its byte order": (lambda text: f"\ufeff{text}", "cannot be read"),
}
_NO_RUN_WROTE = "runs/ledger.sqlite: holds what no run wrote"
_EXPORT = "export small --to optuna --storage sqlite:///study.db"


def _left(name: str, command: str, given: Given, *says: str, code: int = 1) -> Case:
    return Case(f"{command.split(maxsplit=1)[0]}, {name}", says, (given,), command, code, made=True)


RUNS = [
    *[
        _left(f"{column} {value}", command, _rows(f"trials SET {column} = {value}"), _NO_RUN_WROTE, column, code=2)
        for column, value in TRIALS
        for command in ("results small", "verify small", "compare small", _EXPORT)
    ],
    *[
        _left(change, command, _rows(change), "runs/ledger.sqlite", said, code=2)
        for change, said in OTHERS
        for command in ("results small", "report small")
    ],
    *[
        _left(f"{kind} as {name}", command, _in_place_of(f"runs/data/*/{name}", make), "runs/data/", "the search again")
        for name in ("x_test.npy", "y_test.npy", "about.json")
        for kind, make in {**KINDS, **({} if name == "about.json" else ARRAYS)}.items()
        for command in ("verify small", "compare small")
    ],
    *[
        _left(f"{kind} as predictions", command, _in_place_of("runs/models/*.npz", make), "the saved predictions")
        for kind, make in KINDS.items()
        for command in ("verify small", "compare small", "report small")
    ],
    *[
        _left(f"predictions with {name}", "verify small", _predictions(part, value), "the saved predictions")
        for name, part, value in (
            ("a number for labels", "labels", np.array(1)),
            ("a number for probabilities", "probabilities", np.array(0.5)),
            ("NaN", "probabilities", np.full((60, 3), np.nan)),
            ("text", "labels", np.array(["a"])),
        )
    ],
    *[
        _left(f"{kind} as {name}", "verify small", _in_place_of(f"reports/small/{name}", make), f"small/{name}: ")
        for name in ("cnn-blobs.json", "cnn-blobs.keras")
        for kind, make in KINDS.items()
    ],
    *[
        _left(f"a card with {what}", "verify small", _card(change), "reports/small/cnn-blobs.json: ", said)
        for what, (change, said) in CARDS.items()
    ],
]  # fmt: skip
