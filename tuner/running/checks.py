"""What a run checks before it writes or trains anything: backend, code, data, sizes, networks."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace

from rich.console import Console

from tuner.datasets.base import Dataset
from tuner.errors import InputError, suggestion
from tuner.families.custom import CustomFamily
from tuner.families.pretrained import Pretrained, one_of_each_backbone
from tuner.protocol import test_images, training_images
from tuner.running.building import build_all
from tuner.running.colours import check_colours
from tuner.running.dryrun import (
    as_built,
    check_asked,
    check_class_weights,
    check_ends,
    check_objective,
    check_proposals,
    check_validation,
    check_watch,
    data_of,
    in_its_place,
    notes_of,
    preview,
)
from tuner.running.progress import say
from tuner.running.resized import resize_notes
from tuner.running.sizes import with_sizes
from tuner.running.uncached import uncached_notes
from tuner.running.unseen import check_unseen
from tuner.search_file.model import Search
from tuner.search_file.overrides import backend_name
from tuner.trial import BACKENDS, LAYER_WORDS
from tuner.workspace import Workspace

#: Up to so many configurations of a user's own network are built before a search, to check its parameters' names.
MOST_CHECKED = 200


def with_code(search: Search) -> Search:
    """Return the search with the code of users' own networks read, once for the whole run.

    A worker refuses what was edited since.
    """
    read = []
    for model_search in search.model_searches:
        with in_its_place(search, model_search):
            read.append(model_search.with_code())
    return replace(search, model_searches=tuple(read))


def check_backend(search: Search) -> None:
    """See that Keras' backend is there, and the one that the search was read with."""
    name = search.backend
    if name not in BACKENDS:
        raise InputError("KERAS_BACKEND", f"{name!r} is no backend of Keras; {suggestion(name, BACKENDS)}")
    if importlib.util.find_spec(name) is None:
        raise InputError("KERAS_BACKEND", f"{name} is not installed", f"install it: pip install {name}")
    if name != (now := backend_name()):
        problem = f"is {now!r} now, and was {name!r} when {search.place} was read"
        raise InputError("KERAS_BACKEND", problem, "read the search again")


def checked_data(search: Search, name: str, workspace: Workspace, skip_bad: bool) -> Dataset:
    """Load a data set and split it as every trial will, so that one that is too small costs no training."""
    dataset = data_of(search, name, workspace.data, skip_bad, workspace.store)
    check_validation(search, name, dataset)
    check_objective(search, name, dataset.class_names)
    check_unseen(search, name, dataset)
    check_class_weights(search, name, dataset.class_names)
    check_colours(search, name, dataset.shape)
    model_search = search.model_searches[0]
    with in_its_place(search, model_search):
        trial = search.trial(model_search, name, dataset.fingerprint, {}, None)
    final = trial.as_final(trial.seed, hold_out=search.held_out_of_retrainings)
    for one in (trial, final) if name in search.datasets or not search.folds else (final,):
        training_images(one, dataset)
    test_images(trial, dataset.y_test)
    return dataset


def check_sizes(search: Search, datasets: Mapping[str, Dataset], console: Console) -> None:
    """Refuse a smaller stand-in that is larger than every data set; say of which it takes all images."""
    given = search.overrides
    for option, size, kind in (("--train-size", given.train_size, "train"), ("--test-size", given.test_size, "test")):
        there = {name: len(data.y_train if kind == "train" else data.y_test) for name, data in datasets.items()}
        images = "training images" if kind == "train" else "test images"
        if size is not None and size > max(there.values()):
            most = max(there, key=lambda name: there[name])
            problem = f"{size:,} is more than the {there[most]:,} {images} of {most}"
            raise InputError(option, problem, "leave it out to use all")
        for name, count in there.items():
            if size is not None and size > count:
                say(console, f"{name} has {count:,} {images}, all of which {option} {size} takes.")


def check_networks(search: Search, datasets: Mapping[str, Dataset]) -> tuple[Search, list[str]]:
    """See that there is something to train, and build networks where only they can tell what there is: keys, layers.

    Return the search as its networks are trained (`as_built`), and what there is to say of those of the user's own, a
    line each.
    """
    notes: list[str] = []
    found = list(search.model_searches)
    for number, model_search in enumerate(search.model_searches):
        data = datasets[search.datasets[0]]
        with in_its_place(search, model_search):
            for name in search.datasets:
                shape, classes = datasets[name].shape, len(datasets[name].class_names)
                check_proposals(search, sized := with_sizes(search, model_search, shape, classes))
                if sized is model_search:
                    break
            sized = with_sizes(search, model_search, data.shape, len(data.class_names))
        own = isinstance(model_search.family, CustomFamily)
        pretrained = isinstance(model_search.family, Pretrained)
        if not own and not pretrained and not set(model_search.watch) - LAYER_WORDS:
            continue
        with in_its_place(search, model_search):
            configurations = preview(search, sized, 1 if not own and not pretrained else MOST_CHECKED)
            if pretrained:
                notes += [*uncached_notes(model_search, configurations), *resize_notes(search, model_search)]
                configurations = one_of_each_backbone(configurations)
            built = build_all(search, model_search, data.shape, len(data.class_names), configurations)
            for one in built:
                if one.endless:
                    check_ends(search, model_search.path, one.error)
            if pretrained and all(one.parameters is None for one in built):
                raise InputError("family pretrained", built[0].error, "no network of it can be built")
            check_watch(model_search, built)
            check_asked(model_search, configurations, built)
            found[number] = as_built(model_search, built)
        notes += notes_of(built)
    return replace(search, model_searches=tuple(found)), notes
