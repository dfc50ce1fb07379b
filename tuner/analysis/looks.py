"""How often the test images of a data set were looked at: each look lets the next choice be one on them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.ensemble import parts_of
from tuner.datasets.large import blocks
from tuner.datasets.store import load_from_store
from tuner.errors import LostError
from tuner.ledger.ledger import Ledger
from tuner.space.parameters import Value
from tuner.trial import Trial

#: What may be the name of a folder; anything else in a ledger is no run's.
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Looks:
    """The scorings of a data set's test images that a ledger knows of, over all its searches.

    `models` are the configurations that were scored, whose retrainings count as one; `searches` lists them.

        Looks(scorings=9, models=3, searches=("digits", "wider"))
    """

    scorings: int
    models: int
    searches: tuple[str, ...]

    def flattery(self, accuracy: float, images: int) -> float:
        """Return by how much the best of so many equally good models is expected to look better than it is, at most.

        That is the expected largest of as many independent normal scores (Blom, 1958) times the standard error of an
        accuracy on so many images; models that make the same mistakes differ less.

            Looks(9, 3, ("digits",)).flattery(0.9, 1000)   # 0.0078
        """
        from scipy import stats

        if self.models < 2:
            return 0.0
        largest = float(stats.norm.ppf((self.models - 0.375) / (self.models + 0.25)))
        return largest * math.sqrt(accuracy * (1 - accuracy) / images)


def looks_at(ledger: Ledger, fingerprint: str, store: Path) -> Looks:
    """Return how often the test images of the data set with this fingerprint were scored.

    Scores on another data set with the same test images, one whose training images were cleaned for example, count.

    Args:
        ledger: with all searches.
        fingerprint: of the data set.
        store: where data sets are laid out.

    Raises:
        InputError: the ledger holds what no run wrote.
    """
    trials: set[str] = set()
    models: set[tuple[object, ...]] = set()
    searches: dict[str, None] = {}
    others = sorted(one for one in ledger.fingerprints() if one != fingerprint and _FINGERPRINT.fullmatch(one))
    same = [fingerprint, *with_the_same_test_images(fingerprint, others, store)]
    for content, search in (row for one in same for row in ledger.scored_on(one)):
        try:
            trial = Trial.from_json(content)
        except ValueError:  # which every table of its search refuses; here it is another search's
            continue
        trials.add(trial.id)
        # Ensembles of the retrainings of the same configurations are one model, too.
        members: dict[str, Value] = {part.searched: part.weight for part in parts_of(trial)}
        values = tuple(sorted((members or trial.values).items()))
        models.add((trial.family, trial.source, values, trial.epochs, trial.train_size, trial.backend))
        if search is not None:
            searches.setdefault(search.partition("#")[0])
    return Looks(len(trials), len(models), tuple(searches))


def with_the_same_test_images(fingerprint: str, others: Iterable[str], store: Path) -> list[str]:
    """Return which of other data sets have the test images of one, in the same order, and their labels.

    One that is not laid out any more is not known to.

        with_the_same_test_images("7294d4802db20c8d", ["1c38f8e5e9e3a4d0"], Path("runs/data"))
    """
    try:
        ours = load_from_store(store / fingerprint)
    except LostError:
        return []
    found = []
    for other in others:
        try:
            theirs = load_from_store(store / other)
        except LostError:
            continue
        # Labels first: they are short, and differ nearly always where images do.
        if np.array_equal(ours.y_test, theirs.y_test) and _equal(ours.x_test, theirs.x_test):
            found.append(other)
    return found


def _equal(ours: NDArray[Any], theirs: NDArray[Any]) -> bool:
    """Tell whether two arrays, which may be larger than memory, are equal."""
    return ours.shape == theirs.shape and all(map(np.array_equal, blocks(ours), blocks(theirs)))
