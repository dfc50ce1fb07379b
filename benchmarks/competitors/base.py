"""What every competitor is: a program that trains a workload and prints its trials."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from benchmarks.workloads import WORKLOADS, Workload

#: A dict per training: the values of its configuration, `val_accuracy` after its last epoch, and `epochs` trained.
Trained = list[dict[str, object]]


def main(run: Callable[[Workload, int, str], Trained]) -> None:
    """Run a competitor with the workload, the seed and the option of the command line, and print what it trained."""
    workload, seed, option = (*sys.argv[1:4], "")[:3]
    sys.stdout.write("\n" + json.dumps(run(WORKLOADS[workload], int(seed), option)) + "\n")
