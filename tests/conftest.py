"""Small data sets that many tests use, and how much memory something takes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tracemalloc
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from command_line import PIXEL
from made_once import made_once
from quick import stay_quick
from small_project import SEARCH, TWO_TRIALS, make_project, tuner

from tuner.datasets.base import Dataset, checked_dataset
from tuner.executors import PRELOAD

if TYPE_CHECKING:
    from made_up import Project


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make test-quick` asks for."""
    parser.addoption(
        "--quick",
        action="store_true",
        help="skip what asks for Keras, Ray, a browser or a process: see helpers/quick.py",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Stay quick where that is asked for, in the process that runs tests, and set their order.

    Let processes take the files in the order of `pytest_collection_modifyitems`, not by their number of tests.
    """
    # A shell ignores one of these for what it puts into the background, nohup the other; some tests are about them.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Ray lets its workers wait for every other process; beside other tests they would hardly get to run.
    os.environ.setdefault("RAY_worker_niceness", "0")
    if config.getoption("quick") and (hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", 0)):
        stay_quick()
    if hasattr(config.option, "loadscopereorder"):  # of pytest-xdist, which need not be there
        config.option.loadscopereorder = False


#: Names in a test's module by which it builds networks, forks commands or opens a browser.
_TAKES_TIME = {"keras", "server", "webdriver"}


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let each process of pytest-xdist begin to collect at another room, all of which every process collects.

    Most of what it takes is to compile tests with what tells why an assertion failed. In a fresh clone nothing of it is
    kept, and processes that went through the files side by side would each compile all; so they find what others did.
    """
    report = yield
    if collector.path == Path(__file__).parent and (given := getattr(collector.config, "workerinput", None)):
        begin = len(report.result) * int(given["workerid"].removeprefix("gw")) // int(given["workercount"])
        report.result = [*report.result[begin:], *report.result[:begin]]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with files that take minutes, then those that hold slow tests, then those that take their time.

    A long file that is begun last keeps one process busy, and the others idle.
    """
    if hasattr(config, "workerinput"):  # of pytest-xdist, whose processes collect in different orders
        items.sort(key=lambda item: item.path)
    minutes = {item.path for item in items if item.get_closest_marker("cluster")}
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    long = {item.path for item in items if isinstance(item, pytest.Function) and vars(item.module).keys() & _TAKES_TIME}
    items.sort(key=lambda item: (item.path not in minutes, item.path not in slow, item.path not in long))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share tests out by files but for some, where that is asked for; see helpers/shared_out.py."""
    if config.getoption("dist") != "loadfile":
        return None
    from shared_out import ByFileOrOneByOne

    return ByFileOrOneByOne(config, log)


@pytest.fixture(scope="session", autouse=True)
def _workers_have_imported_keras() -> Iterator[None]:
    """There is one server of workers a process, and who needs it first decides what it imports.

    Were that a test whose workers need little, the workers of all later tests would import Keras one by one.
    """
    set_preload = forkserver.set_forkserver_preload
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            forkserver, "set_forkserver_preload", lambda names: set_preload(list(dict.fromkeys([*names, *PRELOAD])))
        )
        yield


def _blobs() -> Dataset:
    rng = np.random.default_rng(7)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 3
        images = rng.integers(0, 60, (count, 8, 8))
        for image, label in zip(images, labels, strict=True):
            image[label * 3 : label * 3 + 2] += 150
        return images.astype(np.uint8), labels

    x_train, y_train = draw(120)
    x_test, y_test = draw(45)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return checked_dataset("blobs", arrays, ("top", "middle", "bottom"))


@pytest.fixture
def blobs() -> Dataset:
    """Three classes of 8x8 images that a tiny network tells apart in a few steps: a bright third of the rows."""
    return _blobs()


def _project(folder: Path, data: Dataset) -> Project:
    from made_up import Project, first  # which imports what draws; most tests need none of it

    made = Project(folder, data)
    ann = made.searched("ann", [0.5, 0.6])
    cnn = made.searched("cnn", [0.7, 0.8, None, 0.9, 0.85, 0.6])
    made.retrained("ann", ann[1], [first(30), first(31)])
    made.retrained("cnn", cnn[3], [first(43), first(44)])
    return made


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset) -> Project:
    """A made-up search of two models on the blobs, with retrainings of each."""
    return _project(tmp_path, blobs)


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same with its report, all of whose pictures are a single pixel, for tests of its words and tables."""
    from tuner.publish.write import write_report

    made = _project(tmp_path_factory.mktemp("reported"), _blobs())
    with pytest.MonkeyPatch.context() as patch:
        _draw_nothing(patch)
        write_report(made.findings())
    return made


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture of a report is the same single pixel, for tests that look at none; they take seconds to draw."""
    _draw_nothing(monkeypatch)


def _draw_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tuner.contents.png.png", lambda figure: PIXEL)


@pytest.fixture
def forked_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts that load, convert and run saved models are forked with Keras imported; see helpers/forked_scripts.py."""
    from forked_scripts import ForkedScripts

    for module in ("tuner.saved_models.reader", "tuner.saved_models.exporting.runtime"):
        monkeypatch.setattr(f"{module}.subprocess", ForkedScripts)


@pytest.fixture
def blobs_npz(tmp_path: Path, blobs: Dataset) -> Path:
    """The same as a file `blobs.npz`."""
    path = tmp_path / "blobs.npz"
    np.savez(
        path,
        x_train=blobs.x_train,
        y_train=blobs.y_train,
        x_test=blobs.x_test,
        y_test=blobs.y_test,
        class_names=np.array(blobs.class_names),
    )
    return path


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """No file of this process can grow beyond so many bytes for a while: what a full disk is like."""

    @contextmanager
    def limited(most: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture(scope="session")
def blobs_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(7)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 3
        images = rng.integers(0, 140, (count, 8, 8))
        for image, label in zip(images, labels, strict=True):
            image[label * 3 : label * 3 + 2] += 60
        return images.astype(np.uint8), labels

    (x_train, y_train), (x_test, y_test) = draw(150), draw(60)
    path = tmp_path_factory.mktemp("data") / "blobs.npz"
    names = np.array(["top", "middle|odd", "bottom"])
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, class_names=names)
    return path


def _run_to_its_end(folder: Path, blobs_file: Path, search: str, says: str) -> None:
    """Make a project whose search runs to its end with one worker, and says so."""
    ran = tuner(make_project(folder, blobs_file, search), "run", "small", "--workers", "1", drawn=True)
    assert ran.returncode == 0, ran.stderr
    assert "report: reports/small/report.md" in ran.stdout
    assert says in ran.stdout


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    """A project whose search has run to its end; tests only read it, or copy it."""
    return made_once(
        tmp_path_factory, "finished", lambda made: _run_to_its_end(made, blobs_file, SEARCH, "mean test accuracy")
    )


@pytest.fixture(scope="session")
def finished_in_brief(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    """The same of a search of two trials, each retrained once."""
    return made_once(
        tmp_path_factory, "brief", lambda made: _run_to_its_end(made, blobs_file, TWO_TRIALS, "reports/small")
    )


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    # Commands have their sockets in the folder that they run in, and the path of a socket may have 107 bytes.
    return Path(shutil.copytree(finished, tmp_path / "p"))


@pytest.fixture
def peak_memory() -> Callable[[int], AbstractContextManager[None]]:
    """Fail the test if Python and numpy ever hold more than so many bytes inside the block."""

    @contextmanager
    def below(most: int) -> Iterator[None]:
        tracemalloc.start()
        try:
            yield
            assert tracemalloc.get_traced_memory()[1] < most
        finally:
            tracemalloc.stop()

    return below
