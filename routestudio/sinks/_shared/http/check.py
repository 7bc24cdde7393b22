"""The check of an HTTP endpoint: OPTIONS, a request that by its definition changes nothing.

A server's answer to OPTIONS proves less than a delivery would, so most answers are inconclusive;
they are distinguished by asking with and without the endpoint's credentials.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from routestudio.model.outcome import CheckStep
from routestudio.sinks._shared.http.approach import approach_url, proxy_of
from routestudio.sinks._shared.http.endpoint import CREDENTIALS, EndpointUrl, same_origin
from routestudio.sinks._shared.net import Reach, Stopwatch, skip_rest, speaks_tls
from routestudio.sinks._shared.tls import client_context

if TYPE_CHECKING:
    import httpx

SECONDS: Final = 8.0
"""Seconds for each of the few requests of a check."""


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """What is asked about one destination: may `method` be used on `url`?"""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    secret: frozenset[str]

    @property
    def shown(self) -> str:
        """Method and path, without host and query."""
        return f"{self.method} {urlsplit(self.url).path}"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back: a status with headers, or the text of a failure."""

    status: int = 0
    allow: str = ""
    location: str = ""
    failure: str = ""


async def check_endpoint(
    url: EndpointUrl, questions: Sequence[Question]
) -> AsyncIterator[CheckStep]:
    """Yield the steps for an endpoint; `questions` has at least one, the first is asked twice."""
    result = Reach()
    tls = client_context() if url.scheme == "https" else None
    async with aclosing(approach_url(url, tls=tls, result=result)) as steps:  # type: ignore[type-var]
        async for step in steps:
            yield step
    if not result.ok:
        return
    import httpx

    via = proxy_of(url)
    proxy = None if via is None else httpx.Proxy(
        f"http://{via.shown}", auth=(via.user, via.password) if via.authorization else None
    )  # fmt: skip
    async with httpx.AsyncClient(
        proxy=proxy,
        verify=tls if tls is not None else False,
        trust_env=False,
        timeout=SECONDS,
    ) as client:
        watch = Stopwatch()
        first = await _ask(client, questions[0], with_secrets=True)
        step = await _authenticate(client, questions[0], first, watch)
        strange = first.failure in ("not_http", "timeout") and tls is None and via is None
        if strange and await speaks_tls(*url.address):
            step = CheckStep("authenticate", "failed", "the port speaks TLS", step.ms,
                             "write the URL with https://")  # fmt: skip
        yield step
        if step.status == "failed":
            for rest in skip_rest("authenticate", "authenticate failed"):
                yield rest
            return
        for index, question in enumerate(questions):
            watch.lap()
            answer = first if index == 0 else await _ask(client, question, with_secrets=True)
            yield _target(question, answer, watch)


async def _ask(client: httpx.AsyncClient, question: Question, *, with_secrets: bool) -> _Answer:
    import httpx

    headers = [
        (name.encode("ascii"), value.encode("utf-8", "replace"))
        for name, value in question.headers
        if name.lower() not in ("content-type", "content-encoding")
        and (with_secrets or not _is_secret(question, name))
    ]
    try:
        async with asyncio.timeout(SECONDS):
            request = httpx.Request("OPTIONS", question.url, headers=headers)
            response = await client.send(request, stream=True)
            await response.aclose()
    except (TimeoutError, httpx.TimeoutException):
        return _Answer(failure="timeout")
    except httpx.RemoteProtocolError:
        return _Answer(failure="not_http")
    except httpx.TransportError as error:
        text = str(error) or type(error).__name__
        return _Answer(failure=text[:200])
    return _Answer(
        response.status_code,
        response.headers.get("allow", ""),
        response.headers.get("location", ""),
    )


async def _authenticate(
    client: httpx.AsyncClient, question: Question, answer: _Answer, watch: Stopwatch
) -> CheckStep:
    name = "authenticate"
    if answer.failure == "not_http":
        return CheckStep(
            name, "failed", "the server does not answer in HTTP", watch.lap(),
            "check the port: it may belong to another service",
        )  # fmt: skip
    if answer.failure:
        text = f"no answer within {SECONDS:g} s" if answer.failure == "timeout" else answer.failure
        return CheckStep(
            name, "inconclusive", f"OPTIONS was not answered: {text}", watch.lap(),
            "the server may ignore OPTIONS; deliver one sample to be sure",
        )  # fmt: skip
    secrets = any(_is_secret(question, header) for header, _ in question.headers)
    if answer.status in (401, 407):
        text = "the server refused the endpoint's credentials" if secrets else (
            "the server asks for credentials and the endpoint has none")  # fmt: skip
        hint = "check the endpoint's secret headers, or the user info of its URL" if secrets else (
            "add an Authorization header to the endpoint's secret headers")  # fmt: skip
        return CheckStep(name, "failed", f"{text} (HTTP {answer.status})", watch.lap(), hint)
    if answer.status == 403:
        return CheckStep(
            name, "inconclusive", "the server forbids OPTIONS (HTTP 403)", watch.lap(),
            "it may still take deliveries; deliver one sample to be sure",
        )  # fmt: skip
    if not secrets:
        return CheckStep(name, "skipped", "the endpoint has no credentials", watch.lap())
    bare = await _ask(client, question, with_secrets=False)
    if bare.status in (401, 403, 407) and answer.status < 500:
        text = f"accepted (HTTP {answer.status}; without credentials it is {bare.status})"
        return CheckStep(name, "passed", text, watch.lap())
    return CheckStep(
        name, "inconclusive", f"OPTIONS is answered (HTTP {answer.status}) with and without "
        "credentials", watch.lap(), "only a delivery proves them; deliver one sample to be sure",
    )  # fmt: skip


def _target(question: Question, answer: _Answer, watch: Stopwatch) -> CheckStep:
    method, shown = question.method, question.shown
    allowed = {item.upper() for item in re.findall(r"[A-Za-z]+", answer.allow)}
    unsure = "only a delivery proves it; deliver one sample to be sure"

    def step(status: str, text: str, hint: str | None = None) -> CheckStep:
        return CheckStep("target", status, text, watch.lap(), hint, shown)  # type: ignore[arg-type]

    if answer.failure:
        return step("inconclusive", "OPTIONS was not answered", unsure)
    if 300 <= answer.status < 400:
        if same_origin(question.url, answer.location) is None:
            return step(
                "failed",
                f"redirects elsewhere (HTTP {answer.status})",
                "give the endpoint its final URL",
            )
        return step("inconclusive", f"redirects (HTTP {answer.status})", unsure)
    if allowed and (answer.status < 300 or answer.status == 405):
        if method in allowed:
            return step("passed", f"the server allows {method} here")
        return step(
            "failed",
            f"the server allows only {', '.join(sorted(allowed))} here",
            "choose another method or path",
        )
    if answer.status in (404, 410):
        return step(
            "inconclusive",
            f"OPTIONS is answered with HTTP {answer.status}: the path may not exist",
            "check the path; " + unsure,
        )
    return step(
        "inconclusive",
        f"OPTIONS is answered with HTTP {answer.status}, which shows nothing about {method}",
        unsure,
    )


def _is_secret(question: Question, name: str) -> bool:
    return name.lower() in question.secret or name.lower() in CREDENTIALS
