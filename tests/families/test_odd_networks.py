"""Networks as users write them: each trains as plain Keras trains it, or is refused before any training in one line."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.errors import TunerError
from tuner.families import get_family
from tuner.families.custom import CustomFamily
from tuner.recipe import RECIPE, left_to_build
from tuner.trial import Job, Result, Trial, artifact_path
from tuner.worker import training
from tuner.worker.engines import Plan
from tuner.worker.probe import Built, Question, probe

EPOCHS, SEED, BATCH = 2, 5, 64

HEADER = """
import keras
import keras_tuner
import numpy as np
from keras import layers, ops

def body(end="softmax", front=None, middle=None):
    pixels = keras.Input((8, 8, 1))
    x = layers.Flatten()(front(pixels) if front else layers.Rescaling(1 / 255)(pixels))
    x = layers.Dense(6, activation="relu", name="first")(x)
    x = middle(x) if middle else x
    return keras.Model(pixels, layers.Dense(3, activation=end)(x))

def compiled(model, loss="sparse_categorical_crossentropy", optimizer=None, **options):
    model.compile(optimizer or keras.optimizers.Adam(0.02), loss, **options)
    return model
"""


@dataclass(frozen=True)
class Odd:
    """A network that is odd, and what becomes of it.

    Args:
        code: behind `HEADER`; it ends with a function `build`, or a class `Net`.
        refused: what the line says that refuses it; empty where it works.
        recipe: what the search file names of the recipe.
        values: of its own parameters.
        rows: plain Keras is given labels as one-hot rows.
        scale: plain Keras is given pixels that are divided by 255.
        softmax: plain Keras' answers are logits.
        by_itself: its own code trains it, and plain Keras in one call.
        notes: what is said before it trains.
    """

    code: str
    refused: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    rows: bool = False
    scale: bool = False
    softmax: bool = False
    by_itself: bool = False
    notes: tuple[str, ...] = ()


NET = "class Net(keras_tuner.HyperModel):\n    def build(self, hp):\n        return compiled(body())\n"
RMSPROP = 'model.compile("rmsprop", "sparse_categorical_crossentropy")'
#: What this tool does with a network that `build` does not compile.
BY_RECIPE = {"optimizer": "sgd", "learning_rate": 0.05}
ONLY_ITS_CODE = "only its own code makes it again: verify and predict take --trust"

NETWORKS = {
    # --- what goes in and comes out ---
    "two inputs": Odd(
        "def build(hp):\n    a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))\n"
        "    x = layers.Flatten()(layers.Concatenate()([a, b]))\n"
        "    return keras.Model([a, b], layers.Dense(3, activation='softmax')(x))\n",
        "takes 2 inputs, and there are images alone; let it take one",
    ),
    "two outputs": Odd(
        "def build(hp):\n    model = body()\n"
        "    return keras.Model(model.inputs, [model.output, model.output * 1.0])\n",
        "gives 2 outputs, and one is scored; let it give the probabilities",
    ),
    "logits with a loss of logits": Odd(
        "def build(hp):\n"
        "    return compiled(body(None), keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n",
        softmax=True,
        notes=("a softmax is put behind its logits",),
    ),
    "logits with a loss of one's own": Odd(
        "def loss(labels, logits):\n"
        "    return keras.losses.categorical_crossentropy(labels, logits, from_logits=True)\n"
        "def build(hp):\n    return compiled(body(None), loss)\n",
        softmax=True,
        rows=True,
        notes=("a softmax is put behind its logits", "trained with what build compiles (Adam, loss)"),
    ),
    "logits that nothing knows of": Odd(
        "def build(hp):\n    return compiled(body(None))\n",
        'gives no probabilities: .*; end it with activation="softmax", or compile it with a loss of from_logits=True',
    ),
    "one that takes pixels as they are": Odd(
        "def build(hp):\n    return compiled(body(front=lambda x: x))\n", scale=True
    ),
    "preprocess_input": Odd(
        "def build(hp):\n    return compiled(body(front=keras.applications.mobilenet_v2.preprocess_input))\n",
        notes=("which scales them itself",),
    ),
    "an adapted Normalization": Odd(
        "def build(hp):\n    adapted = layers.Normalization()\n"
        "    adapted.adapt(np.linspace(0, 200, 640).reshape(10, 8, 8, 1).astype('float32'))\n"
        "    return compiled(body(front=adapted))\n",
        notes=("which scales them itself",),
    ),
    # --- what it is made of ---
    "not compiled": Odd("def build(hp):\n    return body()\n", recipe=BY_RECIPE),
    "BatchNormalization": Odd("def build(hp):\n    return compiled(body(middle=layers.BatchNormalization()))\n"),
    "shared layers": Odd(
        "def build(hp):\n    twice = layers.Dense(6, activation='relu')\n"
        "    return compiled(body(middle=lambda x: twice(twice(x))))\n"
    ),
    "dropout and a penalty": Odd(
        "def build(hp):\n    return compiled(body(middle=layers.Dense(6, kernel_regularizer='l2')))\n"
    ),
    "frozen weights": Odd(
        "def build(hp):\n    model = body()\n    frozen = model.get_layer('first')\n"
        "    frozen.set_weights([np.linspace(-1, 1, 384).reshape(64, 6), np.full(6, 0.5)])\n"
        "    frozen.trainable = False\n    return compiled(model)\n"
    ),
    "mixed dtypes": Odd("def build(hp):\n    return compiled(body(middle=layers.Dense(6, dtype='mixed_bfloat16')))\n"),
    "a Sequential that is not built": Odd(
        "def build(hp):\n    return compiled(keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(),\n"
        "                                      layers.Dense(3, activation='softmax')]))\n"
    ),
    "a subclass with get_config": Odd(
        "class Own(keras.Model):\n    def __init__(self, units, **options):\n        super().__init__(**options)\n"
        "        self.units, self.flat = units, layers.Flatten()\n"
        "        self.dense, self.last = layers.Dense(units), layers.Dense(3, activation='softmax')\n"
        "    def call(self, x):\n        return self.last(self.dense(self.flat(x / 255)))\n"
        "    def get_config(self):\n        return {**super().get_config(), 'units': self.units}\n"
        "def build(hp):\n    return compiled(Own(4))\n",
        notes=(ONLY_ITS_CODE,),
    ),
    "a subclass without get_config": Odd(
        "class Own(keras.Model):\n    def __init__(self, units):\n        super().__init__()\n"
        "        self.flat, self.last = layers.Flatten(), layers.Dense(3, activation='softmax')\n"
        "    def call(self, x):\n        return self.last(self.flat(x / 255))\n"
        "def build(hp):\n    return compiled(Own(object()))\n",
        r"cannot be saved \(.*\); give layers and models of your own get_config",
    ),
    "a layer of one's own": Odd(
        "class Halved(layers.Layer):\n    def call(self, x):\n        return x / 2\n"
        "def build(hp):\n    return compiled(body(middle=Halved()))\n",
        notes=(ONLY_ITS_CODE,),
    ),
    "a registered layer of one's own": Odd(
        "@keras.saving.register_keras_serializable('odd')\n"
        "class Halved(layers.Layer):\n    def call(self, x):\n        return x / 2\n"
        "def build(hp):\n    return compiled(body(middle=Halved()))\n",
        notes=(ONLY_ITS_CODE,),
    ),
    "a Lambda": Odd(
        "def build(hp):\n    return compiled(body(middle=layers.Lambda(lambda x: x / 2)))\n", notes=(ONLY_ITS_CODE,)
    ),
    "another network each time": Odd(
        "import itertools\ncount = itertools.count(3)\n"
        "def build(hp):\n    return compiled(body(middle=layers.Dense(next(count))))\n",
        "built again, it has other weights",
    ),
    "one that asks how it is called": Odd(
        "class Own(keras.Model):\n    def predict_step(self, data):\n        return super().predict_step(data) * 0\n"
        "def build(hp):\n    model = body()\n    return compiled(Own(model.inputs, model.outputs))\n",
        "has its own predict_step, and networks are asked by a call; remove predict_step",
    ),
    # --- what it compiles ---
    "rows of labels": Odd("def build(hp):\n    return compiled(body(), 'categorical_crossentropy')\n", rows=True),
    "a mean squared error": Odd("def build(hp):\n    return compiled(body(), 'mse')\n", rows=True),
    "a loss class of one's own": Odd(
        "class Own(keras.losses.Loss):\n    def call(self, labels, answers):\n"
        "        return -ops.log(ops.sum(ops.one_hot(ops.cast(labels, 'int32'), 3) * answers, axis=-1) + 1e-3)\n"
        "def build(hp):\n    return compiled(body(), Own())\n",
        notes=("trained with what build compiles (Adam, Own)",),
    ),
    "a loss of neither form": Odd(
        "def build(hp):\n    return compiled(body(), lambda labels, answers: ops.mean(answers) * 0.0)\n",
        "which can be computed neither of class numbers nor of one-hot rows",
    ),
    "an optimizer of one's own": Odd(
        "class Signs(keras.optimizers.Optimizer):\n    def update_step(self, gradient, variable, learning_rate):\n"
        "        self.assign_sub(variable, ops.sign(gradient) * ops.cast(learning_rate, variable.dtype))\n"
        "def build(hp):\n    return compiled(body(), optimizer=Signs(0.01))\n",
        notes=("trained with what build compiles (Signs, sparse_categorical_crossentropy)",),
    ),
    "an optimizer that fails": Odd(
        "class Fails(keras.optimizers.Optimizer):\n    def update_step(self, gradient, variable, learning_rate):\n"
        "        raise RuntimeError('not today')\n"
        "def build(hp):\n    return compiled(body(), optimizer=Fails(0.01))\n",
        r"cannot be trained on a few random images \(.*not today.*\); mend it",
    ),
    "a schedule": Odd(
        "def build(hp):\n    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)\n"
        "    return compiled(body(), optimizer=keras.optimizers.SGD(rate, momentum=0.9))\n"
    ),
    "metrics": Odd(
        "def build(hp):\n"
        "    metrics = ['acc', keras.metrics.AUC(name='auc'), 'mse']\n"
        "    return compiled(body(), 'categorical_crossentropy', metrics=metrics)\n",
        rows=True,
    ),
    "a metric by the name of an objective": Odd(
        "def build(hp):\n"
        "    return compiled(body(), metrics=[keras.metrics.SparseTopKCategoricalAccuracy(name='macro_f1')])\n",
        "compiles a metric named 'macro_f1', which is recorded as what it is here; give it another name",
    ),
    "compiled twice": Odd(
        f"def build(hp):\n    model = body()\n    {RMSPROP}\n    return compiled(model)\n",
        notes=("trained with what build compiles (Adam, sparse_categorical_crossentropy)",),
    ),
    "moving averages": Odd(
        "def build(hp):\n    return compiled(body(), optimizer=keras.optimizers.Adam(use_ema=True))\n",
        "compiles an optimizer with use_ema, whose averages no epoch is scored by; leave it",
    ),
    "weights of losses": Odd(
        "def build(hp):\n    return compiled(body(), loss_weights=[2.0])\n",
        "compiles loss_weights, and there is one loss",
    ),
    "code that no graph takes": Odd(
        "class Eager(layers.Layer):\n    def call(self, x):\n        float(ops.sum(x))\n        return x\n"
        "    def compute_output_spec(self, x):\n        return keras.KerasTensor(x.shape, x.dtype)\n"
        "def build(hp):\n    return compiled(body(middle=Eager()), run_eagerly=True)\n",
        notes=(ONLY_ITS_CODE,),
    ),
    "a rate in the search file": Odd(
        "def build(hp):\n    return compiled(body(), optimizer=keras.optimizers.SGD(0.05, momentum=0.9))\n",
        recipe={"learning_rate": 0.02},
        notes=("SGD, sparse_categorical_crossentropy); learning_rate of the search file in its place",),
    ),
    "a loss in the search file": Odd(
        "def build(hp):\n    return compiled(body(), optimizer=keras.optimizers.SGD(0.05, momentum=0.9))\n",
        recipe={"loss": "focal", "focal_gamma": 2.0},
        notes=("loss, focal_gamma of the search file in its place",),
    ),
    # --- what it asks for ---
    "a rate that it asks for": Odd(
        "def build(hp):\n    return compiled(body(), optimizer=keras.optimizers.SGD(hp.Float('rate', 1e-5, 1)))\n",
        values={"rate": 0.3},
    ),
    "a name of the recipe's optimizer": Odd(
        "def build(hp):\n    rate = hp.Float('learning_rate', 1e-3, 1)\n"
        "    return compiled(body(), optimizer=keras.optimizers.SGD(rate))\n",
        recipe={"learning_rate": 0.2},
    ),
    "a name of the recipe that nothing names": Odd(
        "def build(hp):\n    rate = hp.Float('learning_rate', 1e-2, 1, default=0.25)\n"
        "    return compiled(body(), optimizer=keras.optimizers.SGD(rate))\n"
    ),
    "a name of the recipe's loop": Odd(
        "def build(hp):\n    hp.Choice('flip', ['none', 'both'])\n    return compiled(body())\n",
        "asks for 'flip', which is a setting of the recipe; give its own another name",
    ),
    "a parameter that the file takes away": Odd(
        "def build(hp):\n    return compiled(body(), optimizer=keras.optimizers.SGD(hp.Float('rate', 1e-5, 1)))\n",
        "space.rate: .* uses it only in what it compiles, and optimizer, learning_rate takes the place of that",
        recipe={"learning_rate": 0.2, "optimizer": "adam"},
        values={"rate": 0.3},
    ),
    "one that prints": Odd("print('read')\ndef build(hp):\n    print('built')\n    return compiled(body())\n"),
    "one that needs a file": Odd(
        "from pathlib import Path\nWEIGHTS = Path(__file__).with_name('weights.npy')\n"
        "def build(hp):\n    model = body()\n    kernel, bias = model.get_layer('first').get_weights()\n"
        "    model.get_layer('first').set_weights([np.load(WEIGHTS), bias])\n    return compiled(model)\n"
    ),
    "one that needs a file that is not there": Odd(
        "from pathlib import Path\ndef build(hp):\n    np.load(Path(__file__).with_name('lost.npy'))\n", "lost.npy"
    ),
    # --- how it trains ---
    "its own train_step": Odd(
        "class Own(keras.Model):\n    def train_step(self, *data):\n        return super().train_step(*data)\n"
        "def build(hp):\n    model = body()\n"
        "    return compiled(Own(model.inputs, model.outputs), metrics=['accuracy'])\n",
        by_itself=True,
        notes=("train_step of its own trains it",),
    ),
    "its own train_step, not compiled": Odd(
        "class Own(keras.Model):\n    def train_step(self, data):\n        return {}\n"
        "def build(hp):\n    model = body()\n    return Own(model.inputs, model.outputs)\n",
        "has its own train_step, and is not compiled; compile it in build",
    ),
    "its own loss in compute_loss": Odd(
        "class Own(keras.Model):\n    def compute_loss(self, *parts, **options):\n"
        "        return 2 * super().compute_loss(*parts, **options)\n"
        "def build(hp):\n    model = body()\n    return compiled(Own(model.inputs, model.outputs), 'mse')\n",
        by_itself=True,
        rows=True,
    ),
    "a fit with arguments of its own": Odd(
        f"{NET}    def fit(self, hp, model, *args, **options):\n"
        "        return model.fit(*args, batch_size=hp.Choice('batch', [16, 32]), shuffle=False, **options)\n",
        by_itself=True,
        values={"batch": 32},
        notes=("HyperModel.fit of its own trains it",),
    ),
    "a fit by hand": Odd(
        f"{NET}    def fit(self, hp, model, x, y, validation_data=None, callbacks=(), epochs=1, **options):\n"
        "        for one in callbacks:\n            one.set_model(model)\n"
        "        for epoch in range(epochs):\n            loss = model.train_on_batch(x, y)\n"
        "            for one in callbacks:\n                one.on_epoch_end(epoch, {'loss': float(loss)})\n",
        by_itself=True,
    ),
    "a fit of more epochs": Odd(
        f"{NET}    def fit(self, hp, model, *args, **options):\n"
        "        model.fit(*args, **options)\n        return model.fit(*args, **options)\n",
        "its fit trains more than the 1 epochs that it is given; leave epochs to its arguments",
    ),
    "a fit with epochs of its own": Odd(
        f"{NET}    def fit(self, hp, model, *args, **options):\n        return model.fit(*args, epochs=9, **options)\n",
        "its fit gives epochs by itself, which it is given; leave that out",
    ),
    "a fit that returns a score": Odd(
        f"{NET}    def fit(self, hp, model, *args, **options):\n"
        "        history = model.fit(*args, **options)\n        return min(history.history['loss'])\n",
        "its fit returns a score of its own, which trials are not chosen by; choose by it with objective = .returned.",
    ),
    "a fit that returns several scores": Odd(
        f"{NET}    def fit(self, hp, model, *args, **options):\n"
        "        model.fit(*args, **options)\n        return {'val_accuracy': 1.0}\n",
        "its fit returns a score of its own, which trials are not chosen by; choose by it with objective = .returned.",
    ),
    "a fit that needs validation images": Odd(
        f"{NET}    def fit(self, hp, model, x, y, validation_data, **options):\n"
        "        return model.fit(x, y, validation_data=(validation_data[0], validation_data[1]), **options)\n",
        "without validation images, which retrainings have none of .*; let fit do without validation_data",
    ),
    "a fit beside a recipe": Odd(
        f"{NET}    def fit(self, hp, model, *args, **options):\n        return model.fit(*args, **options)\n",
        "optimizer: .* trains by code of its own, which does not know of it; remove it, or let build ask hp for",
        recipe={"optimizer": "adam"},
    ),
    "a compiled loss beside mixup": Odd(
        "def build(hp):\n    return compiled(body())\n",
        "mixup: .* compiles a loss of its own, which does not know of mixed labels; remove it, or compile nothing",
        recipe={"mixup": 0.2},
    ),
    "a fit beside CutMix": Odd(
        f"{NET}    def fit(self, hp, model, *args, **options):\n        return model.fit(*args, **options)\n",
        "cutmix: .* images are varied by this tool's alone; remove it",
        recipe={"cutmix": 1.0},
    ),
    "a fit beside augmentation": Odd(
        f"{NET}    def fit(self, hp, model, *args, **options):\n        return model.fit(*args, **options)\n",
        "flip: .* images are varied by this tool's alone; remove it, and put such a layer into the network",
        recipe={"flip": "both"},
    ),
}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trials run in this process, whose threads TensorFlow has fixed by now."""
    monkeypatch.setattr(training, "set_up_process", lambda *_: None)
    yield
    keras.config.set_dtype_policy("float32")


def module_of(name: str) -> str:
    return "odd_" + "".join(c if c.isalnum() else "_" for c in name)


def written(odd: Odd, name: str, folder: Path) -> str:
    """Write a network's module, and the file that some need; return what the search file calls the network."""
    (folder / f"{module_of(name)}.py").write_text(HEADER + odd.code)
    np.save(folder / "weights.npy", np.linspace(-0.2, 0.2, 384).reshape(64, 6))
    return f"{module_of(name)}:{'Net' if 'class Net' in odd.code else 'build'}"


def probed(odd: Odd, path: str, folder: Path) -> Built | TunerError:
    everything = {p.name: p.default for p in RECIPE if p.when is None} | dict(odd.recipe) | dict(odd.values)
    named = frozenset((*odd.recipe, *odd.values))
    return probe(Question(path, folder, (8, 8, 1), 3, everything, first=True, named=named))


def trained(
    odd: Odd, path: str, folder: Path, data: Dataset, built: Built, role: str, seed: int = SEED
) -> tuple[Trial, Result]:
    """Train a network as a search does, or again as its winner."""
    left = left_to_build((*odd.recipe, *odd.values), built.fits) if built.compiles else frozenset()
    recipe = {p.name: p.default for p in RECIPE if p.when is None and p.name not in left}
    if odd.recipe.get("optimizer") == "sgd" and not built.compiles:
        recipe |= {"momentum": 0.0, "nesterov": False}
    trial = Trial(path, data.name, data.fingerprint, {**recipe, **odd.recipe, **odd.values}, epochs=EPOCHS, seed=SEED)
    trial = trial.as_final(seed) if role == "final" else trial
    result = training.train(Job(trial, save_to_store(data, folder / "data"), folder / "models", folder))
    assert isinstance(result, Result)
    assert not result.error
    return trial, result


def by_plain_keras(odd: Odd, path: str, folder: Path, data: Dataset) -> np.ndarray:
    """Build the network, train it with plain Keras on all training images in the same order, and return its answers."""
    keras.backend.clear_session(free_memory=False)
    family = get_family(path, folder)
    assert isinstance(family, CustomFamily)
    family.forget_modules()
    keras.utils.set_random_seed(SEED)
    module, _, name = path.partition(":")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        made = getattr(importlib.import_module(module), name)
    made = made() if inspect.isclass(made) else made
    hp = keras_tuner.HyperParameters()
    for key, value in {**odd.recipe, **odd.values}.items():
        hp.Fixed(key, value)
    model = (made.build if hasattr(made, "build") else made)(hp)
    if not model.compiled:
        model.compile(keras.optimizers.SGD(odd.recipe["learning_rate"]), "sparse_categorical_crossentropy")
    elif "learning_rate" in odd.recipe:
        model.optimizer.learning_rate = odd.recipe["learning_rate"]
    if "loss" in odd.recipe:
        model.compile(
            model.optimizer, keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=odd.recipe["focal_gamma"])
        )
    images = data.x_train.astype("float32") / (255 if odd.scale else 1)
    labels = np.eye(3)[data.y_train] if odd.rows or "loss" in odd.recipe else data.y_train
    model(images[:1])
    if odd.by_itself:
        fit = getattr(made, "fit", None) or (lambda hp, model, *a, **options: model.fit(*a, **options))
        fit(hp, model, images, labels, epochs=EPOCHS, verbose=0, callbacks=[])
    else:
        for order in Plan(EPOCHS, BATCH, SEED).orders(labels):
            model.fit(images[order], labels[order], batch_size=BATCH, shuffle=False, verbose=0)
    answers = np.asarray(model(data.x_test.astype("float32") / (255 if odd.scale else 1), training=False))
    return keras.ops.convert_to_numpy(keras.ops.softmax(answers)) if odd.softmax else answers.astype(np.float32)


@pytest.mark.parametrize("name", [name for name, odd in NETWORKS.items() if odd.refused])
def test_what_could_not_be_trained_as_it_is_meant_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    odd = NETWORKS[name]
    found = probed(odd, written(odd, name, tmp_path), tmp_path)
    line = found.error if isinstance(found, Built) else str(found)
    assert len(line.splitlines()) == 1
    with pytest.raises(AssertionError, match=odd.refused):
        raise AssertionError(line)


@pytest.mark.parametrize("name", [name for name, odd in NETWORKS.items() if not odd.refused])
def test_it_trains_as_plain_keras_trains_it(name: str, tmp_path: Path, blobs: Dataset) -> None:
    odd = NETWORKS[name]
    path = written(odd, name, tmp_path)
    built = probed(odd, path, tmp_path)
    assert isinstance(built, Built), built
    assert not built.error
    told = "\n".join(built.notes)
    assert [note for note in odd.notes if note not in told] == [], told
    trial, final = trained(odd, path, tmp_path, blobs, built, "final")
    file = artifact_path(tmp_path / "models", trial.id, final.files["predictions"], ".npz")
    with np.load(file) as kept:
        answers = kept["probabilities"]
    expected = by_plain_keras(odd, path, tmp_path, blobs)
    np.testing.assert_allclose(answers, expected, atol=5e-3 if "mixed" in name else 1e-4)
    assert np.abs(answers - 1 / 3).max() > 0.02, "it learns something"


def test_metrics_of_its_own_are_recorded_beside_accuracy(tmp_path: Path, blobs: Dataset) -> None:
    odd = NETWORKS["metrics"]
    path = written(odd, "recorded", tmp_path)
    built = probed(odd, path, tmp_path)
    assert isinstance(built, Built), built
    _, first = trained(odd, path, tmp_path, blobs, built, "search")
    assert {"accuracy", "auc", "mse", "val_accuracy", "val_auc", "val_mse"} <= first.history.keys()
    assert 0.5 < first.history["val_auc"][-1] <= 1
    assert first.environment["engine"] == "plain"
    assert first.environment["compiled"] == ("what build compiles (Adam, categorical_crossentropy, learning rate 0.02)")


BASE = """
FRONTS = {
    "preprocess_input": lambda: keras.applications.mobilenet_v2.preprocess_input,
    "an adapted Normalization": lambda: adapted(),
}

def adapted():
    layer = layers.Normalization(name="adapted")
    layer.adapt(np.linspace(0, 200, 640).reshape(10, 8, 8, 1).astype("float32"))
    return layer

def base():
    return keras.Sequential([
        keras.Input((8, 8, 1)), layers.Conv2D(4, 3, name="conv"), layers.BatchNormalization(name="norm"), layers.ReLU(),
        layers.Flatten(), layers.Dense(6, name="dense"),
    ], name="base")
"""
PRETRAINED = """
from pathlib import Path

def build(hp):
    pretrained = base()
    pretrained.load_weights(Path(__file__).with_name("base.weights.h5"))
    for layer in pretrained.layers:
        layer.trainable = {tuned} and layer.name == "dense"
    pixels = keras.Input((8, 8, 1))
    x = pretrained(FRONTS[{front!r}]()(pixels), training=False)
    return compiled(keras.Model(pixels, layers.Dense(3, activation="softmax")(x)))
"""


@pytest.mark.parametrize("tuned", [False, True], ids=["frozen", "fine-tuned"])
@pytest.mark.parametrize("front", ["preprocess_input", "an adapted Normalization"])
def test_bits_of_what_is_frozen_are_those_of_the_file_after_every_training(
    front: str, tuned: bool, tmp_path: Path, blobs: Dataset
) -> None:
    made: dict[str, Any] = {}
    exec(HEADER + BASE, made)  # noqa: S102  # of this file
    keras.utils.set_random_seed(1)
    file = made["base"]()
    for layer in file.layers:
        layer.set_weights([np.abs(np.random.default_rng(2).normal(size=w.shape)) + 0.1 for w in layer.get_weights()])
    file.save_weights(tmp_path / "base.weights.h5")
    odd = Odd(BASE + PRETRAINED.format(tuned=tuned, front=front))
    path = written(odd, f"bits {front} {tuned}", tmp_path)
    built = probed(odd, path, tmp_path)
    assert isinstance(built, Built), built
    trained(odd, path, tmp_path, blobs, built, "search")
    answers = []
    for seed in (SEED, SEED + 1):
        trial, final = trained(odd, path, tmp_path, blobs, built, "final", seed)
        saved = keras.models.load_model(artifact_path(tmp_path / "models", trial.id, final.files["model"], ".keras"))
        kept = {layer.name: layer.get_weights() for layer in saved._flatten_layers()}
        for name in ("conv", "norm", "dense"):
            pairs = list(zip(kept[name], file.get_layer(name).get_weights(), strict=True))
            same = [bool((one == other).all()) for one, other in pairs]
            assert same == [not (tuned and name == "dense")] * len(pairs), name
        if "adapted" in kept:
            for one, other in zip(kept["adapted"], made["adapted"]().get_weights(), strict=True):
                np.testing.assert_array_equal(one, other)
        with np.load(artifact_path(tmp_path / "models", trial.id, final.files["predictions"], ".npz")) as recorded:
            answers.append(recorded["probabilities"])
        np.testing.assert_allclose(saved.predict(blobs.x_test, verbose=0), answers[-1], atol=1e-6)
    np.testing.assert_allclose(answers[0], by_plain_keras(odd, path, tmp_path, blobs), atol=1e-4)
    assert np.abs(answers[0] - answers[1]).max() > 1e-4, "retrainings differ by their seeds"
