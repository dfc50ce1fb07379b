"""What may lie in the place of files in `runs/` that a run writes: it is said in a line, or made again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_input import link, own_network, written
from small_project import trials, tuner
from strangers import FILES

from tuner.trial import Trial

OTHER = "27 bytes of another file.\n"


def test_nothing_is_written_through_a_log_of_workers_that_is_a_link(tmp_path: Path) -> None:
    case = own_network("a network that is none", "def build(hp):\n    return 'a net'\n")
    log = "runs/workers.log"
    for given in (*case.given, written("notes.txt", OTHER), link(log, "../notes.txt")):
        given(tmp_path)
    ran = tuner(tmp_path, *case.arguments)
    assert ran.returncode == 2
    said = f"tuner: {log}: is a link, and nothing is written through links; remove it"
    assert [line for line in ran.stderr.splitlines() if line.startswith("tuner: ")] == [said]
    assert "Traceback" not in ran.stderr
    assert (tmp_path / "notes.txt").read_text() == OTHER
    assert (tmp_path / log).is_symlink()


def leads_elsewhere(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parents[2] / "notes.txt")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


KINDS: dict[str, Callable[[Path], object]] = {
    **{name: FILES[name] for name in ("a pipe", "a device", "a folder", "text", "an empty file", "a huge file")},
    "a link": leads_elsewhere,
    "half of it": half,
}
#: What lies in the place of two checkpoints, of two files of kept answers, and of what tells how far the run is.
TOGETHER = (
    ("a pipe", "a device", "a device", "a pipe", "a link"),
    ("a folder", "a link", "a link", "text", "a pipe"),
    ("text", "half of it", "half of it", "an empty file", "a device"),
    ("an empty file", "a huge file", "a huge file", "text", "text"),
)


def begun_again(finished: Path, folder: Path, kinds: tuple[str, ...]) -> Path:
    """Return a copy of a finished project that has lost its search trials, with other things in place of its files."""
    shutil.copytree(finished, folder)
    (folder / "notes.txt").write_text(OTHER)
    runs = folder / "runs"
    (runs / "checkpoints").mkdir(exist_ok=True)
    answers = sorted((runs / "models").glob("*.validation.npz"))
    database = sqlite3.connect(runs / "ledger.sqlite")
    with database:
        contents = [json.loads(text) for (text,) in database.execute("SELECT content FROM trials").fetchall()]
        searched = [trial for trial in (Trial(**content) for content in contents) if trial.role == "search"]
        database.execute("DELETE FROM trials WHERE trial IN (?, ?)", [trial.id for trial in searched])
    database.close()
    checkpoints = [runs / "checkpoints" / f"{trial.course}-1.npz" for trial in searched]
    for checkpoint, answer in zip(checkpoints, answers, strict=True):
        shutil.copy(answer, checkpoint)  # a file of arrays, though none of a checkpoint
    for kind, path in zip(kinds, (*checkpoints, *answers, runs / "progress" / "of-small.json"), strict=True):
        KINDS[kind](path)
    return folder


@pytest.mark.parametrize("kinds", TOGETHER, ids=str)
def test_what_a_run_keeps_beside_its_ledger_is_made_again_whatever_lies_there(
    finished_in_brief: Path, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    folder = begun_again(finished_in_brief, tmp_path / "p", kinds)
    ran = tuner(folder, "run", "small", "--workers", "1")
    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
    assert trials(folder) == trials(finished_in_brief)
    assert (folder / "notes.txt").read_text() == OTHER


def test_a_folder_in_the_place_of_kept_answers_ends_a_run_in_a_line_that_helps(
    finished_in_brief: Path, tmp_path: Path
) -> None:
    kinds = ("text", "text", "a folder", "a folder", "text")
    folder = begun_again(finished_in_brief, tmp_path / "p", kinds)
    for left in (2, 1):
        ran = tuner(folder, "run", "small", "--workers", "1")
        said = [line for line in ran.stderr.splitlines() if line.startswith("tuner: ")]
        assert (ran.returncode, len(said), "Traceback" in ran.stderr) == (1, 1, False), (left, ran.stderr)
        place, separator, remedy = said[0].removeprefix("tuner: ").partition(": Is a directory; ")
        assert place.endswith(".validation.npz"), said
        assert remedy.startswith("move what stands there, and run the search again")
        assert separator
        (folder / place).rename(folder / f"moved {left}")
    ran = tuner(folder, "run", "small", "--workers", "1")
    assert (ran.returncode, trials(folder)) == (0, trials(finished_in_brief)), ran.stderr


@pytest.mark.parametrize("name", ["workers.log", "locks/small.lock"])
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a folder", "a link"])
def test_a_log_or_a_lock_that_is_no_file_is_refused_in_a_line(
    finished_in_brief: Path, tmp_path: Path, name: str, kind: str
) -> None:
    folder = Path(shutil.copytree(finished_in_brief, tmp_path / "p"))
    (folder / "notes.txt").write_text(OTHER)
    KINDS[kind](folder / "runs" / name)
    ran = tuner(folder, "run", "small", "--workers", "1")
    said = [line for line in ran.stderr.splitlines() if line.startswith("tuner: ")]
    assert ran.returncode == 2, ran.stderr
    assert len(said) == 1
    assert said[0].startswith(f"tuner: runs/{name}: is ")
    assert "Traceback" not in ran.stderr
    assert (folder / "notes.txt").read_text() == OTHER
