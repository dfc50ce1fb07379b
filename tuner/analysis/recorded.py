"""Findings as the ledger and the saved predictions hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from tuner.analysis.ensemble import EnsembleChoice, chosen_ensembles, is_of
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.looks import looks_at
from tuner.analysis.scoring import load_predictions
from tuner.analysis.selection import Selection, selections
from tuner.datasets.store import load_from_store
from tuner.errors import CheckError, InputError
from tuner.ledger.furthest import furthest
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.objective import OwnObjective
from tuner.protocol import saved_of, test_images
from tuner.search_file.contenders import Contender
from tuner.search_file.model import Search
from tuner.system.waiting import doing
from tuner.trial import Record, artifact_path
from tuner.workspace import Workspace, recorded_search, search_name


def load_findings(ledger: Ledger, search: Search, workspace: Workspace) -> Findings:
    """Read what is recorded of a search.

    Raises:
        CheckError: saved predictions or a saved model are missing or were changed.
        InputError: the ledger holds what no run wrote.
    """
    order = {contender.name: index for index, contender in enumerate(search.listed)}
    trainings = ledger.all_search_trials(search.name)
    search_trials = furthest(trainings)
    decisions = ledger.decisions(search.name)
    search = _with_recorded_objectives(search.as_recorded(ledger), search_trials)
    for search_trial, _ in search_trials:
        if search_trial.model not in order or search_trial.dataset not in search.all_datasets:
            problem = (
                f"lists a trial of {search_trial.model!r} on {search_trial.dataset!r}, which {search.name} has not"
            )
            raise InputError(str(ledger.path), problem, "move it away")
    _check_data(ledger, [(search_trial, record) for search_trial, record in search_trials if record is not None])
    search_trials = sorted(
        search_trials, key=lambda pair: (pair[0].role != "search", order.get(pair[0].model, len(order)))
    )
    selected = selections(search, search_trials, workspace)
    ensembles: dict[str, EnsembleChoice] = {}
    with suppress(CheckError):  # a user's own objective may have changed since, without which there is still a report
        ensembles = chosen_ensembles(search, search_trials, workspace)
    chosen = []
    for dataset in search.compare or search.datasets:
        for contender in search.contenders:
            if contender.limit and (contender.name, search.chosen_on(dataset)) not in selected:
                continue  # an earlier run may have chosen otherwise
            finals = tuple(
                record
                for search_trial, record in search_trials
                if record
                and record.completed
                and (search_trial.role, search_trial.model, search_trial.dataset) == ("final", contender.name, dataset)
            )
            if finals:
                selection = selected.get((contender.name, dataset))
                chosen.append(_chosen(search, contender, dataset, selection, finals, workspace))
        choice = ensembles.get(search.chosen_on(dataset))
        if search.ensemble and choice and (made := _made_of(choice, search.ensemble, dataset, search_trials)):
            chosen.append(replace(_chosen(search, search.ensemble, dataset, None, made, workspace), ensemble=choice))
    finished = tuple((search_trial, record) for search_trial, record in search_trials if record is not None)
    began, attempts = ledger.began(search.name), ledger.attempts(search.name)
    further = tuple(_further_splits(ledger, search, workspace))
    done = ledger.is_finished(search.name)
    # A search is closed behind its last split; a second one begins behind the first.
    first = done or (search.splits > 1 and _ran(ledger, search, search.at_split(2).name))
    prints = {search_trial.dataset: record.trial.fingerprint for search_trial, record in finished}
    looks = {dataset: looks_at(ledger, fingerprint, workspace.store) for dataset, fingerprint in prints.items()}
    known = {search_trial.trial for search_trial, _ in finished}
    earlier = tuple((one, record) for one, record in trainings if record is not None and one.trial not in known)
    events = tuple(ledger.events(search.name))
    folds = tuple(_fold_trainings(ledger, (*finished, *earlier)))
    attempts |= {one.trial: attempt for one, _ in folds if (attempt := ledger.attempt(one.trial))}
    return Findings(
        search,
        finished,
        tuple(chosen),
        workspace,
        done,
        began,
        attempts,
        further,
        first,
        looks,
        earlier,
        events,
        folds,
        tuple(decisions),
        ensembles,
        {
            trial: frozenset(other.partition("#")[0] for other in others) - {search.file_name}
            for trial, others in ledger.listed_elsewhere(search.name).items()
        },
    )


def _made_of(
    choice: EnsembleChoice,
    ensemble: Contender,
    dataset: str,
    search_trials: Sequence[tuple[SearchTrial, Record | None]],
) -> tuple[Record, ...]:
    """Return the ensembles on a data set that are made of what was chosen; an earlier run may have chosen otherwise."""
    return tuple(
        record
        for one, record in search_trials
        if record
        and record.completed
        and (one.role, one.model, one.dataset) == ("final", ensemble.name, dataset)
        and is_of(record.trial, choice)
    )


def _fold_trainings(
    ledger: Ledger, trials: Sequence[tuple[SearchTrial, Record]]
) -> Iterator[tuple[SearchTrial, Record]]:
    """Yield the trainings of the single folds of cross-validated trials."""
    for search_trial, record in trials:
        for part in record.trial.parts:
            if fold := ledger.get(part.id):
                yield replace(search_trial, trial=part.id), fold


def _with_recorded_objectives(search: Search, search_trials: Sequence[tuple[SearchTrial, Record | None]]) -> Search:
    """Return a search with users' own objectives as its trials name them, whatever became of the code since."""
    found = []
    for model_search in search.model_searches:
        objective = model_search.objective
        code = next((r.trial.objective for one, r in search_trials if r and one.model == model_search.name), "")
        recorded = objective.as_recorded(code) if isinstance(objective, OwnObjective) and code else objective
        found.append(replace(model_search, objective=recorded))
    return replace(search, model_searches=tuple(found))


def _further_splits(ledger: Ledger, search: Search, workspace: Workspace) -> Iterator[Findings]:
    """Yield what the finished further splits of a search found, as far as they ran with the same search file."""
    for number in range(2, search.splits + 1) if search.split == 1 else ():
        one = search.at_split(number)
        if ledger.is_finished(one.name) and _ran(ledger, search, one.name):
            yield load_findings(ledger, one, workspace)


def _ran(ledger: Ledger, search: Search, name: str) -> bool:
    """Return whether a further split of a search, by its name, has begun with the search file as it is."""
    return ledger.search_content(name) is not None and recorded_search(ledger, name).key == search.key


def _check_data(ledger: Ledger, search_trials: Sequence[tuple[SearchTrial, Record]]) -> None:
    """See that all trials of a search on one data set had the same images."""
    fingerprints: dict[str, str] = {}
    for search_trial, record in search_trials:
        mine = record.trial.fingerprint
        if fingerprints.setdefault(search_trial.dataset, mine) != mine or search_trial.role != record.trial.role:
            problem = (
                f"lists trial {search_trial.trial}, which is none of the other trials' on {search_trial.dataset!r}"
            )
            raise InputError(str(ledger.path), problem, "keep the file, and pass another --runs-dir")


def recorded_findings(name: str, workspace: Workspace) -> Findings:
    """Return what is recorded of a search, given by name or by path.

    Raises:
        CheckError: saved predictions or a saved model are missing or were changed.
        InputError: it has not been run here, or the ledger holds what no run wrote.
    """
    with workspace.existing_ledger(name) as ledger, doing(f"reading what is recorded of {search_name(name)}"):
        return load_findings(ledger, recorded_search(ledger, search_name(name)), workspace)


def _chosen(
    search: Search,
    contender: Contender,
    dataset: str,
    selection: Selection | None,
    finals: tuple[Record, ...],
    workspace: Workspace,
) -> Chosen:
    def file_of(record: Record, kind: str, suffix: str) -> Path:
        return artifact_path(workspace.artifacts, record.trial.id, record.result.files[kind], suffix)

    place = saved_of(finals, search.save)
    artifact = file_of(finals[place], "model", ".keras")
    if not artifact.is_file():
        raise CheckError(f"{artifact}: the saved model is missing; run the search again to train it again")
    data = load_from_store(workspace.store_of(finals[0].trial.fingerprint))
    predictions = tuple(
        load_predictions(file_of(record, "predictions", ".npz"), record.result.files["predictions"], data.class_names)
        for record in finals
    )
    for record, told in zip(finals, predictions, strict=True):
        if not np.array_equal(told.labels, data.y_test[test_images(record.trial, data.y_test)]):
            path = file_of(record, "predictions", ".npz")
            raise CheckError(
                f"{path}: the saved predictions are of other images than {workspace.store_of(record.trial.fingerprint)}"
            )
    slug = search.slugs[dataset]
    winner = selection.record if selection else None
    return Chosen(
        contender.name,
        contender.label,
        dataset,
        slug,
        winner,
        finals,
        predictions,
        artifact,
        place,
        search.save,
        selection,
        number=search.number(contender.name),
    )
