"""Predictions by a saved model, through the command line and of files that are not what they should be."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small_project import tuner

from tuner.errors import InputError
from tuner.saved_models.predict import predict_files

layers = keras.layers


def brightness(shape: tuple[int | None, ...] = (8, 8, 1), out: Any = None) -> keras.Model:
    """Return a network that answers 0 for a dark picture and 1 for a bright one."""
    pixels = keras.Input(shape)
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 127.5, offset=-1)(pixels))
    dense = layers.Dense(2, activation="softmax")
    network = keras.Model(pixels, out(x) if out else dense(x))
    if not out:
        dense.set_weights([np.repeat([[-5.0, 5.0]], shape[-1], axis=0), np.zeros(2)])
    return network


@pytest.fixture
def model(tmp_path: Path) -> Path:
    brightness().save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def picture(path: Path, grey: int) -> Path:
    Image.new("L", (20, 10), grey).save(path)
    return path


def card(model: Path, content: object) -> None:
    model.with_suffix(".json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("given", "there", "meant"),
    [
        ("reports/cnn-digit.keras", "cnn-digits.keras", "reports/cnn-digits.keras"),
        ("reports/cnn-digits", "cnn-digits.keras", "reports/cnn-digits.keras"),
        ("reports/cnn-digit.onnx", "cnn-digits.onnx", "reports/cnn-digits.onnx"),
        ("reports/cnn-digits.keras", "ann-mnist.json", ""),
        ("reports/cnn-digits.keras", "x.keras", ""),
        ("report/cnn-digits.keras", "cnn-digits.keras", ""),
    ],
)
def test_the_name_of_a_model_that_is_not_there_is_answered_with_a_near_one(tmp_path, monkeypatch, given, there, meant):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / there).write_bytes(b"")
    picture(tmp_path / "a.png", 1)
    with pytest.raises(InputError) as caught:
        predict_files(Path(given), [tmp_path / "a.png"])
    assert str(caught.value) == f"{given}: no such model file" + (f"; did you mean {meant!r}?" if meant else "")


def test_the_most_probable_class_comes_first(model):
    card(model, {"class_names": ["dark", "bright"]})
    answers = predict_files(model, [picture(model.parent / f"{grey}.png", grey) for grey in (0, 255)])
    dark, bright = answers.ranked()
    assert answers.no_card == ""
    assert [name for name, _ in dark[1]] == ["dark", "bright"]
    assert [name for name, _ in bright[1]] == ["bright", "dark"]
    assert dark[1][0][1] > 0.99


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"class_names": ["one"]}',
        b'{"class_names": "ab"}',
        b'{"class_names": null}',
        b" " * 2_000_000,
    ],
    ids=["empty", "broken", "a list", "no text", "deep", "too few", "a string", "null", "2 MB"],
)
def test_without_a_card_that_names_them_classes_are_places_in_the_output_and_it_is_said(model, content):
    model.with_suffix(".json").write_bytes(content)
    answers = predict_files(model, [picture(model.parent / "x.png", 255)])
    ((_, answer),) = answers.ranked()
    assert [name for name, _ in answer] == ["output 1", "output 0"]
    assert answers.no_card.startswith(f"{model.with_suffix('.json')}: ")
    assert answers.no_card.endswith("without the model's card classes are told by their place in its output, from 0")


def test_a_card_that_is_missing_is_said_on_the_terminal_apart_from_the_answers(model):
    picture(model.parent / "x.png", 255)
    answer = tuner(model.parent, "predict", "model.keras", "x.png")
    assert answer.returncode == 0
    assert answer.stdout.startswith("x.png: output 1 (output 1 ")
    (line,) = answer.stderr.splitlines()
    assert line == (
        "model.json: cannot be read (No such file or directory); without the model's card classes are told by their "
        "place in its output, from 0"
    )


def test_a_card_that_is_a_pipe_is_not_waited_for(model):
    os.mkfifo(model.with_suffix(".json"))
    ((_, answer),) = predict_files(model, [picture(model.parent / "x.png", 255)]).ranked()
    assert [name for name, _ in answer] == ["output 1", "output 0"]


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        (lambda: brightness((None, None, 1)), r"takes inputs of shape \(None, None, None, 1\), not images of one size"),
        (lambda: brightness((8, 8, 17)), r"takes inputs of shape \(None, 8, 8, 17\), not images"),
        (
            lambda: brightness((8, 8, 2)),
            "model.keras: takes 2 channels, and image files are grey or have",
        ),
        (lambda: keras.Sequential([layers.Flatten()]), "takes inputs of shape None, not images"),
        (lambda: keras.Sequential([keras.Input((5,)), layers.Dense(2)]), r"takes inputs of shape \(None, 5\)"),
        (lambda: brightness((20_000, 20_000, 1)), "takes images of 20000x20000; at most 64,000,000 pixels are read"),
        (lambda: brightness(out=lambda x: [x, x]), "gives answers of shape .*, not a probability per class"),
        (lambda: brightness(out=layers.Reshape((1, 1))), r"answers of shape \(None, 1, 1\)"),
    ],
)
def test_a_network_that_does_not_classify_images_of_one_size_is_refused(tmp_path, network, problem):
    network().save(tmp_path / "model.keras")
    with pytest.raises(InputError, match=problem):
        predict_files(tmp_path / "model.keras", [picture(tmp_path / "x.png", 1)])


def test_names_reach_the_terminal_as_text(model):
    card(model, {"class_names": ["\x1b[31mdark\n", "br\u202eight"]})
    name = b"\x1b]0;evil\x07 caf\xe9.png"
    picture(model.parent / os.fsdecode(name), 255)
    answer = tuner(model.parent, "predict", "model.keras", os.fsdecode(name), env={"PYTHONUTF8": "1"})
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith(r"\x1b]0;evil\x07 caf\xe9.png: br\u202eight (br\u202eight 1.0000, ")
    assert r"\x1b[31mdark 0.0" in answer.stdout


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(os.mkfifo, "is not a file", id="a pipe"),
        pytest.param(lambda path: path.write_text("x"), "cannot be read as an image", id="text"),
        pytest.param(lambda path: path.write_bytes(b"%!PS-Adobe\n"), "cannot be read as an image", id="a program"),
        pytest.param(lambda path: Image.new("1", (9000, 9000)).save(path), "is 9000x9000 pixels", id="huge"),
        pytest.param(lambda path: None, "no such file or folder", id="absent"),
    ],
)
def test_an_image_that_is_none_is_one_line(model, make, problem):
    make(model.parent / "x.png")
    answer = tuner(model.parent, "predict", "model.keras", "x.png")
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith(f"tuner: x.png: {problem}")


@pytest.mark.parametrize(("bias", "answers"), [(np.nan, False), (-np.inf, True)])
def test_weights_that_are_no_numbers_are_named_whether_it_still_answers_or_not(tmp_path, bias, answers):
    network = brightness()
    kernel, zeros = network.get_weights()
    network.set_weights([kernel, zeros + np.array([bias, 0.0])])
    network.save(tmp_path / "model.keras")
    picture(tmp_path / "x.png", 1)
    answer = tuner(tmp_path, "predict", "model.keras", "x.png")
    *warning, line = answer.stderr.splitlines()
    if answers:
        assert (answer.returncode, answer.stdout) == (0, "x.png: output 1 (output 1 1.0000, output 0 0.0000)\n")
        assert warning == ["model.keras: 1 of its 4 weights are NaN or infinite"]
        assert line.startswith("model.json: ")  # the card, which is missing
    else:
        assert (answer.returncode, answer.stdout, warning) == (2, "", [])
        assert line == "tuner: model.keras: answers with NaN (1 of its 4 weights are NaN or infinite)"


def test_a_network_that_makes_much_of_one_image_is_refused_before_it_does(tmp_path):
    network = keras.Sequential([keras.Input((8, 8, 1)), layers.UpSampling2D((3000, 3000))])
    network.add(layers.GlobalMaxPooling2D())
    network.add(layers.Dense(2, activation="softmax"))
    network.save(tmp_path / "model.keras")
    picture(tmp_path / "x.png", 1)
    answer = tuner(tmp_path, "predict", "model.keras", "x.png")
    assert (answer.returncode, answer.stdout) == (2, "")
    (line,) = answer.stderr.splitlines()
    assert line.startswith("tuner: model.keras: takes ")
    assert line.endswith("GB of memory for one image, and at most 1 GB are given")


def photographs(folder: Path) -> Path:
    """Write images into a folder and those in it, with what is none beside them."""
    for place in ("a", "b/deep", "b/.ipynb_checkpoints", "__MACOSX"):
        (folder / place).mkdir(parents=True)
        picture(folder / place / "1.png", 255)
    picture(folder / "a" / "0.PNG", 0)
    (folder / "a" / "notes.txt").write_text("x")
    (folder / "a" / "Thumbs.db").write_text("x")
    (folder / "a" / "._1.png").write_text("x")
    return folder


def test_the_images_of_a_folder_are_taken_however_deep_they_lie_by_name(model):
    photos = photographs(model.parent / "photos")
    alone = picture(model.parent / "0.png", 0).rename(model.parent / "alone")
    answers = predict_files(model, [photos, alone, photos / "a"])
    names = ["photos/a/0.PNG", "photos/a/1.png", "photos/b/deep/1.png", "alone", "photos/a/0.PNG", "photos/a/1.png"]
    assert [image.relative_to(model.parent).as_posix() for image in answers.images] == names
    assert [answer[0][0] for _, answer in answers.ranked()] == [f"output {n}" for n in (0, 1, 1, 0, 0, 1)]


def test_more_images_than_are_read_at_once_have_their_answers_in_order(model, monkeypatch):
    monkeypatch.setattr("tuner.saved_models.predict._BLOCK", 2)
    greys = [0, 255, 255, 0, 0, 255, 0]
    answers = predict_files(model, [picture(model.parent / f"{n}.png", grey) for n, grey in enumerate(greys)])
    assert answers.probabilities.argmax(axis=1).tolist() == [grey // 255 for grey in greys]


def test_a_folder_without_images_is_refused(model):
    (model.parent / "empty").mkdir()
    with pytest.raises(InputError, match="empty: has no image in it"):
        predict_files(model, [model.parent / "empty"])


def test_as_csv_each_image_is_a_row_with_the_probability_of_each_class(model):
    card(model, {"class_names": ["dark, very", "file"]})
    photographs(model.parent / "photos")
    answer = tuner(model.parent, "predict", "model.keras", "photos", "--format", "csv")
    assert (answer.returncode, answer.stderr) == (0, "")
    frame = pd.read_csv(io.StringIO(answer.stdout))
    assert list(frame) == ["file", "predicted_class", "confidence", "probability_dark, very", "probability_file"]
    assert frame["file"].tolist() == ["photos/a/0.PNG", "photos/a/1.png", "photos/b/deep/1.png"]
    assert frame["predicted_class"].tolist() == ["dark, very", "file", "file"]
    assert frame["confidence"].tolist() == frame[["probability_dark, very", "probability_file"]].max(axis=1).tolist()
    assert frame.iloc[:, 3:].sum(axis=1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)


def test_all_images_that_cannot_be_read_are_told_at_once_and_skip_bad_leaves_them_out(model):
    card(model, {"class_names": ["dark", "bright"]})
    photos = photographs(model.parent / "photos")
    (photos / "a" / "2.png").write_text("x")
    (photos / "b" / "3.jpg").write_bytes(b"")
    answer = tuner(model.parent, "predict", "model.keras", "photos")
    first, *others = answer.stderr.splitlines()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert first.startswith("tuner: 2 images cannot be used; mend or remove them, or leave them out with --skip-bad")
    assert [line.partition(" (")[0] for line in others] == [
        "  photos/a/2.png: cannot be read as an image",
        "  photos/b/3.jpg: cannot be read as an image",
    ]
    answer = tuner(model.parent, "predict", "model.keras", "photos", "--skip-bad")
    assert answer.returncode == 0
    assert [line.partition(":")[0] for line in answer.stdout.splitlines()] == [
        "photos/a/0.PNG",
        "photos/a/1.png",
        "photos/b/deep/1.png",
    ]
    assert answer.stderr.splitlines() == ["left out 2 files that cannot be used:", *others]
    with pytest.raises(InputError, match=r"2 images cannot be used$"):
        predict_files(model, [photos / "a" / "2.png", photos / "b" / "3.jpg"], skip_bad=True)
