"""Errors that say whose fault it is.

`InputError` is the user's: one line that names the place and the remedy, exit code 2. `CheckError` is a check
that did not hold, `ResourceError` the machine's lack of something, both exit code 1; `resource_error_of` tells where an
error of the system's means the latter. `TrialError` fails one trial and becomes a row. Anything else is a programming
error and stops the search loudly.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tuner.text import both_ends, shortened, visible_line

#: Longer messages are cut: what a file holds may be of any length.
_LONGEST = 4_000
#: So many lines of a list are shown.
MOST_LISTED = 20


class TunerError(Exception):
    """Base of the errors that end a command with one line instead of a traceback."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows instead of a traceback."""
        return [f"{type(self).__name__}: {visible_line(self)}"]


class InputError(TunerError):
    """The user's input is wrong: `place` says where, `problem` what, `remedy` what instead.

    Place and remedy name options as the command line has them, `--runs-dir` or `--executor=ray`, and a command to type
    stands last in a remedy, after a colon: by that `tuner/api/functions.py` says them in Python's words.

    `details` are lines below it, where one line stands for many things, such as a line for each file of a folder.
    """

    exit_code = 2

    def __init__(self, place: str, problem: str, remedy: str = "", details: tuple[str, ...] = ()) -> None:
        self.place, self.problem, self.remedy, self.details = place, problem, remedy, details
        text = ": ".join(part for part in (place, problem) if part) + (f"; {remedy}" if remedy else "")
        super().__init__(shortened(visible_line(text), _LONGEST))

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str, tuple[str, ...]]]:
        return type(self), (self.place, self.problem, self.remedy, self.details)

    def _render_traceback_(self) -> list[str]:
        return [*super()._render_traceback_(), *listed(self.details)]

    def inside(self, place: str) -> InputError:
        """Return the same error with `place` in front, for a caller that knows more of where it happened."""
        return InputError(
            " ".join(part for part in (place, self.place) if part), self.problem, self.remedy, self.details
        )


class CheckError(TunerError):
    """A check did not hold, or a search ended without a single completed trial."""


class ResourceError(TunerError):
    """The machine lacks something, such as room on a disk. Nothing recorded is lost; the next run goes on."""

    _ending = ", and start again: nothing that finished is lost"

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        self.place, self.problem, self.remedy = place, problem, remedy
        text = ": ".join(part for part in (place, problem) if part)
        super().__init__(f"{text}; {remedy}{self._ending}")

    def __reduce__(self) -> tuple[type[ResourceError], tuple[str, str, str]]:
        return type(self), (self.place, self.problem, self.remedy)


class LostError(ResourceError):
    """What a run laid out for its own trials is gone, which is no trial's fault; the next run lays it out again."""

    _ending = ": nothing that finished is lost"

    def __init__(self, place: str, problem: str, remedy: str = "run the search again, which makes it anew") -> None:
        super().__init__(place, problem, remedy)


#: What makes text bold or coloured on a terminal, as Keras puts it into its errors.
_MARKUP = re.compile(r"\x1b\[[0-9;]*m")
#: From here on Keras lists what a layer was called with, long after the cause.
_ARGUMENTS = "Arguments received by"
#: What a message may say of objects in memory, of which the next process has others.
_PASSING = re.compile(r" at 0x[0-9a-fA-F]+|(?<=\bkeras_tensor)_\d+")

_ROOM = "make room"
#: What numpy says by its words alone where a disk is full.
_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")
_HANDLES = "allow more open files (ulimit -n 4096), or pass a smaller --workers"
_MEMORY = "free memory, or pass a smaller --workers"
_MOVE = "move what stands there, and run the search again, which makes it anew"
_ALLOW = "let this user read and write there, and run the search again"
#: What helps with the run's own files: where a folder or a link stands in the place of a file, or a file in that of a
#: folder; where it may not be written to; where a network disk has lost it.
_OF_OWN = {
    errno.EISDIR: _MOVE,
    errno.ENOTDIR: _MOVE,
    errno.ENOTEMPTY: _MOVE,
    errno.ELOOP: _MOVE,
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.EROFS: _ALLOW,
    errno.ESTALE: "see to the network disk, and run the search again",
}
#: What the system lacks where it answers with these, and what helps.
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "allow larger files (ulimit -f unlimited)",
    errno.EIO: "see to the disk",
    errno.EMFILE: _HANDLES,
    errno.ENFILE: _HANDLES,
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _MEMORY,
}


def resource_error_of(error: BaseException, place: str = "", own: Sequence[Path] = ()) -> ResourceError | None:
    """Return what the machine lacks if that is why `error`, or an error that led to it, was raised.

    Args:
        error: what was raised.
        place: what was being done or written, for an error that does not name its file.
        own: folders of the run's own: whatever is wrong with a file in them is wrong for every trial.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ResourceError):
            return seen
        if isinstance(seen, OSError):
            where = _place_of(seen)
            if seen.errno in _REMEDIES:
                return ResourceError(where or place, seen.strerror or "", _REMEDIES[seen.errno])
            if any(where and Path(where).is_relative_to(folder) for folder in own):
                remedies = [_OF_OWN[seen.errno]] if seen.errno in _OF_OWN else []
                return LostError(_in_the_way(where, seen.errno), seen.strerror or one_line(seen), *remedies)
            if seen.errno is None and _SHORT_WRITE.search(str(seen)):
                return ResourceError(place, f"cannot be written ({one_line(seen)})", _ROOM)
        seen = seen.__cause__ or seen.__context__
    return None


def _place_of(error: OSError) -> str:
    """Return the file that an error is about; of a file that was to be moved, its destination if that is there."""
    named = error.filename
    if isinstance(error.filename2, str | bytes) and Path(os.fsdecode(error.filename2)).exists():
        named = error.filename2
    return os.fsdecode(named) if isinstance(named, str | bytes) else ""


def _in_the_way(where: str, number: int | None) -> str:
    """Return what stands in the place of a folder on the way to a file, where that is the error."""
    if number not in (errno.ENOTDIR, errno.ELOOP):
        return where
    above = [path for path in reversed(Path(where).parents) if path.is_symlink() or path.exists()]
    kind = Path.is_symlink if number == errno.ELOOP else Path.is_file
    return next((str(path) for path in above if kind(path) and (number != errno.ELOOP or not path.exists())), where)


class TrialError(Exception):
    """A trial cannot be trained as configured; its message becomes the `error` of its row."""


def listed(lines: Sequence[str]) -> list[str]:
    """Return the lines of a list as they are shown, indented: the first of them, and how many more there are."""
    more = len(lines) - MOST_LISTED
    shown_lines = [f"  {shortened(visible_line(line), _LONGEST)}" for line in lines[:MOST_LISTED]]
    return [*shown_lines, f"  and {more:,} more"] if more > 0 else shown_lines


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a remedy for a misspelt `name`: the nearest of `known`, or all of them if none is near."""
    options = sorted(known)
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(options)}" if options else "nothing is known here"


def shown(value: object, limit: int = 100) -> str:
    """Return a value as a search file's author would know it again, on one line of at most `limit` characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # of thousands of digits, or thousands of lists in lists
        return f"a very large {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def key_name(key: str) -> str:
    """Return a key of a search file as its author wrote it: bare, or in quotes where TOML needs them."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", key) else shown(key)


def one_line(error: BaseException, limit: int = 300) -> str:
    """Return an exception as one line of at most `limit` characters, its type in front.

    Of a longer text both ends are kept: libraries put the place first and the cause last. Addresses and running numbers
    of tensors are left out, so that the same mistake reads the same in every process.
    """
    text = _MARKUP.sub("", str(error)).partition(_ARGUMENTS)[0]
    text = _PASSING.sub("", visible_line(text))
    return both_ends(f"{type(error).__name__}: {text}" if text else type(error).__name__, limit)
