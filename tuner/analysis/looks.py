"""How often the test images of a data set were looked at: each look lets the next choice be one on them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuner.analysis.ensemble import parts_of
from tuner.ledger.ledger import Ledger
from tuner.space.parameters import Value
from tuner.trial import Trial


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


def looks_at(ledger: Ledger, fingerprint: str) -> Looks:
    """Return how often the test images of the data set with this fingerprint were scored.

    Raises:
        InputError: the ledger holds what no run wrote.
    """
    trials: set[str] = set()
    models: set[tuple[object, ...]] = set()
    searches: dict[str, None] = {}
    for content, search in ledger.scored_on(fingerprint):
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
