"""The algorithms by name. A new one needs its file and a line here."""

from __future__ import annotations

from tuner.oracles.base import MOST_DRAWS, Algorithm, Oracle, Pause, Proposal
from tuner.oracles.bayesian import Bayesian
from tuner.oracles.grid import Grid
from tuner.oracles.halving import PRUNINGS, Halving, Pruning, rungs_of
from tuner.oracles.hyperband import Hyperband
from tuner.oracles.random_search import RandomSearch
from tuner.oracles.tpe import Tpe
from tuner.oracles.up_to import UpTo

__all__ = [
    "ALGORITHMS",
    "MOST_DRAWS",
    "PRUNINGS",
    "Algorithm",
    "Halving",
    "Oracle",
    "Pause",
    "Proposal",
    "Pruning",
    "UpTo",
    "rungs_of",
]

#: Importing them imports no Keras; what their oracles need is imported as one is made.
ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm for algorithm in (Grid(), RandomSearch(), Bayesian(), Hyperband(), Tpe())
}
