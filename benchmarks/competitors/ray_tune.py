"""Ray Tune: a function trainable over the same configurations, as many at a time as there are cores.

Its default is a fresh process per trial; with the option `reuse`, a process trains one trial after the other.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from typing import Any

from benchmarks.competitors.base import Trained, main
from benchmarks.sizes import sized
from benchmarks.workloads import Split, Workload

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from ray import tune


def trainable(config: dict[str, str], workload: Workload, split: Split, seed: int) -> dict[str, Any]:
    """Train one configuration in a worker of Ray's."""
    from benchmarks.competitors.plain import train

    return {"trained": train(workload, split, seed, json.loads(config["configuration"]))}


def run(workload: Workload, seed: int, option: str) -> Trained:
    """Search the grid with `tune.Tuner`, a core for each trial."""
    named = [json.dumps(values) for values in workload.configurations()]
    cores = sized(os.cpu_count(), 1)  # on one, a process that is used again trains one trial after the other indeed
    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    given = tune.with_parameters(trainable, workload=workload, split=workload.split(seed), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(given, {"cpu": 1}),
            param_space={"configuration": tune.grid_search(named)},
            tune_config=tune.TuneConfig(reuse_actors=option == "reuse"),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        results = tuner.fit()
    ray.shutdown()
    if results.errors:
        raise results.errors[0]
    return [(results[number].metrics or {})["trained"] for number in range(len(results))]


if __name__ == "__main__":
    main(run)
