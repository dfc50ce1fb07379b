"""Measure this tool, alone and against its peers, and write `reports/benchmarks.md`.

`make bench`, or `python -m benchmarks.run [--rounds N] [PART …]`; `make bench-quick` takes a first look. A part that
is measured takes the place of what the report said of it; the other parts stay. Set TUNER_DATA_DIR where Fashion-MNIST
cannot be downloaded.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import cluster, grids, growth, heads, large, learned, memory, million, overhead, phases, repeats
from benchmarks.measuring import provenance, report_file, report_progress
from benchmarks.quality import section as quality
from benchmarks.sizes import VARIABLE

#: Each part measures in processes of their own and returns its section of the report.
PARTS: dict[str, Callable[[int], str]] = {
    "digits36": grids.digits36,
    "fashion20": grids.fashion20,
    "learned": learned.section,
    "repeats20": repeats.section,
    "quality": quality.section,
    "heads": heads.section,
    "large": large.section,
    "overhead": overhead.section,
    "phases": phases.section,
    "memory": memory.section,
    "growth": growth.section,
    "cluster": cluster.section,
    "grid": million.section,
}
#: What a first look measures, in minutes: against the peers that count most, and what the tool itself costs.
QUICK = ("digits36", "growth", "grid")
_MARK = re.compile(r"<!-- part (\w+) -->")


def read_sections(report: Path) -> dict[str, str]:
    """Return what a report says of each part."""
    if not report.is_file():
        return {}
    _, *pieces = _MARK.split(report.read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in zip(pieces[::2], pieces[1::2], strict=True) if name in PARTS}


def report_of(sections: dict[str, str]) -> str:
    """Return the report, its parts in their order."""
    marked = [f"<!-- part {name} -->\n\n{sections[name]}" for name in PARTS if name in sections]
    return "\n\n".join(["# Benchmarks", grids.EXPLAINED, *marked]) + "\n"


def main() -> None:
    """Measure what the command line names, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often each timing is repeated")
    parser.add_argument("--report", type=report_file, default="reports/benchmarks.md", help="where to write")
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick",
        action="store_true",
        help=f"run {', '.join(QUICK)} alone, against fewer peers, in under five minutes; needs --report",
    )
    size.add_argument(
        "--smallest",
        action="store_true",
        help="run each part with the least it can, to see that it runs; needs --report",
    )
    options = parser.parse_args()
    asked = "smallest" if options.smallest else "quick" if options.quick else ""
    if asked and options.report == Path(parser.get_default("report")):
        parser.error(
            f"--{asked} measures less than the report says; pass --report FILE, so that the figures there stay"
        )
    if asked != os.environ.get(VARIABLE, ""):  # the sizes are read when the parts are imported
        environment = {**os.environ, VARIABLE: asked}
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.run", *sys.argv[1:]], environment)  # noqa: S606
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part is named {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    times = "once" if options.rounds == 1 else f"{options.rounds} times, in alternating order"
    sections = read_sections(options.report)
    for name in options.parts or (QUICK if options.quick else PARTS):
        report_progress(f"{name} …")
        section = PARTS[name](options.rounds)
        sections[name] = f"{section}\n\nTimed {times}, unless said otherwise above: {provenance()}"
        options.report.write_text(report_of(sections), encoding="utf-8")
    report_progress(str(options.report))


if __name__ == "__main__":
    main()
