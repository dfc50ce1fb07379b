"""The functions of `import tuner`, for notebooks and scripts: what the command line does, with values for answers.

A search is given by its name, by the path of its file or as a `Search`; what is recorded of it may also be given as the
`Findings` that `run` returned. Whatever is wrong raises a `TunerError` with the one line that the command line prints,
in Python's words.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.analysis.recorded import recorded_findings
from tuner.analysis.results_table import result_rows
from tuner.analysis.trial_table import column_names
from tuner.api.frames import typed
from tuner.api.wording import in_pythons_words
from tuner.errors import InputError, resource_error_of, shown
from tuner.ledger.ledger import SearchTrial
from tuner.report.across import compared_frame
from tuner.search_file.file import find_search
from tuner.search_file.file import load_search as read_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import MOST_HOURS, Overrides, backend_name
from tuner.search_file.schema import at_most_one_gpu
from tuner.system.interrupts import INTERRUPTS
from tuner.system.streams import lasting
from tuner.text import visible_line
from tuner.trial import Record
from tuner.workspace import Workspace, recorded_search, search_name

if TYPE_CHECKING:
    from tuner.executors import ExecutionOptions

#: A folder or a file, as users write it.
PathLike = str | os.PathLike[str]
#: A search that ran: its name, its file, itself, or what was found.
Ran = PathLike | Search | Findings


def _html(value: Search | Findings) -> str:
    """Return what a notebook shows of a search or of findings."""
    from tuner.api.html import findings_html, search_html  # which draw, and take seconds to import

    return search_html(value) if isinstance(value, Search) else findings_html(value)


# Notebooks ask a value itself how it is shown. The rooms of these two lie below the one that knows, and whoever has a
# value of theirs in a notebook has it from a function of this module.
for _shown in (Search, Findings):
    setattr(_shown, "_repr_html_", _html)  # noqa: B010  # an assignment, mypy finds no such attribute


@in_pythons_words()
def load_search(
    name: PathLike,
    *,
    epochs: int | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    repeats: int | None = None,
    settings: Sequence[str] = (),
) -> Search:
    """Read and check a search file.

    Args:
        name: of a file in `searches/` without its ending, or a path.
        epochs: of every trial, instead of the search file's.
        train_size: use so many training images, drawn by class.
        test_size: use so many test images, drawn by class.
        repeats: retrainings of each winner, instead of the search file's.
        settings: any other keys of the file, as `["training.batch_size=64", "search.cnn.max_trials=20"]`.

    Raises:
        InputError: there is no such file, or something in it is wrong; the message names file, key and value.
    """
    overrides = Overrides(epochs, train_size, test_size, repeats, tuple(settings))
    return read_search(find_search(_path(name)), checked_overrides(overrides))


def checked_overrides(overrides: Overrides) -> Overrides:
    """Return overrides as they are given, each large enough.

    Raises:
        InputError: one is not.
    """
    for option in fields(Overrides):
        if "least" in option.metadata:
            check_whole(option.name, getattr(overrides, option.name), option.metadata["least"])
    return overrides


@in_pythons_words()
def run(
    search: Search | PathLike,
    *,
    executor: str = "local",
    address: str | None = None,
    workers: int | None = None,
    cpus_per_trial: float | None = None,
    gpus_per_trial: float | None = None,
    fresh: bool = False,
    tensorboard: bool = False,
    skip_bad: bool = False,
    single_file: bool = False,
    hours: float | None = None,
    data_dir: PathLike | None = None,
    runs_dir: PathLike = "runs",
    reports_dir: PathLike = "reports",
    progress: bool = True,
) -> Findings:
    """Search, retrain, score and report; called again, go on from what is recorded. Return what was found.

    Ctrl-C, or the kernel's interrupt, raises KeyboardInterrupt; what had finished is recorded. It may be called from a
    script without an `if __name__ == "__main__"`.

    Args:
        search: as `load_search` returns it, or what `load_search` takes.
        executor: where trials run: "local", or "ray" for a cluster.
        address: of the Ray cluster, HOST:PORT; by default the one that this machine belongs to.
        workers: trials at once; by default as many as fit.
        cpus_per_trial: cores that a trial takes.
        gpus_per_trial: how much of a GPU a trial takes, at most 1; 0.25 lets four share one.
        fresh: train again what is recorded of this search alone.
        tensorboard: write logs for TensorBoard, too.
        skip_bad: leave out image files of a folder that cannot be used.
        single_file: let the page report.html hold its pictures, style and scripts, to be sent around alone.
        hours: end within so many, retrainings and report included, with as many trials as they allow.
        data_dir: looked at first for NAME.npz and folders of images; by default what `TUNER_DATA_DIR` says.
        runs_dir: where ledger and models are.
        reports_dir: where reports are written.
        progress: show what has been done so far.

    Raises:
        InputError: the search cannot run as given.
        CheckError: no trial of a model completed; the report has been written all the same.
        ResourceError: the machine lacks something; the next run goes on.
    """
    found = search if isinstance(search, Search) else load_search(search)
    data = data_dir or os.environ.get("TUNER_DATA_DIR")
    workspace = Workspace(Path(runs_dir), Path(reports_dir), Path(data) if data else None)
    check_whole("workers", workers, 1)
    if hours is not None and not 0 < hours <= MOST_HOURS:  # nor nan
        raise InputError("hours", f"is {hours:g}", f"it must be above 0, and at most {MOST_HOURS:,}")
    if backend_name() != _backend_of_this_process():
        problem = f"is {backend_name()!r} now, and this process began with {_backend_of_this_process()!r}"
        raise InputError("KERAS_BACKEND", problem, "restart the kernel, or start another process")

    from rich.console import Console

    console = Console(file=lasting(sys.stderr), quiet=not progress)
    if found.given is not None:
        found.given.write_code(found.folder)  # which somebody may have tidied up since
        for note in found.given.notes:
            console.print(visible_line(note), markup=False, highlight=False, soft_wrap=True)
    # Signals belong to the main thread; other ones cannot be interrupted.
    main = threading.current_thread() is threading.main_thread()
    with INTERRUPTS.heeded((signal.SIGINT,)) if main else nullcontext():
        try:
            with INTERRUPTS.importing():
                from tuner.running.options import RunOptions
                from tuner.running.search import run_search
            where = _execution_options(executor, workers, cpus_per_trial, gpus_per_trial, address)
            options = RunOptions(where, fresh, tensorboard, skip_bad, single_file, hours)
            return run_search(found, workspace, console, options)[0]
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt) or (main and INTERRUPTS.asked):
                console.print("stopped; nothing that finished is lost, and the same call goes on")
                raise KeyboardInterrupt from error
            if isinstance(error, OSError | MemoryError) and (lack := resource_error_of(error)):
                raise lack from error
            raise
        finally:
            INTERRUPTS.asked = False  # what was asked of this call is not asked of what is imported next


@cache
def _backend_of_this_process() -> str:
    """Return Keras' backend as it was when first asked: workers come from one server, which has imported that one."""
    return backend_name()


def _execution_options(
    executor: str, workers: int | None, cpus: float | None, gpus: float | None, address: str | None
) -> ExecutionOptions:
    from tuner.executors import ExecutionOptions

    if cpus is not None and not 0 < cpus <= 1024:  # nor nan
        raise InputError("cpus_per_trial", f"is {cpus:g}", "it must be above 0, and at most 1024")
    try:
        return ExecutionOptions(executor, workers, cpus, None if gpus is None else at_most_one_gpu(gpus), address)
    except ValueError as error:
        raise InputError("gpus_per_trial", f"{gpus:g} {error}") from None


def check_whole(option: str, value: int | None, least: int) -> None:
    """See that an argument is a whole number, and large enough, where it is given.

    Raises:
        InputError: it is not.
    """
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        raise InputError(option, f"is {value!r}", f"it must be a whole number from {least} on")


@in_pythons_words()
def load_findings(name: Ran, *, runs_dir: PathLike = "runs", reports_dir: PathLike = "reports") -> Findings:
    """Return what is recorded of a search, finished or not, as `run` returns it.

    Raises:
        InputError: the search has not been run here.
        CheckError: saved predictions or a saved model are missing or were changed.
    """
    if isinstance(name, Findings):
        return name
    return recorded_findings(_name(name), Workspace(Path(runs_dir), Path(reports_dir)))


@in_pythons_words()
def results(name: Ran, *, runs_dir: PathLike = "runs") -> pd.DataFrame:
    """Return the trials of a search, a row each, best first: the columns of `tuner results --all`, numbers as numbers.

    `retrained_mean`, `retrained_sd` and `repeats` are of the retrainings of those that were chosen, on the test set.

    Raises:
        InputError: the search has not been run here.
    """
    rows = result_rows(*_search_trials(name, runs_dir))
    return typed(pd.DataFrame(rows, columns=column_names(rows), dtype=object))


@in_pythons_words()
def history(name: Ran, *, runs_dir: PathLike = "runs") -> pd.DataFrame:
    """Return the learning curves of all trials, retrainings too: a row for each trial, epoch (from 1) and metric.

    Raises:
        InputError: the search has not been run here.
    """
    rows = [
        (record.trial.id, search_trial.model, search_trial.dataset, search_trial.role, epoch, metric, value)
        for search_trial, record in _search_trials(name, runs_dir)[0]
        if record is not None
        for metric, values in record.result.history.items()
        for epoch, value in enumerate(values, start=1)
    ]
    return typed(pd.DataFrame(rows, columns=col.HISTORY))


@in_pythons_words()
def scores(name: Ran, *, runs_dir: PathLike = "runs") -> pd.DataFrame:
    """Return precision, recall, F1, ROC AUC and average precision of each class of each saved model, and averages.

    `kind` tells rows of classes from rows of averages, whatever a class is called.

    Raises:
        InputError: the search has not been run here.
        CheckError: saved predictions or a saved model are missing or were changed.
    """
    from tuner.analysis.class_scores import per_class_frame

    return typed(per_class_frame(load_findings(name, runs_dir=runs_dir).chosen))


@in_pythons_words()
def compare(*names: Ran, runs_dir: PathLike = "runs") -> pd.DataFrame:
    """Return the chosen models of one or several searches, a row for each data set and model, best first on each.

    `objective` is what the model was chosen by; what is compared is test accuracy.
    `retrained_mean` and `retrained_sd` are of the test accuracies of all retrainings, `ci_low` and `ci_high` the 95
    % interval of the saved model's, `test_accuracy`. `delta` is the mean minus that of the best model on the data
    set, with its 95 % interval over retrainings and test images; `p_value` is of the same difference, after Holm
    for all pairs of models that are shown, and decides. `least_shown` is the difference from which on it would have
    been shown for certain, `matters` says whether the whole interval is beyond what matters, `chance_ahead` is the
    share of pairs of a retraining of each in which the best model is the worse one, and `mcnemar_mid_p` about the
    two saved files alone. All are empty for the best model itself and where two models were scored on different
    test images; `p_value` and `least_shown` also where one has a single retraining or was chosen on the test
    images.

    Raises:
        InputError: a search has not been run here; none is named.
        CheckError: saved predictions or a saved model are missing or were changed.
    """
    if not names:
        raise InputError("compare", "no search is named", "name one or more")
    return typed(compared_frame([load_findings(name, runs_dir=runs_dir) for name in names]))


def _name(name: PathLike | Search) -> str:
    return name.name if isinstance(name, Search) else _path(name)


def _path(name: PathLike) -> str:
    """Return a name or a path as text.

    Raises:
        InputError: it is neither.
    """
    if not isinstance(name, str | os.PathLike):  # as a number is in a notebook
        raise InputError("", f"{shown(name)} is no name of a search, nor a path of its file")
    return os.fspath(name)


def _search_trials(name: Ran, runs_dir: PathLike) -> tuple[Sequence[tuple[SearchTrial, Record | None]], bool]:
    """Return the trials of a search in the ledger, and whether it has finished; no file of a model is looked at."""
    if isinstance(name, Findings):
        return name.search_trials, name.finished
    text = _name(name)
    with Workspace(Path(runs_dir)).existing_ledger(text) as ledger:
        search = recorded_search(ledger, search_name(text)).name
        return ledger.search_trials(search), ledger.is_finished(search)
