"""The importance of parameters of several scopes, as rows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tuner import columns as col
from tuner.analysis.importance import Importance
from tuner.analysis.scopes import Scope

#: What was found of each scope that has trials enough to tell.
Found = Sequence[tuple[Scope, Importance]]


def shares_frame(dataset: str, found: Found, target: str) -> pd.DataFrame:
    """Return a row per scope and parameter, and one for the strongest interaction; no model is all of them."""
    return pd.DataFrame(
        [
            {
                col.DATASET: dataset,
                col.MODEL: scope.model,
                "trials_of": scope.label,
                "target": target,
                col.TRIALS: result.trials,
                "r2_unseen": result.explained,
                "parameter": " and ".join(effect.parameters) if effect.tied else effect.parameters[0],
                "together_with": "" if effect.tied else " and ".join(effect.parameters[1:]),
                "tied": effect.tied,
                "share": effect.share,
                col.INTERVAL_LOW: effect.interval.low,
                col.INTERVAL_HIGH: effect.interval.high,
                "stands_out": effect in (*result.outstanding, result.outstanding_interaction),
            }
            for scope, result in found
            for effect in (*result.effects, *([result.interaction] if result.interaction else []))
        ]
    )
