"""Where JAX keeps machine code: in a folder that nobody but this user may write to, or nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuner.worker.surroundings import compile_cache


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path / "home"


def test_it_is_in_the_users_folder_for_caches(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compile_cache() == home / ".cache" / "tunetable" / "compiled"
    assert (home / ".cache" / "tunetable" / "compiled").stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert compile_cache() == tmp_path / "caches" / "tunetable" / "compiled"
    monkeypatch.setenv("XDG_CACHE_HOME", "runs")  # a relative one counts as none, by its own specification
    assert compile_cache() == home / ".cache" / "tunetable" / "compiled"


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_what_others_may_write_to_is_not_used(home: Path, mode: int) -> None:
    folder = compile_cache()
    assert folder is not None
    folder.chmod(mode)
    assert compile_cache() is None


@pytest.mark.parametrize(("mode", "used"), [(0o777, False), (0o1777, True), (0o700, True)])
def test_nor_where_others_may_put_a_folder_of_theirs_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, used: bool
) -> None:
    caches = tmp_path / "caches"
    caches.mkdir()
    caches.chmod(mode)
    monkeypatch.setenv("XDG_CACHE_HOME", str(caches))
    assert (compile_cache() is not None) == used


def test_folders_are_made_for_this_user_alone_whatever_new_files_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = os.umask(0o002)
    try:
        folder = compile_cache()
    finally:
        os.umask(before)
    assert folder is not None
    assert [place.stat().st_mode & 0o777 for place in (folder, folder.parent)] == [0o700, 0o700]


def test_what_was_compiled_first_makes_room(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.worker.surroundings._MOST_COMPILED", 100)
    folder = compile_cache()
    assert folder is not None
    for number in range(6):
        (folder / f"{number}-cache").write_bytes(b"x" * 20)
        os.utime(folder / f"{number}-cache", (1000 + number, 1000 + number))
    assert compile_cache() == folder
    assert sorted(path.name for path in folder.iterdir()) == ["4-cache", "5-cache"]
    assert compile_cache() == folder
    assert len(list(folder.iterdir())) == 2, "there is room"


def test_where_there_can_be_none_nothing_is_kept(home: Path) -> None:
    home.write_text("no folder")
    assert compile_cache() is None
