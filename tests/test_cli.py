"""Wrong input through the real command line: exit code 2, one line that names the place, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tuner.cli import app
from tuner.errors import InputError

GOOD = {
    "top": 'title = "x"\ndataset = "digits"',
    "training": "epochs = 1",
    "search": 'family = "ann"',
    "space": "dense_units = [4, 8]",
    "rules": "",
    "end": "",
}


def search_file(**parts: str) -> str:
    text = {**GOOD, **parts}
    return (
        f"{text['top']}\n[training]\n{text['training']}\n[[search]]\n{text['search']}\n"
        f"[search.space]\n{text['space']}\n[search.rules]\n{text['rules']}\n{text['end']}\n"
    )


def tuner(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "TUNER_DATA_DIR"}
    return subprocess.run(
        [sys.executable, "-m", "tuner", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )


def refused(folder: Path, arguments: list[str], fragments: list[str]) -> None:
    before = sorted(str(path) for path in folder.rglob("*") if "runs" not in path.parts)
    answer = tuner(folder, *arguments)
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert answer.stdout == ""
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    assert lines[0].startswith("tuner: ")
    for fragment in fragments:
        assert fragment in lines[0]
    left = [path for path in folder.rglob("*") if "runs" in path.parts and path.is_file()]
    assert {path.name for path in left} <= {"ledger.sqlite", "wrong.lock"}
    assert sorted(str(path) for path in folder.rglob("*") if "runs" not in path.parts) == before


@pytest.mark.parametrize(
    ("parts", "fragments"),
    [
        ({"top": 'titel = "x"\ndataset = "digits"'}, ["wrong.toml titel", "did you mean 'title'"]),
        ({"search": 'famly = "ann"'}, ["wrong.toml", "[[search]] 1", "famly", "did you mean 'family'"]),
        ({"search": 'family = "an"'}, ["no family is named 'an'", "'ann'"]),
        ({"search": 'family = "ann"\nalgorithm = "gird"'}, ["algorithm", "'gird'", "'grid'"]),
        ({"search": 'family = "ann"\nalgorithm = "random"'}, ["max_trials", "is missing"]),
        ({"search": 'family = "nowhere:build"'}, ["no module 'nowhere'"]),
        ({"space": "dense_unit = 4"}, ["space.dense_unit", "did you mean 'dense_units'"]),
        ({"space": "dense_units = 'many'"}, ["space.dense_units", "'many' is not a whole number"]),
        ({"space": "dense_units = []"}, ["space.dense_units", "empty"]),
        ({"space": "dense_units = {min = 4, max = 2}"}, ["min 4 is not below max 2"]),
        ({"space": "dropout = {min = 0.0, max = 0.5}"}, ["dropout", "needs a list", "step"]),
        ({"space": "dropout = 1.5"}, ["dropout", "1.5", "outside 0 to 0.95"]),
        ({"rules": "where = ['dense_units > 100']"}, ["leave no configuration", "dense_units > 100"]),
        ({"rules": "where = ['dense_units >']"}, ["rules.where", "is not an expression"]),
        ({"rules": "where = ['__import__(\"os\")']"}, ["rules.where", "__import__"]),
        ({"rules": "filters_never_decreases = true"}, ["did you mean 'filters_never_decrease'"]),
        ({"training": "epoch = 1"}, ["training.epoch", "did you mean 'epochs'"]),
        ({"training": "epochs = 0"}, ["training.epochs", "0 is not a whole number of at least 1"]),
        ({"training": "epochs = 1\noptimizer = 'adamm'"}, ["training.optimizer", "'adamm'"]),
        ({"top": 'title = "x"\ndataset = "digitz"'}, ["no data set", "'digitz'", "did you mean 'digits'"]),
        ({"top": 'title = "x"\ndataset = "no_x_test.npz"'}, ["no_x_test.npz", "has no x_test"]),
        ({"top": 'title = "x"\ndataset = "unequal.npz"'}, ["unequal.npz", "6 images and y_train 5 labels"]),
        ({"top": 'title = "x"\ndataset = "pickled.npz"'}, ["pickled.npz", "cannot be read"]),
        ({"top": 'title = "x"\ndataset = "empty"'}, ["empty", "has no class folders with images"]),
        ({"top": 'title = "x"\ndataset = "hollow"'}, ["hollow/cats", "without images"]),
        ({"top": 'title = "x"\ndataset = "broken"'}, ["broken/a/", "cannot be read as an image"]),
        ({"top": 'title = "x"\ndataset = "tiny.npz"'}, ["6 training images are too few", "--train-size"]),
    ],
    ids=lambda value: next(iter(value.items()))[1][-40:] if isinstance(value, dict) else "",
)
def test_a_wrong_search_or_data_set_costs_one_line(tmp_path: Path, parts: dict[str, str], fragments: list[str]) -> None:
    folder = tmp_path / "searches"
    folder.mkdir()
    images, labels = np.zeros((6, 8, 8), np.uint8), np.array([0, 1, 2, 0, 1, 2])
    whole = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(folder / "tiny.npz", **whole)
    np.savez(folder / "no_x_test.npz", x_train=images, y_train=labels, y_test=labels)
    np.savez(folder / "unequal.npz", **{**whole, "y_train": labels[:5]})
    np.savez(folder / "pickled.npz", **{**whole, "x_train": np.array([object()] * 6)})
    (folder / "empty").mkdir()
    (folder / "hollow" / "cats").mkdir(parents=True)
    (folder / "broken" / "a").mkdir(parents=True)
    for name in "12":
        (folder / "broken" / "a" / f"{name}.png").write_text("no picture")
    (folder / "wrong.toml").write_text(search_file(**parts))
    refused(tmp_path, ["run", "wrong"], fragments)


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["run", "wrongg"], ["no such search", "did you mean 'wrong'"]),
        (["run", "elsewhere/x.toml"], ["elsewhere/x.toml", "no such search file"]),
        (["run", "wrong", "--epochs", "0"], ["--epochs", "0 is not in the range"]),
        (["run", "wrong", "--epochs", "many"], ["--epochs", "'many' is not a valid integer"]),
        (["run", "wrong", "--executor", "cloud"], ["--executor", "'cloud'", "known: local"]),
        (["run", "wrong", "--data-dir", "missing"], ["--data-dir", "missing is not a folder"]),
        (["run", "wrong", "--train-size", "5"], ["5 of 1500 images cannot be drawn", "--train-size"]),
        (["run", "wrong", "--runs-dir", "searches/wrong.toml"], ["--runs-dir"]),
        (["run", "wrong", "--colour"], ["No such option", "--colour"]),
        (["run"], ["Missing argument", "NAME"]),
        (["results", "wrong"], ["has not been run here", "tuner run wrong"]),
        (["report", "wrong"], ["has not been run here"]),
        (["verify", "wrong"], ["has not been run here"]),
        (["compare", "wrong"], ["has not been run here"]),
        (["compare"], ["Missing argument"]),
        (["results", "wrong", "--format", "xml"], ["'xml' is not one of"]),
        (["predict", "none.keras", "a.png"], ["none.keras", "no such model file"]),
        (["predict", "searches/wrong.toml", "a.png"], ["searches/wrong.toml", "is not a .keras file"]),
        (["serach"], ["No such command", "serach"]),
    ],
    ids=" ".join,
)
def test_a_wrong_command_costs_one_line(tmp_path: Path, arguments: list[str], fragments: list[str]) -> None:
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches" / "wrong.toml").write_text(search_file())
    refused(tmp_path, arguments, fragments)


def test_a_model_that_carries_code_is_refused(tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((8, 8, 1))
    answer = keras.layers.Dense(2)(keras.layers.Flatten()(keras.layers.Lambda(lambda x: x + 1)(inputs)))
    keras.Model(inputs, answer).save(tmp_path / "code.keras")
    refused(tmp_path, ["predict", "code.keras", "a.png"], ["code.keras", "carries code (a Lambda layer)"])


def test_list_tells_of_wrong_searches_beside_the_good_ones(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches" / "good.toml").write_text(search_file())
    (tmp_path / "searches" / "wrong.toml").write_text(search_file(top='titel = "x"'))
    answer = tuner(tmp_path, "list")
    assert answer.returncode == 2
    assert any(line.startswith("good") and " 2 " in line for line in answer.stdout.splitlines())
    assert "searches/wrong.toml titel" in answer.stderr


def test_list_passes_no_command_on_to_the_terminal_and_waits_for_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    evil = r"\u001b[2J\u001b]0;x\u0007 \u202etitle"
    (tmp_path / "searches" / "evil.toml").write_text(search_file(top=f'title = "{evil}"\ndataset = "digits"'))
    os.mkfifo(tmp_path / "searches" / "pipe.toml")
    answer = tuner(tmp_path, "list")
    assert answer.returncode == 2
    assert "\x1b" not in answer.stdout + answer.stderr
    assert r"\x1b[2J\x1b]0;x\x07 \u202etitle" in answer.stdout
    assert "searches/pipe.toml: is not a file" in answer.stderr


def test_list_outside_a_project_says_where_to_go(tmp_path: Path) -> None:
    refused(tmp_path, ["list"], ["searches/", "has no search file"])


def test_the_dry_run_prints_configurations_with_sizes_and_rejections(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    rules = "where = ['dense_units < 8']"
    (tmp_path / "searches" / "good.toml").write_text(search_file(rules=rules))
    answer = tuner(tmp_path, "space", "good", "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["rejected"] == {"dense_units < 8": 1}
    (trial,) = found["trials"]
    assert (trial["family"], trial["dataset"], trial["parameters"]) == ("ann", "digits", 64 * 4 + 4 + 4 * 10 + 10)
    assert trial["values"]["dense_units"] == 4
    assert trial["values"]["learning_rate"] == 1e-3
    assert "1 rejected by dense_units < 8" in tuner(tmp_path, "space", "good").stdout
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with searches/, for commands that run in this process."""
    (tmp_path / "searches").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNER_DATA_DIR", raising=False)
    return tmp_path


def test_configurations_that_differ_in_the_recipe_have_the_size_of_their_network(here: Path) -> None:
    space = "dense_units = [4, 8]\nlearning_rate = [1e-3, 1e-2]\nbatch_size = [8, 16]"
    (here / "searches" / "good.toml").write_text(search_file(space=space))
    found = json.loads(CliRunner().invoke(app, ["space", "good", "--json"]).stdout)
    assert found["configurations"] == 8
    sizes = [64 * units + units + units * 10 + 10 for units in (4, 8)]
    assert [trial["parameters"] for trial in found["trials"]] == [sizes[0]] * 4 + [sizes[1]] * 4
    rates = [(trial["values"]["learning_rate"], trial["values"]["batch_size"]) for trial in found["trials"]]
    assert rates == [(1e-3, 8), (1e-3, 16), (1e-2, 8), (1e-2, 16)] * 2


def test_of_a_large_search_the_first_configurations_are_shown_and_all_are_counted(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "searches" / "large.toml").write_text(
        search_file(space="dense_units = {min = 1, max = 50000}", rules="where = ['dense_units != 2']")
        + "[[search]]\nfamily = 'ann'\nname = 'small'\n[search.space]\nlearning_rate = [0.1, 0.2, 0.3]\n"
    )
    monkeypatch.setattr("tuner.dryrun.FIRST_SHOWN", 2)
    lines = CliRunner().invoke(app, ["space", "large"]).stdout.splitlines()
    assert [line.rsplit("  ", 1)[1].split(", ")[0] for line in lines[:5]] == [
        "dense_units=1",
        "dense_units=3",
        *["dense_units=128"] * 3,
    ]
    assert lines[5:7] == ["50002 configurations, of which 5 are shown", "1 rejected by dense_units != 2"]
    assert "max_trials" in lines[7]
    found = json.loads(CliRunner().invoke(app, ["space", "large", "--json"]).stdout)
    assert (found["configurations"], len(found["trials"])) == (50_002, 5)
    assert found["rejected"] == {"dense_units != 2": 1}


def test_a_grid_that_cannot_be_counted_is_listed_with_what_it_has_at_most(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.space._MOST_EFFORT", 100)
    space = "dense_units = {min = 1, max = 1000}\nbatch_size = {min = 1, max = 1000}"
    (here / "searches" / "large.toml").write_text(
        search_file(space=space, rules="where = ['dense_units * batch_size % 7 == 1']")
    )
    (row,) = CliRunner().invoke(app, ["list"]).stdout.splitlines()[1:]
    assert row.split()[:4] == ["large", "ANN", "digits", "<=1000000"]
    refusal = CliRunner().invoke(app, ["space", "large"]).exception
    assert isinstance(refusal, InputError)
    assert "[[search]] ann rules: read so many values together" in str(refusal)
    assert "1,000,000 configurations" in str(refusal)


def test_list_names_the_file_of_a_rule_that_cannot_be_computed(here: Path) -> None:
    (here / "searches" / "good.toml").write_text(search_file())
    (here / "searches" / "wrong.toml").write_text(search_file(rules="where = ['1 / (dense_units - 8) < 0']"))
    answer = CliRunner().invoke(app, ["list"])
    assert [line.split()[0] for line in answer.stdout.splitlines()] == ["search", "good", "wrong"]
    assert "searches/wrong.toml rule: '1 / (dense_units - 8) < 0' cannot be computed" in str(answer.exception)
