"""Kill searches and write what came of it; see `benchmarks.chaos`."""

from __future__ import annotations

import argparse
import math
import random
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.chaos.faults import KINDS
from benchmarks.chaos.lives import Life, Reference, Suffered, Tally, run_reference
from benchmarks.chaos.report import report_of
from benchmarks.chaos.searches import ALGORITHMS
from benchmarks.measuring import report_file, report_progress

#: A life has at most so many faults: each costs a start, each life a search to its end.
MOST_OF_A_LIFE = 6


def plan(counted: Counter[str], size: int, rng: random.Random) -> list[str]:
    """Return the kinds of faults of a life, in their order: those that have struck least so far.

    One kind alone leads through a search to its end, for nothing is left to train after it.
    """
    least = sorted(KINDS, key=lambda kind: (counted[kind], rng.random()))
    chosen: list[str] = []
    for kind in least:
        if len(chosen) < size and not any(KINDS[kind].excludes(KINDS[o]) for o in chosen):
            chosen.append(kind)
    return sorted(chosen, key=lambda kind: (KINDS[kind].stage, rng.random()))


def break_searches(
    folder: Path, algorithms: list[str], faults: int, seconds: float, seed: int
) -> tuple[Tally, dict[str, Reference]]:
    """Strike searches with so many faults, or as many as fit into the time; a life that has begun comes to its end."""
    until = time.monotonic() + seconds
    rng = random.Random(seed)  # noqa: S311
    tally = Tally()
    references = {}
    for algorithm in algorithms:
        references[algorithm] = run_reference(folder / algorithm, algorithm)
        pace = references[algorithm].pace
        report_progress(
            f"{algorithm}: undisturbed {pace.seconds:.1f} s, first trial after {pace.until_first_row:.1f} s"
        )
    number, most = 0, min(MOST_OF_A_LIFE, math.ceil(faults / len(algorithms)))
    while len(tally.suffered) < faults and time.monotonic() < until:
        algorithm = algorithms[number % len(algorithms)]
        number += 1
        place = folder / str(number)
        life = Life(place, algorithm, references[algorithm], rng, report_progress)
        counted = Counter(one.fault.kind for one in tally.suffered if one.algorithm == algorithm)
        wrong = False
        for kind in plan(counted, min(most, faults - len(tally.suffered)), rng):
            if time.monotonic() > until:
                break
            came = life.suffer(kind)
            if isinstance(came, Suffered):
                tally.suffered.append(came)
                wrong |= bool(came.problems)
            elif came is not None:
                tally.missed.append(came)
        ended = life.end()
        tally.ended.append(ended)
        report_progress(f"{len(tally.suffered)} of {faults} faults")
        if not wrong and not ended.problems:
            shutil.rmtree(place)
    return tally, references


def main() -> None:
    """Strike, write the report, and end with 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=120, help="how many faults (120)")
    parser.add_argument("--minutes", type=float, default=30, help="begin no fault after so many minutes (30)")
    parser.add_argument("--seed", type=int, default=0, help="of the order and the moments (0)")
    parser.add_argument("--algorithms", nargs="+", default=ALGORITHMS, choices=ALGORITHMS, metavar="ALGORITHM")
    parser.add_argument("--report", type=report_file, default="reports/chaos.md", help="where to write")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    begun = time.monotonic()
    tally, references = break_searches(
        folder, list(options.algorithms), options.faults, options.minutes * 60, options.seed
    )
    command = shlex.join(["python", "-m", "benchmarks.chaos", *sys.argv[1:]])
    text = report_of(tally, references, options.faults, MOST_OF_A_LIFE, options.seed, time.monotonic() - begun, command)
    options.report.write_text(text, encoding="utf-8")
    report_progress(f"\n{text}")
    if any(tally.problems):
        report_progress(f"what went wrong lies in {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
