"""What a search file says that only makes sense beside the rest of it: names, settings that need another, epochs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from tuner.errors import InputError, suggestion
from tuner.families.pretrained import HEAD_EPOCHS, STAGE
from tuner.objective import ToldObjective
from tuner.recipe import RECIPE
from tuner.recipe.schedules import parse_steps
from tuner.search_file.claims import Claim
from tuner.search_file.contenders import SMALLEST, Choose
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.tables import ReportOptions, StudyResults
from tuner.space.parameters import Choice, Domain, Range, Value
from tuner.space.space import Space


def check_names(
    report: ReportOptions,
    study: StudyResults | None,
    model_searches: Sequence[ModelSearch],
    first: str,
    datasets: Collection[str],
) -> None:
    """Check that what `[report]` and `[published]` name is there.

    Args:
        report: `[report]`.
        study: `[published]`, if the file has it.
        model_searches: of the file.
        first: the data set that is meant where none is named.
        datasets: every data set of the file.

    Raises:
        InputError: the first name that is not.
    """
    domains = {model_search.name: model_search.space.domains for model_search in model_searches}
    parameters = set[str]().union(*domains.values())
    is_open = any(model_search.space.is_open for model_search in model_searches)

    def known(place: str, what: str, name: str, names: Collection[str]) -> None:
        if name not in names and not (is_open and what.startswith("parameter")):  # which a build may ask for
            raise InputError(place, f"no {what} is named {name!r}; {suggestion(name, names)}")

    for pair in report.pivots:
        for name in pair:
            known("report.pivots", "parameter", name, {*parameters, "model"})
        if pair[0] == pair[1]:
            raise InputError("report.pivots", f"{pair[0]!r} stands there twice", "name two parameters")
    if report.curves:
        known("report.curves", "parameter", report.curves, parameters)
    if study is None:
        return
    for index, score in enumerate(study.scores, start=1):
        known(f"published.scores {index}", "search", score.model, domains)
        known(f"published.scores {index}", "data set", score.dataset, datasets)
    for index, printed in enumerate(study.trials, start=1):
        place = f"published.trials {index}"
        known(place, "search", printed.model, domains)
        known(place, "data set", printed.dataset or first, datasets)
        for name in printed.values:
            known(place, f"parameter of {printed.model}", name, domains[printed.model])
    for index, group in enumerate(study.groups, start=1):
        known(f"published.groups {index}", "parameter", group.parameter, parameters)
        known(f"published.groups {index}", "data set", group.dataset or first, datasets)
    for index, claim in enumerate(study.claims, start=1):
        for what, name in _names_of(claim):
            names = {"data set": datasets, "search": domains, "parameter": parameters}[what]
            known(f"published.claims {index}", what, name, names)


def _names_of(claim: Claim) -> Iterator[tuple[str, str]]:
    """Yield what a claim names, each with what it is to be."""
    gains = claim.gains
    models = [str(name) for name in claim.named if claim.parameter is None]
    models += [name for name in (claim.flattered, claim.model) if name is not None]
    yield from (("search", name) for name in (*models, *((gains.model, gains.over) if gains else ())))
    on = [claim.dataset] if claim.dataset is not None else []
    yield from (("data set", name) for name in (*on, *((gains.on, gains.than) if gains else ())))
    yield from (("parameter", name) for name in (claim.parameter, *claim.where) if name is not None)


def check_choose(choose: Choose, model_searches: Sequence[ModelSearch]) -> None:
    """Refuse a choice by the standard error of a score that only a user's own network can compute.

    Raises:
        InputError: it names the objective.
    """
    told = next((one.objective for one in model_searches if isinstance(one.objective, ToldObjective)), None)
    if choose == SMALLEST and told is not None:
        problem = f"{choose!r} needs the standard error of {told.form}, which only the network's own training computes"
        raise InputError("choose", problem, "leave it out, or take another objective")


def check_ensemble(search: Search) -> None:
    """Refuse an ensemble whose members cannot be chosen, or only on the images that score it.

    Raises:
        InputError: it names the key and what it is at odds with.
    """
    if search.ensemble is None:
        return
    if search.protocol == "published":
        problem = "would be chosen on the test images, which then score it (protocol = 'published')"
        raise InputError("report.ensemble", problem, "leave it out, or take protocol = 'holdout'")
    if isinstance(search.objective, ToldObjective):
        problem = f"is chosen by what a mean scores, and only a network's own training computes {search.objective.form}"
        raise InputError("report.ensemble", problem, "leave it out, or take another objective")


def check_settings_matter(recipe: Mapping[str, Value], model_searches: Sequence[ModelSearch]) -> None:
    """Refuse a setting of `[training]` that no search could ever use, such as momentum beside Adam.

    Raises:
        InputError: it names the setting and what it needs.
    """
    for parameter in RECIPE:
        if parameter.name not in recipe or parameter.when is None or any(m.space.is_open for m in model_searches):
            continue
        parent, needed = parameter.when
        offered = {value for model_search in model_searches for value in _choices(model_search.space.domains[parent])}
        if offered and not offered & set(needed):
            raise InputError(
                f"training.{parameter.name}",
                f"is never used: it needs {parent} = {' or '.join(map(repr, needed))}",
                "remove it, or set that",
            )


def _choices(domain: Domain) -> tuple[Value, ...]:
    return domain.values if isinstance(domain, Choice) else ()


def check_schedule(space: Space, epochs: int) -> None:
    """Refuse drops of the learning rate, or a warm-up, that this many epochs never come to.

    Raises:
        InputError: it names the value.
    """
    kinds = _choices(space.domains["schedule"])
    for text in _choices(space.domains["schedule_steps"]) if "steps" in kinds else ():
        last = parse_steps(str(text))[-1]
        if last >= epochs:
            raise InputError(
                "schedule_steps", f"{text!r} goes beyond {epochs} epochs", 'give shares of the training: "0.5 0.75"'
            )
    for warmup in _choices(space.domains["warmup_epochs"]):
        if int(warmup) >= epochs:
            raise InputError("warmup_epochs", f"{warmup} is not below the {epochs} epochs of the training")


def check_stages(space: Space, named: Collection[str], epochs: int) -> None:
    """Refuse a first stage of the head alone that fine-tuning never follows.

    Raises:
        InputError: it names the value.
    """
    for parameter in space.parameters:
        if parameter.name in named and parameter.name in STAGE and parameter.when is not None and not parameter.when[1]:
            problem = f"is never used: it needs {parameter.when[0]} above 0"
            raise InputError(f"space.{parameter.name}", problem, "remove it, or set that")
    first = space.domains[HEAD_EPOCHS]
    most = int(first.high if isinstance(first, Range) else max(map(int, first.values)))
    if most >= epochs:
        problem = f"{most} of {epochs} epochs leave none for fine-tuning"
        raise InputError(f"space.{HEAD_EPOCHS}", problem, "take fewer, or train for more epochs")


def capitals(search: Search) -> list[str]:
    """Return a sentence for each value of a search file that is a known one but for its capitals."""
    said: dict[str, None] = {}
    tables = [("training", search.content["training"], RECIPE)]
    for number, (table, model_search) in enumerate(
        zip(search.content["search"], search.model_searches, strict=True), start=1
    ):
        tables.append((f"[[search]] {number} space", table.get("space", {}), model_search.space.parameters))
    for place, given, parameters in tables:
        for parameter in parameters:
            raw = given.get(parameter.name)
            for value in raw if isinstance(raw, list) else [raw]:
                if isinstance(value, str) and parameter.meant(value) != value:
                    said[f"{place}.{parameter.name}: {value!r} is read as {parameter.meant(value)!r}."] = None
    return list(said)
