"""What a search is to train: the proposals of each oracle, and the retrainings of what was chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.analysis.ensemble import EnsembleChoice, Part, chosen_ensembles, ensemble_trial, models_of, parts_of
from tuner.analysis.selection import selections
from tuner.datasets.base import Shape
from tuner.errors import InputError
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.oracles import Proposal
from tuner.running.proposals import Proposals, listed_proposals
from tuner.running.sizes import with_sizes
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.space.given import read_one
from tuner.trial import ARTIFACTS, NEEDED, Record, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.workspace import Workspace


@dataclass(frozen=True)
class Prepared:
    """A data set laid out for workers."""

    fingerprint: str
    folder: Path
    shape: Shape
    classes: int
    images: int


def all_search_proposals(
    search: Search,
    prepared: dict[str, Prepared],
    limits: Mapping[tuple[str, str], int] | None = None,
    left_out: Collection[str] = (),
) -> list[Proposals]:
    """Return the proposals of each `[[search]]` on each data set of the search.

    `limits` says after how many configurations nothing new is proposed, by model and data set, where that is so;
    `left_out` are trials that are not trained.
    """
    most = limits or {}
    return [
        search_proposals(search, model_search, name, prepared[name], most.get((model_search.name, name)), left_out)
        for name in search.datasets
        for model_search in search.model_searches
    ]


def search_proposals(
    search: Search,
    model_search: ModelSearch,
    dataset: str,
    data: Prepared,
    most: int | None = None,
    left_out: Collection[str] = (),
) -> Proposals:
    """Return the proposals of a model search on a data set, at most so many new ones.

    The images of the data set tell how large its networks are, where a rule asks.
    """
    model_search = with_sizes(search, model_search, data.shape, data.classes)
    for change in model_search.changes(dataset):
        if change.values is not None:
            try:
                read_one(change.values, model_search.space)
            except InputError as error:  # in a ledger that somebody else wrote
                raise error.inside(f"{search.name}, what was added to {model_search.name} by hand:") from error
    for earlier in model_search.earlier:
        try:
            read_one(earlier.values, model_search.space)
        except InputError as error:
            place = f"{search.name}, the earlier trial {earlier.trial} of {model_search.name}:"
            raise error.inside(place) from error

    def trial_of(proposal: Proposal) -> Trial:
        values, epochs, stop_after = proposal.values, proposal.epochs, proposal.stop_after
        return search.trial(model_search, dataset, data.fingerprint, values, epochs, stop_after)

    oracle = model_search.oracle(search.seed, most, dataset)
    lag = model_search.lag
    return Proposals(model_search.name, dataset, "search", oracle, trial_of, lag, left_out, model_search)


def final_trials(
    search: Search,
    search_trials: Sequence[tuple[SearchTrial, Record | None]],
    prepared: Mapping[str, Prepared],
    workspace: Workspace,
) -> list[tuple[str, str, list[Trial]]]:
    """Return the retrainings of each row of the comparison on each of its data sets: row, data set, trials.

    Behind them come those of the members of an ensemble, as far as they are of no row.
    """
    selected = selections(search, search_trials, workspace)
    found: list[tuple[str, str, list[Trial]]] = []
    for contender in search.contenders:
        model_search = search.model_search(contender.name)
        for dataset in search.compare or search.datasets:
            selection = selected.get((contender.name, search.chosen_on(dataset)))
            if selection is None:
                continue
            trials = _retrainings(search, model_search, selection.record, dataset, prepared[dataset].fingerprint)
            found.append((contender.name, dataset, trials))
    taken = {(dataset, trials[0].id) for _, dataset, trials in found}
    for dataset, choice in _ensembles(search, search_trials, workspace):
        for number, trials in enumerate(_of_members(search, choice, dataset, prepared), start=1):
            if search.ensemble and (dataset, trials[0].id) not in taken:
                found.append((f"{search.ensemble.name}-member-{number}", dataset, trials))
                taken.add((dataset, trials[0].id))
    return found


def _retrainings(
    search: Search, model_search: ModelSearch, record: Record, dataset: str, fingerprint: str
) -> list[Trial]:
    """Return the retrainings of a search trial on a data set, one for each repeat."""
    again = search.trial(model_search, dataset, fingerprint, record.trial.values, record.trial.epochs)
    return [
        again.as_final(
            search.seed + repeat, record.result.best_epoch, search.held_out_of_retrainings, search.watch_retrainings
        )
        for repeat in range(1, search.repeats + 1)
    ]


def _ensembles(
    search: Search, search_trials: Sequence[tuple[SearchTrial, Record | None]], workspace: Workspace
) -> Iterator[tuple[str, EnsembleChoice]]:
    """Yield the data sets that have an ensemble, with what was chosen for it."""
    choices = chosen_ensembles(search, search_trials, workspace)
    for dataset in search.compare or search.datasets:
        choice = choices.get(search.chosen_on(dataset))
        if choice is not None and not choice.is_one:
            yield dataset, choice


def _of_members(
    search: Search, choice: EnsembleChoice, dataset: str, prepared: Mapping[str, Prepared]
) -> list[list[Trial]]:
    """Return the retrainings of each member of an ensemble on a data set."""
    return [
        _retrainings(search, search.model_search(one.model), one.record, dataset, prepared[dataset].fingerprint)
        for one in choice.members
    ]


def all_ensemble_proposals(
    search: Search, ledger: Ledger, prepared: Mapping[str, Prepared], workspace: Workspace
) -> list[tuple[Proposals, int]]:
    """Return the proposals of the ensembles whose members are all retrained, with their number.

    One that was lost, or made of other models than those that are recorded now, is forgotten.
    """
    all_proposals = []
    for dataset, choice in _ensembles(search, ledger.search_trials(search.name), workspace):
        members = _of_members(search, choice, dataset, prepared)
        trials = []
        for repeat in range(1, search.repeats + 1):
            finals = [mine[repeat - 1] for mine in members]
            records = {final.id: record for final in finals if (record := ledger.get(final.id)) and record.completed}
            if len(records) < len({final.id for final in finals}):
                continue
            parts = [
                Part(one.record.trial.id, final.id, one.weight)
                for one, final in zip(choice.members, finals, strict=True)
            ]
            trial = ensemble_trial(search, dataset, prepared[dataset].fingerprint, repeat, parts)
            made = ledger.get(trial.id)
            if made is not None and made.completed:
                others = made.result.environment.get("members") != models_of(trial, records)
                if others or is_lost(made, workspace):
                    ledger.forget_trial(trial.id)
            trials.append(trial)
        if trials and search.ensemble:
            all_proposals.append((listed_proposals(search.ensemble.name, dataset, trials), len(trials)))
    return all_proposals


def member_models(trial: Trial, ledger: Ledger, workspace: Workspace) -> tuple[tuple[Path, int], ...]:
    """Return the saved models that an ensemble is made of, each with its weight; nothing of any other trial."""
    parts = parts_of(trial)
    records = {part.final: record for part in parts if (record := ledger.get(part.final))}
    models = models_of(trial, records)
    folder, suffix = workspace.artifacts.resolve(), ARTIFACTS["model"]
    return tuple(
        (artifact_path(folder, part.final, sha256, suffix), part.weight)
        for part, sha256 in zip(parts, models, strict=True)
    )


def all_final_proposals(
    search: Search, ledger: Ledger, prepared: dict[str, Prepared], workspace: Workspace
) -> list[tuple[Proposals, int]]:
    """Return the proposals of these retrainings, with their number; what was lost of recorded ones is forgotten."""
    all_proposals = []
    for model, dataset, trials in final_trials(search, ledger.search_trials(search.name), prepared, workspace):
        for trial in trials:
            record = ledger.get(trial.id)
            if record is not None and is_lost(record, workspace):
                ledger.forget_trial(trial.id)
        all_proposals.append((listed_proposals(model, dataset, trials), len(trials)))
    return all_proposals


def is_lost(record: Record, workspace: Workspace) -> bool:
    """Tell whether the model or the predictions of a final trial are no longer what was recorded."""
    if not record.completed:
        return False
    for kind in NEEDED:
        sha256 = record.result.files[kind]
        if not _is_there(artifact_path(workspace.artifacts, record.trial.id, sha256, ARTIFACTS[kind]), sha256):
            return True
    return False


def _is_there(file: Path, sha256: str) -> bool:
    try:
        return sha256_of(file) == sha256
    except InputError:
        return False
