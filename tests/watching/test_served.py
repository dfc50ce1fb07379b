"""Notes of where searches are watched: found while they are served, by their user alone, and gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tuner.system.scratch import user_folder
from tuner.watching.served import noted, served_at

ADDRESS = "http://127.0.0.1:45123/Abc-123_x/small/"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))


def test_an_address_is_told_as_long_as_it_is_served_and_of_that_search_alone(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert served_at(runs, "small") == []
    with noted(ADDRESS, runs, "small"):
        assert served_at(runs, "small") == [ADDRESS]
        assert served_at(runs, "other") == served_at(tmp_path / "elsewhere", "small") == []
        (note,) = user_folder().iterdir()
        assert note.stat().st_mode & 0o777 == 0o600
    assert served_at(runs, "small") == []
    assert not runs.exists()


def test_the_note_of_a_process_that_was_killed_is_removed(tmp_path: Path) -> None:
    with noted(ADDRESS, tmp_path, "small"):
        (note,) = user_folder().iterdir()
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        note.rename(note.with_name(note.name.replace(f"-{os.getpid()}", f"-{ended.pid}")))
        assert served_at(tmp_path, "small") == []
        assert list(user_folder().iterdir()) == []


@pytest.mark.parametrize("text", ["", "http://elsewhere/x/small/", ADDRESS + "\x1b[2J", "\xff"])
def test_what_is_no_address_of_ours_is_not_told(tmp_path: Path, text: str) -> None:
    with noted(ADDRESS, tmp_path, "small"):
        (note,) = user_folder().iterdir()
        note.write_bytes(text.encode("latin-1"))
        assert served_at(tmp_path, "small") == []


def test_where_no_note_can_be_made_a_search_is_watched_all_the_same(tmp_path: Path) -> None:
    user_folder().chmod(0o777)
    with noted(ADDRESS, tmp_path, "small"):
        assert served_at(tmp_path, "small") == []
