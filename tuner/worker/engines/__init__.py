"""The engines, fastest first. A new one needs its file and a line here. Importing this imports Keras."""

from __future__ import annotations

import keras

from tuner.worker.engines.base import Engine, Epoch, Plan, Samples
from tuner.worker.engines.jax_epochs import JaxEpochsEngine
from tuner.worker.engines.plain import PlainEngine
from tuner.worker.engines.tf_epochs import TensorFlowEpochsEngine

ENGINES: tuple[Engine, ...] = (TensorFlowEpochsEngine(), JaxEpochsEngine(), PlainEngine())

__all__ = ["ENGINES", "Engine", "Epoch", "Plan", "Samples", "engine_for"]


def engine_for(network: keras.Model) -> Engine:
    """Return the fastest engine that can fit this compiled network."""
    return next(engine for engine in ENGINES if engine.takes(network))
