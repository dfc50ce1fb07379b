"""The engines, fastest first. A new one needs its file and a line here. Importing this imports Keras."""

from __future__ import annotations

import keras

from tuner.worker.engines.base import Engine, Epoch, Plan, Samples, State, StateError, restore_network
from tuner.worker.engines.jax_epochs import JaxEpochsEngine
from tuner.worker.engines.plain import PlainEngine
from tuner.worker.engines.tf_epochs import TensorFlowEpochsEngine

ENGINES: tuple[Engine, ...] = (TensorFlowEpochsEngine(), JaxEpochsEngine(), PlainEngine())

__all__ = ["ENGINES", "Engine", "Epoch", "Plan", "Samples", "State", "StateError", "engine_for", "restore_network"]


def engine_for(network: keras.Model, *samples: Samples | None, callbacks: bool = False) -> Engine:
    """Return the fastest engine that can fit this compiled network on such images, with callbacks of the user's own."""
    if callbacks:
        return ENGINES[-1]
    in_file = any(part is not None and part.in_file for part in samples)
    return next(engine for engine in ENGINES if engine.takes(network) and (engine.reads_files or not in_file))
