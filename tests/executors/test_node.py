"""What a node of a cluster does with a call; Ray itself is not needed for that."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from tuner.errors import ResourceError
from tuner.executors import Limits, Outcome, Resources, node
from tuner.executors.node import Terms


def pid(_: object) -> int:
    return os.getpid()


def lacking_room(_: object) -> ResourceError:
    return ResourceError("the disk", "is full", "make room")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(node, "_pool", None)
    yield
    if node._pool is not None:
        node._pool[1].close()


def terms_of(function: object, gpus: float = 0) -> Terms:
    return Terms(f"{__name__}:{function.__name__}", Resources(1, gpus), Limits(), ())  # type: ignore[attr-defined]


def outcome_of(terms: Terms, group: str = "") -> Outcome:
    return node.call(terms, "key", None, group, "a7", fetch=dict).outcome


def test_calls_of_one_kin_that_meet_on_a_node_share_a_process() -> None:
    terms = terms_of(pid)
    first, second, other = (outcome_of(terms, group) for group in ("a", "a", "b"))
    assert first.value == second.value != other.value
    assert first.attempt.node == "a7"


def test_on_a_gpu_each_call_has_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    terms = terms_of(pid, gpus=1)
    first, second = (outcome_of(terms, "a") for _ in range(2))
    assert first.value != second.value


def test_what_a_node_lacks_is_said_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    lacks = outcome_of(terms_of(lacking_room)).value
    assert isinstance(lacks, ResourceError)
    assert str(lacks).startswith(f"{socket.gethostname()}: the disk: is full; make room")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    lacks = outcome_of(terms_of(pid, gpus=1)).value
    assert isinstance(lacks, ResourceError)
    assert str(lacks).startswith(f"{socket.gethostname()}: gpus_per_trial: is 1, and this machine shows 0 GPUs")


def test_a_disk_that_is_full_while_data_are_laid_out_is_lacking_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(argument: object, fetch: object) -> object:
        raise OSError(28, "No space left on device", "/tmp/x")  # noqa: S108

    monkeypatch.setattr(node, "_at_hand", full)
    lacks = outcome_of(terms_of(pid)).value
    assert isinstance(lacks, ResourceError)
    assert "No space left on device; make room" in str(lacks)


def test_what_chooses_how_keras_computes_travels_with_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("XLA_FLAGS", "--x")
    monkeypatch.setenv("SECRET", "not this")
    chosen = Terms("a:b", Resources(), Limits(), ()).environment
    assert chosen["KERAS_BACKEND"] == "jax"
    assert chosen["XLA_FLAGS"] == "--x"
    assert "SECRET" not in chosen
