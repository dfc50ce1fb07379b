"""What the executor on Ray does beyond what every executor does; its contract is in `test_executors.py`."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from other_process import python_path
from ray_nodes import Nodes, nodes
from small_project import wait_for

import tuner
from tuner.errors import InputError, ResourceError
from tuner.executors import EXECUTORS, ExecutionOptions, Executor, Limits, Outcome, Resources

ray = pytest.importorskip("ray")


def surroundings(_: object) -> dict[str, str | None]:
    names = ("CUDA_VISIBLE_DEVICES", "XLA_PYTHON_CLIENT_MEM_FRACTION", "KERAS_BACKEND")
    return {**{name: os.environ.get(name) for name in names}, "pid": str(os.getpid())}


def doze(begun: Path) -> str:
    """Leave a file, and sleep until there is another one."""
    begun.touch()
    while not (begun.parent / "awake").exists():
        time.sleep(0.05)
    return "rested"


def every(executor: Executor, count: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    while len(outcomes) < count:
        outcomes += executor.wait(timeout=600)
    return outcomes


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    """Two nodes of two CPUs, and of two GPUs that are said to be there."""
    with nodes(2, environment={"PYTHONPATH": python_path(Path(__file__).parent), "CPUS": "2", "GPUS": "2"}) as cluster:
        yield cluster
        ray.shutdown()


@pytest.fixture
def on_ray(cluster: Nodes) -> Iterator[Callable[..., Executor]]:
    """Give what builds executors, on one connection for all tests: with each, the nodes begin processes anew."""
    from tuner.executors.ray import _connect

    if not ray.is_initialized():
        _connect(cluster.address)
    opened: list[Executor] = []

    def build(
        function: object, resources: Resources, workers: int | None = None, limits: Limits | None = None
    ) -> Executor:
        named = f"{__name__}:{function.__name__}"  # type: ignore[attr-defined]
        rest = (named, workers, resources, Path(os.devnull), (), limits or Limits())
        opened.append(EXECUTORS["ray"](cluster.address, *rest))
        return opened[-1]

    yield build
    for executor in opened:
        executor.close()


def test_calls_share_a_gpu_by_fractions_of_its_memory(on_ray) -> None:
    executor = on_ray(surroundings, Resources(0.5, 0.5))
    assert executor.in_words() == "8 at a time on 2 nodes"
    assert executor.slots == 8 + 2  # some wait at the cluster, so that no place stays empty
    for number in range(4):
        executor.submit(str(number), None)
    for outcome in every(executor, 4):
        assert outcome.value["CUDA_VISIBLE_DEVICES"] in ("0", "1")
        assert outcome.value["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.450"


def test_by_default_a_call_has_a_whole_gpu_where_there_are_any_and_no_process_keeps_one(on_ray) -> None:
    executor = on_ray(surroundings, Resources(1))
    assert executor.in_words() == "4 at a time on 2 nodes"
    seen = set()
    for number in range(3):
        executor.submit(str(number), None, "group")
        (outcome,) = every(executor, 1)
        seen.add(outcome.value["pid"])
        assert outcome.value["CUDA_VISIBLE_DEVICES"] in ("0", "1")
        assert outcome.value["XLA_PYTHON_CLIENT_MEM_FRACTION"] is None
    assert len(seen) == 3
    assert executor.waiting_groups() == set()


def test_calls_without_a_gpu_see_none_and_have_the_environment_of_the_main_process(on_ray, monkeypatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    executor = on_ray(surroundings, Resources(1, 0))
    executor.submit("a", None)
    (outcome,) = every(executor, 1)
    assert outcome.value["CUDA_VISIBLE_DEVICES"] == "-1"
    assert outcome.value["KERAS_BACKEND"] == "jax"


def test_nodes_take_calls_once_they_join_and_take_none_along_when_they_die(
    on_ray, cluster: Nodes, tmp_path: Path
) -> None:
    executor = on_ray(doze, Resources(1, 0))
    assert executor.in_words() == "4 at a time on 2 nodes"
    cluster.add()
    wait_for(lambda: executor.in_words() == "6 at a time on 3 nodes", 600)  # they are looked up once a second
    assert executor.slots == 6 + 1
    for number in range(6):
        executor.submit(str(number), tmp_path / str(number))
    wait_for(lambda: len(list(tmp_path.iterdir())) == 6)
    cluster.kill()
    (tmp_path / "awake").touch()
    outcomes = every(executor, 6)
    lost = [outcome for outcome in outcomes if outcome.lost]
    assert len(lost) == 2
    assert {outcome.died for outcome in lost} == {"the node that it ran on went away"}
    assert {outcome.value for outcome in outcomes if not outcome.lost} == {"rested"}
    assert len({outcome.attempt.node for outcome in outcomes if not outcome.lost}) == 2
    executor.submit(lost[0].key, tmp_path / "again")
    assert every(executor, 1)[0].value == "rested"
    wait_for(lambda: executor.in_words() == "4 at a time on 2 nodes", 600)


def test_a_call_that_no_node_has_room_for_is_refused_unless_nodes_are_to_come(on_ray) -> None:
    with pytest.raises(InputError, match=r"no node of the cluster has room for one trial \(1 CPU, 3 GPU\)"):
        on_ray(surroundings, Resources(1, 3))
    with pytest.raises(InputError, match=r"\(1 CPU, 1e\+06 GB of memory\)"):
        on_ray(surroundings, Resources(1, 0), limits=Limits(gigabytes=1e6))
    executor = on_ray(surroundings, Resources(1, 3), workers=2)
    assert executor.slots == 2
    executor.submit("a", None)
    assert executor.wait(timeout=0.5) == []


def test_an_executor_that_connects_itself_leaves_signals_as_they_were_and_disconnects(on_ray) -> None:
    ray.shutdown()
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    executor = on_ray(surroundings, Resources(1, 0))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    executor.close()
    assert not ray.is_initialized()


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (Exception("The current node timed out during startup."), ResourceError, r"Ray: did not start \(.* timed out"),
        (ConnectionError("no GCS"), InputError, r"--executor: no Ray cluster can be used \(.*no GCS\)"),
    ],
)
def test_what_ray_raises_as_it_starts_is_said_in_one_line(
    error: Exception, kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuner.executors.ray import _connect

    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr(ray, "init", fails)
    with pytest.raises(kind, match=said):
        _connect(None)


def test_without_ray_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"Ray is not installed; install it: pip install 'tunetable\[ray\]'") as raised:
        ExecutionOptions("ray").check()
    assert raised.value.exit_code == 2


def test_an_address_is_of_ray_alone() -> None:
    with pytest.raises(InputError, match="--address: is that of a Ray cluster; pass --executor=ray"):
        ExecutionOptions("local", address="head:6379").check()


def test_nothing_but_the_executor_imports_ray() -> None:
    folder = Path(tuner.__file__).parent
    importing = set()
    for file in folder.rglob("*.py"):
        for statement in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else []
            names += [statement.module or ""] if isinstance(statement, ast.ImportFrom) else []
            if any(name.partition(".")[0] == "ray" for name in names):
                importing.add(str(file.relative_to(folder)))
    assert importing == {"executors/ray.py", "executors/ray_health.py"}
    code = "import sys, tuner, tuner.cli, tuner.running.search, tuner.executors; print('ray' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "False", ran.stderr
