"""What a search found: its trials, the chosen configurations, their retrainings and their predictions.

Read from the ledger and the saved predictions alone; the report and `tuner compare` are computed from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.chance import chance_among, says_nothing
from tuner.analysis.ensemble import EnsembleChoice
from tuner.analysis.looks import Looks
from tuner.analysis.scoring import Predictions
from tuner.analysis.selection import Selection
from tuner.analysis.validation_predictions import Answers, answers_of, kept_answers
from tuner.datasets.base import Dataset
from tuner.datasets.copies import Copies, copies
from tuner.datasets.store import load_from_store, stored_files
from tuner.errors import TrialError, TunerError
from tuner.ledger.events import Event, Stop, in_force
from tuner.ledger.ledger import SearchTrial
from tuner.ledger.requests import Decision
from tuner.objective import ACCURACY, Objective
from tuner.protocol import ranked, validation_labels
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.trial import Attempt, Record, Save, Trial
from tuner.workspace import Workspace

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Chosen:
    """A model that a search chose, on one data set.

    `model` names its row of the comparison. `winner` is its search trial (None where the data set is only compared on)
    and `selection` says how that was chosen; an ensemble has `ensemble` in their place, also where it is only compared
    on. `finals` are its completed retrainings, and `all_predictions` theirs in the same order; `place` says which of
    them is the saved model, and `save` how it was picked. `number` is its place among all that a search compares, by
    which it has its colour in every figure.
    """

    model: str
    label: str
    dataset: str
    slug: str
    winner: Record | None
    finals: tuple[Record, ...]
    all_predictions: tuple[Predictions, ...]
    artifact: Path
    place: int = 0
    save: Save = "first"
    selection: Selection | None = None
    ensemble: EnsembleChoice | None = None
    number: int = 0

    @property
    def search_score(self) -> float | None:
        """What it scored on the images that it was chosen on; None where the data set is only compared on."""
        if self.ensemble is not None and self.ensemble.dataset == self.dataset:
            return self.ensemble.score
        return self.winner.score if self.winner else None

    @property
    def saved(self) -> Record:
        """The retraining whose model is kept."""
        return self.finals[self.place]

    @property
    def predictions(self) -> Predictions:
        """The saved model's predictions."""
        return self.all_predictions[self.place]

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each retraining classified each test image rightly, `(retrainings, n)`."""
        return np.stack([predictions.correct for predictions in self.all_predictions])

    @property
    def file_name(self) -> str:
        """The saved model's name in the report's folder."""
        return f"{self.model}-{self.slug}.keras"

    @cached_property
    def test_accuracies(self) -> NDArray[np.float64]:
        """The test accuracy of each retraining."""
        return np.array([record.result.test_accuracy for record in self.finals], dtype=np.float64)

    @property
    def mean(self) -> float:
        """Mean test accuracy over the retrainings."""
        return float(self.test_accuracies.mean())

    @property
    def sd(self) -> float | None:
        """Sample standard deviation of the test accuracy over the retrainings; None where there is one."""
        return float(self.test_accuracies.std(ddof=1)) if len(self.finals) > 1 else None

    def by(self, objective: Objective) -> NDArray[np.float64]:
        """Return the score of each retraining on the test images by an objective, `(retrainings,)`.

        NaN where it is a user's own whose code is not there as it was, or that raises; see `why_not_scored`.
        """
        return self._scored(objective)[0]

    def mean_and_sd(self, objective: Objective) -> tuple[float, float | None]:
        """Return mean and sample standard deviation of `by`; None for the latter where there is one retraining."""
        scores = self.by(objective)
        return float(scores.mean()), float(scores.std(ddof=1)) if len(scores) > 1 else None

    def why_not_scored(self, objective: Objective) -> str:
        """Return why the retrainings have no score by an objective; empty where they have."""
        return self._scored(objective)[1]

    def _scored(self, objective: Objective) -> tuple[NDArray[np.float64], str]:
        """Return the scores of the retrainings by an objective, and why there are none; computed once."""
        if objective not in self._scores:
            try:
                scored = [objective.score(p.labels, p.probabilities, p.class_names) for p in self.all_predictions]
                self._scores[objective] = np.array(scored), ""
            except (TunerError, TrialError) as error:
                self._scores[objective] = np.full(len(self.all_predictions), np.nan), str(error)
            self._scores[objective][0].setflags(write=False)
        return self._scores[objective]

    @cached_property
    def _scores(self) -> dict[Objective, tuple[NDArray[np.float64], str]]:
        return {}

    @property
    def megabytes(self) -> float:
        """Size of the saved model's file, in 10**6 bytes."""
        return self.artifact.stat().st_size / 1e6

    @property
    def told_megabytes(self) -> float:
        """The same to the kilobyte, as tables tell it: equal where files differ by the names of layers alone."""
        return round(self.megabytes, 3)


@dataclass(frozen=True, eq=False)
class Findings:
    """A search and everything that is recorded of it; `finished` if its last run got to its end.

    `began` is when the search began, in seconds since 1970, UTC, and `attempts` when and where each trial ran, by its
    name. `further` is what the same search found on further splits of all images, where it asks for them, as far as
    they have finished; `first_split_finished` says whether its first one has, which these findings are of. `looks`
    tells of each data set how often its test images were scored. `earlier_trainings` are those of trials to an epoch
    where they might have been pruned, and from which they went on; `fold_trainings` are those of the single folds of
    cross-validated trials, each at its trial's place. `events` are what ended it before its end, and `decisions`
    what was decided on requests of those who watched it. `ensembles` are what was chosen for the ensemble
    of each data set that was searched, where one is asked for. `elsewhere` names the other searches of the ledger that
    have the same trials, by the name of each such trial.
    """

    search: Search
    search_trials: tuple[tuple[SearchTrial, Record], ...]
    chosen: tuple[Chosen, ...]
    workspace: Workspace
    finished: bool = True
    began: float | None = None
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    further: tuple[Findings, ...] = ()
    first_split_finished: bool = True
    looks: Mapping[str, Looks] = field(default_factory=dict)
    earlier_trainings: tuple[tuple[SearchTrial, Record], ...] = ()
    events: tuple[Event, ...] = ()
    fold_trainings: tuple[tuple[SearchTrial, Record], ...] = ()
    decisions: tuple[Decision, ...] = ()
    ensembles: Mapping[str, EnsembleChoice] = field(default_factory=dict)
    elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def finished_splits(self) -> int:
        """How many of the splits of all images that the search asks for have finished."""
        return int(self.first_split_finished) + len(self.further)

    def __repr__(self) -> str:
        state = "finished" if self.finished else "unfinished"
        return f"<Findings of {self.search.name!r}: {len(self.search_trials)} trials, {state}>"

    @property
    def ended(self) -> Event | None:
        """The event by which the search has ended before its end; None where it has not."""
        return in_force(self.events)

    def stop_of(self, model: str, dataset: str) -> Stop | None:
        """Return where the hours of the search ended a model search on a data set; None where they have not."""
        stops = self.ended.stops if self.ended else ()
        return next((stop for stop in stops if (stop.model, stop.dataset) == (model, dataset)), None)

    @cached_property
    def recorded_before(self) -> list[Record]:
        """Its trials, retrainings among them, that had ended before it began."""
        ended = {trial: attempt.ended for trial, attempt in self.attempts.items()}
        began = -np.inf if self.began is None else self.began
        return [record for _, record in self.search_trials if ended.get(record.trial.id, np.inf) < began]

    @property
    def imported(self) -> str:
        """The tool that the trials were imported from, which came without images; empty where they are ours."""
        return next((record.imported for _, record in self.search_trials if record.imported), "")

    def trials(self, model: str | None = None, dataset: str | None = None) -> list[Record]:
        """Return the finished search trials, of one model search or data set where given, in order of proposal.

        A row of the comparison has those of its model search, an ensemble those of all.
        """
        model = None if model is None else self.search.contender(model).searched or None
        return [
            record
            for search_trial, record in self.search_trials
            if search_trial.role == "search"
            and model in (None, search_trial.model)
            and dataset in (None, search_trial.dataset)
        ]

    def whole_trials(self, model: str | None = None, dataset: str | None = None) -> list[Record]:
        """Return the completed search trials that were not pruned, whose scores can be held against each other."""
        return [r for r in self.trials(model, dataset) if r.completed and not r.trial.is_partial]

    @property
    def failed(self) -> list[tuple[SearchTrial, Record]]:
        """Return the failed trials, final ones too."""
        return [(search_trial, record) for search_trial, record in self.search_trials if not record.completed]

    def on(self, dataset: str) -> list[Chosen]:
        """Return the chosen models on a data set, in the order of the search file."""
        return [chosen for chosen in self.chosen if chosen.dataset == dataset]

    @property
    def datasets(self) -> list[str]:
        """The data sets with a chosen model, in the order of the comparison."""
        order = self.search.compare or self.search.datasets
        return [name for name in order if self.on(name)]

    def data(self, dataset: str) -> Dataset:
        """Return a data set as the search saw it."""
        fingerprint = next(
            record.trial.fingerprint for search_trial, record in self.search_trials if search_trial.dataset == dataset
        )
        return load_from_store(self.workspace.store_of(fingerprint))

    def files(self, dataset: str) -> Sequence[str]:
        """Return the file of each test image of a data set that comes from a folder, within it; else nothing."""
        fingerprint = next(
            record.trial.fingerprint for search_trial, record in self.search_trials if search_trial.dataset == dataset
        )
        return stored_files(self.workspace.store_of(fingerprint)).get("test", ())

    def copies(self, dataset: str) -> Copies:
        """Return which images of a data set stand on two sides of its split."""
        return self.once(_copies, dataset)

    def once(self, compute: Callable[..., _T], *arguments: str) -> _T:
        """Return `compute(self, *arguments)`, computed when it is first asked for, and kept as long as these findings.

        Findings never change, and report, page and displays ask for the same things.
        """
        key = (compute, arguments)
        if key not in self._kept:
            self._kept[key] = compute(self, *arguments)
        return self._kept[key]  # type: ignore[no-any-return]

    @cached_property
    def _kept(self) -> dict[tuple[object, tuple[str, ...]], Any]:
        return {}

    def best_trials(self, dataset: str) -> list[tuple[ModelSearch, Record]]:
        """Return the best search trial on a data set of each model search that has one, in the order of the file."""
        model_searches = self.search.model_searches
        return [(e, self._winners[e.name, dataset]) for e in model_searches if (e.name, dataset) in self._winners]

    @cached_property
    def _winners(self) -> dict[tuple[str, str], Record]:
        return winners(self.search, self.search_trials)

    def chosen_on_images(self, trial: Trial) -> NDArray[np.int64]:
        """Return the labels of the images that a search trial was validated on."""
        return self._validation_labels[trial.fingerprint]

    @cached_property
    def _validation_labels(self) -> dict[str, NDArray[np.int64]]:
        """The labels that trials were validated on, by fingerprint: all of a search on one data set share the split."""
        found: dict[str, NDArray[np.int64]] = {}
        for trial in (record.trial for record in self.trials()):
            if trial.fingerprint not in found:
                data = load_from_store(self.workspace.store_of(trial.fingerprint))  # which has a name of its own there
                found[trial.fingerprint] = validation_labels(trial, data)
        return found

    def answers(self, model: str, dataset: str) -> Answers:
        """Return what the trials of a model answered to the images that they were chosen on, as far as it is kept.

        Of those that were pruned none was chosen among the others.
        """
        order = ranked(self.trials(model, dataset))
        order = [record for record in order if not record.trial.is_partial] or order
        labels = self.chosen_on_images(order[0].trial)
        names, objective = self.data(dataset).class_names, self.objective_of(model)
        return answers_of(order, self.workspace.artifacts, labels, names, objective)

    def validation_answers(self, record: Record) -> NDArray[np.float16] | None:
        """Return what a search trial answered to the images that it was chosen on, `(n, classes)`; None if not kept."""
        classes = len(load_from_store(self.workspace.store_of(record.trial.fingerprint)).class_names)
        images = len(self.chosen_on_images(record.trial))
        return kept_answers(record, self.workspace.artifacts, images, classes)

    def chance(self, trial: Trial) -> float:
        """Return the accuracy up to which a search trial has not left chance.

        See `chance_among`.
        """
        return chance_among(self.chosen_on_images(trial))

    def score_at_chance(self, trial: Trial, objective: Objective) -> float | None:
        """Return the score up to which a search trial has not left chance; None for other objectives than accuracy."""
        return self.chance(trial) if objective is ACCURACY and not self.imported else None

    def objective_of(self, model: str) -> Objective:
        """Return what a model is chosen by."""
        return self.search.objective_of(model)

    def stuck_at_chance(self, record: Record) -> bool:
        """Return whether a completed search trial never left chance, in any epoch; of an imported one nobody knows."""
        if self.imported:
            return False
        reached = [record.result.val_accuracy or 0.0, *record.result.history.get(col.VAL_ACCURACY, [])]
        if max(reached) > self.chance(record.trial):
            return False
        answers = self.validation_answers(record)
        return answers is None or says_nothing(self.chosen_on_images(record.trial), answers.argmax(axis=1))

    @property
    def seen_datasets(self) -> list[str]:
        """The data sets of the trials that have finished."""
        return list(dict.fromkeys(search_trial.dataset for search_trial, _ in self.search_trials))


def _copies(findings: Findings, dataset: str) -> Copies:
    return copies(findings.data(dataset))


def winners(
    search: Search, search_trials: Sequence[tuple[SearchTrial, Record | None]]
) -> dict[tuple[str, str], Record]:
    """Return the best completed search trial of each model search on each data set that was searched."""
    best = {}
    for model_search in search.model_searches:
        for dataset in search.datasets:
            mine = [
                record
                for search_trial, record in search_trials
                if record
                and (search_trial.role, search_trial.model, search_trial.dataset)
                == ("search", model_search.name, dataset)
            ]
            order = ranked(mine)
            if order:
                best[model_search.name, dataset] = order[0]
    return best
