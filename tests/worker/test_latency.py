"""How fast a saved model is, as a worker measures it."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from tuner.analysis.latency import Latency, LatencyJob
from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.trial import Trial
from tuner.worker import latency


@pytest.fixture
def job(tmp_path: Path, blobs: Dataset, in_this_process: None) -> LatencyJob:
    trial = Trial("ann", "blobs", blobs.fingerprint, {}, epochs=1, seed=0)
    return LatencyJob(tmp_path / "model.keras", trial, save_to_store(blobs, tmp_path / "data"))


def test_one_image_and_a_batch_are_measured_with_their_spread(job: LatencyJob) -> None:
    keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]).save(job.model)
    told = latency.measure(job)
    assert isinstance(told, Latency)
    for timing in (told.one, told.batch):
        assert 0 < timing.low <= timing.median <= timing.high
        assert timing.calls >= 1
    assert told.device


def test_a_model_that_keras_cannot_load_has_no_latency_but_a_reason(job: LatencyJob) -> None:
    job.model.write_bytes(b"no model")
    assert isinstance(latency.measure(job), str)
