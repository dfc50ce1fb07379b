"""What is written stays where it is meant to be, whole; what killed processes left is told by its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from other_process import ended_process

from tuner.errors import InputError
from tuner.system.files import appending_to, folder_inside, partial_of, remove_partials, write_whole
from tuner.untrusted.sizes import sha256_of


def test_what_a_killed_process_left_is_removed_and_what_is_of_a_living_one_or_of_none_stays(tmp_path: Path) -> None:
    dead = ended_process()
    stays = [
        f".partial-{os.getpid()}-x.keras",
        ".partial-99999999999999999999-x.keras",
        ".partial-4294967296-x.keras",
        f".partial-{'9' * 200}-x",
        ".partial-0-x",
        ".partial--1-x",
        ".partial-٣-x",
        ".partial-²-x",
        ".partial-",
        f".partial-{dead}",
    ]
    for name in (*stays, f".partial-{dead}-x.keras"):
        (tmp_path / name).touch()
    (tmp_path / f".partial-{dead}-folder").mkdir()
    remove_partials(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stays)


def test_a_link_that_a_dead_process_left_is_removed_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    (tmp_path / f".partial-{ended_process()}-x").symlink_to(tmp_path / "elsewhere")
    remove_partials(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]
    assert (tmp_path / "elsewhere" / "kept").exists()


@pytest.mark.parametrize("name", ["x", f".partial-{os.getpid()}-x"], ids=["a file", "a part of one"])
def test_a_file_takes_the_place_of_a_link_and_what_that_led_to_stays_as_it_was(tmp_path: Path, name: str) -> None:
    (tmp_path / "other").write_text("another's")
    (tmp_path / name).symlink_to("other")
    write_whole(tmp_path / "x", lambda path: path.write_text("ours"))
    assert (tmp_path / "other").read_text() == "another's"
    assert (tmp_path / "x").read_text() == "ours"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "x"]


def test_what_an_earlier_process_of_the_same_number_left_gives_way(tmp_path: Path) -> None:
    (tmp_path / f".partial-{os.getpid()}-x").mkdir()
    with partial_of(tmp_path / "x") as partial:
        assert not partial.exists()


def test_a_folder_is_made_below_a_link_and_never_through_one(tmp_path: Path) -> None:
    (tmp_path / "big_disk").mkdir()
    (tmp_path / "runs").symlink_to("big_disk")
    assert folder_inside(tmp_path / "runs", "tensorboard", "mine").is_dir()
    assert (tmp_path / "big_disk" / "tensorboard" / "mine").is_dir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs" / "locks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="locks: is a link, and nothing is written through links; remove it"):
        folder_inside(tmp_path / "runs", "locks")


def test_a_log_is_appended_to_and_no_link_pipe_or_device_in_its_place(tmp_path: Path) -> None:
    for text in (b"a", b"b"):
        descriptor = appending_to(tmp_path / "log")
        os.write(descriptor, text)
        os.close(descriptor)
    assert (tmp_path / "log").read_bytes() == b"ab"
    (tmp_path / "link").symlink_to("log")
    with pytest.raises(InputError, match="link: is a link"):
        appending_to(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(InputError, match=f"{name}: is not a file; remove it"):
            appending_to(tmp_path / name)
    assert (tmp_path / "log").read_bytes() == b"ab"


def test_a_hash_is_of_a_file_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256_of(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: is not a file"):
        sha256_of(tmp_path / "pipe")
