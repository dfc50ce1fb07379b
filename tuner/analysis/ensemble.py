"""The ensemble of a data set: which trials are its members, and with which weights, by what is recorded of them.

Members are chosen by greedy selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, 2004).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.validation_predictions import kept_answers, most_kept
from tuner.datasets.store import is_whole, load_from_store
from tuner.errors import CheckError, TrialError, TunerError
from tuner.ledger.ledger import SearchTrial
from tuner.objective import Objective
from tuner.objective.log_loss import cross_entropy
from tuner.protocol import ranked, validation_labels
from tuner.search_file.model import Search
from tuner.trial import ENSEMBLE, Record, Trial
from tuner.workspace import Workspace

#: Of each `[[search]]` so many of the best trials may become members: more add little, and are all held in memory.
MOST_CANDIDATES = 200


@dataclass(frozen=True, eq=False)
class Member:
    """A search trial that an ensemble has `weight` times; `alone` is what it scored by itself.

    `model` names its `[[search]]`.
    """

    model: str
    record: Record
    weight: int
    alone: float


@dataclass(frozen=True, eq=False)
class EnsembleChoice:
    """What was chosen on a data set: the members in the order in which they were taken, and what their mean scored.

    `score` is that of the weighted mean on the images that the trials were chosen on, `best_alone` that of the best
    trial by itself, `among` how many trials there were to take.
    """

    dataset: str
    members: tuple[Member, ...]
    score: float
    best_alone: float
    among: int

    @property
    def is_one(self) -> bool:
        """Whether no mean of several trials scored better than one trial, so that there is no ensemble."""
        return len(self.members) == 1


@dataclass(frozen=True)
class Part:
    """A part of an ensemble that is made: the search trial, its retraining whose model is taken, and the weight."""

    searched: str
    final: str
    weight: int


def greedy(
    answers: Sequence[NDArray[np.float16]],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    objective: Objective,
    most: int,
) -> tuple[list[int], list[float]]:
    """Return which of several answers to the same images are averaged, each as often as it counts, in order.

    At most so many times the one is added with which the mean scores best, whether or not it was taken before; of
    equal ones that with the lower log loss, then the first. What was added behind the best of these means is left out.

    Args:
        answers: probabilities, `(n, classes)`, of each candidate.
        labels: of the images, `(n,)`.
        class_names: the names of the classes.
        objective: what the mean is scored by.
        most: how often one is added.

    Returns:
        The places of those that are averaged, and what the mean scored after each was added.

    Raises:
        InputError: a user's own objective is no longer there as it was.
        TrialError: a user's own objective cannot score the answers.
    """

    def gain_of(mean: NDArray[np.float32]) -> float:
        gain = objective.gain(objective.score(labels, mean, class_names))
        return gain if np.isfinite(gain) else -np.inf

    total = np.zeros(answers[0].shape, np.float32)
    taken: list[int] = []
    reached: list[tuple[float, float]] = []
    for count in range(1, most + 1):
        gains = [gain_of((total + one) / np.float32(count)) for one in answers]
        highest = max(gains)
        best = [place for place, gain in enumerate(gains) if gain == highest]
        losses = [cross_entropy((total + answers[place]) / count, labels) for place in best]
        place = best[int(np.argmin(losses))]
        total += answers[place]
        taken.append(place)
        reached.append((gains[place], -min(losses)))
    last = reached.index(max(reached)) + 1
    return taken[:last], [objective.gain(gain) for gain, _ in reached[:last]]


def chosen_ensembles(
    search: Search, search_trials: Sequence[tuple[SearchTrial, Record | None]], workspace: Workspace
) -> dict[str, EnsembleChoice]:
    """Return what is chosen on each data set that was searched; nothing of one on which there is nothing to take.

    Pruned trials take no part, nor do those of whose answers nothing is kept.

    Raises:
        CheckError: a user's own objective cannot score the answers again.
    """
    if search.ensemble is None:
        return {}
    found = {}
    for dataset in search.datasets:
        choice = _chosen_on(search, dataset, search_trials, search.ensemble.members, workspace)
        if choice is not None:
            found[dataset] = choice
    return found


def _chosen_on(
    search: Search,
    dataset: str,
    search_trials: Sequence[tuple[SearchTrial, Record | None]],
    most: int,
    workspace: Workspace,
) -> EnsembleChoice | None:
    candidates: dict[str, tuple[str, Record]] = {}
    for model_search in search.model_searches:
        order = ranked(
            record
            for one, record in search_trials
            if record
            and (one.role, one.model, one.dataset) == ("search", model_search.name, dataset)
            and not record.trial.is_partial
        )
        for record in order[:MOST_CANDIDATES]:
            candidates.setdefault(record.trial.id, (model_search.name, record))
    if not candidates:
        return None
    records = ranked((record for _, record in candidates.values()), search.objective)
    store = workspace.store_of(records[0].trial.fingerprint)
    if not is_whole(store):  # a plan may be made where it was removed, which a run lays out again
        return None
    data = load_from_store(store)
    labels, classes = validation_labels(records[0].trial, data), len(data.class_names)
    most_there = most_kept(len(labels), classes)
    taking: Counter[str] = Counter()
    there: list[tuple[str, Record]] = []
    answers: list[NDArray[np.float16]] = []
    for record in records:
        model, _ = candidates[record.trial.id]
        taking[model] += 1
        if taking[model] > most_there:  # which the search may have removed
            continue
        mine = kept_answers(record, workspace.artifacts, len(labels), classes)
        if mine is not None:
            there.append((model, record))
            answers.append(mine)
    if not there:
        return None
    objective = search.objective
    try:
        taken, scores = greedy(answers, labels, data.class_names, objective, most)
        alone = {place: objective.score(labels, _whole(answers[place]), data.class_names) for place in set(taken)}
    except (TunerError, TrialError) as error:
        raise CheckError(f"the ensemble on {dataset} cannot be chosen: {error}") from error
    weights = Counter(taken)  # in the order in which they were taken
    members = tuple(Member(*there[place], weight, alone[place]) for place, weight in weights.items())
    return EnsembleChoice(dataset, members, scores[-1], scores[0], len(there))


def _whole(answers: NDArray[np.float16]) -> NDArray[np.float32]:
    return answers.astype(np.float32)


def ensemble_trial(search: Search, dataset: str, fingerprint: str, repeat: int, parts: Sequence[Part]) -> Trial:
    """Return the trial that stands for an ensemble, named by the retrainings that it is made of.

    Args:
        search: which asks for it.
        dataset: its name.
        fingerprint: its content's.
        repeat: of which retrainings, counted from 1.
        parts: what it is made of.
    """
    hold_out = search.held_out_of_retrainings
    return Trial(
        family=ENSEMBLE,
        dataset=dataset,
        fingerprint=fingerprint,
        values={"members": " ".join(f"{part.weight}*{part.searched}:{part.final}" for part in parts)},
        epochs=1,
        seed=search.seed + repeat,
        protocol=search.protocol,
        role="final",
        split_seed=search.seed,
        train_size=search.overrides.train_size,
        test_size=search.overrides.test_size,
        threads=search.threads,
        backend=search.backend,
        hold_out=hold_out,
        objective=search.objective.code if hold_out else "",
    )


def parts_of(trial: Trial) -> tuple[Part, ...]:
    """Return what an ensemble is made of, by the trial that stands for it; nothing of any other trial."""
    if trial.family != ENSEMBLE:
        return ()
    found = []
    for told in str(trial.values.get("members", "")).split():
        weight, _, names = told.partition("*")
        searched, _, final = names.partition(":")
        if not weight.isdecimal():
            return ()  # which no run wrote
        found.append(Part(searched, final, int(weight)))
    return tuple(found)


def is_of(trial: Trial, choice: EnsembleChoice) -> bool:
    """Return whether a trial stands for an ensemble of the members that were chosen."""
    chosen = [(member.record.trial.id, member.weight) for member in choice.members]
    return [(part.searched, part.weight) for part in parts_of(trial)] == chosen


def models_of(trial: Trial, recorded: Mapping[str, Record]) -> list[str]:
    """Return the SHA-256 of the models that an ensemble is made of, in order.

    Args:
        trial: stands for the ensemble.
        recorded: its members' retrainings, by their names; they have completed.
    """
    return [recorded[part.final].result.files["model"] for part in parts_of(trial)]
