"""Jobs on their way to machines that see none of this one's files; the store between them is a dictionary."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuner.datasets.base import Dataset
from tuner.datasets.store import load_from_store, save_to_store
from tuner.errors import CheckError, ResourceError
from tuner.executors import shipping
from tuner.executors.shipping import Files, Sender, receive, unpacked
from tuner.families import get_family
from tuner.protocol import training_images
from tuner.trial import Job, Result, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of

TRIAL = Trial("ann", "blobs", "0" * 16, {}, epochs=2, seed=0)


class Store:
    """Stands in for the object store, and counts what is put and fetched."""

    def __init__(self) -> None:
        self.kept: list[Files] = []
        self.fetched: list[int] = []

    def put(self, files: Files) -> int:
        self.kept.append(files)
        return len(self.kept) - 1

    def fetch(self, number: int) -> Files:
        self.fetched.append(number)
        return self.kept[number]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def job(tmp_path: Path, blobs: Dataset) -> Job:
    here = tmp_path / "here"
    data = save_to_store(blobs, here / "data")
    (here / "searches").mkdir()
    return Job(TRIAL, data, here / "models", here / "searches")


@pytest.fixture
def elsewhere(tmp_path: Path, job: Job, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give what makes this process the other machine: its temporary folder, and the first one's files out of sight."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "there"))
    (tmp_path / "there").mkdir()

    def go() -> Path:
        monkeypatch.setattr(tempfile, "tempdir", None)
        (tmp_path / "here").rename(tmp_path / "out of sight")
        return tmp_path / "there"

    yield go
    tempfile.tempdir = None


def leave_model(job: Job, content: bytes = b"weights") -> Result:
    job.artifacts.mkdir(parents=True, exist_ok=True)
    draft = job.artifacts / "draft"
    draft.write_bytes(content)
    digest = sha256_of(draft)
    draft.rename(artifact_path(job.artifacts, job.trial.id, digest, ".keras"))
    return Result("completed", files={"model": digest})


def test_a_job_finds_its_data_on_a_machine_that_shares_no_disk(job: Job, store: Store, elsewhere: Any) -> None:
    before = load_from_store(job.data).fingerprint
    parcel = Sender(store.put).pack(job)
    there = elsewhere()
    with unpacked(parcel, store.fetch) as (mine, _):
        assert mine.data.is_relative_to(there)
        assert load_from_store(mine.data).fingerprint == before
        assert mine.trial == job.trial


def test_a_validation_set_of_the_data_sets_own_travels_with_it(
    job: Job, store: Store, elsewhere: Any, blobs: Dataset
) -> None:
    files = {"train": tuple(map(str, range(120))), "test": tuple(map(str, range(45)))}
    own = replace(blobs, validation_images=30, files=files, left_out=(("x.png", "is broken"),))
    parcel = Sender(store.put).pack(replace(job, data=save_to_store(own, job.data.parent)))
    elsewhere()
    with unpacked(parcel, store.fetch) as (mine, _):
        found = load_from_store(mine.data)
        assert (found.validation_images, found.fingerprint) == (30, own.fingerprint)
        fit, held = training_images(TRIAL, found)
        assert (len(fit), held.tolist()) == (90, list(range(90, 120)))


def test_a_data_set_is_put_once_and_laid_out_once_a_machine(job: Job, store: Store, elsewhere: Any) -> None:
    sender = Sender(store.put)
    parcels = [sender.pack(replace(job, trial=replace(TRIAL, seed=seed))) for seed in range(4)]
    elsewhere()
    for parcel in parcels:
        with unpacked(parcel, store.fetch):
            pass
    assert len(store.kept) == 1
    assert store.fetched == [0]


def test_of_several_workers_on_a_machine_one_lays_the_data_out(job: Job, store: Store, elsewhere: Any) -> None:
    parcel = Sender(store.put).pack(job)
    elsewhere()
    found = []

    def work() -> None:
        with unpacked(parcel, store.fetch) as (mine, _):
            found.append(load_from_store(mine.data).fingerprint)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert store.fetched == [0]


def test_data_that_were_damaged_meanwhile_are_laid_out_again(job: Job, store: Store, elsewhere: Any) -> None:
    parcel = Sender(store.put).pack(job)
    elsewhere()
    with unpacked(parcel, store.fetch) as (mine, _):
        (mine.data / "x_train.npy").unlink()
    with unpacked(parcel, store.fetch) as (mine, _):
        load_from_store(mine.data)
    assert store.fetched == [0, 0]


def test_what_a_job_leaves_comes_back_and_nothing_of_it_stays(
    tmp_path: Path, job: Job, store: Store, elsewhere: Any
) -> None:
    parcel = Sender(store.put).pack(job)
    there = elsewhere()
    with unpacked(parcel, store.fetch) as (mine, left):
        result = leave_model(mine)
        files = left()
    assert not list(there.rglob("*.keras"))
    (tmp_path / "out of sight").rename(tmp_path / "here")
    receive(job, result, files)
    path = artifact_path(job.artifacts, TRIAL.id, result.files["model"], ".keras")
    assert path.read_bytes() == b"weights"


def test_a_file_that_comes_back_damaged_or_not_at_all_is_no_result(job: Job) -> None:
    result = leave_model(job)
    path = artifact_path(job.artifacts, TRIAL.id, result.files["model"], ".keras")
    path.unlink()
    with pytest.raises(CheckError, match="did not come back"):
        receive(job, result, {})
    with pytest.raises(CheckError, match="came back damaged"):
        receive(job, result, {path.name: np.frombuffer(b"weighty", np.uint8)})
    assert not path.exists()
    assert not list(job.artifacts.glob(".partial*"))


def test_validation_predictions_that_come_back_damaged_or_not_at_all_are_left_out(job: Job) -> None:
    result = Result("completed", files={"validation": "0" * 64})
    path = artifact_path(job.artifacts, TRIAL.id, "0" * 64, ".validation.npz")
    job.artifacts.mkdir()
    receive(job, result, {})
    receive(job, result, {path.name: np.frombuffer(b"answers", np.uint8)})
    assert list(job.artifacts.iterdir()) == []


def test_on_a_shared_disk_nothing_travels(job: Job, store: Store) -> None:
    sender = Sender(store.put)
    with unpacked(sender.pack(job), store.fetch) as (mine, left):
        assert mine == job
        result = leave_model(mine)
        assert left() == {}
    receive(job, result, {})
    assert store.fetched == []
    sender.close()
    assert [file.suffix for file in job.artifacts.iterdir()] == [".keras"]


def test_a_folder_of_the_same_name_on_another_disk_is_not_taken_for_the_shared_one(
    job: Job, store: Store, elsewhere: Any
) -> None:
    parcel = Sender(store.put).pack(job)
    there = elsewhere()
    job.artifacts.mkdir(parents=True)
    with unpacked(parcel, store.fetch) as (mine, _):
        assert mine.artifacts.is_relative_to(there)


def test_a_users_modules_travel_and_nothing_else_beside_the_search(
    job: Job, store: Store, elsewhere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job.modules
    (folder / "nets").mkdir()
    (folder / "nets" / "__init__.py").write_text("")
    (folder / "nets" / "mine.py").write_text("from helper import width\ndef build(hp):\n    return width\n")
    (folder / "helper.py").write_text("width = 7\n")
    (folder / "photos.zip").write_bytes(b"large")
    for hidden in (".git", "environment"):
        (folder / hidden).mkdir()
        (folder / hidden / "code.py").write_text("")
    (folder / "environment" / "pyvenv.cfg").write_text("")
    own = replace(job, trial=replace(TRIAL, family="nets.mine:build"))
    sender = Sender(store.put)
    parcels = [sender.pack(own), sender.pack(own)]
    assert len(store.kept) == 2  # the data, and the modules
    assert sorted(store.kept[1]) == ["helper.py", "nets/__init__.py", "nets/mine.py"]
    elsewhere()
    for parcel in parcels:
        with unpacked(parcel, store.fetch) as (mine, _):
            build: Any = get_family(own.trial.family, mine.modules)
            assert build._builder()(None) == 7
    assert store.fetched == [0, 1]


def test_a_helper_in_the_working_folder_travels_with_a_network_beside_the_search(
    job: Job, store: Store, elsewhere: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = tmp_path / "here" / "working"
    (working / "parts").mkdir(parents=True)
    monkeypatch.chdir(working)
    (job.modules / "mine_working.py").write_text("from parts.sizes import width\ndef build(hp):\n    return width\n")
    (working / "parts" / "sizes.py").write_text("width = 9\n")
    (working / "unrelated.py").write_text("")
    parcel = Sender(store.put).pack(replace(job, trial=replace(TRIAL, family="mine_working:build")))
    assert sorted(store.kept[1]) == ["mine_working.py", "parts/sizes.py"]
    monkeypatch.chdir(tmp_path)
    elsewhere()
    with unpacked(parcel, store.fetch) as (mine, _):
        build: Any = get_family("mine_working:build", mine.modules)
        assert build._builder()(None) == 9


def test_files_that_a_network_reads_travel_with_it(job: Job, store: Store, elsewhere: Any) -> None:
    (job.modules / "mine.py").write_text("def build(hp): ...\n")
    (job.modules / "start").mkdir()
    (job.modules / "start" / "weights.h5").write_bytes(b"weights")
    own = replace(job, trial=replace(TRIAL, family="mine:build"), files=("start/weights.h5",))
    source = get_family("mine:build", own.modules, own.files).source_hash()  # type: ignore[attr-defined]
    parcel = Sender(store.put).pack(own)
    elsewhere()
    with unpacked(parcel, store.fetch) as (mine, _):
        there: Any = get_family("mine:build", mine.modules, mine.files)
        assert there.own_files()["start/weights.h5"].read_bytes() == b"weights"
        assert there.source_hash() == source


def test_a_file_outside_of_the_searchs_folder_does_not_travel(job: Job, store: Store) -> None:
    (job.modules / "mine.py").write_text("def build(hp): ...\n")
    (job.modules.parent / "weights.h5").write_bytes(b"weights")
    own = replace(job, trial=replace(TRIAL, family="mine:build"), files=("../weights.h5",))
    with pytest.raises(ResourceError, match=r"files '\.\./weights\.h5': lies outside of the search file's folder"):
        Sender(store.put).pack(own)


def test_modules_that_were_edited_are_laid_out_beside_the_old_ones(job: Job, store: Store, elsewhere: Any) -> None:
    own = replace(job, trial=replace(TRIAL, family="mine:build"))
    module = job.modules / "mine.py"
    module.write_text("def build(hp): ...\n")
    first = Sender(store.put).pack(own)
    module.write_text("def build(hp): pass\n")
    second = Sender(store.put).pack(own)
    elsewhere()
    with unpacked(first, store.fetch) as (old, _), unpacked(second, store.fetch) as (new, _):
        assert (old.modules / "mine.py").read_text() != (new.modules / "mine.py").read_text()


def test_too_much_code_is_not_sent(job: Job, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "MOST_MODULE_BYTES", 10)
    (job.modules / "mine.py").write_text("# longer than that\n")
    with pytest.raises(ResourceError, match="too much code"):
        Sender(store.put).pack(replace(job, trial=replace(TRIAL, family="mine:build")))


def test_a_folder_that_others_may_write_into_is_not_used(job: Job, store: Store, elsewhere: Any) -> None:
    parcel = Sender(store.put).pack(job)
    folder = elsewhere() / f"tunetable-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ResourceError, match="others may write into it"), unpacked(parcel, store.fetch):
        pass
    shutil.rmtree(folder)
    folder.symlink_to(job.artifacts.parent.parent)
    with pytest.raises(ResourceError, match="others may write into it"), unpacked(parcel, store.fetch):
        pass


def test_what_a_killed_worker_left_goes_with_the_next_job(job: Job, store: Store, elsewhere: Any) -> None:
    parcel = Sender(store.put).pack(job)
    there = elsewhere()
    with unpacked(parcel, store.fetch):
        pass
    stale = there / f"tunetable-{os.getuid()}" / ".partial-999999999-left-x"
    stale.mkdir()
    with unpacked(parcel, store.fetch):
        assert not stale.exists()
