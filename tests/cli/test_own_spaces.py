"""A user's `build(hp)` through the command line: its space is searched, with nothing of it in the search file."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

from small_project import make_project, recorded, trials, tuner

SEARCH = """
title = "mine"
dataset = "blobs.npz"
repeats = 1
[training]
optimizer = "adam"
learning_rate = 0.01
batch_size = 16
epochs = 1
[[search]]
family = "mynet:build"
name = "mynet"
files = ["start.npy"]
"""
#: Written as KerasTuner's guide does: an architecture is chosen, each with parameters of its own, one with a loop.
NETWORK = """
import pathlib
import keras
import numpy as np

START = np.load(pathlib.Path(__file__).with_name("start.npy"))

def build(hp):
    print("building")
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 255)])
    kind = hp.Choice("model_type", ["mlp", "cnn"])
    if kind == "mlp":
        with hp.conditional_scope("model_type", ["mlp"]):
            model.add(keras.layers.Flatten())
            for i in range(hp.Int("layers", 1, 2)):
                model.add(keras.layers.Dense(hp.Int(f"units_{i}", 4, 8, step=4), activation="relu"))
    else:
        with hp.conditional_scope("model_type", ["cnn"]):
            model.add(keras.layers.Conv2D(hp.Choice("filters", [2, 4]), 3, activation="relu"))
            model.add(keras.layers.GlobalAveragePooling2D())
            if hp.Boolean("norm"):
                model.add(keras.layers.BatchNormalization())
    hp.Fixed("kept", "as it is")
    model.add(keras.layers.Dense(3, activation="softmax", bias_initializer=keras.initializers.Constant(START[0])))
    return model
"""
#: By hand: a layer of two widths, two layers of two, or two filters, these with and without normalisation.
COUNT = 2 + 4 + 2 * 2
ASKED = [
    "mynet:build asks for model_type: mlp, cnn",
    "mynet:build asks for layers: 1 to 2; where model_type is mlp",
    "mynet:build asks for units_0: 4, 8; where model_type is mlp",
    "mynet:build asks for filters: 2, 4; where model_type is cnn",
    "mynet:build asks for norm: false, true; where model_type is cnn",
    "mynet:build asks for units_1: 4, 8; where model_type is mlp and layers is 2",
    "mynet:build asks for kept: as it is",
]


def project(folder: Path, blobs_file: Path, search: str = SEARCH) -> Path:
    import numpy as np

    made = make_project(folder, blobs_file, search)
    (made / "searches" / "mynet.py").write_text(NETWORK)
    np.save(made / "searches" / "start.npy", np.zeros(1))
    return made


def test_the_space_of_a_build_is_run_and_reported_without_a_line_about_it_in_the_file(
    tmp_path: Path, blobs_file: Path
) -> None:
    import numpy as np

    folder = project(tmp_path / "p", blobs_file)
    assert tuner(folder, "list").stdout.splitlines()[1].split()[:4] == ["small", "mynet", "blobs.npz", "?"]
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert f"search: {COUNT} trials" in ran.stderr
    rows = trials(folder)
    own = ("model_type", "layers", "units_0", "units_1", "filters", "norm")
    found = Counter(tuple(row.get(name) for name in own) for row in rows)
    assert len(rows) == len(found) == COUNT, "no network twice"
    assert {tuple(value is not None for value in values[1:5]) for values in found} == {
        (True, True, False, False),
        (True, True, True, False),
        (False, False, False, True),
    }
    assert f" {COUNT}  " in tuner(folder, "list").stdout.splitlines()[1]
    table = tuner(folder, "results", "small").stdout
    cells = [[cell.strip() for cell in line.split("|")] for line in table.splitlines() if " mlp " in line]
    assert cells
    assert all("–" in row for row in cells), "what a trial does not have is a dash"
    report = (folder / "reports" / "small" / "report.md").read_text()
    told = [line for line in report.splitlines() if line.startswith("|") and " cnn " in line and " – " in line]
    assert told
    with (folder / "reports" / "small" / "trials.csv").open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [row["filters"] != "" for row in written] == [row["model_type"] == "cnn" for row in written]
    assert tuner(folder, "verify", "small").returncode == 0
    assert tuner(folder, "report", "small").returncode == 0

    done = recorded(folder)
    assert tuner(folder, "run", "small").returncode == 0
    assert recorded(folder) == done == COUNT + 1
    file = folder / "searches" / "small.toml"
    file.write_text(SEARCH + '[search.space]\nmodel_type = "cnn"\nnorm = false\n')
    assert tuner(folder, "run", "small").returncode == 0
    assert len(trials(folder)) == 2
    assert recorded(folder) - done <= 1, "what it was narrowed to was trained before, but for another winner"
    done = recorded(folder)
    np.save(folder / "searches" / "start.npy", np.ones(1))
    assert tuner(folder, "run", "small").returncode == 0
    assert recorded(folder) == done + 2 + 1, "with another file they are other trials"


def test_a_dry_run_shows_what_is_asked_for_and_every_configuration(tmp_path: Path, blobs_file: Path) -> None:
    folder = project(tmp_path / "p", blobs_file)
    shown = tuner(folder, "space", "small")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[: len(ASKED)] == ASKED
    assert lines[-1] == f"{COUNT} configurations"
    assert len(set(lines[len(ASKED) : -1])) == COUNT
    answer = json.loads(tuner(folder, "space", "small", "--json").stdout)
    assert [one["name"] for one in answer["asked"]["mynet"]] == [line.split()[3].rstrip(":") for line in ASKED]
    assert all(("units_1" in one["values"]) == (one["values"].get("layers") == 2) for one in answer["trials"])


def test_rules_report_and_first_configurations_may_name_what_a_build_asks_for(tmp_path: Path, blobs_file: Path) -> None:
    search = f"""{SEARCH}algorithm = "random"
max_trials = 3
try_first = [{{ model_type = "mlp", layers = 2, units_0 = 8, units_1 = 4 }}]
[search.space]
norm = false
[search.rules]
where = ["units_1 <= units_0"]
[report]
curves = "layers"
"""
    folder = project(tmp_path / "p", blobs_file, search)
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    rows = trials(folder)
    assert len(rows) == 3
    assert any((row.get("units_0"), row.get("units_1")) == (8, 4) for row in rows)
    assert all(row["units_1"] <= row["units_0"] for row in rows if row.get("units_1") is not None)
    file = folder / "searches" / "small.toml"
    file.write_text(search.replace('curves = "layers"', 'curves = "layer"'))
    wrong = tuner(folder, "run", "small")
    assert wrong.returncode == 2
    assert "did you mean 'layers'" in wrong.stderr
