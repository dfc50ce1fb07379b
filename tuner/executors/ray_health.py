"""Whether Ray's own processes live: the raylet of this machine, and the head of the cluster (its GCS).

Where one of them has died, Ray ends this process after a while from within, past Python, so that nobody could say
how to go on. A raylet whose agent has died ends in good order, and Ray ends this process before anything could be seen
of it: what there is to say then, a `LastWord` says.
"""

from __future__ import annotations

import atexit
import os
import socket
import sys
import time
from typing import Any

import ray

from tuner.errors import ResourceError
from tuner.system.exit_code import exit_code
from tuner.system.last_word import LastWord
from tuner.system.streams import lasting

#: How long Ray waits for a head that went away, which may come back, in seconds; and for which part of that we do.
SECONDS_FOR_HEAD, PART = float(os.environ.get("RAY_gcs_rpc_server_reconnect_timeout_s", "60")), 0.6  # noqa: SIM112  # its name
#: How long an answer may take, in seconds; a busy machine is not a dead one.
SECONDS_TO_ANSWER = 5.0
_REMEDY = "see that Ray runs there (ray status) unless this run had started it"


#: What is said where this process was ended.
ENDED = ResourceError("Ray", "this run was ended from without, as when one of Ray's own processes dies", _REMEDY)


class RayHealth:
    """Asks the raylet and the head that this process is connected to whether they are there."""

    def __init__(self) -> None:
        self._node: Any = ray._private.worker._global_node  # there is no public way to its socket
        node: Any = self._node
        self._raylet = node.raylet_socket_name
        host, _, port = node.gcs_address.rpartition(":")
        self._head = host.strip("[]"), int(port)
        self._silent_since: float | None = None
        self.is_well = True

    def raylet_died(self) -> ResourceError:
        """Return what there is to say; nothing is asked of Ray from now on."""
        self.is_well = False
        return ResourceError("Ray", "its process on this machine, the raylet, has died", _REMEDY)

    def check(self) -> bool:
        """Return whether the head answers.

        Raises:
            ResourceError: the raylet has died, or the head has not answered for too long.
        """
        if not _listens(socket.AF_UNIX, self._raylet):
            raise self.raylet_died()
        family = socket.AF_INET6 if ":" in self._head[0] else socket.AF_INET
        if _listens(family, self._head):
            self._silent_since, self.is_well = None, True
            return True
        self.is_well = False  # so that nothing is asked of it
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since > PART * SECONDS_FOR_HEAD:
            where = f"{self._head[0]}:{self._head[1]}"
            raise ResourceError("Ray", f"the head of the cluster at {where}, its GCS, has died", _REMEDY)
        return False

    def leave(self, last_word: LastWord) -> None:
        """Kill what this process started of Ray, and let nothing more be asked of it, as `ray.shutdown` would do.

        That asks the head, and so might last until Ray ends this process, before anything could be said. And where Ray
        was not shut down, taking it down with the interpreter crashes: the process leaves without, in the end.
        """
        atexit.unregister(ray._private.worker.shutdown)
        atexit.register(_leave_as_it_is, last_word)
        self._node.kill_all_processes(check_alive=False, allow_graceful=False)


def _leave_as_it_is(last_word: LastWord) -> None:
    for stream in (sys.stdout, sys.stderr):
        lasting(stream).flush()
    last_word.close()  # not before: Ray may still end this process at any time
    os._exit(exit_code())  # a search that had all its results when Ray died has come to its end


def _listens(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    """Return whether anybody listens at an address; one who is too busy to answer in time does."""
    with socket.socket(family, socket.SOCK_STREAM) as asking:
        asking.settimeout(SECONDS_TO_ANSWER)
        try:
            asking.connect(address)
        except (TimeoutError, BlockingIOError):
            return True
        except OSError:
            return False
    return True
