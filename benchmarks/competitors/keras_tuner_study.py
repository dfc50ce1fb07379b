"""Plain KerasTuner: its GridSearch over some trials of a search, given as JSON; prints a line of JSON for each.

The networks and their recipe are this tool's, so that the same is trained; `fit` trains them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import keras
import keras_tuner

from tuner.datasets import load_dataset
from tuner.families import get_family
from tuner.protocol import training_images
from tuner.recipe import compile_network, steps_per_epoch
from tuner.trial import Trial


class Chosen(keras_tuner.HyperModel):  # type: ignore[misc]
    """The networks of some trials, by number; prints each trial's seconds, the search's own work included."""

    def __init__(self, trials: Sequence[Trial], shape: tuple[int, int, int], classes: int, images: int) -> None:
        super().__init__()
        self.trials, self.shape, self.classes, self.images = trials, shape, classes, images
        self.since = perf_counter()

    def network(self, trial: Trial) -> keras.Model:
        """Build and compile the network of a trial."""
        network = get_family(trial.family).network(trial.values, self.shape, self.classes)
        steps = steps_per_epoch(self.images, int(trial.values["batch_size"]))
        compile_network(network, trial.values, trial.epochs, steps)
        return network

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Build the network of the trial that `hp` chooses."""
        return self.network(self.trials[hp.Choice("trial", list(range(len(self.trials))))])

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: object, **kwargs: object) -> object:
        """Train for the trial's epochs and print what came of it."""
        trial = self.trials[hp.get("trial")]
        history = model.fit(*args, batch_size=trial.values["batch_size"], epochs=trial.epochs, **kwargs)
        now = perf_counter()
        curves = history.history
        line = {
            "id": trial.id,
            "seconds": now - self.since,
            "epochs": len(curves["loss"]),
            "val_accuracy": float(curves["val_accuracy"][-1]),
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        self.since = now
        return history


def run(data_dir: Path | None, trials: list[Trial]) -> None:
    """Search over the trials, which all are of one data set and one split, after a few steps to wake the device."""
    data = load_dataset(trials[0].dataset, data_dir)
    fit, held = training_images(trials[0], data)
    x, y, x_val, y_val = data.x_train[fit], data.y_train[fit], data.x_train[held], data.y_train[held]
    keras.utils.set_random_seed(trials[0].seed)
    chosen = Chosen(trials, data.shape, len(data.class_names), len(fit))
    chosen.network(trials[0]).fit(x[:256], y[:256], verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        search = keras_tuner.GridSearch(chosen, "val_accuracy", seed=1, directory=folder, project_name="study")
        chosen.since = perf_counter()
        search.search(x, y, validation_data=(x_val, y_val), verbose=0)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    run(
        Path(given["data_dir"]) if given["data_dir"] else None,
        [Trial.from_json(json.dumps(one)) for one in given["trials"]],
    )
