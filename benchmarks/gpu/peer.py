"""Some trials of the grid by plain KerasTuner on the same GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from benchmarks.gpu.grid import Measured
from benchmarks.gpu.sharing import SERVICE
from benchmarks.measuring import report_progress
from tuner.trial import Trial


def by_keras_tuner(trials: list[Trial], data_dir: Path | None, seconds: float, measured: Measured) -> None:
    """Let KerasTuner train some trials in a process of its own, for so many seconds at most."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.competitors.keras_tuner_study"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith(SERVICE)},
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    given = {"data_dir": str(data_dir) if data_dir else None, "trials": [asdict(trial) for trial in trials]}
    json.dump(given, process.stdin)
    process.stdin.close()
    over = threading.Event()

    def stop() -> None:
        over.set()
        process.kill()

    timer = threading.Timer(seconds, stop)
    timer.start()
    for printed in process.stdout:
        if printed.startswith("{"):
            measured.add(measured.keras_tuner, json.loads(printed))
            report_progress(f"KerasTuner: {printed.strip()}")
    timer.cancel()
    if process.wait() != 0 and not over.is_set():
        raise RuntimeError(f"KerasTuner's process ended with exit code {process.returncode}")
