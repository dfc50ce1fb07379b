"""What a run tells of itself: whole, not too often, checked as it is read, and of no run before this one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tuner.running.status import Status, StatusFile, read_status

STATUS = Status("search", 7, 1, 0, 0, 2, (60.0, 90.5), 1_000_000_000.0)


def test_it_is_read_as_it_was_told_but_of_an_earlier_run_not_at_all(tmp_path: Path) -> None:
    file = StatusFile(tmp_path / "progress", "small#2")
    assert read_status(tmp_path / "progress", "small#2", 0.0) is None
    file.tell(STATUS)
    assert read_status(tmp_path / "progress", "small#2", STATUS.at) == STATUS
    assert read_status(tmp_path / "progress", "small#2", STATUS.at + 1) is None
    file.tell(replace(STATUS, done=2))  # a moment later
    assert read_status(tmp_path / "progress", "small#2", 0.0) == STATUS
    file.tell(replace(STATUS, done=7, left=None), at_once=True)
    assert read_status(tmp_path / "progress", "small#2", 0.0) == replace(STATUS, done=7, left=None)


@pytest.mark.parametrize("text", ["", "{}", '{"what": "lunch"}', "[" * 10_000])
def test_what_no_run_wrote_is_passed_over(tmp_path: Path, text: str) -> None:
    StatusFile(tmp_path / "progress", "small").tell(STATUS)
    (path,) = (tmp_path / "progress").iterdir()
    path.write_text(text)
    assert read_status(tmp_path / "progress", "small", 0.0) is None
