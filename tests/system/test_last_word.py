"""A small process has the last word of one that ends past Python, and none of one that ends by itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

BEGINS = """
import os, signal, sys
from pathlib import Path
from tuner.system.last_word import LastWord
word = LastWord("nothing is lost")
word.sweeps(Path("a"))
word.sweeps(Path("gone"))
Path("a").mkdir()
Path("b").mkdir()
for place in ("a", "b"):
    Path(place, f".partial-{os.getpid()}-x").touch()
"""


def ended(folder: Path, ending: str) -> subprocess.CompletedProcess[str]:
    """Run a process to its end, and until nobody has its streams any more."""
    return subprocess.run(
        [sys.executable, "-c", BEGINS + ending],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    "ending",
    ["os._exit(1)", "os.kill(os.getpid(), signal.SIGKILL)", "os.killpg(os.getpid(), signal.SIGTERM)", "os.abort()"],
)
def test_a_process_that_ends_past_python_has_its_last_word_said_and_its_half_written_files_removed(
    tmp_path: Path, ending: str
) -> None:
    ran = ended(tmp_path, ending)
    assert ran.returncode != 0
    assert (ran.stdout, ran.stderr.splitlines()[-1]) == ("", "tuner: nothing is lost")
    assert not list((tmp_path / "a").iterdir())
    assert len(list((tmp_path / "b").iterdir())) == 1, "it is told where to look"


def test_one_that_has_closed_it_has_none(tmp_path: Path) -> None:
    ran = ended(tmp_path, "word.close(); os._exit(0)")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert len(list((tmp_path / "a").iterdir())) == 1


def test_one_whose_small_process_was_killed_ends_as_it_would_have(tmp_path: Path) -> None:
    killed = f"os.kill(word._process.pid, {signal.SIGKILL:d}); word._process.wait(); word.sweeps(Path('b'))"
    ran = ended(tmp_path, f"{killed}; word.close(); os._exit(0)")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
