"""Verifying looks at a model before Keras loads it: one that carries code is named, and none of it runs."""

from __future__ import annotations

import json
import os
import signal
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from saved_search import saved_search
from small_project import descendants, really_start, tuner, wait_for

from tuner.analysis.findings import Findings
from tuner.datasets.large import RowsInFile, rows_at
from tuner.errors import CheckError
from tuner.saved_models import verify as verifying
from tuner.saved_models.verify import verify

layers = keras.layers


@keras.saving.register_keras_serializable("mypkg")
class Doubling(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2


def network(*middle: keras.layers.Layer) -> keras.Model:
    made = [keras.Input((8, 8, 1)), *middle, layers.Flatten(), layers.Dense(3, activation="softmax")]
    return keras.Sequential(made)


@pytest.fixture(autouse=True)
def _forked(request: pytest.FixtureRequest) -> None:
    """Models are loaded by processes that are forked, but in one test."""
    if request.function is not test_a_network_of_keras_own_layers_is_proved_in_a_process_of_plain_keras:
        request.getfixturevalue("forked_scripts")


def test_a_network_of_keras_own_layers_is_proved_in_a_process_of_plain_keras(tmp_path, blobs):
    findings, _ = saved_search(tmp_path, blobs, network(layers.Conv2D(2, 3), layers.Dropout(0.5)))
    (line,) = verify(findings)
    assert line.startswith("ann-blobs.keras: ")
    assert "on 45 test images, as recorded and on its card" in line


def refuses(findings: Findings, *fragments: str) -> None:
    with pytest.raises(CheckError) as caught:
        verify(findings)
    assert "\n" not in str(caught.value)
    for fragment in fragments:
        assert fragment in str(caught.value)


def command_refuses(folder: Path, said: str) -> None:
    answer = tuner(folder, "verify", "mine")
    assert answer.returncode == 1, answer.stderr
    (line,) = answer.stderr.splitlines()
    assert line.startswith("tuner: ")
    assert said in line


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda card: {**card, "sha256": "0" * 64}, "of sha256; write it again with: tuner report mine"),
        (lambda card: {**card, "test_accuracy": card["test_accuracy"] + 1, "recipe": {}}, "of recipe, test_accuracy;"),
        (lambda card: {**card, "per_class": card["per_class"][1:]}, "of per_class;"),
        (lambda card: {**card, "data": {**card["data"], "source": "elsewhere"}}, "of data;"),
        (lambda card: {**card, "trial": {**card["trial"], "fingerprint": "f" * 16}}, "of trial;"),
        (lambda card: {**card, "timing": {**card["timing"], "latency_ms": 0.001}}, "of timing;"),
        (lambda card: {name: card[name] for name in card if name != "environment"}, "of environment;"),
        (lambda card: {**card, "award\n\x1b[2J": True}, "of award \\x1b[2J;"),
        (lambda card: {**card, "chosen_by": {**card["chosen_by"], "objective": "macro_f1"}}, "of chosen_by;"),
        (lambda card: [card], "of anything;"),
    ],
)
def test_a_card_that_says_something_else_is_named_with_what(tmp_path, blobs, change, problem):
    findings, path = saved_search(tmp_path, blobs, network())
    card = path.with_suffix(".json")
    card.write_text(json.dumps(change(json.loads(card.read_text(encoding="utf-8")))), encoding="utf-8")
    refuses(findings, f"{card}: does not say what was recorded {problem}")


def test_a_card_that_was_written_before_cards_told_the_objective_stays_valid(tmp_path, blobs):
    findings, path = saved_search(tmp_path, blobs, network())
    card = path.with_suffix(".json")
    told = json.loads(card.read_text(encoding="utf-8"))
    assert told.pop("chosen_by")["objective"] == "accuracy"
    card.write_text(json.dumps(told), encoding="utf-8")
    (line,) = verify(findings)
    assert "as recorded and on its card" in line


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            '"model": "ann"',
            '"model": "cnn", "model": "ann"',
            "cannot be read (ValueError: it has the key 'model' twice)",
        ),
        ('"seed": 1,', '"seed": true,', "does not say what was recorded of "),
        ('"parameters": 195', '"parameters": 195.0', "does not say what was recorded of "),
    ],
)
def test_a_card_that_says_two_things_or_true_for_a_number_is_named(tmp_path, blobs, old, new, problem):
    findings, path = saved_search(tmp_path, blobs, network())
    card = path.with_suffix(".json")
    text = card.read_text(encoding="utf-8")
    assert old in text
    card.write_text(text.replace(old, new, 1), encoding="utf-8")
    refuses(findings, f"{card}: {problem}")


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[" * 100_000])
def test_a_card_that_is_missing_or_damaged_is_named(tmp_path, blobs, content):
    findings, path = saved_search(tmp_path, blobs, network())
    card = path.with_suffix(".json")
    card.unlink() if content is None else card.write_bytes(content)
    refuses(findings, f"{card}: cannot be read (", "write it again with: tuner report mine")


def test_a_lambda_layer_is_refused_and_does_not_run(tmp_path, blobs, monkeypatch):
    marker = tmp_path / "ran"
    code = eval(f"lambda x: (open({str(marker)!r}, 'w'), x)[1]")  # noqa: S307  # as its author's file carries it
    findings, path = saved_search(tmp_path, blobs, network(layers.Lambda(code)))
    marker.unlink()
    refuses(findings, f"{path}: carries code (a Lambda layer); only networks of Keras' own layers are loaded")
    answer = tuner(tmp_path, "verify", "mine")
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        "tuner: reports/mine/ann-blobs.keras: carries code (a Lambda layer); only networks of Keras' own layers are "
        "loaded"
    ]
    assert not marker.exists()


def test_a_layer_of_the_user_s_own_is_named(tmp_path, blobs):
    findings, path = saved_search(tmp_path, blobs, network(Doubling()))
    refuses(findings, f"{path}: carries a layer or function of its author's own, mypkg>Doubling")


def test_a_model_that_carries_an_optimizer_is_refused(tmp_path, blobs):
    compiled = network()
    compiled.compile("adam", "sparse_categorical_crossentropy")
    findings, path = saved_search(tmp_path, blobs, compiled)
    refuses(findings, f"{path}: carries an optimizer")


def test_a_description_that_names_a_function_elsewhere_is_refused(tmp_path, blobs):
    def tamper(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        function = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
        config["config"]["layers"][-1]["config"]["activation"] = function
        members["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    findings, path = saved_search(tmp_path, blobs, network(), tamper)
    refuses(findings, f"{path}: carries the function os.system")


def rewritten(path: Path, units: int) -> None:
    """Let a file describe more units than it has weights for."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][-1]["config"]["units"] = units
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_network_larger_than_its_file_is_refused_before_there_is_room_made_for_it(tmp_path, blobs):
    findings, path = saved_search(tmp_path, blobs, network(), lambda saved: rewritten(saved, 10**11))
    said = "describes a network of 6,500,000,000,000 weights and holds 195"
    refuses(findings, f"{path}: {said}")
    command_refuses(tmp_path, said)


def test_a_network_that_takes_too_much_memory_is_refused(tmp_path, blobs):
    small = keras.Sequential([keras.Input((8, 8, 1)), layers.UpSampling2D(1), layers.GlobalMaxPooling2D()])
    small.add(layers.Dense(3, activation="softmax"))

    def enlarge(path: Path) -> None:
        made = keras.models.load_model(path)
        config = made.get_config()
        config["layers"][1]["config"]["size"] = (3000, 3000)
        large = keras.Sequential.from_config(config)
        large.set_weights(made.get_weights())
        large.save(path)

    findings, path = saved_search(tmp_path, blobs, small, enlarge)
    said = "GB of memory for one image, and at most 1 GB are given"
    refuses(findings, f"{path}: takes ", said)
    command_refuses(tmp_path, said)


def test_weights_that_are_no_numbers_are_named(tmp_path, blobs):
    endless = network()
    weights = endless.get_weights()
    weights[1][0] = -np.inf  # a class that is never answered; nothing of it is NaN
    endless.set_weights(weights)
    findings, _ = saved_search(tmp_path, blobs, endless)
    (line,) = verify(findings)
    assert line.endswith("; but 1 of its 195 weights are NaN or infinite")


def test_images_that_take_much_room_are_handed_over_a_block_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (25, 2, 2, 1), np.uint8)
    np.save(tmp_path / "images.npy", images)
    monkeypatch.setattr("tuner.datasets.large.LARGE", 0)
    monkeypatch.setattr("tuner.datasets.large.BLOCK", 16)
    places = np.array([3, 4, 5, 9, 20, 21, 24])
    rows = rows_at(np.load(tmp_path / "images.npy", mmap_mode="r"), places)
    assert isinstance(rows, RowsInFile)
    verifying._write(rows, tmp_path / "handed over.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "handed over.npy"), images[places])


def scratch(folder: Path) -> list[Path]:
    return list(folder.glob("tunetable-*/.partial-*-verify-*"))


@pytest.mark.slow
def test_one_that_is_killed_takes_its_process_with_it_and_the_next_removes_what_it_left(tmp_path, blobs, monkeypatch):
    saved_search(tmp_path, blobs, network())
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    killed = really_start(tmp_path, "verify", "mine")
    wait_for(lambda: bool(scratch(temporary)))
    (reader,) = descendants(killed.pid)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    wait_for(lambda: not Path(f"/proc/{reader}").exists(), 600)
    assert len(scratch(temporary)) == 1
    again = tuner(tmp_path, "verify", "mine", env={"TMPDIR": str(temporary)})
    assert again.returncode == 0, again.stderr
    assert scratch(temporary) == []
