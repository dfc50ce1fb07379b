"""Optuna: its GridSampler over the same configurations."""

from __future__ import annotations

import json

import keras
import optuna

from benchmarks.competitors.plain import Trained, build, main
from benchmarks.workloads import Workload


def run(workload: Workload) -> Trained:
    """Study the grid with `optuna.samplers.GridSampler`, in one process."""
    x, y, x_val, y_val = workload.data()
    named = {json.dumps(values): values for values in workload.configurations()}
    trained: Trained = []

    def objective(trial: optuna.Trial) -> float:
        values = named[trial.suggest_categorical("configuration", list(named))]
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        history = (
            build(workload, **values)
            .fit(x, y, workload.batch_size, workload.epochs, validation_data=(x_val, y_val), verbose=0)
            .history
        )
        score = history["val_accuracy"][-1]
        trained.append({**values, "val_accuracy": score, "epochs": len(history["loss"])})
        return float(score)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.GridSampler({"configuration": list(named)}, seed=0)
    optuna.create_study(direction="maximize", sampler=sampler).optimize(objective)
    return trained


if __name__ == "__main__":
    main(run)
