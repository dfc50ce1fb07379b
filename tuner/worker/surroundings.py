"""What a worker trains in: its threads and its part of a GPU, set up once, and what is recorded of them."""

from __future__ import annotations

import functools
import os
import platform
import random
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tuner.executors.gpus import MEMORY_LIMIT
from tuner.system.version import __version__
from tuner.trial import Trial


@functools.cache
def set_up_process(threads: int, compiled: Path) -> None:
    """Fix the number of threads, so that a training repeats bit for bit on a CPU; a process has one number of them.

    JAX keeps in the folder `compiled` what it compiles, for other workers and later runs.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        limit = os.environ.get(MEMORY_LIMIT)
        for gpu in tf.config.list_physical_devices("GPU"):
            if limit is None:
                tf.config.experimental.set_memory_growth(gpu, True)
            else:
                part = tf.config.LogicalDeviceConfiguration(memory_limit=int(limit))
                tf.config.set_logical_device_configuration(gpu, [part])
        tf.config.experimental.enable_op_determinism()
    elif keras.backend.backend() == "jax":
        import jax

        if threads == 1:
            flags = os.environ.get("XLA_FLAGS", "")
            os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
        jax.config.update("jax_compilation_cache_dir", str(compiled))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def environment(trial: Trial) -> dict[str, Any]:
    """Return the versions and the hardware that a trial ran with."""
    backend = keras.backend.backend()
    module = __import__({"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}.get(backend, "keras"))
    return {
        "tuner": __version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": f"{backend} {module.__version__}",
        "numpy": np.__version__,
        "device": _device(backend),
        "threads": trial.threads,
    }


def _device(backend: str) -> str:
    if backend == "jax":
        import jax

        return str(jax.devices()[0].device_kind)
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    return "cpu"


_seeded = False


def draw_from(seed: int, everything: bool) -> None:
    """Seed what a training draws from.

    Keras seeds its own layers by Python's generator. Seeding TensorFlow's, too, makes it forget how it runs the graphs
    that it has compiled, which costs as much as a short trial; so that is done again only for `everything` that a
    user's own network may draw from. Layers without a name of their own are then numbered from the first again.
    """
    global _seeded  # noqa: PLW0603  # of this process
    if everything:
        keras.backend.clear_session(free_memory=False)
    if everything or not _seeded:
        keras.utils.set_random_seed(seed)
        _seeded = True
    random.seed(seed)
    np.random.seed(seed)
