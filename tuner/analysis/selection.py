"""Which trial of each `[[search]]` is trained again: the best, the smallest nearly as good, the best below a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from tuner.analysis.validation_predictions import load_validation
from tuner.datasets.store import load_from_store
from tuner.errors import CheckError, TrialError, TunerError
from tuner.ledger.ledger import SearchTrial
from tuner.objective import ACCURACY, Objective
from tuner.protocol import ranked, validation_labels
from tuner.search_file.contenders import SMALLEST, Contender
from tuner.search_file.model import Search
from tuner.trial import ARTIFACTS, Record, artifact_path
from tuner.workspace import Workspace

#: So many samples of the validation images tell the standard error of a score (Efron and Tibshirani, 1993: 200 do).
_RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class Selection:
    """What was chosen for a row of the comparison on a data set that was searched.

    `record` is the search trial that is trained again and `best` the best of its `[[search]]`; `among` counts the
    trials that the choice was among. `error` is the standard error of the best one's score where the choice is by it,
    and `near` then counts the trials within it.
    """

    contender: Contender
    dataset: str
    record: Record
    best: Record
    among: int
    error: float | None = None
    near: int = 1

    @property
    def is_best(self) -> bool:
        """Whether the best trial of the `[[search]]` was chosen."""
        return self.record.trial.id == self.best.trial.id


def selections(
    search: Search, search_trials: Sequence[tuple[SearchTrial, Record | None]], workspace: Workspace
) -> dict[tuple[str, str], Selection]:
    """Return what is chosen for each row of the comparison on each data set that is searched, by the row's name.

    A row below a limit is missing where the trial of another row of its `[[search]]` is the best below it, and where no
    trial is so small.

    Raises:
        CheckError: the standard error of a score is asked for, and the predictions that tell it are not there.
    """
    found: dict[tuple[str, str], Selection] = {}
    for dataset in search.datasets:
        taken: set[tuple[str, str]] = set()
        for contender in search.contenders:
            model, limit = contender.searched, contender.limit
            order = ranked(
                record
                for one, record in search_trials
                if record and (one.role, one.model, one.dataset) == ("search", model, dataset)
            )
            if not order:
                continue
            small = [one for one in order if limit is None or limit.holds(one.result.parameters)]
            if limit is None and search.choose == SMALLEST:
                selection = _smallest(contender, dataset, order, search.model_search(model).objective, workspace)
            elif small and (model, small[0].trial.id) not in taken:
                selection = Selection(contender, dataset, small[0], order[0], len(small))
            else:
                continue
            taken.add((model, selection.record.trial.id))
            found[contender.name, dataset] = selection
    return found


def _smallest(
    contender: Contender, dataset: str, order: list[Record], objective: Objective, workspace: Workspace
) -> Selection:
    """Return the choice of the trial with the fewest parameters within one standard error; of equal ones the best.

    This is the rule of one standard error (Breiman, Friedman, Olshen and Stone, 1984). Trials that were pruned take no
    part in it where others were not.
    """
    whole = [one for one in order if not one.trial.is_partial] or order
    error = standard_error(whole[0], objective, workspace)
    chosen, near = smallest_within(whole, error)
    return Selection(contender, dataset, chosen, whole[0], len(order), error, near)


def smallest_within(order: Sequence[Record], error: float) -> tuple[Record, int]:
    """Return of trials, best first, the smallest one whose score is at most so far behind the best, and how many are.

    Of equally small ones the best.
    """
    near = [one for one in order if one.gain >= order[0].gain - error]
    known = [one for one in near if one.result.parameters is not None]
    return min(known, key=lambda one: one.result.parameters or 0, default=order[0]), len(near)


def standard_error(record: Record, objective: Objective, workspace: Workspace) -> float:
    """Return the standard error of a search trial's score as that of a draw of its validation images.

    Of a cross-validated trial it is the standard error of the mean over its folds. Of any other's accuracy it is a
    share's, the root of p (1 - p) / n; of any other score a bootstrap of the images tells it.

    Raises:
        CheckError: its predictions are not there, or a user's own objective cannot score them again.
    """
    if (over_folds := record.standard_error) is not None:
        return over_folds
    trial = record.trial
    labels = validation_labels(trial, data := load_from_store(workspace.store_of(trial.fingerprint)))
    if objective is ACCURACY:
        share = record.result.val_accuracy or 0.0
        return sqrt(share * (1 - share) / len(labels))
    sha256 = record.result.files.get("validation")
    if sha256 is None:
        raise CheckError(
            f"trial {trial.id}: nothing is kept of what it answered to its validation images, which the standard error "
            "of its score is computed of; run the search again with --fresh, or leave out choose"
        )
    path = artifact_path(workspace.artifacts, trial.id, sha256, ARTIFACTS["validation"])
    answers = load_validation(path, sha256, len(labels), len(data.class_names)).astype(np.float32)
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(_RESAMPLES):
        drawn = rng.integers(0, len(labels), len(labels))
        try:
            scores.append(objective.score(labels[drawn], answers[drawn], data.class_names))
        except (TunerError, TrialError) as error:
            raise CheckError(f"trial {trial.id}: the standard error of its score cannot be told: {error}") from error
    known = np.array(scores, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.std(ddof=1)) if len(known) > 1 else 0.0
