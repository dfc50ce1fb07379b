"""Projects with something wrong in them, for `test_bad_input.py`: what a case is, and short ways to write one."""

from __future__ import annotations

import io
import os
import shlex
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.ledger.schema import SCHEMA_VERSION
from tuner.search_file.file import load_search
from tuner.trial import Record, Result, Trial

Arrays = dict[str, NDArray[Any]]
#: Puts something into a project's folder.
Given = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Args:
        name: what is wrong.
        says: what the line on stderr has to hold: the place, the value, what would be right.
        given: what lies in the project's folder, beside a search file without fault.
        command: what is typed behind `tuner`.
        code: the exit code.
        environment: variables that are set.
        meanwhile: what goes on while the command runs.
        models: files of `MODELS` that lie there, too.
        made: whether what a finished search `small` left lies there, too.
        streams: of the standard streams, by number, which are closed; see `CommandServer.start`.
    """

    name: str
    says: tuple[str, ...]
    given: tuple[Given, ...] = ()
    command: str = "run wrong"
    code: int = 2
    environment: Mapping[str, str] = field(default_factory=dict)
    meanwhile: Callable[[Path], AbstractContextManager[object]] = lambda folder: nullcontext()
    models: tuple[str, ...] = ()
    made: bool = False
    streams: Mapping[int, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        """The command's words."""
        return shlex.split(self.command)


def parameters(cases: Iterable[Case]) -> list[Any]:
    """Return a table as pytest takes it."""
    return [pytest.param(case, id=case.name) for case in cases]


# --- search files ---


def search_text(
    top: str = "",
    title: str = 'title = "A test"',
    dataset: str = 'dataset = "digits"',
    training: str = "epochs = 1",
    search: str = 'family = "cnn"',
    space: str = "",
    rules: str = "",
    rest: str = "",
) -> str:
    """Return a search file without fault, unless a part is given."""
    tables = ["[training]", training, "[[search]]", search, "[search.space]", space, "[search.rules]", rules]
    return "\n".join([title, dataset, top, *tables, rest])


def written(path: str, content: str | bytes) -> Given:
    """Return what writes a file of this content."""

    def write(folder: Path) -> None:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def empty_folder(path: str) -> Given:
    """Return what makes a folder."""
    return lambda folder: (folder / path).mkdir(parents=True)


def search(name: str, *says: str, **parts: str) -> Case:
    """Return the case of a search file that differs from a good one in these parts, and is named in the answer."""
    return searched(name, search_text(**parts), *says)


def searched(name: str, content: str | bytes, *says: str) -> Case:
    """Return the case of a search file with this content, which is named in the answer."""
    return Case(name, ("searches/wrong.toml", *says), (written("searches/wrong.toml", content),))


def rule(text: str, *says: str) -> Case:
    """Return the case of a search file with one rule."""
    return search(f"rule {text[:40]}", "[[search]] 1 rules.where", *says, rules=f"where = [{text!r}]")


def own_network(name: str, code: str, *says: str, family: str = "net:build", space: str = "", **more: Any) -> Case:
    """Return the case of a user's own network."""
    text = search_text(search=f'family = "{family}"', space=space)
    given = (written("searches/wrong.toml", text), written("searches/net.py", code))
    return replace(Case(name, ("searches/wrong.toml [[search]] 1", *says), given), **more)


# --- data ---

PIXELS = np.arange(12 * 8 * 8).reshape(12, 8, 8).astype(np.uint8)
LABELS = np.arange(12) % 3


def arrays(**changed: Any) -> Arrays:
    """Return the arrays of a small data set, changed, and without those that are None."""
    good: Arrays = {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:6], "y_test": LABELS[:6]}
    return {name: np.asarray(array) for name, array in {**good, **changed}.items() if array is not None}


def npz_bytes(**changed: Any) -> bytes:
    """Return `arrays` as a file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays(**changed))  # type: ignore[arg-type]
    return buffer.getvalue()


def npz(name: str, *says: str, command: str = "run wrong", **changed: Any) -> Case:
    """Return the case of an `.npz` file with changed arrays, which is named in the answer."""
    return npz_file(name, npz_bytes(**changed), *says, command=command)


def npz_file(name: str, content: bytes, *says: str, command: str = "run wrong") -> Case:
    """Return the case of an `.npz` file of these bytes, which is named in the answer."""
    given = (
        written("searches/wrong.toml", search_text(dataset='dataset = "data.npz"')),
        written("searches/data.npz", content),
    )
    return Case(name, ("data.npz", *says), given, command)


def with_value(value: float, dtype: type = np.float32) -> NDArray[Any]:
    """Return images with one pixel changed."""
    changed = PIXELS.astype(dtype)
    changed[1, 2, 3] = value
    return changed


def image_bytes(size: tuple[int, int] = (8, 8), mode: str = "L", kind: str = "png") -> bytes:
    """Return a picture as a file."""
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind)
    return buffer.getvalue()


def photos(*changes: Given, classes: tuple[str, ...] = ("ant", "bee"), each: int = 4) -> Given:
    """Return what makes a folder `photos` of class folders with grey images, and then changes it."""

    def make(folder: Path) -> None:
        for name in classes:
            for number in range(each):
                written(f"photos/{name}/{number}.png", image_bytes())(folder)
        for change in changes:
            change(folder)

    return make


def folder_of_images(name: str, *says: str, given: Given, top: str = "", command: str = "run wrong") -> Case:
    """Return the case of a folder of images, `photos`."""
    text = search_text(dataset='dataset = "photos"', top=top)
    return Case(name, says, (written("searches/wrong.toml", text), given), command)


def link(path: str, target: str) -> Given:
    """Return what makes a link."""

    def make(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(target)

    return make


# --- ledgers ---

LEDGER = "runs/ledger.sqlite"


def ledger_with(change: Callable[[sqlite3.Connection], object] = lambda db: None) -> Given:
    """Return what makes a ledger in which no search has run, changed."""

    def make(folder: Path) -> None:
        Ledger(folder / LEDGER).close()
        _change(folder / LEDGER, change)

    return make


def _change(path: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    db = sqlite3.connect(path)
    with db:
        change(db)
    db.close()


def foreign_database(folder: Path) -> None:
    """Make a database of another program where the ledger would be."""
    (folder / LEDGER).parent.mkdir()
    _change(folder / LEDGER, lambda db: db.execute("CREATE TABLE bookmarks (url TEXT)"))


def cut_ledger(share: float) -> Given:
    """Return what makes a ledger of which only the first part is there."""

    def make(folder: Path) -> None:
        ledger_with()(folder)
        content = (folder / LEDGER).read_bytes()
        (folder / LEDGER).write_bytes(content[: int(share * len(content))])

    return make


def begun(content: str = "") -> Given:
    """Return what records the search `wrong` as begun, without a trial; `content` in place of what it is."""

    def make(folder: Path) -> None:
        with Ledger(folder / LEDGER) as ledger:
            search = load_search(folder / "searches" / "wrong.toml")
            ledger.open_search("wrong", search.key, content or search.to_json())

    return make


def ledger_with_a_damaged_page(folder: Path) -> None:
    """Make a ledger that can be opened, and in which one table is not a table any more."""
    ledger_with()(folder)
    db = sqlite3.connect(folder / LEDGER)
    (size,) = db.execute("PRAGMA page_size").fetchone()
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'members'").fetchone()
    db.close()
    with (folder / LEDGER).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def recursive_view(db: sqlite3.Connection) -> None:
    """Let a view that never ends take the place of a table."""
    db.execute("ALTER TABLE members RENAME TO kept")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    columns = "'wrong' AS search, 'ann' AS model, 'd' AS dataset, 'search' AS role, i AS number, 't' AS trial"
    db.execute(f"CREATE VIEW members AS SELECT {columns} FROM ({endless})")  # noqa: S608  # ours


def trigger(db: sqlite3.Connection) -> None:
    """Let a ledger write more than it is told to."""
    db.execute("CREATE TRIGGER t AFTER UPDATE ON searches BEGIN DELETE FROM trials; END")


def looser_table(db: sqlite3.Connection) -> None:
    """Let a table take anything in place of what it is made for."""
    (sql,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'members'").fetchone()
    db.execute("DROP TABLE members")
    db.execute(sql.replace("STRICT", "").replace("INTEGER", "ANYTHING"))


def computing_table(db: sqlite3.Connection) -> None:
    """Let a table compute something of its own whenever it is looked through."""
    (sql,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'members'").fetchone()
    db.execute("DROP TABLE members")
    db.execute(sql.replace("number INTEGER NOT NULL", "number INTEGER NOT NULL CHECK (number < abs(search))"))


def forged(change: str) -> Given:
    """Return what records the search `wrong` with a failed trial, whose rows are then changed by SQL."""

    def make(folder: Path) -> None:
        begun()(folder)
        trial = Trial("cnn", "digits", "0" * 16, {"units": 8}, epochs=1, seed=0)
        with Ledger(folder / LEDGER) as ledger:
            ledger.record(Record(trial, Result("failed", "boom")))
            ledger.add("wrong", SearchTrial("cnn", "digits", "search", 0, trial.id))
        _change(folder / LEDGER, lambda db: db.execute(change))

    return make


def pipe(path: str) -> Given:
    """Return what makes a pipe."""

    def make(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(folder / path)

    return make


def future_version(db: sqlite3.Connection) -> None:
    """Let a ledger be of a version that does not exist yet."""
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Run the search `wrong` elsewhere, as far as others can tell."""
    ledger = Ledger(folder / LEDGER)
    with ledger.sole_runner("wrong"):
        ledger.close()  # so that SQLite's own files are gone before the folder is looked at
        yield


# --- models ---

#: Saves models that Keras loads, by their shapes, and one that carries code.
MODELS = """
import json, zipfile
import keras

def save(name, shape, *answers):
    pixels = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(pixels) if len(shape) == 3 else pixels
    outputs = [keras.layers.Dense(units, activation="softmax")(x) for units in answers]
    keras.Model(pixels, outputs if len(outputs) > 1 else outputs[0]).save(name)

save("small.keras", (8, 8, 1), 3)
save("numbers.keras", (10,), 3)
save("infrared.keras", (8, 8, 4), 3)
save("any_size.keras", (None, None, 1), 3)
save("two_answers.keras", (8, 8, 1), 3, 2)

def spoiled(name, value):
    network = keras.models.load_model("small.keras")
    network.set_weights([array + value for array in network.get_weights()])
    network.save(name)

def described(name, layers):
    with zipfile.ZipFile("small.keras") as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    config = json.loads(parts["config.json"])
    for place, values in layers.items():
        config["config"]["layers"][place]["config"].update(values)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(name, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)

spoiled("nan.keras", float("nan"))
described("hollow.keras", {-1: {"units": 10**11}})
network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.UpSampling2D((3000, 3000))])
network.add(keras.layers.GlobalMaxPooling2D())
network.add(keras.layers.Dense(3, activation="softmax"))
network.save("wide.keras")
pixels = keras.Input((8, 8, 1))
x = keras.layers.Flatten()(keras.layers.Lambda(lambda x: x + 1)(pixels))
keras.Model(pixels, keras.layers.Dense(2)(x)).save("code.keras")
"""


# --- before and after ---

#: Of larger files the size is compared.
_MOST_COMPARED = 10_000_000


def contents(folder: Path) -> dict[str, bytes | str]:
    """Return everything in a folder: files with their bytes, links with their target, folders."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        if "__pycache__" in path.parts:  # Python's own, of a user's module
            continue
        name = str(path.relative_to(folder))
        found[name] = (
            str(path.readlink())
            if path.is_symlink()
            else f"{path.stat().st_size} bytes"
            if path.is_file() and path.stat().st_size > _MOST_COMPARED
            else path.read_bytes()
            if path.is_file()
            else "a folder"
            if path.is_dir()
            else "something else"
        )
    return found
