"""The digits search on a Ray cluster without a shared disk: the same tables as here, whatever nodes and driver do."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from ray_nodes import nodes, running_tasks
from small_project import descendants, recorded, start, tuner, wait_for
from timeless import differing, without_times

import tuner as package

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(1800)]

SEARCH_TRIALS = 10
BUDGET = ("--epochs", "1", "--train-size", "200", "--test-size", "200", "--repeats", "1")
SHORTER = {
    "dropout = [0.0, 0.3]": "dropout = 0.3",
    "[32, 64]": "32",
    "[32, 64, 128]": "[32, 64]",
    "[8, 16, 32]": "[8, 16]",
}
DIGITS = Path(__file__).parents[2] / "searches" / "digits.toml"


def project(folder: Path) -> Path:
    """Make a project with the digits search, of which ten trials are left: enough for all that happens here."""
    (folder / "searches").mkdir(parents=True)
    text = DIGITS.read_text(encoding="utf-8")
    for whole, shorter in SHORTER.items():
        assert whole in text
        text = text.replace(whole, shorter)
    (folder / "searches" / "digits.toml").write_text(text)
    return folder


def hidden(folder: Path) -> list[Path]:
    """Return what nodes are not to see: the project and this package's code, which have to travel; needs to be root."""
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        return []
    return [folder, Path(package.__file__).parent]


def test_nodes_and_drivers_come_and_go_and_it_ends_with_the_same_tables_and_models(tmp_path: Path) -> None:
    """All of it in one search, since most of what a cluster takes is to start processes, for each driver anew.

    A whole search on nodes that see the disk is in `test_ray_killed.py`.
    """
    here, folder = project(tmp_path / "here"), project(tmp_path / "far")
    with nodes(2, hidden(folder)) as cluster:
        command = ("run", "digits", *BUDGET, "--executor", "ray", "--address", cluster.address)
        driver = start(folder, *command)
        wait_for(lambda: recorded(folder) >= 2 or driver.poll() is not None)
        assert f"search: {SEARCH_TRIALS} trials, 2 at a time on 2 nodes" in driver.errors_so_far()
        cluster.kill()
        wait_for(lambda: "the node that it ran on went away" in driver.errors_so_far())
        assert "again: trial" in driver.errors_so_far()
        driver.send_signal(signal.SIGSTOP)  # so that the other node leaves something for the new one
        cluster.add()
        driver.send_signal(signal.SIGCONT)
        more = recorded(folder)
        wait_for(lambda: recorded(folder) >= more + 2)
        os.killpg(driver.pid, signal.SIGKILL)
        out, _ = driver.communicate()
        assert out == ""  # where Ray would tell of the dead node
        left = recorded(folder)
        assert left <= SEARCH_TRIALS - 2

        wait_for(lambda: not running_tasks(cluster.address))  # those of the killed driver
        driver = start(folder, *command)
        wait_for(lambda: len(running_tasks(cluster.address)) == 2)
        driver.send_signal(signal.SIGINT)
        _, err = driver.communicate(timeout=600)
        assert driver.returncode == 130
        assert "nothing that finished is lost" in err
        assert descendants(driver.pid) == []
        wait_for(lambda: not running_tasks(cluster.address))

        left = recorded(folder)
        again = tuner(folder, *command)
    assert again.returncode == 0, again.stderr
    assert f", {left} from before" in again.stderr
    assert "failed" not in again.stderr
    last = next(line for line in again.stderr.splitlines() if line.startswith(f"search: {SEARCH_TRIALS}/"))
    counts = [int(part.rpartition(" ")[2]) for part in last.partition(", on ")[2].split(", ")]
    assert sum(counts) == SEARCH_TRIALS - left
    with contextlib.closing(sqlite3.connect(folder / "runs" / "ledger.sqlite")) as database:
        (on,) = database.execute("SELECT count(DISTINCT node) FROM trials").fetchone()
    assert on >= 2
    alone = tuner(here, "run", "digits", *BUDGET)
    assert alone.returncode == 0, alone.stderr
    assert differing(without_times(folder / "reports"), without_times(here / "reports")) == []
    assert len(list((folder / "runs" / "models").glob("*.keras"))) == 2
    assert not list((folder / "runs" / "models").glob(".partial*"))
    assert tuner(folder, "verify", "digits").returncode == 0
