"""The budget of a search in words, for every table that it shaped."""

from __future__ import annotations

from dataclasses import replace

from tuner.analysis.findings import Findings
from tuner.datasets import DATASETS
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.settings import parted
from tuner.text import escape

#: The way to the key of a search file that says something of the budget, and changes none.
_NOTE = ["report", "note"]


def budget(findings: Findings) -> str:
    """Return what the trials were trained with: epochs, images, protocol, what the command line changed, `note`.

    Of a well-known data set that was read from image files of the user's, which may be lossy copies, it says so.
    """
    search = findings.search
    if findings.imported:
        return f"that of {findings.imported}, which its project does not tell"
    share = f", {_held_out(findings)} held out {'in turn ' if search.folds else ''}during the search"
    copies = [
        f"; {escape(name)} from a {escape(source)}"
        for name in findings.seen_datasets
        if name in DATASETS and (source := findings.data(name).source).startswith("folder")
    ]
    text = f"{_epochs(search)}, {_images(findings)}{share if search.protocol == 'holdout' else ''}"
    protocol = "cross-validation" if search.folds else f"{search.protocol} protocol"
    note = f"; {escape(search.report.note)}" if search.report.note else ""
    return f"{text}, {protocol}{''.join(copies)}{smaller_budget(search)}{note}"


def _epochs(search: Search) -> str:
    """Return how many epochs a trial has, of each model where models differ; "up to" where it may have fewer."""
    lengths: dict[str, list[str]] = {}
    for model_search in search.model_searches:
        fewer = model_search.varies_epochs or _stops_early(model_search)
        count = "1 epoch" if model_search.epochs == 1 else f"{model_search.epochs:,} epochs"
        lengths.setdefault(f"up to {count}" if fewer and model_search.epochs > 1 else count, []).append(
            model_search.label
        )
    return _by_owner(lengths)


def _stops_early(model_search: ModelSearch) -> bool:
    stopping = model_search.space.domains.get("early_stopping")
    return stopping is not None and any(value != "off" for value in stopping.grid())


def _images(findings: Findings) -> str:
    """Return on how many images trials train, of each data set where these differ."""
    most = findings.search.overrides.train_size
    sizes: dict[str, list[str]] = {}
    for name in findings.seen_datasets:
        available = len(findings.data(name).y_train)
        sizes.setdefault(f"{min(available, most or available):,} training images", []).append(name)
    return _by_owner(sizes) or "no training images"


def _by_owner(told: dict[str, list[str]]) -> str:
    """Return the one thing that is told, or each with whose it is."""
    if len(told) < 2:
        return "".join(told)
    return " and ".join(f"{what} ({escape(', '.join(owners))})" for what, owners in told.items())


def _held_out(findings: Findings) -> str:
    """Return in words which training images a search held out to choose on."""
    search = findings.search
    seen = [name for name in findings.seen_datasets if name in search.datasets]
    own = [name for name in seen if findings.data(name).validation_images]
    share = f"each of {search.folds} folds" if search.folds else f"{100 * search.validation:g} % of them"
    if not own:
        return share
    if own == seen:
        return "the data set's own validation images" if len(own) == 1 else "the data sets' own validation images"
    return f"{share} (of {escape(', '.join(own))}: its own validation images)"


def is_smaller(search: Search) -> bool:
    """Return whether the command line gave fewer epochs or training images than the search file says."""
    return bool(search.overrides.epochs or search.overrides.train_size)


def smaller_budget(search: Search) -> str:
    """Return what the command line set but for a note, as the end of a sentence; empty where it set nothing."""
    settings = tuple(setting for setting in search.overrides.settings if parted(setting)[0] != _NOTE)
    given = replace(search.overrides, settings=settings).given
    smaller = " ".join(f"{option} {escape(value)}" for option, value in given)
    return f"; set on the command line: {smaller}" if smaller else ""
