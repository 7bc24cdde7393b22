"""Shared by sinks of hosted services: a base URL in place of the service's own, and trace ids."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from routestudio.model.fields import RuleError
from routestudio.model.message import Message
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks._shared.http.service_fields import ServiceUrl

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:routestudio:message")

TRACE_TEXT: Final = (
    "`trace_id` is made from table, primary key and idempotency key, so it is the same in the "
    "preview, in every attempt and in every run. A Sequin server makes a random one per attempt."
)
"""The note on a sink about `trace_id`."""


@dataclass(frozen=True)
class BaseUrl(ServiceUrl):
    """An `http` or `https` URL that an API's paths are appended to; it holds no credentials."""

    def cast(self, value: Any) -> Any:
        url = super().cast(value)
        if url.userinfo is not None:
            raise RuleError("must not contain a user name or password")
        return url


def local(host: str, port: int) -> EndpointUrl:
    """The URL of a service without TLS at `host` and `port`."""
    return EndpointUrl("http", host, port, "/", "")


def trace_id(message: Message) -> str:
    """A UUID that is the same whenever this message is encoded, and differs between messages."""
    metadata = message.metadata
    name = "\x1f".join(
        (
            metadata["database_name"],
            metadata["table_schema"],
            metadata["table_name"],
            *message.record_pks,
            str(metadata["idempotency_key"]),
        )
    )
    return str(uuid.uuid5(_NAMESPACE, name.encode("utf-8", "surrogatepass").decode("latin-1")))
