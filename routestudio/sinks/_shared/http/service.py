"""Shared by sinks that deliver to an HTTP API: calls with a deadline, outcomes, check steps.

A sink's link shows what proves the credentials (`authenticate`), what proves a destination
(`prove`) and how records travel (`deliver`); connections, failures and the order of the steps are
here. No routed value is put into a URL but through `segment`.
"""

from __future__ import annotations

import asyncio
import gzip as gzip_format
import json
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

from routestudio import __version__
from routestudio.model.outcome import CheckStep, Outcome, StepStatus, retry, unreachable
from routestudio.sinks._shared.http.approach import approach_url, proxy_of
from routestudio.sinks._shared.http.client import Answer, HttpClient, UnansweredError
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks._shared.net import Reach, Stopwatch, skip_rest, speaks_tls
from routestudio.sinks._shared.tls import client_context
from routestudio.sinks.base import Link, SinkRouting

CHECK_SECONDS: Final = 8.0
"""Seconds for each step of a check that asks the service."""

MAX_REPLY: Final = 64 * 1024 * 1024
"""Bytes of an answer that are kept: bulk requests are answered entry by entry."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one step of a check found. `hint` explains what to do."""

    status: StepStatus
    detail: str
    hint: str | None = None


def passed(detail: str) -> Verdict:
    """It is proven."""
    return Verdict("passed", detail)


def failed(detail: str, hint: str) -> Verdict:
    """It is denied or wrong, and `hint` explains what to do."""
    return Verdict("failed", detail, hint)


def unsure(detail: str, hint: str | None = None) -> Verdict:
    """It cannot be known without writing."""
    return Verdict("inconclusive", detail, hint)


def segment(text: str) -> str:
    """`text` as exactly one segment of a URL's path, whatever is in it."""
    escaped = quote(text.encode("utf-8", "surrogatepass"), safe="")
    return escaped.replace(".", "%2E") if escaped in (".", "..") else escaped


class ServiceLink(Link):
    """A link to one HTTP API below `base`. Several `send` calls may run at the same time.

    `headers` go with every request; `secrets` are hidden in all texts; `timeout` is in seconds
    and holds for a request with its answer.
    """

    service: ClassVar[str] = "the service"
    """What it is called in texts."""

    def __init__(
        self,
        base: EndpointUrl,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        timeout: float = 30.0,
    ) -> None:
        self.base = base
        self.timeout = timeout
        self._headers = {
            "accept": "application/json",
            "accept-encoding": "gzip",
            "user-agent": f"routestudio/{__version__}",
            **(headers or {}),
        }
        user = base.userinfo.get_secret_value() if base.userinfo else ""
        if basic := base.basic():
            self._headers.setdefault("authorization", basic)
        known = [*secrets, user, user.partition(":")[2], base.basic() or ""]
        self._client = HttpClient(known, tls=base.scheme == "https", timeout=timeout)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        gzip: bool = False,
        timeout: float | None = None,
        base: EndpointUrl | None = None,
    ) -> Answer:
        """Send one request. `path` is appended to the base's path and must be escaped already.

        `base` replaces the link's own, for services with a host for each destination. Raises
        `UnansweredError` when there was no answer; every answer, also a refusal, is returned.
        """
        root = base or self.base
        url = root.origin + root.path.rstrip("/") + path
        if query:
            url += "?" + urlencode(query)
        sent = {**self._headers, **(headers or {})}
        if body:
            sent.setdefault("content-type", content_type)
            if gzip:
                body = gzip_format.compress(body, 6, mtime=0)
                sent["content-encoding"] = "gzip"
        pairs = [(k.encode("ascii"), v.encode("utf-8", "replace")) for k, v in sent.items()]
        return await self._client.exchange(
            method, url, pairs, body, timeout=timeout, keep=MAX_REPLY
        )

    def refused(self, answer: Answer, text: str = "") -> Outcome:
        """The outcome of an answer that is not a success; `text` replaces the body's excerpt.

        Refused credentials count as an unreachable service: no record is to blame, and rejecting
        them all would empty the source into the dead letters.
        """
        outcome = self._client.refused(answer, text)
        if answer.status in (401, 407):
            return unreachable(outcome.code, f"the credentials were refused: {outcome.reason}")
        return outcome

    def clean(self, text: str) -> str:
        """`text` without the link's secrets."""
        return self._client.clean(text)

    async def send(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        if not batch:
            return []
        try:
            return await self.deliver(batch)
        except UnansweredError as failure:
            return [failure.outcome] * len(batch)

    async def close(self) -> None:
        await self._client.close()

    @abstractmethod
    async def deliver(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        """Send records of one batch key, at least one.

        A raised `UnansweredError` becomes the outcome of all of them, so where one batch takes
        several requests, catch it for each.
        """

    @abstractmethod
    async def authenticate(self, base: EndpointUrl) -> Verdict:
        """Prove the credentials by asking for something. May raise `UnansweredError`."""

    @abstractmethod
    async def prove(self, target: Any) -> Verdict:
        """Prove one destination without writing. May raise `UnansweredError`."""

    def shown(self, target: Any) -> str:
        """A destination in a few words: by default the values of its routed fields."""
        values = [getattr(target, name) for name in type(target).model_fields]
        return " ".join(str(value) for value in values if value not in (None, {}))

    def place(self, target: Any) -> EndpointUrl:
        """Where a destination is: the link's base, but for services with a host for each."""
        return self.base

    async def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        places: dict[str, tuple[EndpointUrl, dict[str, SinkRouting]]] = {}
        for target in targets:
            base = self.place(target)
            places.setdefault(str(base), (base, {}))[1].setdefault(self.shown(target), target)
        for base, found in places.values() or [(self.base, {})]:
            async with aclosing(self._check(base, found)) as steps:  # type: ignore[type-var]
                async for step in steps:
                    yield step

    async def _check(
        self, base: EndpointUrl, targets: Mapping[str, SinkRouting]
    ) -> AsyncIterator[CheckStep]:
        result = Reach()
        tls = client_context() if base.scheme == "https" else None
        async with aclosing(approach_url(base, tls=tls, result=result)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield step
        if not result.ok:
            return
        step = await self._step("authenticate", lambda: self.authenticate(base))
        yield step
        if step.status == "failed":
            for step in skip_rest("authenticate", "authenticate failed"):
                yield step
            return
        if not targets:
            yield CheckStep("target", "skipped", "there are no samples to take destinations from")
        for shown, target in targets.items():
            yield await self._step("target", lambda t=target: self.prove(t), shown)  # type: ignore[misc]

    async def _step(
        self, name: str, ask: Callable[[], Awaitable[Verdict]], target: str | None = None
    ) -> CheckStep:
        watch = Stopwatch()
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                verdict = await ask()
        except UnansweredError as failure:
            verdict = await self._unanswered(failure.outcome)
        except TimeoutError:
            slow = retry("timeout", f"there is no answer within {CHECK_SECONDS:g} s")
            verdict = await self._unanswered(slow)
        detail = self.clean(verdict.detail)
        return CheckStep(name, verdict.status, detail, watch.lap(), verdict.hint, target)

    async def _unanswered(self, outcome: Outcome) -> Verdict:
        strange = outcome.code in ("not_http", "connection_lost", "timeout")
        direct = strange and self.base.scheme == "http" and proxy_of(self.base) is None
        if direct and await speaks_tls(*self.base.address):
            return failed("the port speaks TLS", "write the URL with https://")
        if outcome.code == "timeout":
            return failed(
                f"{self.service} accepts connections, but {outcome.reason}",
                "check host and port, and whether the service is overloaded",
            )
        if strange:
            return failed(
                f"{self.service} does not answer in HTTP",
                "check the port: it may belong to another service",
            )
        return failed(outcome.reason, "check that the service is running, and try again")


def error_text(answer: Answer, *path: str) -> str:
    """The text at `path` of a JSON answer, e.g. `error_text(answer, "error", "message")`.

    Empty when it is not there, so that the body's excerpt is shown instead.
    """
    value = answer.json()
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
