"""scikit-learn: its GridSearchCV over SciKeras' KerasClassifier, on one fixed split and without a last refit."""

from __future__ import annotations

import json

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import GridSearchCV, PredefinedSplit

from benchmarks.competitors.base import Trained, main
from benchmarks.competitors.plain import build
from benchmarks.workloads import Workload


def run(workload: Workload, seed: int, _: str) -> Trained:
    """Search the grid, one configuration after the other; each is validated once, at its end."""
    x, y, x_val, y_val = workload.split(seed)
    named = {json.dumps(values): values for values in workload.configurations()}
    trials: Trained = []

    def network(configuration: str) -> keras.Model:
        return build(workload, **named[configuration])

    def score(classifier: KerasClassifier, images: np.ndarray, labels: np.ndarray) -> float:
        accuracy = float(classifier.score(images, labels))
        epochs = len(classifier.history_["loss"])
        trials.append({**named[classifier.configuration], "val_accuracy": accuracy, "epochs": epochs})
        return accuracy

    classifier = KerasClassifier(
        network,
        configuration="",
        epochs=workload.epochs,
        batch_size=workload.batch_size,
        random_state=seed,
        verbose=0,
    )
    fold = PredefinedSplit([-1] * len(y) + [0] * len(y_val))
    search = GridSearchCV(
        classifier, {"configuration": list(named)}, scoring=score, cv=fold, refit=False, n_jobs=1, error_score="raise"
    )
    search.fit(np.concatenate([x, x_val]), np.concatenate([y, y_val]))
    return trials


if __name__ == "__main__":
    main(run)
