"""A user's own network through the command line: nothing of it is lost, and what has no effect is said."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import keras
import numpy as np
from small_project import make_project, recorded, trials, tuner

SEARCH = """
title = "mine"
dataset = "blobs.npz"
repeats = 1
[training]
optimizer = "adam"
learning_rate = 0.01
batch_size = 16
epochs = 2
[[search]]
family = "mynet:build"
[search.space]
units = 8
"""
NETWORK = """
import keras
import numpy as np
from myblocks import WIDTH

def build(hp):
    adapted = keras.layers.Normalization(name="adapted")
    adapted.adapt(np.linspace(0, 250, 640).reshape(10, 8, 8, 1).astype("float32"))
    frozen = keras.layers.Dense(WIDTH, activation="relu", name="frozen")
    pixels = keras.Input((8, 8, 1))
    x = frozen(keras.layers.Flatten()(adapted(pixels)))
    frozen.set_weights([np.linspace(-1, 1, 64 * WIDTH).reshape(64, WIDTH), np.full(WIDTH, 0.5)])
    frozen.trainable = False
    x = keras.layers.Dense(hp.Int("units", 2, 64), activation="relu")(x)
    model = keras.Model(pixels, keras.layers.Dense(3)(x))
    rate = hp.Float("rate", 1e-5, 1e-2, sampling="log")
    model.compile(keras.optimizers.SGD(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
"""
NOTES = [
    "note: mynet:build: pixels are left from 0 to 255 in front of the network, which scales them itself",
    "note: mynet:build: a softmax is put behind its logits, since its loss takes logits",
    "note: mynet:build: trained with what build compiles (SGD, SparseCategoricalCrossentropy); optimizer, "
    "learning_rate of the search file in its place",
]
#: What is compiled in its place leaves nothing to ask for.
WITHOUT_RATE = NETWORK.replace('hp.Float("rate", 1e-5, 1e-2, sampling="log")', "1e-5")


#: Nothing of the recipe but the length.
AS_COMPILED = """
title = "mine"
dataset = "blobs.npz"
repeats = 1
[training]
batch_size = 16
epochs = 2
[[search]]
family = "mynet:build"
[search.space]
units = 8
rate = [1e-5, 1e-2]
"""


def notes_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("note: ")]


def test_weights_states_and_scaling_are_kept_to_the_saved_file_and_notes_come_first(
    tmp_path: Path, blobs_file: Path
) -> None:
    folder = make_project(tmp_path / "p", blobs_file, SEARCH)
    (folder / "searches" / "mynet.py").write_text(WITHOUT_RATE)
    blocks = folder / "searches" / "myblocks.py"
    blocks.write_text("WIDTH = 6\n")
    shown = tuner(folder, "space", "small")
    assert shown.returncode == 0, shown.stderr
    assert notes_of(shown.stderr) == NOTES
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert notes_of(ran.stderr) == NOTES
    assert ran.stderr.index(NOTES[-1]) < ran.stderr.index("search: ")
    saved = keras.models.load_model(folder / "reports" / "small" / "build-blobs.keras")
    kept = {layer.name: layer.get_weights() for layer in saved._flatten_layers()}
    np.testing.assert_array_equal(kept["frozen"][0], np.linspace(-1, 1, 384).reshape(64, 6).astype("float32"))
    np.testing.assert_array_equal(kept["frozen"][1], np.full(6, 0.5))
    np.testing.assert_allclose(kept["adapted"][0], 125, rtol=1e-5)
    assert not any(type(layer).__name__ == "Rescaling" for layer in saved._flatten_layers())
    verified = tuner(folder, "verify", "small")
    assert verified.returncode == 0, verified.stderr
    card = json.loads((folder / "reports" / "small" / "build-blobs.json").read_text())
    assert card["environment"]["scaling"] == "left from 0 to 255 in front of the network, which scales them itself"
    report = (folder / "reports" / "small" / "report.md").read_text()
    assert "| scaling " in report
    assert "what build compiles (SGD, SparseCategoricalCrossentropy); optimizer, learning_rate of the search" in report

    done = recorded(folder)
    assert done == 1 + 1
    assert tuner(folder, "run", "small").returncode == 0
    assert recorded(folder) == done
    blocks.write_text("WIDTH = 7\n")
    again = tuner(folder, "run", "small")
    assert again.returncode == 0, again.stderr
    assert recorded(folder) == 2 * done, "an edited helper makes other trials"


def test_what_build_compiles_is_what_trains(tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file, AS_COMPILED)
    (folder / "searches" / "mynet.py").write_text(NETWORK)
    (folder / "searches" / "myblocks.py").write_text("WIDTH = 6\n")
    shown = tuner(folder, "space", "small", "--json")
    assert set(json.loads(shown.stdout)["trials"][0]["values"]) == {
        "units", "rate", "batch_size", "early_stopping", "flip", "rotation", "crop", "shift", "zoom", "precision",
        "class_weight", "sampling",
        "brightness", "contrast", "saturation", "hue", "grey", "rand_augment", "erasing", "mixup", "cutmix",
    }, "and nothing of the recipe that would have no effect"  # fmt: skip
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert notes_of(ran.stderr)[-1] == (
        "note: mynet:build: trained with what build compiles (SGD, SparseCategoricalCrossentropy)"
    )
    slow, fast = sorted(trials(folder), key=lambda row: float(str(row["rate"])))[:2]
    assert (slow["rate"], fast["rate"]) == (1e-5, 1e-2)
    assert slow["val_loss"] != fast["val_loss"]
    with closing(sqlite3.connect(folder / "runs" / "ledger.sqlite")) as ledger:
        told = {json.loads(text)["compiled"] for (text,) in ledger.execute("SELECT environment FROM trials")}
    words = "what build compiles (SGD, SparseCategoricalCrossentropy, learning rate {})"
    assert told == {words.format("1e-05"), words.format("0.01")}
    verified = tuner(folder, "verify", "small")
    assert verified.returncode == 0, verified.stderr
