"""What is seen of users' own objectives before anything is trained: each is tried in a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tuner.objective import OwnObjective
from tuner.running.dryrun import in_its_place
from tuner.running.trying import tried
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.worker.own_objective import Asked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRY = "tuner.worker.own_objective:try_objective"
#: The labels of the images that a model search is chosen on, of a data set by its name, and how many classes there are.
Labels = Callable[[ModelSearch, str], "tuple[NDArray[np.int64], int]"]


def check_own_objectives(search: Search, labels_of: Labels | None = None) -> None:
    """See that a search's own objectives can be computed, where there are any.

    Args:
        search: the search.
        labels_of: for the images that trials are chosen on; unless given, a function is imported and not called.

    Raises:
        InputError: one cannot be imported, is no function, raises or returns no number.
    """
    seen: set[tuple[OwnObjective, str]] = set()
    for model_search in search.model_searches:
        objective = model_search.objective
        for dataset in search.datasets if isinstance(objective, OwnObjective) else ():
            if isinstance(objective, OwnObjective) and (objective, dataset) not in seen:
                seen.add((objective, dataset))
                with in_its_place(search, model_search):
                    labels, classes = labels_of(model_search, dataset) if labels_of else (None, 0)
                    asked = Asked(objective.name, objective.direction, search.folder.resolve(), labels, classes)
                    if died := tried(TRY, asked.path, asked):
                        raise asked.refused(f"{asked.path}: {died}")
