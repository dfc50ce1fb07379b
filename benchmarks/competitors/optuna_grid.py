"""Optuna: its GridSampler over the same configurations, in one process; the option is the number of threads."""

from __future__ import annotations

import json

import keras
import optuna

from benchmarks.competitors.base import Trained, main
from benchmarks.competitors.plain import train
from benchmarks.workloads import Workload


def run(workload: Workload, seed: int, threads: str) -> Trained:
    """Study the grid; trials that run at once may take the same configuration, as Optuna's manual says."""
    split = workload.split(seed)
    named = {json.dumps(values): values for values in workload.configurations()}
    trials: Trained = []

    def objective(trial: optuna.Trial) -> float:
        values = named[trial.suggest_categorical("configuration", list(named))]
        if not threads:  # among threads, it would take the names of layers from under a network that is being built
            keras.backend.clear_session()
        trials.append(train(workload, split, seed, values))
        return float(str(trials[-1]["val_accuracy"]))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.GridSampler({"configuration": list(named)}, seed=seed)
    optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, n_jobs=int(threads or 1))
    return trials


if __name__ == "__main__":
    main(run)
