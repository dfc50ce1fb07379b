"""The command line from the search file to the report: algorithms, protocols, backends, and networks that fail."""

from __future__ import annotations

import csv
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_project import (
    ONE_TRIAL,
    TWO_TRIALS,
    make_project,
    recorded,
    trials,
    tuner,
)

pytestmark = pytest.mark.slow

#: One worker builds up less than two of them do; with as many as there are cores all algorithms run.
RUN = ("run", "small", "--workers", "1")
#: Where it matters that there are two models, and not which.
TWO_ANNS = ONE_TRIAL + '[[search]]\nfamily = "ann"\nname = "wide"\n[search.space]\ndense_units = 8\n'
#: Where it matters that convolutions are trained, and not beside what.
A_CNN = TWO_TRIALS.replace(TWO_TRIALS[TWO_TRIALS.index("[[search]]") : TWO_TRIALS.rindex("[[search]]")], "")

ALGORITHMS = ("random", "bayesian", "hyperband", "tpe")


def test_every_algorithm_runs_and_runs_again_without_training(tmp_path: Path, blobs_file: Path) -> None:
    """All of them in one search, since a run and its report take the most; no two draw from the same space."""
    search = """
title = "x"
dataset = "blobs.npz"
repeats = 1
[training]
epochs = 3
"""
    for number, algorithm in enumerate(ALGORITHMS, start=1):
        search += f"""
[[search]]
family = "ann"
name = "{algorithm}"
algorithm = "{algorithm}"
{"" if algorithm == "hyperband" else "max_trials = 4"}
[search.space]
dense_units = {{ min = 4, max = 32, step = 4 }}
learning_rate = {{ min = {number}e-4, max = 1e-2, sampling = "log" }}
[search.rules]
where = ["dense_units > 4"]
"""
    folder = make_project(tmp_path / "p", blobs_file, search)
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("repeats = 1: one retraining of each winner cannot tell which model is better") == 1
    rows = trials(folder)
    for algorithm in ALGORITHMS:
        own = [row for row in rows if row["model"] == algorithm]
        assert len(own) >= 4, algorithm
        assert all(int(str(row["dense_units"])) > 4 for row in own), algorithm
        assert {row["epochs"] for row in own} == ({1, 3} if algorithm == "hyperband" else {3}), algorithm
    measured = {path: path.stat().st_mtime_ns for path in (folder / "runs" / "models").glob("*.latency.json")}
    assert len(measured) == len(ALGORITHMS)
    assert "while nothing else of the run trained" in (folder / "reports" / "small" / "report.md").read_text()
    again = tuner(folder, "run", "small")
    assert "from before" in again.stderr
    assert trials(folder) == rows
    assert {path: path.stat().st_mtime_ns for path in measured} == measured


def test_a_search_that_asks_for_more_than_there_is_says_so_and_is_finished(tmp_path: Path, blobs_file: Path) -> None:
    search = """
title = "x"
dataset = "blobs.npz"
repeats = 1
[training]
epochs = 1
[[search]]
family = "ann"
algorithm = "random"
max_trials = 60
[search.space]
dense_units = { min = 4, max = 12, step = 4 }
[search.rules]
where = ["dense_units != 8"]
[[search]]
family = "ann"
name = "hyper"
algorithm = "hyperband"
max_trials = 30
"""
    folder = make_project(tmp_path / "p", blobs_file, search)
    few = "ANN has 2 trials, not the 60 of max_trials: its space holds no more configurations that its rules allow."
    one = "hyper has 1 trial, not the 30 of max_trials: one sweep of Hyperband over at most 1 epoch has no more."
    listed = tuner(folder, "list").stdout.splitlines()[1]
    assert listed.split()[4:6] == ["3", "0"]
    assert tuner(folder, "space", "small").stdout.splitlines()[-2:] == [few, one]
    ran = tuner(folder, *RUN)
    assert ran.returncode == 0, ran.stderr
    said = [line for line in ran.stderr.splitlines() if not line.startswith("repeats = 1: ")]
    assert said[:2] == [few, one]
    assert said[2].startswith("search: 3 trials, ")
    assert sum(few in line for line in said) == 1
    assert {few, one} <= set(ran.stdout.splitlines())
    text = (folder / "reports" / "small" / "report.md").read_text()
    assert text.index("its space holds no more") < text.index("## Comparison")
    assert tuner(folder, "list").stdout.splitlines()[1].split()[4:6] == ["3", "3"]


def test_trials_that_came_short_unforeseen_are_told_of_and_the_search_is_finished(
    tmp_path: Path, blobs_file: Path
) -> None:
    # Of the three depths that fail, none goes on to three epochs, and nobody can know that before.
    search = """
title = "x"
dataset = "blobs.npz"
repeats = 1
[training]
epochs = 3
[[search]]
family = "cnn"
algorithm = "hyperband"
[search.space]
conv_depth = [1, 5]
padding = "valid"
filters = 2
dense_units = [4, 8]
"""
    folder = make_project(tmp_path / "p", blobs_file, search)
    planned = int(tuner(folder, "list").stdout.splitlines()[1].split()[3])
    ran = tuner(folder, *RUN)
    assert ran.returncode == 0, ran.stderr
    rows = trials(folder)
    failed = sum(row["status"] == "failed" for row in rows)
    assert 0 < failed < len(rows) < planned
    reason = f"{failed} of them failed, so that fewer could go on to more epochs."
    assert f"on blobs.npz, CNN had {len(rows)} trials, not {planned}: {reason}" in ran.stderr.splitlines()
    assert reason in (folder / "reports" / "small" / "report.md").read_text()
    assert tuner(folder, "list").stdout.splitlines()[1].split()[3:5] == [str(len(rows))] * 2


def test_splits_repeat_everything_and_count_what_is_recorded(tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file, TWO_ANNS)
    assert tuner(folder, *RUN).returncode == 0
    assert recorded(folder) == 4  # a trial and a retraining of each model
    before = trials(folder)
    (folder / "searches" / "small.toml").write_text(TWO_ANNS + "[compare]\nsplits = 2\n")
    ran = tuner(folder, *RUN)
    assert ran.returncode == 0, ran.stderr
    assert "splits = 2: search, choice and retraining are done 2 times" in ran.stderr
    assert "2 x 4 trainings" in ran.stderr
    assert "split 2 of 2" in ran.stderr
    assert recorded(folder) == 8
    assert trials(folder) == before
    others = trials(folder, "small#2")
    assert len(others) == 2
    assert not {row["trial"] for row in before} & {row["trial"] for row in others}
    report = (folder / "reports" / "small" / "report.md").read_text()
    assert "## Over 2 splits of all images" in report
    assert "Over 2 splits of all images" in (folder / "reports" / "small" / "report.html").read_text()
    with (folder / "reports" / "small" / "splits.csv").open() as file:
        assert [row["split"] for row in csv.DictReader(file)] == ["1", "1", "2", "2"]
    # What is lost of a further split is trained again, and nothing else.
    database = sqlite3.connect(folder / "runs" / "ledger.sqlite")
    with database:
        database.execute("DELETE FROM trials WHERE trial = ?", (others[0]["trial"],))
        database.execute("UPDATE searches SET finished = NULL")
    database.close()
    again = tuner(folder, *RUN)
    assert again.returncode == 0, again.stderr
    assert recorded(folder) == 8
    assert (folder / "reports" / "small" / "report.md").read_text() == report


def test_failed_trials_are_rows_with_reasons_and_the_search_goes_on_and_the_published_protocol_says_so_on_top(
    tmp_path: Path, blobs_file: Path
) -> None:
    search = TWO_TRIALS.replace("conv_depth = 1", "conv_depth = [1, 5]\npadding = 'valid'")
    search = search.replace("seed = 0", 'seed = 0\nprotocol = "published"')
    folder = make_project(tmp_path / "p", blobs_file, search)
    ran = tuner(folder, *RUN, "--epochs", "1")
    assert ran.returncode == 0, ran.stderr
    failed = [row for row in trials(folder) if row["status"] == "failed"]
    assert failed
    assert all("conv_depth = 5 is too deep for 8x8 images" in str(row["error"]) for row in failed)
    text = (folder / "reports" / "small" / "report.md").read_text()
    assert "## Failed trials" in text
    assert "is too deep for 8x8 images" in text
    assert text.index("Published protocol") < text.index("## Comparison")
    assert "validated on the test set" in text


def test_a_search_without_a_single_completed_trial_ends_with_1_and_a_report_that_says_so(
    tmp_path: Path, blobs_file: Path
) -> None:
    search = """
title = "x"
dataset = "blobs.npz"
[training]
optimizer = "sgd"
learning_rate = 1000.0
epochs = 3
[[search]]
family = "ann"
"""
    folder = make_project(
        tmp_path / "p",
        blobs_file,
        search.replace('[[search]]\nfamily = "ann"', '[[search]]\nfamily = "ann"\n[search.space]\ndense_depth = 3'),
    )
    ran = tuner(folder, *RUN)
    assert ran.returncode == 1
    assert "no trial of ANN on blobs.npz completed" in ran.stderr
    assert "became nan" in ran.stderr or "became inf" in ran.stderr
    assert "No trial completed" in (folder / "reports" / "small" / "report.md").read_text()
    assert tuner(folder, "verify", "small").returncode == 1


def test_winners_are_compared_on_other_data_sets_with_both_deltas(tmp_path: Path, blobs_file: Path) -> None:
    search = TWO_ANNS + '[compare]\ndatasets = ["other.npz", "blobs.npz"]\n'
    folder = make_project(tmp_path / "p", blobs_file, search)
    shutil.copy(blobs_file, folder / "searches" / "other.npz")
    ran = tuner(folder, *RUN, "--epochs", "1")
    assert ran.returncode == 0, ran.stderr
    with (folder / "reports" / "small" / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["model"], row["dataset"]) for row in rows] == [
        ("ann", "other.npz"), ("wide", "other.npz"), ("ann", "blobs.npz"), ("wide", "blobs.npz"),
    ]  # fmt: skip
    mean = {(row["model"], row["dataset"]): float(row["retrained_mean"]) for row in rows}
    for row in rows:
        if row["dataset"] == "blobs.npz":
            expected = mean[row["model"], "blobs.npz"] - mean[row["model"], "other.npz"]
            assert float(row["delta_dataset"]) == pytest.approx(expected)
        if row["model"] == "wide":
            difference = mean["wide", row["dataset"]] - mean["ann", row["dataset"]]
            assert float(row["delta_model"]) == pytest.approx(difference)
    # The two files hold the same images, so that each model is trained once for both.
    assert recorded(folder) == 2 + 2


def test_a_users_own_network_and_folder_of_images_run_with_a_search_file_and_nothing_else(
    tmp_path: Path, blobs_file: Path
) -> None:
    folder = make_project(
        tmp_path / "p",
        blobs_file,
        """
title = "mine"
dataset = "pictures"
repeats = 1
[training]
epochs = 1
[[search]]
family = "mymodels:build"
[search.space]
units = [4, 8]
""",
    )
    (folder / "searches" / "mymodels.py").write_text(
        """
import keras

def build(hp):
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(hp.Int("units", 2, 64), activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
    ])
"""
    )
    data = np.load(blobs_file)
    for split in ("train", "test"):
        for index, (image, label) in enumerate(zip(data[f"x_{split}"], data[f"y_{split}"], strict=True)):
            place = folder / "searches" / "pictures" / split / f"class {label}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{index:03}.png")
    ran = tuner(folder, *RUN)
    assert ran.returncode == 0, ran.stderr
    assert [row["family"] for row in trials(folder)] == ["mymodels:build"] * 2
    assert (folder / "reports" / "small" / "build-pictures.keras").is_file()
    assert tuner(folder, "verify", "small").returncode == 0
    file = folder / "searches" / "small.toml"
    file.write_text(file.read_text().replace("units = ", "unitz = "))
    wrong = tuner(folder, *RUN)
    assert wrong.returncode == 2
    assert "did you mean 'units'" in wrong.stderr


def test_everything_runs_on_the_jax_backend_too(tmp_path: Path, blobs_file: Path) -> None:
    pytest.importorskip("jax")
    folder = make_project(tmp_path / "p", blobs_file, A_CNN)
    jax = {"KERAS_BACKEND": "jax", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ran = tuner(folder, *RUN, "--epochs", "1", env=jax)
    assert ran.returncode == 0, ran.stderr
    assert [row["status"] for row in trials(folder)] == ["completed"]
    text = (folder / "reports" / "small" / "report.md").read_text()
    assert "| backend" in text
    assert "jax 0." in text
    cache = tmp_path / "cache" / "tunetable" / "compiled"
    compiled = {path.name: path.read_bytes() for path in cache.glob("*-cache")}
    assert len(compiled) > 3, "for later workers"
    assert not (folder / "runs" / "compiled").exists(), "where a stranger's machine code could lie"
    assert tuner(folder, "verify", "small", env=jax).returncode == 0
    assert tuner(folder, "verify", "small").returncode == 0, "TensorFlow reloads what JAX trained"
    # Three that are compiled again in no time; the others are read as they are.
    smallest = sorted(compiled.items(), key=lambda file: (len(file[1]), file[0]))[:3]
    for number, (name, content) in enumerate(smallest):
        (cache / name).write_bytes([content[: len(content) // 2], b"no machine code", b""][number])
    before = [(row["trial"], row["val_accuracy"]) for row in trials(folder)]
    again = tuner(folder, *RUN, "--epochs", "1", "--fresh", env=jax)
    assert (again.returncode, "Traceback" in again.stderr) == (0, False), again.stderr
    assert [(row["trial"], row["val_accuracy"]) for row in trials(folder)] == before


def test_weights_by_class_are_trained_with_and_stand_in_every_table(tmp_path: Path, blobs_file: Path) -> None:
    search = ONE_TRIAL.replace("seed = 0", "seed = 0\nfolds = 2") + (
        'class_weight = ["none", { "middle|odd" = 2.5, bottom = 1e-6 }, { bottom = 1e-6, top = 1e-6 }]\n'
    )
    folder = make_project(tmp_path / "p", blobs_file, search)
    ran = tuner(folder, *RUN)
    assert ran.returncode == 0, ran.stderr
    rows = trials(folder)
    weights = ["none", "{bottom 1e-06, middle|odd 2.5}", "{bottom 1e-06, top 1e-06}"]
    assert {row["class_weight"] for row in rows} == set(weights)
    assert len({row["val_loss"] for row in rows}) == 3
    shown = tuner(folder, "results", "small", "--all")
    report = folder / "reports" / "small"
    text = (report / "report.md").read_text()
    for weight in weights[1:]:
        assert weight.replace("|", "\\|") in shown.stdout, shown.stderr
        assert weight.replace("|", "\\|") in text
        assert weight in (report / "report.html").read_text()
    asked = tuner(folder, "run", "small", "--set", "training.class_weight={ tpo = 2 }", "--set", "search.ann.space={}")
    assert asked.returncode == 2
    assert (
        "searches/small.toml training.class_weight: 'tpo' is no class of blobs.npz; did you mean 'top'?" in asked.stderr
    )
