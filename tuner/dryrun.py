"""The dry run: which configurations a search has and how large their networks are, without training any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from tuner.datasets import SHAPES, load_dataset
from tuner.errors import InputError, TunerError, suggestion
from tuner.executors import PRELOAD, LocalExecutor
from tuner.families.base import Shape
from tuner.oracles import Proposal, make_oracle
from tuner.probe import Built, Question
from tuner.recipe import RECIPE
from tuner.search import Entry, Search
from tuner.space import Configuration
from tuner.trial import FIRST_LAYER

PROBE = "tuner.probe:probe"


def preview(search: Search, entry: Entry, most: int | None = None) -> list[Configuration]:
    """Return the configurations that an entry proposes before any result is known, at most `most`.

    For a grid and a random search these are all of them; for Bayesian and Hyperband the first ones.
    """
    oracle = make_oracle(entry.algorithm, entry.space, search.seed, entry.max_trials, entry.epochs)
    found: list[Configuration] = []
    while len(found) != most and not (oracle.adaptive and len(found) > entry.lag):
        answer = oracle.propose()
        if not isinstance(answer, Proposal):
            break
        found.append(answer.values)
    return found


def build_all(
    search: Search, entry: Entry, shape: Shape, classes: int, configurations: Sequence[Configuration]
) -> list[Built]:
    """Build configurations of an entry in a worker and tell of each its number of parameters.

    Raises:
        InputError: the user's own family cannot be used.
    """
    question = Question(entry.path, search.folder.resolve(), shape, classes, tuple(configurations))
    with LocalExecutor(PROBE, workers=1, preload=PRELOAD) as pool:
        pool.submit("probe", question)
        (outcome,) = pool.wait()
    if outcome.died:
        raise InputError(f"family {entry.path}", f"{outcome.died} while building")
    if isinstance(outcome.value, TunerError):
        raise outcome.value
    return cast(list[Built], outcome.value)


def check_keys(entry: Entry, built: Sequence[Built]) -> None:
    """Compare what a user's `build(hp)` asked for with what the search file gives.

    Raises:
        InputError: the file names a parameter that no build ever asked for.
    """
    asked = {name for one in built if one.asked is not None for name in one.asked}
    given = {parameter.name for parameter in entry.space.parameters} - {parameter.name for parameter in RECIPE}
    for name in sorted(given - asked) if asked else ():
        raise InputError(f"space.{name}", f"{entry.path} never asks for it; {suggestion(name, asked)}")


def check_watch(entry: Entry, built: Sequence[Built]) -> None:
    """Compare the layers that are to be watched with those of the networks.

    Raises:
        InputError: no network of the entry has such a layer.
    """
    there = {name for one in built for name in one.kernels}
    for name in entry.watch:
        if there and name not in {FIRST_LAYER, *there}:
            raise InputError(
                f"watch of {entry.name}",
                f"no layer with a kernel is named {name!r}; {suggestion(name, there)}",
                f'name one, or "{FIRST_LAYER}"; a [[search]] can have its own watch',
            )


def dry_run(search: Search, data_dir: Path | None) -> dict[str, Any]:
    """Return `{"trials": […], "rejected": {rule: count}}`, a trial for each configuration on each data set.

    A trial holds family, dataset, values and parameters; where its network cannot be built, parameters is None
    and error says why.
    """
    trials: list[dict[str, Any]] = []
    rejected: Counter[str] = Counter()
    for name in search.datasets:
        shape, classes = _shape_of(search, name, data_dir)
        for entry in search.entries:
            configurations = preview(search, entry)
            built = build_all(search, entry, shape, classes, configurations)
            check_keys(entry, built)
            check_watch(entry, built)
            for values, one in zip(configurations, built, strict=True):
                trial = {"family": entry.path, "dataset": name, "values": values, "parameters": one.parameters}
                trials.append({**trial, "error": one.error} if one.error else trial)
    for entry in search.entries:
        if entry.algorithm == "grid":
            rejected.update(entry.space.count()[1])
    return {"trials": trials, "rejected": dict(rejected)}


def _shape_of(search: Search, name: str, data_dir: Path | None) -> tuple[Shape, int]:
    if name in SHAPES and not (data_dir and ((data_dir / f"{name}.npz").is_file() or (data_dir / name).is_dir())):
        return SHAPES[name]
    dataset = load_dataset(name, data_dir, search.folder, search.image_size, search.channels)
    return dataset.shape, len(dataset.class_names)
