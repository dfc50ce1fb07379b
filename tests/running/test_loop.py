"""The loop: any number of workers, any order of finishing and any crash give the same search."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from observers import Silent
from recorded import whole, whole_final

from tuner.errors import ResourceError
from tuner.executors import Executor, Limits, Outcome
from tuner.families import FAMILIES
from tuner.ledger.events import Event
from tuner.ledger.ledger import Ledger
from tuner.oracles import ALGORITHMS, Halving, Pause, Proposal, Pruning, UpTo, rungs_of
from tuner.oracles.base import Oracle
from tuner.recipe import RECIPE
from tuner.running.loop import Runner, Watch
from tuner.running.proposals import Proposals, listed_proposals
from tuner.space.space import read_space
from tuner.trial import Attempt, Job, Result, Trial


class CrashError(Exception):
    """Stands for the main process's death at this moment."""


#: When and where the simulated trials ran.
ATTEMPT = Attempt(1_700_000_000.0, 1_700_000_001.5, 2, "a")


class SimulatedExecutor(Executor):
    """Finishes calls in a random order, at once, in this process; may crash the loop after so many results."""

    def __init__(self, slots: int, rng: random.Random, crash_after: int | None = None) -> None:
        self.slots, self._rng, self._crash_after = slots, rng, crash_after
        self._calls: dict[str, Job] = {}
        self.trained: list[str] = []
        self.most_at_once = 0

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        assert isinstance(argument, Job)
        assert key not in self._calls
        self._calls[key] = argument
        self.most_at_once = max(self.most_at_once, len(self._calls))

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        if self._crash_after is not None and len(self.trained) >= self._crash_after:
            raise CrashError
        keys = self._rng.sample(sorted(self._calls), self._rng.randint(1, len(self._calls)))
        self.trained += keys
        return [Outcome(key, result_of(self._calls.pop(key).trial), attempt=ATTEMPT) for key in keys]

    def close(self) -> None:
        self._calls.clear()


def result_of(trial: Trial) -> Result:
    rng = random.Random(trial.id)  # noqa: S311
    if rng.random() < 0.15:
        return Result("failed", "a bad one")
    return (whole if trial.role == "search" else whole_final)(
        Result("completed", val_accuracy=rng.random(), val_loss=1.0, parameters=10)
    )


def trial_of(proposal: Proposal, folds: int = 0) -> Trial:
    epochs, stop_after = proposal.epochs or 9, proposal.stop_after
    return Trial("cnn", "blobs", "f" * 16, proposal.values, epochs, seed=0, stop_after=stop_after, folds=folds)


#: What proposes: an algorithm alone, or pruned by successive halving; and whether each trial has three folds.
PRUNED, FOLDS = ", pruned", ", with folds"
EVERY_ALGORITHM = (
    *ALGORITHMS,
    *(f"{name}{PRUNED}" for name in ALGORITHMS if name != "hyperband"),
    *(f"{name}{FOLDS}" for name in ALGORITHMS),
    f"random{PRUNED}{FOLDS}",
    f"bayesian{PRUNED}{FOLDS}",
)


def proposals(algorithm: str, model: str = "cnn", most: int | None = None, left_out: Collection[str] = ()) -> Proposals:
    given = {"conv_depth": [1, 2], "filters": [4, 8], "dense_units": [4, 8, 16]}
    searched = read_space(given, {"filters_never_decrease": True}, [*FAMILIES["cnn"].parameters, *RECIPE], {})
    name = algorithm.partition(",")[0]
    oracle = ALGORITHMS[name].oracle(searched, 0, None if name in ("grid", "hyperband") else 12, 9)
    if most is not None:
        oracle = UpTo(oracle, most)
    if PRUNED in algorithm:
        oracle = Halving(oracle, Pruning(rungs_of(9, 3), 3))
    folds = 3 if algorithm.endswith(FOLDS) else 0
    return Proposals(model, "blobs", "search", oracle, lambda proposal: trial_of(proposal, folds), 3, left_out)


def run_once(
    path: Path,
    algorithm: str,
    executor: Executor,
    observer: Silent | None = None,
    most: int | None = None,
    watch: Watch | None = None,
) -> None:
    with Ledger(path) as ledger:
        ledger.open_search("s", "key", "{}")
        runner = Runner("s", ledger, executor, lambda t: Job(t, Path(), Path()), observer or Silent())
        runner.drive("search", [proposals(algorithm, most=most)], None, watch)


class UntilSoMany:
    """A watch that has time for so many trainings, and then for none."""

    def __init__(self, most: int) -> None:
        self._left = most
        self.after: int | None = None

    def order(self, all_proposals: Sequence[Proposals]) -> Sequence[Proposals]:
        return [one for one in all_proposals if not one.exhausted and self.after is None]

    def allows(self, proposals: Proposals, trial: Trial) -> bool:
        self._left -= 1
        if self._left < 0:
            self.after = proposals.proposed - proposals.gone_on - (not proposals.last_goes_on)
        return self.after is None


def table(path: Path) -> list[tuple[object, ...]]:
    with Ledger(path) as ledger:
        return [(m, r.trial, r.result) for m, r in ledger.all_search_trials("s") if r is not None]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[tuple[object, ...]]]:
    tables: dict[str, list[tuple[object, ...]]] = {}

    def of(algorithm: str) -> list[tuple[object, ...]]:
        if algorithm not in tables:
            path = tmp_path_factory.mktemp("whole") / "ledger.sqlite"
            run_once(path, algorithm, SimulatedExecutor(1, random.Random(0)))  # noqa: S311
            tables[algorithm] = table(path)
        return tables[algorithm]

    return of


@pytest.mark.parametrize("algorithm", EVERY_ALGORITHM)
class TestEveryAlgorithm:
    @pytest.mark.parametrize("slots", [2, 3, 7])
    def test_any_number_of_workers_gives_the_same_search(
        self, algorithm: str, slots: int, tmp_path: Path, uninterrupted: Callable[[str], object]
    ) -> None:
        executor = SimulatedExecutor(slots, random.Random(slots))  # noqa: S311
        run_once(tmp_path / "l", algorithm, executor)
        assert table(tmp_path / "l") == uninterrupted(algorithm)
        assert executor.most_at_once > 1

    def test_a_search_crashed_again_and_again_ends_as_an_uninterrupted_one(
        self, algorithm: str, tmp_path: Path, uninterrupted: Callable[[str], object]
    ) -> None:
        trained: list[str] = []
        for attempt in range(200):
            executor = SimulatedExecutor(1 + attempt % 3, random.Random(attempt), crash_after=attempt % 3)  # noqa: S311
            try:
                run_once(tmp_path / "l", algorithm, executor)
            except CrashError:
                trained += executor.trained
                continue
            trained += executor.trained
            break
        else:
            pytest.fail("the search never ended")
        assert table(tmp_path / "l") == uninterrupted(algorithm)
        assert len(trained) == len(set(trained)), "a trial was trained twice"

    def test_a_finished_search_trains_nothing_when_started_again(self, algorithm: str, tmp_path: Path) -> None:
        run_once(tmp_path / "l", algorithm, SimulatedExecutor(2, random.Random(0)))  # noqa: S311
        executor, observer = SimulatedExecutor(2, random.Random(0)), Silent()  # noqa: S311
        run_once(tmp_path / "l", algorithm, executor, observer)
        assert executor.trained == []
        assert len(observer.known) == len(table(tmp_path / "l"))

    @pytest.mark.parametrize("time_for", [0, 1, 6])
    def test_a_search_that_the_clock_ended_is_one_of_so_many_and_goes_on_as_if_it_had_not(
        self, algorithm: str, time_for: int, tmp_path: Path, uninterrupted: Callable[[str], object]
    ) -> None:
        watch = UntilSoMany(time_for)
        executor = SimulatedExecutor(2, random.Random(1))  # noqa: S311
        run_once(tmp_path / "l", algorithm, executor, watch=watch)
        assert len(executor.trained) == time_for * (3 if algorithm.endswith(FOLDS) else 1)
        assert watch.after is not None
        for slots in (2, 3):  # what prunes goes on with the best; a run after that finds all of it
            executor = SimulatedExecutor(slots, random.Random(slots))  # noqa: S311
            run_once(tmp_path / "l", algorithm, executor, most=watch.after)
        assert executor.trained == []
        run_once(tmp_path / "at_once", algorithm, SimulatedExecutor(1, random.Random(0)), most=watch.after)  # noqa: S311
        assert table(tmp_path / "l") == table(tmp_path / "at_once")
        with Ledger(tmp_path / "l") as ledger:
            ledger.note("s", Event("lifted", None), anew=True)
        run_once(tmp_path / "l", algorithm, SimulatedExecutor(3, random.Random(3)))  # noqa: S311
        assert table(tmp_path / "l") == uninterrupted(algorithm)


class DyingExecutor(SimulatedExecutor):
    """Loses each call's worker so many times before it gives the result."""

    def __init__(self, deaths: int) -> None:
        super().__init__(2, random.Random(0))  # noqa: S311
        self._left: dict[str, int] = {}
        self._deaths = deaths

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for outcome in super().wait(timeout):
            left = self._left.setdefault(outcome.key, self._deaths)
            self._left[outcome.key] -= 1
            outcomes.append(Outcome(outcome.key, died="killed by SIGKILL") if left > 0 else outcome)
        return outcomes


def test_a_trial_whose_worker_died_once_is_tried_again(tmp_path: Path, uninterrupted: Callable[[str], object]) -> None:
    observer = Silent()
    run_once(tmp_path / "l", "grid", DyingExecutor(1), observer)
    assert table(tmp_path / "l") == uninterrupted("grid")
    assert set(observer.retries) == {"killed by SIGKILL"}


def test_a_trial_whose_worker_died_twice_is_a_failed_row_with_the_signal(tmp_path: Path) -> None:
    run_once(tmp_path / "l", "grid", DyingExecutor(2))
    rows = table(tmp_path / "l")
    assert len(rows) == 15
    assert {result.error for _, _, result in rows} == {"killed by SIGKILL (2 times)"}  # type: ignore[attr-defined]


class LosingExecutor(DyingExecutor):
    """Loses machines, not workers."""

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        return [replace(one, lost=True) if one.died else one for one in super().wait(timeout)]


def test_a_trial_whose_machine_went_away_is_tried_more_often_than_one_whose_worker_died(
    tmp_path: Path, uninterrupted: Callable[[str], object]
) -> None:
    run_once(tmp_path / "l", "grid", LosingExecutor(9))
    assert table(tmp_path / "l") == uninterrupted("grid")


def test_a_trial_that_loses_machine_after_machine_fails_at_last(tmp_path: Path) -> None:
    run_once(tmp_path / "l", "grid", LosingExecutor(10))
    rows = table(tmp_path / "l")
    assert {result.error for _, _, result in rows} == {"killed by SIGKILL (10 times)"}  # type: ignore[attr-defined]
    assert all(result.transient for _, _, result in rows)  # type: ignore[attr-defined]


def test_the_ledger_holds_when_and_in_which_worker_each_trial_ran(tmp_path: Path) -> None:
    run_once(tmp_path / "ledger.sqlite", "grid", SimulatedExecutor(2, random.Random(0)))  # noqa: S311
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert set(ledger.attempts("s").values()) == {ATTEMPT}
        assert len(ledger.attempts("s")) == len(ledger.search_trials("s"))


def test_two_model_searches_with_the_same_trials_train_them_once(tmp_path: Path) -> None:
    executor = SimulatedExecutor(3, random.Random(1))  # noqa: S311
    with Ledger(tmp_path / "l") as ledger:
        ledger.open_search("s", "key", "{}")
        runner = Runner("s", ledger, executor, lambda t: Job(t, Path(), Path()), Silent())
        runner.drive("search", [proposals("grid", "a"), proposals("grid", "b")], None)
        search_trials = ledger.search_trials("s")
    assert len(search_trials) == 30
    assert all(record is not None for _, record in search_trials)
    assert len(executor.trained) == len(set(executor.trained)) == 15


def test_a_trial_of_another_search_is_not_trained_again(tmp_path: Path) -> None:
    run_once(tmp_path / "l", "grid", SimulatedExecutor(2, random.Random(0)))  # noqa: S311
    executor = SimulatedExecutor(2, random.Random(0))  # noqa: S311
    with Ledger(tmp_path / "l") as ledger:
        ledger.open_search("other", "key", "{}")
        Runner("other", ledger, executor, lambda t: Job(t, Path(), Path()), Silent()).drive(
            "x", [proposals("grid")], None
        )
        assert len(ledger.search_trials("other")) == 15
    assert executor.trained == []


def test_listed_trials_run_in_their_order(tmp_path: Path) -> None:
    trials = [Trial("cnn", "d", "f" * 16, {"x": i}, 1, seed=i).as_final(i) for i in range(4)]
    executor = SimulatedExecutor(1, random.Random(0))  # noqa: S311
    with Ledger(tmp_path / "l") as ledger:
        ledger.open_search("s", "key", "{}")
        runner = Runner("s", ledger, executor, lambda t: Job(t, Path(), Path()), Silent())
        runner.drive("finals", [listed_proposals("cnn", "d", trials)], 4)
    assert executor.trained == [trial.id for trial in trials]


class Recorder(Oracle):
    """Notes what it had heard of when it proposed."""

    adaptive = True

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.at_proposal: list[int] = []

    def propose(self) -> Proposal | Pause:
        if len(self.at_proposal) == 12:
            return Pause.EXHAUSTED
        self.at_proposal.append(len(self.heard))
        return Proposal({"x": len(self.at_proposal)})

    def observe(self, number: int, score: float | None) -> None:
        self.heard.append(number)


@pytest.mark.parametrize("slots", [1, 2, 9])
def test_an_oracle_hears_of_exactly_the_trials_before_its_lag_and_in_order(tmp_path: Path, slots: int) -> None:
    oracle = Recorder()
    with Ledger(tmp_path / "l") as ledger:
        ledger.open_search("s", "key", "{}")
        executor = SimulatedExecutor(slots, random.Random(slots))  # noqa: S311
        runner = Runner("s", ledger, executor, lambda t: Job(t, Path(), Path()), Silent())
        runner.drive("x", [Proposals("m", "d", "search", oracle, trial_of, lag=3)], None)
    assert oracle.at_proposal == [max(0, k - 3) for k in range(12)]
    assert oracle.heard == sorted(oracle.heard)


def test_failures_of_the_machine_are_tried_again_by_the_next_run_and_others_are_not(tmp_path: Path) -> None:
    run_once(tmp_path / "l", "grid", DyingExecutor(2))
    executor = SimulatedExecutor(2, random.Random(0))  # noqa: S311
    run_once(tmp_path / "l", "grid", executor)
    assert len(executor.trained) == 15
    assert "failed" in {result.status for _, _, result in table(tmp_path / "l")}  # type: ignore[attr-defined]
    third = SimulatedExecutor(2, random.Random(0))  # noqa: S311
    run_once(tmp_path / "l", "grid", third)
    assert third.trained == []


class LimitedExecutor(SimulatedExecutor):
    """Ends every call at its time limit."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(2, random.Random(0))  # noqa: S311
        self.limits = limits

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        keys = [outcome.key for outcome in super().wait()]
        return [Outcome(key, died="took too long", passed={"minutes": self.limits.minutes or 0}) for key in keys]


def test_a_trial_that_passed_a_limit_fails_at_once_and_is_tried_again_by_a_run_that_allows_more(tmp_path: Path) -> None:
    first = LimitedExecutor(Limits(minutes=2))
    run_once(tmp_path / "l", "grid", first)
    assert len(first.trained) == len(set(first.trained)) == 15
    assert {(r.error, r.transient) for _, _, r in table(tmp_path / "l")} == {("took too long", False)}  # type: ignore[attr-defined]
    for minutes, again in ((2, 0), (1, 0), (3, 15)):
        executor = LimitedExecutor(Limits(minutes=minutes))
        run_once(tmp_path / "l", "grid", executor)
        assert len(executor.trained) == again
    free = SimulatedExecutor(2, random.Random(0))  # noqa: S311
    run_once(tmp_path / "l", "grid", free)
    assert len(free.trained) == 15


class FullDisk(SimulatedExecutor):
    """Has no room for the result of the sixth call and of any later one."""

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        outcomes = super().wait()
        lacks = ResourceError("runs/models", "No space left on device", "make room")
        return [Outcome(one.key, lacks if len(self.trained) > 5 else one.value) for one in outcomes]


def test_what_the_machine_lacks_stops_the_search_and_is_no_trials_failure(
    tmp_path: Path, uninterrupted: Callable[[str], object]
) -> None:
    with pytest.raises(ResourceError, match="No space left"):
        run_once(tmp_path / "l", "grid", FullDisk(1, random.Random(0)))  # noqa: S311
    assert len(table(tmp_path / "l")) == 5
    run_once(tmp_path / "l", "grid", SimulatedExecutor(2, random.Random(0)))  # noqa: S311
    assert table(tmp_path / "l") == uninterrupted("grid")


def test_a_fresh_run_trains_its_own_trials_again_once_and_leaves_those_of_other_searches(tmp_path: Path) -> None:
    run_once(tmp_path / "l", "grid", SimulatedExecutor(2, random.Random(0)))  # noqa: S311
    with Ledger(tmp_path / "l") as ledger:
        shared = [search_trial for search_trial, _ in ledger.search_trials("s")][:5]
        ledger.open_search("other", "key", "{}")
        for search_trial in shared:
            ledger.add("other", search_trial)
        executor = SimulatedExecutor(2, random.Random(0))  # noqa: S311
        runner = Runner("s", ledger, executor, lambda t: Job(t, Path(), Path()), Silent(), fresh=True)
        runner.drive("search", [proposals("grid"), proposals("grid", "twin")], None)
    assert len(executor.trained) == len(set(executor.trained)) == 10
    assert not set(executor.trained) & {search_trial.trial for search_trial in shared}


# --- which trial is next ---


class KinExecutor(SimulatedExecutor):
    """Finishes calls in order and keeps a process for the group of each, as `local` does."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots, random.Random(0))  # noqa: S311
        self.kept: dict[int, str] = {}  # the group of each place that runs nothing
        self.running: dict[str, tuple[int, str]] = {}
        self.started: list[tuple[str, bool]] = []

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        super().submit(key, argument)
        taken = {slot for slot, _ in self.running.values()}
        free = [slot for slot in range(self.slots) if slot not in taken]
        ready = [slot for slot in free if self.kept.get(slot) == group]
        self.running[key] = ([*ready, *free][0], group)
        self.started.append((key, bool(ready)))

    def waiting_groups(self) -> set[str]:
        taken = {slot for slot, _ in self.running.values()}
        return {group for slot, group in self.kept.items() if slot not in taken}

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        key = next(iter(self._calls))
        slot, group = self.running.pop(key)
        self.kept[slot] = group
        self.trained.append(key)
        return [Outcome(key, result_of(self._calls.pop(key).trial))]


def driven(path: Path, executor: Executor, trials: list[Trial], costs: dict[str, float] | None = None) -> None:
    with Ledger(path) as ledger:
        ledger.open_search("s", "key", "{}")
        cost_of = (lambda t: costs[t.id]) if costs else (lambda t: 0.0)
        runner = Runner("s", ledger, executor, lambda t: Job(t, Path(), Path()), Silent(), cost_of=cost_of)
        runner.drive("finals", [listed_proposals("cnn", "d", trials)], len(trials))


def test_the_longest_trials_are_trained_first(tmp_path: Path) -> None:
    trials = [Trial("cnn", "d", "f" * 16, {"filters": i}, 1, seed=0) for i in range(6)]
    costs = dict(zip((t.id for t in trials), (3.0, 1.0, 5.0, 5.0, 2.0, 4.0), strict=True))
    executor = KinExecutor(2)
    driven(tmp_path / "l", executor, trials, costs)
    assert [key for key, _ in executor.started] == [trials[i].id for i in (2, 3, 5, 0, 4, 1)]


def test_those_of_a_group_follow_each_other_in_one_process_the_one_with_most_runtime_scalars_first(
    tmp_path: Path,
) -> None:
    def trial(filters: int, dropout: float, l2: float) -> Trial:
        return Trial("cnn", "d", "f" * 16, {"filters": filters, "dropout": dropout, "l2": l2}, 1, seed=0)

    settings = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.1), (0.5, 0.1)]
    trials = [trial(filters, *levels) for levels in settings for filters in (4, 8)]
    executor = KinExecutor(2)
    driven(tmp_path / "l", executor, trials)
    assert sum(not ready for _, ready in executor.started) == 2  # a process for each number of filters
    by_id = {t.id: t for t in trials}
    for filters in (4, 8):
        mine = [by_id[key].values for key, _ in executor.started if by_id[key].values["filters"] == filters]
        assert (mine[0]["dropout"], mine[0]["l2"]) == (0.5, 0.1)


def test_no_worker_stays_idle_for_the_sake_of_a_group(tmp_path: Path) -> None:
    executor = KinExecutor(3)
    driven(tmp_path / "l", executor, [Trial("cnn", "d", "f" * 16, {}, 1, seed=i) for i in range(9)])
    assert executor.most_at_once == 3
    assert sum(not ready for _, ready in executor.started) == 3


def test_a_long_list_is_proposed_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.running.loop.LOOK_AHEAD", 4)
    seen: list[int] = []

    class Watching(KinExecutor):
        def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
            super().submit(key, argument, group)
            with Ledger(tmp_path / "l") as ledger:
                seen.append(len(ledger.search_trials("s")))

    trials = [Trial("cnn", "d", "f" * 16, {"filters": i}, 1, seed=0) for i in range(12)]
    driven(tmp_path / "l", Watching(2), trials)
    assert seen[0] == 4
    assert seen[-1] == 12
    assert all(listed - started <= 4 for started, listed in enumerate(seen))
