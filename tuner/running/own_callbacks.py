"""What is seen of users' own callbacks before anything is trained: they are made in a worker, of a first trial."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.recipe.own_callbacks import FORM, PLACE
from tuner.running.dryrun import in_its_place, preview
from tuner.running.sizes import with_sizes
from tuner.running.trying import tried
from tuner.search_file.model import Search
from tuner.worker.own_callbacks import MakeCallbacks

TRY = "tuner.worker.own_callbacks:try_callbacks"


def check_own_callbacks(search: Search, datasets: Mapping[str, Dataset]) -> None:
    """See that a search's own callbacks can be made, where there are any.

    Raises:
        InputError: they cannot be imported, or what makes them raises or returns something else.
    """
    seen = set()
    for model_search in search.model_searches:
        callbacks, name = model_search.callbacks, search.datasets[0]
        if callbacks is None or callbacks in seen:
            continue
        seen.add(callbacks)
        with in_its_place(search, model_search):
            data = datasets[name]
            sized = with_sizes(search, model_search, data.shape, len(data.class_names))
            for values in preview(search, sized, 1):
                trial = search.trial(model_search, name, data.fingerprint, values, None)
                if died := tried(TRY, callbacks.path, MakeCallbacks(callbacks.path, search.folder.resolve(), trial)):
                    raise InputError(PLACE, f"{callbacks.path}: {died}", FORM)
