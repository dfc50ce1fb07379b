"""Saved models in other formats: converted, scored again by what runs them, and read again by `predict`."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from saved_search import saved_search

from tuner.analysis.findings import Chosen, Findings
from tuner.cli import app
from tuner.datasets.base import Dataset
from tuner.errors import CheckError, InputError
from tuner.protocol import training_images
from tuner.saved_models.exporting import FORMATS, Format, format_of
from tuner.saved_models.exporting import export as exporting
from tuner.saved_models.exporting.export import Exports, export_models, table_of
from tuner.saved_models.exporting.runtime import check_exported
from tuner.saved_models.predict import predict_array, predict_files
from tuner.untrusted import sizes

layers = keras.layers
EVERY_FORMAT = [
    pytest.param(
        form,
        id=form.name,
        marks=pytest.mark.skipif(
            any(importlib.util.find_spec(name) is None for name in form.converts),
            reason=f"the extra {form.extra} is not installed",
        ),
    )
    for form in FORMATS.values()
]
SAVEDMODEL = FORMATS["savedmodel"]


@pytest.fixture(autouse=True)
def _forked(request: pytest.FixtureRequest) -> None:
    """Models are converted and run by processes that are forked, but in one test."""
    if request.function is not test_the_command_prints_the_table_and_what_was_exported_before_gives_place:
        request.getfixturevalue("forked_scripts")


@pytest.mark.slow
@pytest.mark.parametrize("form", [one for one in EVERY_FORMAT if one.values[0].name == "onnx"])
def test_what_a_network_normalizes_by_is_no_further_input_and_what_cannot_be_run_is_told(
    form: Format, blobs: Dataset, tmp_path: Path
) -> None:
    pixels = keras.Input((8, 8, 1))
    x = layers.Normalization(mean=[100.0], variance=[2500.0])(pixels)
    normal = keras.Model(pixels, layers.Dense(3, activation="softmax")(layers.Flatten()(x)))
    (exported,) = export_models(saved_search(tmp_path / "normal", blobs, normal)[0], form).exported
    assert exported.furthest < 1e-4
    grouped = layers.Conv2D(8, 3, groups=4)(layers.Conv2D(4, 3)(x))  # for which Keras compiles a function of its own
    answers = layers.Dense(3, activation="softmax")(layers.Flatten()(grouped))
    findings = saved_search(tmp_path / "grouped", blobs, keras.Model(pixels, answers))[0]
    found = export_models(findings, form)
    assert found.exported == ()
    assert re.match(r"^ann-blobs.keras: converted to ONNX, it cannot be opened \(.+\); export", str(found.refused[0]))
    assert list((findings.workspace.reports / "mine" / "exported").iterdir()) == []


def network() -> keras.Model:
    """Return a network that is right about most blobs, since it looks where their light is."""
    keras.utils.set_random_seed(1)
    pixels = keras.Input((8, 8, 1))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", activation="relu")(pixels / 255.0))
    x = layers.Dropout(0.5)(layers.Flatten()(layers.MaxPooling2D()(x)))
    return keras.Model(pixels, layers.Dense(3, activation="softmax")(layers.Dense(64, activation="relu")(x)))


#: The search of this module, once it is made.
MADE: list[Findings] = []


@pytest.fixture
def search(tmp_path_factory: pytest.TempPathFactory, blobs: Dataset) -> Findings:
    if not MADE:
        model = network()
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(blobs.x_train, blobs.y_train, epochs=8, batch_size=16, verbose=0)
        plain = keras.Model(model.inputs, model.outputs)
        MADE.append(saved_search(tmp_path_factory.mktemp("search"), blobs, plain)[0])
    return MADE[0]


@pytest.mark.slow
@pytest.mark.parametrize("form", EVERY_FORMAT)
def test_every_format_answers_as_keras_does_and_predict_takes_it(
    form: Format, search: Findings, blobs: Dataset, tmp_path: Path
) -> None:
    (exported,) = export_models(search, form).exported
    path = search.workspace.reports / "mine" / "exported" / f"ann-blobs{form.suffix}"
    assert exported.here.path == path
    assert format_of(path) is form
    assert exported.furthest < 1e-4
    assert (exported.changed, exported.p, exported.of_keras.accuracy) == (0, 1.0, exported.here.accuracy)
    assert exported.here.accuracy == search.chosen[0].predictions.accuracy
    assert len(exported.here.milliseconds) == len(exported.of_keras.milliseconds) == exporting.CALLS
    assert exported.told.startswith(f"{path}: {exported.here.accuracy:.4f} on 45 test images (+0.0000, 0 in another")
    header, rows = table_of([exported])
    assert [row[0] for row in rows] == ["ann-blobs.keras", path.name]
    assert rows[1][header.index("difference")] == "+0.0000"
    assert rows[1][header.index("other class")] == "0 of 45"
    Image.fromarray(blobs.x_test[0, ..., 0]).save(tmp_path / "x.png")
    predicted = predict_files(path, [tmp_path / "x.png"])
    assert predicted.class_names == tuple(blobs.class_names)
    assert predicted.no_card == ""
    of_array = predict_array(path, blobs.x_test[:40]).probabilities
    np.testing.assert_allclose(of_array, search.chosen[0].predictions.probabilities[:40], atol=1e-4)
    np.testing.assert_allclose(predicted.probabilities[0], of_array[0], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", [one for one in EVERY_FORMAT if one.values[0].quantizes])
def test_in_eight_bits_it_is_another_model_and_its_differences_are_told(form: Format, search: Findings) -> None:
    (exported,) = export_models(search, form, "int8").exported
    assert exported.here.path.name == f"ann-blobs-int8{form.suffix}"
    assert json.loads(exported.here.path.with_suffix(".json").read_text())["class_names"]
    assert 1e-4 < exported.furthest < 0.3
    answers = exported.here.probabilities.argmax(axis=1) != exported.of_keras.probabilities.argmax(axis=1)
    assert exported.changed == answers.sum()
    assert exported.here.accuracy > 0.8
    if form.name == "litert":
        assert exported.here.size < exported.of_keras.size / 3


def test_a_converter_sees_training_images_alone_and_the_same_each_time(search: Findings, blobs: Dataset) -> None:
    (chosen,) = search.chosen
    some = exporting._representative(search, chosen)
    np.testing.assert_array_equal(some, exporting._representative(search, chosen))
    trained = {image.tobytes() for image in blobs.x_train[training_images(chosen.saved.trial, blobs)[0]]}
    assert {image.tobytes() for image in some} <= trained
    assert len(some) == min(len(trained), exporting.REPRESENTATIVE)


@pytest.mark.slow
def test_what_cannot_be_converted_is_named_in_one_line(search: Findings, tmp_path: Path) -> None:
    (chosen,) = search.chosen
    kept = chosen.artifact.read_bytes()
    try:
        chosen.artifact.write_bytes(kept[:1000])
        refused: dict[Chosen, InputError] = {}
        assert exporting._converted(search, SAVEDMODEL, "float", tmp_path, refused) == {}
        told = r"^ann-blobs.keras: cannot be converted to SavedModel \(.+\); export it to another format$"
        assert re.match(told, str(refused[chosen]))
    finally:
        chosen.artifact.write_bytes(kept)


@pytest.mark.slow
def test_a_savedmodel_that_writes_files_is_refused_and_writes_none(tmp_path: Path) -> None:
    import tensorflow as tf

    class Writer(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32)])  # type: ignore[untyped-decorator]
        def serve(self, images):  # type: ignore[no-untyped-def]
            tf.io.write_file(str(tmp_path / "written"), "x")
            return tf.reduce_mean(images, axis=(1, 2))

    module = Writer()
    path = tmp_path / "x.savedmodel"
    tf.saved_model.save(module, str(path), signatures=module.serve)
    with pytest.raises(InputError, match=r"cannot be opened \(holds an operation that is not on the list .*WriteFile"):
        predict_array(path, np.zeros((1, 8, 8, 1), np.uint8))
    assert not (tmp_path / "written").exists()


@pytest.mark.slow
def test_what_is_no_litert_file_or_ends_the_runtime_is_one_line(tmp_path: Path) -> None:
    for content, problem in (
        (b"nothing", "is not a LiteRT file"),
        (b"\x18\0\0\0TFL3" + b"\xff" * 64, "cannot be opened"),
    ):
        (tmp_path / "x.tflite").write_bytes(content)
        with pytest.raises(InputError, match=problem):
            predict_array(tmp_path / "x.tflite", np.zeros((1, 8, 8, 1), np.uint8))


def link(path: Path) -> None:
    path.mkdir()
    (path / "saved_model.pb").symlink_to("/etc/hostname")


def assets(path: Path) -> None:
    (path / "assets").mkdir(parents=True)
    (path / "assets" / "words.txt").touch()


def elsewhere(path: Path) -> None:
    path.mkdir()
    (path / "variables").symlink_to("/etc")


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, sizes.MOST_MODEL + 1)


@pytest.mark.parametrize(
    ("name", "make", "problem"),
    [
        ("x.savedmodel", link, r"holds a link that no exported network needs \(saved_model.pb\)"),
        ("x.savedmodel", elsewhere, r"holds a link that no exported network needs \(variables\)"),
        ("x.savedmodel", assets, r"holds something that no exported network needs \(assets/words.txt\)"),
        ("x.savedmodel", Path.touch, "is not a folder"),
        ("x.tflite", huge, "has 4 GB; models of at most 4 GB are loaded"),
        ("x.onnx", huge, "has 4 GB; models of at most 4 GB are loaded"),
        ("x.onnx", os.mkfifo, "is not a file"),
        ("x.tflite", Path.mkdir, "is not a file"),
        ("x.tflite", lambda path: None, "no such model file"),
    ],
)
def test_what_strangers_may_put_in_place_of_a_model_is_refused_unread(
    name: str, make: Callable[[Path], object], problem: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    make(path)
    form = format_of(path)
    assert form is not None
    with pytest.raises(InputError, match=problem):
        check_exported(path, form)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--to", "savedmodel", "--quantize", "int8"],
            "--quantize: SavedModel is not quantized; export to litert or onnx",
        ),
        (["--to", "litert", "--storage", "x"], "--storage: is of no use with --to litert; exported models lie beside"),
        (["--to", "optuna"], "--storage: is missing, which --to optuna needs; give a database"),
        (["--to", "optuna", "--storage", "x", "--quantize", "int8"], "--quantize: is of no use with --to optuna"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_refused(options: list[str], line: str, tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["export", "x", *options, "--runs-dir", str(tmp_path)])
    assert str(ended.exception).startswith(line)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ended = CliRunner().invoke(app, ["export", "x", "--to", "onnx", "--runs-dir", str(tmp_path)])
    told = "what converts to ONNX is not installed; install it: pip install 'tunetable[onnx]'"
    assert str(ended.exception) == f"--to: {told}"
    (tmp_path / "x.onnx").touch()
    with pytest.raises(
        InputError, match=r"what runs ONNX is not installed; install it: pip install .tunetable\[onnx\]"
    ):
        predict_array(tmp_path / "x.onnx", np.zeros((1, 8, 8, 1), np.uint8))


def test_a_search_without_a_saved_model_and_one_that_never_ran_say_so(search: Findings, tmp_path: Path) -> None:
    with pytest.raises(CheckError, match=r"^mine: has no saved model to export"):
        export_models(replace(search, chosen=()), SAVEDMODEL)
    ended = CliRunner().invoke(app, ["export", "never", "--to", "litert", "--runs-dir", str(tmp_path)])
    assert isinstance(ended.exception, InputError)


def test_a_model_with_code_in_it_is_refused_before_anything_is_converted(tmp_path: Path, blobs: Dataset) -> None:
    made = [keras.Input((8, 8, 1)), layers.Lambda(lambda x: x / 255), layers.Flatten(), layers.Dense(3, "softmax")]
    findings, _ = saved_search(tmp_path, blobs, keras.Sequential(made))
    found = export_models(findings, SAVEDMODEL)
    assert found.exported == ()
    with pytest.raises(InputError, match=r"^ann-blobs.keras: carries code \(a Lambda layer\)"):
        found.check(SAVEDMODEL)
    with pytest.raises(InputError, match=r"^2 models cannot be exported to SavedModel$") as caught:
        Exports((), found.refused * 2).check(SAVEDMODEL)
    assert caught.value.details == (str(found.refused[0]),) * 2
    assert list((findings.workspace.reports / "mine" / "exported").iterdir()) == []


@pytest.mark.slow
def test_the_command_prints_the_table_and_what_was_exported_before_gives_place(search: Findings) -> None:
    workspace = search.workspace
    old = workspace.reports / "mine" / "exported" / "ann-blobs.savedmodel" / "old"
    shutil.rmtree(old.parent, ignore_errors=True)
    old.parent.mkdir(parents=True)
    old.touch()
    folders = ["--runs-dir", str(workspace.runs), "--reports-dir", str(workspace.reports)]
    ended = CliRunner().invoke(app, ["export", "mine", "--to", "savedmodel", *folders], catch_exceptions=False)
    assert ended.exit_code == 0
    head, _, keras_row, row, last = ended.stdout.splitlines()
    assert [cell.strip() for cell in head.split("|")][1:5] == ["model", "MB", "ms an image", "quartiles"]
    assert keras_row.startswith("| ann-blobs.keras ")
    assert row.startswith("| ann-blobs.savedmodel ")
    assert "0 of 45" in row
    assert last == f"exported: {old.parent.parent}"
    assert not old.exists()
    assert (old.parent / "saved_model.pb").exists()
    assert [path.name for path in old.parent.parent.iterdir() if path.name.startswith(".")] == []
