"""From a search to its report: data, search, choice, retraining, scores, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console

from tuner.analysis.ended import ended_in_words
from tuner.analysis.findings import Findings
from tuner.analysis.recorded import load_findings
from tuner.analysis.shortfall import planned_shortfall, shortfall
from tuner.analysis.validation_predictions import Keeper, most_kept
from tuner.datasets.remarks import remarks
from tuner.datasets.store import load_from_store
from tuner.errors import CheckError, InputError
from tuner.executors import ExecutionOptions, Executor, Limits, LocalExecutor, Resources
from tuner.ledger.events import Event, in_force, limits_of
from tuner.ledger.ledger import Ledger
from tuner.protocol import validation_labels
from tuner.running.changed import Before, opened
from tuner.running.checked import checked_search, laid_out
from tuner.running.checks import check_backend, with_code
from tuner.running.control import Control
from tuner.running.folds import FoldAnswers
from tuner.running.latency import measure_latencies
from tuner.running.loop import Listener, Runner
from tuner.running.options import TRAIN, RunOptions
from tuner.running.planned import (
    Prepared,
    all_ensemble_proposals,
    all_final_proposals,
    all_search_proposals,
    member_models,
)
from tuner.running.planning.hours import Deadline
from tuner.running.planning.timekeeping import STAYS_ENDED, Begun, timekeeper
from tuner.running.progress import ProgressReport, say
from tuner.running.sizes import with_sizes
from tuner.running.status import StatusFile
from tuner.search_file.checks import capitals
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.system.files import remove_partials
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.text import visible_line
from tuner.trial import ENSEMBLE, Job, Trial
from tuner.worker.checkpoints import Checkpoints
from tuner.workspace import Workspace

_NETWORK_DISK = "{} lies on a network disk ({}): it is kept with a rollback journal, which is safe there and slower"
#: What a search that retrains each winner once is told before anything is trained.
ONE_RETRAINING = (
    "repeats = 1: one retraining of each winner cannot tell which model is better, since nothing tells how much its "
    "seed did; no model will be said to beat another (repeats = 5, the default, can show that)"
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
        pool: Executor,
        control: Control,
    ) -> None:
        self._control = control
        self.search, self.ledger, self._console, self._before, self._pool = search, ledger, console, before, pool
        self._workspace, self._runner, self._prepared = workspace, runner, prepared

    def search_trials(self, deadline: Deadline | None = None) -> None:
        """Run every trial that the oracles propose, or those for which there is time."""
        search = self.search
        limits = limits_of(self.ledger.events(search.name))
        total = sum(
            with_sizes(search, one, self._prepared[name].shape, self._prepared[name].classes).planned(name)
            for name in search.datasets
            for one in search.model_searches
        )
        total *= search.folds or 1
        pruned = [one for one in search.model_searches if one.pruning is not None]
        for sentence in [*capitals(search), *(self._before.at_start(search) if self._before else ())]:
            say(self._console, sentence)
        said = {sentence for model_search in search.model_searches if (sentence := planned_shortfall(model_search))}
        for sentence in sorted(said):
            say(self._console, sentence)
        all_proposals = all_search_proposals(search, self._prepared, limits, self._control.left_out)
        for one in pruned:
            say(self._console, _pruned_in_words(one))
        if search.folds:
            say(self._console, _folds_in_words(search))
        if limits:
            say(self._console, STAYS_ENDED)
            self._control.ended = True
        keeper = None
        if deadline is not None and not limits:
            begun = Begun(search, self._prepared, self.ledger, self._workspace, self._pool, self._runner.fresh)
            keeper = timekeeper(begun, deadline, self._console)
            self._runner.listen(keeper.finished)
        open_ended = bool(pruned or keeper or limits)  # how many go on, nobody knows before
        self._runner.drive("search", all_proposals, None if open_ended else total, keeper)
        if self._control.ended and not limits:
            limits = limits_of(self.ledger.events(search.name))
            self._go_on_to_the_end(limits)
        elif keeper and deadline and (event := keeper.event(deadline.hours, all_proposals)):
            limits = limits_of([event])
            self._end(event, limits)
        for proposals in all_proposals:
            if (proposals.model, proposals.dataset) in limits or proposals.searched is None:
                continue
            searched, dataset = proposals.searched, proposals.dataset
            sentence = shortfall(searched, dataset, proposals.configurations, proposals.failed)
            if sentence and sentence not in said:
                say(self._console, f"on {proposals.dataset}, {sentence}")
        if self._before and (sentence := self._before.left_behind(self.ledger.all_search_trials(search.name))):
            say(self._console, sentence)

    def _end(self, event: Event, limits: Mapping[tuple[str, str], int]) -> None:
        """Write down where the hours of the search end it."""
        search = self.search
        self.ledger.note(search.name, event)
        say(self._console, f"the search has ended by its hours: {ended_in_words(search, event)}")
        self._go_on_to_the_end(limits)

    def _go_on_to_the_end(self, limits: Mapping[tuple[str, str], int]) -> None:
        """Let the best of what a search prunes go on to the last epoch, where it has ended after so many."""
        search = self.search
        pruned = {one.name for one in search.model_searches if one.pruning is not None}
        ended = all_search_proposals(search, self._prepared, limits, self._control.left_out)
        further = [one for one in ended if one.model in pruned and (one.model, one.dataset) in limits]
        if further:
            self._runner.drive("search", further, None)

    def retrain_winners(self) -> None:
        """Train the best of each model search again, with other seeds and on each data set of the comparison."""
        finals = all_final_proposals(self.search, self.ledger, self._prepared, self._workspace)
        kept = {(one.model, one.dataset) for one, _ in finals}
        if self.search.ensemble:  # which is made of these once they are there
            kept |= {(self.search.ensemble.name, dataset) for _, dataset in kept}
        self.ledger.keep_retrainings(self.search.name, kept)
        self._runner.drive("retraining", [proposals for proposals, _ in finals], sum(count for _, count in finals))

    def make_ensembles(self) -> None:
        """Make the ensembles that the search asks for of what was retrained.

        That takes seconds, and is done on this machine, where the models are.
        """
        proposals = all_ensemble_proposals(self.search, self.ledger, self._prepared, self._workspace)
        if not proposals:
            return
        log = self._workspace.runs / "workers.log"
        resources = Resources(self.search.threads, self.search.gpus_per_trial)
        is_here = isinstance(self._pool, LocalExecutor)
        here = ExecutionOptions(workers=1)
        with nullcontext(self._pool) if is_here else here.open(TRAIN, resources, log, Limits()) as pool:
            runner = self._runner.on(pool)
            runner.drive("ensembles", [one for one, _ in proposals], sum(count for _, count in proposals))

    def forget_checkpoints(self) -> None:
        """Remove what trials went on from, and would still go on from were the search not over."""
        if not self._workspace.checkpoints.is_dir():
            return
        trials = (record.trial for _, record in self.ledger.all_search_trials(self.search.name) if record)
        trained = {one.course for trial in trials for one in trial.parts or (trial,)}
        Checkpoints(self._workspace.checkpoints).forget(trained)


@contextmanager
def started(
    search: Search,
    workspace: Workspace,
    console: Console,
    options: RunOptions = RunOptions(),  # noqa: B008  # frozen
    lift: bool = False,
) -> Iterator[StartedSearch]:
    """Hold a search for this process, with its data prepared and its workers ready; see `run_search`.

    With `lift`, a search that its hours have ended goes on from there. Nothing is written before everything that can
    be checked has been.
    """
    check_backend(search)
    try:
        options.execution.check(search.cpus_per_trial)
    except InputError as error:
        if error.place == "cpus_per_trial":  # and no option of the command's
            raise error.inside(search.place) from error
        raise
    workspace.check_writable(search.name)
    checked = checked_search(search, workspace, console, options.skip_bad)
    search, datasets = checked.search, checked.datasets
    for note in checked.notes if search.split == 1 else ():
        console.print(f"note: {visible_line(note)}", markup=False, highlight=False, soft_wrap=True)
    with Ledger(workspace.ledger, thorough=True) as ledger, ledger.sole_runner(search.name):
        if ledger.network_disk:
            console.print(_NETWORK_DISK.format(workspace.ledger, ledger.network_disk), markup=False, highlight=False)
        for folder in (workspace.artifacts, workspace.store, workspace.checkpoints):
            remove_partials(folder)
        if options.fresh:
            Checkpoints(workspace.checkpoints).clear()
        said = [line for name, dataset in datasets.items() for line in remarks(name, dataset)]
        for line in said if search.split == 1 else ():
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        with doing("laying the data out for workers"):
            prepared = {name: laid_out(datasets.pop(name), workspace) for name in search.all_datasets}
        with doing("seeing which earlier trials count"):
            search, before = opened(search, prepared, ledger, options.fresh)
        if lift:
            _lift(search, ledger, options.hours, console)
        folders = {data.fingerprint: data.folder for data in prepared.values()}
        limits = Limits(search.max_trial_minutes, search.max_trial_gb)
        resources = Resources(search.cpus_per_trial or search.threads, search.gpus_per_trial)
        try:
            with (
                options.execution.open(TRAIN, resources, workspace.runs / "workers.log", limits) as pool,
                ProgressReport(
                    console, pool.in_words, pool.capacity, StatusFile(workspace.progress, search.name)
                ) as progress,
            ):
                job_of = _job_maker(search, folders, workspace, ledger)
                listeners: list[Listener] = [_keeper(search, workspace, ledger, prepared)]
                if options.tensorboard:
                    listeners.append(_logs(search, workspace, ledger, console))
                answers = FoldAnswers(workspace.artifacts, lambda trial: load_from_store(folders[trial.fingerprint]))
                cost = _cost_of(search, prepared)
                control = Control(search, ledger, console, progress.paused)
                runner = Runner(
                    search.name, ledger, pool, job_of, progress, options.fresh, listeners, cost, answers, control
                )
                yield StartedSearch(search, workspace, ledger, runner, prepared, console, before, pool, control)
        finally:
            # Those of workers that were killed, whose trials others have done or will do.
            for folder in (workspace.artifacts, workspace.checkpoints, workspace.progress):
                remove_partials(folder)


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
    deadline = None if options.hours is None else Deadline(options.hours)
    lift = _is_finished(search, workspace)
    if search.splits > 1:
        search = with_code(search)  # once for all splits
    for split in range(1, search.splits + 1):
        one = search.at_split(split)
        with started(one, workspace, console, options, lift and split == 1) as run:
            search = run.search.at_split(1)  # whose spaces of users' networks were read
            if search.repeats == 1 and split == 1:
                console.print(ONE_RETRAINING, highlight=False, markup=False, emoji=False, soft_wrap=True)
            if search.splits > 1:
                say(console, _split_in_words(search, split))
            run.search_trials(deadline)
            run.retrain_winners()
            run.make_ensembles()
            run.forget_checkpoints()
            if split > 1:
                run.ledger.close_search(one.name)
            if split == search.splits:  # a search with splits to come is unfinished
                run.ledger.close_search(search.name)
                findings = load_findings(run.ledger, search, workspace)
    measure_latencies(findings, console)
    with doing("importing what draws"), INTERRUPTS.importing():
        from tuner.publish.write import write_report  # draws, and so imports matplotlib

    report = write_report(findings, options.single_file)
    _check_completed(findings, report)
    return findings, report


def _is_finished(search: Search, workspace: Workspace) -> bool:
    """Return whether a search has its report, so that what ended it by its hours may be lifted."""
    with workspace.open_ledger() or nullcontext() as ledger:
        return ledger is not None and ledger.is_finished(search.name)


def _lift(search: Search, ledger: Ledger, hours: float | None, console: Console) -> None:
    """Let a search with its report go on from where its hours ended it, on each of its splits."""
    for split in range(1, search.splits + 1):
        name = search.at_split(split).name
        if ended := in_force(ledger.events(name)):
            ledger.note(name, Event("lifted", hours), anew=True)
            if split == 1:
                whose = "it had been ended by hand" if ended.by_hand else "its hours had ended it"
                say(console, f"the search goes on from where {whose}")


def _pruned_in_words(model_search: ModelSearch) -> str:
    """Return what is said of a model search that prunes as it begins."""
    rungs = model_search.pruning.rungs if model_search.pruning else ()
    decided = " and ".join(f"{rung:,}" for rung in rungs[:-1])
    trials = "1 trial" if model_search.planned() == 1 else f"{model_search.planned():,} trials"
    return (
        f"{model_search.label} has {trials} on a data set, pruned after epoch {decided} of {rungs[-1]:,}; to go on "
        "from there is a further training"
    )


def _folds_in_words(search: Search) -> str:
    """Return what is said of a search that cross-validates as it begins."""
    return (
        f"folds = {search.folds}: each trial is {search.folds} trainings, each validated on one fold of the training "
        "images and trained on the others; what is counted below are trainings"
    )


def _split_in_words(search: Search, split: int) -> str:
    """Return what is said as a split of all images begins, the first with what all of them take."""
    if split > 1:
        return f"split {split} of {search.splits}"
    trials = sum(model_search.planned() for model_search in search.model_searches) * len(search.datasets)
    trials *= search.folds or 1
    finals = search.most_retrained * len(search.compare or search.datasets) * search.repeats
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


def _job_maker(
    search: Search, folders: dict[str, Path], workspace: Workspace, ledger: Ledger
) -> Callable[[Trial], Job]:
    modules, artifacts = search.folder.resolve(), workspace.artifacts.resolve()
    files = {one.source: one.family.files for one in search.model_searches if one.source}
    longest: dict[str, int] = {}
    for one in search.model_searches:
        if one.algorithm.varies_epochs:
            longest[one.path] = max(one.epochs, longest.get(one.path, 0))

    def job_of(trial: Trial) -> Job:
        longer = trial.role == "search" and trial.epochs < longest.get(trial.family, 0)
        goes_on = trial.is_partial or (longer and not trial.spans_epochs)
        data = folders[trial.fingerprint].resolve()
        members = member_models(trial, ledger, workspace)
        return Job(trial, data, artifacts, modules, files.get(trial.source, ()), goes_on, members)

    return job_of


def _cost_of(search: Search, prepared: dict[str, Prepared]) -> Callable[[Trial], float]:
    """Return what tells how long a trial takes beside others: multiply-adds over all its images and epochs."""
    families = {model_search.path: model_search.family for model_search in search.model_searches}
    sizes = {data.fingerprint: data for data in prepared.values()}

    def cost(trial: Trial) -> float:
        data = sizes[trial.fingerprint]
        images = min(trial.train_size or data.images, data.images)
        if trial.family == ENSEMBLE:
            return 0.0
        return families[trial.family].work(trial.values, data.shape, data.classes) * images * trial.last_epoch

    return cost
