"""Free TCP ports on the loopback address."""

from __future__ import annotations

import os
import random
import socket
from contextlib import suppress
from itertools import count

LOOPBACK = "127.0.0.1"

_FIRST, _SPAN, _SHARES = 11_000, 2_500, 8
"""Below the ports that systems hand out by themselves; each process of `pytest -n` has a share."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
_turn = count(random.randrange(_SPAN))


def free_ports(number: int) -> list[int]:
    """Return `number` different ports that nothing listens on right now.

    A port is not handed out again before all others were, so that a server may take its time.
    """
    found: list[int] = []
    for _ in range(_SPAN):
        port = _FIRST + _worker * _SPAN + next(_turn) % _SPAN
        with suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, port))
            found.append(port)
            if len(found) == number:
                return found
    raise OSError("there is no free port left")


def free_port() -> int:
    """Return a port that nothing listens on right now: connections to it are refused."""
    return free_ports(1)[0]
