"""Saved models of strangers: what is plain loads as Keras loads it, and nothing else comes as far as Keras."""

from __future__ import annotations

import copy
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from from_scratch import FROM_SCRATCH

from tuner.errors import InputError
from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.space.space import read_space
from tuner.untrusted.saved_model import checked_model, load_checked

layers = keras.layers
Config = dict[str, Any]


@keras.saving.register_keras_serializable("mypkg")
class Noisy(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2


def small(*middle: keras.layers.Layer, compiled: bool = False) -> keras.Model:
    made = [keras.Input((8, 8, 1)), *middle, layers.Flatten(), layers.Dense(2, activation="softmax")]
    network = keras.Sequential(made)
    if compiled:
        network.compile("adam", "mse")
    return network


def saved(folder: Path, network: keras.Model | None = None) -> Path:
    path = folder / "model.keras"
    (network or small()).save(path)
    return path


def rewritten(path: Path, packing: int = zipfile.ZIP_STORED, **changed: bytes | None) -> Path:
    """Write members of a file anew: `config`, `weights` and others by their whole name; None leaves one out."""
    names = {"config": "config.json", "weights": "model.weights.h5"}
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= {names.get(name, name): content for name, content in changed.items()}  # type: ignore[dict-item]
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def config_of(path: Path) -> Config:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def with_config(path: Path, change: Callable[[Config], object]) -> Path:
    config = config_of(path)
    change(config)
    return rewritten(path, config=json.dumps(config).encode())


def with_weights(path: Path, change: Callable[[h5py.File], object]) -> Path:
    with zipfile.ZipFile(path) as archive:
        buffer = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(buffer, "r+") as file:
        change(file)
    return rewritten(path, weights=buffer.getvalue())


def refused(path: Path, *fragments: str) -> None:
    """Both the look and the loading refuse a file in one line, and neither reaches Keras."""
    for refuse in (checked_model, lambda path: load_checked(checked_model(path))):
        with pytest.raises(InputError) as caught:
            refuse(path)
        text = str(caught.value)
        assert text.startswith(f"{path}: ")
        assert "\n" not in text
        assert len(text) < 600 + len(str(path))
        for fragment in fragments:
            assert fragment in text


def defaults(name: str) -> dict[str, Any]:
    family = FAMILIES[name]
    return next(read_space({}, {}, [*family.parameters, *RECIPE], {}).grid())


@pytest.mark.parametrize("name", sorted(FROM_SCRATCH))
@pytest.mark.parametrize("changed", [{}, {"batch_norm": True, "dropout": 0.5, "l2": 1e-3, "activation": "leaky_relu"}])
def test_a_network_of_every_family_is_plain_and_answers_as_before(tmp_path, name, changed):
    values = {**defaults(name), **changed}
    network = FAMILIES[name].network(values, (32, 32, 3), 4)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    expected = keras.ops.convert_to_numpy(network(images))  # compiles nothing, as `predict` does
    path = saved(tmp_path, network)
    assert not checked_model(path).is_compiled
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(load_checked(checked_model(path))(images)), expected)


def test_networks_within_networks_shared_layers_and_operations_are_plain(tmp_path):
    pixels = keras.Input((8, 8, 1))
    x = layers.Normalization(mean=[1.0], variance=[4.0])(pixels)
    x = layers.RandomFlip()(layers.RandomRotation(0.1)(x))
    shared = layers.Conv2D(3, 3, padding="same", kernel_regularizer="l2", kernel_constraint="max_norm")
    x = shared(shared(layers.Conv2D(3, 1, activation=keras.activations.gelu)(x)[..., :3])) * 2 + 1
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.SpectralNormalization(layers.Conv2D(2, 3))])
    inner.compile("sgd", "mse")
    inner.compiled = False  # so that Keras keeps no description of its optimizer
    x = layers.Reshape((-1, 2))(inner(x))
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(layers.MultiHeadAttention(2, 4)(x, x))
    x = layers.TimeDistributed(layers.Dense(3))(x)
    answer = layers.Dense(2, activation=keras.ops.softmax)(keras.ops.mean(x, axis=1))
    network = keras.Model(pixels, answer)
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), dtype=np.uint8)
    expected = network.predict(images, verbose=0)
    np.testing.assert_array_equal(
        load_checked(checked_model(saved(tmp_path, network))).predict(images, verbose=0), expected
    )


def test_a_compiled_network_is_loaded_without_its_optimizer(tmp_path):
    path = saved(tmp_path, small(compiled=True))
    assert checked_model(path).is_compiled
    assert getattr(load_checked(checked_model(path)), "optimizer", None) is None


@pytest.mark.parametrize(
    ("make", "fragments"),
    [
        pytest.param(lambda path: None, ["no such model file"], id="absent"),
        pytest.param(lambda path: path.mkdir(), ["is a folder, not a .keras file"], id="a folder"),
        pytest.param(lambda path: path.write_bytes(b""), ["is not a .keras file"], id="nothing"),
        pytest.param(lambda path: path.write_bytes(b"\x80\x04K\x01."), ["is not a .keras file"], id="a pickle"),
        pytest.param(lambda path: path.write_bytes(b"PK\x03\x04 and so on"), ["cannot be read as"], id="half a zip"),
        pytest.param(lambda path: h5py.File(path, "w").close(), ["is an .h5 file", "save it as .keras"], id="h5"),
        pytest.param(os.mkfifo, ["is not a file; pipes, devices and folders are not read"], id="a pipe"),
    ],
)
def test_what_is_no_keras_file_is_refused(tmp_path, make, fragments):
    make(tmp_path / "model.keras")
    refused(tmp_path / "model.keras", *fragments)


def test_the_older_format_is_refused_under_its_own_name(tmp_path):
    small().save(tmp_path / "model.h5")
    refused(tmp_path / "model.h5", "is an .h5 file, which Keras loads without safe mode")


def test_a_saved_model_of_tensorflow_is_refused(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").touch()
    refused(tmp_path / "model", "is a SavedModel, not a .keras file")


@pytest.mark.parametrize(
    ("changed", "fragments"),
    [
        pytest.param({"../evil.py": b"x"}, ["has a member that leads outside, '../evil.py'"], id="parent"),
        pytest.param({"/etc/evil": b"x"}, ["has a member that leads outside"], id="absolute"),
        pytest.param({"assets/vocabulary.txt": b"x"}, ["holds 'assets/vocabulary.txt', which no network"], id="assets"),
        pytest.param({"x.py": b"x"}, ["holds 'x.py'"], id="code"),
        pytest.param({"\x1b[2J\n": b"x"}, [r"holds '\x1b[2J\n'"], id="a terminal's command"),
        pytest.param({"config": None}, ["has no config.json"], id="no config"),
        pytest.param({"weights": None}, ["has no model.weights.h5"], id="no weights"),
        pytest.param({"weights": None, "model.weights.npz": b"x"}, ["holds 'model.weights.npz'"], id="other weights"),
        pytest.param({"config": b"{"}, ["its config.json is not JSON"], id="broken config"),
        pytest.param({"config": b"[" * 200_000}, ["config.json is not JSON, or nested too deeply"], id="deep brackets"),
        pytest.param({"config": b"[]"}, ["describes no network of Keras' but None"], id="a list"),
        pytest.param({"config": b'{"class_name": "Dense"}'}, ["no network of Keras' but 'Dense'"], id="a layer"),
        pytest.param({"config": b"9" * 5000}, ["is not JSON"], id="a number of 5,000 digits"),
        pytest.param({"config": b'"' + b"x" * 17_000_000 + b'"'}, ["'config.json' says to unpack to 17 MB"], id="long"),
        pytest.param({"weights": b"not HDF5"}, ["its weights cannot be read"], id="broken weights"),
    ],
)
def test_a_member_that_does_not_belong_there_is_refused(tmp_path, changed, fragments):
    refused(rewritten(saved(tmp_path), **changed), *fragments)


def test_a_link_as_a_member_is_refused(tmp_path):
    path = saved(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("metadata.json")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    refused(path, "has a member that leads outside, 'metadata.json'")


def test_two_members_of_one_name_are_refused(tmp_path, recwarn):
    path = saved(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    refused(path, "has two members of the same name")


@pytest.mark.parametrize("name", ["config", "weights", "metadata.json"])
def test_a_bomb_is_refused_by_its_size_before_it_is_unpacked(tmp_path, peak_memory, name):
    path = rewritten(saved(tmp_path), zipfile.ZIP_DEFLATED, **{name: bytes(300_000_000)})
    assert path.stat().st_size < 1_000_000
    with peak_memory(5_000_000):
        refused(path, "says to unpack to 300 MB", "so large or so regular is no saved model")


def nest(config: Config) -> None:
    inner: Any = 1
    for _ in range(300):
        inner = [inner]
    config["config"]["name"] = inner


def test_a_description_that_is_nested_too_deeply_is_refused(tmp_path):
    refused(with_config(saved(tmp_path), nest), "nested more than 200 levels deep")


def replace_layer(name: str, module: str | None = "keras.layers", registered: str | None = None, **config: Any):
    """Return what puts a layer in front of the last one."""

    def change(whole: Config) -> None:
        found = {"module": module, "class_name": name, "config": {"name": "x", **config}}
        found |= {"registered_name": registered, "build_config": {"input_shape": [None, 64]}}
        whole["config"]["layers"].insert(-1, found)

    return change


def function(module: str | None, name: str) -> Config:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def in_activation(value: object) -> Callable[[Config], object]:
    return lambda whole: whole["config"]["layers"][-1]["config"].update(activation=value)


def within_a_network(change: Callable[[Config], object]) -> Callable[[Config], object]:
    """Return what makes the same change in a network that is a layer of the network."""

    def apply(whole: Config) -> None:
        inner = copy.deepcopy({key: whole[key] for key in ("module", "class_name", "config", "registered_name")})
        change(inner)
        whole["config"]["layers"].insert(-1, inner)

    return apply


OWN = "of its author's own, "
EVIL = [
    pytest.param(
        replace_layer("Lambda", function=function("builtins", "exec")), ["code (a Lambda layer)"], id="Lambda"
    ),
    pytest.param(
        in_activation({"class_name": "__lambda__", "config": {"value": "4wAAAA=="}}),
        ["carries code (a Lambda layer)"],
        id="marshalled code",
    ),
    pytest.param(replace_layer("Noisy", None, "mypkg>Noisy"), [OWN + "mypkg>Noisy"], id="registered class"),
    pytest.param(replace_layer("Noisy", "mynet", "Noisy"), [OWN + "mynet>Noisy"], id="class of a module"),
    pytest.param(
        replace_layer("Dense", "keras.layers", "mypkg>Noisy"), [OWN + "mypkg>Noisy"], id="own class for Dense"
    ),
    pytest.param(replace_layer("Popen", "subprocess", args=["true"]), [OWN + "subprocess>Popen"], id="any class"),
    pytest.param(replace_layer("Dense", None), [OWN + "?>Dense"], id="of Keras 2"),
    pytest.param(replace_layer("Dense", ["keras.layers"]), [OWN], id="a module that is a list"),
    pytest.param(replace_layer(["Dense"]), ["keras.layers"], id="a name that is a list"),
    pytest.param(replace_layer("TFSMLayer", filepath="x"), ["code (a layer TFSMLayer)"], id="SavedModel"),
    pytest.param(replace_layer("TorchModuleWrapper"), ["code (a layer TorchModuleWrapper)"], id="torch"),
    pytest.param(
        replace_layer("StringLookup", vocabulary="/etc/passwd"), ["a layer StringLookup, which may read"], id="lookup"
    ),
    pytest.param(
        replace_layer("TextVectorization", vocabulary="/etc/passwd"), ["a layer TextVectorization"], id="vocabulary"
    ),
    pytest.param(replace_layer("get_file", "keras.utils"), ["keras.utils.get_file, which is not"], id="download"),
    pytest.param(replace_layer("load_model", "keras.saving"), ["keras.saving.load_model"], id="load another"),
    pytest.param(replace_layer("Model", "keras.src.models.model"), ["keras.src.models.model.Model"], id="inner Keras"),
    pytest.param(
        in_activation(function("keras.utils", "get_file")), ["the function keras.utils.get_file"], id="as an activation"
    ),
    pytest.param(
        in_activation(function("keras.config", "enable_unsafe_deserialization")),
        ["the function keras.config.enable_unsafe_deserialization"],
        id="safe mode off",
    ),
    pytest.param(in_activation(function("os", "system")), ["the function os.system"], id="any function"),
    pytest.param(in_activation(function("builtins", "eval")), ["the function builtins.eval"], id="eval"),
    pytest.param(
        in_activation({"class_name": "__typespec__", "config": [], "module": "tensorflow", "spec_name": "x"}),
        [OWN + "tensorflow>__typespec__"],
        id="type of TensorFlow",
    ),
    pytest.param(
        replace_layer("Bidirectional", layer={"module": "evil", "class_name": "Cell", "config": {}}),
        [OWN + "evil>Cell"],
        id="inside another layer",
    ),
]


@pytest.mark.parametrize(("change", "fragments"), EVIL)
@pytest.mark.parametrize("nested", [False, True], ids=["outside", "within a network"])
def test_what_may_run_code_or_read_files_is_named_and_refused(tmp_path, monkeypatch, change, fragments, nested):
    def reached(*args: object, **options: object) -> None:
        pytest.fail("Keras was given the file")

    monkeypatch.setattr("keras.models.load_model", reached)
    monkeypatch.setattr("keras.saving.deserialize_keras_object", reached)
    path = with_config(saved(tmp_path), within_a_network(change) if nested else change)
    refused(path, "carries ", *fragments, "only networks of Keras' own layers are loaded")


def test_an_inner_network_that_is_compiled_with_code_is_refused(tmp_path):
    def compile_inner(whole: Config) -> None:
        whole["compile_config"] = {"loss": function("os", "system")}

    refused(with_config(saved(tmp_path), within_a_network(compile_inner)), "carries the function os.system")


def test_a_real_lambda_layer_never_runs(tmp_path):
    marker = tmp_path / "ran"
    path = saved(tmp_path, small(layers.Lambda(eval(f"lambda x: (open({str(marker)!r}, 'w'), x)[1]"))))  # noqa: S307
    marker.unlink(missing_ok=True)
    refused(path, "carries code (a Lambda layer)")
    assert not marker.exists()


def test_a_real_layer_of_an_author_s_own_is_named(tmp_path):
    refused(saved(tmp_path, small(Noisy())), "carries a layer or function of its author's own, mypkg>Noisy")


def test_a_network_that_is_its_author_s_own_class_is_named(tmp_path):
    @keras.saving.register_keras_serializable("mypkg")
    class Net(keras.Model):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.dense = layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.dense(layers.Flatten()(inputs))

    network = Net()
    network(np.zeros((1, 8, 8, 1)))
    refused(saved(tmp_path, network), "describes no network of Keras' but 'Net'")


def elsewhere(target: Path) -> Path:
    with h5py.File(target, "w") as file:
        file["secret"] = np.arange(128, dtype="float32").reshape(64, 2)
    return target


def kernel(file: h5py.File) -> str:
    found: list[str] = []
    file.visititems(lambda name, node: found.append(name) if getattr(node, "shape", None) == (64, 2) else None)
    return found[0]


@pytest.mark.parametrize(
    ("replace", "problem"),
    [
        pytest.param(
            lambda file, name, target: file.__setitem__(name, h5py.ExternalLink(str(target), "secret")),
            "is a link, perhaps to another file",
            id="external link",
        ),
        pytest.param(
            lambda file, name, target: file.__setitem__(name, h5py.SoftLink("/layers")),
            "is a link, perhaps to another file",
            id="soft link",
        ),
        pytest.param(
            lambda file, name, target: file.create_dataset(name, (64, 2), "f4", external=[(str(target), 0, 512)]),
            "lies in another file",
            id="external storage",
        ),
        pytest.param(
            lambda file, name, target: file.create_virtual_dataset(name, _virtual(target)),
            "lies in another file",
            id="virtual",
        ),
        pytest.param(
            lambda file, name, target: file.create_dataset(name, (10**6, 10**6), "f4", chunks=(1000, 1000)),
            "says to have the shape (1000000, 1000000), and is not stored as such",
            id="a shape of 4 TB",
        ),
        pytest.param(
            lambda file, name, target: file.create_dataset(name, (10**6, 10**6), "f4"),
            "says to have the shape (1000000, 1000000), and is not stored as such",
            id="never written",
        ),
        pytest.param(
            lambda file, name, target: file.create_dataset(name, (64, 2), "f4", compression="gzip"),
            "is not stored as such",
            id="packed",
        ),
        pytest.param(
            lambda file, name, target: file.create_dataset(name, (1,), h5py.string_dtype()),
            "holds object",
            id="strings",
        ),
        pytest.param(
            lambda file, name, target: file.__setitem__(name, file["/"]),
            "too many groups, or too deeply",
            id="a circle",
        ),
    ],
)
def test_weights_that_lie_elsewhere_or_say_to_be_larger_are_refused(tmp_path, replace, problem):
    target = elsewhere(tmp_path / "secret.h5")

    def change(file: h5py.File) -> None:
        name = kernel(file)
        del file[name]
        replace(file, name, target)

    refused(with_weights(saved(tmp_path), change), "its weights cannot be read", problem)


def _virtual(target: Path) -> h5py.VirtualLayout:
    layout = h5py.VirtualLayout((64, 2), "f4")
    layout[:] = h5py.VirtualSource(str(target), "secret", (64, 2))
    return layout


def test_a_network_larger_than_its_weights_is_refused_before_there_is_room_made_for_it(tmp_path):
    path = with_config(saved(tmp_path), lambda whole: whole["config"]["layers"][-1]["config"].update(units=10**11))
    with pytest.raises(InputError, match=r"describes a network of 6,500,000,000,000 weights and holds 130"):
        load_checked(checked_model(path))


def test_weights_that_do_not_fit_the_network_are_one_line(tmp_path):
    path = with_config(saved(tmp_path), lambda whole: whole["config"]["layers"][-1]["config"].update(units=1))
    with pytest.raises(InputError, match=r"model\.keras: cannot be loaded in safe mode \(ValueError"):
        load_checked(checked_model(path))


@pytest.mark.parametrize(("value", "unsound"), [(np.nan, 1), (-np.inf, 1), (3.0e38, 0)])
def test_weights_that_are_no_numbers_are_counted(tmp_path, value, unsound):
    def change(file: h5py.File) -> None:
        file[kernel(file)][0, 0] = value

    found = checked_model(with_weights(saved(tmp_path), change))
    assert (found.unsound, found.doubt) == (unsound, "1 of its 130 weights are NaN or infinite" if unsound else "")


def test_so_are_those_of_sixteen_bits(tmp_path):
    network = keras.Sequential([keras.Input((2,)), layers.Dense(2, dtype=keras.DTypePolicy("bfloat16"))])
    network.set_weights([np.array([[1.0, np.nan], [np.inf, 2.0]]), np.zeros(2)])
    assert checked_model(saved(tmp_path, network)).unsound == 2
