"""Files that anybody may have written are read through `tuner.untrusted.sizes.opened`, and nothing opens its own.

Whoever looks at a file first and opens it then may open a pipe that was laid there in between, and wait for ever.
"""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "tuner"
#: Calls that open a file by its path, by their last two names.
OPENING = {
    *("np.load", "np.fromfile", "np.memmap", "zipfile.ZipFile", "gzip.open", "tarfile.open", "h5py.File", "os.open"),
    *("Image.open", "sqlite3.connect"),
}
#: The same as methods of a path.
METHODS = {"read_bytes", "read_text", "open"}
#: What opens files otherwise, and why it may.
ELSEWHERE: dict[str, tuple[str, tuple[str, ...]]] = {
    "untrusted/sizes.py": ("the one way itself", ("os.open",)),
    "untrusted/arrays.py": (
        "what `opened` gave, or a data set's file that is known to be one",
        ("archive.open", "archive.open", "np.memmap", "zipfile.ZipFile", "zipfile.ZipFile"),
    ),
    "untrusted/saved_model.py": ("what `opened` gave, and bytes", ("h5py.File", "zipfile.ZipFile")),
    "untrusted/reloading.py": (
        "a model that has been checked, and images of ours, in a process without this package",
        ("np.load", "np.load", "zipfile.ZipFile"),
    ),
    "contents/png.py": ("bytes", ("Image.open",)),
    "datasets/cifar.py": ("a downloaded file that is known to be one, and bytes", ("gzip.open", "tarfile.open")),
    "datasets/idx.py": ("a downloaded file that is known to be one", ("gzip.open",)),
    "datasets/large.py": ("a new file, and a mapped one", ("Path(str(array.filename)).open", "np.memmap")),
    "datasets/pictures.py": ("a picture of the user's own, which Pillow reads bit by bit", ("Image.open",)),
    "executors/shipping.py": ("files of a cluster's own", ("np.fromfile", "np.fromfile", "np.fromfile")),
    "executors/worker.py": ("the log, which is written", ("os.open",)),
    "ledger/ledger.py": ("SQLite opens its files itself", ("sqlite3.connect",)),
    "ledger/read_only.py": ("SQLite opens its files itself", ("sqlite3.connect",)),
    "ledger/schema.py": ("in memory", ("sqlite3.connect",)),
    "saved_models/exporting/converting.py": ("images of ours in a folder of ours", ("np.load",)),
    "saved_models/exporting/running.py": (
        "a model that is known to be a file, in a process without this package",
        ("(path / 'saved_model.pb').read_bytes", "np.load", "path.open", "path.read_bytes"),
    ),
    "saved_models/exporting/runtime.py": ("answers of ours in a folder of ours", ("np.load",)),
    "saved_models/verify.py": ("answers of ours in a folder of ours", ("np.load",)),
    "search_file/model.py": ("what stands where the user wants a file", ("path.read_bytes",)),
    "search_file/overrides.py": ("the user's settings of Keras", ("(home / 'keras.json').read_text",)),
    "system/files.py": ("written, not read", ("os.open", "partial.open")),
    "system/machine.py": (
        "the system's files",
        (
            "Path('/proc/stat').read_bytes",
            "Path(f'/proc/{process}/stat').read_bytes",
            "Path(f'/proc/{process}/statm').read_text",
            "_MOUNTS.read_text",
        ),
    ),
    "system/own_modules.py": (
        "the user's own modules, which are run",
        ("file.read_bytes", "file.read_bytes", "modules[module].read_bytes", "path.open"),
    ),
    "system/quiet.py": ("written, not read", ("os.open",)),
    "system/streams.py": ("the null device", ("os.open",)),
    "watching/served.py": ("written, not read", ("os.open",)),
    "worker/model_files.py": ("a model that this process has just saved", ("zipfile.ZipFile", "zipfile.ZipFile")),
}
#: Things of ours with a method `open` that opens no file, and files of this package.
NO_FILES = ("here.open", "given.execution.open", "options.execution.open", "started.open", "files('tuner.")


def opened_in(source: str) -> list[str]:
    """Return the calls of a module that open a file to read, by their names."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        words = ast.unparse(node.func)
        mode = next((one.value for one in node.args[:1] if isinstance(one, ast.Constant)), "r")
        writes = str(mode)[:1] in "wax"
        if words in OPENING or (words.rpartition(".")[2] in METHODS and "." in words and not writes) or words == "open":
            found.append(words)
    return found


def test_nothing_else_opens_a_file_that_anybody_may_have_written() -> None:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        calls = [one for one in opened_in(path.read_text(encoding="utf-8")) if not one.startswith(NO_FILES)]
        if calls:
            found[path.relative_to(PACKAGE).as_posix()] = tuple(sorted(calls))
    assert found == {module: calls for module, (_, calls) in ELSEWHERE.items()}, "read it with `opened`, or say why not"


def test_a_read_past_the_one_way_would_be_found() -> None:
    source = (
        "np.load(path, mmap_mode='r')\npath.open('rb')\npath.read_text()\nopen(x)\npath.open('wb')\nwith opened(p): 0"
    )
    assert opened_in(source) == ["np.load", "path.open", "path.read_text", "open"]
