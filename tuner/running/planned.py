"""What a search is to train: the proposals of each oracle, and the retrainings of what was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.analysis.findings import winners
from tuner.datasets.base import Shape
from tuner.errors import InputError
from tuner.ledger.ledger import Ledger
from tuner.oracles import Proposal
from tuner.running.proposals import Proposals, listed_proposals
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.trial import ARTIFACTS, NEEDED, Trial, artifact_path
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


def all_search_proposals(search: Search, prepared: dict[str, Prepared]) -> list[Proposals]:
    """Return the proposals of each `[[search]]` on each data set of the search."""
    return [
        _search_proposals(search, model_search, name, prepared[name].fingerprint)
        for name in search.datasets
        for model_search in search.model_searches
    ]


def _search_proposals(search: Search, model_search: ModelSearch, dataset: str, fingerprint: str) -> Proposals:
    def trial_of(proposal: Proposal) -> Trial:
        return search.trial(model_search, dataset, fingerprint, proposal.values, proposal.epochs)

    return Proposals(model_search.name, dataset, "search", model_search.oracle(search.seed), trial_of, model_search.lag)


def all_final_proposals(
    search: Search, ledger: Ledger, prepared: dict[str, Prepared], workspace: Workspace
) -> list[tuple[Proposals, int]]:
    """Return the retrainings of each chosen model on each data set that it is compared on, with their number."""
    best = winners(search, ledger.search_trials(search.name))
    all_proposals = []
    for model_search in search.model_searches:
        for dataset in search.compare or search.datasets:
            winner = best.get((model_search.name, search.chosen_on(dataset)))
            if winner is None:
                continue
            again = search.trial(
                model_search, dataset, prepared[dataset].fingerprint, winner.trial.values, winner.trial.epochs
            )
            trials = [
                again.as_final(search.seed + repeat, winner.result.best_epoch, search.held_out_of_retrainings)
                for repeat in range(1, search.repeats + 1)
            ]
            for trial in trials:
                _forget_if_lost(trial, ledger, workspace)
            all_proposals.append((listed_proposals(model_search.name, dataset, trials), len(trials)))
    return all_proposals


def _forget_if_lost(trial: Trial, ledger: Ledger, workspace: Workspace) -> None:
    """Let a final trial be trained again if its model or predictions are no longer what was recorded."""
    record = ledger.get(trial.id)
    if record is None or not record.completed:
        return
    for kind in NEEDED:
        sha256 = record.result.files[kind]
        file = artifact_path(workspace.artifacts, trial.id, sha256, ARTIFACTS[kind])
        if not _is_there(file, sha256):
            ledger.forget_trial(trial.id)
            return


def _is_there(file: Path, sha256: str) -> bool:
    try:
        return sha256_of(file) == sha256
    except InputError:
        return False
