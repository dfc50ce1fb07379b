"""Ray's own processes killed under a search: a line says how to go on, nothing half written stays, and it goes on."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_project import make_project, recorded, start, trials, tuner, wait_for

from benchmarks.chaos.processes import rays_processes

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(1800)]


#: So many that a run, which goes on for seconds after Ray's head has died, is not over by then.
EPOCHS = "60"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    """The search as it ends when nobody kills anything."""
    folder = make_project(tmp_path_factory.mktemp("undisturbed") / "p", blobs_file)
    run = tuner(folder, "run", "small", "--workers", "2", "--epochs", EPOCHS)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def place() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield folder  # sockets have short names


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("raylet", "its process on this machine, the raylet, has died"),
        ("head", "its GCS, has died"),
        ("agents", "died|dies"),  # Ray may end the run sooner than it can see that the raylet ends
    ],
)
def test_the_run_ends_in_a_line_and_the_next_goes_on(
    tmp_path: Path, undisturbed: Path, blobs_file: Path, place: str, what: str, said: str
) -> None:
    folder = make_project(tmp_path / "p", blobs_file)
    short = {"RAY_TMPDIR": place, "RAY_gcs_rpc_server_reconnect_timeout_s": "15"}
    command = ("run", "small", "--executor", "ray", "--workers", "1", "--epochs", EPOCHS)
    for _ in range(3):  # on a busy machine a part of Ray may wait for another in vain
        run = start(folder, *command, env=short)
        wait_for(lambda run=run: recorded(folder) >= 1 or run.poll() is not None)  # type: ignore[misc]
        if run.poll() is None:
            break
        assert "tuner: Ray: did not start" in run.errors_so_far()
    wait_for(lambda: bool(rays_processes(Path(place), what)))
    for process in rays_processes(Path(place), what):
        with contextlib.suppress(ProcessLookupError):  # with the others
            os.kill(process, signal.SIGKILL)
    assert run.poll(600) is not None
    wait_for(lambda: "tuner: " in run.errors_so_far(), 600)  # said after the end, where Ray ends the run
    _, err = run.communicate()
    assert run.poll() == 1, err
    last = err.splitlines()[-1]
    assert last.startswith("tuner: Ray: "), err
    assert re.search(said, last), err
    assert err.count("tuner: ") == 1, err
    assert last.endswith("start again: nothing that finished is lost")
    assert "Traceback" not in err
    again = tuner(folder, "run", "small", "--workers", "2", "--epochs", EPOCHS)
    assert again.returncode == 0, again.stderr
    assert "from before" in again.stderr
    assert not list(folder.rglob(".partial*"))
    assert trials(folder) == trials(undisturbed)
