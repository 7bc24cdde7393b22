"""The RabbitMQ sink: its form, routed fields and messages.

Facts: docs/reference/services.md#rabbitmq.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import Field, SecretStr

from routestudio.model.cross_rules import CrossRule, RequiresAny
from routestudio.model.defaults import Const, Template
from routestudio.model.fields import (
    Difference,
    Flag,
    Headers,
    Integer,
    Routed,
    RuleError,
    Secret,
    Static,
    Text,
    Ui,
)
from routestudio.model.message import Message
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkConfig,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.rabbitmq.codec import SHORT_BYTES, properties
from routestudio.sinks.rabbitmq.wire import Account
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_MEBIBYTE: Final = 1024 * 1024


def _check_bytes(value: str) -> str | None:
    size = len(value.encode())
    return f"has {size} bytes; AMQP carries at most 255" if size > SHORT_BYTES else None


class AmqpHeaders(Headers):
    """Headers whose names are short enough for a table of AMQP, and whose values have types."""

    def cast(self, value: Any) -> Any:
        found = super().cast(value)
        long = [name for name in found if len(name) > SHORT_BYTES]
        if long:
            names = ", ".join(f"`{name[:20]}…`" for name in long)
            raise RuleError(f"header names have at most {SHORT_BYTES} bytes: {names}")
        return found

    def wrong(self, value: Any) -> str | None:
        if isinstance(value, int):
            fits = -(2**63) <= value < 2**63
            return None if fits else "is a whole number of more than 64 bits"
        if isinstance(value, (float, Decimal)):
            return None if math.isfinite(value) else "is not a finite number"
        if isinstance(value, (list, dict)) or value is None:
            return "must be text, a number or true/false"
        return super().wrong(value)

    def limits(self) -> str:
        return "names to text, numbers or true/false"

    def json_schema(self) -> dict[str, Any]:
        kinds = {"type": ["string", "number", "boolean"]}
        return {"type": "object", "additionalProperties": kinds}


@dataclass(frozen=True, slots=True)
class RabbitMessage:
    """One message for an exchange. `properties` are encoded; they hold headers and message id."""

    exchange: str
    routing_key: str
    message_id: str
    headers: dict[str, Any]
    properties: bytes
    body: bytes

    @property
    def size(self) -> int:
        """Bytes of body and properties."""
        return len(self.body) + len(self.properties)

    def describe(self) -> dict[str, Any]:
        """The message as plain data."""
        return {
            "kind": "rabbitmq message",
            "exchange": self.exchange,
            "routing_key": self.routing_key,
            "message_id": self.message_id or None,
            "headers": dict(self.headers),
            "content_type": "application/json",
            "delivery_mode": 2,
            "body": self.body.decode(errors="replace"),
        }


def _stored(message: RabbitMessage) -> Stored:
    from routestudio.sinks.rabbitmq.read import headers_shown

    shown = headers_shown(message.headers, message.message_id)
    return Stored(message.exchange, message.routing_key, message.body, shown)


def _reader(config: RabbitMq.Config) -> Reader:
    from routestudio.sinks.rabbitmq.read import RabbitReader

    return RabbitReader(config.account())


def _command(config: Any, record: RabbitMessage) -> ShellCommand:
    from routestudio.model import jsonio
    from routestudio.sinks._shared.shell import ShellCommand

    known: dict[str, Any] = {"content_type": "application/json", "delivery_mode": 2}
    if record.headers:
        known["headers"] = record.headers
    if record.message_id:
        known["message_id"] = record.message_id
    words = ["rabbitmqadmin", "-H", config.host, "-V", config.virtual_host]
    if config.tls:
        words.append("--ssl")
    if config.username is not None:
        password = config.password.get_secret_value() if config.password else ""
        words += ["-u", config.username, "-p", password]
    words += ["publish", f"exchange={record.exchange}", f"routing_key={record.routing_key}",
              f"properties={jsonio.dumps(known)}"]  # fmt: skip
    notes = ("rabbitmqadmin uses the management plugin; name its port with -P",)
    return ShellCommand(tuple(words), record.body, notes=notes)


class RabbitMq(Sink):
    """Publish each message to a RabbitMQ exchange."""

    key, title = "rabbitmq", "RabbitMQ"
    icon = "rabbitmq"
    batch = BatchLimits(messages=500, default=10, size=4_000_000, fixed=True)
    keeps_order = False
    """Each message is confirmed by itself: a queue that is full for one may have room for the next.
    A transaction (tx.select) is a whole for one queue only, not for an exchange with several."""
    batch_by = ("exchange",)
    standin = "rabbitmq"
    tool = "rabbitmqadmin"
    max_record = 16 * _MEBIBYTE
    differences = (
        Difference(
            "RAB-05",
            "Every message is persistent and published as mandatory, and its confirm is awaited. "
            "What no queue gets goes to the dead letters; what a queue refuses is tried again, and "
            "other queues that took it get it twice. A Sequin server awaits nothing: such messages "
            "are lost, and so is all that waits in memory when RabbitMQ restarts.",
        ),
        Difference(
            "refused",
            "Messages for an exchange that does not exist, or that the user may not publish to, go "
            "to the dead letters. A Sequin server counts them as delivered.",
            "exchange",
        ),
        Difference(
            "RAB-06",
            "Routing keys and message ids over 255 bytes are refused when the message is routed. "
            "On a Sequin server they fail at delivery, with all others of their batch.",
            "routing_key",
        ),
        Difference(
            "RAB-07",
            "`headers` of a static sink are kept in the project file. A Sequin server does not "
            "read them from YAML.",
            "headers",
        ),
        Difference(
            "header_types",
            "Header values are text, numbers, or true/false, and keep their types: whole numbers "
            "are of 64 bits, others double. Lists and maps are refused; for those a Sequin server "
            "guesses a type.",
            "headers",
        ),
        Difference(
            "GEN-30",
            "With TLS, the server's certificate is verified against the system's trusted "
            "authorities (or SSL_CERT_FILE). A Sequin server does not verify it.",
            "tls",
        ),
        Difference(
            "check",
            "The check proves exchange and right to publish, by a publication in a transaction "
            "that it rolls back. A Sequin server opens a connection and looks at no exchange.",
        ),
        Difference(
            "GEN-32",
            "Up to 500 messages for one exchange travel together, in order. A Sequin server always "
            "takes 10.",
        ),
    )

    read_back = ReadBack(
        "An exchange keeps nothing, so a queue is read that gets its messages. A stream queue is "
        "read without a trace, its last messages. A classic queue gives its oldest messages and "
        "takes them back, marked as redelivered, so this is asked first. A quorum queue is not "
        "read: it would put them at its end.",
        _reader,
        _stored,
        note="What another queue got, or a consumer took already, counts as missing.",
        names="queue",
    )

    class Config(SinkConfig):
        """Where the server is and how to sign in."""

        host: Annotated[
            str,
            Text(max=255, pattern=r"[^\s/@]+", pattern_text="must be a host name or an address"),
            Ui("Host", example="localhost", card=True),
        ]
        port: Annotated[
            int,
            Integer(minimum=1, maximum=65535),
            Ui("Port", "Usually 5672, or 5671 with TLS.", example="5672", card=True),
        ]
        virtual_host: Annotated[
            str,
            Text(max=255, check=_check_bytes),
            Ui("Virtual host", "Part of the server that holds the exchange.", example="shop",
               card=True),
        ] = "/"  # fmt: skip
        tls: Annotated[
            bool,
            Flag(),
            Ui("TLS", "Encrypt the connection and verify the certificate.", card=True),
        ] = False
        username: Annotated[
            str | None,
            Text(max=255),
            Ui("Username", "Empty for `guest`.", group="Authentication", example="orders",
               card=True),
        ] = None  # fmt: skip
        password: Annotated[
            SecretStr | None,
            Secret(),
            Ui("Password", "Stored outside the project file.", group="Authentication"),
        ] = None

        rules: ClassVar[tuple[CrossRule, ...]] = (
            RequiresAny("username", ("password",), "is required with a password"),
        )

        def account(self) -> Account:
            """The account that these settings describe."""
            return Account(
                self.host, self.port, self.virtual_host, self.username, self.password, self.tls
            )

    class Routing(SinkRouting):
        """What may differ per message."""

        exchange: Annotated[
            str,
            Text(max=255, check=_check_bytes),
            Routed(
                "Exchange to publish to.",
                Const(None),
                Static.REQUIRED,
                required=True,
                example="amq.topic",
                note="It must exist. The default exchange, which has no name, cannot be used.",
            ),
        ]
        routing_key: Annotated[
            str,
            Text(min=0, check=_check_bytes),
            Routed(
                "Key by which the exchange chooses queues.",
                Template("sequin.{database_name}.{table_schema}.{table_name}.{action}"),
                example="orders.eu.insert",
                note="At most 255 bytes. A message that no queue gets goes to the dead letters.",
            ),
        ]
        message_id: Annotated[
            str,
            Text(min=0, check=_check_bytes),
            Routed(
                "Id of the message, by which a consumer knows a repeated one.",
                Template("{idempotency_key}"),
                example="orders-1001",
                note="At most 255 bytes. Empty text sends none.",
            ),
        ]
        headers: Annotated[
            dict[str, Any],
            AmqpHeaders(),
            Routed(
                "Headers of the message.",
                Const({}),
                Static.OPTIONAL,
                example={"X-Source": "cdc"},
                note="Values keep their types, which an exchange of type `headers` compares, too; "
                "one of type `x-delayed-message` takes a delay that is a number.",
            ),
        ] = Field(default_factory=dict)

    @staticmethod
    def encode(
        config: Config, message: Message, routing: Routing, payload: Payload
    ) -> RabbitMessage:
        """The message: its body is always JSON."""
        headers, identity = routing.headers, routing.message_id
        return RabbitMessage(
            routing.exchange, routing.routing_key, identity, headers,
            properties(headers, identity), payload.json,
        )  # fmt: skip

    command = staticmethod(_command)

    @staticmethod
    def connect(config: Config) -> Link:
        """An idle link."""
        from routestudio.sinks.rabbitmq.link import RabbitLink

        return RabbitLink(config.account())

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        """The stand-in: no TLS, and the user `guest`."""
        return cls.Config(host=address.host, port=address.port)
