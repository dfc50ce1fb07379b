"""From a search to its report: data, search, choice, retraining, scores, report."""

from __future__ import annotations

import hashlib
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from tuner.analysis.findings import Findings, load_findings, winners
from tuner.analysis.shortfall import planned_shortfall, shortfall
from tuner.analysis.validation_predictions import Keeper, most_kept
from tuner.datasets.base import Dataset, Shape
from tuner.datasets.remarks import remarks
from tuner.datasets.store import load_from_store, save_to_store
from tuner.errors import CheckError, InputError, suggestion
from tuner.executors import ExecutionOptions, Limits, Resources
from tuner.families.custom import CustomFamily
from tuner.ledger.ledger import Ledger
from tuner.oracles import Proposal
from tuner.protocol import test_images, training_images, validation_labels
from tuner.running.changed import Before
from tuner.running.dryrun import (
    build_all,
    check_keys,
    check_objective,
    check_proposals,
    check_validation,
    check_watch,
    data_of,
    in_its_place,
    notes_of,
    preview,
)
from tuner.running.loop import Listener, Runner
from tuner.running.progress import ProgressReport, say
from tuner.running.proposals import Proposals, listed_proposals
from tuner.search_file.checks import capitals
from tuner.search_file.model import ModelSearch, Search, backend_name
from tuner.system.files import remove_partials
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.text import visible_line
from tuner.trial import ARTIFACTS, BACKENDS, FIRST_LAYER, NEEDED, Job, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.workspace import Workspace

TRAIN = "tuner.worker.training:train"
_NETWORK_DISK = "{} lies on a network disk ({}): it is kept with a rollback journal, which is safe there and slower"
#: What a search that retrains each winner once is told before anything is trained.
ONE_RETRAINING = (
    "repeats = 1: one retraining of each winner cannot tell which model is better, since nothing tells how much its "
    "seed did; no model will be said to beat another (repeats = 3 or more can show that)"
)
#: Up to so many configurations of a user's own network are built before a search, to check its parameters' names.
MOST_CHECKED = 200


@dataclass(frozen=True)
class Prepared:
    """A data set laid out for workers."""

    fingerprint: str
    folder: Path
    shape: Shape
    classes: int
    images: int


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
        self.ledger, self._console, self._before = ledger, console, before
        self._search, self._workspace, self._runner, self._prepared = search, workspace, runner, prepared

    def search_trials(self) -> None:
        """Run every trial that the oracles propose."""
        search = self._search
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
        finals = _all_final_proposals(self._search, self.ledger, self._prepared, self._workspace)
        self._runner.drive("retraining", [proposals for proposals, _ in finals], sum(count for _, count in finals))


@contextmanager
def started(
    search: Search,
    workspace: Workspace,
    console: Console,
    *,
    execution: ExecutionOptions = ExecutionOptions(),  # noqa: B008  # frozen
    fresh: bool = False,
    tensorboard: bool = False,
    skip_bad: bool = False,
) -> Iterator[StartedSearch]:
    """Hold a search for this process, with its data prepared and its workers ready; see `run_search`.

    Nothing is written before everything that can be checked has been.
    """
    _check_backend(search)
    try:
        execution.check(search.cpus_per_trial)
    except InputError as error:
        if error.place == "cpus_per_trial":  # and no option of the command's
            raise error.inside(str(search.file)) from error
        raise
    workspace.check_writable(search.name)
    search = _with_code(search)
    datasets = {}
    for name in search.all_datasets:
        INTERRUPTS.hear()
        with doing(f"reading the data set {name}"):
            datasets[name] = _checked_data(search, name, workspace, skip_bad)
    _check_sizes(search, datasets, console)
    notes = _check_networks(search, datasets)
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
                execution.open(TRAIN, resources, workspace.runs / "workers.log", limits) as pool,
                ProgressReport(console, pool.in_words, pool.capacity) as progress,
            ):
                job_of = _job_maker(search, folders, workspace)
                listeners: list[Listener] = [_keeper(search, workspace, ledger, prepared)]
                if tensorboard:
                    listeners.append(_logs(search, workspace, ledger, console))
                runner = Runner(
                    search.name, ledger, pool, job_of, progress, fresh, listeners, _cost_of(search, prepared)
                )
                yield StartedSearch(search, workspace, ledger, runner, prepared, console, before)
        finally:
            remove_partials(
                workspace.artifacts
            )  # of workers that were killed, whose trials others have done or will do


def run_search(
    search: Search,
    workspace: Workspace,
    console: Console,
    *,
    execution: ExecutionOptions = ExecutionOptions(),  # noqa: B008  # frozen
    fresh: bool = False,
    tensorboard: bool = False,
    skip_bad: bool = False,
    single_file: bool = False,
) -> tuple[Findings, Path]:
    """Run a search to its report, going on from what the ledger holds; return what it found and the report's path.

    Args:
        search: what to run.
        workspace: where to read and write.
        console: where progress is shown.
        execution: where trials run, and how many at once.
        fresh: train again what is recorded of this search alone.
        tensorboard: write logs for TensorBoard, too.
        skip_bad: leave out image files of a folder that cannot be used.
        single_file: let the page hold its pictures and the script that draws, instead of links to them.

    Raises:
        InputError: the search cannot run as given.
        CheckError: no trial of a model completed; the report has been written all the same.
        ResourceError: the machine lacks something; the next run goes on.
    """
    options = {"fresh": fresh, "tensorboard": tensorboard, "skip_bad": skip_bad}
    if search.splits > 1:
        search = _with_code(search)  # once for all splits
    for split in range(1, search.splits + 1):
        one = search.at_split(split)
        with started(one, workspace, console, execution=execution, **options) as run:
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

    report = write_report(findings, single_file)
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
    """Return what names a list of trials: the search, and the content of its data and of the user's networks."""
    content = [search.key, *(data.fingerprint for data in prepared.values())]
    content += [model_search.source for model_search in search.model_searches if model_search.source]
    return hashlib.sha256(" ".join(content).encode()).hexdigest()[:16]


def _with_code(search: Search) -> Search:
    """Return the search with the code of users' own networks read, once for the whole run.

    A worker refuses what was edited since.
    """
    read = []
    for model_search in search.model_searches:
        with in_its_place(search, model_search):
            read.append(model_search if model_search.source else model_search.with_code())
    return replace(search, model_searches=tuple(read))


def _check_backend(search: Search) -> None:
    name = search.backend
    if name not in BACKENDS:
        raise InputError("KERAS_BACKEND", f"{name!r} is no backend of Keras; {suggestion(name, BACKENDS)}")
    if importlib.util.find_spec(name) is None:
        raise InputError("KERAS_BACKEND", f"{name} is not installed", f"install it: pip install {name}")
    if name != (now := backend_name()):
        problem = f"is {now!r} now, and was {name!r} when {search.file} was read"
        raise InputError("KERAS_BACKEND", problem, "read the search again")


def _checked_data(search: Search, name: str, workspace: Workspace, skip_bad: bool) -> Dataset:
    """Load a data set and split it as every trial will, so that one that is too small costs no training."""
    dataset = data_of(search, name, workspace.data, skip_bad)
    check_validation(search, name, dataset)
    check_objective(search, name, dataset)
    model_search = search.model_searches[0]
    with in_its_place(search, model_search):
        trial = search.trial(model_search, name, dataset.fingerprint, {}, None)
    for one in (trial, trial.as_final(trial.seed, hold_out=search.held_out_of_retrainings)):
        training_images(one, dataset)
    test_images(trial, dataset.y_test)
    return dataset


def _check_sizes(search: Search, datasets: Mapping[str, Dataset], console: Console) -> None:
    """Refuse a smaller stand-in that is larger than every data set; say of which it takes all images."""
    given = search.overrides
    for option, size, kind in (("--train-size", given.train_size, "train"), ("--test-size", given.test_size, "test")):
        there = {name: len(data.y_train if kind == "train" else data.y_test) for name, data in datasets.items()}
        images = "training images" if kind == "train" else "test images"
        if size is not None and size > max(there.values()):
            most = max(there, key=lambda name: there[name])
            problem = f"{size:,} is more than the {there[most]:,} {images} of {most}"
            raise InputError(option, problem, "leave it out to use all")
        for name, count in there.items():
            if size is not None and size > count:
                say(console, f"{name} has {count:,} {images}, all of which {option} {size} takes.")


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
    modules = search.folder.resolve()
    return lambda trial: Job(trial, folders[trial.fingerprint].resolve(), workspace.artifacts.resolve(), modules)


def _cost_of(search: Search, prepared: dict[str, Prepared]) -> Callable[[Trial], float]:
    """Return what tells how long a trial takes beside others: multiply-adds over all its images and epochs."""
    families = {model_search.path: model_search.family for model_search in search.model_searches}
    sizes = {data.fingerprint: data for data in prepared.values()}

    def cost(trial: Trial) -> float:
        data = sizes[trial.fingerprint]
        images = min(trial.train_size or data.images, data.images)
        return families[trial.family].work(trial.values, data.shape, data.classes) * images * trial.last_epoch

    return cost


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


def _all_final_proposals(
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


def _check_networks(search: Search, datasets: Mapping[str, Dataset]) -> list[str]:
    """See that there is something to train, and build networks where only they can tell what there is: keys, layers.

    Return what there is to say of networks of the user's own, a line each.
    """
    notes: list[str] = []
    for model_search in search.model_searches:
        with in_its_place(search, model_search):
            check_proposals(search, model_search)
        own = isinstance(model_search.family, CustomFamily)
        if not own and not set(model_search.watch) - {FIRST_LAYER}:
            continue
        data = datasets[search.datasets[0]]
        with in_its_place(search, model_search):
            configurations = preview(search, model_search, MOST_CHECKED if own else 1)
            built = build_all(search, model_search, data.shape, len(data.class_names), configurations)
            endless = next((one for one in built if one.endless), None)
            if endless and search.max_trial_minutes is None:
                remedy = "mend it, or set max_trial_minutes, so that such a trial fails by itself"
                raise InputError(f"family {model_search.path}", endless.error, remedy)
            check_watch(model_search, built)
            if own and len(configurations) < MOST_CHECKED:  # of a larger space, one never built may ask for more
                check_keys(model_search, built)
        notes += notes_of(built)
    return notes
