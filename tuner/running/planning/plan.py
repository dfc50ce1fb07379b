"""What a run of a search would do: what is recorded and counts, what is to be trained, what is left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext

from rich.console import Console

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.ledger.events import limits_of
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import left_out_of
from tuner.running.changed import Before
from tuner.running.checked import checked_search, laid_out, run_key
from tuner.running.checks import check_backend
from tuner.running.options import RunOptions
from tuner.running.planning.forecast import Foretold, foretold
from tuner.running.planning.wording import LeftBehind, Part, Plan, Retrainings
from tuner.running.planning.work import Work, may_be_there, work_of
from tuner.search_file.model import Search
from tuner.workspace import Workspace


def make_plan(search: Search, workspace: Workspace, console: Console, options: RunOptions) -> Plan:
    """Return what a run of a search would do. Nothing is written, and nothing trained but a probe.

    Args:
        search: what would be run.
        workspace: where it would read and write.
        console: where it is said what is waited for.
        options: how it would be run; see `RunOptions`.

    Raises:
        InputError: the search cannot run as given.
        ResourceError: the machine lacks something.
    """
    begun = time.monotonic()
    check_backend(search)
    try:
        options.execution.check(search.cpus_per_trial)
    except InputError as error:
        raise error.inside(search.place) if error.place == "cpus_per_trial" else error from error
    workspace.check_writable(search.name)
    notes: list[str] = []
    all_work: list[Work] = []
    data: dict[str, Dataset] = {}
    tests: dict[str, int] = {}
    with workspace.open_ledger() or nullcontext() as ledger:
        before: list[tuple[Before, set[str], bool]] = []
        for split in range(1, search.splits + 1):
            checked = checked_search(search.at_split(split), workspace, console, options.skip_bad)
            search, one = checked.search.at_split(1), checked.search
            notes += [note for note in checked.notes if note not in notes]
            prepared = {name: laid_out(found, workspace, write=False) for name, found in checked.datasets.items()}
            tests |= {found.fingerprint: len(found.y_test) for found in checked.datasets.values()}
            data = data or checked.datasets  # a probe of the first split tells of all
            key = run_key(one, prepared)
            changed = Before.read(ledger, one, key) if ledger else None
            if ledger and changed:
                changed = changed.with_kept(one, prepared, ledger)
                one = one.with_earlier(changed.earlier)
                notes += [note for note in changed.of_kept(one) if note not in notes]
            elif ledger and ledger.listed_under(one.name, key) is None:
                one = one.as_recorded(ledger)
            left_out = _left_out(one, key, ledger)
            all_work.append(work_of(one, prepared, ledger, workspace, _limits(one, key, ledger), left_out))
            if changed:
                ahead = all_work[-1].ahead
                proposed = {trial for part in ahead for trial in part.proposed}
                before.append((changed, proposed, all(part.certain for part in ahead)))
        told = foretold(all_work, Foretold(data, tests, workspace, ledger, options.execution, time.monotonic() - begun))
    parts, left = tuple(_parts(all_work)), _left_behind(before)
    return Plan(search.name, parts, _retrainings(all_work), left, tuple(notes), *told)


def _limits(search: Search, key: str, ledger: Ledger | None) -> Mapping[tuple[str, str], int]:
    """Return where the hours of a search ended it, if it is still to get its report."""
    if ledger is None or ledger.is_finished(search.file_name) or ledger.listed_under(search.name, key) is not None:
        return {}
    return limits_of(ledger.events(search.name))


def _left_out(search: Search, key: str, ledger: Ledger | None) -> set[str]:
    """Return the trials that somebody stopped or skipped, which no run of the search trains."""
    if ledger is None or ledger.listed_under(search.name, key) is not None:
        return set()
    events = [] if ledger.is_finished(search.file_name) else ledger.events(search.name)
    return left_out_of(ledger.decisions(search.name), events)


def _parts(all_work: Sequence[Work]) -> Iterator[Part]:
    for work in all_work:
        for ahead in work.ahead:
            model_search = work.search.model_search(ahead.model)
            yield Part(
                ahead.model,
                model_search.label,
                ahead.dataset,
                work.search.split,
                ahead.configurations,
                len(ahead.counted),
                len(ahead.new),
                ahead.unknown,
                model_search.pruning is not None,
            )


def _retrainings(all_work: Sequence[Work]) -> Retrainings:
    totals = [
        sum(len(trials) for _, _, trials in work.finals)
        if work.decided  # which rows below a size there are, too
        else (len(may_be_there(work)) + _further_members(work.search)) * work.search.repeats
        for work in all_work
    ]
    recorded = sum(len(work.finals_recorded) for work in all_work)
    return Retrainings(sum(totals), recorded, all(work.decided for work in all_work))


def _further_members(search: Search) -> int:
    """Return how many configurations are retrained at most, over all data sets, for an ensemble alone."""
    return (search.most_retrained - len(search.contenders)) * len(search.compare or search.datasets)


def _left_behind(before: Sequence[tuple[Before, set[str], bool]]) -> LeftBehind | None:
    if not before:
        return None
    left = sum(len(one.trials - proposed) for one, proposed, _ in before)
    total = sum(len(one.trials) for one, _, _ in before)
    return LeftBehind(total, left, bool(left) and not all(certain for _, _, certain in before), before[0][0].in_words)
