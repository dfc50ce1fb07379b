"""A loop of one's own around `fit`."""

from __future__ import annotations

import keras

from benchmarks.competitors.plain import Trained, build, main
from benchmarks.workloads import Workload


def run(workload: Workload) -> Trained:
    """Train every configuration in one process, as most people do."""
    x, y, x_val, y_val = workload.data()
    trained: Trained = []
    for values in workload.configurations():
        keras.utils.set_random_seed(0)
        model = build(workload, **values)
        history = model.fit(
            x, y, workload.batch_size, workload.epochs, validation_data=(x_val, y_val), verbose=0
        ).history
        trained.append({**values, "val_accuracy": history["val_accuracy"][-1], "epochs": len(history["loss"])})
    return trained


if __name__ == "__main__":
    main(run)
