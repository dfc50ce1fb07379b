"""When the trials of a `[[search]]` are pruned, as its table says."""

from __future__ import annotations

from tuner.errors import InputError
from tuner.oracles import Algorithm, Pruning, rungs_of
from tuner.search_file.schema import SearchTable

#: Of so many configurations one goes on, unless the file says otherwise.
FACTOR = 3


def read_pruning(part: SearchTable, algorithm: Algorithm, epochs: int, length: int) -> Pruning | None:
    """Return when the trials of a `[[search]]` are pruned; None for never, as where they are too short for that.

    Args:
        part: the `[[search]]`.
        algorithm: that searches it.
        epochs: how many the file gives a trial.
        length: how many it has in this run, which the command line may have set.

    Raises:
        InputError: it says how and not that, its algorithm does so by itself, or it would be pruned when it has ended.
    """
    if part.prune is None:
        for key in ("prune_factor", "prune_first"):
            if getattr(part, key) is not None:
                raise InputError(key, "says how trials are pruned, and prune is not given", 'add prune = "halving"')
        return None
    if algorithm.varies_epochs:
        problem = f"{algorithm.name} trains most configurations for few epochs by itself"
        raise InputError("prune", problem, "remove it, or take another algorithm")
    if part.prune_first is not None and part.prune_first >= epochs:
        problem = f"{part.prune_first} is the end of a training of {epochs} epoch{'s' if epochs > 1 else ''}, or beyond"
        raise InputError("prune_first", problem, "lower it")
    rungs = rungs_of(length, factor := part.prune_factor or FACTOR, part.prune_first)
    return Pruning(rungs, factor) if len(rungs) > 1 else None
