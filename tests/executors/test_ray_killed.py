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
from small_project import ONE_TRIAL, make_project, recorded, start, trials, tuner, wait_for

from benchmarks.chaos.processes import rays_processes

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(1800)]


#: The costlier network is trained first, that of width 8.
SEARCH = ONE_TRIAL.replace("dense_units = 4", "dense_units = [4, 8]").replace(
    "[training]", '[training]\ncallbacks = "held:make"'
)
#: The other training waits for as long as there is a file, so that no run is over before it has seen what died.
HELD = """
import time
from pathlib import Path
import keras

class Held(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        while Path({hold!r}).exists():
            time.sleep(0.05)

def make(trial):
    return [Held()] if trial.values["dense_units"] == 4 else []
"""


@pytest.fixture(scope="module")
def hold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hold") / "hold"


def project(folder: Path, blobs_file: Path, hold: Path) -> Path:
    made = make_project(folder, blobs_file, SEARCH)
    (made / "searches" / "held.py").write_text(HELD.format(hold=str(hold)))
    return made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path, hold: Path) -> Path:
    """The search as it ends when nobody kills anything."""
    folder = project(tmp_path_factory.mktemp("undisturbed") / "p", blobs_file, hold)
    run = tuner(folder, "run", "small", "--workers", "1")
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def place() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield folder  # sockets have short names


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("head", "its GCS, has died"),
        ("agents", "died|dies"),  # Ray may end the run sooner than it can see that the raylet ends
    ],
)
def test_the_run_ends_in_a_line_and_the_next_goes_on(
    tmp_path: Path, undisturbed: Path, blobs_file: Path, place: str, hold: Path, what: str, said: str
) -> None:
    """The raylet is killed in `tests/benchmarks/test_chaos.py`, under a life that is looked at in the same way."""
    folder = project(tmp_path / "p", blobs_file, hold)
    hold.touch()
    short = {"RAY_TMPDIR": place, "RAY_gcs_rpc_server_reconnect_timeout_s": "15"}
    for _ in range(3):  # on a busy machine a part of Ray may wait for another in vain
        run = start(folder, "run", "small", "--executor", "ray", "--workers", "1", env=short)
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
    assert recorded(folder) == 1
    hold.unlink()
    again = tuner(folder, "run", "small", "--workers", "1")
    assert again.returncode == 0, again.stderr
    assert "from before" in again.stderr
    assert not list(folder.rglob(".partial*"))
    assert trials(folder) == trials(undisturbed)
