"""The contract of an engine, and the proof that the fast one learns what Keras' own fit learns."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tuner.datasets.base import Dataset
from tuner.datasets.large import RowsInFile
from tuner.families import FAMILIES
from tuner.recipe import RECIPE, augmenter, class_weights, compile_network, mixing, steps_per_epoch, use_precision
from tuner.recipe.augmentation import AUGMENTATIONS, OF_COLOURS
from tuner.recipe.imbalance import read_weights
from tuner.recipe.losses import make_loss
from tuner.recipe.schedules import SCHEDULES
from tuner.space.space import Configuration, read_space
from tuner.worker.engines import ENGINES, Engine, Plan, Samples, engine_for
from tuner.worker.engines.compiled import CompiledEngine
from tuner.worker.engines.plain import PlainEngine

#: The engine of this backend that compiles whole epochs.
(FAST,) = (
    type(engine)
    for engine in ENGINES
    if isinstance(engine, CompiledEngine) and engine.backend == keras.backend.backend()
)
EVERY_ENGINE = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(
            engine,
            id=engine.name,
            marks=pytest.mark.skipif(
                isinstance(engine, CompiledEngine) and engine.backend != keras.backend.backend(),
                reason="another backend's engine",
            ),
        )
        for engine in ENGINES
    ],
)


METRICS = {"loss", "unpenalised_loss", "accuracy"}
#: The layers of an `ann` of two that `l2` is for.
HIDDEN = ("dense_1", "dense_2")


def values_of(family: str, **given: object) -> Configuration:
    space = read_space(given, {}, [*FAMILIES[family].parameters, *RECIPE], {"learning_rate": 0.01})
    (values,) = space.grid()
    return values


def network_of(family: str = "cnn", epochs: int = 1, steps: int = 1, **given: object) -> keras.Model:
    values = values_of(family, **given)
    network = FAMILIES[family].network(values, (8, 8, 1), 3)
    compile_network(network, values, epochs, steps)
    return network


def in_a_file(folder: Path, images: NDArray[np.uint8]) -> RowsInFile:
    """Return images as they are read of a file, in which others stand between them."""
    path = folder / f"{len(images)}.npy"
    np.save(path, np.repeat(images, 2, axis=0))
    return RowsInFile(np.load(path, mmap_mode="r"), 2 * np.arange(len(images)))


def samples(data: Dataset) -> tuple[Samples, Samples]:
    return Samples(data.x_train, data.y_train), Samples(data.x_test, data.y_test)


@EVERY_ENGINE
class TestEveryEngine:
    def test_learns_and_reports_every_epoch(self, engine: Engine, blobs: Dataset) -> None:
        keras.utils.set_random_seed(1)
        history = list(engine.fit(network_of("ann", dense_units=16), *samples(blobs), Plan(8, 16, seed=3)))
        assert len(history) == 8
        assert set(history[0]) == METRICS | {f"val_{name}" for name in METRICS}
        assert history[-1]["val_accuracy"] == 1.0
        assert history[-1]["loss"] < history[0]["loss"] / 2

    def test_reports_no_validation_where_there_is_none(self, engine: Engine, blobs: Dataset) -> None:
        (epoch,) = engine.fit(network_of("ann"), samples(blobs)[0], None, Plan(1, 50, seed=3))
        assert set(epoch) == METRICS

    def test_tells_the_loss_without_penalties_beside_the_one_with_them(self, engine: Engine, blobs: Dataset) -> None:
        keras.utils.set_random_seed(1)
        network = network_of("ann", dense_depth=2, dense_units=8, l2=0.01, optimizer="sgd", learning_rate=1e-12)
        training, validation = samples(blobs)
        (epoch,) = engine.fit(network, training, validation, Plan(1, 50, seed=3))  # the weights stay
        hidden = [layer.get_weights()[0].astype(float) for layer in network.layers if layer.name in HIDDEN]
        penalty = 0.01 * sum((kernel**2).sum() for kernel in hidden)
        assert len(hidden) == 2
        assert penalty > 0.05
        for prefix, part in (("", training), ("val_", validation)):
            answers = network.predict(part.images, verbose=0).astype(float)
            cross_entropy = -np.log(answers[np.arange(len(answers)), part.labels]).mean()
            assert epoch[f"{prefix}unpenalised_loss"] == pytest.approx(cross_entropy, rel=1e-4)
            assert epoch[f"{prefix}loss"] - epoch[f"{prefix}unpenalised_loss"] == pytest.approx(penalty, rel=1e-4)

    def test_class_weights_count_in_training_and_not_where_images_validate(
        self, engine: Engine, blobs: Dataset
    ) -> None:
        keras.utils.set_random_seed(1)
        network = network_of("ann", dense_units=8, l2=0.01, optimizer="sgd", learning_rate=1e-12)  # the weights stay
        weights = np.array([0.5, 3.0, 1.25], np.float32)
        training, validation = samples(blobs)
        (epoch,) = engine.fit(network, training, validation, Plan(1, 50, seed=3, class_weights=weights))
        of_an_image = {
            prefix: -np.log(network.predict(part.images, verbose=0)[np.arange(len(part.labels)), part.labels])
            for prefix, part in (("", training), ("val_", validation))
        }
        weighted = (of_an_image[""] * weights[training.labels]).mean()
        assert epoch["unpenalised_loss"] == pytest.approx(weighted, rel=1e-4)
        assert epoch["val_unpenalised_loss"] == pytest.approx(of_an_image["val_"].mean(), rel=1e-4)
        penalties = [epoch[f"{prefix}loss"] - epoch[f"{prefix}unpenalised_loss"] for prefix in ("", "val_")]
        assert penalties[0] == pytest.approx(penalties[1], rel=1e-3)
        assert penalties[0] > 0
        assert set(epoch) == METRICS | {f"val_{name}" for name in METRICS}

    def test_class_weights_lead_where_keras_own_lead(self, engine: Engine, blobs: Dataset) -> None:
        training, _ = samples(blobs)
        named = read_weights({blobs.class_names[1]: 5, blobs.class_names[0]: 0.2})
        assert named is not None
        weights = class_weights({"class_weight": named}, training.labels, blobs.class_names)
        plan = Plan(3, 16, seed=3, class_weights=weights)
        keras.utils.set_random_seed(1)
        ours, theirs = network_of("ann", dense_units=8), network_of("ann", dense_units=8)
        theirs.set_weights(ours.get_weights())
        list(engine.fit(ours, training, None, plan))
        for order in plan.orders(training.labels):
            images, labels = training.images[order], training.labels[order]
            theirs.fit(images, labels, batch_size=16, class_weight={0: 0.2, 1: 5.0}, shuffle=False, verbose=0)
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-5)

    def test_another_weight_is_not_forgotten_by_an_engine_that_keeps_its_epochs(
        self, engine: Engine, blobs: Dataset
    ) -> None:
        training, validation = samples(blobs)

        def loss(weights: NDArray[np.float32] | None) -> float:
            keras.utils.set_random_seed(1)
            network = network_of("ann", dense_units=8, optimizer="sgd", learning_rate=1e-12)
            (epoch,) = engine.fit(network, training, validation, Plan(1, 50, seed=3, class_weights=weights))
            return epoch["loss"]

        even = loss(None)
        assert loss(np.array([2.0, 2.0, 2.0], np.float32)) == pytest.approx(2 * even, rel=1e-4)
        assert loss(None) == pytest.approx(even, rel=1e-6)

    def test_a_penalty_on_what_a_layer_answers_is_one_too(self, engine: Engine, blobs: Dataset) -> None:
        pixels = keras.Input((8, 8, 1))
        x = keras.layers.Flatten()(pixels)
        x = keras.layers.Rescaling(1 / 255)(x)
        x = keras.layers.ActivityRegularization(l1=0.5)(x)
        network = keras.Model(pixels, keras.layers.Dense(3, activation="softmax")(x))
        compile_network(network, values_of("ann", optimizer="sgd", learning_rate=1e-12))
        (epoch,) = engine.fit(network, *samples(blobs), Plan(1, 40, seed=3))
        # Keras takes half the sum of the absolute answers of a batch, per image.
        expected = [0.5 * np.abs(images / 255).sum(axis=(1, 2, 3)).mean() for images in (blobs.x_train, blobs.x_test)]
        found = [epoch[f"{prefix}loss"] - epoch[f"{prefix}unpenalised_loss"] for prefix in ("", "val_")]
        assert found == pytest.approx(expected, rel=1e-4)

    def test_without_penalties_both_losses_are_one(self, engine: Engine, blobs: Dataset) -> None:
        (epoch,) = engine.fit(network_of("ann", label_smoothing=0.1), *samples(blobs), Plan(1, 50, seed=3))
        assert epoch["unpenalised_loss"] == pytest.approx(epoch["loss"], rel=1e-6)
        assert epoch["val_unpenalised_loss"] == pytest.approx(epoch["val_loss"], rel=1e-6)

    def test_validation_metrics_are_those_of_the_weights_after_the_epoch(self, engine: Engine, blobs: Dataset) -> None:
        network = network_of("cnn", filters=4, l2=0.01, dropout=0.5)
        training, validation = samples(blobs)
        (epoch,) = engine.fit(network, training, validation, Plan(1, 16, seed=3))
        found = network.evaluate(validation.images, validation.labels, verbose=0, return_dict=True)
        assert epoch["val_accuracy"] == pytest.approx(found["accuracy"])
        assert epoch["val_loss"] == pytest.approx(found["loss"], rel=1e-5)

    @pytest.mark.parametrize("batch", [20, 15, 1000])
    def test_tells_what_the_network_answers_to_the_validation_images_after_each_epoch(
        self, engine: Engine, batch: int, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(f"tuner.worker.engines.{engine.name}.evaluation_batch", lambda network, shape: batch)
        network = network_of("ann", dense_units=8, dropout=0.5)
        training, validation = samples(blobs)  # of 45 images
        for epoch in engine.fit(network, training, validation, Plan(2, 16, seed=3)):
            answers = epoch.probabilities()
            assert answers.dtype == np.float32
            plain = keras.ops.convert_to_numpy(network(validation.images, training=False))
            np.testing.assert_allclose(answers, plain, rtol=1e-4, atol=1e-6)
            assert epoch["val_accuracy"] == pytest.approx((answers.argmax(axis=1) == validation.labels).mean())

    def test_the_same_seed_learns_the_same_and_can_be_left_after_any_epoch(
        self, engine: Engine, blobs: Dataset
    ) -> None:
        parts, histories, weights = samples(blobs), [], []
        for seed, left_after in ((5, 3), (5, 2), (6, 2)):
            keras.utils.set_random_seed(1)
            network = network_of("ann", dense_units=8, dropout=0.3)
            found = []
            for epoch in islice(engine.fit(network, *parts, Plan(3, 16, seed=seed)), left_after):
                found.append((epoch, network.get_weights()[0]))
            histories.append([epoch for epoch, _ in found])
            weights.append(found[1][1])
        assert len(histories[0]) == 3
        assert histories[1] == histories[0][:2]
        np.testing.assert_array_equal(weights[0], weights[1])
        assert not np.array_equal(weights[0], weights[2])

    @pytest.mark.parametrize("size", [16, 120, 500])
    def test_learns_the_same_from_images_that_are_read_of_a_file(
        self, engine: Engine, size: int, blobs: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not engine.reads_files:
            pytest.skip("does not read files")
        monkeypatch.setattr("tuner.datasets.large.BLOCK", 40 * 64)  # two batches of 16, and never the whole
        monkeypatch.setattr(f"tuner.worker.engines.{engine.name}.evaluation_batch", lambda network, shape: 20)
        found = []
        for part in (np.asarray, partial(in_a_file, tmp_path)):
            keras.utils.set_random_seed(1)
            network = network_of("ann", dense_units=8, dropout=0.3, l2=0.01)
            training, validation = (replace(one, images=part(one.images)) for one in samples(blobs))
            epochs = [
                (*epoch.values(), epoch.probabilities())
                for epoch in engine.fit(network, training, validation, Plan(2, size, seed=3))
            ]
            found.append((epochs, network.get_weights()))
        for one, other in zip(*map(keras.tree.flatten, found), strict=True):
            np.testing.assert_array_equal(one, other)

    @pytest.mark.parametrize("name", SCHEDULES)
    def test_steps_by_the_schedule_over_all_epochs(self, engine: Engine, name: str, blobs: Dataset) -> None:
        steps = steps_per_epoch(120, 50)
        network = network_of("ann", 4, steps, schedule=name, warmup_epochs=1)
        rates = []
        for _ in engine.fit(network, samples(blobs)[0], None, Plan(4, 50, seed=3)):
            rates.append(float(keras.ops.convert_to_numpy(network.optimizer.learning_rate)))
        assert int(network.optimizer.iterations) == 4 * steps
        after = {"constant": [1, 1, 1, 1], "steps": [1, 0.1, 0.01, 0.01]}
        if name in after:
            assert rates == pytest.approx([0.01 * share for share in after[name]])
        assert all(rate <= 0.01 * (1 + 1e-6) for rate in rates)

    def test_learns_smoothed_targets(self, engine: Engine, blobs: Dataset) -> None:
        keras.utils.set_random_seed(1)
        network = network_of("ann", dense_units=16, label_smoothing=0.3)
        *_, epoch = engine.fit(network, *samples(blobs), Plan(8, 16, seed=3))
        assert epoch["val_accuracy"] == 1.0
        # The least loss there is: the entropy of 0.8, 0.1 and 0.1.
        assert epoch["val_loss"] > 0.639
        assert epoch["val_loss"] == pytest.approx(0.639, rel=0.1)

    @pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
    def test_learns_in_mixed_precision_where_it_takes_it(self, engine: Engine, precision: str, blobs: Dataset) -> None:
        keras.utils.set_random_seed(1)
        try:
            use_precision({"precision": precision})
            network = network_of("cnn", filters=4, l2=1e-4, batch_norm=True, padding="same", flip="horizontal")
            augment = augmenter(values_of("cnn", flip="horizontal"), (8, 8, 1), 5)
        finally:
            use_precision({"precision": "float32"})
        if not engine.takes(network):
            assert (type(engine), precision) == (FAST, "mixed_float16")
            return
        *_, epoch = engine.fit(network, *samples(blobs), Plan(6, 16, seed=3, augment=augment))
        assert epoch["val_accuracy"] > 0.9


# --- augmentation ---


class Blackened(keras.layers.Layer):
    """Makes training images black, which no random variant would do by chance."""

    def call(self, images: object, training: bool = False) -> object:
        return images * 0.0 if training else images


def augmented(**given: object) -> keras.Sequential:
    augment = augmenter(values_of("ann", **given), (8, 8, 1), 5)
    assert augment is not None
    return augment


def asked() -> dict[str, object]:
    """Return values that ask for every kind of augmentation at once."""
    some = {str: lambda p: p.choices[-1], int: lambda p: 2, float: lambda p: 0.2 if p.high <= 1 else 20.0}
    # The images are grey, and JAX takes a minute to compile the eleven steps of the last.
    without = (*OF_COLOURS, "rand_augment")
    return {p.name: some[p.kind](p) for p, _ in AUGMENTATIONS if p.name not in without}


@EVERY_ENGINE
class TestAugmentationInEveryEngine:
    def test_changes_what_is_learned_and_not_what_validates(self, engine: Engine, blobs: Dataset) -> None:
        training, validation = samples(blobs)
        network = network_of("ann", optimizer="sgd", learning_rate=1e-12)  # so that the weights stay
        dark = keras.Sequential([keras.Input((8, 8, 1)), Blackened()])
        (epoch,) = engine.fit(network, training, validation, Plan(1, 50, seed=3, augment=dark))
        black = network.evaluate(training.images * 0, training.labels, verbose=0, return_dict=True)
        seen = network.evaluate(validation.images, validation.labels, verbose=0, return_dict=True)
        assert epoch["loss"] == pytest.approx(black["loss"], rel=1e-5)
        assert epoch["accuracy"] == pytest.approx(black["accuracy"])
        assert epoch["val_loss"] == pytest.approx(seen["loss"], rel=1e-5)
        assert epoch["val_accuracy"] == pytest.approx(seen["accuracy"])

    def test_draws_anew_in_every_epoch_and_the_same_with_the_same_seed(self, engine: Engine, blobs: Dataset) -> None:
        parts, found = samples(blobs), []
        for _ in range(2):
            keras.utils.set_random_seed(1)
            network = network_of("ann", dense_units=8, optimizer="sgd", learning_rate=1e-12)  # so that the weights stay
            plan = Plan(3, 50, seed=3, augment=augmented(**asked()))
            found.append([epoch["loss"] for epoch in engine.fit(network, *parts, plan)])
        assert len({round(loss, 5) for loss in found[0]}) == 3
        assert found[0] == found[1]

    def test_learns_from_the_variants(self, engine: Engine, blobs: Dataset) -> None:
        # Bright thirds of the rows: flips up and down make "top" and "bottom" one.
        keras.utils.set_random_seed(1)
        network = network_of("ann", dense_units=32)
        *_, epoch = engine.fit(network, *samples(blobs), Plan(12, 16, seed=3, augment=augmented(flip="vertical")))
        assert 0.5 < epoch["val_accuracy"] < 0.95
        shown = keras.ops.convert_to_numpy(network(blobs.x_test[blobs.y_test == 1]))
        assert (shown.argmax(axis=1) == 1).all()


# --- mixing ---


@EVERY_ENGINE
class TestMixingInEveryEngine:
    def test_learns_from_mixed_images_and_measures_others_unmixed(self, engine: Engine, blobs: Dataset) -> None:
        keras.utils.set_random_seed(1)
        network = network_of("ann", dense_units=32, mixup=0.4, label_smoothing=0.1)
        mixed = mixing(values_of("ann", mixup=0.4, label_smoothing=0.1), 3, 5)
        training, validation = samples(blobs)
        *_, epoch = engine.fit(network, training, validation, Plan(12, 16, seed=3, mixing=mixed))
        assert epoch["val_accuracy"] > 0.9
        assert epoch["loss"] > epoch["val_loss"] + 0.1, "a mixed image leaves doubt"
        answers = network.predict(validation.images, verbose=0)
        np.testing.assert_allclose(epoch.probabilities(), answers, atol=1e-5)
        of_whole = make_loss(values_of("ann", label_smoothing=0.1))
        assert epoch["val_unpenalised_loss"] == pytest.approx(float(of_whole(validation.labels, answers)), rel=1e-4)

    def test_repeats_with_the_same_seed(self, engine: Engine, blobs: Dataset) -> None:
        parts, weights = samples(blobs), []
        for seed in (5, 5, 6):
            keras.utils.set_random_seed(1)
            network = network_of("ann", dense_units=8, cutmix=1.0)
            mixed = mixing(values_of("ann", cutmix=1.0), 3, seed)
            list(engine.fit(network, *parts, Plan(2, 60, seed=3, mixing=mixed)))
            weights.append(network.get_weights()[0])
        np.testing.assert_array_equal(weights[0], weights[1])
        assert not np.array_equal(weights[0], weights[2])


@pytest.mark.parametrize("given", [{}, {"loss": "focal", "label_smoothing": 0.1}], ids=str)
def test_mixed_images_with_weights_are_learned_from_alike_by_the_fast_engine_and_fit(
    given: dict[str, object], blobs: Dataset
) -> None:
    weights = np.array([0.5, 1.0, 2.0], np.float32)
    learned, histories = [], []
    for engine in (PlainEngine(), FAST()):
        keras.utils.set_random_seed(1)
        network = network_of("ann", optimizer="sgd", l2=0.001, mixup=0.4, **given)
        mixed = mixing(values_of("ann", mixup=0.4, **given), 3, 5)
        plan = Plan(2, 50, seed=2, class_weights=weights, mixing=mixed)
        histories.append(list(engine.fit(network, *samples(blobs), plan)))
        learned.append(network.get_weights())
    for one, other in zip(*learned, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    for one, other in zip(*histories, strict=True):
        assert other == pytest.approx(one, rel=2e-3, abs=1e-4)


# --- the fast engine against Keras' own fit ---


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("ann", {"optimizer": "rmsprop", "schedule": "constant", "warmup_epochs": 1}),
        ("cnn", {"optimizer": "adam", "l2": 0.01}),
        ("ann", {"optimizer": "adamw", "weight_decay": 0.01, "schedule": "steps", "warmup_epochs": 1}),
        ("ann", {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "activation": "tanh"}),
        ("cnn", {"optimizer": "sgd", "batch_norm": True}),
        ("ann", {"optimizer": "adam", "label_smoothing": 0.2, "warmup_epochs": 1}),
        ("ann", {"optimizer": "sgd", "momentum": 0.9, "schedule": "cosine", "warmup_epochs": 1}),
    ],
    ids=str,
)
def test_the_fast_engine_learns_the_weights_that_fit_learns(
    family: str, given: dict[str, object], blobs: Dataset
) -> None:
    """An optimizer asks its schedule for the rate of a step, whatever the network, so that each needs one case."""
    # 120 images in batches of 50: the last batch is smaller, and both engines must weigh it alike.
    learned, histories = [], []
    for engine in (PlainEngine(), FAST()):
        keras.utils.set_random_seed(1)
        sized: dict[str, object] = {"filters": 4} if family == "cnn" else {"dense_units": 8}
        network = network_of(family, 3, steps_per_epoch(120, 50), **sized, **given)
        histories.append(list(engine.fit(network, *samples(blobs), Plan(3, 50, seed=2))))
        learned.append(network.get_weights())
    for one, other in zip(*learned, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    for one, other in zip(*histories, strict=True):
        assert other == pytest.approx(one, rel=2e-3, abs=1e-4)


@pytest.mark.slow
def test_with_dropout_both_engines_give_the_same_final_losses_or_at_least_losses_of_one_distribution(
    blobs: Dataset,
) -> None:
    from scipy import stats

    training, validation = samples(blobs)
    few = Samples(training.images[:60], training.labels[:60])
    draws_alike = keras.backend.backend() == "tensorflow"  # JAX' fit draws other units
    losses: list[list[float]] = []
    for engine, count in ((PlainEngine(), 2 if draws_alike else 20), (FAST(), 2 if draws_alike else 60)):
        losses.append([])
        for seed in range(count):
            keras.utils.set_random_seed(seed)
            network = network_of("ann", dense_units=16, dropout=0.5, l2=0.001)
            losses[-1].append([*engine.fit(network, few, validation, Plan(2, 10, seed=seed))][-1]["val_loss"])
    if draws_alike:
        assert losses[1] == pytest.approx(losses[0], rel=1e-4)
        assert len({round(loss, 4) for loss in losses[0]}) == 2
        return
    assert stats.ks_2samp(*losses).pvalue > 0.01
    # With so many seeds a shift by one standard deviation is seen 85 times in 100 (simulated on normal numbers).
    assert stats.mannwhitneyu(*losses).pvalue > 0.01


def test_the_fast_engine_leaves_networks_with_steps_of_their_own_to_fit(blobs: Dataset) -> None:
    class Own(keras.Model):
        def train_step(self, *args: object) -> dict[str, float]:
            return super().train_step(*args)

    plain = network_of("ann")
    own = Own(plain.inputs, plain.outputs)
    own.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert isinstance(engine_for(plain), FAST)
    assert engine_for(own).name == "plain"
    (epoch,) = engine_for(own).fit(own, *samples(blobs), Plan(1, 50, seed=3))
    assert "unpenalised_loss" not in epoch  # only its own code knows what it adds


@pytest.mark.parametrize(
    ("precision", "engine"),
    [("float32", FAST), ("mixed_bfloat16", FAST), ("mixed_float16", PlainEngine)],
)
def test_a_loss_that_is_scaled_is_left_to_fit(precision: str, engine: type[Engine]) -> None:
    try:
        use_precision({"precision": precision})
        assert isinstance(engine_for(network_of("ann")), engine)
    finally:
        use_precision({"precision": "float32"})


def test_smoothed_targets_and_schedules_are_no_reason_to_be_slow() -> None:
    network = network_of("ann", label_smoothing=0.1, schedule="cosine", warmup_epochs=1)
    assert isinstance(engine_for(network), FAST)
