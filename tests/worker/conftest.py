"""What a worker does, done in the process of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trials run in this process, whose threads TensorFlow has fixed by now."""
    import keras

    for module in ("training", "ensemble", "latency"):
        monkeypatch.setattr(f"tuner.worker.{module}.set_up_process", lambda *_: None)
    yield
    keras.config.set_dtype_policy("float32")
