"""Cross-validated trials: what the trainings of its folds make of a trial, as soon as all of them are recorded."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.validation_predictions import load_validation
from tuner.datasets.base import Dataset
from tuner.errors import CheckError, resource_error_of
from tuner.protocol import folds_of
from tuner.system.files import partial_of, publish
from tuner.trial import ARTIFACTS, Attempt, Record, Result, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of

#: What a curve on validation images is called, at its beginning.
_VALIDATED = "val_"


def mean_of_folds(trial: Trial, folds: Sequence[Record]) -> Result:
    """Return what came of a trial by what came of its folds, which are in their order.

    It is a function of these alone. Where one failed the trial failed, and the first that did is named.
    """
    failed = [record for record in folds if not record.completed]
    seconds = sum(record.result.seconds for record in folds)
    if failed:
        first = failed[0].result
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        passed = {name: limit for record in reversed(failed) for name, limit in record.result.passed.items()}
        return Result(
            "failed",
            f"fold {failed[0].trial.fold} of {trial.folds} failed{others}: {first.error}",
            transient=any(record.result.transient for record in failed),
            seconds=seconds,
            environment=first.environment,
            passed=passed,
        )
    results = [record.result for record in folds]
    scores = [_scores(result) for result in results]
    first = results[0]
    return Result(
        "completed",
        parameters=first.parameters,
        seconds=seconds,
        seconds_per_epoch=_mean([result.seconds_per_epoch for result in results]),
        val_accuracy=_mean([result.val_accuracy for result in results]),
        val_loss=_mean([result.val_loss for result in results]),
        best_epoch=_median([result.best_epoch for result in results]),
        history=_mean_curves(results),
        environment=first.environment,
        watched=first.watched,
        folds=scores,
    )


def span_of(attempts: Sequence[Attempt | None]) -> Attempt | None:
    """Return from when to when the folds of a trial ran, in whichever workers; None where nobody knows of any."""
    known = [attempt for attempt in attempts if attempt is not None]
    if not known:
        return None
    return Attempt(min(attempt.began for attempt in known), max(attempt.ended for attempt in known))


def _scores(result: Result) -> dict[str, float]:
    """Return what a fold scored on its validation images at the epoch that counts, by the names of its curves."""
    found = {name: result.validated(name) for name in result.history if name.startswith(_VALIDATED)}
    found |= {"val_accuracy": result.val_accuracy, "val_loss": result.val_loss}
    return {name: score for name, score in found.items() if score is not None}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _median(epochs: Sequence[int | None]) -> int | None:
    """Return the epoch in the middle, of an even number the lower one of the two."""
    known = sorted(epoch for epoch in epochs if epoch is not None)
    return known[(len(known) - 1) // 2] if known else None


def _mean_curves(results: Sequence[Result]) -> dict[str, list[float]]:
    """Return the mean of each curve that all folds have, at each epoch over the folds that reached it."""
    names = [name for name in results[0].history if all(name in result.history for result in results)]
    longest = max((len(curve) for result in results for curve in result.history.values()), default=0)
    return {
        name: [
            statistics.fmean(result.history[name][epoch] for result in results if epoch < len(result.history[name]))
            for epoch in range(longest)
        ]
        for name in names
    }


class FoldAnswers:
    """Puts together what the folds of a trial answered to their validation images: an answer to every image.

    Args:
        artifacts: where the files lie.
        data_of: returns the data set of a trial.
    """

    def __init__(self, artifacts: Path, data_of: Callable[[Trial], Dataset]) -> None:
        self._artifacts, self._data_of = artifacts, data_of
        self._divided: dict[tuple[object, ...], tuple[NDArray[np.intp], int]] = {}

    def put_together(self, trial: Trial, folds: Sequence[Record], result: Result) -> Result:
        """Return the result of a completed trial with the file of its answers; without where a fold's are not there."""
        fold_of, classes = self._folds(trial)
        found = np.zeros((len(fold_of), classes), np.float16)
        for record in folds:
            sha256 = record.result.files.get("validation")
            if sha256 is None:
                return result
            mine = fold_of == record.trial.fold - 1
            path = self._path(record.trial, sha256)
            try:
                found[mine] = load_validation(path, sha256, int(mine.sum()), found.shape[1])
            except CheckError:
                return result
        try:
            with partial_of(self._artifacts / f"{trial.id}{ARTIFACTS['validation']}") as partial:
                with partial.open("wb") as file:
                    np.savez_compressed(file, probabilities=found)
                sha256 = sha256_of(partial)
                publish(partial, self._path(trial, sha256))
        except OSError as error:
            raise resource_error_of(error, str(self._artifacts)) or error from error
        return replace(result, files={"validation": sha256})

    def _folds(self, trial: Trial) -> tuple[NDArray[np.intp], int]:
        """Return the fold of each image, which trials of one search share, and how many classes there are."""
        key = (trial.fingerprint, trial.folds, trial.train_size, trial.split_seed)
        if key not in self._divided:
            data = self._data_of(trial)
            self._divided[key] = folds_of(trial, data)[1], len(data.class_names)
        return self._divided[key]

    def forget(self, folds: Sequence[Record]) -> None:
        """Remove the answers of single folds, which those of the trial hold."""
        for record in folds:
            if sha256 := record.result.files.get("validation"):
                self._path(record.trial, sha256).unlink(missing_ok=True)

    def _path(self, trial: Trial, sha256: str) -> Path:
        return artifact_path(self._artifacts, trial.id, sha256, ARTIFACTS["validation"])
