"""The process in which `verify` loads saved models, forked from one that has imported Keras.

It would take five seconds to import Keras again, which is most of what `verify` takes. Here the forked process does
what that one does: it runs the same script, by `runpy`, with streams of its own, and ends with its exit code. That
models load in a real process of plain Keras, which knows nothing of this package, is tested in `test_verify.py` and in
`test_finished_search.py`.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn


class ForkedReader:
    """A script that runs in a fork of this process, with what `PlainKeras` needs of `subprocess.Popen`."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], **_: Any) -> None:
        asked, asking = os.pipe()
        telling, told = os.pipe()
        sys.stdout and sys.stdout.flush()
        sys.stderr and sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(asking)  # with which it ends
            os.close(telling)
            _become(command[-1], env, (asked, os.open(os.devnull, os.O_WRONLY), told))
        os.close(asked)
        os.close(told)
        self.returncode: int | None = None
        self.stdin, self.stderr = os.fdopen(asking, "w"), os.fdopen(telling)

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


class Subprocess:
    """What `tuner.saved_models.reader` finds in place of `subprocess`."""

    Popen = ForkedReader
    PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL


def _become(script: str, environment: Mapping[str, str], streams: Sequence[int]) -> NoReturn:
    """Run a script as the interpreter does, and end as it does."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for descriptor, stream in enumerate(streams):
            os.dup2(stream, descriptor)
        sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in enumerate("rww"))  # noqa: PTH123, SIM115
        os.environ.update(environment)
        runpy.run_path(script, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter does
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
