"""Makes a user's own callbacks before anything is trained. Runs in a worker, as all code of users does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.errors import InputError, TrialError, TunerError
from tuner.recipe.own_callbacks import FORM, PLACE, OwnCallbacks
from tuner.trial import Trial


@dataclass(frozen=True)
class MakeCallbacks:
    """Which callbacks to make, and of which trial."""

    path: str
    folder: Path
    trial: Trial


def try_callbacks(asked: MakeCallbacks) -> TunerError | None:
    """Return what is wrong with a user's callbacks; None if they can be made."""
    try:
        OwnCallbacks(asked.path, asked.folder).made(asked.trial)
    except TunerError as error:
        return error
    except TrialError as error:
        return InputError(PLACE, str(error), FORM)
    return None
