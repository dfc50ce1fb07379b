"""What errors say to a caller of `import tuner`: options as keyword arguments, commands as functions.

The rooms below name what is wrong once, in the words of the command line (see `tuner.errors.InputError`). A function
takes what the command of its name takes, so that a rule is enough and no room has to know who asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tuner
from tuner.errors import InputError, ResourceError

#: Arguments that are not called as their option is.
_ARGUMENTS = {"set": "settings"}
#: An option, perhaps with the value that it is to have: `--executor=ray`.
_OPTION = re.compile(r"(?<![^\s(])--([a-z]+(?:-[a-z]+)*)(?:=(\w+))?")
_COMMAND = re.compile(r"tuner ([a-z]+) (.+)")


@contextmanager
def in_pythons_words() -> Iterator[None]:
    """Let what is raised inside say `runs_dir` for `--runs-dir`, and `tuner.run('digits')` for `tuner run digits`."""
    try:
        yield
    except (InputError, ResourceError) as error:
        details = (error.details,) if isinstance(error, InputError) else ()
        said = type(error)(_place(error.place), error.problem, _remedy(error.remedy), *details)
        raise said.with_traceback(error.__traceback__) from error.__cause__


def _place(text: str) -> str:
    return _OPTION.sub(lambda option: _argument(option[1]), text)


def _remedy(text: str) -> str:
    """Say a remedy, in which a command to type stands last, after a colon; those of other programs stay as they are."""
    prose, colon, command = text.partition(": ")
    prose = _OPTION.sub(lambda option: f"{_argument(option[1])}={repr(option[2]) if option[2] else ''}", prose)
    return prose + colon + _COMMAND.sub(_call, command)


def _argument(option: str) -> str:
    return _ARGUMENTS.get(option, option.replace("-", "_"))


def _call(command: re.Match[str]) -> str:
    return f"tuner.{command[1]}({command[2]!r})" if command[1] in tuner.__all__ else command[0]
