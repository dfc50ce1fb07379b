"""`tpe`: configurations like the good ones and unlike the others (Bergstra et al., 2011). Free of Optuna."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.oracles.base import MOST_DRAWS, Algorithm, Oracle
from tuner.space.space import Configuration, Space
from tuner.system.extras import needs


class Tpe(Algorithm):
    """Optuna's tree-structured Parzen estimator with rules; see `Algorithm`."""

    name = "tpe"
    doc = (
        "The first ten drawn at random, then those that are likely among good results and unlikely among the others: "
        "Optuna's tree-structured Parzen estimator, of the extra `optuna`."
    )
    learns = True

    def oracle(
        self, space: Space, seed: int, max_trials: int | None, epochs: int, first: Sequence[Configuration] = ()
    ) -> Oracle:
        """Return a fresh oracle; see `Algorithm.oracle`.

        Raises:
            InputError: Optuna is not installed.
        """
        needs("algorithm", "Optuna", "optuna", "optuna")
        from tuner.oracles.optuna_tpe import TpeOracle

        return TpeOracle(space, seed, max_trials or MOST_DRAWS, first)
