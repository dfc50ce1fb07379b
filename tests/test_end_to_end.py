"""The command line on a small search: from the file to the report, resumed, reloaded, tampered with."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_project import (
    SEARCH_TRIALS,
    TWO_TRIALS,
    descendants,
    make_project,
    real_tuner,
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


class TestAFinishedSearch:
    def test_has_every_trial_in_its_table_best_first(self, finished: Path) -> None:
        rows = json.loads(tuner(finished, "results", "small", "--format", "json").stdout)
        assert len(rows) == SEARCH_TRIALS
        assert {row["status"] for row in rows} == {"completed"}
        scores = [row["val_accuracy"] for row in rows]
        assert scores == sorted(scores, reverse=True)
        keys = ("trial", "family", "dataset", "status", "error", "seed", "epochs", "parameters", "seconds")
        assert all(key in rows[0] for key in (*keys, "val_accuracy", "val_loss", "learning_rate", "dense_units"))
        assert {row["seed"] for row in rows} == {0}

    def test_prints_its_table_as_csv_and_markdown(self, finished: Path) -> None:
        rows = list(csv.DictReader(tuner(finished, "results", "small", "--format", "csv").stdout.splitlines()))
        assert len(rows) == SEARCH_TRIALS
        assert rows[0]["status"] == "completed"
        assert tuner(finished, "results", "small").stdout.count("\n|") == SEARCH_TRIALS + 1

    def test_has_a_report_with_tables_pictures_models_and_an_index(self, finished: Path) -> None:
        folder = finished / "reports" / "small"
        names = {file.name for file in folder.iterdir()}
        assert names == {
            "report.md", "trials.csv", "comparison.csv", "per_class.csv", "convergence.csv", "confusions.csv",
            "calibration.csv", "mistakes.csv", "timing.csv", "timing_models.csv",
            "f1-blobs.png", "roc-blobs.png", "confusion-blobs.png", "curves-blobs.png", "samples-blobs.png",
            "lookalikes-blobs.png", "reliability-blobs.png", "mistakes-ann-blobs.png", "mistakes-cnn-blobs.png",
            "network-ann-blobs.png", "network-cnn-blobs.png", "filters-blobs.png", "outputs-cnn-blobs.png",
            "ann-blobs.keras", "ann-blobs.json", "cnn-blobs.keras", "cnn-blobs.json",
        }  # fmt: skip
        text = (folder / "report.md").read_text()
        for heading in (
            "Comparison",
            "Search score and test score",
            "Class by class",
            "ROC curves",
            "Confusion matrices",
            "Training curves",
            "Mean and standard deviation by depth",
            "Trials",
            "Sample images",
            "Time",
            "Provenance",
        ):
            assert f"\n## {heading}" in text
        assert "# Blobs \\| with &lt;odd&gt; \\*marks\\*" in text
        assert "middle\\|odd" in text
        assert "Blobs" in (finished / "reports" / "README.md").read_text()

    def test_has_finals_with_seeds_of_their_own_scored_on_the_test_set(self, finished: Path) -> None:
        database = sqlite3.connect(finished / "runs" / "ledger.sqlite")
        rows = database.execute(
            "SELECT json_extract(content, '$.seed'), test_accuracy, val_accuracy FROM trials "
            "WHERE json_extract(content, '$.role') = 'final'"
        ).fetchall()
        assert sorted(seed for seed, _, _ in rows) == [1, 1, 2, 2]
        assert all(test is not None and validation is None for _, test, validation in rows)
        looked = database.execute(
            "SELECT count(*) FROM trials WHERE json_extract(content, '$.role') = 'search' AND test_accuracy NOT NULL"
        ).fetchone()
        assert looked == (0,), "a search trial looked at the test set"

    def test_writes_the_same_bytes_when_reported_again(self, copied: Path) -> None:
        def hashes() -> dict[str, str]:
            files = sorted((copied / "reports").rglob("*"))
            return {str(f): hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}

        (copied / "reports" / "small" / "my-own.png").write_bytes(b"put there by the user")
        before = hashes()
        (copied / "reports" / "small" / "report.md").write_text("an older one ![x](left-over.png)")
        (copied / "reports" / "small" / "left-over.png").write_bytes(b"old")
        assert tuner(copied, "report", "small").returncode == 0
        assert hashes() == before

    def test_trains_nothing_when_run_again(self, copied: Path) -> None:
        before = trials(copied)
        again = tuner(copied, "run", "small")
        assert again.returncode == 0
        assert f"{SEARCH_TRIALS}/{SEARCH_TRIALS}, best" in again.stderr
        assert f"{SEARCH_TRIALS} from before" in again.stderr
        assert "4 from before" in again.stderr
        assert trials(copied) == before

    def test_writes_the_same_bytes_with_more_workers(self, finished: Path, tmp_path: Path, blobs_file: Path) -> None:
        """This one is started as from a shell; the bytes show that what other tests fork is no other command."""
        other = make_project(tmp_path / "other", blobs_file)
        assert real_tuner(other, "run", "small", "--workers", "3").returncode == 0
        assert trials(other) == trials(finished)
        assert differing(without_times(other / "reports"), without_times(finished / "reports")) == []

    def test_retrains_a_final_whose_model_was_lost(self, copied: Path) -> None:
        before = (copied / "reports" / "small" / "per_class.csv").read_bytes()
        for model in (copied / "runs" / "models").glob("*.keras"):
            model.unlink()
        for predictions in list((copied / "runs" / "models").glob("*.npz"))[:1]:
            predictions.write_bytes(predictions.read_bytes()[:-1] + b"?")
        assert tuner(copied, "run", "small").returncode == 0
        assert (copied / "reports" / "small" / "per_class.csv").read_bytes() == before
        answer = tuner(copied, "verify", "small")
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.count("as recorded") == 2

    def test_is_listed_with_what_is_done(self, finished: Path) -> None:
        line = tuner(finished, "list").stdout.splitlines()[1]
        assert line.split("  ")[0] == "small"
        assert f" {SEARCH_TRIALS} " in line
        assert "ANN, CNN" in line

    def test_is_compared_with_itself_under_another_name(self, copied: Path) -> None:
        shutil.copy(copied / "searches" / "small.toml", copied / "searches" / "twin.toml")
        assert tuner(copied, "run", "twin").returncode == 0
        answer = tuner(copied, "compare", "small", "twin")
        assert answer.returncode == 0, answer.stderr
        rows = answer.stdout.splitlines()[2:]
        assert len(rows) == 4
        assert {row.split("|")[2].strip() for row in rows} == {"small", "twin"}
        assert sum("1.000" in row for row in rows) >= 1

    def test_with_other_options_is_another_budget_printed_in_the_report(self, copied: Path) -> None:
        small = tuner(copied, "run", "small", "--epochs", "1", "--train-size", "60", "--test-size", "30")
        assert small.returncode == 0, small.stderr
        assert {row["epochs"] for row in trials(copied)} == {1}
        text = (copied / "reports" / "small" / "report.md").read_text()
        assert "--epochs 1 --train-size 60 --test-size 30" in text
        card = json.loads((copied / "reports" / "small" / "cnn-blobs.json").read_text())
        assert card["trial"]["train_size"] == 60

    def test_started_fresh_is_trained_again(self, copied: Path) -> None:
        time.sleep(1.1)  # the ledger notes whole seconds
        begun = datetime.now(UTC).isoformat(timespec="seconds")
        assert tuner(copied, "run", "small", "--fresh").returncode == 0
        ledger = sqlite3.connect(copied / "runs" / "ledger.sqlite")
        assert ledger.execute("SELECT count(*) FROM trials").fetchone() == (SEARCH_TRIALS + 4,)
        assert ledger.execute("SELECT min(finished) FROM trials").fetchone()[0] >= begun

    def test_is_searched_anew_when_its_data_have_changed(self, copied: Path) -> None:
        file = copied / "searches" / "blobs.npz"
        with np.load(file) as arrays:
            changed = {name: arrays[name] for name in arrays.files}
        changed["x_train"][0, 0, 0] ^= 1
        np.savez(file, **changed)
        again = tuner(copied, "run", "small", "--epochs", "1")
        assert again.returncode == 0, again.stderr
        assert "from before" not in again.stderr
        assert len(trials(copied)) == SEARCH_TRIALS

    def test_whose_file_was_edited_keeps_the_trials_that_still_belong(self, copied: Path) -> None:
        file = copied / "searches" / "small.toml"
        before = {row["trial"]: row for row in trials(copied)}
        file.write_text(file.read_text().replace("dense_units = [4, 8]", "dense_units = [8, 16]"))
        ran = tuner(copied, "run", "small")
        assert ran.returncode == 0, ran.stderr
        assert f"search: {SEARCH_TRIALS}/{SEARCH_TRIALS}" in ran.stderr
        assert f"{SEARCH_TRIALS - 1} from before" in ran.stderr
        after = {row["trial"]: row for row in trials(copied)}
        (gone,) = set(before) - set(after)
        assert before[gone]["dense_units"] == 4
        assert recorded(copied) > SEARCH_TRIALS + 4  # in the ledger it is still there
        assert all(after[trial] == before[trial] for trial in set(before) & set(after))

    def test_whose_report_came_from_elsewhere_is_not_taken_for_ones_own(
        self, finished: Path, tmp_path: Path, blobs_file: Path
    ) -> None:
        folder = make_project(tmp_path / "elsewhere", blobs_file)
        shutil.copytree(finished / "reports", folder / "reports")
        for command in ("verify", "report", "results", "compare"):
            answer = tuner(folder, command, "small")
            assert answer.returncode == 2
            assert answer.stderr.startswith("tuner: small: has not been run here")
        assert (folder / "reports" / "small" / "report.md").is_file()

    def test_that_was_interrupted_says_so_in_a_report_written_meanwhile(self, copied: Path) -> None:
        ledger = sqlite3.connect(copied / "runs" / "ledger.sqlite")
        ledger.execute("DELETE FROM trials WHERE test_accuracy NOT NULL")
        ledger.execute("UPDATE searches SET finished = NULL")
        ledger.commit()
        ledger.close()
        assert tuner(copied, "report", "small").returncode == 0
        text = (copied / "reports" / "small" / "report.md").read_text()
        assert "This search is unfinished: 12 of its trials are recorded." in text
        assert "failed trials" not in text
        assert not (copied / "reports" / "small" / "cnn-blobs.keras").exists()


class TestASavedModel:
    RELOAD = """
import json, sys
import keras, numpy as np
assert "tuner" not in sys.modules
data = np.load(sys.argv[1])
found = []
for file in sys.argv[2:]:
    model = keras.models.load_model(file)
    accuracy = (model.predict(data["x_test"], verbose=0).argmax(-1) == data["y_test"]).mean()
    found.append({"accuracy": float(accuracy), "optimizer": getattr(model, "optimizer", None) is not None})
print(json.dumps(found))
"""

    def test_reloads_with_plain_keras_and_reaches_the_recorded_accuracy_on_raw_pixels(self, finished: Path) -> None:
        folder = finished / "reports" / "small"
        models = [folder / f"{family}-blobs.keras" for family in ("ann", "cnn")]
        ran = subprocess.run(
            [sys.executable, "-I", "-c", self.RELOAD, str(finished / "searches" / "blobs.npz"), *map(str, models)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        cards = [json.loads(model.with_suffix(".json").read_text()) for model in models]
        assert json.loads(ran.stdout.splitlines()[-1]) == [
            {"accuracy": pytest.approx(card["test_accuracy"]), "optimizer": False} for card in cards
        ]

    @pytest.mark.parametrize("what", ["reports/small/cnn-blobs.keras", "runs/models/*.npz"])
    def test_is_refused_by_verify_after_one_byte_has_changed(self, copied: Path, what: str) -> None:
        for file in copied.glob(what):
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
        answer = tuner(copied, "verify", "small")
        assert answer.returncode == 1
        assert len(answer.stderr.splitlines()) == 1
        assert Path(what).suffix in answer.stderr

    def test_predicts_classes_of_image_files_by_name(self, finished: Path, tmp_path: Path) -> None:
        data = np.load(finished / "searches" / "blobs.npz")
        files = []
        for index in range(3):
            files.append(str(tmp_path / f"{index}.png"))
            Image.fromarray(data["x_test"][index]).save(files[-1])
        answer = tuner(finished, "predict", "reports/small/ann-blobs.keras", *files)
        assert answer.returncode == 0, answer.stderr
        lines = answer.stdout.splitlines()
        assert len(lines) == 3
        for line, label in zip(lines, data["y_test"][:3], strict=True):
            assert set(data["class_names"]) == {part.rsplit(" ", 1)[0] for part in line.split("(")[1].split(", ")}
            assert line.split(": ")[1].startswith(str(data["class_names"][label])) or "0." in line


class TestAKilledSearch:
    """Ten kills of the main process or of a worker, at random moments; then the same command to the end."""

    def test_goes_on_and_ends_as_if_nothing_had_happened(
        self, finished: Path, tmp_path: Path, blobs_file: Path
    ) -> None:
        folder = make_project(tmp_path / "killed", blobs_file)
        rng = random.Random(11)  # noqa: S311
        kills = 0
        for attempt in range(10):
            before = recorded(folder)
            main = start(folder, "run", "small", "--workers", "2")
            # Sometimes before the first trial has finished, sometimes right after it or a moment later.
            target = before + rng.randrange(2)
            wait_for(lambda: main.poll() is not None or (recorded(folder) >= target and workers(main.pid)))  # noqa: B023
            time.sleep(rng.uniform(0, 0.3))
            if main.poll() is not None:
                break
            if attempt % 3 == 2:
                for worker in workers(main.pid)[:1]:
                    os.kill(worker, signal.SIGKILL)
                    kills += 1
                time.sleep(rng.uniform(0, 0.3))
            main.kill()
            main.communicate()
            kills += 1
        ended = tuner(folder, "run", "small", "--workers", "2")
        assert ended.returncode == 0, ended.stderr
        assert kills >= 5
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
            _, errors = main.communicate(timeout=60)
        finally:
            main.kill()
        assert main.returncode == 130
        assert "tuner run small --epochs 5000 --workers 1" in errors.splitlines()[-1]
        assert "Traceback" not in errors
        wait_for(lambda: not descendants(main.pid))  # the server of workers notices a moment later

    def test_cannot_be_started_twice_at_once(self, tmp_path: Path, blobs_file: Path) -> None:
        folder = make_project(tmp_path / "twice", blobs_file)
        first = start(folder, "run", "small", "--epochs", "200")
        lock = folder / "runs" / "locks" / "small.lock"
        wait_for(lambda: lock.is_file() and bool(lock.read_text()))
        second = tuner(folder, "run", "small", "--epochs", "200")
        first.kill()
        first.communicate()
        assert second.returncode == 2
        assert f"is being run by process {first.pid}" in second.stderr

    def test_tries_a_trial_again_whose_worker_was_killed(
        self, finished: Path, tmp_path: Path, blobs_file: Path
    ) -> None:
        folder = make_project(tmp_path / "worker", blobs_file)
        main = start(folder, "run", "small", "--workers", "1")
        for count in (1, 4, 7):  # a kill between two trials costs none, so that one is not enough
            wait_for(lambda: recorded(folder) >= count)  # noqa: B023
            for worker in reversed(workers(main.pid)):  # the spare one first, else the trial moves there and dies twice
                with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                    os.kill(worker, signal.SIGKILL)
                wait_for(lambda: worker not in workers(main.pid))  # noqa: B023
        half_written = folder / "runs" / "models" / f".partial-{worker}-0123.keras"
        half_written.parent.mkdir(exist_ok=True)
        half_written.touch()
        _, errors = main.communicate(timeout=200)
        assert main.returncode == 0, errors
        assert not half_written.exists()
        assert "again: trial" in errors
        assert "SIGKILL" in errors
        assert trials(folder) == trials(finished)


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_every_algorithm_runs_and_runs_again_without_training(algorithm: str, tmp_path: Path, blobs_file: Path) -> None:
    most = "" if algorithm == "hyperband" else "max_trials = 4"
    search = f"""
title = "x"
dataset = "blobs.npz"
repeats = 1
[training]
epochs = 3
[[search]]
family = "ann"
algorithm = "{algorithm}"
{most}
[search.space]
dense_units = {{ min = 4, max = 32, step = 4 }}
learning_rate = {{ min = 1e-4, max = 1e-2, sampling = "log" }}
[search.rules]
where = ["dense_units > 4"]
"""
    folder = make_project(tmp_path / "p", blobs_file, search)
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    rows = trials(folder)
    assert len(rows) >= 4
    assert all(int(str(row["dense_units"])) > 4 for row in rows)
    if algorithm == "hyperband":
        assert {row["epochs"] for row in rows} == {1, 3}
    again = tuner(folder, "run", "small")
    assert "from before" in again.stderr
    assert trials(folder) == rows


def test_failed_trials_are_rows_with_reasons_and_the_search_goes_on(tmp_path: Path, blobs_file: Path) -> None:
    search = TWO_TRIALS.replace("conv_depth = 1", "conv_depth = [1, 5]\npadding = 'valid'")
    folder = make_project(tmp_path / "p", blobs_file, search)
    ran = tuner(folder, "run", "small", "--epochs", "1")
    assert ran.returncode == 0, ran.stderr
    failed = [row for row in trials(folder) if row["status"] == "failed"]
    assert failed
    assert all("conv_depth = 5 is too deep for 8x8 images" in str(row["error"]) for row in failed)
    text = (folder / "reports" / "small" / "report.md").read_text()
    assert "## Failed trials" in text
    assert "is too deep for 8x8 images" in text


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
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 1
    assert "no trial of ANN on blobs.npz completed" in ran.stderr
    assert "became nan" in ran.stderr or "became inf" in ran.stderr
    assert "No trial completed" in (folder / "reports" / "small" / "report.md").read_text()
    assert tuner(folder, "verify", "small").returncode == 1


def test_the_published_protocol_says_so_on_top(tmp_path: Path, blobs_file: Path) -> None:
    search = TWO_TRIALS.replace("seed = 0", 'seed = 0\nprotocol = "published"')
    folder = make_project(tmp_path / "p", blobs_file, search)
    assert tuner(folder, "run", "small", "--epochs", "1").returncode == 0
    text = (folder / "reports" / "small" / "report.md").read_text()
    assert text.index("Published protocol") < text.index("## Comparison")
    assert "chosen on the test set" in text


def test_winners_are_compared_on_other_data_sets_with_both_deltas(tmp_path: Path, blobs_file: Path) -> None:
    search = TWO_TRIALS + '[compare]\ndatasets = ["other.npz", "blobs.npz"]\n'
    folder = make_project(tmp_path / "p", blobs_file, search)
    shutil.copy(blobs_file, folder / "searches" / "other.npz")
    ran = tuner(folder, "run", "small", "--epochs", "1")
    assert ran.returncode == 0, ran.stderr
    with (folder / "reports" / "small" / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["model"], row["dataset"]) for row in rows] == [
        ("ann", "other.npz"), ("cnn", "other.npz"), ("ann", "blobs.npz"), ("cnn", "blobs.npz"),
    ]  # fmt: skip
    mean = {(row["model"], row["dataset"]): float(row["retrained_mean"]) for row in rows}
    for row in rows:
        if row["dataset"] == "blobs.npz":
            expected = mean[row["model"], "blobs.npz"] - mean[row["model"], "other.npz"]
            assert float(row["delta_dataset"]) == pytest.approx(expected)
        if row["model"] == "cnn":
            assert float(row["delta_model"]) == pytest.approx(mean["cnn", row["dataset"]] - mean["ann", row["dataset"]])
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
epochs = 2
[[search]]
family = "mymodels:build"
[search.space]
units = [4, 8]
[[search]]
family = "ann"
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
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert {row["family"] for row in trials(folder)} == {"mymodels:build", "ann"}
    assert (folder / "reports" / "small" / "build-pictures.keras").is_file()
    assert tuner(folder, "verify", "small").returncode == 0
    file = folder / "searches" / "small.toml"
    file.write_text(file.read_text().replace("units = ", "unitz = "))
    wrong = tuner(folder, "run", "small")
    assert wrong.returncode == 2
    assert "did you mean 'units'" in wrong.stderr


def test_everything_runs_on_the_jax_backend_too(tmp_path: Path, blobs_file: Path) -> None:
    pytest.importorskip("jax")
    folder = make_project(tmp_path / "p", blobs_file, TWO_TRIALS)
    jax = {"KERAS_BACKEND": "jax"}
    ran = tuner(folder, "run", "small", "--epochs", "1", env=jax)
    assert ran.returncode == 0, ran.stderr
    assert [row["status"] for row in trials(folder)] == ["completed"] * 2
    text = (folder / "reports" / "small" / "report.md").read_text()
    assert "| backend" in text
    assert "jax 0." in text
    assert any((folder / "runs" / "compiled").iterdir())  # for later workers
    assert tuner(folder, "verify", "small", env=jax).returncode == 0
    assert tuner(folder, "verify", "small").returncode == 0, "TensorFlow reloads what JAX trained"


def test_list_results_and_help_import_neither_tensorflow_nor_keras(finished: Path) -> None:
    script = (
        "import sys; from tuner.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'keras_tuner', 'pandas', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))"
    )
    for arguments in (["--help"], ["list"], ["results", "small"]):
        ran = subprocess.run(
            [sys.executable, "-c", script, *arguments], cwd=finished, capture_output=True, text=True, check=True
        )
        assert ran.stdout.splitlines()[-1] == "heavy: []"
