"""A search with everything checked that can be before anything is written, and with its data in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console

from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.objective import OwnObjective
from tuner.running.checks import check_networks, check_sizes, checked_data, with_code
from tuner.running.own_callbacks import check_own_callbacks
from tuner.running.own_objectives import check_own_objectives
from tuner.running.own_spaces import with_own_spaces
from tuner.running.planned import Prepared
from tuner.running.unseen import labels_chosen_on, unseen_notes
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Checked:
    """A search as its networks are trained, its data sets by name, and lines that the user should read."""

    search: Search
    datasets: dict[str, Dataset]
    notes: list[str]


def checked_search(search: Search, workspace: Workspace, console: Console, skip_bad: bool) -> Checked:
    """Check code, data, sizes, objectives and networks of a search, and read the spaces of users' networks.

    Raises:
        InputError: the search cannot run as given.
    """
    search = with_code(search)
    datasets = {}
    for name in search.all_datasets:
        INTERRUPTS.hear()
        with doing(f"reading the data set {name}"):
            datasets[name] = checked_data(search, name, workspace, skip_bad)
    check_sizes(search, datasets, console)
    check_own_objectives(search, partial(_chosen_on, search, datasets))
    images = [(name, datasets[name].shape, len(datasets[name].class_names)) for name in search.datasets]
    search, said = with_own_spaces(search, images)
    search, notes = check_networks(search, datasets)
    check_own_callbacks(search, datasets)
    return Checked(search, datasets, list(dict.fromkeys((*unseen_notes(search, datasets), *said, *notes))))


def laid_out(dataset: Dataset, workspace: Workspace, write: bool = True) -> Prepared:
    """Return a data set as it lies for workers in `runs/`, where it is written unless it is there, or not at all."""
    folder = save_to_store(dataset, workspace.store) if write else workspace.store_of(dataset.fingerprint)
    return Prepared(dataset.fingerprint, folder, dataset.shape, len(dataset.class_names), len(dataset.y_train))


def run_key(search: Search, prepared: Mapping[str, Prepared]) -> str:
    """Return what names a list of trials: the search, and the content of its data and of the user's own code."""
    content = [search.key, *(data.fingerprint for data in prepared.values())]
    content += [model_search.source for model_search in search.model_searches if model_search.source]
    content += [f"{model_search.name} compiles" for model_search in search.model_searches if model_search.compiled]
    content += [objective.source for objective in search.objectives if isinstance(objective, OwnObjective)]
    content += [model_search.callbacks.source for model_search in search.model_searches if model_search.callbacks]
    content += [model_search.added for model_search in search.model_searches if model_search.added]
    return hashlib.sha256(" ".join(content).encode()).hexdigest()[:16]


def _chosen_on(
    search: Search, datasets: Mapping[str, Dataset], model_search: ModelSearch, name: str
) -> tuple[NDArray[np.int64], int]:
    """Return the labels of the images of a data set that trials are chosen on, and how many classes there are."""
    dataset = datasets[name]
    return labels_chosen_on(search, model_search, name, dataset), len(dataset.class_names)
