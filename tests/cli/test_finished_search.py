"""A small search that has run to its end: its table and report, run again, changed, reloaded, tampered with."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_project import (
    ONE_TRIAL,
    SEARCH_TRIALS,
    TWO_TRIALS,
    make_project,
    real_tuner,
    recorded,
    trials,
    tuner,
)
from timeless import differing, without_times

from tuner import columns as col
from tuner.ledger.rows import utc

pytestmark = pytest.mark.slow


def predictions_in(folder: Path) -> list[Path]:
    """Return the files of what a project's final trials answered to the test images."""
    return sorted(file for file in (folder / "runs" / "models").glob("*.npz") if ".validation" not in file.suffixes)


@pytest.fixture
def brief(finished_in_brief: Path, tmp_path: Path) -> Path:
    """A copy of it, for tests that train everything again."""
    return Path(shutil.copytree(finished_in_brief, tmp_path / "p"))


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
        assert tuner(finished, "results", "small", "--all").stdout.count("\n|") == SEARCH_TRIALS + 1
        tested, trials = tuner(finished, "results", "small").stdout.split(" trials, best first:")
        assert tested.count("\n|") == 2 + 2, "two models under their heads"
        assert trials.count("\n|") == 2 + SEARCH_TRIALS

    def test_has_a_report_with_tables_pictures_models_and_an_index(self, finished: Path) -> None:
        folder = finished / "reports" / "small"
        names = {file.name for file in folder.iterdir()}
        assert names == {
            "report.md", "report.html", "trials.csv", "comparison.csv", "pairs.csv", "per_class.csv", "convergence.csv",
            "confusions.csv", "calibration.csv", "reliability.csv", "mistakes.csv", "timing.csv", "timing_models.csv",
            "curves.csv", "roc.csv", "confusion_matrix.csv", "filters.csv", "layers.csv", "choice.csv",
            "class_differences.csv", "retrainings.csv", "front.csv", "front-blobs.png",
            "f1-blobs.png", "roc-blobs.png", "confusion-blobs.png", "curves-blobs.png", "samples-blobs.png",
            "lookalikes-blobs.png", "reliability-blobs.png", "mistakes-ann-blobs.png", "mistakes-cnn-blobs.png",
            "heat-cnn-blobs.png", "network-ann-blobs.png", "network-cnn-blobs.png", "filters-blobs.png",
            "outputs-cnn-blobs.png", "areas-blobs.png", "images-blobs.png", "images_heat-cnn-blobs.png",
            "ann-blobs.keras", "ann-blobs.json", "cnn-blobs.keras", "cnn-blobs.json", "summary.json",
        }  # fmt: skip
        text = (folder / "report.md").read_text()
        for heading in (
            "Comparison",
            "Search score and test score",
            "Class by class",
            "ROC curves",
            "Confusion matrices",
            "Training curves",
            "Model cards",
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
        older = '{"title": "an older one", "files": ["left-over.png"]}'
        (copied / "reports" / "small" / "summary.json").write_text(older)
        (copied / "reports" / "small" / "left-over.png").write_bytes(b"old")
        assert tuner(copied, "report", "small", drawn=True).returncode == 0
        assert hashes() == before

    def test_trains_nothing_when_run_again(self, copied: Path) -> None:
        before = trials(copied)
        again = tuner(copied, "run", "small")
        assert again.returncode == 0
        assert f"{SEARCH_TRIALS}/{SEARCH_TRIALS}, best" in again.stderr
        assert f"{SEARCH_TRIALS} from before" in again.stderr
        assert "4 from before" in again.stderr
        assert trials(copied) == before

    def test_writes_the_same_bytes_with_more_workers(
        self, finished_in_brief: Path, tmp_path: Path, blobs_file: Path
    ) -> None:
        """This one is started as from a shell; the bytes show that what other tests fork is no other command."""
        other = make_project(tmp_path / "other", blobs_file, TWO_TRIALS)
        assert real_tuner(other, "run", "small", "--workers", "3").returncode == 0
        assert trials(other) == trials(finished_in_brief)
        assert differing(without_times(other / "reports"), without_times(finished_in_brief / "reports")) == []

    def test_has_what_each_search_trial_answered_to_its_validation_images(self, finished: Path) -> None:
        kept = list((finished / "runs" / "models").glob("*.validation.npz"))
        names = {row["trial"] for row in json.loads(tuner(finished, "results", "small", "--format", "json").stdout)}
        assert {file.name.partition("-")[0] for file in kept} == names
        assert len(kept) == SEARCH_TRIALS

    @pytest.mark.parametrize("how", ["lost", "damaged", "never kept"])
    def test_trains_nothing_where_validation_predictions_are_no_longer_there(self, copied: Path, how: str) -> None:
        before = trials(copied)
        for file in (copied / "runs" / "models").glob("*.validation.npz"):
            if how == "damaged":
                file.write_bytes(file.read_bytes()[:-1] + b"?")
            else:
                file.unlink()
        if how == "never kept":  # as in the ledger of an earlier version
            with sqlite3.connect(copied / "runs" / "ledger.sqlite") as database:
                database.execute("UPDATE trials SET files = '{}' WHERE json_extract(content, '$.role') = 'search'")
        again = tuner(copied, "run", "small")
        assert again.returncode == 0, again.stderr
        assert f"{SEARCH_TRIALS} from before" in again.stderr
        assert "4 from before" in again.stderr
        assert trials(copied) == before
        assert len(list((copied / "runs" / "models").glob("*.validation.npz"))) == SEARCH_TRIALS * (how == "damaged")

    def test_retrains_a_final_whose_model_was_lost(self, brief: Path) -> None:
        before = (brief / "reports" / "small" / "per_class.csv").read_bytes()
        for model in (brief / "runs" / "models").glob("*.keras"):
            model.unlink()
        for predictions in predictions_in(brief)[:1]:
            predictions.write_bytes(predictions.read_bytes()[:-1] + b"?")
        assert tuner(brief, "run", "small").returncode == 0
        assert (brief / "reports" / "small" / "per_class.csv").read_bytes() == before
        answer = tuner(brief, "verify", "small")
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
        rows = [line for line in answer.stdout.splitlines() if line.startswith("|")][2:]
        assert len(rows) == 4
        assert {row.split("|")[2].strip() for row in rows} == {"small", "twin"}
        assert sum("1.000" in row for row in rows) >= 1

    def test_with_other_options_is_another_budget_printed_in_the_report(self, brief: Path) -> None:
        small = tuner(brief, "run", "small", "--epochs", "1", "--train-size", "60", "--test-size", "30")
        assert small.returncode == 0, small.stderr
        assert {row["epochs"] for row in trials(brief)} == {1}
        text = (brief / "reports" / "small" / "report.md").read_text()
        assert "--epochs 1 --train-size 60 --test-size 30" in text
        card = json.loads((brief / "reports" / "small" / "cnn-blobs.json").read_text())
        assert card["trial"]["train_size"] == 60

    def test_is_searched_anew_when_its_data_have_changed(self, brief: Path) -> None:
        file = brief / "searches" / "blobs.npz"
        with np.load(file) as arrays:
            changed = {name: arrays[name] for name in arrays.files}
        changed["x_train"][0, 0, 0] ^= 1
        np.savez(file, **changed)
        again = tuner(brief, "run", "small")
        assert again.returncode == 0, again.stderr
        assert "2 from before" not in again.stderr
        assert "2 trials from before the change no longer belong to this search" in again.stderr
        assert len(trials(brief)) == 2

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
        chosen = (col.RETRAINED_MEAN, col.RETRAINED_SD, col.REPEATS)  # another trial may be the best now
        for trial in set(before) & set(after):
            assert {**after[trial], **dict.fromkeys(chosen)} == {**before[trial], **dict.fromkeys(chosen)}

    def test_whose_space_became_wider_begins_with_what_it_has_and_its_report_says_so(self, brief: Path) -> None:
        file = brief / "searches" / "small.toml"
        before = {row["trial"] for row in trials(brief)}
        search = file.read_text().replace('family = "ann"', 'family = "ann"\nalgorithm = "random"\nmax_trials = 3')
        file.write_text(search.replace("dense_units = 4\n", "dense_units = { min = 2, max = 64 }\n"))
        planned = tuner(brief, "plan", "small")
        ran = tuner(brief, "run", "small")
        assert ran.returncode == 0, ran.stderr
        for answer in (planned, ran):
            assert "ANN on blobs.npz: 1 earlier trial counts; 2 new ones follow." in answer.stdout + answer.stderr
        assert (
            "ANN on blobs.npz: 3 configurations; 1 recorded trials count, 2 are to be trained for certain"
            in planned.stdout
        )
        assert "no longer belong" not in ran.stderr
        assert len(trials(brief)) == 3 + 1
        assert before < {row["trial"] for row in trials(brief)}
        report = (brief / "reports" / "small" / "report.md").read_text()
        assert "trials and retrainings were recorded before this search began" in report
        assert "Proposals began with 1 trial of this search as it was before its file changed" in report
        again = tuner(brief, "run", "small")
        assert "4 from before" in again.stderr

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
        assert f"This search is unfinished: {SEARCH_TRIALS} of its trials are recorded." in text
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
        for file in predictions_in(copied) if what == "runs/models/*.npz" else copied.glob(what):
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


MOODY = """
import keras
from pathlib import Path

class Moody(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if Path({mark!r}).exists():
            raise RuntimeError("no luck")

def make():
    return [Moody()]
"""


def test_a_search_whose_trials_all_fail_on_a_fresh_run_is_no_success_by_its_earlier_retrainings(
    tmp_path: Path, blobs_file: Path
) -> None:
    mark = tmp_path / "mark"
    folder = make_project(
        tmp_path / "p", blobs_file, ONE_TRIAL.replace("[[search]]", 'callbacks = "moody:make"\n[[search]]')
    )
    (folder / "searches" / "moody.py").write_text(MOODY.format(mark=str(mark)))
    assert tuner(folder, "run", "small").returncode == 0
    mark.touch()
    failed = tuner(folder, "run", "small", "--fresh")
    assert failed.returncode == 1, failed.stderr
    last = failed.stderr.splitlines()[-1]
    assert last.startswith("tuner: small: no trial of ")
    assert "most often: the callback Moody raised RuntimeError: no luck" in last
    assert "## Comparison" not in (folder / "reports" / "small" / "report.md").read_text()
    mark.unlink()
    begun = utc(time.time())
    assert tuner(folder, "run", "small", "--fresh").returncode == 0
    assert [row["status"] for row in trials(folder)] == ["completed"]
    ledger = sqlite3.connect(folder / "runs" / "ledger.sqlite")
    assert ledger.execute("SELECT count(*) FROM trials").fetchone() == (1 + 1,)
    assert ledger.execute("SELECT min(finished) FROM trials").fetchone()[0] >= begun, "all is trained again"
    ledger.close()
