"""A Ray cluster whose nodes are processes of this machine, for tests.

Run as a script it is the cluster: it prints its address and then obeys the words on its standard input, `kill` (the
newest node, without warning, once it runs a call) and `add`, each answered by `done`; it ends with its standard input.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

#: Gives the script folders of its own in place of those that are to be hidden from it.
_HIDE = 'for folder in $HIDDEN; do mount -t tmpfs -o size=1m none "$folder" || exit 9; done; exec "$@"'


class Nodes:
    """Nodes of one CPU each, the first of which stays; see `nodes`."""

    def __init__(self, script: subprocess.Popen[str], address: str) -> None:
        self._script, self.address = script, address

    def kill(self) -> None:
        """Kill the newest node with all that runs on it, which is one call at least: where none is, one is awaited."""
        self._tell("kill")

    def add(self) -> None:
        """Add a node."""
        self._tell("add")

    def _tell(self, word: str) -> None:
        assert self._script.stdin
        assert self._script.stdout
        self._script.stdin.write(f"{word}\n")
        self._script.stdin.flush()
        assert self._script.stdout.readline() == "done\n"


@contextmanager
def nodes(count: int, hidden: Sequence[Path] = (), environment: dict[str, str] | None = None) -> Iterator[Nodes]:
    """Give a cluster of so many nodes, which see nothing of what is in the `hidden` folders; that needs to be root."""
    command = [sys.executable, __file__, str(count)]
    if hidden:
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _HIDE, "sh", *command]
    # Sockets have short names.
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        settings = {"RAY_TMPDIR": folder, "TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0", "KERAS_BACKEND": ""}
        # A dead node is missed after five of them; one that answers slowly has the usual ten seconds for each.
        settings |= {"RAY_health_check_period_ms": "300"}
        settings |= {"HIDDEN": " ".join(map(str, hidden)), **(environment or {})}
        script = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **settings},
        )
        assert script.stdin
        assert script.stdout
        try:
            address = script.stdout.readline().strip()
            assert address, "the cluster did not start"
            yield Nodes(script, address)
        finally:
            script.stdin.close()
            try:
                script.wait(30)
            except subprocess.TimeoutExpired:
                script.kill()


def running_tasks(address: str) -> dict[int, int]:
    """Return the processes in which the cluster of this address runs a call, each with the raylet of its node."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if not _runs_a_call(entry):
                continue
            raylet = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])  # the process that started it
            if f"--gcs-address={address}" in Path(f"/proc/{raylet}/cmdline").read_text().split("\0"):
                found[int(entry.name)] = raylet
    return found


def _runs_a_call(process: Path) -> bool:
    """Whether a process runs a call now, by the names that Ray gives them."""
    return (process / "cmdline").read_bytes().startswith(b"ray::_call")


def _stopped_in_a_call(address: str, raylet: int) -> list[int]:
    """Stop the processes in which a node runs calls, so that none of these ends before the node does."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        held = []
        for pid in (pid for pid, node in running_tasks(address).items() if node == raylet):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGSTOP)
                if _runs_a_call(Path(f"/proc/{pid}")):
                    held.append(pid)
                else:
                    os.kill(pid, signal.SIGCONT)
        if held:
            return held
        time.sleep(0.02)
    raise TimeoutError


def _serve(count: int) -> None:
    from ray.cluster_utils import Cluster

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints is no answer
    sizes = {"num_cpus": int(os.environ.get("CPUS", "1")), "num_gpus": int(os.environ.get("GPUS", "0"))}
    for left in (2, 1, 0):  # on a busy machine a part of Ray may wait for another in vain
        cluster = Cluster()
        try:
            cluster.add_node(include_dashboard=False, **sizes)
            others = [cluster.add_node(**sizes) for _ in range(count - 1)]
            break
        except Exception:
            cluster.shutdown()
            if not left:
                raise
    print(cluster.address, file=answers, flush=True)
    for line in sys.stdin:
        if line == "kill\n":
            newest = others.pop()
            held = _stopped_in_a_call(cluster.address, newest.all_processes["raylet"][0].process.pid)
            cluster.remove_node(newest, allow_graceful=False)
            for pid in held:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        else:
            others.append(cluster.add_node(**sizes))
        print("done", file=answers, flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
