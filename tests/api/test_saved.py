"""`tuner.load_model`, `tuner.predict` and `tuner.export`: the saved models and the exports of the command line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from made_up import Project
from PIL import Image
from small_project import tuner as command

import tuner
from tuner.errors import InputError


@pytest.fixture
def folders(finished_in_brief: Path) -> dict[str, Path]:
    return {"runs_dir": finished_in_brief / "runs", "reports_dir": finished_in_brief / "reports"}


def test_a_saved_model_is_that_of_the_report_by_default_the_best(folders: dict[str, Path], blobs_file: Path) -> None:
    best = tuner.compare("small", runs_dir=folders["runs_dir"]).iloc[0]["model"]
    images = np.load(blobs_file)["x_test"]
    theirs = keras.models.load_model(folders["reports_dir"] / "small" / f"{best}-blobs.keras")
    ours = tuner.load_model("small", **folders)
    answers = ours.predict(images, verbose=0)
    assert np.array_equal(answers, theirs.predict(images, verbose=0))
    for other in ("ann", "cnn"):
        assert tuner.load_model("small", model=other, **folders).name == other


def test_predictions_of_an_array_are_those_that_the_search_was_scored_on(
    folders: dict[str, Path], blobs_file: Path
) -> None:
    arrays = np.load(blobs_file)
    found = tuner.load_findings("small", **folders)
    frame = tuner.predict(found, arrays["x_test"], model="ann")
    (ann,) = [chosen for chosen in found.chosen if chosen.model == "ann"]
    assert np.allclose(frame.filter(like="probability_"), ann.predictions.probabilities, atol=1e-6)
    names = np.array(ann.predictions.class_names)
    assert frame["predicted_class"].tolist() == names[ann.predictions.probabilities.argmax(axis=1)].tolist()
    assert np.allclose(frame["confidence"], ann.predictions.probabilities.max(axis=1), atol=1e-6)
    scaled = tuner.predict(found, arrays["x_test"][:5] / 255, model="ann")  # as a data set may hold them
    pd.testing.assert_frame_equal(scaled, frame[:5])


def test_predictions_of_files_are_those_of_the_command(folders: dict[str, Path], tmp_path: Path) -> None:
    for grey in (10, 200):
        Image.new("L", (20, 10), grey).save(tmp_path / f"{grey}.png")
    path = folders["reports_dir"] / "small" / "ann-blobs.keras"
    answer = command(tmp_path, "predict", str(path), "10.png", "200.png", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    for ours in (
        tuner.predict(path, [tmp_path / "10.png", tmp_path / "200.png"]),
        tuner.predict("small", tmp_path, model="ann", **folders),
    ):
        assert ours["predicted_class"].tolist() == [row["predicted_class"] for row in rows]
        assert ours["confidence"].tolist() == pytest.approx([float(row["confidence"]) for row in rows], rel=1e-5)
        assert [Path(file).name for file in ours["file"]] == ["10.png", "200.png"]
        assert ours.columns.tolist() == list(rows[0])


def test_files_that_are_no_images_are_left_out_and_said(folders: dict[str, Path], tmp_path: Path) -> None:
    Image.new("L", (8, 8), 9).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"bad\.png"):
        tuner.predict("small", tmp_path, **folders)
    with pytest.warns(UserWarning, match=r"left out .*bad\.png"):
        assert len(tuner.predict("small", tmp_path, skip_bad=True, **folders)) == 1


@pytest.mark.parametrize("call", [tuner.load_model, lambda found, **where: tuner.predict(found, "x.png", **where)])
def test_a_model_that_is_not_there_is_one_line(call: Callable[..., object], folders: dict[str, Path]) -> None:
    with pytest.raises(InputError, match=r"^model: is 'cn'; did you mean 'cnn'"):
        call("small", model="cn", **folders)
    with pytest.raises(InputError, match=r"^dataset: is 'blob'; did you mean 'blobs\.npz'"):
        call("small", dataset="blob", **folders)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 9, 9), np.uint8), "images: are 9x9x1, and .* takes 8x8x1; resize them, or give their files"),
        (np.zeros((8, 8), np.uint8), r"images has the shape \(8, 8\)"),
        (np.full((1, 8, 8), -1.0), "images has pixels from -1 to -1"),
        ([np.zeros((8, 8))], "images: holds ndarray; give paths, or one array"),
    ],
)
def test_what_are_no_images_of_the_model_is_refused(images: object, message: str, folders: dict[str, Path]) -> None:
    with pytest.raises(InputError, match=message):
        tuner.predict("small", images, **folders)  # type: ignore[arg-type]


def test_a_file_is_one_model_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^model: is of no use: x\.keras is one model's file$"):
        tuner.load_model("x.keras", model="cnn")
    with pytest.raises(InputError, match=r"x\.keras: no such model file"):
        tuner.load_model(tmp_path / "x.keras")


def test_an_export_writes_what_the_command_writes(project: Project, tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    findings = project.findings()
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    lines = tuner.export(findings, "optuna", storage)
    names = optuna.get_all_study_names(storage)
    assert len(names) == 2
    assert all(any(name in line for line in lines) for name in names)
    again = tuner.export("small", to="optuna", storage=storage, runs_dir=project.workspace.runs)
    assert again == lines
    assert optuna.get_all_study_names(storage) == names
    with pytest.raises(InputError, match=r"^to: is 'optuna2'; did you mean 'optuna'"):
        tuner.export(findings, "optuna2", storage)
    with pytest.raises(InputError, match=r"^storage: is empty"):
        tuner.export(findings, "optuna", " ")
    for to, wrong, problem in (
        (
            "litert",
            {"storage": storage},
            r"^storage: is of no use with .litert.; exported models lie beside the report$",
        ),
        ("litert", {"quantize": "int4"}, r"^quantize: is .int4.; .*int8"),
        ("savedmodel", {"quantize": "int8"}, r"^quantize: SavedModel is not quantized; export to litert or onnx"),
        ("optuna", {"storage": storage, "quantize": "int8"}, r"^quantize: is of no use with .optuna."),
    ):
        with pytest.raises(InputError, match=problem):
            tuner.export(findings, to, **wrong)
    with pytest.raises(InputError, match="none of this name has been run here"):
        tuner.export("other", "optuna", storage, runs_dir=project.workspace.runs)
