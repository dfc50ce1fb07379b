"""Reading of search files: TOML, checked by pydantic, every mistake in one line that names file, key and value."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from tuner.errors import InputError, key_name, shown, suggestion
from tuner.families import get_family
from tuner.families.common import WITHOUT_SIZE
from tuner.families.custom import CustomFamily
from tuner.families.declared import Declared
from tuner.families.pretrained import Pretrained
from tuner.oracles import ALGORITHMS, Algorithm
from tuner.recipe import RECIPE
from tuner.recipe.own_callbacks import OwnCallbacks, own_callbacks
from tuner.search_file.checks import (
    check_choose,
    check_ensemble,
    check_names,
    check_schedule,
    check_settings_matter,
    check_stages,
)
from tuner.search_file.contenders import check_contenders
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.objectives import check_direction, read_objective
from tuner.search_file.overrides import Overrides, backend_name
from tuner.search_file.own_space import OwnSpace, difference
from tuner.search_file.pruning import read_pruning
from tuner.search_file.schema import MOST, NAME, SavedSearch, SearchFile, SearchTable
from tuner.search_file.settings import with_settings
from tuner.search_file.words import CALLBACKS, RULES, SPACE, TRAINING, check_belongs, explained, homes
from tuner.space.given import read_given
from tuner.space.parameters import Layered, Parameter, Value
from tuner.space.rules import NAMED
from tuner.space.space import Space, nothing_left, read_space
from tuner.system.files import is_a
from tuner.text import shortened
from tuner.untrusted.checked_json import parsed
from tuner.untrusted.sizes import MOST_TEXT, read_at_most

#: What the `build(hp)` of users' networks asks for, by the names of model searches.
DeclaredSpaces = Mapping[str, tuple[Declared, ...]]

#: What `[training]` says beside the recipe.
EPOCHS = Parameter("epochs", 1, low=1, high=MOST, doc="epochs of every trial")
THREADS = Parameter(
    "threads", 1, low=1, high=1024, doc="CPU threads of a trial; part of the recipe, since they change the last digits"
)


def saved_search(text: str) -> SavedSearch:
    """Return what `Search.to_json` wrote.

    Raises:
        InputError: it did not write this.
    """
    try:
        return parsed(SavedSearch, text)
    except ValueError as error:
        raise InputError("", f"is not as a run records it ({error})", "run the search again") from error


def search_from_json(text: str) -> Search:
    """Return the search that `Search.to_json` wrote.

    Raises:
        InputError: it did not write this, or something in it is wrong.
    """
    saved = saved_search(text)
    search = parse_search(saved.raw, saved.name, Path(saved.folder), saved.overrides, saved.file_hash, saved.declared)
    return search.at_split(saved.split)


def with_declared(search: Search, declared: DeclaredSpaces) -> Search:
    """Return a search with what its users' networks were found to ask for, by the names of model searches.

    Raises:
        InputError: something in the file does not go with that.
    """
    whole = parse_search(search.raw, search.file_name, search.folder, search.overrides, search.file_hash, declared)
    model_searches = tuple(
        replace(new, source=old.source, objective=old.objective, callbacks=old.callbacks)
        for new, old in zip(whole.model_searches, search.model_searches, strict=True)
    )
    whole = replace(whole, backend=search.backend, model_searches=model_searches, given=search.given)
    return whole.at_split(search.split)


def find_search(name: str, searches: Path = Path("searches")) -> Path:
    """Return the search file called `name`: a file in `searches` without its ending, or a path.

    Raises:
        InputError: there is none; or it is a further split of a search, which is no search of its own.
    """
    whole, mark, split = name.partition("#")
    if mark and split.isdecimal():
        find_search(whole, searches)
        raise InputError(name, f"is a split of the search {whole}, which runs with all of its splits", f"name {whole}")
    path = Path(name)
    if path.suffix == ".toml" or "/" in name:
        if path.suffix == ".toml" and is_a(Path.is_file, path):
            return path
        beside = [str(file) for file in _search_files(path.parent)]
        raise InputError(name, f"{_lack(path)} search file", suggestion(name, beside) if beside else "")
    inside = searches / f"{name}.toml"
    if is_a(Path.is_file, inside):
        return inside
    if inside.exists():
        raise InputError(str(inside), "is not a file", "pipes, devices and folders are not read")
    embedded = {file.stem: file for file in embedded_searches()}
    if name in embedded and not is_a(os.path.lexists, inside):
        return embedded[name]
    where = "" if searches.is_dir() else f" (there is no folder {searches}/ here)"
    raise InputError(name, f"{_lack(inside)} search{where}", suggestion(name, known_searches(searches)))


def known_searches(searches: Path = Path("searches")) -> list[str]:
    """Return the names of the searches in `searches`, or where there is none of those that come with the package."""
    return [file.stem for file in _search_files(searches) or embedded_searches()]


def embedded_searches() -> list[Path]:
    """Return the search files that come with the package, for a folder that has none: data and all, they just run."""
    return sorted(_search_files(Path(__file__).parent / "embedded"))


def _search_files(folder: Path) -> list[Path]:
    return [file for file in folder.glob("*.toml") if is_a(Path.is_file, file)]


def _lack(path: Path) -> str:
    """Say why no search is there: nothing is, or something else, such as a folder or a link to nowhere."""
    return f"{path} is no" if is_a(os.path.lexists, path) else "no such"


def load_search(
    path: Path,
    overrides: Overrides = Overrides(),  # noqa: B008  # frozen
    declared: DeclaredSpaces = MappingProxyType({}),
) -> Search:
    """Read and check a search file.

    Args:
        path: the file.
        overrides: smaller stand-ins for its budget.
        declared: what users' networks ask for, by the names of model searches, where that is known.

    Raises:
        InputError: it cannot be read, or something in it is wrong; the message names file, key and value.
    """
    content = read_at_most(path, MOST_TEXT)
    try:
        raw = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of thousands of digits
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(str(path), f"is not valid TOML ({shortened(str(problem), 300)})") from error
    if not re.fullmatch(NAME, path.stem):
        problem = "its name must be up to 100 letters, digits, '.', '_' and '-', since its report is named so"
        raise InputError(str(path), problem)
    digest = hashlib.sha256(content).hexdigest()[:16]
    try:
        return parse_search(raw, path.stem, path.parent, overrides, digest, declared)
    except InputError as error:
        raise error.inside(str(path)) from error


def parse_search(
    raw: Mapping[str, Any],
    name: str,
    folder: Path,
    overrides: Overrides,
    file_hash: str,
    declared: DeclaredSpaces = MappingProxyType({}),
) -> Search:
    """Check the content of a search file, as `tomllib` read it.

    Raises:
        InputError: the first thing that is wrong.
    """
    try:
        file = SearchFile.model_validate(with_settings(raw, overrides.settings))
    except ValidationError as error:
        raise explained(error) from error
    recipe = dict(file.training)
    epochs, threads = recipe.pop(EPOCHS.name, None), recipe.pop(THREADS.name, THREADS.default)
    callbacks = recipe.pop(CALLBACKS, None)
    known = {parameter.name: parameter for parameter in RECIPE}
    for key, value in recipe.items():
        check_belongs(key, f"training.{key_name(key)}", TRAINING, {*known, EPOCHS.name, THREADS.name, CALLBACKS})
        try:
            known[key].check(value)
        except ValueError as error:
            listed = isinstance(value, list) or (isinstance(value, dict) and known[key].table is None)
            remedy = "search a setting in [search.space]" if listed else ""
            raise InputError(f"training.{key_name(key)}", str(error), remedy) from error
    epochs, threads = _whole(epochs, EPOCHS), _whole(threads, THREADS)

    general = None if callbacks is None else _callbacks(callbacks, f"training.{CALLBACKS}", folder)
    check_direction(file)
    model_searches: list[ModelSearch] = []
    for index, part in enumerate(file.search, start=1):
        place = f"[[search]] {index}"
        own = _callbacks(part.callbacks, f"{place}.{CALLBACKS}", folder) if part.callbacks is not None else general
        try:
            model_searches.append(
                replace(
                    _read_model_search(part, recipe, folder, part.epochs or epochs, overrides, file, declared),
                    callbacks=own,
                )
            )
        except InputError as error:
            raise error.inside(place) from error
        if model_searches[-1].name.lower() in [
            model_search.name.lower() for model_search in model_searches[:-1]
        ]:  # they become names of files
            raise InputError(
                place, f"a second search is named {model_searches[-1].name!r}", 'give it its own name = "…"'
            )
    datasets = tuple(file.dataset)
    check_settings_matter(recipe, model_searches)
    compared, splits = _compared(file)
    every = {*datasets, *compared}
    check_names(file.report, file.published, model_searches, datasets[0], every)
    check_choose(file.choose, model_searches)
    height_width = file.image_size
    search = Search(
        name=name,
        title=file.title,
        datasets=datasets,
        seed=file.seed,
        protocol=file.protocol,
        repeats=overrides.repeats or file.repeats,
        save=file.save,
        validation=file.validation,
        image_size=(height_width[0], height_width[1]) if height_width else None,
        channels=file.channels,
        epochs=overrides.epochs or epochs,
        threads=threads,
        model_searches=tuple(model_searches),
        compare=compared,
        published=file.published,
        report=file.report,
        max_trial_minutes=file.max_trial_minutes,
        max_trial_gb=file.max_trial_gb,
        cpus_per_trial=file.cpus_per_trial,
        gpus_per_trial=file.gpus_per_trial,
        overrides=overrides,
        folder=folder,
        file_hash=file_hash,
        backend=backend_name(),
        raw=raw,
        splits=splits,
        choose=file.choose,
        folds=_folds(file),
        groups=_groups(file),
        watch_retrainings=file.watch_retrainings,
    )
    check_contenders(search.listed)
    check_ensemble(search)
    if search.watch_retrainings and not any(model_search.watch for model_search in model_searches):
        raise InputError("watch_retrainings", "has no layers to watch", 'write watch = ["first"], or remove it')
    return search


def _groups(file: SearchFile) -> str:
    """Return the pattern that tells groups of images; empty where there is none."""
    if file.groups and file.protocol == "published":
        problem = "have nothing to keep together: with protocol = 'published' no images are divided"
        raise InputError("groups", problem, "remove one of the two")
    return file.groups or ""


def _folds(file: SearchFile) -> int:
    """Return into how many folds training images are divided to choose on; 0 where they are not."""
    if file.folds is None:
        return 0
    if "validation" in file.model_fields_set:
        raise InputError("folds", "stand beside validation, and each says what is chosen on", "remove one of the two")
    if file.protocol == "published":
        problem = "have nothing to hold out: with protocol = 'published' trials are chosen on the test set"
        raise InputError("folds", problem, "remove one of the two")
    return file.folds


def _callbacks(path: object, place: str, folder: Path) -> OwnCallbacks | None:
    """Return what makes callbacks; None for an empty string, which is for none.

    Raises:
        InputError: it is no path of a function.
    """
    try:
        return own_callbacks(path, folder) if path != "" else None
    except ValueError as error:
        raise InputError(place, str(error)) from error


def _compared(file: SearchFile) -> tuple[tuple[str, ...], int]:
    """Return the data sets that `[compare]` names, and over how many splits of the images models are compared."""
    if file.compare is None:
        return (), 1
    datasets, splits = file.compare.datasets, file.compare.splits
    if datasets is None and "splits" not in file.compare.model_fields_set:
        raise InputError("compare.datasets", "is missing", "name data sets, or give splits")
    if splits > 1 and file.protocol == "published":
        problem = f"{splits} has nothing to tell: with protocol = 'published' no model is judged"
        raise InputError("compare.splits", problem, "remove one of the two")
    return tuple(datasets or ()), splits


def _whole(value: object, parameter: Parameter) -> int:
    place = f"training.{parameter.name}"
    if value is None:
        raise InputError(place, "is missing", "say how many epochs a trial trains")
    if isinstance(value, bool) or not isinstance(value, int) or not parameter.low <= value <= parameter.high:
        raise InputError(place, f"{shown(value)} is not a whole number from {parameter.low} to {parameter.high:,}")
    return value


def _read_model_search(
    part: SearchTable,
    recipe: Mapping[str, Value],
    folder: Path,
    epochs: int,
    overrides: Overrides,
    file: SearchFile,
    declared: DeclaredSpaces,
) -> ModelSearch:
    family = get_family(part.family, folder, part.files)
    if part.files and not isinstance(family, CustomFamily):
        remedy = "name the file as weights in [search.space]" if isinstance(family, Pretrained) else "remove it"
        raise InputError("files", f"are for a network of your own, which {family.name} is not", remedy)
    name, length = part.name or family.name, overrides.epochs or epochs
    accepted: list[Parameter | Layered] = [*family.parameters, *RECIPE]
    own = OwnSpace(part.family, part.space, part.rules, recipe) if isinstance(family, CustomFamily) else None
    for key in () if own else part.space:  # what is near to a parameter, or too deep, the space itself tells
        if homes(key) and SPACE not in homes(key) and key not in {item.name for item in accepted}:
            check_belongs(key, f"space.{key_name(key)}", SPACE, ())
    for key in part.rules:
        check_belongs(key, f"rules.{key_name(key)}", RULES, {*NAMED, "where"})
    if own is None:
        sizeless = WITHOUT_SIZE.union(parameter.name for parameter in RECIPE)
        space = read_space(part.space, part.rules, accepted, recipe, sizeless=sizeless)
    else:
        space = own.read(declared[name]) if name in declared else own.unread()
    family = family.reading(space)
    check_schedule(space, epochs)
    if isinstance(family, Pretrained):
        check_stages(space, part.space, length)
    algorithm = ALGORITHMS[part.algorithm]
    if algorithm.max_trials == "refuses" and part.max_trials is not None:
        raise InputError("max_trials", f"a {algorithm.name} takes none: it tries all", "remove it, or use random")
    if algorithm.max_trials == "needs" and part.max_trials is None:
        raise InputError("max_trials", f"is missing, and algorithm = {algorithm.name!r} needs it")
    _check_rules(space, algorithm)
    first = () if space.is_open else read_given(part.try_first, space)
    if part.max_trials is not None and len(first) > part.max_trials:
        raise InputError(
            "try_first", f"has {len(first):,} configurations and max_trials is {part.max_trials:,}", "raise it"
        )
    watched = tuple(file.watch if part.watch is None else part.watch)
    pruning = read_pruning(part, algorithm, epochs, length)
    return ModelSearch(
        name=name,
        family=family,
        path=part.family,
        algorithm=algorithm,
        max_trials=part.max_trials,
        lag=part.lag or (16 if pruning and not algorithm.learns else 4),
        pruning=pruning,
        epochs=length,
        watch=watched,
        space=space,
        named=frozenset((*recipe, *part.space, *(name for one in part.try_first for name in one))).union(
            one.name for one in declared.get(name, ())
        ),
        first=first,
        objective=read_objective(part, file, folder, family),
        declared=declared.get(name) if own else None,
        added=difference(own.unread(), space) if own else "",
    )


#: How far into a space's grid is looked to see that its rules leave something: seconds.
_LOOKED_AT = 1_000_000


def _check_rules(space: Space, algorithm: Algorithm) -> None:
    """Refuse rules that leave nothing, or nothing that a grid would come to soon.

    Raises:
        InputError: it names the rules.
    """
    if space.is_open:
        return
    if not algorithm.lists_grid:
        if not space.rules:
            return
        if space.finite is not None:
            if not space.finite.count:
                raise nothing_left(space.finite.rules)
            return
    try:
        walk = space.walk()
    except InputError:
        if algorithm.lists_grid:
            raise
        return  # what a rule leaves of a continuous range shows when it is drawn from
    if any(values is not None for values in islice(walk, _LOOKED_AT)):
        return
    there_is_more = any(True for _ in walk)
    if there_is_more and not algorithm.lists_grid:
        return
    raise nothing_left(space.rules, f" within the first {_LOOKED_AT:,} steps of the grid" if there_is_more else "")
