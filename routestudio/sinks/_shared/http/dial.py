"""Connections to a server, or to a proxy: of a name with several addresses the first that answers
counts (RFC 8305)."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from typing import Final, TypeVar

P = TypeVar("P", bound=asyncio.Protocol)

_STAGGER: Final = 0.25
"""Seconds between attempts at several addresses of one name (RFC 8305)."""


async def dialled(
    protocol: Callable[[], P], host: str, port: int, context: ssl.SSLContext | None = None
) -> tuple[asyncio.Transport, P]:
    """A connection, with TLS if there is a context. Raises what `reason` explains."""
    return await asyncio.get_running_loop().create_connection(
        protocol,
        host,
        port,
        ssl=context,
        happy_eyeballs_delay=None if _is_address(host) else _STAGGER,
    )


def reason(error: Exception) -> str:
    """Why there is no connection, in the system's words; the loop's repeat address and number."""
    if isinstance(error, OSError) and not isinstance(error, (ssl.SSLError, socket.gaierror)):
        if error.errno is not None:
            return os.strerror(error.errno)
        text = str(error)
        return "no address of the host can be reached" if "Multiple exceptions" in text else text
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return str(error) or type(error).__name__


def _is_address(host: str) -> bool:
    """Whether there is nothing to resolve, so that there is one address only."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
