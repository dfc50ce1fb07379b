"""`tuner clean`: what the next run makes again goes, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from recorded import whole

from tuner.cli.cleaning import clean as command
from tuner.datasets.base import Dataset, checked_dataset
from tuner.datasets.store import save_to_store
from tuner.errors import InputError
from tuner.ledger.ledger import Ledger
from tuner.running.cleaning import clean, parts_to_clean
from tuner.trial import Record, Result, Trial
from tuner.workspace import Workspace


def data(seed: int) -> Dataset:
    images = np.random.default_rng(seed).integers(0, 256, (8, 4, 4, 1)).astype(np.uint8)
    labels = np.arange(8) % 2
    return checked_dataset(
        f"made {seed}", {"x_train": images[:4], "y_train": labels[:4], "x_test": images[4:], "y_test": labels[4:]}
    )


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with a data set of a recorded trial, another one, features, what JAX once compiled, and what stays."""
    runs = tmp_path / "runs"
    used, unused = data(1), data(2)
    for dataset in (used, unused):
        save_to_store(dataset, runs / "data")
    for place in (f"features/{1:016x}-{2:016x}/train-0.npz", "compiled/step", "models/a.keras", "checkpoints/c.npz"):
        (runs / place).parent.mkdir(parents=True)
        (runs / place).write_bytes(b"x" * 1_000)
    (runs / "data" / "mine").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_bytes(b"x")
    (runs / "features" / f"{3:016x}-{4:016x}").symlink_to(tmp_path / "elsewhere")
    trial = Trial("ann", used.name, used.fingerprint, {}, epochs=1, seed=0)
    with Ledger(runs / "ledger.sqlite") as ledger:
        ledger.record(Record(trial, whole(replace(Result("completed"), val_accuracy=0.5))))
        ledger.open_search("small", "key", "{}")
    return runs


def there(runs: Path) -> set[str]:
    return {path.relative_to(runs).as_posix() for folder in ("data", "features", "compiled", "models", "checkpoints")
            for path in (runs / folder).iterdir()}  # fmt: skip


def test_what_the_next_run_makes_again_goes_and_the_rest_stays(runs: Path) -> None:
    said = CliRunner().invoke(command, ["--dry-run", "--runs-dir", str(runs)]).output
    assert "features of frozen backbones: 1, 1 kB\n" in said
    assert "data sets laid out for workers that no recorded trial used: 1, " in said
    assert "would free " in said
    before = there(runs)
    freed = clean(Workspace(runs))
    assert [len(part.paths) for part in freed] == [1, 1, 1]
    gone = {f"data/{data(2).fingerprint}", f"features/{1:016x}-{2:016x}", "compiled/step"}
    assert there(runs) == before - gone
    assert (runs.parent / "elsewhere" / "kept").exists()
    assert parts_to_clean(Workspace(runs)) == []
    assert CliRunner().invoke(command, ["--runs-dir", str(runs)]).output == "nothing to clean\n"
    assert CliRunner().invoke(command, ["--runs-dir", str(runs / "nowhere")]).output == "nothing to clean\n"


def test_while_a_search_is_run_nothing_goes(runs: Path) -> None:
    before = there(runs)
    held = pytest.raises(InputError, match="small: is being run by process")
    with Ledger(runs / "ledger.sqlite") as ledger, ledger.sole_runner("small"), held:
        clean(Workspace(runs))
    assert there(runs) == before


def test_a_link_in_the_place_of_a_folder_is_refused(runs: Path) -> None:
    (runs / "features").rename(runs / "f")
    (runs / "features").symlink_to(runs / "f")
    with pytest.raises(InputError, match="is a link"):
        parts_to_clean(Workspace(runs))
