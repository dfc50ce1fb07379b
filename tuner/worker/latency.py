"""Measuring how fast a saved model classifies, in a worker of its own. Importing this imports Keras."""

from __future__ import annotations

import time

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.analysis.latency import BATCH, Latency, LatencyJob, Timing
from tuner.datasets.store import load_from_store
from tuner.errors import one_line
from tuner.worker.surroundings import environment, set_up_process

#: The first calls compile, and are not counted; then so many are, but no further ones after so many seconds.
_WARM, _CALLS, _SECONDS = 3, 50, 2.0


def measure(job: LatencyJob) -> Latency | str:
    """Return how fast a saved model is, or why that cannot be measured."""
    set_up_process(job.trial.threads)
    try:
        network = keras.models.load_model(job.model, compile=False, safe_mode=True)
        images = np.asarray(load_from_store(job.data).x_test[:BATCH])
        images = images[np.arange(BATCH) % len(images)]
        return Latency(_timed(network, images[:1]), _timed(network, images), str(environment(job.trial)["device"]))
    except Exception as error:  # noqa: BLE001  # layers of a user's own, which plain Keras may not know
        return one_line(error, 200)


def _timed(network: keras.Model, images: NDArray[np.uint8]) -> Timing:
    for _ in range(_WARM):
        network.predict_on_batch(images)
    times: list[float] = []
    while len(times) < _CALLS and (sum(times) < _SECONDS or not times):
        begun = time.perf_counter()
        network.predict_on_batch(images)
        times.append(time.perf_counter() - begun)
    low, median, high = (1_000 * float(share) for share in np.percentile(times, [25, 50, 75]))
    return Timing(median, low, high, len(times))
