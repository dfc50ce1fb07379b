"""Fewer trials than a search file asks for, and why: one sentence, the same in the terminal and in the report."""

from __future__ import annotations

from tuner.search_file.model_search import ModelSearch


def planned_shortfall(model_search: ModelSearch) -> str:
    """Return why a model search will have fewer trials on a data set than its `max_trials`; empty where it will not."""
    planned, asked = model_search.planned(), model_search.asked_trials
    if asked is None or planned >= asked:
        return ""
    why = model_search.algorithm.why_fewer(model_search.space, asked, model_search.epochs)
    return f"{model_search.label} has {_trials(planned)}, not the {asked} of max_trials: {why}."


def shortfall(model_search: ModelSearch, dataset: str, proposed: int, failed: int) -> str:
    """Return why a model search of a finished search had fewer trials on a data set than its file asks for.

    Args:
        model_search: the `[[search]]`.
        dataset: where.
        proposed: how many search trials it had there, with what was added by hand.
        failed: how many of them failed.
    """
    if model_search.algorithm.lists_grid or proposed >= model_search.planned(dataset):
        return planned_shortfall(model_search)
    asked = max(model_search.asked_trials or 0, model_search.planned(dataset))
    return f"{model_search.label} had {_trials(proposed)}, not {asked}: {model_search.algorithm.why_ended(failed)}."


def _trials(number: int) -> str:
    return f"{number:,} trial{'s' if number != 1 else ''}"
