"""Where JAX keeps machine code: in a folder that nobody but this user may write to, or nowhere."""

from __future__ import annotations

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


def test_where_there_can_be_none_nothing_is_kept(home: Path) -> None:
    home.write_text("no folder")
    assert compile_cache() is None
