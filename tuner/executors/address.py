"""The address of a Ray cluster, looked at before Ray is imported, which itself would ask a silent one for minutes."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from tuner.errors import InputError, one_line

#: How long a cluster may take to answer at all, in seconds.
SECONDS_TO_ANSWER = 10.0


def check_address(given: str | None) -> None:
    """See whether anybody listens at the given address, or at that of the environment's RAY_ADDRESS.

    Raises:
        InputError: it is no address, or nobody does.
    """
    place = "--address" if given else "RAY_ADDRESS"
    address = given or os.environ.get("RAY_ADDRESS")
    if not address or address in ("auto", "local"):
        return
    parts = urlsplit(f"//{address}")
    try:
        if "/" in address or not parts.hostname or not parts.port:
            remedy = "start on a node of the cluster, with the address of its head"
            raise InputError(place, f"{address!r} is not written as HOST:PORT", remedy)
        socket.create_connection((parts.hostname, parts.port), SECONDS_TO_ANSWER).close()
    except (OSError, ValueError) as error:
        what = f"no Ray cluster answers at {address} ({one_line(error)})"
        raise InputError(place, what, "on its head node see: ray status") from error
