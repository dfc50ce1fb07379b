"""NVIDIA's multi-process service, by which the kernels of several processes run on a GPU at once, not in turn."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import report_progress

#: Variables by which a process finds the service begin so.
SERVICE = "CUDA_MPS_"
_CONTROL = "nvidia-cuda-mps-control"
_LONGEST_ANSWER = 30


@contextmanager
def multi_process_service(folder: Path) -> Iterator[None]:
    """Run the service with its pipes and logs in `folder`, if the machine has it and none is running for this process.

    It changes no setting of the GPU, and ends with this.
    """
    control = shutil.which(_CONTROL)
    if control is None or is_shared():
        yield
        return
    places = {f"{SERVICE}{kind}_DIRECTORY": folder / kind.lower() for kind in ("PIPE", "LOG")}
    for place in places.values():
        place.mkdir()
    os.environ.update({name: str(place) for name, place in places.items()})
    begun = subprocess.run([control, "-d"], check=False, timeout=_LONGEST_ANSWER)
    try:
        if begun.returncode != 0:
            report_progress(f"{_CONTROL} -d ended with exit code {begun.returncode}; processes take turns on the GPU")
            _forget(*places)
        yield
    finally:
        if is_shared():
            subprocess.run([control], input="quit\n", text=True, check=False, timeout=_LONGEST_ANSWER)
            _forget(*places)


def is_shared() -> bool:
    """Whether processes that this one starts share the GPU by the service."""
    return any(name.startswith(SERVICE) for name in os.environ)


def _forget(*names: str) -> None:
    for name in names:
        os.environ.pop(name, None)
