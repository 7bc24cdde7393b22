"""Connections to a server, or to a proxy: of a name with several addresses the first that answers
counts (RFC 8305). No loop but asyncio's own does that by itself."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Coroutine
from itertools import chain, zip_longest
from typing import Any, Final, TypeVar

from routestudio.tasks import spawn, stop

P = TypeVar("P", bound=asyncio.Protocol)

_STAGGER: Final = 0.25
"""Seconds between attempts at several addresses of one name (RFC 8305)."""


async def dialled(
    protocol: Callable[[], P], host: str, port: int, context: ssl.SSLContext | None = None
) -> tuple[asyncio.Transport, P]:
    """A connection, with TLS if there is a context. Raises what `reason` explains."""
    loop = asyncio.get_running_loop()
    if _is_address(host):
        return await loop.create_connection(protocol, host, port, ssl=context)
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = _in_turn([(family, str(where[0])) for family, _, _, _, where in found])
    name = host if context is not None else None

    async def dial(address: str) -> tuple[asyncio.Transport, P]:
        return await loop.create_connection(
            protocol, address, port, ssl=context, server_hostname=name
        )

    return await _first(dial, addresses)


def reason(error: Exception) -> str:
    """Why there is no connection, in the system's words; the loop's repeat address and number."""
    if isinstance(error, OSError) and not isinstance(error, (ssl.SSLError, socket.gaierror)):
        return os.strerror(error.errno) if error.errno is not None else str(error)
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return str(error) or type(error).__name__


async def _first(
    dial: Callable[[str], Coroutine[Any, Any, tuple[asyncio.Transport, P]]], addresses: list[str]
) -> tuple[asyncio.Transport, P]:
    """The first connection to one of the addresses. An attempt begins when the one before it has
    failed, or has taken long. A server that breaks the rules of TLS has answered: none follows."""
    left = iter(addresses)
    waiting: set[asyncio.Task[tuple[asyncio.Transport, P]]] = set()
    errors: list[Exception] = []
    winner = None
    try:
        while winner is None:
            address = next(left, None)
            if address is not None:
                waiting.add(spawn(dial(address), name="connect"))
            elif not waiting:
                break
            seconds = None if address is None else _STAGGER
            done, _ = await asyncio.wait(
                waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done - {winner}:
                error = task.exception()
                if error is None:
                    winner = winner or task
                elif isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
                    waiting.discard(task)
                    errors.append(error)
                else:
                    raise error
    finally:
        waiting.discard(winner)
        await stop(*waiting)
        for task in waiting:
            if not task.cancelled() and task.exception() is None:
                task.result()[0].abort()
    if winner is not None:
        return winner.result()
    raise errors[0] if len(errors) == 1 else OSError("no address of the host can be reached")


def _in_turn(found: list[tuple[int, str]]) -> list[str]:
    """Addresses as the system orders them, but the kinds in turn, each once."""
    first = [address for family, address in found if family == found[0][0]]
    other = [address for family, address in found if family != found[0][0]]
    both = chain.from_iterable(zip_longest(first, other))
    return list(dict.fromkeys(address for address in both if address is not None))


def _is_address(host: str) -> bool:
    """Whether there is nothing to resolve, so that there is one address only."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
