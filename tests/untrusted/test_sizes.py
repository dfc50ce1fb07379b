"""Files are read as far as they may reach, and pipes and devices not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuner.errors import InputError
from tuner.untrusted.sizes import MOST_DATA, amount, most_data, read_at_most, size_of


def test_a_file_of_the_size_is_read_and_a_larger_one_is_not(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_at_most(path, 5) == b"12345"
    with pytest.raises(InputError, match=r"x: is larger than 4 bytes"):
        read_at_most(path, 4)


def test_a_huge_file_is_refused_without_reading_it(tmp_path, peak_memory):
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate(10**12)
    with peak_memory(1_000_000), pytest.raises(InputError, match="is larger than 1 MB"):
        read_at_most(path, 10**6)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_may_never_end_is_not_opened(tmp_path, make):
    make(tmp_path / "x")
    for read in (size_of, lambda path: read_at_most(path, 10)):
        with pytest.raises(InputError, match="x: is not a file; pipes, devices and folders are not read"):
            read(tmp_path / "x")


def test_what_has_become_a_pipe_since_it_was_looked_at_is_not_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "x")
    monkeypatch.setattr("tuner.untrusted.sizes.size_of", lambda path: 0)
    with pytest.raises(InputError, match="x: is not a file"):
        read_at_most(tmp_path / "x", 10)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"x: cannot be read \(No such file or directory\)"):
        read_at_most(tmp_path / "x", 10)


def test_a_data_set_may_take_no_more_than_there_is_memory(monkeypatch):
    assert 0 < most_data() <= MOST_DATA
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}[name])
    assert most_data() == 4_096_000


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (16 * 10**9, "16 GB"), (6 * 10**18, "6,000,000,000 GB")],
)
def test_amounts_are_written_as_people_read_them(size, text):
    assert amount(size) == text
