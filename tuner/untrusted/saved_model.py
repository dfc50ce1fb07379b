"""Saved `.keras` files, whoever wrote them: what is in one is looked at before Keras sees it.

Keras loads in safe mode, and safe mode alone has been got round too often. A file is loaded here only if it is a zip of
what Keras writes, of reasonable size; if all that it describes is plain (`tuner.untrusted.plain_keras`); and if its
weights are arrays inside the file, as many as the network needs.
"""

from __future__ import annotations

import difflib
import io
import json
import os
import stat
import zipfile
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tuner.errors import InputError, one_line
from tuner.system.quiet import import_keras, silence
from tuner.system.waiting import doing
from tuner.text import shortened, visible_line
from tuner.untrusted.plain_keras import DEEPEST, NETWORKS, problems
from tuner.untrusted.reloading import TooMuch, check_weights, without_what_others_need
from tuner.untrusted.sizes import MOST_CONFIG, MOST_MODEL, amount, opened

if TYPE_CHECKING:
    import keras

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
#: What Keras writes for a network of its own layers. Assets are files that a layer reads when it is loaded.
_MEMBERS = {_CONFIG, _WEIGHTS, "metadata.json"}
#: Weights hardly shrink: what unpacks to so many times its size is a bomb. Small members may be as regular as they are.
_MOST_EXPANSION, _SMALL = 100, 1_000_000
#: No network has more groups and arrays of weights.
_MOST_OBJECTS = 100_000
#: The exponent of such a number in bfloat16.
_NOT_FINITE = 0x7F80
_REMEDY = "only networks of Keras' own layers are loaded"


@dataclass(frozen=True)
class SavedModel:
    """A file that has passed every check: what it describes, and how many numbers it holds for the weights.

    Of these `unsound` are NaN or infinite.
    """

    path: Path
    config: dict[str, Any]
    numbers: int
    unsound: int

    @property
    def doubt(self) -> str:
        """What is wrong with the weights, in words; empty if nothing is."""
        return f"{self.unsound:,} of its {self.numbers:,} weights are NaN or infinite" if self.unsound else ""

    @property
    def is_compiled(self) -> bool:
        """Whether the file carries an optimizer."""
        return bool(self.config.get("compile_config"))


def checked_model(path: Path) -> SavedModel:
    """Look at a saved model without Keras and return what it is.

    Raises:
        InputError: it is no `.keras` file, is too large, or carries what might run code or read other files.
    """
    described, weights = _members(path)
    config = _parsed(path, described)
    for problem in problems(config):
        raise InputError(str(path), problem, _REMEDY)
    return SavedModel(path, config, *_numbers(path, weights))


def checked_weights(path: Path) -> SavedModel:
    """Look at a saved model without Keras and return what its weights are; what it describes is not looked at.

    Raises:
        InputError: it is no `.keras` file, is too large, or its weights are not plain arrays.
    """
    return SavedModel(path, {}, *_numbers(path, _members(path)[1]))


def _members(path: Path) -> tuple[bytes, bytes]:
    """Return what describes a network, and its weights, of a file of nothing else."""
    _check_place(path)
    with opened(path) as file:
        _check_kind(path, file)
        try:
            with zipfile.ZipFile(file) as archive:
                _check_members(path, archive)
                return archive.read(_CONFIG), archive.read(_WEIGHTS)
        except InputError:
            raise
        except Exception as error:  # zipfile and zlib raise half a dozen kinds on damaged files
            raise InputError(str(path), f"cannot be read as a .keras file ({one_line(error, 120)})") from error


def load_checked(saved: SavedModel) -> keras.Model:
    """Load a saved model that passed every check, without its optimizer. Forgets Keras' global state.

    Raises:
        InputError: Keras cannot load it, or it has more weights than the file holds.
    """
    with without_what_others_need():
        import_keras()
        import keras

    try:
        with doing(f"loading {saved.path}"), silence():
            try:
                check_weights(str(saved.path), saved.numbers)
            except TooMuch as error:
                raise InputError(str(saved.path), str(error)) from error
            return keras.models.load_model(saved.path, safe_mode=True, compile=False)
    except InputError:
        raise
    except Exception as error:  # Keras raises many kinds for what is no network
        problem = f"cannot be loaded in safe mode ({one_line(error, 160)})"
        raise InputError(str(saved.path), problem, _REMEDY) from error


def no_such_model(path: Path) -> InputError:
    """Return that there is no model of this name, with the one beside it whose name is nearest, if one is near."""
    try:
        beside = [one.name for one in path.parent.iterdir() if one.suffix in (".keras", path.suffix) and one.suffix]
    except OSError:  # there is no such folder, or it cannot be read
        beside = []
    near = difflib.get_close_matches(path.name, sorted(beside), n=1, cutoff=0.6)
    return InputError(
        str(path), "no such model file", f"did you mean {visible_line(path.parent / near[0])!r}?" if near else ""
    )


def _check_place(path: Path) -> None:
    if not path.exists():
        raise no_such_model(path)
    if path.is_dir():
        what = "a SavedModel" if (path / "saved_model.pb").exists() else "a folder"
        raise InputError(str(path), f"is {what}, not a .keras file", _REMEDY)


def _check_kind(path: Path, file: BufferedReader) -> None:
    start, size = file.read(8), os.fstat(file.fileno()).st_size
    if start == b"\x89HDF\r\n\x1a\n":
        raise InputError(str(path), "is an .h5 file, which Keras loads without safe mode", "save it as .keras")
    if path.suffix != ".keras" or not start.startswith(b"PK"):
        raise InputError(str(path), "is not a .keras file")
    if size > MOST_MODEL:
        raise InputError(str(path), f"has {amount(size)}", f"models of at most {amount(MOST_MODEL)} are loaded")


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse what Keras does not write, and what unpacks to more than is reasonable, before anything is unpacked."""
    members = archive.infolist()
    names = [member.filename for member in members]
    for member in members:
        shown = shortened(repr(member.filename), 100)
        linked = stat.S_ISLNK(member.external_attr >> 16)
        if member.filename.startswith(("/", "\\")) or ".." in Path(member.filename).parts or linked:
            raise InputError(str(path), f"has a member that leads outside, {shown}", _REMEDY)
        if member.filename not in _MEMBERS:
            raise InputError(str(path), f"holds {shown}, which no network of Keras' own layers needs", _REMEDY)
        most = MOST_MODEL if member.filename == _WEIGHTS else MOST_CONFIG
        packed = max(member.compress_size, 1)
        if member.file_size > most or (member.file_size > _SMALL and member.file_size > _MOST_EXPANSION * packed):
            problem = f"{shown} says to unpack to {amount(member.file_size)} from {amount(member.compress_size)}"
            raise InputError(str(path), problem, "so large or so regular is no saved model")
    if len(set(names)) < len(names):
        raise InputError(str(path), "has two members of the same name", _REMEDY)
    for name in (_CONFIG, _WEIGHTS):
        if name not in names:
            raise InputError(str(path), f"has no {name}", "save it as .keras with Keras 3")


def _parsed(path: Path, described: bytes) -> dict[str, Any]:
    try:
        config = json.loads(described)
    except (ValueError, RecursionError) as error:
        problem = f"its {_CONFIG} is not JSON, or nested too deeply ({one_line(error, 80)})"
        raise InputError(str(path), problem) from error
    if not isinstance(config, dict) or config.get("class_name") not in NETWORKS:
        found = config.get("class_name") if isinstance(config, dict) else None
        raise InputError(str(path), f"describes no network of Keras' but {shortened(repr(found), 80)}", _REMEDY)
    return config


def _numbers(path: Path, weights: bytes) -> tuple[int, int]:
    """Return how many numbers the weights of a file are, and how many of them are NaN or infinite.

    Raises:
        InputError: they are not plain arrays inside the file, each as large as it says.
    """
    import h5py

    total, taken, waiting, seen, unsound = 0, 0, [("/", 0)], 0, 0
    try:
        with h5py.File(io.BytesIO(weights), "r") as file:
            while waiting:
                name, depth = waiting.pop()
                group = file[name]
                for key in group:
                    seen += 1
                    link = group.get(key, getlink=True)
                    inner = f"{name.rstrip('/')}/{key}"
                    if seen > _MOST_OBJECTS or depth > DEEPEST:
                        raise ValueError("too many groups, or too deeply nested")
                    if not isinstance(link, h5py.HardLink):
                        raise ValueError(f"{inner} is a link, perhaps to another file")
                    if isinstance(group[key], h5py.Group):
                        waiting.append((inner, depth + 1))
                        continue
                    size, numbers = _plain_array(inner, group[key])
                    taken, total = taken + size, total + numbers
                    if taken > len(weights):
                        raise ValueError(f"they say to take {amount(taken)}, of {amount(len(weights))}")
                    unsound += _unsound(group[key])
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError and more
        raise InputError(str(path), f"its weights cannot be read ({one_line(error, 160)})", _REMEDY) from error
    return total, unsound


def _unsound(array: Any) -> int:
    """Return how many numbers of an array are NaN or infinite."""
    values = array[()]
    if array.attrs.get("dtype") == "bfloat16":  # which is written by its bits
        return int(np.count_nonzero(values.view(np.uint16) & _NOT_FINITE == _NOT_FINITE))
    return int(np.count_nonzero(~np.isfinite(values))) if array.dtype.kind == "f" else 0


def _plain_array(name: str, array: Any) -> tuple[int, int]:
    """Return the bytes and the numbers of an array of weights.

    Raises:
        ValueError: it does not lie in the file as it is: packed, elsewhere, or with references in it.
    """
    if array.external or array.is_virtual:
        raise ValueError(f"{name} lies in another file")
    if array.shape is None or array.dtype.hasobject or array.dtype.kind not in "biufV" or array.dtype.fields:
        raise ValueError(f"{name} holds {array.dtype}, not numbers")
    if array.chunks is not None or (array.nbytes and array.id.get_storage_size() != array.nbytes):
        raise ValueError(f"{name} says to have the shape {array.shape}, and is not stored as such")
    return int(array.nbytes), int(array.size)
