"""No test leaves the machine: connections to other hosts and look-ups of real names fail it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

_LOCAL_NAMES = frozenset({"", "localhost", socket.gethostname()})
_RESERVED = (".invalid", ".test", ".example", ".localhost")
"""Names that RFC 6761 keeps out of the DNS; asking for one answers "unknown" without asking."""

attempts: list[str] = []
"""What was tried since it was last cleared, in words."""


class NetworkUseError(OSError):
    """A test tried to leave the machine."""


def local(host: object) -> bool:
    """Tell whether a host given to a socket is this machine."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode()
    if host is None or str(host).lower() in _LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(str(host).split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _numeric(host: object) -> bool:
    try:
        ipaddress.ip_address(str(host).split("%")[0])
    except ValueError:
        return False
    return True


def guard() -> None:
    """Put the guard between Python's sockets and the network, for the rest of the process."""
    socket.socket.connect = _guarded(socket.socket.connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded(socket.socket.connect_ex)  # type: ignore[method-assign]
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *others: Any, **named: Any) -> Any:
        if local(host) or _numeric(host):
            return look_up(host, *others, **named)
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.rstrip(".").endswith(_RESERVED):
            attempts.append(f"looked up {name}")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    socket.getaddrinfo = getaddrinfo


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        internet = self.family in (socket.AF_INET, socket.AF_INET6)
        if internet and isinstance(address, tuple) and not local(address[0]):
            attempts.append(f"connected to {address[0]}")
            raise NetworkUseError(f"no test may connect to {address[0]}")
        return connect(self, address)

    return guarded
