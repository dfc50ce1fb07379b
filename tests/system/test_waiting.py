"""What takes long is said: by whom it is done, to whom it is of use, and never where answers go."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import keras
import pytest
from PIL import Image

from tuner.system.waiting import counting, doing, heard_by


def test_what_takes_long_is_said_once_and_what_does_not_is_not() -> None:
    heard: list[str] = []
    told = threading.Event()

    def say(what: str, again: bool) -> None:
        assert not again
        heard.append(what)
        told.set()

    with heard_by(say, 0.01), doing("all"):
        assert told.wait(600)
    with heard_by(say, 1000), doing("a little"):
        pass
    with doing("what nobody listens to"):
        pass
    assert heard == ["all"]


def test_how_far_it_is_is_said_again_and_again_in_the_place_of_what_was_said_before() -> None:
    heard: list[tuple[str, bool]] = []
    told = threading.Semaphore(0)

    def say(what: str, again: bool) -> None:
        heard.append((what, again))
        told.release()

    with heard_by(say, 0.01), counting("reading 4 images", 4) as count:
        assert told.acquire(timeout=600)
        count()
        before = len(heard)
        while ": 25% done" not in heard[-1][0] or len(heard) < before + 2:
            assert told.acquire(timeout=600)
    assert heard[0] == ("reading 4 images: 0% done", False)
    assert all(again for _, again in heard[1:])
    assert re.fullmatch(r"reading 4 images: 25% done, about [0-9,]+ s left", heard[-1][0])
    ended = len(heard)
    assert ended > before
    with heard_by(say, 1000), counting("a little", 1) as count:
        count()
    with counting("what nobody listens to", 1) as count:
        count()
    assert len(heard) == ended


@pytest.mark.slow
def test_a_command_says_on_the_terminal_what_it_waits_for_and_not_in_its_answer(tmp_path: Path) -> None:
    pixels = keras.Input((8, 8, 1))
    answer = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(pixels))
    keras.Model(pixels, answer).save(tmp_path / "model.keras")
    Image.new("L", (8, 8), 7).save(tmp_path / "x.png")
    terminal, theirs = pty.openpty()
    ran = subprocess.Popen(  # by no fork, which would have Keras already
        [sys.executable, "-m", "tuner", "predict", "model.keras", "x.png"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    out, _ = ran.communicate(timeout=600)
    said = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert ran.returncode == 0, said
    assert "importing Keras …" in said
    assert out.startswith("x.png: ")
    assert out.count("\n") == 1
