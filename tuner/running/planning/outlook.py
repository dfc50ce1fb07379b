"""What a forecast of a search rests on: the work of its networks, and how fast this machine trains them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tuner.analysis.validation_predictions import most_kept
from tuner.datasets.base import Dataset, Shape
from tuner.datasets.store import is_whole, load_from_store
from tuner.errors import LostError
from tuner.executors import Executor
from tuner.executors.gpus import visible_gpus
from tuner.families.pretrained import Pretrained
from tuner.ledger.ledger import Ledger
from tuner.running.building import build_all
from tuner.running.planned import Prepared
from tuner.running.planning.needs import Interval, Network, Steps, Training, disk_of, memory_of
from tuner.running.planning.pace import Load, Measured, Pace, kind_of, load_of, measured
from tuner.running.planning.probing import Case, Probed, extremes, probe
from tuner.running.planning.replay import Ahead
from tuner.running.planning.work import Work, candidates
from tuner.search_file.contenders import Contender
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.space.space import Configuration
from tuner.trial import Record, Trial
from tuner.worker.probe import Built
from tuner.workspace import Workspace

#: Of each model search so many networks are built, from the least work to the most.
MOST_BUILT = 6
#: So many of the last recorded trials of a family are looked at.
MOST_RECORDED = 200
#: How fast the machine is now is looked at where trainings take so many seconds.
LONG = 60.0
#: What stands for the winner of a model search is one of so many configurations.
MOST_CANDIDATES = 100
#: What a model's file, a row of the ledger, an epoch in it, and a report take beside what is counted.
_FILE, _ROW, _EPOCH, _REPORT = 40e3, 2.5e3, 120.0, 2.5e6
#: Numbers that a frozen backbone makes of an image, about.
_FEATURES = 1_280


@dataclass(frozen=True)
class Size:
    """What is known of a data set: the shape of its images, how many classes, how many training images."""

    shape: Shape
    classes: int
    images: int


@dataclass
class Outlook:
    """The work of a search's networks, and the pace of this machine.

    Args:
        search: checked.
        prepared: its data sets, by name.
        workspace: where the ledger, and what is laid out for workers, lies.
    """

    search: Search
    prepared: Mapping[str, Prepared]
    workspace: Workspace
    pace: Pace = field(default_factory=Pace)
    _sizes: dict[str, Size | None] = field(default_factory=dict)
    _built: dict[str, dict[str, Built]] = field(default_factory=dict)
    _batches: dict[str, int] = field(default_factory=dict)

    def size(self, fingerprint: str) -> Size | None:
        """Return what is known of a data set; None where it is neither the search's nor laid out here."""
        if fingerprint not in self._sizes:
            self._sizes[fingerprint] = None
            for one in self.prepared.values():
                if one.fingerprint == fingerprint:
                    self._sizes[fingerprint] = Size(one.shape, one.classes, one.images)
                    return self._sizes[fingerprint]
            with suppress(LostError):
                data = load_from_store(self.workspace.store_of(fingerprint))
                self._sizes[fingerprint] = Size(data.shape, len(data.class_names), len(data.y_train))
        return self._sizes[fingerprint]

    def work(self, trial: Trial) -> float:
        """Return the multiply-adds of one image's way through a trial's network.

        Of one that only building it can tell about, as it was built, or else the mean of those that were.
        """
        size = self.size(trial.fingerprint)
        family = next(one.family for one in self.search.model_searches if one.path == trial.family)
        counted = family.work(trial.values, size.shape, size.classes) if size else 0.0
        if counted and isinstance(family, Pretrained):  # epochs of the head alone hardly count
            counted *= 1 - min(1.0, family.head_epochs(trial.values) / trial.epochs)
        if counted:
            return counted
        built = {key: one.work for key, one in self._built.get(trial.family, {}).items() if one.parameters is not None}
        return built.get(_key(trial.values), sum(built.values()) / len(built) if built else 0.0)

    def load(self, trial: Trial) -> Load:
        """Return the load of an epoch of a trial."""
        size = self.size(trial.fingerprint)
        return load_of(trial, self.work(trial), size.images if size else 0)

    def build(self, ahead: Ahead, own_alone: bool = False) -> None:
        """Build some of the networks that lie ahead of a model search; `own_alone` for families without arithmetic.

        Raises:
            InputError: the user's own family cannot be used.
        """
        one, data = self.search.model_search(ahead.model), self.prepared[ahead.dataset]
        trials = [*ahead.new, *ahead.drawn, *(record.trial for _, record in ahead.counted)]
        if not trials or (own_alone and one.family.work(trials[0].values, data.shape, data.classes)):
            return
        sizes = [int(trial.values.get("batch_size", 1)) for trial in trials]
        self._batches[one.path] = max(self._batches.get(one.path, 1), *sizes)
        order = sorted({_key(trial.values): trial for trial in trials}.values(), key=self.work)
        self._build(one, data, [trial.values for trial in evenly(order, MOST_BUILT)])

    def _build(self, one: ModelSearch, data: Prepared, configurations: Sequence[Configuration]) -> None:
        built = build_all(self.search, one, data.shape, data.classes, configurations)
        mine = self._built.setdefault(one.path, {})
        mine.update({_key(values): found for values, found in zip(configurations, built, strict=True)})

    def learn_recorded(self, ledger: Ledger) -> set[str]:
        """Learn of the trainings that workers of this machine recorded, on a GPU where it has one, else without.

        Return the names of their trials.
        """
        on_gpu = bool(visible_gpus())
        names: set[str] = set()
        for path in dict.fromkeys(one.path for one in self.search.model_searches):
            records = [
                record
                for record in ledger.trained_here(path, MOST_RECORDED)
                if (record.result.environment.get("device", "cpu") != "cpu") is on_gpu
            ]
            seen: set[str] = set()
            told = [self._measured(record, seen) for record in records]
            self.pace.add(one for one in told if one is not None)
            names |= {one.trial.id for one in told if one is not None}
        return names

    def _measured(self, record: Record, seen: set[str]) -> Measured | None:
        return measured(record, self.load(record.trial), seen) if self.size(record.trial.fingerprint) else None

    def unknown(self, trainings: Iterable[Training], data: Mapping[str, Dataset]) -> list[Case]:
        """Return what is to be probed: of each kind that was not measured the least and the largest network."""
        kinds: dict[tuple[str, ...], dict[str, Case]] = {}
        for trial in (one.trial for one in trainings):
            if not self.pace.knows(trial) and trial.dataset in data:
                searched = trial if trial.role == "search" else _as_searched(trial, self.search)
                case = Case(searched, data[trial.dataset], self.work(trial))
                kinds.setdefault(kind_of(trial), {}).setdefault(_key(trial.values), case)
        return [case for cases in kinds.values() for case in extremes(list(cases.values()))]

    def longest_kind(self, trainings: Sequence[Training], data: Mapping[str, Dataset]) -> list[Case]:
        """Return the least and the largest network of the kind that takes longest; none where all is short."""
        seconds: dict[tuple[str, ...], float] = {}
        for one in trainings:
            each = self.pace.seconds(one.trial, one.load, one.epochs, one.later)
            seconds[kind_of(one.trial)] = seconds.get(kind_of(one.trial), 0.0) + each * one.weight
        kind = max(seconds, key=lambda one: seconds[one], default=None)
        if kind is None or seconds[kind] < LONG or kind in self.pace.probed:
            return []
        trials = [one.trial for one in trainings if kind_of(one.trial) == kind and one.trial.dataset in data]
        searched = [one if one.role == "search" else _as_searched(one, self.search) for one in trials]
        distinct = {_key(one.values): Case(one, data[one.dataset], self.work(one)) for one in searched}
        return list(extremes(list(distinct.values())))

    def learn_probe(self, pool: Executor, cases: Sequence[Case], folder: Path) -> Probed:
        """Train what is to be probed, and learn from it."""
        probed = probe(pool, self.search, cases, folder)
        self.pace.add(probed.found, probed=True)
        return probed

    def check_pace(self, pool: Executor, cases: Sequence[Case], folder: Path) -> None:
        """Train a little of what is recorded, to see how fast the machine is now."""
        self.pace.check(probe(pool, self.search, cases, folder).found)

    def feature_seconds(self, trainings: Sequence[Training]) -> float:
        """Return how long frozen backbones take for the images of data sets that they have not seen."""
        seconds = 0.0
        for (path, fingerprint), missing in self._missing_features(trainings).items():
            trials = (one.trial for one in trainings)
            kind = next(kind_of(t) for t in trials if (t.family, t.fingerprint) == (path, fingerprint))
            size = self.size(fingerprint)
            seconds += missing * (size.images if size else 0) * self.pace.seconds_an_image(kind)
        return seconds

    def _missing_features(self, trainings: Sequence[Training]) -> dict[tuple[str, str], int]:
        wanted: dict[tuple[str, str], set[str]] = {}
        for trial in (one.trial for one in trainings):
            family = next(one.family for one in self.search.model_searches if one.path == trial.family)
            size = self.size(trial.fingerprint)
            if isinstance(family, Pretrained) and family.takes_features(trial.values) and size:
                what = family.of_backbone(trial.values, size.shape, trial.seed, trial.source)
                wanted.setdefault((trial.family, trial.fingerprint), set()).add(what)
        there = self.workspace.features
        found = {place: len(list(there.glob(f"{place[1]}-*"))) if there.is_dir() else 0 for place in wanted}
        return {place: max(0, len(what) - found[place]) for place, what in wanted.items()}

    def memory(self, places: int) -> Interval:
        """Return how much memory a run takes."""
        networks = []
        for path, built in self._built.items():
            batch = self._batches.get(path, 1)
            networks += [(Network(one.parameters, one.handed_on), batch) for one in built.values() if one.parameters]
        pixels = max(_pixels(one) * min(one.images, self.search.overrides.train_size or one.images)
                     for one in self.prepared.values())  # fmt: skip
        return memory_of(networks, pixels, places)

    def disk(self, trainings: Sequence[Training], tests: Mapping[str, int], reported: int) -> Interval:
        """Return how many bytes a run adds to the disk.

        Args:
            trainings: all that is to be trained.
            tests: the number of test images of each data set, by its fingerprint.
            reported: how many models the report takes.
        """
        parts = {"report": _REPORT, "data": 0.0, "answers": 0.0, "predictions": 0.0, "rows": 0.0, "features": 0.0}
        for data in self.prepared.values():
            if not is_whole(self.workspace.store_of(data.fingerprint)):
                parts["data"] += _pixels(data) * (data.images + tests[data.fingerprint])
        files = 0.0
        answers: dict[str, float] = {}
        for one in trainings:
            size = self.size(one.trial.fingerprint)
            if size is None:
                continue
            parts["rows"] += one.weight * (_ROW + _EPOCH * one.epochs)
            if one.trial.role == "final":
                files += one.weight
                parts["predictions"] += one.weight * tests[one.trial.fingerprint] * size.classes * 4.0
            else:
                answers[one.trial.fingerprint] = answers.get(one.trial.fingerprint, 0.0) + one.weight
        for fingerprint, several in answers.items():
            size = self.size(fingerprint)
            if size is not None:
                held = max(1, round(size.images * self.search.validation))
                parts["answers"] += min(several, most_kept(held, size.classes)) * held * size.classes * 2.0
        for (_, fingerprint), missing in self._missing_features(trainings).items():
            size = self.size(fingerprint)
            parts["features"] += missing * (size.images if size else 0) * _FEATURES * 4.0
        models = [
            4.0 * one.parameters + _FILE for built in self._built.values() for one in built.values() if one.parameters
        ]
        return disk_of(parts, models, round(files) + reported * (files > 0))


def trainings_of(work: Work, outlook: Outlook) -> tuple[dict[tuple[str, str], list[Training]], list[Training]]:
    """Return the trainings of a split that are ahead: those of each model search on each data set, and retrainings."""
    search = work.search
    done = [record.trial for ahead in work.ahead for _, record in ahead.counted]
    steps = Steps(outlook.load, done)
    searched: dict[tuple[str, str], list[Training]] = {}
    for ahead in work.ahead:
        guessed = "learned" if search.model_search(ahead.model).algorithm.learns else "drawn"
        mine = [*steps.of(ahead.new), *steps.of(ahead.drawn, ahead.each, guessed)]
        searched[ahead.model, ahead.dataset] = mine
    decided = {(model, dataset): trials for model, dataset, trials in work.finals} if work.decided else {}
    finals: list[Training] = []
    for contender in search.contenders:
        for dataset in search.compare or search.datasets:
            if (contender.name, dataset) in decided:
                trials = decided[contender.name, dataset]
                finals += steps.of(trial for trial in trials if trial.id not in work.finals_recorded)
            elif not work.decided:
                finals += steps.winners(
                    list(_candidates(work, contender, dataset)), search.repeats, search.held_out_of_retrainings
                )
    return searched, [*finals, *_members(work, steps)]


def _members(work: Work, steps: Steps) -> Iterator[Training]:
    """Yield the retrainings of an ensemble's members that are of no row of their own, or what stands for them."""
    search = work.search
    rows = {contender.name for contender in search.contenders}
    if work.decided:
        for model, _, trials in work.finals:
            if model not in rows:
                yield from steps.of(trial for trial in trials if trial.id not in work.finals_recorded)
        return
    further = (search.most_retrained - len(rows)) * search.repeats
    for dataset in (search.compare or search.datasets) if further else ():
        of_all = [t for one in search.contenders if one.limit is None for t in _candidates(work, one, dataset)]
        yield from steps.winners(of_all, further, search.held_out_of_retrainings)


def _candidates(work: Work, contender: Contender, dataset: str) -> Iterator[Trial]:
    """Yield some of what may be retrained for a row on a data set, each as it would be searched for there, whole."""
    search, prepared = work.search, work.prepared[dataset]
    one = search.model_search(contender.name)
    for trial in evenly(candidates(work, contender, dataset), MOST_CANDIDATES):
        yield search.trial(one, dataset, prepared.fingerprint, trial.values, trial.epochs)


def _as_searched(trial: Trial, search: Search) -> Trial:
    """Return the search trial of what a retraining trains."""
    one = next(one for one in search.model_searches if one.path == trial.family)
    return search.trial(one, trial.dataset, trial.fingerprint, trial.values, trial.epochs)


def evenly(things: Sequence[Trial], most: int) -> list[Trial]:
    """Return at most so many of these, evenly over their order, the first and the last among them."""
    if len(things) <= most:
        return list(things)
    return [things[round(place * (len(things) - 1) / (most - 1))] for place in range(most)]


def _key(values: Mapping[str, object]) -> str:
    return repr(sorted(values.items()))


def _pixels(one: Prepared) -> float:
    height, width, channels = one.shape
    return float(height * width * channels)
