"""From a search to its report: data, search, choice, retraining, scores, report."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tuner.analysis.findings import Findings
from tuner.analysis.recorded import load_findings
from tuner.analysis.shortfall import planned_shortfall, shortfall
from tuner.analysis.validation_predictions import Keeper, most_kept
from tuner.datasets.base import Dataset
from tuner.datasets.remarks import remarks
from tuner.datasets.store import load_from_store, save_to_store
from tuner.errors import CheckError, InputError
from tuner.executors import Limits, Resources
from tuner.families.custom import CustomFamily
from tuner.ledger.ledger import Ledger
from tuner.objective import OwnObjective
from tuner.protocol import validation_labels
from tuner.running.changed import Before
from tuner.running.checks import check_backend, check_networks, check_sizes, checked_data, with_code
from tuner.running.loop import Listener, Runner
from tuner.running.options import RunOptions
from tuner.running.own_objectives import check_own_objectives
from tuner.running.own_spaces import with_own_spaces
from tuner.running.planned import Prepared, all_final_proposals, all_search_proposals
from tuner.running.progress import ProgressReport, say
from tuner.search_file.checks import capitals
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.system.files import remove_partials
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.text import visible_line
from tuner.trial import Job, Trial
from tuner.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRAIN = "tuner.worker.training:train"
_NETWORK_DISK = "{} lies on a network disk ({}): it is kept with a rollback journal, which is safe there and slower"
#: What a search that retrains each winner once is told before anything is trained.
ONE_RETRAINING = (
    "repeats = 1: one retraining of each winner cannot tell which model is better, since nothing tells how much its "
    "seed did; no model will be said to beat another (repeats = 3 or more can show that)"
)


class StartedSearch:
    """A search under way: its data laid out, its ledger and its workers open. `started` makes it."""

    def __init__(
        self,
        search: Search,
        workspace: Workspace,
        ledger: Ledger,
        runner: Runner,
        prepared: dict[str, Prepared],
        console: Console,
        before: Before | None,
    ) -> None:
        self.search, self.ledger, self._console, self._before = search, ledger, console, before
        self._workspace, self._runner, self._prepared = workspace, runner, prepared

    def search_trials(self) -> None:
        """Run every trial that the oracles propose."""
        search = self.search
        total = sum(model_search.planned() for model_search in search.model_searches) * len(search.datasets)
        for sentence in [*capitals(search), *(self._before.at_start(search) if self._before else ())]:
            say(self._console, sentence)
        said = {sentence for model_search in search.model_searches if (sentence := planned_shortfall(model_search))}
        for sentence in sorted(said):
            say(self._console, sentence)
        all_proposals = all_search_proposals(search, self._prepared)
        self._runner.drive("search", all_proposals, total)
        for proposals in all_proposals:
            sentence = shortfall(search.model_search(proposals.model), proposals.proposed, proposals.failed)
            if sentence and sentence not in said:
                say(self._console, f"on {proposals.dataset}, {sentence}")
        if self._before and (sentence := self._before.left_behind(self.ledger.search_trials(search.name))):
            say(self._console, sentence)

    def retrain_winners(self) -> None:
        """Train the best of each model search again, with other seeds and on each data set of the comparison."""
        finals = all_final_proposals(self.search, self.ledger, self._prepared, self._workspace)
        self._runner.drive("retraining", [proposals for proposals, _ in finals], sum(count for _, count in finals))


@contextmanager
def started(
    search: Search,
    workspace: Workspace,
    console: Console,
    options: RunOptions = RunOptions(),  # noqa: B008  # frozen
) -> Iterator[StartedSearch]:
    """Hold a search for this process, with its data prepared and its workers ready; see `run_search`.

    Nothing is written before everything that can be checked has been.
    """
    check_backend(search)
    try:
        options.execution.check(search.cpus_per_trial)
    except InputError as error:
        if error.place == "cpus_per_trial":  # and no option of the command's
            raise error.inside(search.place) from error
        raise
    workspace.check_writable(search.name)
    search = with_code(search)
    datasets = {}
    for name in search.all_datasets:
        INTERRUPTS.hear()
        with doing(f"reading the data set {name}"):
            datasets[name] = checked_data(search, name, workspace, options.skip_bad)
    check_sizes(search, datasets, console)
    check_own_objectives(search, partial(_chosen_on, search, datasets))
    images = [(name, datasets[name].shape, len(datasets[name].class_names)) for name in search.datasets]
    search, said = with_own_spaces(search, images)
    search, notes = check_networks(search, datasets)
    notes = list(dict.fromkeys((*said, *notes)))
    for note in notes if search.split == 1 else ():
        console.print(f"note: {visible_line(note)}", markup=False, highlight=False, soft_wrap=True)
    with Ledger(workspace.ledger, thorough=True) as ledger, ledger.sole_runner(search.name):
        if ledger.network_disk:
            console.print(_NETWORK_DISK.format(workspace.ledger, ledger.network_disk), markup=False, highlight=False)
        for folder in (workspace.artifacts, workspace.store):
            remove_partials(folder)
        said = [line for name, dataset in datasets.items() for line in remarks(name, dataset)]
        for line in said if search.split == 1 else ():
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        with doing("laying the data out for workers"):
            prepared = {name: _prepare(datasets.pop(name), workspace) for name in search.all_datasets}
        key = _run_key(search, prepared)
        before = Before.read(ledger, search, key)
        ledger.open_search(search.name, key, search.to_json())
        folders = {data.fingerprint: data.folder for data in prepared.values()}
        limits = Limits(search.max_trial_minutes, search.max_trial_gb)
        resources = Resources(search.cpus_per_trial or search.threads, search.gpus_per_trial)
        try:
            with (
                options.execution.open(TRAIN, resources, workspace.runs / "workers.log", limits) as pool,
                ProgressReport(console, pool.in_words, pool.capacity) as progress,
            ):
                job_of = _job_maker(search, folders, workspace)
                listeners: list[Listener] = [_keeper(search, workspace, ledger, prepared)]
                if options.tensorboard:
                    listeners.append(_logs(search, workspace, ledger, console))
                runner = Runner(
                    search.name, ledger, pool, job_of, progress, options.fresh, listeners, _cost_of(search, prepared)
                )
                yield StartedSearch(search, workspace, ledger, runner, prepared, console, before)
        finally:
            # Those of workers that were killed, whose trials others have done or will do.
            remove_partials(workspace.artifacts)


def run_search(
    search: Search,
    workspace: Workspace,
    console: Console,
    options: RunOptions = RunOptions(),  # noqa: B008  # frozen
) -> tuple[Findings, Path]:
    """Run a search to its report, going on from what the ledger holds; return what it found and the report's path.

    Args:
        search: what to run.
        workspace: where to read and write.
        console: where progress is shown.
        options: how; see `RunOptions`.

    Raises:
        InputError: the search cannot run as given.
        CheckError: no trial of a model completed; the report has been written all the same.
        ResourceError: the machine lacks something; the next run goes on.
    """
    if search.splits > 1:
        search = with_code(search)  # once for all splits
    for split in range(1, search.splits + 1):
        one = search.at_split(split)
        with started(one, workspace, console, options) as run:
            search = run.search.at_split(1)  # whose spaces of users' networks were read
            if search.repeats == 1 and split == 1:
                console.print(ONE_RETRAINING, highlight=False, markup=False, emoji=False, soft_wrap=True)
            if search.splits > 1:
                say(console, _split_in_words(search, split))
            run.search_trials()
            run.retrain_winners()
            if split > 1:
                run.ledger.close_search(one.name)
            if split == search.splits:  # a search with splits to come is unfinished
                run.ledger.close_search(search.name)
                findings = load_findings(run.ledger, search, workspace)
    with doing("importing what draws"), INTERRUPTS.importing():
        from tuner.publish.write import write_report  # draws, and so imports matplotlib

    report = write_report(findings, options.single_file)
    _check_completed(findings, report)
    return findings, report


def _split_in_words(search: Search, split: int) -> str:
    """Return what is said as a split of all images begins, the first with what all of them take."""
    if split > 1:
        return f"split {split} of {search.splits}"
    trials = sum(model_search.planned() for model_search in search.model_searches) * len(search.datasets)
    finals = len(search.model_searches) * len(search.compare or search.datasets) * search.repeats
    return (
        f"splits = {search.splits}: search, choice and retraining are done {search.splits} times, each on another "
        f"division of all images into training and test images, {search.splits} x {trials + finals:,} trainings"
    )


def _check_completed(findings: Findings, report: Path) -> None:
    """Raise where a model has no completed trial on a data set that it was to be trained on."""
    search = findings.search
    there = {(chosen.model, chosen.dataset) for chosen in findings.chosen}
    for dataset in search.compare or search.datasets:
        for model_search in search.model_searches:
            if (model_search.name, dataset) in there:
                continue
            where = (dataset, search.chosen_on(dataset))
            reasons = Counter(
                record.result.error
                for search_trial, record in findings.failed
                if search_trial.model == model_search.name and search_trial.dataset in where
            )
            first = f"; most often: {reasons.most_common(1)[0][0]}" if reasons else ""
            raise CheckError(
                f"{search.name}: no trial of {model_search.label} on {dataset} completed{first} (see {report})"
            )


def _run_key(search: Search, prepared: dict[str, Prepared]) -> str:
    """Return what names a list of trials: the search, and the content of its data and of the user's own code."""
    content = [search.key, *(data.fingerprint for data in prepared.values())]
    content += [model_search.source for model_search in search.model_searches if model_search.source]
    content += [f"{model_search.name} compiles" for model_search in search.model_searches if model_search.compiled]
    content += [objective.source for objective in search.objectives if isinstance(objective, OwnObjective)]
    content += [model_search.added for model_search in search.model_searches if model_search.added]
    return hashlib.sha256(" ".join(content).encode()).hexdigest()[:16]


def _chosen_on(
    search: Search, datasets: Mapping[str, Dataset], model_search: ModelSearch, name: str
) -> tuple[NDArray[np.int64], int]:
    """Return the labels of the images of a data set that trials are chosen on, and how many classes there are."""
    dataset = datasets[name]
    trial = search.trial(model_search, name, dataset.fingerprint, {}, None)
    return validation_labels(trial, dataset), len(dataset.class_names)


def _prepare(dataset: Dataset, workspace: Workspace) -> Prepared:
    folder = save_to_store(dataset, workspace.store)
    return Prepared(dataset.fingerprint, folder, dataset.shape, len(dataset.class_names), len(dataset.y_train))


def _logs(search: Search, workspace: Workspace, ledger: Ledger, console: Console) -> Listener:
    from tuner.exporters.tensorboard import LogListener

    return LogListener(search, workspace, ledger, console)


def _keeper(search: Search, workspace: Workspace, ledger: Ledger, prepared: dict[str, Prepared]) -> Listener:
    """Return what keeps the answers of the best trials alone."""
    folders = {data.fingerprint: data.folder for data in prepared.values()}
    known: dict[str, int] = {}

    def most(trial: Trial) -> int:
        if trial.fingerprint not in known:
            data = load_from_store(folders[trial.fingerprint])
            images = len(validation_labels(trial, data))
            known[trial.fingerprint] = most_kept(images, len(data.class_names))
        return known[trial.fingerprint]

    return Keeper(workspace.artifacts, most, lambda trial: ledger.is_listed_elsewhere(trial, search.name))


def _job_maker(search: Search, folders: dict[str, Path], workspace: Workspace) -> Callable[[Trial], Job]:
    modules, artifacts = search.folder.resolve(), workspace.artifacts.resolve()
    files = {one.source: one.family.files for one in search.model_searches if isinstance(one.family, CustomFamily)}
    return lambda trial: Job(
        trial, folders[trial.fingerprint].resolve(), artifacts, modules, files.get(trial.source, ())
    )


def _cost_of(search: Search, prepared: dict[str, Prepared]) -> Callable[[Trial], float]:
    """Return what tells how long a trial takes beside others: multiply-adds over all its images and epochs."""
    families = {model_search.path: model_search.family for model_search in search.model_searches}
    sizes = {data.fingerprint: data for data in prepared.values()}

    def cost(trial: Trial) -> float:
        data = sizes[trial.fingerprint]
        images = min(trial.train_size or data.images, data.images)
        return families[trial.family].work(trial.values, data.shape, data.classes) * images * trial.last_epoch

    return cost
