"""The contract of an executor, over all of them."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from pathlib import Path

import pytest
from other_process import python_path

from tuner.errors import InputError, ResourceError
from tuner.executors import EXECUTORS, Executor, Limits, Outcome, Resources, local
from tuner.executors.gpus import visible_gpus
from tuner.executors.local import LocalExecutor, default_workers
from tuner.executors.untimed import untimed
from tuner.system.machine import resident_bytes


def double(number: int) -> int:
    return 2 * number


def pid(_: object) -> int:
    return os.getpid()


def large(size: int) -> bytes:
    return bytes(size)


def meet(mark: str) -> None:
    """Leave a mark, wait for that of another call, and then half a second."""
    Path(mark).touch()
    while len(list(Path(mark).parent.iterdir())) < 2:
        time.sleep(0.02)
    time.sleep(0.5)


def doze(seconds: float) -> str:
    time.sleep(seconds)
    return "rested"


def prepare_and_doze(seconds: tuple[float, float]) -> str:
    with untimed():
        time.sleep(seconds[0])
    return doze(seconds[1])


def doze_under_a_number(path: Path) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(str(os.getpid()))
    partial.rename(path.with_suffix(".pid"))
    time.sleep(3600)


def alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False


def in_the_end(condition: Callable[[], bool], seconds: float = 120) -> bool:
    """Say whether it comes true; the limit is far beyond what a busy machine needs."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def die(how: str) -> None:
    if how == "exit":
        os._exit(3)
    if how == "raise":
        raise RuntimeError("a bug")
    os.kill(os.getpid(), getattr(signal, how))


def die_or_pid(how: str) -> int:
    if how:
        die(how)
    return os.getpid()


def resident(_: object) -> int:
    return resident_bytes(os.getpid()) or 0


def hoard(megabytes: int) -> str:
    kept = bytearray(megabytes * 1_000_000)
    kept[::1024] = b"x" * len(kept[::1024])  # so that the pages are there
    time.sleep(30)
    return "kept"


def oom_score(_: object) -> int:
    return int(Path("/proc/self/oom_score_adj").read_text())


def print_both(text: str) -> None:
    print(text)  # noqa: T201
    print(text, file=sys.stderr)  # noqa: T201


def gpu(_: object) -> str | None:
    return os.environ.get("CUDA_VISIBLE_DEVICES")


def every(executor: Executor, count: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    while len(outcomes) < count:
        outcomes += executor.wait(timeout=600)
    return outcomes


NO_LIMITS = Limits()


@pytest.fixture(scope="module")
def connected() -> Iterator[None]:
    """A Ray of this machine alone, which executors of this module share; starting one takes seconds."""
    ray = pytest.importorskip("ray")
    for left in (2, 1, 0):  # on a busy machine a part of Ray may wait for another in vain
        try:
            ray.init(
                "local",
                num_cpus=4,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env={"env_vars": {"PYTHONPATH": python_path(Path(__file__).parent)}},
            )
            break
        except Exception:
            ray.shutdown()
            if not left:
                raise
    yield
    ray.shutdown()


@pytest.fixture(params=EXECUTORS)
def make(request: pytest.FixtureRequest) -> Iterator[object]:
    opened: list[Executor] = []
    if request.param == "ray":
        request.getfixturevalue("connected")

    def build(function: object, workers: int = 2, limits: Limits = NO_LIMITS) -> Executor:
        named = f"{__name__}:{function.__name__}"  # type: ignore[attr-defined]
        executor = EXECUTORS[request.param](None, named, workers, Resources(), Path(os.devnull), (), limits)
        opened.append(executor)
        return executor

    yield build
    for executor in opened:
        executor.close()


class TestEveryExecutor:
    def test_hands_back_what_the_function_returns(self, make) -> None:
        executor = make(double)
        for number in range(2):
            executor.submit(str(number), number)
        assert {outcome.key: outcome.value for outcome in every(executor, 2)} == {"0": 0, "1": 2}

    def test_a_place_is_free_again_after_its_result(self, make) -> None:
        executor = make(double, workers=1)
        for number in range(3):
            executor.submit(str(number), number)
            assert every(executor, 1)[0].value == 2 * number

    def test_every_call_has_a_process_of_its_own(self, make) -> None:
        executor = make(pid, workers=1)
        seen = {os.getpid()}
        for number in range(3):
            executor.submit(str(number), None)
            seen.add(every(executor, 1)[0].value)
        assert len(seen) == 4

    def test_calls_of_different_kin_never_share_a_process(self, make) -> None:
        executor = make(pid)
        seen: dict[str, set[int]] = {"a": set(), "b": set(), "": set()}
        for number, group in enumerate(("a", "b", "", "a", "", "b", "a", "b", "")):
            executor.submit(str(number), None, group)
            seen[group].add(every(executor, 1)[0].value)
        assert not seen["a"] & seen["b"]
        assert len(seen[""]) == 3
        assert not seen[""] & (seen["a"] | seen["b"])

    def test_a_call_without_kin_keeps_no_process(self, make) -> None:
        executor = make(pid)
        executor.submit("0", None)
        every(executor, 1)
        assert executor.waiting_groups() == set()

    def test_large_results_come_through(self, make) -> None:
        executor = make(large)
        executor.submit("a", 5_000_000)
        assert len(every(executor, 1)[0].value) == 5_000_000

    @pytest.mark.parametrize(
        ("how", "reason"),
        [
            ("SIGKILL", "SIGKILL"),
            ("SIGSEGV", "SIGSEGV"),
            ("SIGTERM", "SIGTERM"),
            ("exit", "exit code 3"),
            ("raise", "exit code 1"),
        ],
    )
    def test_a_death_is_an_outcome_with_its_reason(self, make, how: str, reason: str) -> None:
        executor = make(die)
        executor.submit("doomed", how)
        (outcome,) = every(executor, 1)
        assert outcome.key == "doomed"
        assert reason in outcome.died

    def test_an_outcome_says_when_and_in_which_worker_it_came(self, make, tmp_path: Path) -> None:
        executor = make(meet)
        begun = time.time()
        for key, group in (("0", "a"), ("1", "b")):
            executor.submit(key, str(tmp_path / key), group)
        attempts = [outcome.attempt for outcome in every(executor, 2)]
        assert {attempt.worker for attempt in attempts} == {1, 2}
        for attempt in attempts:
            assert begun <= attempt.began
            assert attempt.ended <= time.time()
            assert 0.4 < attempt.seconds < 600

    def test_a_death_says_when_it_came(self, make) -> None:
        executor = make(doze, workers=1, limits=Limits(minutes=0.5 / 60))
        executor.submit("long", 60)
        (outcome,) = every(executor, 1)
        assert 0.4 < outcome.attempt.seconds < 600
        assert outcome.attempt.worker == 1

    def test_waiting_ends_at_its_time_limit(self, make) -> None:
        executor = make(doze)
        executor.submit("a", 30)
        assert executor.wait(timeout=0.05) == []

    def test_a_call_that_takes_too_long_is_ended_and_its_place_is_free_again(self, make) -> None:
        executor = make(doze, workers=1, limits=Limits(minutes=0.5 / 60))
        begun = time.monotonic()
        executor.submit("long", 3600, "a")
        (outcome,) = every(executor, 1)
        assert 0.5 <= time.monotonic() - begun < 600
        assert (outcome.key, outcome.passed) == ("long", {"minutes": 0.5 / 60})
        assert "longer than" in outcome.died
        executor.submit("short", 0, "a")
        assert every(executor, 1)[0].value == "rested"

    def test_the_time_of_a_call_begins_with_it_and_not_with_its_process(self, make) -> None:
        executor = make(double, workers=1, limits=Limits(minutes=1 / 60))
        executor.submit("0", 21)  # while the process is being made
        assert every(executor, 1)[0].value == 42

    def test_the_time_of_a_call_is_its_own_and_not_that_of_its_kin(self, make) -> None:
        executor = make(doze, workers=1, limits=Limits(minutes=3 / 60))
        for number in range(3):
            executor.submit(str(number), 1.2, "a")
            assert every(executor, 1)[0].value == "rested"

    def test_what_a_call_does_for_all_others_does_not_count_within_its_time(self, make) -> None:
        executor = make(prepare_and_doze, workers=1, limits=Limits(minutes=1 / 60))
        executor.submit("within", (1.5, 0), "a")
        assert every(executor, 1)[0].value == "rested"
        executor.submit("beyond", (0.2, 3600), "a")
        (outcome,) = every(executor, 1)
        assert (outcome.key, outcome.passed) == ("beyond", {"minutes": 1 / 60})

    @pytest.mark.skipif(resident_bytes(os.getpid()) is None, reason="memory is measured on Linux")
    def test_a_call_that_takes_too_much_memory_is_ended(self, make) -> None:
        measuring = make(resident)
        measuring.submit("empty", None)  # holds what other tests made the server import
        limit = round(every(measuring, 1)[0].value / 1e9 + 0.2, 2)
        executor = make(hoard, limits=Limits(gigabytes=limit))
        executor.submit("large", 400)
        executor.submit("small", 1)
        (outcome,) = every(executor, 1)
        assert (outcome.key, outcome.passed) == ("large", {"gigabytes": limit})
        assert f"more than {limit:g} GB" in outcome.died

    def test_waiting_ends_at_its_time_limit_where_calls_have_limits(self, make) -> None:
        executor = make(doze, limits=Limits(minutes=1, gigabytes=5))
        executor.submit("a", 30)
        assert executor.wait(timeout=0.5) == []

    def test_closing_ends_what_is_under_way(self, make, tmp_path: Path) -> None:
        executor = make(doze_under_a_number)
        for name in "ab":
            executor.submit(name, tmp_path / name)
        assert in_the_end(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        begun = time.monotonic()
        executor.close()
        assert time.monotonic() - begun < 600  # the calls themselves take an hour
        for file in tmp_path.glob("*.pid"):
            assert in_the_end(lambda file=file: not alive(int(file.read_text())))

    def test_a_call_that_waits_is_never_begun_once_closed(self, make, tmp_path: Path) -> None:
        executor = make(doze_under_a_number, workers=1)
        executor.submit("a", tmp_path / "a")
        executor.close()
        time.sleep(1)
        begun = list(tmp_path.glob("*.pid"))
        assert all(in_the_end(lambda file=file: not alive(int(file.read_text()))) for file in begun)

    def test_says_in_words_how_many_run_at_a_time(self, make) -> None:
        assert make(double).in_words().startswith("2 at a time")


@pytest.fixture
def local_pool() -> Iterator[object]:
    with contextlib.ExitStack() as stack:
        yield lambda function, workers=2: stack.enter_context(LocalExecutor(f"{__name__}:{function.__name__}", workers))


def test_calls_of_one_kin_share_a_process_that_others_never_see(local_pool) -> None:
    executor = local_pool(pid, workers=1)
    seen: dict[str, set[int]] = {"a": set(), "b": set()}
    for number, group in enumerate("aaabba"):
        executor.submit(str(number), None, group)
        seen[group].add(every(executor, 1)[0].value)
        assert executor.waiting_groups() == {group}
    assert len(seen["a"]) == 2  # the second time its process had given way
    assert len(seen["b"]) == 1
    assert not seen["a"] & seen["b"]


def pids_of(executor: Executor, *calls: tuple[str, str], argument: object = None) -> list[int]:
    """Return the processes of calls, one after the other, by their groups and surroundings."""
    found = []
    for number, (group, surroundings) in enumerate(calls):
        executor.submit(str(number), argument, group, surroundings)
        found.append(every(executor, 1)[0].value)
    return found


def test_groups_of_the_same_surroundings_share_a_process_and_no_others_do(local_pool) -> None:
    one, same, none, other, again, ungrouped = pids_of(
        local_pool(pid, workers=1), ("a", "x"), ("b", "x"), ("c", ""), ("d", "y"), ("a", "y"), ("", "y")
    )
    assert one == same
    assert again == other
    assert len({one, none, other, ungrouped}) == 4


def test_a_process_takes_so_many_calls_whatever_their_groups(local_pool, monkeypatch) -> None:
    monkeypatch.setattr(local, "MOST_CALLS", 2)
    first, second, third = pids_of(local_pool(pid, workers=1), ("a", "x"), ("b", "x"), ("c", "x"))
    assert first == second != third


def keep_and_tell(size: int) -> int:
    globals()["_kept"] = bytes(range(256)) * (size // 256)
    return os.getpid()


def test_a_process_that_has_grown_gives_way_to_a_fresh_one_before_another_group(local_pool) -> None:
    executor = local_pool(keep_and_tell, workers=1)
    first, second = pids_of(executor, ("a", "x"), ("b", "x"), argument=10_000)
    grown, fresh = pids_of(executor, ("c", "x"), ("d", "x"), argument=local.MOST_KEPT_BYTES + 30_000_000)
    assert first == second == grown != fresh


def test_where_memory_is_limited_no_group_finds_what_another_left() -> None:
    with LocalExecutor(f"{__name__}:pid", 1, limits=Limits(gigabytes=100)) as executor:
        first, second = pids_of(executor, ("a", "x"), ("b", "x"))
        assert first != second


def test_kin_that_run_at_the_same_time_have_a_process_each(local_pool) -> None:
    executor = local_pool(pid)
    for number in range(2):
        executor.submit(str(number), None, "a")
    assert executor.waiting_groups() == set()
    first = {outcome.value for outcome in every(executor, 2)}
    for number in range(2):
        executor.submit(str(number), None, "a")
    assert {outcome.value for outcome in every(executor, 2)} == first
    assert len(first) == 2


def test_kin_of_a_call_that_died_start_in_a_fresh_process(local_pool) -> None:
    executor = local_pool(die_or_pid, workers=1)
    executor.submit("0", "", "a")
    before = every(executor, 1)[0].value
    executor.submit("1", "SIGKILL", "a")
    assert "SIGKILL" in every(executor, 1)[0].died
    assert executor.waiting_groups() == set()
    executor.submit("2", "", "a")
    assert every(executor, 1)[0].value != before


def test_a_call_that_is_ended_frees_its_place_and_nothing_comes_of_it(tmp_path: Path) -> None:
    with LocalExecutor("test_executors:doze_under_a_number", 1) as pool:
        pool.submit("a", tmp_path / "a")
        assert in_the_end((tmp_path / "a.pid").exists)
        assert pool.end("a")
        assert in_the_end(lambda: not alive(int((tmp_path / "a.pid").read_text())))
        assert not pool.end("a")
        assert not pool.end("b")
        assert pool.wait(0.2) == []
        pool.submit("b", tmp_path / "b")
        assert in_the_end((tmp_path / "b.pid").exists)


def test_a_process_that_died_while_it_waited_is_replaced() -> None:
    with LocalExecutor(f"{__name__}:pid", 1) as executor:
        executor.submit("0", None, "a")
        before = every(executor, 1)[0].value
        os.kill(before, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while Path(f"/proc/{before}/stat").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        executor.submit("1", None, "a")
        outcome = every(executor, 1)[0]
        assert outcome.died or outcome.value != before
        executor.submit("2", None, "a")
        assert every(executor, 1)[0].value not in (before, None)


def test_a_process_that_was_killed_before_its_first_call_is_replaced() -> None:
    with LocalExecutor(f"{__name__}:pid", 1) as executor:
        executor.submit("0", None)
        first = every(executor, 1)[0].value
        spare = executor._spare
        assert spare is not None
        second = spare.process.pid
        spare.process.kill()
        spare.process.join()
        executor.submit("1", None)
        assert every(executor, 1)[0].value not in (None, first, second)


def test_a_process_takes_so_many_calls_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "MOST_CALLS", 3)
    with LocalExecutor(f"{__name__}:pid", 1) as executor:
        seen = []
        for number in range(7):
            executor.submit(str(number), None, "a")
            seen.append(every(executor, 1)[0].value)
    assert [seen.count(number) for number in dict.fromkeys(seen)] == [3, 3, 1]


def test_what_workers_print_goes_to_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "deep" / "log.txt"
    with LocalExecutor(f"{__name__}:print_both", 1, log=log) as executor:
        executor.submit("a", "hello")
        every(executor, 1)
    assert log.read_text().count("hello") == 2
    assert "hello" not in "".join(capfd.readouterr())


def test_each_worker_sees_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert visible_gpus() == ["4", "6"]
    with LocalExecutor(f"{__name__}:gpu") as executor:
        assert executor.slots == 2
        executor.submit("a", None)
        executor.submit("b", None)
        assert {outcome.value for outcome in every(executor, 2)} == {"4", "6"}


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus_are_not_used(monkeypatch: pytest.MonkeyPatch, hidden: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert visible_gpus() == []


def test_workers_share_the_cores_and_there_is_always_one() -> None:
    assert default_workers(1) >= default_workers(2) >= default_workers(10_000) == 1


def test_workers_end_when_the_main_process_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(
        f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from tuner.executors import LocalExecutor
if __name__ == "__main__":
    executor = LocalExecutor("{__name__}:doze", 1)
    executor.submit("a", 3600)
    print(executor.worker_pids()[0], flush=True)
    executor.wait()
"""
    )
    main = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert main.stdout is not None
    worker = int(main.stdout.readline())
    assert alive(worker)
    main.kill()
    main.wait()
    assert in_the_end(lambda: not alive(worker)), "the worker outlived its main process"


@pytest.mark.parametrize(
    ("limits", "more"),
    [
        (Limits(), True),
        (Limits(minutes=5), False),
        (Limits(minutes=4), False),
        (Limits(minutes=5.5), True),
        (Limits(gigabytes=1), True),
    ],
)
def test_a_limit_that_was_raised_or_dropped_allows_more(limits: Limits, more: bool) -> None:
    assert limits.allow_more({"minutes": 5}) is more
    assert not limits.allow_more({})


def test_memory_cannot_be_limited_where_it_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "resident_bytes", lambda process: None)
    with pytest.raises(InputError, match="max_trial_gb"):
        LocalExecutor(f"{__name__}:pid", 1, limits=Limits(gigabytes=1))
    LocalExecutor(f"{__name__}:pid", 1, limits=Limits(minutes=1)).close()


def test_too_few_file_handles_are_said_in_a_line() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with LocalExecutor(f"{__name__}:pid", 50) as executor:
        resource.setrlimit(
            resource.RLIMIT_NOFILE,
            (max(int(entry.name) for entry in Path("/dev/fd").iterdir()) + 8, hard),
        )
        try:
            with pytest.raises(ResourceError, match="ulimit -n"):
                for number in range(50):
                    executor.submit(str(number), None)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_server_that_was_killed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalExecutor(f"{__name__}:pid", 1) as executor:
        server = forkserver._forkserver  # type: ignore[attr-defined]
        monkeypatch.setattr(server, "_preload_modules", [])  # else each that takes over imports Keras
        for number in range(3):
            executor.submit(str(number), None)
            assert every(executor, 1)[0].value is not None
            os.kill(server._forkserver_pid, signal.SIGKILL)
            os.waitid(os.P_PID, server._forkserver_pid, os.WEXITED | os.WNOWAIT)  # dead, which may take its time


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux")
def test_where_memory_runs_out_a_worker_ends_rather_than_the_main_process() -> None:
    with LocalExecutor(f"{__name__}:oom_score", 1) as executor:
        executor.submit("a", None)
        assert every(executor, 1)[0].value > int(Path("/proc/self/oom_score_adj").read_text())
