"""Building networks in a worker before any is trained: whether each can be built, and how large it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from tuner.datasets.base import Shape
from tuner.errors import TunerError
from tuner.executors import PRELOAD, Limits, LocalExecutor
from tuner.families.custom import CustomFamily
from tuner.families.pretrained import Pretrained
from tuner.objective import ToldObjective
from tuner.recipe import RECIPE
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.space.space import Configuration
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.worker.probe import Built, Question

PROBE = "tuner.worker.probe:probe"
#: Building a network takes at most so many minutes, where the search gives its trials no limit.
MOST_BUILD_MINUTES = 2.0
#: One with weights that Keras downloads takes at most so many.
MOST_DOWNLOAD_MINUTES = 60.0


def build_all(
    search: Search, model_search: ModelSearch, shape: Shape, classes: int, configurations: Sequence[Configuration]
) -> list[Built]:
    """Build configurations of a model search in a worker and tell of each its number of parameters.

    Those that differ in the recipe alone are one network, which is built once; a user's own may ask for the recipe.
    Once one takes too long, no further one is built.

    Raises:
        InputError: the user's own family cannot be used.
    """
    recipe = () if isinstance(model_search.family, CustomFamily) else tuple(parameter.name for parameter in RECIPE)
    keys = [tuple((n, v) for n, v in values.items() if n not in recipe) for values in configurations]
    networks: dict[tuple[object, ...], Built] = {}
    asked: frozenset[str] = frozenset()
    most = search.max_trial_minutes or MOST_BUILD_MINUTES
    if isinstance(model_search.family, Pretrained):  # whose weights may have to be downloaded
        most = max(most, MOST_DOWNLOAD_MINUTES)
    limits = Limits(most, search.max_trial_gb)
    several = len(set(map(str, keys)))
    count = f"{several:,} network{'s' * (several != 1)} of {model_search.label}"
    with (
        doing(f"importing Keras, and building {count}"),
        LocalExecutor(PROBE, 1, preload=PRELOAD, limits=limits) as pool,
    ):
        for key, values in zip(keys, configurations, strict=True):
            INTERRUPTS.hear()
            if key not in networks:
                first = not any(built.parameters for built in networks.values())
                folder, named = search.folder.resolve(), model_search.named
                objective = model_search.objective
                code = objective.code if isinstance(objective, ToldObjective) else ""
                question = Question(model_search.path, folder, shape, classes, values, first, asked, named, code)
                networks[key] = built = _build(pool, question)
                asked |= built.asked or frozenset()
                if built.endless:
                    return [networks.get(key, built) for key in keys]
    return [networks[key] for key in keys]


def _build(pool: LocalExecutor, question: Question) -> Built:
    pool.submit("build", question, group="build")
    (outcome,) = pool.wait()
    if outcome.died:
        return Built(None, f"{outcome.died}, building a network", endless="minutes" in outcome.passed)
    if isinstance(outcome.value, TunerError):
        raise outcome.value
    return cast(Built, outcome.value)
