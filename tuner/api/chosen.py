"""Which chosen model is meant, by the names that a caller gives or leaves out."""

from __future__ import annotations

from collections.abc import Iterable

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.errors import InputError, suggestion


def check_known(option: str, name: str, known: Iterable[str]) -> None:
    """Raise an `InputError` where `name`, given as `option`, is not among the known ones."""
    names = list(known)
    if name not in names:
        raise InputError(option, f"is {name!r}", suggestion(name, names))


def chosen_on(findings: Findings, dataset: str | None) -> list[Chosen]:
    """Return the chosen models on a data set, at least one; by default on the first of the comparison.

    Raises:
        InputError: there is no such data set, or nothing has been chosen yet.
    """
    if not findings.chosen:
        raise InputError(findings.search.name, "has no chosen model yet", f"run: tuner.run({findings.search.name!r})")
    if dataset is not None:
        check_known(col.DATASET, dataset, findings.datasets)
    return findings.on(dataset or findings.datasets[0])


def chosen_model(findings: Findings, model: str | None, dataset: str | None) -> Chosen:
    """Return a chosen model, by default the best on the first data set of the comparison.

    Raises:
        InputError: there is no such model.
    """
    models = chosen_on(findings, dataset)
    if model is None:
        return max(models, key=lambda chosen: chosen.mean)
    check_known("model", model, (chosen.model for chosen in models))
    return next(chosen for chosen in models if chosen.model == model)
