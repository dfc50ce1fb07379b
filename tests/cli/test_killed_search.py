"""A search through the command line that is killed, asked to stop, or started twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_project import (
    SEARCH_TRIALS,
    descendants,
    make_project,
    really_start,
    recorded,
    start,
    trials,
    tuner,
    wait_for,
    workers,
)
from timeless import differing, without_times

pytestmark = pytest.mark.slow


class TestAKilledSearch:
    def test_goes_on_and_ends_as_if_nothing_had_happened(
        self, finished: Path, tmp_path: Path, blobs_file: Path
    ) -> None:
        """Kills of workers, then of the main process and of a worker, at random moments; then the same to the end.

        The workers are killed three times: between two trials a kill costs none, so that one is not enough.
        """
        folder = make_project(tmp_path / "killed", blobs_file)
        main = start(folder, "run", "small", "--workers", "1")
        for count in (1, 2, 3):
            wait_for(lambda: recorded(folder) >= count)  # noqa: B023
            for worker in reversed(workers(main.pid)):  # the spare one first, else the trial moves there and dies twice
                with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                    os.kill(worker, signal.SIGKILL)
                wait_for(lambda: worker not in workers(main.pid))  # noqa: B023
        wait_for(lambda: "again: trial" in main.errors_so_far() or main.poll() is not None)
        main.kill()
        _, errors = main.communicate()
        assert "again: trial" in errors
        assert "SIGKILL" in errors
        half_written = folder / "runs" / "models" / f".partial-{worker}-0123.keras"
        half_written.parent.mkdir(exist_ok=True)
        half_written.touch()
        rng = random.Random(11)  # noqa: S311
        kills = 0
        for attempt in range(4):
            before = recorded(folder)
            main = start(folder, "run", "small", "--workers", "2")
            # Sometimes before the next trial has finished, sometimes right after it or a moment later.
            target = before + rng.randrange(2)
            wait_for(lambda: main.poll() is not None or (recorded(folder) >= target and workers(main.pid)))  # noqa: B023
            time.sleep(rng.uniform(0, 0.3))
            if main.poll() is not None:
                break
            if attempt == 2:
                for worker in workers(main.pid)[:1]:
                    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                        os.kill(worker, signal.SIGKILL)
                time.sleep(rng.uniform(0, 0.3))
            main.kill()
            main.communicate()
            kills += 1
        assert kills >= 3
        ended = tuner(folder, "run", "small", "--workers", "2", drawn=True)
        assert ended.returncode == 0, ended.stderr
        assert not half_written.exists()
        assert trials(folder) == trials(finished)
        database = sqlite3.connect(folder / "runs" / "ledger.sqlite")
        assert database.execute("SELECT count(*) FROM trials").fetchone() == (SEARCH_TRIALS + 4,)
        assert differing(without_times(folder / "reports"), without_times(finished / "reports")) == []
        assert not list((folder / "runs" / "models").glob(".partial*"))

    @pytest.mark.parametrize(("number", "begin"), [(signal.SIGINT, really_start), (signal.SIGTERM, start)])
    def test_says_how_to_go_on_when_it_is_asked_to_stop(
        self, tmp_path: Path, blobs_file: Path, number: signal.Signals, begin: Callable[..., Any]
    ) -> None:
        folder = make_project(tmp_path / "stopped", blobs_file)
        main = begin(folder, "run", "small", "--epochs", "5000", "--workers", "1")
        wait_for(lambda: len(descendants(main.pid)) >= 3)  # a worker beside its server and the tracker
        main.send_signal(number)
        try:
            _, errors = main.communicate(timeout=600)
        finally:
            main.kill()
        assert main.returncode == 130
        assert "tuner run small --epochs 5000 --workers 1" in errors.splitlines()[-1]
        assert "Traceback" not in errors
        wait_for(lambda: not descendants(main.pid))  # the server of workers notices a moment later

    def test_cannot_be_started_twice_at_once(self, tmp_path: Path, blobs_file: Path) -> None:
        folder = make_project(tmp_path / "twice", blobs_file)
        first = start(folder, "run", "small", "--epochs", "200")
        holder = folder / "runs" / "locks" / "small.holder"
        wait_for(lambda: holder.is_file() and bool(holder.read_text()))
        second = tuner(folder, "run", "small", "--epochs", "200")
        first.kill()
        first.communicate()
        assert second.returncode == 2
        assert f"is being run by process {first.pid}" in second.stderr
