"""The NVIDIA GPUs of a machine, and how a process is told which of them, and how much of one, it has."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence

#: Tells a process how much of its GPU's memory it may have, in MiB; heeded where the process sets its backend up.
MEMORY_LIMIT = "TUNER_GPU_MEMORY_MIB"
#: Of its share of the memory a process has this for arrays: its context lies outside of what a backend counts.
FOR_ARRAYS = 0.9


def visible_gpus() -> list[str]:
    """Return the NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name.strip() and name.strip() != "-1"]
    return _asked("index")


def environment_of(gpus: Sequence[str], share: float | None, slot: int) -> dict[str, str]:
    """Return the environment variables that give the call at place `slot` its GPUs.

    Args:
        gpus: those of the machine, as CUDA_VISIBLE_DEVICES names them.
        share: how much of one a call has; below 1 several calls share it, each with a limit to its memory. 0 hides all.
        slot: counted from 0.
    """
    if not gpus:
        return {"CUDA_VISIBLE_DEVICES": "-1"} if share == 0 else {}
    mine = gpus[slot % len(gpus)]
    given = {"CUDA_VISIBLE_DEVICES": mine, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if share is not None and share < 1:
        given["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{FOR_ARRAYS * share:.3f}"
        total = _memory_of(mine)
        if total:
            given[MEMORY_LIMIT] = str(int(FOR_ARRAYS * share * total))
    return given


@functools.cache
def _memory_of(gpu: str) -> float | None:
    """Return the memory of a GPU in MiB; None where the system does not say."""
    answer = _asked("memory.total", gpu)
    return float(answer[0]) if answer and answer[0].isdecimal() else None


def _asked(what: str, gpu: str | None = None) -> list[str]:
    """Return what nvidia-smi says of one GPU, or of each; nothing where it cannot say."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, f"--query-gpu={what}", "--format=csv,noheader,nounits", *(["--id", gpu] if gpu else [])]
    try:
        found = subprocess.run(query, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return []
    return found.stdout.split() if found.returncode == 0 else []
