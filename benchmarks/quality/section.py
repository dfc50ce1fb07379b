"""The section of the report: seconds and epochs to the target by method, over seeds."""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measuring import report_progress, table
from benchmarks.quality.clock import Spent
from benchmarks.quality.curves import WORKERS, Curves, load_curves
from benchmarks.quality.ours import OURS
from benchmarks.quality.space import EPOCHS, FITTED, HELD_OUT
from benchmarks.sizes import is_smallest, sized

#: Where the curves are kept, since they take an hour and more: a run that was stopped goes on.
FOLDER = Path("runs") / "benchmarks" / "quality"
SEEDS = sized(10, 1)
#: The same of a method that takes long over its decisions.
FEW_SEEDS = 5
#: The target is the best score of so many random configurations, trained in full.
RANDOM_TRIALS = 40


def measure(curves: Curves, seeds: int = SEEDS) -> dict[str, list[Spent]]:
    """Run each method with each seed, each seed with a target of its own, and return what was spent."""
    from benchmarks.quality.peers import PEERS, SLOW

    spent: dict[str, list[Spent]] = {}
    for name, search in {**OURS, **PEERS}.items():
        spent[name] = []
        for seed in range(min(seeds, FEW_SEEDS) if name == SLOW else seeds):
            spent[name].append(Spent(target_of(curves, seed)))
            search(curves, spent[name][-1], seed)
        report_progress(f"quality, {name}: {_row(name, spent[name])[1:]}")
    return spent


def target_of(curves: Curves, seed: int) -> float:
    """Return the best validation accuracy of random configurations trained in full, drawn by a seed."""
    names = sorted(curves.results)
    drawn = random.Random(f"target {seed}").sample(names, min(RANDOM_TRIALS, len(names)))  # noqa: S311
    return max(map(curves.best, drawn))


def section(rounds: int) -> str:
    """Return the section, epochs timed in so many rounds; decisions are repeated by seeds."""
    if is_smallest():
        with tempfile.TemporaryDirectory() as folder:
            return _section_of(load_curves(Path(folder), rounds))
    return _section_of(load_curves(FOLDER, rounds))


def _section_of(curves: Curves) -> str:
    from benchmarks.quality.peers import MOST_OF_SLOW, SLOW

    spent = measure(curves)
    return "\n\n".join(
        [
            f"## Time to quality: {len(curves.results)} CNNs on Fashion-MNIST, {FITTED + HELD_OUT:,} images, "
            f"{EPOCHS} epochs",
            _EXPLAINED.format(
                random=RANDOM_TRIALS,
                seeds=len(next(iter(spent.values()))),
                workers=WORKERS,
                epochs=EPOCHS,
                slow=SLOW,
                few=len(spent[SLOW]),
                most=MOST_OF_SLOW,
            ),
            quality_table(spent),
            summary(spent),
        ]
    )


_EXPLAINED = (
    "The space: depth, filters, dense width, dropout, L2, batch size and learning rate. The target is the best "
    "validation accuracy, at any epoch, of {random} random configurations that are trained in full; each of {seeds} "
    "seeds draws other ones, and each method is run with each seed until an epoch reaches the target. Every "
    "configuration was trained once, by this tool, to epoch {epochs}, and each method's own algorithm then decided on "
    "these recorded curves, so that all have the same networks, images and luck. Seconds are those of the epochs that "
    "a method asked for, by what an epoch of each network takes: by this tool's compiled epoch, {workers} trials at a "
    "time, and by Keras' `fit`, by which its peers train one after the other on all cores, timed in turn on one "
    "machine. Imports and the algorithms' own work are not counted, for anybody. What goes on goes on from its "
    "checkpoint where the tool does that (this one and KerasTuner's Hyperband), and pays its beginning again. "
    "{slow} takes longer over a decision than over a training, and has {few} seeds and at most {most} trials."
)


def _row(name: str, spent: list[Spent]) -> list[str]:
    seconds = sorted(one.seconds for one in spent if one.seconds is not None)
    epochs = [one.epochs for one in spent if one.epochs is not None]
    if not seconds:
        return [name, "–", "–", "–", f"0 of {len(spent)}"]
    return [
        name,
        f"{median(spent):,.0f}" if median(spent) < float("inf") else "–",
        f"{seconds[len(seconds) // 4]:,.0f} to {seconds[-1 - len(seconds) // 4]:,.0f}",
        f"{statistics.median(epochs):,.0f}",
        f"{len(seconds)} of {len(spent)}",
    ]


def median(spent: list[Spent]) -> float:
    """Return the median of the seconds, infinite where most never reached their target."""
    return statistics.median(float("inf") if one.seconds is None else one.seconds for one in spent)


def quality_table(spent: Mapping[str, list[Spent]]) -> str:
    """Return the table, a row for each method."""
    heads = ("search", "median s to the target", "middle half of those that reach it", "median epochs", "reached")
    return table(heads, [_row(name, found) for name, found in spent.items()])


def summary(spent: Mapping[str, list[Spent]]) -> str:
    """Return in a sentence how many times faster the best of this tool is than the best of each peer."""
    best = {
        who: min((median(found), name) for name, found in spent.items() if name.startswith(who))
        for who in ("this tool", "Optuna", "KerasTuner")
    }
    ours, name = best.pop("this tool")
    if not 0 < ours < float("inf"):
        return "Most runs of this tool did not reach their target."
    told = [
        f"the best of {peer} ({who}) takes {seconds / ours:.1f} times as long"
        if seconds < float("inf")
        else f"most runs of each of {peer}'s do not reach their target"
        for peer, (seconds, who) in best.items()
    ]
    return f"The median of {name} is {ours:,.0f} s; {', and '.join(told)}."
