"""Tries a user's own objective before anything is trained. Runs in a worker, as all code of users does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tuner.errors import InputError, TrialError, TunerError
from tuner.objective.own import Direction, own_objective

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Asked:
    """Which function to try, and of which labels, `(n,)`, among so many classes; None to import it alone."""

    path: str
    direction: Direction
    folder: Path
    labels: NDArray[np.int64] | None
    classes: int

    def refused(self, problem: str) -> InputError:
        """Return the error of a function that cannot be used."""
        return InputError("objective", problem, "it is called as score(labels, probabilities), and returns a number")


def try_objective(asked: Asked) -> TunerError | None:
    """Return what is wrong with an objective, which is asked for a score of made-up probabilities; None if nothing."""
    objective = own_objective(asked.path, asked.direction, asked.folder)
    try:
        if asked.labels is None:
            objective.loaded()
            return None
        made_up = np.random.default_rng(0).dirichlet(np.ones(asked.classes), len(asked.labels)).astype(np.float32)
        score = objective.score(asked.labels, made_up, [str(k) for k in range(asked.classes)])
    except TunerError as error:
        return error
    except TrialError as error:
        return asked.refused(str(error))
    return None if np.isfinite(score) else asked.refused(f"{asked.path} returned {score} of made-up probabilities")
