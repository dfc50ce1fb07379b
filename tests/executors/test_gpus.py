"""Which GPUs a process is given; the machine's own tool is stood in for by a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pytest

from tuner.errors import InputError
from tuner.executors import LocalExecutor, Resources, gpus
from tuner.executors.gpus import MEMORY_LIMIT, environment_of, visible_gpus
from tuner.worker import training


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An nvidia-smi that tells of two GPUs with 1,000 and 2,000 MiB."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        """#!/bin/sh
case "$*" in
    *memory.total*--id\\ 1) echo 2000 ;;
    *memory.total*--id\\ 0) echo 1000 ;;
    *index*) printf '0\\n1\\n' ;;
    *) exit 6 ;;
esac
"""
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpus._memory_of.cache_clear()


def test_the_gpus_of_the_machine_are_found(two_gpus: None) -> None:
    assert visible_gpus() == ["0", "1"]


def test_a_call_has_one_gpu_and_calls_are_spread_over_all(two_gpus: None) -> None:
    given = [environment_of(["0", "1"], None, slot)["CUDA_VISIBLE_DEVICES"] for slot in range(4)]
    assert given == ["0", "1", "0", "1"]
    assert MEMORY_LIMIT not in environment_of(["0", "1"], 1, 0)


def test_a_fraction_of_a_gpu_limits_its_memory(two_gpus: None) -> None:
    quarter = environment_of(["0", "1"], 0.25, 1)
    assert quarter["CUDA_VISIBLE_DEVICES"] == "1"
    assert quarter[MEMORY_LIMIT] == "450"  # MiB: nine tenths of a quarter of 2,000
    assert quarter["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.225"
    assert quarter["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


def test_where_the_memory_is_not_known_the_fraction_is_all_that_is_said(two_gpus: None) -> None:
    assert MEMORY_LIMIT not in environment_of(["7"], 0.25, 0)


def test_no_gpu_hides_all_and_none_there_changes_nothing() -> None:
    assert environment_of([], 0, 0) == {"CUDA_VISIBLE_DEVICES": "-1"}
    assert environment_of([], None, 0) == {}


@pytest.mark.parametrize(("share", "slots"), [(None, 2), (0.5, 4), (0.3, 6), (1, 2)])
def test_as_many_calls_at_once_as_the_gpus_have_shares(two_gpus: None, share: float | None, slots: int) -> None:
    with LocalExecutor("math:sqrt", resources=Resources(1, share)) as executor:
        assert executor.slots == slots


def test_a_gpu_where_there_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="is 1, and this machine shows 0 GPUs"):
        LocalExecutor("math:sqrt", resources=Resources(1, 1))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's own settings")
@pytest.mark.parametrize(("limit", "expected"), [("450", [("limit", 450)]), (None, [("growth", True)])])
def test_tensorflow_is_told_how_much_of_a_gpu_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str | None, expected: list[tuple[str, Any]]
) -> None:
    import tensorflow as tf

    seen: list[tuple[str, Any]] = []
    ignore: Callable[..., None] = lambda *_: None  # noqa: E731
    config = SimpleNamespace(
        threading=SimpleNamespace(set_intra_op_parallelism_threads=ignore, set_inter_op_parallelism_threads=ignore),
        experimental=SimpleNamespace(
            set_memory_growth=lambda gpu, on: seen.append(("growth", on)), enable_op_determinism=ignore
        ),
        list_physical_devices=lambda kind: ["a GPU"],
        LogicalDeviceConfiguration=lambda memory_limit: memory_limit,
        set_logical_device_configuration=lambda gpu, parts: seen.append(("limit", *parts)),
    )
    monkeypatch.setattr(tf, "config", config)
    monkeypatch.delenv(MEMORY_LIMIT, raising=False)
    if limit:
        monkeypatch.setenv(MEMORY_LIMIT, limit)
    training.set_up_process.__wrapped__(1)
    assert seen == expected
