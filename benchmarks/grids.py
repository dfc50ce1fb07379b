"""Part `digits36` and `fashion20`: the same grid by this tool and by what people use otherwise."""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.agreement import TOLERANCE, check, difference
from benchmarks.measuring import Run, median_and_spread, report_progress, run_module, table
from benchmarks.sizes import is_quick, sized
from benchmarks.workloads import IMAGES_DIR, WORKLOADS, Workload
from tuner.errors import InputError


@dataclass(frozen=True)
class Competitor:
    """A module of `benchmarks.competitors`, the package that it needs, and its option."""

    module: str
    package: str
    option: str = ""


COMPETITORS = {
    "this tool": Competitor("this_tool", "tensorflow"),
    "this tool (one worker)": Competitor("this_tool", "tensorflow", "1"),
    "loop around fit": Competitor("keras_loop", "keras"),
    "KerasTuner GridSearch": Competitor("keras_tuner_grid", "keras_tuner"),
    "Optuna GridSampler": Competitor("optuna_grid", "optuna"),
    "Optuna GridSampler (n_jobs=2)": Competitor("optuna_grid", "optuna", "2"),
    "Ray Tune": Competitor("ray_tune", "ray"),
    "Ray Tune (reuse_actors)": Competitor("ray_tune", "ray", "reuse"),
    "GridSearchCV with SciKeras": Competitor("scikeras_grid", "scikeras"),
}

#: Those that the smallest size runs, by workload: between them every module, and every option but Ray's default, which
#: differs from its other one in a single argument. The first workload has two configurations then, the other has one.
FEW = {
    workload: {name: COMPETITORS[name] for name in names}
    for workload, names in {
        "digits36": (
            "this tool",
            "KerasTuner GridSearch",
            "Optuna GridSampler (n_jobs=2)",
            "Ray Tune (reuse_actors)",
            "GridSearchCV with SciKeras",
        ),
        "fashion20": ("this tool", "this tool (one worker)", "loop around fit", "Optuna GridSampler"),
    }.items()
}

#: Those that a quick look compares.
QUICK = ("this tool", "KerasTuner GridSearch", "Optuna GridSampler (n_jobs=2)")

#: What the report says of both grids.
EXPLAINED = (
    "On the grids, all train the same configurations on the same images, with the same batch size and epochs. Each "
    "run is timed as a whole process, imports and data loading (one `.npz` file) included; this tool's with its "
    "ledger on disk and its workers, up to the end of its search. This tool and Ray Tune run as many trials at a time "
    "as there are cores, a core each; GridSearchCV validates once, at the end of a trial, and all others after every "
    "epoch. Memory is the largest sum over all processes of a run: first of what each holds, so that a page that "
    "several share counts for each of them, then with each such page counted once (Linux's proportional set size), "
    "which is what the machine has to have. "
    "The last column is the difference of the mean validation accuracy to this tool's. A round has one seed, for the "
    "split and for all trials but KerasTuner's, and with it the luck of one order of the images: an interval (95 %, "
    "paired t-test) is over rounds, and a single round has none. What both ways of training learn over many seeds is "
    "the part `learned`."
)


def section(workload: Workload, rounds: int) -> str:
    """Time every competitor, in alternating order, and return the workload's section."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            workload.save_images(Path(folder))
        except InputError as error:
            return f"## {workload.title}\n\nNot measured: {error}"
        return _timed(workload, rounds, {IMAGES_DIR: folder})


def _timed(workload: Workload, rounds: int, environment: dict[str, str]) -> str:
    competitors = sized(COMPETITORS, FEW[workload.name])
    if is_quick():
        competitors = {name: COMPETITORS[name] for name in QUICK}
    runs: dict[str, list[Run]] = {name: [] for name, c in competitors.items() if importlib.util.find_spec(c.package)}
    notes = [f"{name} is not installed." for name in competitors if name not in runs]
    doubled: dict[str, int] = {}
    for number in range(rounds):
        for name in list(runs)[:: -1 if number % 2 else 1]:
            competitor = COMPETITORS[name]
            try:
                run = run_module(
                    f"competitors.{competitor.module}",
                    workload.name,
                    str(number),
                    competitor.option,
                    environment=environment,
                )
                doubled[name] = doubled.get(name, 0) + check(workload, run.found)
            except RuntimeError as error:
                if name == "this tool":
                    raise
                del runs[name]
                notes.append(f"{name} is left out: {str(error).rstrip('.')}.")
                continue
            runs[name].append(run)
            report_progress(f"{workload.name}, round {number + 1}, {name}: {run.seconds:.1f} s")
    notes += [f"{name} trained {more} more than once over all rounds." for name, more in doubled.items() if more]
    return "\n\n".join([f"## {workload.title}", grid_table(runs), " ".join([verdict(runs), *notes])])


def grid_table(runs: dict[str, list[Run]]) -> str:
    """Return the table: medians, the ratio of each competitor's time to this tool's, and what was learned."""
    ours = runs["this tool"]
    median = statistics.median(run.seconds for run in ours)
    rows = []
    for name, mine in runs.items():
        scores = [float(trial["val_accuracy"]) for run in mine for trial in run.found]
        rows.append(
            [
                name,
                *median_and_spread([run.seconds for run in mine]),
                f"{statistics.median(run.seconds for run in mine) / median:.2f}",
                f"{statistics.median(run.megabytes for run in mine):,.0f}",
                f"{statistics.median(run.proportional_megabytes for run in mine):,.0f}",
                f"{statistics.mean(scores):.4f}",
                "" if name == "this tool" else str(difference((r.found for r in mine), (r.found for r in ours))),
            ]
        )
    heads = (
        "competitor",
        "median s",
        "min to max",
        "× this tool",
        "peak MB",
        "shared pages once",
        "val. accuracy",
        "− this tool's (95 %)",
    )
    return table(heads, rows)


def verdict(runs: dict[str, list[Run]]) -> str:
    """Say in words whether all competitors learned the same."""
    ours = [run.found for run in runs["this tool"]]
    gaps = {name: difference((run.found for run in mine), ours) for name, mine in runs.items()}
    marked = [name for name, gap in gaps.items() if gap.is_large]
    unsure = [name for name, gap in gaps.items() if not gap.is_large and not gap.is_small]
    said = []
    if marked:
        said.append(
            f"\\* The whole interval is further than {TOLERANCE} from 0: {', '.join(marked)} did not learn the same."
        )
    if unsure and len(ours) == 1:
        said.append("One round says nothing of a difference in what is learned.")
    elif unsure:
        said.append(
            f"The interval reaches beyond ±{TOLERANCE}, so that a difference of that size is open: {', '.join(unsure)}."
        )
    if not said:
        said.append(f"Every interval lies within ±{TOLERANCE}: all learned the same, within that.")
    return " ".join(said)


def digits36(rounds: int) -> str:
    """Return the section of the grid on digits."""
    return section(WORKLOADS["digits36"], rounds)


def fashion20(rounds: int) -> str:
    """Return the section of the grid on Fashion-MNIST."""
    return section(WORKLOADS["fashion20"], rounds)
