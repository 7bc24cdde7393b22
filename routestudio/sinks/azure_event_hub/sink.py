"""The Azure Event Hubs sink, over its REST API.

Facts: docs/reference/services.md#azure-event-hubs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from time import time
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote_plus

from pydantic import SecretStr

from routestudio.model import jsonio
from routestudio.model.cross_rules import CrossRule
from routestudio.model.defaults import Const
from routestudio.model.fields import Difference, Routed, RuleError, Static, Text, Ui
from routestudio.model.message import Message
from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, rejected, retry
from routestudio.sinks._shared.halves import Refused, in_halves
from routestudio.sinks._shared.http import service as api
from routestudio.sinks._shared.http.client import Answer, UnansweredError
from routestudio.sinks._shared.http.cloud import TRACE_TEXT, BaseUrl, local, trace_id
from routestudio.sinks._shared.http.endpoint import DOTS, EndpointUrl
from routestudio.sinks._shared.http.service_fields import Token, segment_problem
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkConfig,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.reading import NoReadBack

CONTENT_TYPE: Final = "application/vnd.microsoft.servicebus.json"
TOKEN_SECONDS: Final = 3600
_EARLY_SECONDS: Final = 300
"""A signature is renewed this long before it expires."""

_MAX_TOKENS: Final = 1024
_NOWHERE: Final = "does-not-exist"
_NOT_SUPPORTED: Final = "http operation is not supported"
"""What the service answers to a GET below an event hub, but only when it knows hub and key."""

_MAYBE_DONE: Final = frozenset({500, 502, 504})
_SIGNATURE: Final = re.compile(r"(SharedAccessSignature\s+|\bsig=)[^\s\"'<]+")


@dataclass(frozen=True)
class AccessKey(Token):
    """The key of a shared access policy, not the connection string around it."""

    def cast(self, value: Any) -> Any:
        secret: SecretStr = super().cast(value)
        if "SharedAccessKey=" in secret.get_secret_value():
            raise RuleError(
                "is a whole connection string", hint="enter only what follows SharedAccessKey="
            )
        return secret


@dataclass(frozen=True, slots=True, repr=False)
class EventRecord:
    """One event of a request. `body` is its content, `wire` its JSON in the request."""

    hub: str
    url: str
    body: str
    wire: bytes

    @property
    def size(self) -> int:
        """Bytes in the request."""
        return len(self.wire) + 1

    def describe(self) -> dict[str, Any]:
        """The event as plain data."""
        return {
            "method": "POST",
            "url": self.url,
            "authorization": f"SharedAccessSignature {DOTS}",
            "content-type": CONTENT_TYPE,
            "Body": self.body,
        }


class AzureEventHub(Sink):
    """Send each message as an event to an Azure event hub."""

    key = "azure_event_hub"
    title = "Azure Event Hubs"
    icon = "event_hub"
    standin = "event_hub"
    batch = BatchLimits(messages=10, default=10, size=1_000_000, fixed=True)
    keeps_order = False
    """Events of one request go to several partitions, and nothing promises that after a failure
    none of them holds a part of a batch."""
    batch_by = ("event_hub_name",)
    max_record = 1_000_000
    read_back = NoReadBack(
        "Event Hubs takes events over HTTP and gives none: they are read over AMQP or the "
        "Kafka protocol only.",
        "add a Kafka sink for the namespace (port 9093, SASL plain, the user "
        "$ConnectionString), and read its topic back",
    )
    differences = (
        Difference(
            "AZR-01",
            "There is no default event hub, as on a Sequin server, whose console names one: in "
            "dynamic mode the function must return it.",
            "event_hub_name",
        ),
        Difference(
            "AZR-02",
            "An event holds the message under `data`, beside `attributes`, as a Sequin server "
            "sends it. That server's documentation shows the bare message.",
        ),
        Difference(
            "signature",
            "A signature serves for 55 minutes. A Sequin server makes one for each request.",
            "shared_access_key",
        ),
        Difference(
            "split",
            "When a request is too large, its events are sent in smaller ones, and only an event "
            "that is too large by itself is rejected. A Sequin server tries the same again.",
        ),
        Difference("trace_id", TRACE_TEXT),
        Difference(
            "endpoint_url",
            "The endpoint is RouteStudio's own field, for other clouds and private endpoints. A "
            "Sequin server ignores it.",
            "endpoint_url",
        ),
    )

    class Config(SinkConfig):
        """Which namespace, and how to sign."""

        namespace: Annotated[
            str,
            Text(
                max=63,
                pattern=r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?",
                pattern_text="must be the short name: letters, digits and hyphens, without "
                ".servicebus.windows.net",
            ),
            Ui("Namespace", "Short name of the namespace.", example="shop-events", card=True),
        ]
        shared_access_key_name: Annotated[
            str,
            Text(max=256),
            Ui("Policy", "Name of a shared access policy with the right Send.", "Authentication",
               "orders-sender", card=True),
        ]  # fmt: skip
        shared_access_key: Annotated[
            SecretStr,
            AccessKey(max=512),
            Ui("Key", "Key of the policy; stored outside the project file.", "Authentication"),
        ]
        endpoint_url: Annotated[
            EndpointUrl | None,
            BaseUrl(),
            Ui("Endpoint", "Another cloud's or a private endpoint; empty for Azure's own.",
               "Advanced", "https://shop-events.servicebus.chinacloudapi.cn"),
        ] = None  # fmt: skip

        rules: ClassVar[tuple[CrossRule, ...]] = ()

        def base(self) -> EndpointUrl:
            """Where the namespace is."""
            host = f"{self.namespace.lower()}.servicebus.windows.net"
            return self.endpoint_url or EndpointUrl("https", host, None, "/", "")

        def url(self, path: str) -> str:
            """The full URL of an escaped path."""
            base = self.base()
            return base.origin + base.path.rstrip("/") + path

    class Routing(SinkRouting):
        """What may differ per message."""

        event_hub_name: Annotated[
            str,
            Text(
                max=255,
                check=segment_problem,
                advice_pattern=r"[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?",
                advice_text="may be refused: takes letters, digits, `.`, `-` and `_` only, with a "
                "letter or digit at both ends",
            ),
            Routed(
                "Name of the event hub to send to.",
                Const(None),
                Static.REQUIRED,
                required=True,
                example="orders",
                label="Event hub",
                note="Events have no partition key: they go to any partition, so consumers may see "
                "changes of one row out of order.",
            ),
        ]

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> EventRecord:
        """The event: the payload and two attributes, as JSON text."""
        attributes = {"trace_id": trace_id(message), "type": "event"}
        content = b'{"data":%b,"attributes":%b}' % (payload.json, jsonio.dump_bytes(attributes))
        body = content.decode()
        hub = routing.event_hub_name
        return EventRecord(
            hub, config.url(messages_path(hub)), body, jsonio.dump_bytes({"Body": body})
        )

    @staticmethod
    def connect(config: Config) -> Link:
        """An idle link over HTTP."""
        return EventHubLink(config)

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        """The same namespace at another address, without TLS; the key stays, as it signs."""
        return config.model_copy(update={"endpoint_url": local(address.host, address.port)})


def messages_path(hub: str) -> str:
    """The path that takes events for a hub."""
    return f"/{api.segment(hub)}/messages"


def signature(url: str, policy: str, key: str, expires: int) -> str:
    """The value of an `Authorization` header for `url` until `expires` (Unix seconds).

    https://learn.microsoft.com/rest/api/eventhub/generate-sas-token: HMAC-SHA256 over the escaped
    URL, a line break and the expiry.
    """
    resource = quote_plus(url, safe="")
    digest = hmac.digest(key.encode(), f"{resource}\n{expires}".encode(), hashlib.sha256)
    signed = quote_plus(base64.b64encode(digest), safe="")
    return f"SharedAccessSignature sr={resource}&sig={signed}&se={expires}&skn={quote_plus(policy)}"


class EventHubLink(api.ServiceLink):
    """Sends to the event hubs of one namespace. A request is carried out as a whole or not."""

    service = "Event Hubs"

    def __init__(self, config: AzureEventHub.Config) -> None:
        self._config = config
        self._signatures: dict[str, tuple[str, float]] = {}
        self._probe = _NOWHERE
        super().__init__(config.base(), secrets=[config.shared_access_key.get_secret_value()])

    def clean(self, text: str) -> str:
        return _SIGNATURE.sub(lambda found: found[1] + DOTS, super().clean(text))

    def refused(self, answer: Answer, text: str = "") -> Outcome:
        text = text or _detail(answer)
        outcome = super().refused(answer, text)
        if answer.status == 401 and "claim" in text.lower():
            # The key is right, but not for this hub, so other records need not fare alike.
            outcome = rejected(outcome.code, f"the policy may not send here: {text}")
        elif answer.status == 403 and "quota" in text.lower():
            outcome = retry(outcome.code, outcome.reason)
        elif answer.status in _MAYBE_DONE:
            outcome = replace(outcome, unknown=True)
        return replace(outcome, reason=self.clean(outcome.reason))

    async def deliver(self, batch: Sequence[EventRecord]) -> Sequence[Outcome]:
        return await in_halves(batch, self._post)

    async def _post(self, batch: Sequence[EventRecord]) -> Sequence[Outcome] | Refused:
        path = messages_path(batch[0].hub)
        body = b"[%b]" % b",".join([record.wire for record in batch])
        try:
            answer = await self._signed("POST", path, body)
        except UnansweredError as failure:
            return [failure.outcome] * len(batch)
        if answer.status == 201:
            return [DELIVERED] * len(batch)
        if answer.ok:
            text = f"HTTP {answer.status} is not what Event Hubs answers; is this Event Hubs?"
            return [retry("not_event_hubs", text, unknown=True)] * len(batch)
        if _too_large(answer):
            text = f"the event of {len(batch[0].wire):,} bytes is too large for the event hub"
            return Refused(rejected("too_large", text), splits=True)
        return Refused(self.refused(answer), splits=False)

    async def _signed(self, method: str, path: str, body: bytes = b"") -> Answer:
        """One request; a kept signature that is no longer accepted is renewed once."""
        url = self._config.url(path)
        kept = url in self._signatures
        while True:
            answer = await self.call(
                method, path, body=body, content_type=CONTENT_TYPE,
                headers={"authorization": self._signature(url)},
            )  # fmt: skip
            if answer.status != 401:
                return answer
            self._signatures.pop(url, None)
            if not kept:
                return answer
            kept = False

    def _signature(self, url: str) -> str:
        found, now = self._signatures.get(url), time()
        if found is None or found[1] <= now:
            if len(self._signatures) >= _MAX_TOKENS:
                self._signatures.clear()
            config = self._config
            key = config.shared_access_key.get_secret_value()
            text = signature(url, config.shared_access_key_name, key, int(now) + TOKEN_SECONDS)
            found = self._signatures[url] = (text, now + TOKEN_SECONDS - _EARLY_SECONDS)
        return found[0]

    async def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        # A policy may belong to one hub only, so the key is proved at a hub that it is meant for.
        self._probe = str(getattr(targets[0], "event_hub_name", "")) if targets else _NOWHERE
        async with aclosing(super().check(targets)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield step

    async def authenticate(self, base: EndpointUrl) -> api.Verdict:
        answer = await self._ask(self._probe)
        policy = self._config.shared_access_key_name
        known = answer.status == 200 or _not_supported(answer) or _lacks_right(answer)
        if known:
            return api.passed(f"the key of policy {policy} is accepted")
        if answer.status == 401:
            return api.failed(
                f"the key of policy {policy} was refused: {_detail(answer)}",
                "check name and key, that the policy is of this event hub or of the namespace, "
                "and this computer's clock",
            )
        return api.unsure(f"Event Hubs answers in an unknown way: {self.refused(answer).reason}")

    async def prove(self, target: AzureEventHub.Routing) -> api.Verdict:
        hub, namespace = target.event_hub_name, self._config.namespace
        answer = await self._ask(hub)
        if _not_supported(answer):
            return api.passed(
                f"event hub {hub} exists and accepts the key; that the policy may send shows only "
                "in a delivery"
            )
        if answer.status in (200, 404):
            return api.failed(
                f"event hub {hub} does not exist in namespace {namespace}",
                "create the event hub, or correct its name",
            )
        if answer.status == 401:
            return api.failed(
                f"the policy may not use event hub {hub}: {_detail(answer)}",
                "use a policy of this event hub or of the namespace, with the right Send",
            )
        return api.unsure(f"event hub {hub}: {self.refused(answer).reason}")

    async def _ask(self, hub: str) -> Answer:
        """What the service answers to a GET that no event hub supports."""
        return await self._signed("GET", f"/{api.segment(hub)}/{_NOWHERE}")


def _detail(answer: Answer) -> str:
    """The text of an error, which comes as XML."""
    found = re.search(r"<Detail>(.*?)</Detail>", answer.body.decode("utf-8", "replace"), re.DOTALL)
    return " ".join(found[1].split())[:200] if found else answer.excerpt()


def _not_supported(answer: Answer) -> bool:
    return answer.status == 400 and _NOT_SUPPORTED in answer.excerpt(1000).lower()


def _lacks_right(answer: Answer) -> bool:
    return answer.status == 401 and "claim" in _detail(answer).lower()


def _too_large(answer: Answer) -> bool:
    words = _detail(answer).lower() if answer.status == 400 else ""
    return answer.status == 413 or "too large" in words or ("size" in words and "exceed" in words)
