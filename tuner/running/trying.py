"""Code of the user's own is tried before anything is trained: in a worker, as all code of users runs."""

from __future__ import annotations

from tuner.executors import PRELOAD, Limits, LocalExecutor
from tuner.running.building import MOST_BUILD_MINUTES
from tuner.system.waiting import doing


def tried(task: str, path: str, asked: object) -> str:
    """Call a task on what is asked, and return how its worker died; empty where it did not.

    Args:
        task: a function of `tuner.worker`, as `module:name`, which returns an error or None.
        path: of the user's code, for whoever waits.
        asked: what the task is called with.

    Raises:
        TunerError: what the task returned.
    """
    with (
        doing(f"importing Keras, and trying {path}"),
        LocalExecutor(task, 1, preload=PRELOAD, limits=Limits(MOST_BUILD_MINUTES)) as pool,
    ):
        pool.submit("try", asked, group="try")
        (outcome,) = pool.wait()
    if not outcome.died and outcome.value is not None:
        raise outcome.value
    return outcome.died
