"""Whatever stands in a stranger's `runs/`, each command does what it was asked or says in one line why it does not."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from command_line import PIXEL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up import make_strangers_project
from optuna.storages import RDBStorage
from strangers import (
    COLUMNS,
    FILES,
    JSON_COLUMNS,
    ODD,
    ODD_JSON,
    copy_of,
    forged_predictions,
    places_in,
    replaced,
    rewrite,
    run,
    update,
    well_behaved,
    write_events,
)

from tuner.analysis.mistakes import MAPPED, MAPS
from tuner.publish.index import write_index

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What writes a study of all trials, which takes longer than all other commands but `report`.
EXPORT = "export small --to optuna --storage sqlite:///study.db"
#: The commands that read what is recorded; `report` takes a second where nothing is wrong.
COMMANDS = ("list", "results small", "compare small", "verify small", EXPORT)
#: Those that read nothing of `runs/` but the ledger, and those that read more.
OF_THE_LEDGER = ("list", "results small", EXPORT)
OF_FILES = ("compare small", "verify small")
WITH_REPORT = (*COMMANDS, "report small")
LEDGER = Path("runs", "ledger.sqlite")
SEARCH = 'title = "x"\ndataset = "digits"\n[training]\nepochs = 1\n[[search]]\nfamily = "ann"\n'
ANY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    """A made-up search with its report, as a run leaves it; tests read it, or copy it."""
    folder = tmp_path_factory.mktemp("made")
    make_strangers_project(folder, blobs_file)
    write_events(folder)
    (folder / "searches").mkdir()
    (folder / "searches" / "other.toml").write_text(SEARCH)
    RDBStorage(f"sqlite:///{folder}/study.db")  # the tables alone, or each export would make them
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "copy"
    shutil.rmtree(tmp_path / "copy", ignore_errors=True)


@pytest.fixture
def unpictured(monkeypatch: pytest.MonkeyPatch) -> None:
    """No figure of a report is made; the tests at the end draw what is at the ends of all that may stand in a row."""
    monkeypatch.setattr("tuner.contents.sections.Picture.png", PIXEL)


@pytest.fixture
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn with all that is in them, but of few pixels, and these keep their colours."""

    def drawn(figure: Figure) -> bytes:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=36, bbox_inches="tight")
        return buffer.getvalue()

    monkeypatch.setattr("tuner.contents.png.png", drawn)


def ask(folder: Path, *commands: str) -> None:
    for command in commands or COMMANDS:
        well_behaved(run(folder, *command.split()), command)


@given(
    place=st.sampled_from(COLUMNS), value=st.sampled_from(ODD) | st.floats() | st.text(max_size=5), every=st.booleans()
)
@ANY
@pytest.mark.usefixtures("unpictured")
def test_whatever_stands_in_a_column_is_read_or_refused(
    made: Path, folder: Path, place: tuple[str, str], value: object, every: bool
) -> None:
    copy_of(made, folder)
    if update(folder, *place, value, every):
        ask(folder, *WITH_REPORT)


@pytest.fixture(scope="module")
def parts(made: Path) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    """The ways to every part of the JSON of every column that holds any."""
    database = sqlite3.connect(made / "runs" / "ledger.sqlite")
    found = {
        (table, column): sorted(
            {
                place
                for (text,) in database.execute(f"SELECT {column} FROM {table}")  # noqa: S608
                for place in places_in(json.loads(text))
            },
            key=str,
        )
        for table, column in JSON_COLUMNS
    }
    database.close()
    return found


@given(data=st.data(), column=st.sampled_from(JSON_COLUMNS), value=st.sampled_from((..., *ODD_JSON)))
@ANY
@pytest.mark.usefixtures("unpictured")
def test_whatever_stands_in_the_json_of_a_row_is_read_or_refused(
    made: Path,
    folder: Path,
    parts: dict[tuple[str, str], list[tuple[Any, ...]]],
    data: st.DataObject,
    column: tuple[str, str],
    value: object,
) -> None:
    place = data.draw(st.sampled_from(parts[column]))
    copy_of(made, folder)
    rewrite(folder, *column, lambda held: replaced(held, place, value))
    ask(folder, *WITH_REPORT)


#: What a stranger wrote into the events of the search, and the place that has to be told.
EVENTS = (
    ("at = 'x' WHERE kind = 'decided'", "a decision on the search 'small', at: 'x': "),
    ("at = '' WHERE kind = 'asked'", "a request to the search 'small', at: '': "),
    ("at = '9999-12-31T23:59:59.999+00:00' WHERE kind = 'ended'", "an event of the search 'small', at: "),
    (
        "content = json_set(content, '$.after', 9007199254740991) WHERE kind = 'decided'",
        "content.after: 90071992547409",
    ),
    ("content = json_set(content, '$.trial', '') WHERE number = 3", "a decision on the search 'small', content: "),
    ("content = json_set(content, '$.trial', '') WHERE number = 2", "a request to the search 'small', content: "),
    ("content = json_set(content, '$.asked', 7) WHERE number = 3", "content.asked: 7: "),
    ("number = 99 WHERE number = 8", "an event of the search 'small', number: 99: a run writes 8"),
    ("kind = 'odd' WHERE number = 0", "an event of the search 'small', kind: 'odd': "),
)


@pytest.mark.parametrize(("change", "said"), EVENTS)
def test_an_event_that_nobody_wrote_is_refused_with_its_place(made: Path, folder: Path, change: str, said: str) -> None:
    copy_of(made, folder)
    database = sqlite3.connect(folder / "runs" / "ledger.sqlite")
    with database:
        assert database.execute(f"UPDATE events SET {change}").rowcount  # noqa: S608
    database.close()
    for command in ("results small", "compare small", "report small"):
        ended = run(folder, *command.split())
        well_behaved(ended, command)
        assert (ended.code, said in ended.err) == (2, True), ended.err


@given(data=st.data(), value=st.sampled_from((..., *ODD_JSON)))
@ANY
def test_whatever_stands_in_a_recorded_search_is_read_or_refused(
    made: Path, folder: Path, data: st.DataObject, value: object
) -> None:
    database = sqlite3.connect(made / "runs" / "ledger.sqlite")
    ((text,),) = database.execute("SELECT content FROM searches").fetchall()
    database.close()
    place = data.draw(st.sampled_from(list(places_in(json.loads(text)))))
    copy_of(made, folder)
    rewrite(folder, "searches", "content", lambda held: replaced(held, place, value))
    ask(folder)


@given(data=st.data(), kind=st.sampled_from(sorted(FILES)))
@ANY
def test_whatever_lies_in_the_place_of_a_file_is_read_or_refused(
    made: Path, folder: Path, data: st.DataObject, kind: str
) -> None:
    """Of a file that is not the ledger, commands are asked that read it; the next test tells which do not."""
    files = sorted(path.relative_to(made) for path in (made / "runs").rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    copy_of(made, folder)
    FILES[kind](folder / path)
    ask(folder, *(COMMANDS if path == LEDGER else OF_FILES))


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_ledger_is_the_only_file_of_runs_that_some_commands_read(made: Path, folder: Path, kind: str) -> None:
    """Each does what it was asked, whatever lies in the place of all the others."""
    copy_of(made, folder)
    for path in sorted((folder / "runs").rglob("*")):
        if path.is_file() and path.relative_to(folder) != LEDGER:
            FILES[kind](path)
    for command in OF_THE_LEDGER if kind in ("a pipe", "a device") else OF_THE_LEDGER[:2]:
        ended = run(folder, *command.split())
        assert (ended.code, ended.err) == (0, ""), command
    ask(folder, *OF_FILES)


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arrays: {key: array for key, array in arrays.items() if key != name}


def _with(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arrays: {**arrays, name: value}


def _changed(name: str, change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arrays: {**arrays, name: change(arrays[name])} if name in arrays else arrays


ARRAYS = ("probabilities", "labels", "filters", "shown", "shown_labels", "outputs", MAPPED, MAPS)


@pytest.mark.parametrize(
    "change",
    [
        *[_without(name) for name in ARRAYS],
        *[
            _with(name, value)
            for name in ARRAYS
            for value in (np.array(7), np.array(["a"]), np.zeros((0, 3)), np.full((60, 3), np.nan), np.full(60, -1))
        ],
        lambda arrays: {**arrays, "labels": arrays["labels"][::-1].copy()},
        _changed(MAPPED, lambda mapped: mapped[::-1].copy()),
        _changed(MAPPED, lambda mapped: mapped + 60),
        _changed(MAPS, lambda maps: maps[:, :, [0] * 9].copy()),
        lambda arrays: {**arrays, "labels": arrays["labels"][:10], "probabilities": arrays["probabilities"][:10]},
    ],
)
def test_predictions_that_no_run_wrote_are_refused_although_their_hash_is_right(
    made: Path, folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    copy_of(made, folder)
    forged_predictions(folder, change)
    for command in ("compare small", "verify small"):
        ended = run(folder, *command.split())
        well_behaved(ended, command)
        assert "the saved predictions" in ended.err
        assert ended.code == 1


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a folder", "a huge file", "deep JSON"])
@pytest.mark.parametrize("name", ["cnn-blobs.keras", "cnn-blobs.json", "summary.json", "timing.csv"])
def test_whatever_lies_in_a_report_verify_and_the_list_of_reports_end(
    made: Path, folder: Path, name: str, kind: str
) -> None:
    copy_of(made, folder)
    report = folder / "reports" / "small"
    report.mkdir(parents=True)
    (report / "report.md").write_text("# Blobs\n\nBudget: 3 epochs.\n")
    for other in (
        "summary.json",
        "timing.csv",
        "cnn-blobs.keras",
        "cnn-blobs.json",
        "ann-blobs.keras",
        "ann-blobs.json",
    ):
        (report / other).write_bytes(b"a model of 16 B.")
    FILES[kind](report / name)
    ask(folder, "verify small")
    write_index(folder / "reports")
    assert (folder / "reports" / "README.md").is_file()


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
@pytest.mark.usefixtures("unpictured")
def test_whatever_lies_in_the_place_of_reports_they_are_written_anew_and_compared(
    made: Path, folder: Path, kind: str
) -> None:
    copy_of(made, folder)
    ask(folder, "report small")
    files = [path for path in sorted((folder / "reports").rglob("*")) if path.is_file()]
    assert {"README.md", "index.html", "report.md", "report.html", "summary.json", "timing.csv"} <= {
        path.name for path in files
    }
    shutil.copytree(folder / "reports" / "small", folder / "reports" / "other")
    for path in (*files, *(folder / "reports" / "other").iterdir()):
        if path.is_file():
            FILES[kind](path)
    for command in ("compare small", "report small", "list"):
        ended = run(folder, *command.split())
        assert (ended.code, ended.err) == (0, ""), command
    assert "# " in (folder / "reports" / "small" / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy", "about.json"])
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a huge file"])
def test_a_report_of_laid_out_data_that_are_no_files_is_refused(made: Path, folder: Path, name: str, kind: str) -> None:
    copy_of(made, folder)
    (path,) = (folder / "runs" / "data").glob(f"*/{name}")
    FILES[kind](path)
    ended = run(folder, "report", "small")
    well_behaved(ended, "report small")
    assert ended.code == 1
    assert ended.err.startswith(f"tuner: {path.parent.relative_to(folder)}: ")


# --- the report, of all that the schema lets pass ---

LARGE, MANY = 4e38, (1 << 53) - 1
CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
NOTES = {"gradient_norm": [0.0, float("inf")], "kernel": [{"low": -LARGE, "high": LARGE, "counts": [MANY, 0]}] * 2}
NO_NOTES = {"gradient_norm": [float("nan")], "kernel": [{"low": 0.0, "high": 0.0, "counts": []}]}
LAYERS = [
    {"name": "", "kind": "", "shape": []},
    {"name": "", "kind": "Conv2D", "shape": [], "formula": "9" * 1_000, "inputs": ["none", ""]},
    {
        "name": "$x^",
        "kind": "Dense",
        "shape": [None] * 10,
        "parameters": MANY,
        "formula": "0·0·0 + 0",
        "activation": "$",
    },
    {"name": "x", "kind": "MaxPooling2D", "shape": [MANY, 0, MANY], "inputs": ["x", "$x^"]},
    {"name": "x", "kind": "Add", "shape": [0], "inputs": ["x", "x", "$x^"]},
]


def _json(folder: Path, **columns: object) -> None:
    database = sqlite3.connect(folder / "runs" / "ledger.sqlite")
    with database:
        for column, value in columns.items():
            database.execute(f"UPDATE trials SET {column} = ?", (json.dumps(value),))  # noqa: S608
    database.close()


def _columns(folder: Path, **columns: object) -> None:
    for column, value in columns.items():
        assert update(folder, "trials", column, value, every=True)


def largest(folder: Path) -> None:
    _columns(folder, seconds=1e9, seconds_per_epoch=1e9, latency_ms=1e12, val_loss=LARGE, test_loss=LARGE)
    _columns(folder, parameters=MANY, val_accuracy=1.0, best_epoch=1, worker=1_000_000, node="\x1b[2J$x^")
    _columns(folder, began="1970-01-02T00:00:00.000+00:00", finished="2199-12-31T23:59:59.999+00:00")
    _json(
        folder, history={name: [LARGE, -LARGE, 0.0] for name in (*CURVES, "$x^")}, watched={"$x^": NOTES}, layers=LAYERS
    )
    _json(folder, environment={"device": "$x^", "backend": "jax", "threads": [], "\x1b": None})


def smallest(folder: Path) -> None:
    _columns(folder, seconds=0.0, seconds_per_epoch=0.0, latency_ms=0.0, val_loss=-LARGE, test_loss=-LARGE)
    _columns(folder, parameters=0, val_accuracy=0.0, worker=None)
    _columns(folder, began=None, finished="1970-01-01T00:00:00.000+00:00")
    _json(folder, history={name: [0.0] for name in CURVES}, watched={"": NO_NOTES}, layers=[], environment={})


def nothing(folder: Path) -> None:
    _columns(folder, seconds_per_epoch=None, latency_ms=None, best_epoch=None, began=None, worker=None)
    _json(folder, watched={}, layers=[{"name": "", "kind": "", "shape": []}], environment={"backend": "tensorflow"})


def failures(folder: Path) -> None:
    _columns(folder, status="failed", error="\x1b[2J | <b>", transient=1)
    _json(folder, history={}, files={}, passed={"minutes": 1e300})


@pytest.mark.parametrize("change", [largest, smallest, nothing, failures])
@pytest.mark.usefixtures("small_pictures")
def test_the_ends_of_what_a_row_may_hold_make_a_report(
    made: Path, folder: Path, change: Callable[[Path], None]
) -> None:
    copy_of(made, folder)
    change(folder)
    ended = run(folder, "report", "small")
    assert (ended.code, ended.err) == (0, "")
    assert (folder / "reports" / "small" / "report.html").is_file()
    ask(folder)
