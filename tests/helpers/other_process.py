"""What a process of its own, such as a worker's or a script's, needs to find the modules that tests have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_HELPERS = Path(__file__).parent


def python_path(*folders: Path) -> str:
    """Return a PYTHONPATH on which these folders, the helpers and what is on this process's one are found."""
    there = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([*map(str, (*folders, _HELPERS)), *([there] if there else [])])


def finding(*folders: Path) -> dict[str, str]:
    """Return this process's environment with such a PYTHONPATH."""
    return {**os.environ, "PYTHONPATH": python_path(*folders)}


def ended_process() -> int:
    """Return the number of a process that there was."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid
