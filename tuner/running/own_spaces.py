"""The spaces of users' own networks, read by building them in a worker before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tuner.datasets.base import Shape
from tuner.errors import InputError, TunerError
from tuner.executors import PRELOAD, Limits, LocalExecutor
from tuner.families.custom import CustomFamily
from tuner.families.own_space import Reading, Trace, read_own_space
from tuner.running import building
from tuner.running.checks import with_code
from tuner.running.dryrun import check_ends, in_its_place, shape_of
from tuner.search_file.file import EPOCHS, THREADS, with_declared
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.own_space import OwnSpace
from tuner.search_file.schema import SearchFile
from tuner.space.parameters import Values
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.worker.asking import SpaceQuestion

ASK = "tuner.worker.asking:ask"


def with_own_spaces(search: Search, images: Iterable[tuple[str, Shape, int]]) -> tuple[Search, list[str]]:
    """Return a search with the spaces of its users' networks read, and lines that the user should read.

    Args:
        search: with the code of users' networks read.
        images: of each data set that is searched on its name, the shape of its images and how many classes it has.

    Raises:
        InputError: a network cannot be used, or its space is not what the search file says; or it has another space on
            another data set.
    """
    first = {(shape, classes): name for name, shape, classes in reversed(list(images))}
    found: dict[str, Reading] = {}
    for model_search in search.model_searches:
        if not isinstance(model_search.family, CustomFamily) or not first:
            continue
        if model_search.declared is not None:  # on the split before, with the same code
            found[model_search.name] = Reading(model_search.declared)
            continue
        with in_its_place(search, model_search):
            readings = {
                name: _reading(search, model_search, shape, classes) for (shape, classes), name in first.items()
            }
            *others, (name, reading) = readings.items()
            for other, another in others:
                if another.parameters != reading.parameters:
                    problem = f"asks for other parameters on {other} than on {name}"
                    raise InputError(f"family {model_search.path}", problem, "give each data set a search file")
            found[model_search.name] = reading
    if not found:
        return search, []
    try:
        whole = with_declared(search, {name: reading.parameters for name, reading in found.items()})
    except InputError as error:
        raise error.inside(str(search.file)) from error
    return whole, list(dict.fromkeys(note for reading in found.values() for note in reading.notes))


def with_spaces_read(search: Search, data_dir: Path | None, skip_bad: bool = False) -> tuple[Search, list[str]]:
    """Return a search with its users' code and spaces read, for a dry run; see `with_own_spaces`."""
    if not any(isinstance(one.family, CustomFamily) for one in search.model_searches):
        return search, []
    search = with_code(search)
    return with_own_spaces(search, [(name, *shape_of(search, name, data_dir, skip_bad)) for name in search.datasets])


def _reading(search: Search, model_search: ModelSearch, shape: Shape, classes: int) -> Reading:
    """Read the space of a user's network for some images."""
    file = SearchFile.model_validate(search.content)
    part = file.search[search.model_searches.index(model_search)]
    training = {name: value for name, value in file.training.items() if name not in (EPOCHS.name, THREADS.name)}
    own = OwnSpace(model_search.path, part.space, part.rules, training)
    limits = Limits(search.max_trial_minutes or building.MOST_BUILD_MINUTES, search.max_trial_gb)
    given, looked_up = own.answers(), own.looked_up()
    with (
        doing(f"importing Keras, and building {own.path} to see what it asks for"),
        LocalExecutor(ASK, 1, preload=PRELOAD, limits=limits) as pool,
    ):

        def build(answers: Values) -> Trace:
            INTERRUPTS.hear()
            question = SpaceQuestion(own.path, search.folder.resolve(), shape, classes, {**given, **answers}, looked_up)
            pool.submit("ask", question, group="ask")
            (outcome,) = pool.wait()
            if isinstance(outcome.value, TunerError):
                raise outcome.value
            if "minutes" in outcome.passed:
                check_ends(search, own.path, f"{outcome.died}, building a network")
            return outcome.value if isinstance(outcome.value, Trace) else Trace(failed=True)

        return read_own_space(own.path, build, own.domain_of, frozenset({*own.given, *own.training}))
