"""`tuner.Search` and `tuner.search`: a search without a file means what its file would mean."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cells import run_cell
from made_up import RAW

import tuner
from tuner.api import data as given_data
from tuner.api.data import given_dataset
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.running.dryrun import data_of
from tuner.search_file.file import load_search, parse_search, search_from_json
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.search_file.schema import SearchFile
from tuner.search_file.toml import toml_text

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "searches").glob("*.toml"), *(ROOT / "tuner").rglob("*.toml")])
TINY: dict[str, Any] = {"search": {"family": "ann", "space": {"dense_units": [4, 8]}}, "training": {"epochs": 3}}
CELL = """
import keras

UNITS = 6

def build(hp, shape, classes):
    pixels = keras.Input(shape)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    x = keras.layers.Dense(hp.Int("units", 2, 64, default=UNITS), activation="relu")(x)
    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))
"""


def trials(search: Search) -> list[str]:
    return [
        search.trial(one, "blobs", "0" * 16, values, None).id
        for one in search.model_searches
        for values in one.space.grid()
    ]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_search_file_is_the_same_as_text_again(file: Path) -> None:
    search = load_search(file)
    again = tomllib.loads(search.to_toml())
    assert json.dumps(again) == json.dumps(search.raw)  # the order of keys included


@pytest.mark.parametrize(
    "raw",
    [
        {"a": {"b": 1}, "c": 2, "d": {"e": {"f": []}, "g": True}},
        {"x": [{"a": 1}, {"b": {"c": 1}, "d": 2}], "y": {}},
        {"x": [{"a": [{"b": 1}]}], "y": [[1, 2.5], ['é\u2028\x7f"\\']], "a key": {"o.k": -0.0}},
        {"e": 1e-5, "big": 10**17, "far": 1e300, "odd": [float("inf"), -float("inf")]},
    ],
)
def test_any_tables_are_the_same_as_text_again_in_their_order(raw: dict[str, Any]) -> None:
    assert json.dumps(tomllib.loads(toml_text(raw))) == json.dumps(raw)


def test_a_search_is_its_file_s(blobs: Dataset, tmp_path: Path) -> None:
    keys = {key: value for key, value in RAW.items() if key != "title"}
    search = tuner.Search("small", title="Blobs", test_size=30, train_size=60, **keys)
    file = parse_search(RAW, "small", Path(), Overrides(train_size=60, test_size=30), "")
    assert trials(search) == trials(file)
    assert len(trials(search)) == 8
    for name in ("repeats", "report", "published", "seed", "objective", "datasets", "overrides", "title"):
        assert getattr(search, name) == getattr(file, name)
    text = search.to_toml("searches/small.toml")
    assert text.startswith("# Run it with --train-size 60 --test-size 30\n")
    again = tuner.load_search("small", train_size=60, test_size=30)
    assert again.key == search.key
    assert trials(again) == trials(search)
    assert search_from_json(search.to_json()).key == search.key
    assert search.to_toml("searches/small.toml") == text  # which is there as it would be
    with pytest.raises(InputError, match=r"searches/small\.toml: is there already, and is another"):
        tuner.Search("small", dataset="digits", **TINY).to_toml("searches/small.toml")


def test_python_s_values_are_read_as_toml_s(tmp_path: Path) -> None:
    search = tuner.Search(
        "small",
        dataset=Path("blobs.npz"),
        search={"family": "ann", "name": None, "space": {"dense_units": range(4, 7), "dropout": np.array([0.5, 0.25])}},
        training={"epochs": np.int64(3), "learning_rate": np.float32(0.5)},
        image_size=(8, 8),
        seed=None,
    )
    assert tomllib.loads(search.to_toml()) == {
        "title": "small",
        "dataset": "blobs.npz",
        "image_size": [8, 8],
        "training": {"epochs": 3, "learning_rate": 0.5},
        "search": [{"family": "ann", "space": {"dense_units": [4, 5, 6], "dropout": [0.5, 0.25]}}],
    }


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"sed": 1}, r"^sed: no such key; did you mean 'seed'\?$"),
        ({"repeats": 0}, r"^repeats: 0 is not 1 or more$"),
        ({"training": {}}, r"^training\.epochs: is missing"),
        ({"training": {"epochs": 3, "rate": None}}, r"^training\.rate: is None; leave it out$"),
        ({"search": {"family": "cn"}}, r"^\[\[search\]\] 1 family: no family is named 'cn'; did you mean 'cnn'\?$"),
        ({"search": ["cnn"]}, r"^\[\[search\]\] 1: is 'cnn'; write a dict"),
        ({"search": {"family": lambda hp: hp}}, r"^\[\[search\]\] 1 family: is a lambda"),
        ({"search": {"family": "cnn", "space": {"filters": {1: 2}}}}, r"^search\.space\.filters: has the key 1; keys"),
        ({"dataset": object()}, r"^data: is 'object'; give \(\(x_train, y_train\), \(x_test, y_test\)\)"),
        ({"epochs": 0}, r"^epochs: is 0; it must be a whole number from 1 on$"),
        ({"dataset": {}}, r"^dataset: \[\] has 0 of at least 1 items"),
        ({"dataset": {"mine": "digits"}}, r"^dataset 'mine': is no data; name files and folders in a list$"),
    ],
)
def test_what_is_wrong_is_one_line(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tuner.Search("small", **{"dataset": "digits", **TINY, **keys})
    with pytest.raises(InputError, match=r"^name: is 'a/b'; up to 100 letters"):
        tuner.Search("a/b", dataset="digits", **TINY)


def test_search_has_no_argument_that_a_file_has_not_but_those_of_a_run() -> None:
    import inspect

    own = {"name", "test_share", "keys", "epochs", "train_size", "test_size"}
    assert set(inspect.signature(tuner.Search).parameters) - own <= set(SearchFile.model_fields)


def arrays(blobs: Dataset) -> dict[str, Any]:
    names = ("x_train", "y_train", "x_test", "y_test")
    return {**{name: getattr(blobs, name) for name in names}, "class_names": list(blobs.class_names)}


def test_data_in_any_form_is_the_same_data_set(blobs: Dataset) -> None:
    given = arrays(blobs)
    x_train, y_train, x_test, y_test, _ = given.values()
    names = np.array(["top", "middle", "bottom"])
    forms: list[Any] = [
        given,
        blobs,
        {**given, "x_train": x_train[..., 0], "x_test": x_test[..., 0], "y_train": np.eye(3)[y_train]},
        {**given, "x_train": x_train / 255, "x_test": x_test / 255},
    ]
    found = [given_dataset("mine", form)[0] for form in forms]
    assert {dataset.fingerprint for dataset in found} == {blobs.fingerprint}
    pair = given_dataset("mine", ((x_train, names[y_train]), (x_test, names[y_test])))[0]
    assert pair.class_names == ("bottom", "middle", "top")
    assert np.array_equal(np.array(pair.class_names)[pair.y_test], names[y_test])


def test_a_stratified_part_is_held_out_where_there_is_no_test_set_and_it_is_said(blobs: Dataset) -> None:
    x, y = blobs.x_train, blobs.y_train
    dataset, said = given_dataset("mine", (x, y), 0.25)
    assert said == ["mine: 30 of its 120 images are the test set, drawn by class; or give x_test and y_test"]
    assert dataset.source == "arrays, of whose 120 images 30 were held out as the test set, drawn by class"
    assert np.bincount(dataset.y_test).tolist() == [10, 10, 10]
    both = np.concatenate((dataset.x_train, dataset.x_test))
    assert sorted(image.tobytes() for image in both) == sorted(image.tobytes() for image in x)
    assert given_dataset("mine", (x, y), 0.25)[0].fingerprint == dataset.fingerprint
    for share in (0, 1, True, "a"):
        with pytest.raises(InputError, match=r"^test_share: is "):
            given_dataset("mine", (x, y), share)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": None}, "mine: has no x_train; give"),
        ({"y_test": None}, "mine: has x_test alone; give x_test and y_test"),
        ({"x_test": None, "y_test": None, "x_val": np.zeros((2, 8, 8)), "y_val": [0, 1]}, "no test images"),
        ({"z": 1}, "mine: has 'z'"),
        ({"y_train": [0]}, "x_train has 120 images and y_train 1 labels"),
    ],
)
def test_data_that_is_none_is_refused(change: dict[str, Any], message: str, blobs: Dataset) -> None:
    given = {key: value for key, value in {**arrays(blobs), **change}.items() if value is not None}
    with pytest.raises(InputError, match=message):
        given_dataset("mine", given)


@pytest.mark.parametrize("name", ["", "a b", "../x", "digits", "x" * 101])
def test_data_is_called_as_no_other(name: str, blobs: Dataset) -> None:
    with pytest.raises(InputError, match=r"^dataset: "):
        given_dataset(name, blobs)


def test_a_tf_data_set_is_read_in_any_order_and_in_batches_or_not(
    blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    tf = pytest.importorskip("tensorflow")
    train = tf.data.Dataset.from_tensor_slices((blobs.x_train, blobs.y_train))
    test = tf.data.Dataset.from_tensor_slices((blobs.x_test, blobs.y_test))
    grey = tf.data.Dataset.from_tensor_slices((blobs.x_train[..., 0], blobs.y_train))
    one_hot = tf.data.Dataset.from_tensor_slices((blobs.x_train, np.eye(3)[blobs.y_train]))
    forms = [
        (train, test),
        (train.batch(7), test.batch(50)),
        (train.shuffle(120, seed=1), test),
        (grey.batch(7), test),
        (grey, test),
        (one_hot, test),
    ]
    found = [given_dataset("mine", form)[0] for form in forms]
    assert {dataset.fingerprint for dataset in found} == {found[0].fingerprint}
    assert sorted(map(bytes, found[0].x_train)) == sorted(map(bytes, blobs.x_train))
    single, said = given_dataset("mine", train)
    assert (len(single.y_train), len(single.y_test), len(said)) == (96, 24, 1)
    with pytest.raises(InputError, match=r"mine: never ends; leave out repeat\(\)"):
        given_dataset("mine", train.repeat())
    with pytest.raises(InputError, match="mine: does not give pairs of images and labels"):
        given_dataset("mine", train.map(lambda x, y: x))
    monkeypatch.setattr(given_data, "most_data", lambda: 500)
    with pytest.raises(InputError, match="mine: takes more than 500 bytes; give a folder of images"):
        given_dataset("mine", train)


def test_what_is_no_file_is_written_beside_the_file(blobs: Dataset) -> None:
    build = run_cell(CELL, {})["build"]
    table = {"family": build, "space": {"units": [2, 4]}}
    search = tuner.Search("own", dataset={"mine": blobs}, search=table, training={"epochs": 1})
    assert search.datasets == ("mine",)
    assert data_of(search, "mine", None) is blobs
    search.to_toml("there/own.toml")
    assert sorted(path.suffix for path in Path("there").iterdir()) == [".npz", ".py", ".toml"]
    again = tuner.load_search("there/own.toml")
    assert again.key == search.key
    assert data_of(again, "mine", None).fingerprint == blobs.fingerprint
    ours, theirs = search.model_searches[0].with_code(), again.model_searches[0].with_code()
    assert ours.source == theirs.source
    with pytest.raises(InputError, match=r"there/mine\.npz: is there already, and holds other images"):
        tuner.Search("two", dataset={"mine": (blobs.x_test, blobs.y_test)}, **TINY).to_toml("there/two.toml")


def test_what_is_wrong_with_given_data_names_the_call(blobs: Dataset) -> None:
    search = tuner.Search("own", dataset=blobs, objective="f1:left", **TINY)
    with pytest.raises(InputError, match=r"^tuner\.Search\('own'\) objective: 'left' is no class of data"):
        tuner.run(search, progress=False)


def test_the_data_of_a_comparison_is_given_too(blobs: Dataset) -> None:
    search = tuner.Search("own", dataset="digits", compare={"datasets": {"mine": blobs}}, **TINY)
    assert search.compare == ("mine",)
    assert data_of(search, "mine", None) is blobs


@pytest.mark.parametrize(
    ("arguments", "keys", "message"),
    [
        (("cnn", np.zeros((9, 8, 8))), {}, "^y: is missing; give the labels of x$"),
        (("cnn", "digits", None, 1), {}, "^x_test: is of no use without y"),
        (("cnn", "digits"), {"dataset": 1}, r"^dataset: is no argument here; use tuner\.Search$"),
        (("cnn", "digits"), {"sped": 1}, "^sped: no such key; did you mean 'seed'"),
        (("cnn", "digits"), {"max_trails": 2}, "^max_trails: no such key; did you mean 'max_trials'"),
        (("cnn", "digits"), {"clas_names": []}, "^clas_names: no such key; did you mean 'class_names'"),
        (("cnn", "digits"), {"worker": 1}, "^worker: no such key; did you mean 'workers'"),
        (("cnn", "digits"), {"workers": 0}, "^workers: is 0"),
    ],
)
def test_wrong_arguments_of_search_are_one_line(arguments: tuple[Any, ...], keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tuner.search(*arguments, epochs=1, **keys)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_function_of_a_cell_is_searched_on_arrays_and_its_trials_count(
    blobs: Dataset, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    build = run_cell(CELL, {})["build"]
    keys: dict[str, Any] = {"space": {"units": [2, 4]}, "algorithm": "grid", "repeats": 1, "workers": 1}
    found = tuner.search(build, blobs.x_train, blobs.y_train, epochs=1, **keys)
    said = capsys.readouterr().err
    assert "data: 24 of its 120 images are the test set, drawn by class" in said
    assert found.finished
    frame = tuner.results("build")
    assert sorted(frame["units"]) == [2, 4]
    assert tuner.load_model(found).count_params() == frame["parameters"][0]
    report = (tmp_path / "reports" / "build" / "report.md").read_text()
    assert "24 were held out as the test set" in report
    assert "none: the search was made in Python" in report
    # Made anew, as by a kernel that was started again, from a folder that has been tidied up, it trains nothing.
    for file in tmp_path.rglob("build_*.py"):
        file.unlink()
    again = tuner.search(run_cell("\n" + CELL, {})["build"], blobs.x_train, blobs.y_train, epochs=1, **keys)
    assert "2 from before" in capsys.readouterr().err
    assert [record.trial.id for record in again.trials()] == [record.trial.id for record in found.trials()]
    edited = run_cell(CELL.replace("UNITS = 6", "UNITS = 7"), {})["build"]
    keys["space"] = {"units": [2]}
    other = tuner.search(edited, blobs.x_train, blobs.y_train, epochs=1, name="build", **keys)
    assert {record.trial.id for record in other.trials()}.isdisjoint(record.trial.id for record in found.trials())


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_space_is_what_the_function_asks_for_where_none_is_given(blobs: Dataset) -> None:
    build = run_cell(CELL.replace('hp.Int("units", 2, 64, default=UNITS)', 'hp.Choice("units", [2, 3, 5])'), {})[
        "build"
    ]
    arrays = (blobs.x_train, blobs.y_train, blobs.x_test, blobs.y_test)
    found = tuner.search(build, *arrays, epochs=1, algorithm="grid", repeats=1, progress=False)
    assert sorted(tuner.results(found)["units"]) == [2, 3, 5]
    assert found.data("data").fingerprint == given_dataset("data", ((arrays[0], arrays[1]), arrays[2:]))[0].fingerprint
