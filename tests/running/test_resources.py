"""What a search does where the machine lacks something, and where a user's network does: through the command line."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import KERAS, CommandServer
from small_project import TWO_TRIALS, make_project, recorded, server, start, trials, tuner, wait_for

pytestmark = pytest.mark.slow


#: Of measuring coverage, which writes files, too, and where limits count.
UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


@pytest.fixture
def unmeasured() -> Iterator[CommandServer]:
    if len(UNMEASURED) == len(os.environ):  # nothing is measured
        yield server()
        return
    with CommandServer(KERAS, UNMEASURED) as apart:
        yield apart


def test_files_that_cannot_grow_stop_a_search_in_one_line_and_it_goes_on_when_they_can(
    finished_in_brief: Path, tmp_path: Path, blobs_file: Path, unmeasured: CommandServer
) -> None:
    folder = make_project(tmp_path / "full", blobs_file, TWO_TRIALS)
    stopped: set[str] = set()
    for kilobytes in (2, 8, 25, 45, *[100] * 5):  # data, ledger, models and then the report's pictures do not fit
        if "reports" in stopped:
            break
        limits = {resource.RLIMIT_FSIZE: kilobytes * 1024}
        ran = unmeasured.start(folder, "run", "small", "--workers", "1", environment=UNMEASURED, limits=limits)
        _, errors = ran.communicate()
        assert ran.poll() == 1, (kilobytes, errors)
        assert "Traceback" not in errors
        last = errors.splitlines()[-1]
        assert last.startswith("tuner: ")
        assert "start again: nothing that finished is lost" in last
        stopped.add(last.split(": ")[1].split("/")[0])
    assert stopped == {"runs", "reports"}
    ended = tuner(folder, "run", "small", "--workers", "1")
    assert ended.returncode == 0, ended.stderr
    assert trials(folder) == trials(finished_in_brief)
    tables = "reports/small/per_class.csv"
    assert (folder / tables).read_bytes() == (finished_in_brief / tables).read_bytes()
    left = {file.name for file in folder.rglob(".*")}
    assert not left


@pytest.mark.parametrize("lost", ["data", "an array of them", "half an array"])
def test_data_that_a_run_lost_end_it_in_one_line_and_are_no_trials_fault(
    finished_in_brief: Path, tmp_path: Path, blobs_file: Path, lost: str
) -> None:
    folder = make_project(tmp_path / "p", blobs_file, TWO_TRIALS)
    run = start(folder, "run", "small", "--workers", "1")
    wait_for(lambda: recorded(folder) >= 1)
    (copy,) = (folder / "runs" / "data").iterdir()
    if lost == "data":
        shutil.rmtree(copy)
    elif lost == "an array of them":
        (copy / "y_train.npy").unlink()
    else:
        (copy / "y_test.npy").write_bytes((copy / "y_test.npy").read_bytes()[:-8])
    _, err = run.communicate()
    assert run.poll() == 1, err
    last = err.splitlines()[
        -1
    ]  # by a worker, or by the main process at the end, which names the folder as it was given
    assert last.startswith("tuner: ")
    assert last.endswith(
        f"runs/data/{copy.name}: the data set's copy for workers is missing; "
        "run the search again, which makes it anew: nothing that finished is lost"
    )
    assert "failed" not in err
    again = tuner(folder, "run", "small", "--workers", "1")
    assert again.returncode == 0, again.stderr
    assert trials(folder) == trials(finished_in_brief)


def test_too_few_file_handles_stop_a_search_in_one_line(tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file)
    ran = subprocess.run(  # by no fork: that would have handles of its server
        [sys.executable, "-m", "tuner", "run", "small", "--workers", "2"],
        cwd=folder,
        env=UNMEASURED,
        capture_output=True,
        text=True,
        timeout=600,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)),
        check=False,
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "ulimit -n" in ran.stderr.splitlines()[-1]


def test_a_folder_of_temporary_files_that_is_too_deep_for_sockets_is_named(tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file)
    deep = tmp_path / ("deep" * 20)
    deep.mkdir()
    ran = tuner(folder, "run", "small", "--workers", "1", env={"TMPDIR": str(deep)})
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        f"tuner: TMPDIR: {deep} is too long a path for a socket of processes; set a shorter one, and start again: "
        "nothing that finished is lost"
    )


OWN = """
import sys, time
import keras
import numpy as np

class Loud(keras.layers.Layer):
    def call(self, x, training=False):
        raise RuntimeError("a layer\\nof two lines")

def build(hp, shape, classes):
    kind = hp.Choice("kind", [
        "raises", "none", "leaves", "endless", "hoards", "too_small", "loud", "explodes", "wrong_output", "fine"
    ])
    if kind == "raises":
        raise ValueError("no network for you | today")
    if kind == "none":
        return None
    if kind == "leaves":
        sys.exit(3)
    while kind == "endless":
        time.sleep(0.1)
    hoard = np.ones(200_000_000) if kind == "hoards" else None
    while hoard is not None:
        time.sleep(0.1)
    layers = [keras.Input(shape), keras.layers.Rescaling(1 / 255)]
    if kind == "too_small":
        layers += [keras.layers.MaxPooling2D(4), keras.layers.Conv2D(2, 3), keras.layers.Conv2D(2, 3)]
    if kind == "loud":
        layers.append(Loud())
    if kind == "explodes":
        layers.append(keras.layers.Rescaling(1e30))
    layers += [keras.layers.Flatten(), keras.layers.Dense(classes, activation="softmax")]
    if kind == "wrong_output":
        layers[-1] = keras.layers.Dense(classes + 1, activation="softmax")
    return keras.Sequential(layers)
"""
REASONS = {
    "raises": "ValueError: no network for you | today",
    "none": "returned NoneType, not a keras.Model",
    "leaves": "called sys.exit(3)",
    "endless": "took longer than 0.4 minutes (max_trial_minutes)",
    "hoards": "took more than 1.6 GB of memory (max_trial_gb)",
    "too_small": "ValueError",
    "loud": "a layer of two lines",
    "explodes": "became",
    "wrong_output": "not (None, 3), one probability per class",
}
SEARCH = f"""
title = "x"
dataset = "blobs.npz"
repeats = 1
max_trial_minutes = 0.4
max_trial_gb = 1.6
[training]
optimizer = "sgd"
learning_rate = 0.1
epochs = 1
[[search]]
family = "own:build"
[search.space]
kind = {json.dumps([*REASONS, "fine"])}
[[search]]
family = "ann"
"""


def test_whatever_a_trial_does_is_a_failed_row_with_its_reason(tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file, SEARCH)
    (folder / "searches" / "own.py").write_text(OWN)
    ran = tuner(folder, "run", "small", "--workers", "2")
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    rows = {row["kind"]: row for row in trials(folder) if row["family"] == "own:build"}
    assert {kind: row["status"] for kind, row in rows.items()} == {
        **dict.fromkeys(REASONS, "failed"),
        "fine": "completed",
    }
    for kind, reason in REASONS.items():
        error = str(rows[kind]["error"])
        assert reason in error, kind
        assert len(error.splitlines()) == 1
    text = (folder / "reports" / "small" / "report.md").read_text()
    assert "no network for you \\| today" in text

    (folder / "searches" / "small.toml").write_text(SEARCH.replace(', "fine"', "").replace('"endless", ', ""))
    again = tuner(folder, "run", "small", "--workers", "2")
    assert again.returncode == 1
    assert "small: no trial of build on blobs.npz completed; most often: " in again.stderr.splitlines()[-1]
    assert "9/9" in again.stderr and "9 from before" in again.stderr
    assert "On blobs.npz, no completed model of build" in (folder / "reports" / "small" / "report.md").read_text()


def test_a_build_that_never_ends_is_said_before_any_training_where_trials_have_no_limit(
    tmp_path: Path, blobs_file: Path
) -> None:
    search = SEARCH.replace("max_trial_minutes = 0.4\nmax_trial_gb = 1.6\n", "").replace('"hoards", ', "")
    folder = make_project(tmp_path / "p", blobs_file, search)
    (folder / "searches" / "own.py").write_text(OWN)
    shorter = "import sys, tuner.running.building as d; d.MOST_BUILD_MINUTES = 0.05; from tuner.cli import main\n"
    ran = server().execute(folder, shorter + "sys.argv[1:] = ['run', 'small']; main()")
    assert ran.code == 2
    (line,) = ran.err.splitlines()
    assert "longer than 0.05 minutes" in line
    assert "set max_trial_minutes" in line
