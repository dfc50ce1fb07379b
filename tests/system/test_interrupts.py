"""Requests to stop: when they are heard, when they are held back, and what the command line makes of them."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from small_project import heeds, start, wait_for

from tuner.cli import app
from tuner.system.interrupts import AGAIN_AFTER, INTERRUPTS, Interrupts, held_back

SEARCH = """
title = "x"
dataset = "digits"
[training]
epochs = 1
[[search]]
family = "ann"
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ask(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """A signal that nobody handles would end the tests; a shell may have started them with one ignored."""

    def unheeded(*_: object) -> None:
        raise AssertionError("a signal was heeded by nobody")

    before = {number: signal.signal(number, unheeded) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_an_interrupt_while_it_is_heeded_and_what_it_was_afterwards(number: signal.Signals) -> None:
    interrupts = Interrupts()
    with pytest.raises(KeyboardInterrupt), interrupts.heeded():
        ask(number)
    assert interrupts.asked
    with pytest.raises(AssertionError, match="heeded by nobody"):
        ask(number)


def test_what_was_asked_before_does_not_count_for_the_next_run() -> None:
    interrupts = Interrupts()
    with pytest.raises(KeyboardInterrupt), interrupts.heeded():
        ask()
    with interrupts.heeded(), interrupts.importing():
        pass
    assert not interrupts.asked


def test_a_signal_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interrupts().heeded():
        ask(signal.SIGHUP)


def test_an_import_comes_to_its_end_before_the_interrupt() -> None:
    interrupts, done = Interrupts(), []
    with interrupts.heeded():
        with pytest.raises(KeyboardInterrupt), interrupts.importing():
            with interrupts.importing():
                ask()
                done.append("inner")
            done.append("outer")
        assert done == ["inner", "outer"]


@pytest.mark.parametrize("collects", [True, False])
def test_nothing_is_looked_through_for_garbage_while_modules_are_imported(collects: bool) -> None:
    interrupts = Interrupts()
    try:
        (gc.enable if collects else gc.disable)()
        with pytest.raises(ImportError), interrupts.importing():
            with interrupts.importing():
                assert not gc.isenabled()
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() == collects
    finally:
        gc.enable()


def test_the_next_import_hears_what_an_import_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deaf.py").write_text(
        "import os, signal\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "for name in ('first', 'second'):\n"
        "    try:\n"
        "        __import__('deaf_' + name)\n"
        "    except KeyboardInterrupt:\n"
        "        print(name, flush=True)\n"
        "import never_there\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    interrupts = Interrupts()
    with interrupts.heeded(), pytest.raises(KeyboardInterrupt), interrupts.importing():
        import deaf  # noqa: F401
    assert interrupts not in sys.meta_path


def test_a_request_that_compiled_code_swallowed_is_heard_where_the_work_goes_on() -> None:
    interrupts = Interrupts()
    with interrupts.heeded():
        interrupts.hear()
        with contextlib.suppress(KeyboardInterrupt):
            ask()
        with pytest.raises(KeyboardInterrupt):
            interrupts.hear()
    interrupts.hear()  # which is over


class AsksWhenItIsDeleted:
    def __del__(self) -> None:
        ask()


def asks_in_a_finalizer() -> None:
    AsksWhenItIsDeleted()


def asks_in_the_garbage_collector() -> None:
    def callback(*_: object) -> None:
        gc.callbacks.remove(callback)
        ask()

    gc.callbacks.append(callback)
    gc.collect()


def asks_in_a_callback_of_ctypes() -> None:
    ctypes.CFUNCTYPE(None)(ask)()


@pytest.mark.parametrize("happens", [asks_in_a_finalizer, asks_in_the_garbage_collector, asks_in_a_callback_of_ctypes])
def test_a_request_where_no_exception_gets_through_comes_through_afterwards_and_prints_nothing(
    happens: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    interrupts, told = Interrupts(), sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), interrupts.heeded():
        happens()
        wait_for(lambda: False)
    assert capfd.readouterr().err == ""
    assert sys.unraisablehook is told
    time.sleep(5 * AGAIN_AFTER)  # and it comes once


def test_a_request_that_is_made_again_before_python_has_told_of_the_first_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    started = threading.Timer.start

    def starts_slowly(timer: threading.Timer) -> None:
        started(timer)
        ends = time.monotonic() + 10 * AGAIN_AFTER
        while time.monotonic() < ends:
            pass

    monkeypatch.setattr(threading.Timer, "start", starts_slowly)
    with pytest.raises(KeyboardInterrupt), Interrupts().heeded():
        asks_in_a_finalizer()
        wait_for(lambda: False)
    assert capfd.readouterr().err == ""


def test_a_request_while_python_tells_of_something_else_comes_through_afterwards(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Fails:
        def __del__(self) -> None:
            raise ValueError

    told: list[type[BaseException]] = []

    def hook(ignored: sys.UnraisableHookArgs) -> None:
        told.append(ignored.exc_type)
        ask()
        told.append(ignored.exc_type)  # as if nobody had asked

    monkeypatch.setattr(sys, "unraisablehook", hook)
    with pytest.raises(KeyboardInterrupt), Interrupts().heeded():
        Fails()
        wait_for(lambda: False)
    assert told == [ValueError] * 2
    assert capfd.readouterr().err == ""


def test_what_else_cannot_be_raised_is_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fails:
        def __del__(self) -> None:
            raise ValueError

    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda ignored: told.append(ignored.exc_type))
    with Interrupts().heeded():
        Fails()
    assert told == [ValueError]


def test_whoever_asks_twice_is_not_held_back() -> None:
    interrupts = Interrupts()
    with interrupts.heeded(), interrupts.importing():
        ask()
        with pytest.raises(KeyboardInterrupt):
            ask()
        interrupts.asked = False  # else leaving interrupts again


@pytest.mark.parametrize("number", SIGNALS)
def test_what_is_held_back_comes_to_its_end_and_then_the_signal_comes(number: signal.Signals) -> None:
    interrupts, done = Interrupts(), []
    with interrupts.heeded(), pytest.raises(KeyboardInterrupt), held_back():
        ask(number)
        ask(number)
        assert not interrupts.asked
        done.append("all of it")
    assert done
    assert interrupts.asked
    with pytest.raises(AssertionError, match="heeded by nobody"), held_back():
        ask(number)


def test_nothing_is_held_back_where_signals_are_not_heard() -> None:
    before = signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor() as threads:

        def held() -> bool:
            with held_back():
                return signal.getsignal(signal.SIGINT) is before

        assert threads.submit(held).result()


def becomes_an_import_error() -> None:
    try:
        ask()
    except KeyboardInterrupt as error:
        raise ImportError("initialization failed") from error


def fails() -> None:
    raise ImportError("initialization failed")


def is_held_back() -> None:
    with INTERRUPTS.importing():
        ask()


@pytest.mark.parametrize(
    ("happens", "code"), [(ask, 130), (is_held_back, 130), (becomes_an_import_error, 130), (fails, 1)]
)
def test_a_run_that_is_asked_to_stop_says_how_to_go_on_whatever_foreign_code_makes_of_it(
    happens: Callable[[], None], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SEARCH)
    monkeypatch.setattr("sys.argv", ["tuner", "run", "small.toml"])
    monkeypatch.setattr("tuner.running.search.run_search", lambda *_, **__: happens())
    answer = CliRunner().invoke(app, ["run", str(file)])
    assert answer.exit_code == code
    assert ("Go on with: tuner run small.toml" in answer.output) is (code == 130)
    assert isinstance(answer.exception, SystemExit if code == 130 else ImportError)


def test_the_exit_code_is_130_even_if_the_interrupt_came_while_text_was_executed(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SEARCH)
    (tmp_path / "struck.py").write_text(
        "import sys, tuner.running.search\n"
        "from tuner.__main__ import main\n"
        "kill = 'import os, signal\\nos.kill(os.getpid(), signal.SIGTERM)\\nwhile True: pass'\n"
        "tuner.running.search.run_search = lambda *_, **__: exec(kill)\n"
        "sys.argv[1:] = ['run', 'small.toml']\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-m", "struck"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 130, ran.stderr
    assert "Go on with: tuner run small.toml" in ran.stderr


def write_many_images(folder: Path) -> None:
    """Write so many images that reading them takes seconds; they are one file by many names."""
    folder.mkdir()
    Image.new("L", (64, 64), 100).save(folder / "0.png")
    for number in range(1, 10_000):
        (folder / f"{number}.png").hardlink_to(folder / "0.png")


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    "arguments", ["report small", "verify small", "space small", "predict reports/small/ann-blobs.keras photos"]
)
def test_whatever_command_is_asked_to_stop_says_in_a_line_how_to_begin_again(
    copied: Path, arguments: str, number: signal.Signals
) -> None:
    write_many_images(copied / "photos")
    command = start(copied, *arguments.split())
    wait_for(lambda: heeds(command.pid, signal.SIGTERM))
    time.sleep(0.2)  # while the command line is still imported nothing is said
    command.send_signal(number)
    _, err = command.communicate()
    assert command.poll() == 130, err
    assert err.splitlines() == [f"stopped; nothing that is recorded is lost. Again with: tuner {arguments}"]
    assert not list(copied.rglob(".partial*"))


@pytest.mark.parametrize("where", ["option", "command"])
def test_a_request_in_the_middle_of_reading_the_command_line_is_one_line_too(
    where: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    from tuner.cli.ending import Commands, run_to_its_end

    def asked_at(place: str) -> None:
        if place == where:
            raise KeyboardInterrupt

    @click.group(cls=Commands, invoke_without_command=True)
    @click.option("--option", expose_value=False, callback=lambda *_: asked_at("option"))
    def app() -> None:
        asked_at("command")

    monkeypatch.setattr(sys, "argv", ["tuner", "--option=1"])
    with pytest.raises(SystemExit) as end:
        run_to_its_end(app)
    assert end.value.code == 130
    assert capsys.readouterr().err == "stopped; nothing that is recorded is lost. Again with: tuner --option=1\n"
