"""The NATS sink: its form, routed fields and messages.

Facts: docs/reference/services.md#nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import Field, SecretStr

from routestudio.model.cross_rules import CrossRule, RequiresAny
from routestudio.model.defaults import Mapping, Template
from routestudio.model.fields import (
    Difference,
    Flag,
    Headers,
    Integer,
    Routed,
    Secret,
    Text,
    Ui,
)
from routestudio.model.message import Message
from routestudio.sinks._shared.repeats import ONE_PROCESS
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkConfig,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.nats.account import Account
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

MESSAGE_ID: Final = "Nats-Msg-Id"
"""The header by which JetStream recognises a message that it has stored already."""


def _check_subject(value: str) -> str | None:
    if "" in value.split("."):
        return "must not begin or end with a dot, or have two dots in a row"
    return None


@dataclass(frozen=True, slots=True)
class NatsMessage:
    """One message for a subject. `headers` is the encoded block, empty without headers."""

    subject: str
    fields: dict[str, str]
    headers: bytes
    body: bytes

    @property
    def size(self) -> int:
        """Bytes of headers and body, which is what a server limits."""
        return len(self.headers) + len(self.body)

    @property
    def message_id(self) -> str:
        """By what JetStream recognises the message; empty when it has no id."""
        return self.fields.get(MESSAGE_ID, "")

    def describe(self) -> dict[str, Any]:
        """The message as plain data."""
        return {
            "kind": "nats message",
            "subject": self.subject,
            "headers": dict(self.fields),
            "payload": self.body.decode(errors="replace"),
        }


def _stored(message: NatsMessage) -> Stored:
    return Stored(message.subject, None, message.body, message.fields)


def _reader(config: Nats.Config) -> Reader:
    from routestudio.sinks.nats.read import NatsReader

    return NatsReader(config.account())


def _command(config: Any, record: NatsMessage) -> ShellCommand:
    from routestudio.model.fields import RuleError
    from routestudio.sinks._shared.shell import ShellCommand

    if config.jwt is not None or config.nkey_seed is not None:
        raise RuleError("needs a JWT or an NKey, which the program nats reads from files only")
    scheme = "tls" if config.tls else "nats"
    host = f"[{config.host}]" if ":" in config.host else config.host
    words = ["nats", "--server", f"{scheme}://{host}:{config.port}"]
    if config.username is not None:
        password = config.password.get_secret_value() if config.password else ""
        words += ["--user", config.username, "--password", password]
    if config.token is not None:
        words += ["--user", config.token.get_secret_value()]
    words += ["pub", "--quiet", "--force-stdin", "--no-templates"]
    for name, value in record.fields.items():
        words += ["-H", f"{name}:{value}"]
    if record.subject.startswith(("-", "@")):
        words.append("--")  # no option, and no file of arguments
    return ShellCommand((*words, record.subject), record.body)


class Nats(Sink):
    """Publish each message to a NATS subject."""

    key, title = "nats", "NATS"
    icon = "nats"
    batch = BatchLimits(messages=500, default=10, size=4_000_000, fixed=True)
    keeps_order = False
    """Each message is acknowledged by itself: a stream that is full for one may have room for the
    next. Only streams with `allow_atomic` (NATS 2.12) would store a batch as a whole."""
    batch_by = ()
    one_process = ONE_PROCESS
    standin = "nats"
    tool = "nats"
    write_always = ("port",)
    max_record = 1_048_576
    differences = (
        Difference(
            "NAT-05",
            "Where a JetStream stream stores the subject, its acknowledgement of every message is "
            "awaited; what it refuses is tried again or goes to the dead letters, and what it did "
            "not store because it knows the id is counted as a duplicate. Where none does, "
            "a message counts as delivered when the server has taken it: nobody confirms that it "
            "is stored or received. A Sequin server never awaits an acknowledgement.",
        ),
        Difference(
            "permissions",
            "Messages for subjects that the user may not publish to go to the dead letters. A "
            "Sequin server counts them as delivered.",
        ),
        Difference(
            "NAT-02",
            f"`{MESSAGE_ID}` is sent also with headers of a function's own, unless they set it "
            "(empty text leaves it out). On a Sequin server a function's headers replace it, and "
            "JetStream then stores repeated deliveries twice.",
            "headers",
        ),
        Difference(
            "subject_parts",
            "Subjects with an empty part (`a..b`, or a dot at either end) are refused. A Sequin "
            "server sends them, and nobody receives them.",
            "subject",
        ),
        Difference(
            "GEN-30",
            "With TLS, the server's certificate is verified against the system's trusted "
            "authorities (or SSL_CERT_FILE), and no credentials are sent to a server without TLS. "
            "A Sequin server does not verify it.",
            "tls",
        ),
        Difference(
            "NAT-03",
            "Without a port, 4222 is used. A Sequin server needs it, so an export always has it.",
            "port",
        ),
        Difference(
            "token",
            "A token is known to RouteStudio only; a Sequin server ignores it and cannot sign in.",
            "token",
        ),
        Difference(
            "NAT-07",
            "The check delivers nothing and needs no right but those of delivery. A Sequin server "
            "publishes to its own subject, and subscribes to it.",
        ),
        Difference(
            "GEN-32",
            "Up to 500 messages travel together, in order. A Sequin server always takes 10.",
        ),
    )

    read_back = ReadBack(
        "The last messages of the subject in the JetStream stream that stores it, each by its "
        "number. No consumer is made and nothing is acknowledged. NATS itself keeps no messages: "
        "without a stream, subscribe before the run.",
        _reader,
        _stored,
    )

    class Config(SinkConfig):
        """Where the server is and how to sign in."""

        host: Annotated[
            str,
            Text(max=255, pattern=r"[^\s/@]+", pattern_text="must be a host name or an address"),
            Ui("Host", example="localhost", card=True),
        ]
        port: Annotated[
            int, Integer(minimum=1, maximum=65535), Ui("Port", example="4222", card=True)
        ] = 4222
        tls: Annotated[
            bool,
            Flag(),
            Ui("TLS", "Encrypt the connection and verify the certificate.", card=True),
        ] = False
        username: Annotated[
            str | None,
            Text(max=255),
            Ui("Username", "Empty when the server needs no user.", group="Authentication",
               example="orders", card=True),
        ] = None  # fmt: skip
        password: Annotated[
            SecretStr | None,
            Secret(),
            Ui("Password", "Stored outside the project file.", group="Authentication"),
        ] = None
        jwt: Annotated[
            SecretStr | None,
            Secret(),
            Ui("JWT", "The user's JWT of a `.creds` file.", group="Authentication"),
        ] = None
        nkey_seed: Annotated[
            SecretStr | None,
            Secret(),
            Ui("NKey seed", "Signs in alone, or together with the JWT.", group="Authentication",
               example="SU…"),
        ] = None  # fmt: skip
        token: Annotated[
            SecretStr | None,
            Secret(),
            Ui("Token", "Only for servers that ask for one token.", group="Authentication"),
        ] = None

        rules: ClassVar[tuple[CrossRule, ...]] = (
            RequiresAny("username", ("password",), "is required with a password"),
        )

        def account(self) -> Account:
            """The account that these settings describe."""
            return Account(
                self.host, self.port, self.tls, self.username, self.password, self.token,
                self.jwt, self.nkey_seed,
            )  # fmt: skip

    class Routing(SinkRouting):
        """What may differ per message."""

        subject: Annotated[
            str,
            Text(
                max=255,
                pattern=r"[a-zA-Z0-9.\-_]+",
                pattern_text="must contain only alphanumeric characters, dots, hyphens, and "
                "underscores",
                check=_check_subject,
            ),
            Routed(
                "Subject to publish to.",
                Template("sequin.{database_name}.{table_schema}.{table_name}.{action}"),
                required=True,
                example="orders.eu.insert",
                note="Case matters. Wildcards are for subscribers only.",
            ),
        ]
        headers: Annotated[
            dict[str, str],
            Headers(),
            Routed(
                "Headers of the message.",
                Mapping({MESSAGE_ID: Template("{idempotency_key}")}),
                example={"X-Source": "cdc"},
                note=f"JetStream stores a message with a known `{MESSAGE_ID}` only once.",
            ),
        ] = Field(default_factory=dict)

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> NatsMessage:
        """The message: its body is always JSON, and it has a message id unless that is empty."""
        # JetStream knows the message id under this very name only, and readers ignore the case.
        fields = {
            MESSAGE_ID if name.lower() == MESSAGE_ID.lower() else name: text
            for name, text in routing.headers.items()
        }
        if not fields.setdefault(MESSAGE_ID, message.metadata["idempotency_key"]):
            del fields[MESSAGE_ID]
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        block = f"NATS/1.0\r\n{lines}\r\n".encode() if fields else b""
        return NatsMessage(routing.subject, fields, block, payload.json)

    @classmethod
    def shared_with(cls, config: Config) -> Any:
        """The server: a stream has one memory of ids for whoever sends to it."""
        return config.host.lower(), config.port

    command = staticmethod(_command)

    @staticmethod
    def connect(config: Config) -> Link:
        """An idle link."""
        from routestudio.sinks.nats.link import NatsLink

        return NatsLink(config.account())

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        """The stand-in: no TLS, no credentials."""
        return cls.Config(host=address.host, port=address.port)
