"""What all parts share: processes timed whole with their memory, tables, and what the figures were measured with."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from tabulate import tabulate

from tuner.executors.gpus import visible_gpus
from tuner.system.machine import resident_bytes

#: Packages whose versions stand in the report, where they are installed.
PACKAGES = ("tensorflow", "keras", "jax", "numpy", "keras-tuner", "optuna", "ray", "scikeras", "scikit-learn")
_SECONDS_BETWEEN_LOOKS = 0.2
#: To tell shared pages from others, the system goes through all of them: it is asked this seldom, and at new peaks.
_SECONDS_BETWEEN_LONG_LOOKS = 2.0
_NEW_PEAK = 1.02


@dataclass(frozen=True)
class Run:
    """A process that ended well: wall-clock seconds, the most memory of all its processes together, its output.

    `own_megabytes` is the most memory of the process itself, `largest_megabytes` that of any one that it started. Of
    pages that processes share, each of them counts all; `proportional_megabytes` is the most memory of all together
    with every such page counted once.
    """

    seconds: float
    megabytes: float
    printed: str
    own_megabytes: float = 0.0
    largest_megabytes: float = 0.0
    proportional_megabytes: float = 0.0

    @property
    def found(self) -> Any:
        """What the process printed as JSON, in its last line."""
        return json.loads(self.printed.splitlines()[-1])


def run_module(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Run:
    """Run a module of `benchmarks` in a process of its own; see `run_process`."""
    return run_process([sys.executable, "-m", f"benchmarks.{module}", *arguments], environment=environment)


def run_process(
    command: Sequence[str],
    folder: Path | None = None,
    limit: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> Run:
    """Run a command, with more in its environment, and measure it whole, with all processes that it starts.

    Raises:
        RuntimeError: it failed; the message ends with its last line on stderr.
        subprocess.TimeoutExpired: it took longer than `limit` seconds, and was killed.
    """
    with tempfile.TemporaryFile("w+") as errors:
        begun = perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        peak = Peak()
        watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
        watcher.start()
        try:
            output, _ = process.communicate(timeout=limit)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        seconds = perf_counter() - begun
        watcher.join()
        if process.returncode != 0:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["it printed no reason"])[-1]
            raise RuntimeError(f"{' '.join(command[1:])} ended with exit code {process.returncode}: {last}")
    return Run(seconds, peak.together, output, peak.own, peak.of_another, peak.proportional)


@dataclass
class Peak:
    """The most resident memory that was seen, in MB: of a run's processes together, of its first one, of another.

    And of all together with every page once that several share, Linux's proportional set size.
    """

    together: float = 0.0
    own: float = 0.0
    of_another: float = 0.0
    proportional: float = 0.0


def _watch(process: subprocess.Popen[str], peak: Peak) -> None:
    """Keep the largest resident memory of the run's processes."""
    looked_long, before = 0.0, 0.0
    while process.poll() is None:
        held: dict[int, float] = {}
        for pid in _family(process.pid):
            resident = resident_bytes(pid)
            if resident is not None:  # it has not ended meanwhile
                held[pid] = resident / 1e6
        own = held.pop(process.pid, 0.0)
        peak.own, peak.of_another = max(peak.own, own), max(peak.of_another, *held.values(), 0.0)
        together = own + sum(held.values())
        peak.together = max(peak.together, together)
        if together > before * _NEW_PEAK or perf_counter() - looked_long > _SECONDS_BETWEEN_LONG_LOOKS:
            looked_long, before = perf_counter(), max(before, together)
            peak.proportional = max(peak.proportional, sum(map(proportional_mb, (process.pid, *held))))
        sleep(_SECONDS_BETWEEN_LOOKS)


def _family(root: int) -> set[int]:
    """Return a process, those that it started, directly or not, and those of its session."""
    children: dict[int, list[int]] = {}
    found, new = set[int](), {root}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            _, parent, _, session = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
        except OSError:
            continue
        children.setdefault(int(parent), []).append(int(entry.name))
        if int(session) == root:
            new.add(int(entry.name))
    while new:
        found |= new
        new = {child for pid in new for child in children.get(pid, [])} - found
    return found


def resident_mb(pid: int) -> float:
    """Return the memory of a process now, its own pages and those of mapped files, in MB; 0 if it has ended."""
    return _told_mb(pid, "status", "RssAnon:", "RssFile:")


def proportional_mb(pid: int) -> float:
    """Return the memory of a process now, its part alone of pages that others share, in MB; 0 if it has ended."""
    return _told_mb(pid, "smaps_rollup", "Pss:")


def _told_mb(pid: int, file: str, *names: str) -> float:
    """Return the sum of what the system tells of a process by these names, in MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(names)) * 1024 / 1e6


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a markdown table, its first column to the left and the others to the right."""
    align = ["left", *["right"] * (len(heads) - 1)]
    return tabulate(rows, heads, tablefmt="pipe", colalign=align, disable_numparse=True)


def median_and_spread(values: Sequence[float]) -> tuple[str, str]:
    """Return the median, and the least and the largest value, in words for a table."""
    return f"{statistics.median(values):.1f}", f"{min(values):.1f} to {max(values):.1f}"


def provenance(packages: Sequence[str] = PACKAGES) -> str:
    """Return a sentence about the machine, the versions of these packages and the day."""
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    gpus = len(visible_gpus())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, "
        f"{gpus or 'no'} GPU{'s' * (gpus > 1)}, "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def report_file(name: str) -> Path:
    """Return where a benchmark writes its report, a type for argparse: the folder is made before anything is measured.

    Raises:
        argparse.ArgumentTypeError: no file can be written there.
    """
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name}: its folder cannot be made ({error.strerror})") from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{name}: no file can be written there")
    return path


def report_progress(line: str) -> None:
    """Tell the person who waits what was measured just now."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
