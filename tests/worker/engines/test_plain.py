"""Batches that are read of a file are read ahead, and everything else is as if they were not."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tuner.datasets.base import Dataset
from tuner.datasets.large import RowsInFile
from tuner.families import FAMILIES
from tuner.recipe import RECIPE, augmenter, compile_network, mixing
from tuner.space.space import read_space
from tuner.worker.engines import Plan, Samples
from tuner.worker.engines.plain import PlainEngine, _Batches

#: No thread of a test takes so many seconds.
LONG = 30.0


class Watched:
    """Images, `(9, 1)`, of which it is told which were read, by which thread."""

    shape = (9, 1)

    def __init__(self, read: Callable[[list[int]], None] = lambda places: None) -> None:
        self.read, self.threads = read, list[str]()

    def __getitem__(self, places: NDArray[np.intp]) -> NDArray[np.int64]:
        self.threads.append(threading.current_thread().name)
        self.read(places.tolist())
        return places[:, None]


def batches(images: Watched) -> _Batches:
    order = np.array([4, 8, 0, 7, 1, 3, 2, 6, 5])
    part: Any = SimpleNamespace(images=images, labels=np.arange(9))
    return _Batches(part, order, 2, lambda *read: read)


def none_reads() -> bool:
    for thread in threading.enumerate():
        if thread.name == "reads-a-batch":
            thread.join(LONG)
    return all(thread.name != "reads-a-batch" for thread in threading.enumerate())


def test_the_next_batch_is_read_before_it_is_asked_for_and_no_other() -> None:
    second = threading.Event()
    seen: list[list[int]] = []

    def read(places: list[int]) -> None:
        seen.append(places)
        if places == [0, 7]:
            second.set()

    images = Watched(read)
    given = batches(images)
    given[0]
    assert second.wait(LONG)
    assert none_reads()
    assert seen == [[4, 8], [0, 7]]  # however long the first is learned from
    assert images.threads[1] == "reads-a-batch"
    given[1]
    assert none_reads()
    assert seen == [[4, 8], [0, 7], [1, 3]]


def test_batches_come_in_their_order_whichever_is_asked_for_and_the_last_leaves_no_thread() -> None:
    given = batches(Watched())
    found = [given[number][0].ravel().tolist() for number in (0, 1, 0, 1, 2, 3, 4)]  # Keras looks at two before
    assert found == [[4, 8], [0, 7], [4, 8], [0, 7], [1, 3], [2, 6], [5]]
    assert given._ahead is None
    assert none_reads()


def test_a_batch_that_keras_looks_at_before_it_learns_is_varied_once_in_an_epoch() -> None:
    given = batches(Watched())
    drawn: list[int] = []

    def vary(images: NDArray[np.int64], labels: NDArray[np.int64]) -> int:
        drawn.append(labels.tolist()[0])
        return len(drawn)

    given._vary = vary
    for before in ((0,), (0, 1), ()):  # JAX, TensorFlow, and JAX from its second epoch on
        drawn.clear()
        assert [given[number] for number in (*before, 0, 1, 2, 3, 4)][-5:] == [1, 2, 3, 4, 5]
        assert drawn == [4, 0, 1, 2, 5]
    assert not given._looked_at, "no batch stays in memory that is not looked at again"
    assert none_reads()


def test_what_cannot_be_read_is_told_when_it_is_asked_for() -> None:
    def read(places: list[int]) -> None:
        if places == [1, 3]:
            raise EOFError("x_train.npy is shorter than it was")

    given = batches(Watched(read))
    assert [given[number][1].tolist() for number in (0, 1)] == [[4, 8], [0, 7]]
    with pytest.raises(EOFError, match="shorter than it was"):
        given[2]
    assert none_reads()


def test_an_interrupt_does_not_wait_for_a_file() -> None:
    answers = threading.Event()

    def read(places: list[int]) -> None:
        if places != [4, 8]:
            answers.wait(LONG)

    given = batches(Watched(read))
    given[0]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            given[1]
        assert not answers.is_set()
    finally:
        signal.signal(signal.SIGINT, before)
        answers.set()
    assert none_reads()


def test_variants_and_mixed_images_are_those_of_reading_one_after_the_other(
    blobs: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(read: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(read())
        return future

    given = {"rotation": 0.2, "mixup": 0.3}
    (values,) = read_space(given, {}, [*FAMILIES["cnn"].parameters, *RECIPE], {"learning_rate": 0.01}).grid()
    parts = []
    for name, images, labels in (("train", blobs.x_train, blobs.y_train), ("test", blobs.x_test, blobs.y_test)):
        np.save(tmp_path / f"{name}.npy", images)
        parts.append(Samples(RowsInFile(np.load(tmp_path / f"{name}.npy", mmap_mode="r")), labels))
    found = []
    for ahead in (True, False):
        if not ahead:
            monkeypatch.setattr("tuner.worker.engines.plain._in_a_thread", at_once)
        keras.utils.set_random_seed(1)
        network = FAMILIES["cnn"].network(values, (8, 8, 1), 3)
        compile_network(network, values, 2, 8)
        plan = Plan(2, 16, seed=3, augment=augmenter(values, (8, 8, 1), 5))
        plan = replace(plan, mixing=mixing(values, 3, 5))
        epochs = [(*epoch.values(), epoch.probabilities()) for epoch in PlainEngine().fit(network, *parts, plan)]
        found.append((epochs, network.get_weights()))
        assert none_reads()
    for one, other in zip(*map(keras.tree.flatten, found), strict=True):
        np.testing.assert_array_equal(one, other)
