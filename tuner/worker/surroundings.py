"""What a worker trains in: its threads and its part of a GPU, set up once, and what is recorded of them."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import random
import stat
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tuner.executors.gpus import MEMORY_LIMIT
from tuner.system.scratch import BY_OTHERS, is_mine_alone
from tuner.system.version import __version__
from tuner.trial import Trial

#: About so many bytes of what JAX compiles are kept at most.
_MOST_COMPILED = 2_000_000_000


@functools.cache
def set_up_process(threads: int) -> None:
    """Fix the number of threads, so that a training repeats bit for bit on a CPU; a process has one number of them.

    JAX keeps what it compiles in `compile_cache`, for other workers and later runs.
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
        cache = compile_cache()
        if cache is not None:
            jax.config.update("jax_compilation_cache_dir", str(cache))
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
            jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def compile_cache() -> Path | None:
    """Return the folder of this user's where JAX keeps what it compiles; None where there can be none.

    It holds machine code, which JAX runs without looking at it. So it is not in `runs/`, which may be somebody else's,
    but in the user's folder for caches (`XDG_CACHE_HOME`, else `~/.cache`), and is used only where nobody else may
    write to it. What was compiled first makes room where it is too much; JAX's own way of that, `max_size`, gives up
    for good where a process was killed as it wrote.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        caches = named if named.is_absolute() else Path.home() / ".cache"
        caches.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = caches
        for name in ("tunetable", "compiled"):
            folder = folder / name
            folder.mkdir(mode=0o700, exist_ok=True)
        if not is_mine_alone(folder) or not is_mine_alone(folder.parent) or _may_be_swapped(caches):
            return None
        _make_room(folder)
    except (OSError, RuntimeError):  # of a user who has no home
        return None
    return folder if os.access(folder, os.W_OK) else None


def _may_be_swapped(folder: Path) -> bool:
    """Whether others may put something else in the place of what lies in a folder."""
    mode = folder.stat().st_mode
    return bool(mode & BY_OTHERS) and not mode & stat.S_ISVTX


def _make_room(folder: Path) -> None:
    """Remove what was compiled first, down to half of what there may be, where there is more than that."""
    found = []
    for file in folder.iterdir():
        with contextlib.suppress(OSError):  # another process removes, too
            state = file.stat()
            found.append((state.st_mtime, state.st_size, file))
    taken = sum(size for _, size, _ in found)
    if taken <= _MOST_COMPILED:
        return
    for _, size, file in sorted(found, key=lambda one: one[0]):
        if taken <= _MOST_COMPILED / 2:
            break
        with contextlib.suppress(OSError):
            file.unlink()
        taken -= size


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
        "device": device(),
        "threads": trial.threads,
    }


def device() -> str:
    """Return the name of the GPU that trains; "cpu" where none does."""
    backend = keras.backend.backend()
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
