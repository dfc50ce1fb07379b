"""What an epoch of study A's networks costs on one GPU: alone, in several processes at once, several in one step.

Each measurement is a process of its own. All of them compile at once; then they run in turn, each for itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

from benchmarks.gpu.grid import SEARCH
from benchmarks.measuring import provenance, report_progress, table

#: Filters and dense width of study A's cheapest network, of one in the middle, and of its dearest of depth 3.
NETWORKS = {"16/16": ([16], 16), "32-32/64": ([32, 32], 64), "128-128-128/128": ([128, 128, 128], 128)}
_LONGEST_RUN = 60


@dataclass(frozen=True)
class Measurement:
    """So many processes at once, each of which trains so many networks in one vectorised step."""

    network: str
    networks: int = 1
    processes: int = 1
    precision: str = "float32"
    flags: str = ""


PLAN = (
    Measurement("16/16"),
    Measurement("32-32/64"),
    Measurement("32-32/64", networks=4),
    Measurement("32-32/64", networks=16),
    Measurement("32-32/64", processes=6),
    Measurement("32-32/64", precision="mixed_bfloat16"),
    Measurement("32-32/64", flags="--xla_gpu_autotune_level=0"),
    Measurement("128-128-128/128"),
    Measurement("128-128-128/128", networks=4),
    Measurement("128-128-128/128", processes=4),
    Measurement("128-128-128/128", precision="mixed_bfloat16"),
)


def train_epochs(
    measured: Measurement, data_dir: Path | None, images: int, compiled: Path, go: Path
) -> dict[str, object]:
    """Compile an epoch, wait until `go` is there, and return the seconds of compiling and of each of three epochs."""
    import jax
    import jax.numpy as jnp
    import keras

    from tuner.datasets import load_dataset
    from tuner.families import get_family
    from tuner.recipe import compile_network
    from tuner.search_file.file import load_search
    from tuner.worker.engines.base import Plan, Samples
    from tuner.worker.engines.jax_epochs import epoch_function, on_device, variables_of

    keras.config.set_dtype_policy(measured.precision)
    search = load_search(SEARCH)
    model_search = search.model_searches[0]
    data = load_dataset(search.datasets[0], data_dir)
    x, y = data.x_train[:images], data.y_train[:images]
    fit = images * 4 // 5
    filters, dense = NETWORKS[measured.network]
    wanted = {"conv_depth": len(filters), "dense_units": dense}
    wanted |= {f"filters_{place}": count for place, count in enumerate(filters, 1)}
    values = next(one for one in model_search.space.grid() if wanted.items() <= one.items())
    values = search.trial(model_search, "fashion_mnist", "0" * 16, values, None).values
    network = get_family("cnn").network(values, data.shape, len(data.class_names))
    compile_network(network, values, search.epochs, fit // 64)
    network.optimizer.build(network.trainable_variables)
    plan = Plan(search.epochs, int(values["batch_size"]), 0)
    variables = variables_of(network, plan, [])
    epoch = epoch_function(network, variables, plan)
    state = [[variable.value for variable in group] for group in variables]
    rng = np.random.default_rng(0)
    order = jnp.asarray(rng.permutation(fit), jnp.int32)
    if measured.networks > 1:
        state = jax.tree.map(lambda value: jnp.stack([value] * measured.networks), state)
        order = jnp.asarray(np.stack([rng.permutation(fit) for _ in range(measured.networks)]), jnp.int32)
        epoch = jax.vmap(epoch, in_axes=(0, 0, None, None))
    samples = [on_device(Samples(x[:fit], y[:fit])), on_device(Samples(x[fit:], y[fit:]))]
    begun = perf_counter()
    run = jax.jit(epoch).lower(state, order, *samples).compile()
    took = perf_counter() - begun
    compiled.touch()
    while not go.exists():
        sleep(0.02)
    seconds = []
    for _ in range(3):
        begun = perf_counter()
        state, metrics, _ = run(state, order, *samples)
        np.asarray(metrics)  # waits for the device
        seconds.append(perf_counter() - begun)
    return {"compile": took, "seconds": seconds, "device": str(jax.devices()[0].device_kind)}


class Processes:
    """The processes of a measurement, in a folder that holds what they say and what they wait for."""

    def __init__(self, number: int, measured: Measurement, folder: Path, data_dir: Path | None, images: int) -> None:
        self.measured, self._go = measured, folder / f"{number}.go"
        self._compiled = [folder / f"{number}.{one}.compiled" for one in range(measured.processes)]
        self._said = [path.with_suffix(".json") for path in self._compiled]
        environment = {**os.environ, "XLA_FLAGS": measured.flags, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        self._processes = []
        for compiled, said in zip(self._compiled, self._said, strict=True):
            given = [*vars(measured).values(), data_dir or "", images, compiled, self._go, said]
            command = [sys.executable, "-m", "benchmarks.gpu.epochs", *(str(part) for part in given)]
            self._processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))

    @property
    def ready(self) -> bool:
        """Whether all have compiled, or ended."""
        both = zip(self._compiled, self._processes, strict=True)
        return all(mark.exists() or process.poll() is not None for mark, process in both)

    def run(self) -> list[dict[str, object]]:
        """Let them run, and return what each of those said that came to its end."""
        self._go.touch()
        for process in self._processes:
            try:
                process.wait(_LONGEST_RUN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return [json.loads(said.read_text(encoding="utf-8")) for said in self._said if said.exists()]


def row(measured: Measurement, said: Sequence[dict[str, object]]) -> list[str]:
    """Return the row of a measurement; the first epoch, which wakes the device, does not count."""
    epochs = [float(np.median(one["seconds"][1:])) for one in said]  # type: ignore[index]
    how = f"{measured.networks} in one step" if measured.networks > 1 else f"{measured.processes} processes"
    if measured.networks == measured.processes == 1:
        how = "alone"
    what = ", ".join(part for part in (how, measured.precision.replace("float32", ""), measured.flags) if part)
    if len(said) < measured.processes:
        return [measured.network, what, "–", "–", "–"]
    epoch, compiling = float(np.median(epochs)), float(np.median([one["compile"] for one in said]))
    each = epoch / (measured.networks * measured.processes)
    return [measured.network, what, f"{epoch:.3f}", f"{each:.3f}", f"{compiling:.0f}"]


def measure_epochs(out: Path, data_dir: Path | None, images: int, seconds: float) -> None:
    """Measure, and write `gpu_epochs.md` into `out` after each measurement.

    Args:
        out: a folder.
        data_dir: where fashion_mnist.npz is; None downloads it.
        images: so many training images, of which a fifth validates.
        seconds: how long all may compile before those that are ready run.
    """
    begun, rows, device = perf_counter(), [], ""
    with tempfile.TemporaryDirectory() as name:
        all_of_them = [Processes(number, one, Path(name), data_dir, images) for number, one in enumerate(PLAN)]
        while perf_counter() - begun < seconds and not all(one.ready for one in all_of_them):
            sleep(0.1)
        for each in all_of_them:
            results = each.run()
            device = str(results[0]["device"]) if results else device
            rows.append(row(each.measured, results))
            report_progress(" · ".join(rows[-1]))
            heads = ("filters/dense", "how", "s per epoch", "s per epoch and network", "compiled in s")
            about = f"{images:,} images of Fashion-MNIST, a fifth of them to validate on, batches of 64. {provenance()}"
            text = [f"# An epoch on {device}", about, table(heads, rows)]
            (out / "gpu_epochs.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")


def main() -> None:
    """Be one of the processes, as `Processes` calls it."""
    network, networks, processes, precision, flags, data_dir, images, compiled, go, said = sys.argv[1:]
    measured = Measurement(network, int(networks), int(processes), precision, flags)
    found = train_epochs(measured, Path(data_dir) if data_dir else None, int(images), Path(compiled), Path(go))
    Path(said).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
