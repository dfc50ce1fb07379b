"""Plain KerasTuner: its GridSearch over the same configurations."""

from __future__ import annotations

import json
import tempfile

import keras_tuner

from benchmarks.competitors.plain import Trained, build, main
from benchmarks.workloads import Workload


def run(workload: Workload) -> Trained:
    """Search with `keras_tuner.GridSearch`; each configuration is one choice, so that the grid is the same."""
    x, y, x_val, y_val = workload.data()
    named = {json.dumps(values): values for values in workload.configurations()}

    def model_of(hp: keras_tuner.HyperParameters) -> object:
        return build(workload, **named[hp.Choice("configuration", list(named))])

    with tempfile.TemporaryDirectory() as folder:
        search = keras_tuner.GridSearch(model_of, "val_accuracy", seed=1, directory=folder, project_name="grid")
        search.search(
            x, y, batch_size=workload.batch_size, epochs=workload.epochs, validation_data=(x_val, y_val), verbose=0
        )
        trained: Trained = []
        for trial in search.oracle.trials.values():
            metric = trial.metrics.get_history("val_accuracy")[-1]
            values = named[trial.hyperparameters.get("configuration")]
            # KerasTuner records the best epoch's score and its number, which counts from 0.
            trained.append({**values, "val_accuracy": metric.value[0], "epochs": workload.epochs})
    return trained


if __name__ == "__main__":
    main(run)
