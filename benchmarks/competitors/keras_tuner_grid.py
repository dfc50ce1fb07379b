"""Plain KerasTuner: its GridSearch over the same configurations."""

from __future__ import annotations

import json
import tempfile

import keras
import keras_tuner

from benchmarks.competitors.base import Trained, main
from benchmarks.competitors.plain import build, trained
from benchmarks.workloads import Workload


class Grid(keras_tuner.HyperModel):  # type: ignore[misc]
    """The workload's configurations, each of them one choice, so that the grid is the same; notes what was trained."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self.workload = workload
        self.named = {json.dumps(values): values for values in workload.configurations()}
        self.trained: Trained = []

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Build the configuration that `hp` chooses."""
        return build(self.workload, **self.named[hp.Choice("configuration", list(self.named))])

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: object, **kwargs: object) -> object:
        """Train as KerasTuner does, which would keep the best epoch's score alone."""
        history = model.fit(*args, **kwargs)
        self.trained.append(trained(self.named[hp.get("configuration")], history))
        return history


def run(workload: Workload, seed: int, _: str) -> Trained:
    """Search with `keras_tuner.GridSearch`."""
    x, y, x_val, y_val = workload.split(seed)
    keras.utils.set_random_seed(seed)
    grid = Grid(workload)
    with tempfile.TemporaryDirectory() as folder:
        # To KerasTuner, seed 0 is no seed.
        search = keras_tuner.GridSearch(grid, "val_accuracy", seed=seed + 1, directory=folder, project_name="grid")
        search.search(
            x, y, batch_size=workload.batch_size, epochs=workload.epochs, validation_data=(x_val, y_val), verbose=0
        )
    return grid.trained


if __name__ == "__main__":
    main(run)
