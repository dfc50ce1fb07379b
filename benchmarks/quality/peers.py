"""The peers' own algorithms, which train one after the other; each training is looked up."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import keras_tuner
import optuna

from benchmarks.quality.clock import Reached, Spent
from benchmarks.quality.curves import Curves
from benchmarks.quality.space import EPOCHS, chosen
from benchmarks.sizes import sized

#: As many trials as there are configurations; no search needs them all.
MOST_TRIALS = 200
#: What takes longer over a decision than over a training: a second after a hundred trials, six after two hundred. It
#: has so many trials at most, and fewer seeds.
SLOW, MOST_OF_SLOW = "KerasTuner, Bayesian", sized(100, 3)


def by_optuna(pruner: str, curves: Curves, spent: Spent, seed: int) -> None:
    """Study the space with Optuna's TPE and one of its pruners, each epoch reported."""
    pruners: dict[str, Any] = {
        "median": optuna.pruners.MedianPruner(),
        "hyperband": optuna.pruners.HyperbandPruner(min_resource=1, max_resource=EPOCHS, reduction_factor=3),
    }

    def objective(trial: optuna.Trial) -> float:
        name = chosen(trial.suggest_categorical)
        scores = curves.scores(name)
        trained = EPOCHS
        for epoch, score in enumerate(scores, start=1):
            trial.report(score, epoch)
            if trial.should_prune():
                trained = epoch
                break
        spent.train(scores[:trained], curves.peers[name])
        if trained < EPOCHS:
            raise optuna.TrialPruned
        return max(scores)

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed)
    # Its Hyperband puts trials into brackets by a hash of the study's name, which is drawn unless it is given.
    study = optuna.create_study(
        study_name=f"quality {seed}", direction="maximize", sampler=sampler, pruner=pruners[pruner]
    )
    try:
        study.optimize(objective, n_trials=MOST_TRIALS)
    except Reached:
        return


def by_keras_tuner(
    kind: type[keras_tuner.Tuner], options: dict[str, Any], curves: Curves, spent: Spent, seed: int
) -> None:
    """Search the space with one of KerasTuner's tuners; a trial's score is that of its best epoch, as it has it.

    Without options of its own a tuner has as many trials as there may be.
    """
    options = options or {"max_trials": MOST_TRIALS}

    class Tuner(kind):  # type: ignore[misc]
        def run_trial(self, trial: Any, *args: object, **kwargs: object) -> dict[str, float]:
            hp = trial.hyperparameters
            name = chosen(lambda of, values: hp.Choice(of, list(values)))
            begin, end = hp.values.get("tuner/initial_epoch", 0), hp.values.get("tuner/epochs", EPOCHS)
            scores = curves.scores(name, begin, end)
            spent.train(scores, curves.peers[name])
            return {"val_accuracy": max(scores)}

    objective = keras_tuner.Objective("val_accuracy", "max")
    with tempfile.TemporaryDirectory() as folder:
        # A seed of 0 is none to some of its tuners, which then draw one.
        tuner = Tuner(objective=objective, seed=seed + 1, directory=folder, project_name="quality", **options)
        tuner.oracle._max_collisions = 10_000  # or it gives up before it has drawn all of so small a space
        try:
            tuner.search(verbose=0)
        except Reached:
            return


PEERS: dict[str, Callable[[Curves, Spent, int], None]] = {
    "Optuna, TPE and median pruner": partial(by_optuna, "median"),
    "Optuna, TPE and Hyperband pruner": partial(by_optuna, "hyperband"),
    "KerasTuner, Hyperband": partial(
        by_keras_tuner, keras_tuner.Hyperband, {"max_epochs": EPOCHS, "factor": 3, "hyperband_iterations": 4}
    ),
    SLOW: partial(by_keras_tuner, keras_tuner.BayesianOptimization, {"max_trials": MOST_OF_SLOW}),
    "KerasTuner, random": partial(by_keras_tuner, keras_tuner.RandomSearch, {}),
}
