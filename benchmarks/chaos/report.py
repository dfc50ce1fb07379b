"""The report: which faults struck which search, and what was lost, doubled or different afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from benchmarks.chaos.faults import KINDS
from benchmarks.chaos.judging import Problems
from benchmarks.chaos.lives import Reference, Tally
from benchmarks.measuring import provenance, table

_PACKAGES = ("tensorflow", "keras", "numpy", "keras-tuner")
_COLUMNS = ("lost", "doubled", "different", "ended badly")
_HOW = """\
## How it is done

A search lives in a folder of its own: the command `tuner run quick --workers 2` is started, struck by one fault, and
given again, up to {size} times; then it runs to its end. Moments are drawn by time (imports, preparation) and by
progress (so many trials recorded, and a moment more). Faults in a write, in the scoring and in the report strike from
within the process: before the n-th commit, file, rename or call, amid it (up to 20 ms later) or after it. Where the
main process is their victim, a third of them are SIGTERM or SIGINT; in a checkpoint and in the scoring the victim may
also be the whole group, or the worker alone. Four kinds are no signals: whoever reads the standard error goes away,
the laid-out data are removed under the run, a stranger's files lie in `runs/` as it starts, and the hours that the run
was given (`--hours`, from a second to half as long again as the search takes) are over, so that it trains the best so
far again and writes a report; the next run has no hours, and has to end as if there had been none. Two kinds strike
another command on a search that has ended, `tuner report` or `tuner verify`, from 1.5 s after its start; given again,
it has to succeed, and nothing may be left of the first. Three kinds strike Ray: that run is given `--executor ray`, the
next one goes on without Ray, and has to find the same to the last bit.

After each fault the ledger is read from a copy, and after the last run everything is compared with a search that
nothing disturbed:

- **lost**: trials that stood in the ledger before and do not stand there now, or are missing at the end;
- **doubled**: trials that stood in the ledger and that a later run trained again, or whose row is another one than
  before; trials or places in the search that the undisturbed one does not have; and contents that stand there twice;
- **different**: trials whose scores, curves or configuration are not the undisturbed ones to the last bit, and final
  tables that differ: `tuner results`, every `.csv` of the report, the predictions and the weights of every model.
  Seconds and file sizes are measured, and left out, and with them the tables of the report that are about time;
- **ended badly**: a traceback, another exit code than the signal's own (130 for SIGTERM, SIGINT and SIGHUP, with the
  line that says how to go on), a run that hangs, a ledger that SQLite's `integrity_check` complains of, and at its
  end, files half written or processes that are left. A run whose standard error nobody reads has to come to its end,
  one whose data are gone, or whose Ray is, may also say that it is to be started again, and a lock that is a link has
  to be refused.
"""


def report_of(
    tally: Tally, references: Mapping[str, Reference], asked: int, size: int, seed: int, seconds: float, command: str
) -> str:
    """Return the report as markdown."""
    struck = len(tally.suffered)
    parts = [
        "# Kills, and what is lost by them",
        f"{_plural(struck, 'fault')} struck {_plural(len(tally.ended), 'search', 'searches')} while they ran, and the "
        f"same command was given again: {_summary(tally.problems)}.",
        table(["fault", *references, "all", *_COLUMNS], _rows(tally, list(references))),
        _unstruck(tally, asked),
        _HOW.format(size=size).strip(),
        "The undisturbed searches:",
        table(["algorithm", "trials", "retrainings", "seconds"], [_undisturbed(*pair) for pair in references.items()]),
        _failures(tally),
        f"Written by `{command}` (seed {seed}) in {seconds / 60:.0f} minutes: {provenance(_PACKAGES)}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(problems: Iterable[Problems]) -> str:
    lost, doubled, different, badly = _counts(problems)
    return f"**{lost} trials lost, {doubled} doubled, {different} different**; {badly} ended badly"


def _rows(tally: Tally, algorithms: list[str]) -> list[list[str]]:
    rows = []
    for kind, about in KINDS.items():
        counts = [tally.count(algorithm, kind) for algorithm in algorithms]
        problems = [one.problems for one in tally.suffered if one.fault.kind == kind]
        rows.append([about.label, *map(str, counts), str(sum(counts)), *map(str, _counts(problems))])
    totals = [sum(one.algorithm == algorithm for one in tally.suffered) for algorithm in algorithms]
    struck = [one.problems for one in tally.suffered]
    rows.append(["**all faults**", *map(str, totals), str(len(struck)), *map(str, _counts(struck))])
    ends = [sum(one.algorithm == algorithm for one in tally.ended) for algorithm in algorithms]
    ended = [one.problems for one in tally.ended]
    rows.append(["**searches at their end**", *map(str, ends), str(len(ended)), *map(str, _counts(ended))])
    return rows


def _counts(problems: Iterable[Problems]) -> tuple[int, int, int, int]:
    found = list(problems)
    return (
        sum(len(one.lost) for one in found),
        sum(len(one.doubled) for one in found),
        sum(len(one.different) for one in found),
        sum(bool(one.ended_badly) for one in found),
    )


def _unstruck(tally: Tally, asked: int) -> str:
    signals = Counter(one.fault.signal for one in tally.suffered)
    words = [f"By what struck: {', '.join(f'{signals[name]} {name}' for name in sorted(signals))}." if signals else ""]
    if tally.missed:
        more = _plural(len(tally.missed), "more was", "more were")
        words.append(f"{more} drawn and never struck, because the run had ended before; these are not counted.")
    if len(tally.suffered) < asked:
        words.append(f"{asked} faults were asked for; the time was up before.")
    return " ".join(filter(None, words))


def _undisturbed(algorithm: str, reference: Reference) -> list[str]:
    ledger = reference.ledger
    return [algorithm, str(ledger.count("search")), str(ledger.count("final")), f"{reference.pace.seconds:.1f}"]


def _failures(tally: Tally) -> str:
    lines = [f"- {one.algorithm}, {one.fault}: {one.problems}" for one in tally.suffered if one.problems]
    lines += [f"- {one.algorithm}, at the end: {one.problems}" for one in tally.ended if one.problems]
    return "\n".join(["## What went wrong", "", *lines]) if lines else ""


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
