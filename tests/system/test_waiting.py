"""What takes long is said: by whom it is done, to whom it is of use, and never where answers go."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import keras
import pytest
from PIL import Image

from tuner.system.waiting import doing, heard_by


def test_what_takes_long_is_said_once_and_what_does_not_is_not() -> None:
    heard: list[str] = []
    told = threading.Event()

    def say(what: str) -> None:
        heard.append(what)
        told.set()

    with heard_by(say, 0.01), doing("all"):
        assert told.wait(10)
    with heard_by(say, 1000), doing("a little"):
        pass
    with doing("what nobody listens to"):
        pass
    assert heard == ["all"]


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
    out, _ = ran.communicate(timeout=280)
    said = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert ran.returncode == 0, said
    assert "importing Keras …" in said
    assert out.startswith("x.png: ")
    assert out.count("\n") == 1
