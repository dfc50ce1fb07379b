"""The digits search on a Ray cluster of three nodes: the same tables as here, whatever becomes of nodes and driver."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray_nodes import nodes, running_tasks
from small_project import descendants, recorded, start, tuner, wait_for
from timeless import differing, without_times

import tuner as package

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(1800)]

SEARCH_TRIALS = 15
BUDGET = ("--epochs", "1", "--train-size", "200", "--test-size", "200", "--repeats", "2")
SHORTER = {"dropout = [0.0, 0.3]": "dropout = 0.3", "[32, 64, 128]": "[32, 64]", "[8, 16, 32]": "[8, 16]"}
DIGITS = Path(__file__).parents[2] / "searches" / "digits.toml"


def project(folder: Path) -> Path:
    """Make a project with the digits search, of which fifteen trials are left: enough for all that happens here."""
    (folder / "searches").mkdir(parents=True)
    text = DIGITS.read_text(encoding="utf-8")
    for whole, shorter in SHORTER.items():
        assert whole in text
        text = text.replace(whole, shorter)
    (folder / "searches" / "digits.toml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The search as this machine's own processes run it."""
    folder = project(tmp_path_factory.mktemp("here"))
    run = tuner(folder, "run", "digits", *BUDGET, drawn=True)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def no_shared_disk() -> Iterator[None]:
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("only root can hide folders from a process")
    yield


def test_without_a_shared_disk_it_ends_with_the_same_tables_and_models(
    tmp_path: Path, here: Path, no_shared_disk: None
) -> None:
    folder = project(tmp_path / "far")
    own_code = Path(package.__file__).parent  # which has to travel, too
    with nodes(3, hidden=[folder, own_code]) as cluster:
        run = tuner(folder, "run", "digits", *BUDGET, "--executor", "ray", "--address", cluster.address, drawn=True)
    assert run.returncode == 0, run.stderr
    assert f"search: {SEARCH_TRIALS} trials, 3 at a time on 3 nodes" in run.stderr
    last = next(line for line in run.stderr.splitlines() if line.startswith(f"search: {SEARCH_TRIALS}/"))
    counts = [int(part.rpartition(" ")[2]) for part in last.partition(", on ")[2].split(", ")]
    assert len(counts) >= 2  # one that is slow may come too late for so few trials
    assert sum(counts) == SEARCH_TRIALS
    assert differing(without_times(folder / "reports"), without_times(here / "reports")) == []
    assert len(list((folder / "runs" / "models").glob("*.keras"))) == 4
    assert not list((folder / "runs" / "models").glob(".partial*"))
    assert tuner(folder, "verify", "digits").returncode == 0


def test_nodes_and_drivers_come_and_go_and_it_ends_with_the_same_tables(tmp_path: Path, here: Path) -> None:
    folder = project(tmp_path / "near")
    with nodes(3) as cluster:
        command = ("run", "digits", *BUDGET, "--executor", "ray", "--address", cluster.address)
        driver = start(folder, *command)
        wait_for(lambda: recorded(folder) >= 4)
        cluster.kill()
        wait_for(lambda: "the node that it ran on went away" in driver.errors_so_far())
        assert "again: trial" in driver.errors_so_far()
        driver.send_signal(signal.SIGSTOP)  # so that the other nodes leave something for the new one
        cluster.add()
        driver.send_signal(signal.SIGCONT)
        more = recorded(folder)
        wait_for(lambda: recorded(folder) >= more + 2)
        os.killpg(driver.pid, signal.SIGKILL)
        out, _ = driver.communicate()
        assert out == ""  # where Ray would tell of the dead node
        left = recorded(folder)
        assert left <= SEARCH_TRIALS - 3

        wait_for(lambda: not running_tasks(cluster.address))  # those of the killed driver
        driver = start(folder, *command)
        wait_for(lambda: len(running_tasks(cluster.address)) == 3)
        driver.send_signal(signal.SIGINT)
        _, err = driver.communicate(timeout=600)
        assert driver.returncode == 130
        assert "nothing that finished is lost" in err
        assert descendants(driver.pid) == []
        wait_for(lambda: not running_tasks(cluster.address))

        left = recorded(folder)
        again = tuner(folder, *command, drawn=True)
    assert again.returncode == 0, again.stderr
    assert f", {left} from before" in again.stderr
    assert "failed" not in again.stderr
    assert differing(without_times(folder / "reports"), without_times(here / "reports")) == []
