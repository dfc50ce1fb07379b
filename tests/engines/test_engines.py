"""The contract of an engine, and the proof that the fast one learns what Keras' own fit learns."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tuner.datasets.base import Dataset
from tuner.engines import ENGINES, Engine, Plan, Samples, engine_for
from tuner.engines.plain import PlainEngine
from tuner.engines.tf_epochs import TensorFlowEpochsEngine
from tuner.families import FAMILIES
from tuner.recipe import RECIPE, compile_network
from tuner.space import read_space


def network_of(family: str = "cnn", **given: object) -> keras.Model:
    space = read_space(given, {}, [*FAMILIES[family].parameters, *RECIPE], {"learning_rate": 0.01})
    (values,) = space.grid()
    network = FAMILIES[family].network(values, (8, 8, 1), 3)
    compile_network(network, values)
    return network


def samples(data: Dataset) -> tuple[Samples, Samples]:
    return Samples(data.x_train, data.y_train), Samples(data.x_test, data.y_test)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
class TestEveryEngine:
    def test_learns_and_reports_every_epoch(self, engine: Engine, blobs: Dataset) -> None:
        keras.utils.set_random_seed(1)
        history = list(engine.fit(network_of("ann", dense_units=16), *samples(blobs), Plan(8, 16, seed=3)))
        assert len(history) == 8
        assert set(history[0]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        assert history[-1]["val_accuracy"] == 1.0
        assert history[-1]["loss"] < history[0]["loss"] / 2

    def test_reports_no_validation_where_there_is_none(self, engine: Engine, blobs: Dataset) -> None:
        (epoch,) = engine.fit(network_of("ann"), samples(blobs)[0], None, Plan(1, 50, seed=3))
        assert set(epoch) == {"loss", "accuracy"}

    def test_validation_metrics_are_those_of_the_weights_after_the_epoch(self, engine: Engine, blobs: Dataset) -> None:
        network = network_of("cnn", filters=4, l2=0.01, dropout=0.5)
        training, validation = samples(blobs)
        (epoch,) = engine.fit(network, training, validation, Plan(1, 16, seed=3))
        loss, accuracy = network.evaluate(validation.images, validation.labels, verbose=0)
        assert epoch["val_accuracy"] == pytest.approx(accuracy)
        assert epoch["val_loss"] == pytest.approx(loss, rel=1e-5)

    def test_the_same_seed_learns_the_same_weights(self, engine: Engine, blobs: Dataset) -> None:
        weights = []
        for seed in (5, 5, 6):
            keras.utils.set_random_seed(1)
            network = network_of("ann", dropout=0.3)
            list(engine.fit(network, *samples(blobs), Plan(2, 16, seed=seed)))
            weights.append(network.get_weights()[0])
        np.testing.assert_array_equal(weights[0], weights[1])
        assert not np.array_equal(weights[0], weights[2])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the fast engine is TensorFlow's")
@pytest.mark.parametrize(
    "given",
    [
        {"optimizer": "rmsprop"},
        {"optimizer": "adam", "l2": 0.01},
        {"optimizer": "adamw", "weight_decay": 0.01},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "activation": "tanh"},
        {"optimizer": "sgd", "batch_norm": True},
    ],
    ids=str,
)
def test_the_fast_engine_learns_the_weights_that_fit_learns(given: dict[str, object], blobs: Dataset) -> None:
    # 120 images in batches of 50: the last batch is smaller, and both engines must weigh it alike.
    learned, histories = [], []
    for engine in (PlainEngine(), TensorFlowEpochsEngine()):
        keras.utils.set_random_seed(1)
        network = network_of("cnn", filters=4, **given)
        histories.append(list(engine.fit(network, *samples(blobs), Plan(3, 50, seed=2))))
        learned.append(network.get_weights())
    for one, other in zip(*learned, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    for one, other in zip(*histories, strict=True):
        assert other == pytest.approx(one, rel=2e-3, abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the fast engine is TensorFlow's")
def test_with_dropout_both_engines_give_final_losses_of_one_distribution(blobs: Dataset) -> None:
    from scipy import stats

    losses: list[list[float]] = []
    for engine in (PlainEngine(), TensorFlowEpochsEngine()):
        losses.append([])
        for seed in range(20):
            keras.utils.set_random_seed(seed)
            network = network_of("ann", dense_units=16, dropout=0.5)
            losses[-1].append([*engine.fit(network, *samples(blobs), Plan(3, 40, seed=seed))][-1]["val_loss"])
    assert stats.ks_2samp(*losses).pvalue > 0.01
    spread = np.std(losses[0])
    assert abs(np.mean(losses[0]) - np.mean(losses[1])) < 1.0 * spread


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the fast engine is TensorFlow's")
def test_the_fast_engine_leaves_networks_with_steps_of_their_own_to_fit() -> None:
    class Own(keras.Model):
        def train_step(self, *args: object) -> dict[str, float]:
            return super().train_step(*args)

    plain = network_of("ann")
    own = Own(plain.inputs, plain.outputs)
    own.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert engine_for(plain).name == "tf_epochs"
    assert engine_for(own).name == "plain"
