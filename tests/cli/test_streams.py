"""Standard streams that are closed, that nobody reads or whose disk is full: no command ends with them."""

from __future__ import annotations

import io
import itertools
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, cast

import numpy as np
import pytest
from command_line import clean_environment
from PIL import Image
from rich.console import Console
from small_project import ONE_TRIAL, make_project, recorded, server

from tuner.running.progress import ProgressReport
from tuner.system.streams import lasting

HELPERS = Path(__file__).parents[1] / "helpers"
STATES = ("", "closed", "broken", "full")
#: Every combination of closed and broken streams; a stream of input has no disk.
ALL = [
    {number: state for number, state in enumerate(states) if state}
    for states in itertools.product(("", "closed"), STATES, STATES)
]
#: Those in which each stream alone, or all of them, are as bad as can be.
SOME = [*({1: state} for state in STATES[1:]), *({2: state} for state in STATES[1:])]
SOME += [{0: "closed", 1: "closed", 2: "closed"}, {0: "closed", 1: "broken", 2: "broken"}, {1: "full", 2: "full"}]
#: Between them every state of every stream, for what takes long: nothing that writes to one of them asks for another.
FEW = [{1: "full"}, *SOME[-3:]]


def named(streams: dict[int, str]) -> str:
    return " ".join(f"{number}-{state}" for number, state in streams.items()) or "none"


def run(folder: Path, streams: dict[int, str], *arguments: str) -> tuple[int, str, str]:
    command = server().start(folder, *arguments, environment=clean_environment(folder), streams=streams, drawn=False)
    out, err = command.communicate()
    assert "Traceback" not in out + err
    assert "Error" not in err
    return command.poll() or 0, out, err


@pytest.fixture(scope="module")
def project(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("streams") / "p"))
    image = np.load(folder / "searches" / "blobs.npz")["x_test"][0]
    Image.fromarray(image).save(folder / "a.png")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "streams"),
    [
        *itertools.product(("list", "results none", "--help"), ALL),
        *itertools.product([f"results small{format}" for format in ("", " --format csv", " --format json")], SOME),
    ],
    ids=lambda given: given if isinstance(given, str) else named(given),
)
def test_a_command_has_its_exit_code_whatever_its_streams_are(
    project: Path, arguments: str, streams: dict[int, str]
) -> None:
    code, out, _ = run(project, streams, *arguments.split())
    if "none" in arguments:
        assert code == 2
    else:
        assert code == (streams.get(1) == "full")
        assert bool(out) == (1 not in streams)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "streams"),
    [
        *itertools.product(("compare small",), SOME),
        *itertools.product(("space small", "predict reports/small/ann-blobs.keras a.png"), FEW),
        *itertools.product(("report small", "verify small"), FEW),
    ],
    ids=lambda given: given if isinstance(given, str) else named(given),
)
def test_so_has_one_that_takes_its_time(project: Path, arguments: str, streams: dict[int, str]) -> None:
    kept_elsewhere = arguments.startswith("report")
    code, _, err = run(project, streams, *arguments.split())
    assert code == (streams.get(1) == "full" and not kept_elsewhere)
    if streams.get(1) == "full" and 2 not in streams:
        assert err.splitlines() == ["tuner: standard output: cannot be written to (No space left on device)"]


@pytest.mark.slow
@pytest.mark.parametrize("streams", SOME[-2:], ids=named)  # all closed ones are those of a real shell, below
def test_a_search_comes_to_its_end_and_exits_with_its_own_code(
    tmp_path: Path, blobs_file: Path, streams: dict[int, str]
) -> None:
    folder = make_project(tmp_path / "p", blobs_file, ONE_TRIAL)
    code, out, err = run(folder, streams, "run", "small", "--workers", "1")
    assert code == 0
    assert recorded(folder) == 2
    assert (folder / "reports" / "small" / "report.md").is_file()
    assert ("report: reports/small/report.md" in out) == (1 not in streams)
    assert ("retraining: 1/1" in err) == (2 not in streams)
    assert not list(folder.rglob(".partial*"))
    wrong = make_project(tmp_path / "wrong", blobs_file, ONE_TRIAL.replace("epochs = 1", "epochs = 0"))
    assert run(wrong, streams, "run", "small")[0] == 2


@pytest.mark.slow
@pytest.mark.parametrize("streams", SOME[:-3], ids=named)
def test_one_that_has_nothing_left_to_train_does_so_too(copied: Path, streams: dict[int, str]) -> None:
    report = copied / "reports" / "small" / "report.md"
    before = report.read_bytes()
    report.unlink()
    code, out, err = run(copied, streams, "run", "small", "--workers", "1")
    assert code == 0
    assert report.read_bytes() == before
    assert ("report: reports/small/report.md" in out) == (1 not in streams)
    assert ("from before" in err) == (2 not in streams)


#: What `python -m tuner` does, with each picture of a report a single pixel, since to draw them takes most of its time.
#: Nothing that it imports for that keeps a file open, which would take the place of a closed stream.
UNDRAWN = """
import runpy, sys
sys.path.insert(0, sys.argv.pop())
from command_line import draw_nothing
draw_nothing()
runpy.run_module("tuner", run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("shell", "trained"), [("{0} <&- >&- 2>&-", False), ("{0} 2>&1 | head -1", True)])
def test_a_search_ends_whole_in_a_real_shell(
    tmp_path: Path, blobs_file: Path, finished: Path, shell: str, trained: bool
) -> None:
    folder = tmp_path / "p"
    if trained:
        shutil.copytree(finished, folder)
    else:
        make_project(folder, blobs_file, ONE_TRIAL)
    report = folder / "reports" / "small" / "report.md"
    report.unlink(missing_ok=True)
    search = shlex.join([sys.executable, "-c", UNDRAWN, "run", "small", "--workers", "1", str(HELPERS)])
    command = f"set -o pipefail; {shell.format(search)}"
    ran = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    if trained:
        assert report.read_bytes() == (finished / "reports" / "small" / "report.md").read_bytes()
    else:
        assert report.is_file()
        assert recorded(folder) == 2
    assert not list(folder.rglob(".partial*"))


def test_letters_that_an_output_lacks_are_written_as_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches" / "x.toml").write_text(
        'title = "–"\ndataset = "digits"\n[training]\nepochs = 1\n[[search]]\nfamily = "ann"\n', encoding="utf-8"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "tuner", "list"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[1].endswith(r"\u2013")


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [None, Broken(), open(os.devnull, "w")], ids=["none", "broken", "closed"])  # noqa: PTH123, SIM115
def test_in_a_script_progress_goes_on_without_a_reader(stream: IO[str] | None) -> None:
    if stream is not None and not isinstance(stream, Broken):
        stream.close()
    console = Console(file=lasting(cast(io.TextIOWrapper, stream)))
    with ProgressReport(console, lambda: "1 at a time") as progress:
        progress.begin("search", 3)
    console.print("still here")
