"""Steps of a check that every network sink shares: resolve, connect, TLS; timed, never raising."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from routestudio.model.outcome import CheckStep, StepStatus
from routestudio.sinks._shared.tls import wanted, wanted_text

CONNECT_SECONDS: Final = 5.0
ORDER: Final = ("resolve", "connect", "TLS", "authenticate", "target")

_TLS_ALERTS: Final = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE",
                      "HTTP_REQUEST", "UNEXPECTED_EOF", "EOF occurred")  # fmt: skip


class Stopwatch:
    """Milliseconds since it was made, or since the last `lap`."""

    def __init__(self) -> None:
        self._start = perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last call, and start again."""
        now = perf_counter()
        elapsed, self._start = now - self._start, now
        return elapsed * 1000


@dataclass(slots=True)
class Reach:
    """What `reach` found out: whether the way to the service is open."""

    ok: bool = False
    address: str = ""
    done: list[str] = field(default_factory=list)


async def reach(
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None,
    result: Reach,
    seconds: float = CONNECT_SECONDS,
) -> AsyncIterator[CheckStep]:
    """Yield the steps resolve, connect and TLS for one host; `result.ok` is the verdict.

    Without `tls` the TLS step is skipped. Later steps are the caller's.
    """
    watch = Stopwatch()
    where = f"{host}:{port}"
    try:
        found = await asyncio.wait_for(resolve(host, port), seconds)
    except TimeoutError:
        yield CheckStep(
            "resolve",
            "failed",
            f"no name server answered for {host} in {seconds:g} s",
            watch.lap(),
            "check the network connection and the name server",
        )
        return
    except OSError as error:
        text, hint = _resolve_text(host, error)
        yield CheckStep("resolve", "failed", text, watch.lap(), hint)
        return
    yield CheckStep("resolve", "passed", f"{host} is {', '.join(found[:3])}", watch.lap())
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), seconds)
    except TimeoutError:
        yield CheckStep(
            "connect",
            "failed",
            f"{where} did not answer in {seconds:g} s",
            watch.lap(),
            "a firewall may drop the connection; check host and port",
        )
        return
    except OSError as error:
        text, hint = _connect_text(where, error)
        yield CheckStep("connect", "failed", text, watch.lap(), hint)
        return
    await _close(writer)
    del reader
    yield CheckStep("connect", "passed", f"{where} accepts connections", watch.lap())
    if tls is None:
        yield CheckStep("TLS", "skipped", "TLS is off for this sink")
        result.ok = True
        return
    step = await handshake(host, port, tls, seconds)
    yield step
    result.ok = step.status == "passed"


async def approach(
    host: str, port: int, *, tls: ssl.SSLContext | None, result: Reach
) -> AsyncIterator[CheckStep]:
    """The steps of `reach`; when the way is not open, also all later ones as skipped."""
    last = ORDER[0]
    async with aclosing(reach(host, port, tls=tls, result=result)) as steps:  # type: ignore[type-var]
        async for step in steps:
            last = step.step
            yield step
    if not result.ok:
        for step in skip_rest(last, f"{last} failed"):
            yield step


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host name, without repeats. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


async def handshake(host: str, port: int, tls: ssl.SSLContext, seconds: float) -> CheckStep:
    """The TLS step: a real handshake with certificate verification."""
    watch = Stopwatch()
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(host, port, ssl=tls, server_hostname=host), seconds
        )
    except TimeoutError:
        return CheckStep(
            "TLS",
            "failed",
            "the TLS handshake got no answer",
            watch.lap(),
            "the port may not speak TLS; turn TLS off, or use the TLS port",
        )
    except (OSError, ssl.SSLError) as error:
        text, hint = tls_text(host, error)
        return CheckStep("TLS", "failed", text, watch.lap(), hint)
    session = writer.get_extra_info("ssl_object")
    version = session.version() if session else "TLS"
    took = watch.lap()
    refused = await _refused(reader, max(took / 1000, 0.1))
    await _close(writer)
    if refused:
        text, hint = wanted_text()
        return CheckStep("TLS", "failed", text, took, hint)
    return CheckStep("TLS", "passed", f"{version}, certificate verified", took)


async def _refused(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Whether the server refuses the client's certificate, or that there is none.

    TLS 1.3 has no answer to the client's part of the handshake. A refusal comes a moment later,
    after the time of one more round trip; the handshake took two.
    """
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False
    except (OSError, ssl.SSLError) as error:
        return wanted(error)
    return False


async def speaks_tls(host: str, port: int, seconds: float = 2.0) -> bool:
    """Whether a port answers a TLS handshake, whatever its certificate. Nothing else is sent.

    For a port that was tried without TLS and did not answer as expected.
    """
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    try:
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(host, port, ssl=anyone, server_hostname=host), seconds
        )
    except (OSError, TimeoutError):
        return False
    await _close(writer)
    return True


def tls_text(host: str, error: Exception) -> tuple[str, str]:
    """What went wrong in a TLS handshake, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message or "not trusted"
        if error.verify_code == 10:
            return "the server's certificate has expired", "renew it on the server"
        if error.verify_code in (62, 64):
            return (
                f"the server's certificate is not for {host}: {reason}",
                "use the name that the certificate was issued for",
            )
        return (
            f"the server's certificate is not trusted: {reason}",
            "add its authority to the system's certificates, or set SSL_CERT_FILE",
        )
    if wanted(error):
        return wanted_text()
    if any(mark in str(error) for mark in _TLS_ALERTS) or isinstance(error, ConnectionError):
        return "the port does not speak TLS", "turn TLS off, or use the TLS port"
    return f"the TLS handshake failed: {str(error)[:200]}", "check the server's TLS settings"


def skip_rest(after: str, reason: str, *, start: str | None = None) -> list[CheckStep]:
    """The steps after `after`, skipped because of `reason`."""
    begin = ORDER.index(start or after) + (0 if start else 1)
    return [CheckStep(name, "skipped", f"not tried because {reason}") for name in ORDER[begin:]]


def verdict(steps: Sequence[CheckStep]) -> StepStatus:
    """The worst status of some steps."""
    for status in ("failed", "inconclusive"):
        if any(step.status == status for step in steps):
            return status
    return "passed"


def _resolve_text(host: str, error: OSError) -> tuple[str, str]:
    if error.errno == getattr(socket, "EAI_AGAIN", -3):
        return (
            f"the name server did not answer for {host}",
            "check the network connection and the spelling of the host name",
        )
    return f"there is no host {host}", "check the spelling of the host name"


def _connect_text(where: str, error: OSError) -> tuple[str, str]:
    text = str(error)
    if isinstance(error, ConnectionRefusedError) or "refused" in text.lower():
        return f"{where} refuses connections", "check the port, and that the service is running"
    if "unreachable" in text.lower():
        return f"{where} is unreachable from here", "check the network or the VPN"
    return f"{where} cannot be reached: {error.strerror or text}", "check host, port and firewall"


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 1)
