"""The dry run: which configurations a search has and how large their networks are, without training any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuner.datasets import load_dataset, named_data
from tuner.datasets.base import Dataset, Shape
from tuner.datasets.groups import with_groups
from tuner.errors import InputError, key_name, shown, suggestion
from tuner.families.custom import SCALING
from tuner.oracles import MOST_DRAWS, Proposal
from tuner.protocol import resplit
from tuner.recipe import RECIPE, unknown_class
from tuner.running.building import build_all
from tuner.running.colours import check_colours
from tuner.running.resized import resize_notes
from tuner.running.sizes import with_sizes
from tuner.running.uncached import uncached_notes
from tuner.running.unseen import check_unseen
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Choice
from tuner.space.space import Configuration, nothing_left
from tuner.system.interrupts import INTERRUPTS
from tuner.trial import CLASS_WEIGHT, EVERY_LAYER, FIRST_LAYER, LAYER_WORDS
from tuner.worker.probe import Built

#: Up to so many configurations of a model search are all shown. Each network takes a tenth of a second or more to
#: build, and nobody reads more lines.
MOST_SHOWN = 1_000
#: Of a model search with more, so many are.
FIRST_SHOWN = 10


def preview(search: Search, model_search: ModelSearch, most: int | None = None) -> list[Configuration]:
    """Return the configurations that a model search proposes before any result is known, at most `most`.

    Of an algorithm that learns from results these are the first ones, otherwise all.
    """
    oracle = replace(model_search, pruning=None).oracle(search.seed)  # which proposes the same configurations
    found: list[Configuration] = []
    while len(found) != most and not (oracle.adaptive and len(found) > model_search.lag):
        answer = oracle.propose()
        if not isinstance(answer, Proposal):
            break
        found.append(answer.values)
    return found


def check_proposals(search: Search, model_search: ModelSearch) -> None:
    """See that a model search's rules leave something to propose.

    Most that leave nothing are refused when the search file is read; this is for rules about real numbers, about the
    size of networks, and for more than can be counted.

    Raises:
        InputError: they leave nothing, or next to nothing; or forbid what is to be tried first.
    """
    space, part = model_search.space, model_search.space.finite
    if space.speaks_of_sizes:
        for values in model_search.first:
            if (rule := space.broken_rule(values)) is not None:
                raise InputError(
                    "try_first", f"{shown(values)} breaks the rule {shown(rule.text)}", "change one of them"
                )
        if part is not None and not part.count:
            raise nothing_left(part.rules)
        if model_search.algorithm.lists_grid and next(space.grid(), None) is None:
            raise nothing_left(space.rules)
    asked = (
        model_search.space.rules
        if part is None
        else tuple(rule for rule in model_search.space.rules if rule not in part.rules)
    )
    if not model_search.algorithm.lists_grid and asked and not preview(search, model_search, 1):
        raise nothing_left(asked, f" that {MOST_DRAWS:,} random draws came to")


def check_asked(model_search: ModelSearch, configurations: Sequence[Configuration], built: Sequence[Built]) -> None:
    """Compare what a user's `build(hp)` asked for with the parameters of each configuration, which reading it told.

    Raises:
        InputError: it asked for more, or never for one of them.
    """
    recipe = {parameter.name for parameter in RECIPE}
    path = model_search.path
    for values, one in zip(configurations, built, strict=True):
        if one.asked is None or one.parameters is None:
            continue
        own = values.keys() - recipe - {SCALING}  # which is for whoever builds the network
        for name in sorted(own - one.asked):
            problem = f"{path} does not ask for it in every build, and building it did not tell in which"
            raise InputError(f"space.{key_name(name)}", problem, "ask for it always, or in hp.conditional_scope")
        for name in sorted(one.asked - own - recipe - {SCALING}):
            problem = f"asks for {name!r} in some builds, and building it did not tell in which"
            raise InputError(f"family {path}", problem, "ask for it always, or in hp.conditional_scope")


def check_ends(search: Search, path: str, why: str) -> None:
    """See that a trial whose network never comes to be built ends by itself.

    Raises:
        InputError: trials have no limit.
    """
    if search.max_trial_minutes is None:
        remedy = "mend it, or set max_trial_minutes, so that such a trial fails by itself"
        raise InputError(f"family {path}", why, remedy)


def as_built(model_search: ModelSearch, built: Sequence[Built]) -> ModelSearch:
    """Return a model search as its networks are trained: without what a user's own `build` decides of the recipe.

    Raises:
        InputError: layers are to be watched, and the user's own code trains.
    """
    fits = any(one.fits for one in built)
    if fits and model_search.watch:
        problem = f"{model_search.path} trains by code of its own, whose gradients nobody sees"
        raise InputError(f"watch of {model_search.name}", problem, "remove it; a [[search]] can have its own watch")
    if fits and model_search.callbacks:
        problem = f"{model_search.path} trains by code of its own, which would never call {model_search.callbacks.path}"
        raise InputError(f"callbacks of {model_search.name}", problem, 'give them there, and write callbacks = ""')
    return model_search.with_compiled(fits) if any(one.compiles for one in built) else model_search


def notes_of(built: Sequence[Built]) -> list[str]:
    """Return what there is to say of networks that can be built, each line once."""
    return list(dict.fromkeys(note for one in built for note in one.notes))


def check_watch(model_search: ModelSearch, built: Sequence[Built]) -> None:
    """Compare the layers that are to be watched with those of the networks.

    Raises:
        InputError: no network of the model search has such a layer.
    """
    there = {name for one in built for name in one.kernels}
    for name in model_search.watch:
        if there and name not in LAYER_WORDS | there:
            raise InputError(
                f"watch of {model_search.name}",
                f"no layer with a kernel is named {name!r}; {suggestion(name, there)}",
                f'name one, or "{FIRST_LAYER}" or "{EVERY_LAYER}"; a [[search]] can have its own watch',
            )


@contextmanager
def in_its_place(search: Search, model_search: ModelSearch) -> Iterator[None]:
    """Let what is wrong with a model search name the search file and the model search's place in it."""
    try:
        yield
    except InputError as error:
        raise error.inside(f"{search.place} [[search]] {search.model_searches.index(model_search) + 1}") from error


def data_of(
    search: Search, name: str, data_dir: Path | None, skip_bad: bool = False, store: Path | None = None
) -> Dataset:
    """Load a data set of a search; `skip_bad` leaves out files of a folder that cannot be used.

    A folder that has not changed since it was laid out in `store` is not decoded again.

    Raises:
        InputError: there is no such data set, which names the search file; or it cannot be read.
    """
    try:
        if search.given is not None and name in search.given.datasets:
            data = search.given.datasets[name]
        else:
            data = load_dataset(name, data_dir, search.folder, search.image_size, search.channels, skip_bad, store)
        if search.groups and (data.files or name in search.datasets):
            data = with_groups(data, search.groups)
        return resplit(data, search.split)
    except InputError as error:
        if error.place in ("dataset", "groups"):
            raise error.inside(search.place) from error
        raise


def check_objective(search: Search, name: str, class_names: Sequence[str]) -> None:
    """See that a data set has the class that trials are chosen by, if they are chosen by one, and those of thresholds.

    Raises:
        InputError: it has not.
    """
    if name not in search.datasets:
        return
    for number, model_search in enumerate(search.model_searches, start=1):
        missing = model_search.objective.missing_class(class_names)
        if missing:
            own = "objective" in search.raw["search"][number - 1]
            place = f"{search.place}{f' [[search]] {number}' * own} objective"
            raise InputError(place, f"{shown(missing)} is no class of {name}", suggestion(missing, class_names))
    for missing in set(search.report.thresholds) - set(class_names):
        place = f"{search.place} [report] thresholds"
        raise InputError(place, f"{shown(missing)} is no class of {name}", suggestion(missing, class_names))


def check_class_weights(search: Search, name: str, class_names: Sequence[str]) -> None:
    """See that a data set has the classes that the search gives weights to.

    Raises:
        InputError: it has not.
    """
    for number, model_search in enumerate(search.model_searches, start=1):
        domain = model_search.space.domains.get(CLASS_WEIGHT)
        missing = unknown_class(domain.values, class_names) if isinstance(domain, Choice) else None
        if missing is not None:
            own = CLASS_WEIGHT in search.content["search"][number - 1].get("space", {})
            place = f"{search.place} " + (f"[[search]] {number} space" if own else "training") + f".{CLASS_WEIGHT}"
            raise InputError(place, f"{shown(missing)} is no class of {name}", suggestion(missing, class_names))


def check_validation(search: Search, name: str, dataset: Dataset) -> None:
    """Compare what the search file holds out of a data set that is searched on with what the data set brings.

    Raises:
        InputError: it gives a share, or folds, and the data set has validation images of its own.
    """
    chosen_on = name in search.datasets and search.protocol == "holdout"
    for key, value in (("validation", search.validation), ("folds", search.folds)):
        if chosen_on and key in search.content and dataset.validation_images:
            count = f"{dataset.validation_images:,}"
            problem = f"{value:g} has nothing to split: {name} brings {count} validation images"
            remedy = "leave the key out, and trials are chosen on them"
            raise InputError(f"{search.place} {key}", problem, remedy)


def dry_run(search: Search, data_dir: Path | None, skip_bad: bool = False) -> dict[str, Any]:
    """Return `{"configurations": count, "trials": […], "rejected": {rule: count}, "notes": […]}`.

    A trial holds family, dataset, values and parameters; where its network cannot be built, parameters is None
    and error says why. There is one for each configuration on each data set, but of a model search with more than
    `MOST_SHOWN` only for the first `FIRST_SHOWN`. Notes are lines on networks of the user's own, and
    on what keeps heads from learning on features that are computed once, and on sizes that blow up pixels.

    Raises:
        InputError: the search cannot run as given; or it has a grid so large that it cannot be counted.
    """
    trials: list[dict[str, Any]] = []
    rejected: Counter[str] = Counter()
    notes: list[str] = []
    for model_search in search.model_searches:
        with in_its_place(search, model_search):
            model_search.family.own_files()
    total = 0
    for name in search.datasets:
        shape, classes = shape_of(search, name, data_dir, skip_bad)
        for unsized in search.model_searches:
            INTERRUPTS.hear()
            with in_its_place(search, unsized):
                model_search = with_sizes(search, unsized, shape, classes)
                if model_search.algorithm.lists_grid and name == search.datasets[0]:
                    rejected.update(model_search.space.count()[1])
            large = not model_search.algorithm.learns and model_search.planned() > MOST_SHOWN
            with in_its_place(search, unsized):
                check_proposals(search, model_search)
                configurations = preview(search, model_search, FIRST_SHOWN if large else None)
                built = build_all(search, model_search, shape, classes, configurations)
                check_asked(model_search, configurations, built)
                if not large:  # otherwise a network that is not built may have the layer
                    check_watch(model_search, built)
            told = [*notes_of(built), *uncached_notes(model_search, configurations)]
            told += resize_notes(search, model_search)
            notes += [note for note in told if note not in notes]
            total += model_search.planned() if large else len(configurations)
            with in_its_place(search, unsized):
                kept = {parameter.name for parameter in as_built(model_search, built).space.parameters}
            for whole, one in zip(configurations, built, strict=True):
                values = {parameter: value for parameter, value in whole.items() if parameter in kept}
                trial = {"family": model_search.path, "dataset": name, "values": values, "parameters": one.parameters}
                trials.append({**trial, "error": one.error} if one.error else trial)
    return {"configurations": total, "trials": trials, "rejected": dict(rejected), "notes": notes}


def shape_of(search: Search, name: str, data_dir: Path | None, skip_bad: bool) -> tuple[Shape, int]:
    """Return the shape of a data set's images and how many classes it has; it is loaded only where that is not known.

    Raises:
        InputError: as of `data_of`; or the search file does not go with it.
    """
    known = named_data(name, data_dir)
    if known is not None:
        shape, class_names = known
        check_colours(search, name, shape)
        check_objective(search, name, class_names)
        check_class_weights(search, name, class_names)
        return shape, len(class_names)
    dataset = data_of(search, name, data_dir, skip_bad)
    check_validation(search, name, dataset)
    check_objective(search, name, dataset.class_names)
    check_unseen(search, name, dataset)
    check_class_weights(search, name, dataset.class_names)
    check_colours(search, name, dataset.shape)
    return dataset.shape, len(dataset.class_names)
