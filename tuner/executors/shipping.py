"""Jobs for machines that may see none of this one's files: what lies elsewhere travels, and what they leave comes back.

The data set and a user's modules travel by an object store, which brings each to a node once. The node lays them out
as files, once as well: trials run in processes of their own, which map them into memory and share them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.store import is_whole
from tuner.errors import CheckError, LostError, ResourceError
from tuner.families import get_family
from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.objective import OwnObjective, objective_of
from tuner.recipe.own_callbacks import OwnCallbacks, recorded_callbacks
from tuner.system.files import partial_of, publish, remove_partials
from tuner.system.scratch import user_folder
from tuner.trial import ARTIFACTS, NEEDED, Job, Result, artifact_path
from tuner.untrusted.sizes import sha256_of

#: Files by their names in a folder, as bytes.
Files: TypeAlias = dict[str, NDArray[np.uint8]]
#: A user's modules may be so large in all; a search file lies beside code, not beside an archive of it.
MOST_MODULE_BYTES = 50_000_000


@dataclass(frozen=True)
class Parcel:
    """A job on its way.

    `mark` is a file beside the artifacts that tells a node which sees it that the disk is shared. `data` and `modules`
    stand for `Files` in an object store; `modules_name` is a hash of the modules' content.
    """

    job: Job
    mark: str
    data: Any
    modules: Any = None
    modules_name: str = ""


class Sender:
    """Makes parcels, on the machine that the search runs on. A context manager.

    Args:
        put: gives files to the object store and returns what stands for them.
    """

    def __init__(self, put: Callable[[Files], Any]) -> None:
        self._put = put
        self._data: dict[Path, Any] = {}
        self._modules: dict[tuple[tuple[Path | None, str, tuple[str, ...]], ...], tuple[Any, str]] = {}
        self._marks: dict[Path, Path] = {}

    def pack(self, job: Job) -> Parcel:
        """Return the job with what it needs; a data set and a folder of modules are put into the store once."""
        if job.artifacts not in self._marks:
            job.artifacts.mkdir(parents=True, exist_ok=True)
            with partial_of(job.artifacts / f"shared-{uuid.uuid4().hex}") as mark:
                pass
            mark.touch()  # what a killed process left of it goes with its other half-written files
            self._marks[job.artifacts] = mark
        if job.data not in self._data:
            self._data[job.data] = self._put(_data_in(job.data))
        modules, name = self._code_of(_own(job))
        return Parcel(job, self._marks[job.artifacts].name, self._data[job.data], modules, name)

    def _code_of(self, own: Sequence[Family | OwnObjective | OwnCallbacks]) -> tuple[Any, str]:
        """Return what stands for a user's modules and files, and the hash of them; nothing where there are none."""
        there = [(_folder_of(one), one) for one in own]
        if all(folder is None and not _files_of(one) for folder, one in there):
            return None, ""
        key = tuple((folder, getattr(one, "module", ""), tuple(_files_of(one))) for folder, one in there)
        if key not in self._modules:
            files: Files = {}
            for folder, one in there:
                files = {**({} if folder is None else _modules_in(folder)), **files}
                code = (
                    one.own_modules() if folder and isinstance(one, CustomFamily | OwnObjective | OwnCallbacks) else {}
                )
                for name, file in code.items():  # some lie in the working folder
                    place = name.replace(".", "/") + ("/__init__.py" if file.name == "__init__.py" else file.suffix)
                    files.setdefault(place, np.fromfile(file, np.uint8))
                for name, file in _files_of(one).items():
                    if Path(name).is_absolute() or ".." in Path(name).parts:
                        problem = "lies outside of the search file's folder, of which other machines have a copy"
                        raise ResourceError(f"files {name!r}", problem, "put it beside the search file")
                    files[Path(name).as_posix()] = np.fromfile(file, np.uint8)
            self._modules[key] = self._put(files), _name_of(files)
        return self._modules[key]

    def close(self) -> None:
        """Remove the marks."""
        for mark in self._marks.values():
            mark.unlink(missing_ok=True)


def _files_of(own: Family | OwnObjective | OwnCallbacks) -> dict[str, Path]:
    """Return the files that a network reads, as far as a search file names them."""
    return own.own_files() if isinstance(own, Family) else {}


def _folder_of(own: Family | OwnObjective | OwnCallbacks) -> Path | None:
    """Return the folder that code of the user's own is imported from; None where there is none, or it is installed."""
    return own.code_folder() if isinstance(own, CustomFamily | OwnObjective | OwnCallbacks) else None


def _own(job: Job) -> list[Family | OwnObjective | OwnCallbacks]:
    """Return what of a trial is code of the user's own, or reads files of theirs."""
    family, objective = get_family(job.trial.family, job.modules, job.files), objective_of(job.trial.objective)
    networks = [family] if isinstance(family, CustomFamily) or family.files else []
    callbacks = [recorded_callbacks(job.trial.callbacks, job.modules)] if job.trial.callbacks else []
    return [*networks, *([objective.located(job.modules)] if isinstance(objective, OwnObjective) else []), *callbacks]


def receive(job: Job, result: Result, files: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write the files that a job left on another machine to where it would have left them here.

    What is no part of a trial's result is not asked for again: such a file that did not come whole is left out.

    Raises:
        CheckError: one did not come, or is not what the result says it is.
    """
    for kind, suffix in ARTIFACTS.items():
        digest = result.files.get(kind)
        if digest is None:
            continue
        path = artifact_path(job.artifacts, job.trial.id, digest, suffix)
        if path.is_file():  # on a disk that both see, or from an earlier run
            continue
        content = files.get(path.name)
        if content is None:
            if kind in NEEDED:
                raise CheckError(f"{path.name} did not come back")
            continue
        with partial_of(path) as partial:
            content.tofile(partial)
            if sha256_of(partial) == digest:
                publish(partial, path)
            elif kind in NEEDED:
                raise CheckError(f"{path.name} came back damaged")


@contextlib.contextmanager
def unpacked(parcel: Parcel, fetch: Callable[[Any], Files]) -> Iterator[tuple[Job, Callable[[], Files]]]:
    """Give a job whose files are on this machine, and what reads the files that it leaves where no disk is shared.

    Args:
        parcel: what came.
        fetch: returns the files that something in a parcel stands for.
    """
    job = parcel.job
    if (job.artifacts / parcel.mark).is_file():
        yield job, dict
        return
    cache = _cache()
    data = cache / "data" / job.data.name  # named by the fingerprint
    _lay_out(data, is_whole, lambda: fetch(parcel.data))
    modules = cache / "modules" / (parcel.modules_name or "none")
    if parcel.modules is not None:
        _lay_out(modules, lambda folder: folder.is_dir(), lambda: fetch(parcel.modules))
    remove_partials(cache)
    with partial_of(cache / f"left-{uuid.uuid4().hex}") as left:
        left.mkdir()
        yield replace(job, data=data, artifacts=left, modules=modules), lambda: _read(left, left.iterdir())


def _cache() -> Path:
    """Return this user's folder on this machine for what came from others."""
    folder = user_folder()
    for part in ("data", "modules"):
        (folder / part).mkdir(mode=0o700, exist_ok=True)
    return folder


def _lay_out(folder: Path, whole: Callable[[Path], bool], fetch: Callable[[], Files]) -> None:
    """Write files into a folder, unless they are there; of several processes the first does it, and the others wait."""
    from filelock import FileLock

    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if whole(folder):
            return
        with partial_of(folder) as building:
            for name, content in fetch().items():
                path = building / name
                path.parent.mkdir(parents=True, exist_ok=True)
                content.tofile(path)
            if folder.exists():
                folder.rename(building.with_name(f"{building.name}-old"))
            building.rename(folder)


def _read(folder: Path, paths: Iterator[Path]) -> Files:
    return {str(path.relative_to(folder)): np.fromfile(path, np.uint8) for path in sorted(paths) if path.is_file()}


def _data_in(folder: Path) -> Files:
    """Return a data set as this machine laid it out."""
    if not is_whole(folder):
        raise LostError(str(folder), "the data set's copy for workers is missing")
    return _read(folder, folder.iterdir())


def _modules_in(folder: Path) -> Files:
    """Return a user's modules: what Python can import from the folder, but for hidden folders and environments."""
    found = []
    for here, folders, names in os.walk(folder):
        place = Path(here)
        folders[:] = [name for name in folders if name.isidentifier() and not (place / name / "pyvenv.cfg").exists()]
        found += [place / name for name in names if name.endswith(".py")]
    if sum(path.stat().st_size for path in found) > MOST_MODULE_BYTES:
        raise ResourceError(str(folder), "holds too much code to send to other machines", "keep less beside the search")
    return _read(folder, iter(found))


def _name_of(files: Files) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content.tobytes())
    return digest.hexdigest()[:16]
