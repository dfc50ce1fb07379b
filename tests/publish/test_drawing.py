"""Pictures drawn by several processes: the same bytes, and none is lost where a process fails or is killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from matplotlib.figure import Figure

from tuner.contents.sections import Picture
from tuner.publish import drawing
from tuner.publish.drawing import draw_all

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")


@pytest.fixture(autouse=True)
def several_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three processes draw, whatever this machine has and other tests have imported."""
    monkeypatch.setattr(drawing, "available_cores", lambda: 3)
    monkeypatch.setattr(drawing, "_THREADED", ())


def figure(number: int) -> Figure:
    drawn = Figure(figsize=(2, 1))
    drawn.subplots().plot([0, number, 1])
    return drawn


def pictures(count: int, before: Callable[[int], object] = lambda _: None) -> list[Picture]:
    """Return pictures, before each of which is drawn something is done with its number."""

    def draw(number: int) -> Figure:
        before(number)
        return figure(number)

    return [Picture("curve", f"{n}.png", f"Curve {n}", lambda n=n: draw(n)) for n in range(count)]  # type: ignore[misc]


def drawn(those: list[Picture]) -> list[bytes | None]:
    """Return the pictures that are drawn, without drawing any."""
    return [vars(picture).get("png") for picture in those]


def children() -> set[str]:
    """Return the processes that this one has forked and not yet taken leave of."""
    return {child for task in Path("/proc/self/task").glob("*/children") for child in task.read_text().split()}


def pipes() -> int:
    """Return how many ends of pipes this process holds."""
    return sum(
        str(file.readlink()).startswith("pipe:") for file in Path("/proc/self/fd").iterdir() if file.is_symlink()
    )


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    """See that no test leaves a process behind; those of other tests may be there."""
    before = children()
    yield
    assert children() <= before


def ended(process: int) -> bool:
    """Return whether a process has ended, whether or not the system has taken leave of it yet."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] in ("Z", "X")


def test_several_processes_draw_and_give_what_one_would(tmp_path: Path) -> None:
    def note(number: int) -> None:
        (tmp_path / str(number)).write_text(str(os.getpid()))
        time.sleep(0.05)

    those = pictures(9, note)
    draw_all(those)
    assert drawn(those) == [picture.png for picture in pictures(9)]
    assert len({file.read_text() for file in tmp_path.iterdir()}) == 3


def test_what_a_process_that_fails_or_dies_has_not_sent_is_drawn_when_it_is_asked_for() -> None:
    here = os.getpid()

    def die(number: int) -> None:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL) if number % 2 else os._exit(1)
        time.sleep(0.1)

    those = pictures(6, die)
    draw_all(those)
    assert None in drawn(those)
    assert [picture.png for picture in those] == [picture.png for picture in pictures(6)]


def test_a_picture_that_cannot_be_drawn_fails_where_it_is_asked_for() -> None:
    here = os.getpid()

    def fail(number: int) -> None:
        if number == 1 and os.getpid() != here:
            raise RuntimeError("no such curve")
        time.sleep(0.1)

    those = pictures(6, fail)
    draw_all(those)
    assert sum(picture is None for picture in drawn(those)) <= 1
    assert [picture.png for picture in those] == [picture.png for picture in pictures(6)]

    def always(number: int) -> None:
        if number == 0:
            raise RuntimeError("no such curve")

    with pytest.raises(RuntimeError, match="no such curve"):
        draw_all(pictures(3, always))
        _ = [picture.png for picture in pictures(3, always)]


def test_an_interrupt_leaves_no_process_behind() -> None:
    here = os.getpid()

    def interrupt(_: int) -> None:
        if os.getpid() == here:
            raise KeyboardInterrupt
        time.sleep(20)

    with pytest.raises(KeyboardInterrupt):
        draw_all(pictures(6, interrupt))


def test_a_process_ends_with_the_one_that_asked_so_that_no_lock_outlives_it(tmp_path: Path) -> None:
    def wait(number: int) -> None:
        (tmp_path / f"{os.getpid()}").touch()
        time.sleep(20)

    asking = os.fork()
    if not asking:
        draw_all(pictures(6, wait))
        os._exit(0)
    while len(list(tmp_path.iterdir())) < 3:
        time.sleep(0.01)
    os.kill(asking, signal.SIGKILL)
    os.waitpid(asking, 0)
    others = [int(file.name) for file in tmp_path.iterdir() if file.name != str(asking)]
    assert len(others) == 2
    while not all(ended(process) for process in others):
        time.sleep(0.01)


def test_where_the_system_has_no_room_for_more_processes_those_that_are_there_draw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fork, before, forked = os.fork, pipes(), []

    def once() -> int:
        if forked:
            raise BlockingIOError("Resource temporarily unavailable")
        forked.append(True)
        return fork()

    monkeypatch.setattr(os, "fork", once)
    those = pictures(4)
    draw_all(those)
    assert drawn(those) == [picture.png for picture in pictures(4)]
    assert pipes() == before


@pytest.mark.parametrize("why", ["one core", "one picture", "threads of TensorFlow", "another system"])
def test_where_nothing_can_be_forked_nothing_is_drawn_yet(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    those = pictures(1 if why == "one picture" else 3)
    if why == "one core":
        monkeypatch.setattr(drawing, "available_cores", lambda: 1)
    if why == "threads of TensorFlow":
        monkeypatch.setattr(drawing, "_THREADED", ("tensorflow",))
        monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
    if why == "another system":
        monkeypatch.setattr(sys, "platform", "darwin")
    draw_all(those)
    assert drawn(those) == [None] * len(those)


def test_what_is_drawn_is_not_drawn_again() -> None:
    those = pictures(3)
    before = [picture.png for picture in those]

    def fail(_: int) -> None:
        raise AssertionError("drawn again")

    again = pictures(3, fail)
    for picture, png in zip(again, before, strict=True):
        vars(picture)["png"] = png
    draw_all(again)
    assert drawn(again) == before
