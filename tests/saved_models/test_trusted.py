"""Saved models that only their author's own code makes again: refused, unless that code is trusted by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from small_project import make_project, tuner

SEARCH = """
title = "mine"
dataset = "blobs.npz"
repeats = 1
[training]
epochs = 2
[[search]]
family = "mynet:build"
files = ["start.txt"]
[search.space]
units = 8
"""
NETWORK = """
import keras
from pathlib import Path
from keras import layers

Path("ran").write_text("mynet ran")

class Own(keras.Model):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units, self.flat = units, layers.Flatten()
        self.dense, self.norm = layers.Dense(units, activation="relu"), layers.BatchNormalization()
        self.last = layers.Dense(3)

    def call(self, x, training=False):
        return self.last(self.norm(self.dense(self.flat(x / 255)), training=training))

    def get_config(self):
        return {**super().get_config(), "units": self.units}

def build(hp):
    pixels = keras.Input((8, 8, 1))
    model = keras.Model(pixels, layers.Lambda(lambda x: x * 2)(Own(hp.Int("units", 2, 9))(pixels)))
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
"""


def test_a_model_of_own_code_is_made_again_by_the_module_that_is_trusted(tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file, SEARCH)
    module, ran_here = folder / "searches" / "mynet.py", folder / "ran"
    module.write_text(NETWORK)
    (folder / "searches" / "start.txt").write_text("read")
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert "only its own code makes it again: verify and predict take --trust mynet" in ran.stderr
    image = folder / "image.png"
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(image)
    model = "reports/small/build-blobs.keras"
    commands = {"verify": ("verify", "small"), "predict": ("predict", model, "image.png")}
    ran_here.unlink()
    for name, command in commands.items():
        for trust in ((), ("--trust", "other")):
            refused = tuner(folder, *command, *trust)
            assert refused.returncode == (1 if name == "verify" else 2)
            (line,) = refused.stderr.splitlines()
            assert "whose code then runs, let it make the network again: --trust mynet" in line
            assert not ran_here.exists()
    verified = tuner(folder, "verify", "small", "--trust", "mynet")
    assert verified.returncode == 0, verified.stderr
    assert "as recorded and on its card (made again by mynet, probabilities within" in verified.stdout
    predicted = tuner(folder, *commands["predict"], "--trust", "mynet")
    assert predicted.returncode == 0, predicted.stderr
    assert predicted.stdout.startswith("image.png: ")

    module.write_text(NETWORK.replace("x * 2", "x * 3"))
    for command in commands.values():
        edited = tuner(folder, *command, "--trust", "mynet")
        assert edited.returncode != 0
        assert "was trained by other code than mynet has now" in edited.stderr
