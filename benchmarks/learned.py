"""Part `learned`: does the engine that compiles whole epochs learn as much as Keras' `fit`?

Run as `python -m benchmarks.learned SEEDS`; prints the validation accuracies as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys

from scipy import stats

from benchmarks.agreement import paired
from benchmarks.measuring import report_progress, run_module, table
from benchmarks.sizes import sized
from benchmarks.workloads import WORKLOADS

SEEDS = sized(40, 2)
#: One of the configurations of `digits36`.
VALUES = {"conv_depth": 2, "filters_1": 8, "filters_2": 16, "dense_units": 64, "dropout": 0.25, "padding": "same"}


def measure(seeds: int) -> dict[str, list[float]]:
    """Return the last validation accuracy of each seed by both engines, from the same weights and in the same order."""
    import keras

    from tuner.families import FAMILIES
    from tuner.recipe import RECIPE, compile_network
    from tuner.space.space import read_space
    from tuner.worker.engines import ENGINES, Plan, Samples
    from tuner.worker.engines.plain import PlainEngine

    workload = WORKLOADS["digits36"]
    x, y, x_val, y_val = workload.split(0)
    training, validation = Samples(x, y), Samples(x_val, y_val)
    family = FAMILIES["cnn"]
    (values,) = read_space(VALUES, {}, [*family.parameters, *RECIPE], {}).grid()
    found: dict[str, list[float]] = {"fit": [], "compiled": []}
    for seed in range(seeds):
        for name, mine in found.items():
            keras.utils.set_random_seed(seed)
            network = family.network(values, workload.shape, 10)
            compile_network(network, values)
            engine = PlainEngine() if name == "fit" else next(e for e in ENGINES if e.takes(network))
            plan = Plan(workload.epochs, workload.batch_size, seed)
            *_, last = engine.fit(network, training, validation, plan)
            mine.append(last["val_accuracy"])
    return found


def section(_: int) -> str:
    """Measure in a process of its own and return the section."""
    found = run_module("learned", str(SEEDS)).found
    report_progress(f"learned: {found}")
    ours, theirs = found["compiled"], found["fit"]
    rows = [
        [name, f"{statistics.mean(mine):.4f}", f"{statistics.stdev(mine):.4f}"]
        for name, mine in (("this tool's compiled epochs", ours), ("Keras' `fit`", theirs))
    ]
    gap = paired([a - b for a, b in zip(ours, theirs, strict=True)])
    p = stats.ks_2samp(ours, theirs).pvalue
    return "\n\n".join(
        [
            f"## What is learned: one CNN on digits with {SEEDS} seeds",
            "The same network, images, initial weights and order of images for both, 3 epochs of 1,200 images; dropout "
            "is drawn anew. Last validation accuracy:",
            table(("trained by", "mean", "sd over seeds"), rows),
            f"Difference {gap} (95 % interval of the paired t-test); Kolmogorov and Smirnov's test for "
            f"two distributions: p = {p:.2f}.",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(measure(int(sys.argv[1]))) + "\n")
