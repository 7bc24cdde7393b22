"""The step TLS of a check: PostgreSQL asks for it in its own words before the handshake."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Final

from routestudio.model.outcome import CheckStep
from routestudio.sinks._shared.net import Stopwatch, tls_text
from routestudio.sources._postgres_link import Server

_ASK: Final = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
_SECONDS: Final = 5.0


async def tls_step(server: Server) -> CheckStep:
    """Whether the connection can be encrypted, and the certificate is what the mode demands."""
    watch = Stopwatch()
    if server.sslmode == "disable":
        return CheckStep("TLS", "skipped", "TLS is off (sslmode=disable)")
    needed = server.sslmode != "prefer"
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(server.host, server.port)
            try:
                writer.write(_ASK)
                await writer.drain()
                answer = await reader.readexactly(1)
                if answer == b"S":
                    await writer.start_tls(_context(server), server_hostname=server.host)
                    version = writer.get_extra_info("ssl_object").version() or "TLS"
            finally:
                writer.close()
                with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
                    await asyncio.wait_for(writer.wait_closed(), 1)
    except TimeoutError:
        return CheckStep("TLS", "failed", "the TLS handshake got no answer", watch.lap(),
                         "the port may not be PostgreSQL's")  # fmt: skip
    except asyncio.IncompleteReadError:
        return CheckStep("TLS", "failed", "the port does not speak PostgreSQL's protocol",
                         watch.lap(), "check the port")  # fmt: skip
    except (OSError, ssl.SSLError) as error:
        text, hint = tls_text(server.host, error)
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "name the authority's file with sslrootcert=…, or take sslmode=require"
        return CheckStep("TLS", "failed", text, watch.lap(), hint)
    except ValueError as error:
        return CheckStep("TLS", "failed", f"a file of certificates cannot be read: {error}",
                         watch.lap(), "check sslrootcert, sslcert and sslkey")  # fmt: skip
    if answer == b"N":
        text = "the server does not offer TLS"
        if needed:
            return CheckStep("TLS", "failed", text, watch.lap(),
                             "turn TLS on at the server, or take sslmode=disable")  # fmt: skip
        return CheckStep("TLS", "passed", f"{text}; the connection is not encrypted", watch.lap())
    if answer != b"S":
        return CheckStep("TLS", "failed", "the port does not speak PostgreSQL's protocol",
                         watch.lap(), "check the port")  # fmt: skip
    said = {"verify-full": "certificate verified", "verify-ca": "authority verified, not the host"}
    what = said.get(server.sslmode, "certificate not verified (see sslmode=verify-full)")
    return CheckStep("TLS", "passed", f"{version}, {what}", watch.lap())


def _context(server: Server) -> ssl.SSLContext:
    """As libpq would have it: what is verified depends on the mode. Raises `ValueError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = server.sslmode == "verify-full"
    if server.sslmode not in ("verify-ca", "verify-full"):
        context.verify_mode = ssl.CERT_NONE
    try:
        if server.sslrootcert and server.sslrootcert != "system":
            context.load_verify_locations(server.sslrootcert)
        else:
            context.load_default_certs()
        if server.sslcert:
            context.load_cert_chain(server.sslcert, server.sslkey)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(error.strerror or str(error)) from None
    return context
