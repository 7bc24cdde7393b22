"""The first steps of the check of an HTTP address: as `_net.approach`, and through a proxy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from routestudio.model.outcome import CheckStep
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks._shared.net import (
    CONNECT_SECONDS,
    Reach,
    Stopwatch,
    approach,
    reach,
    skip_rest,
    tls_text,
)
from routestudio.sinks._shared.proxy import Proxy, ProxyError, chosen


def proxy_of(url: EndpointUrl) -> Proxy | None:
    """The proxy that leads to `url`. Raises `ProxyError`."""
    return chosen(url.scheme, *url.address)


async def approach_url(
    url: EndpointUrl, *, tls: ssl.SSLContext | None, result: Reach
) -> AsyncIterator[CheckStep]:
    """The steps resolve, connect and TLS; when the way is not open, all later ones as skipped."""
    try:
        via = proxy_of(url)
    except ProxyError as error:
        yield CheckStep("resolve", "failed", str(error), 0.0, "correct the variable, or unset it")
        for step in skip_rest("resolve", "resolve failed"):
            yield step
        return
    way = (
        approach(*url.address, tls=tls, result=result)
        if via is None
        else _through(via, url, tls, result)
    )
    async with aclosing(way) as steps:  # type: ignore[type-var]
        async for step in steps:
            yield step


async def _through(
    via: Proxy, url: EndpointUrl, tls: ssl.SSLContext | None, result: Reach
) -> AsyncIterator[CheckStep]:
    last = "resolve"
    way = reach(via.host, via.port, tls=None, result=result)
    async with aclosing(way) as steps:  # type: ignore[type-var]
        async for step in steps:
            if step.step != "TLS":
                last = step.step
                yield replace(step, detail=f"the proxy of `{via.variable}`: {step.detail}")
    if result.ok and tls is not None:
        step = await _handshake(via, url, tls)
        last, result.ok = step.step, step.status == "passed"
        yield step
    elif result.ok:
        yield CheckStep("TLS", "skipped", "TLS is off for this sink")
    if not result.ok:
        for step in skip_rest(last, f"{last} failed"):
            yield step


async def _handshake(via: Proxy, url: EndpointUrl, tls: ssl.SSLContext) -> CheckStep:
    """TLS with the server itself, through a tunnel of the proxy."""
    from routestudio.sinks._shared.http.tunnel import TunnelError, tunnelled

    watch = Stopwatch()
    host, port = url.address
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            secure = await tunnelled(via, host, port, tls, asyncio.Protocol())
    except TimeoutError:
        return CheckStep(
            "TLS", "failed", f"the proxy {via.shown} opened no way to {host} in "
            f"{CONNECT_SECONDS:g} s", watch.lap(), "check whether the proxy reaches the host",
        )  # fmt: skip
    except TunnelError as error:
        return CheckStep(
            "TLS", "failed", str(error), watch.lap(),
            f"check the user and password in `{via.variable}`, and that the proxy allows the host",
        )  # fmt: skip
    except (OSError, ssl.SSLError) as error:
        text, hint = tls_text(host, error)
        return CheckStep("TLS", "failed", text, watch.lap(), hint)
    version = secure.get_extra_info("ssl_object").version()
    secure.abort()
    return CheckStep(
        "TLS", "passed", f"{version} through the proxy, certificate verified", watch.lap()
    )
