"""The Redis stream sink: one entry per change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from routestudio.model import jsonio
from routestudio.model.defaults import Template
from routestudio.model.fields import Routed, RuleError, Static, Text
from routestudio.model.message import Message
from routestudio.sinks._shared.redis.link import DIFFERENCES, AccountConfig, Probe, RedisLink
from routestudio.sinks.base import (
    BatchLimits,
    Link,
    Payload,
    Sink,
    SinkRouting,
    StandinAddress,
)
from routestudio.sinks.reading import ReadBack, Reader, Stored

if TYPE_CHECKING:
    from routestudio.sinks._shared.shell import ShellCommand

_KEY = Text(max=255, pattern=r"\S+", pattern_text="cannot contain whitespace", any_default=True)


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One entry of a stream: its fields as text, and the command in the Redis protocol."""

    key: str
    fields: dict[str, str]
    wire: bytes

    @property
    def size(self) -> int:
        return len(self.wire)

    def describe(self) -> dict[str, Any]:
        return {"command": f"XADD {self.key} * <fields>", "key": self.key, "fields": self.fields}


def _stored(entry: Entry) -> Stored:
    from routestudio.sinks._shared.redis.read import fields_body

    return Stored(entry.key, None, fields_body(entry.fields))


def _reader(config: AccountConfig) -> Reader:
    from routestudio.sinks._shared.redis.read import StreamReader

    return StreamReader(config.account())


class RedisStream(Sink):
    """Append each change as an entry of a Redis stream."""

    key, title = "redis_stream", "Redis Stream"
    aliases = ("redis",)
    icon = "redis"
    batch = BatchLimits(messages=1000, default=50)
    keeps_order = True
    """A batch in which groups repeat is one transaction: it is refused as a whole, or carried out
    in its order (`_shared.redis.order`)."""
    batch_by = ()
    standin = "redis"
    tool = "redis-cli"
    max_record = 512 * 1024 * 1024
    differences = DIFFERENCES
    read_back = ReadBack(
        "The last entries of the stream (XREVRANGE). No consumer group is made or joined.",
        _reader,
        _stored,
    )

    class Config(AccountConfig):
        pass

    class Routing(SinkRouting):
        stream_key: Annotated[
            str,
            _KEY,
            Routed(
                "Key of the stream that gets the entry.",
                Template("sequin.{table_schema}.{table_name}"),
                static=Static.REQUIRED,
                required=True,
                example="orders",
                note="Streams are not trimmed; Redis keeps every entry.",
            ),
        ]

    @staticmethod
    def encode(
        config: AccountConfig, message: Message, routing: Routing, payload: Payload
    ) -> Entry:
        """Top-level keys become fields: text as it is, anything else as JSON."""
        value = payload.value
        if type(value) is not dict or not value:
            raise RuleError(
                "a Redis stream takes a map with at least one key",
                hint="return a map from the transform function",
            )
        fields = {
            name: item if type(item) is str else jsonio.dumps(item) for name, item in value.items()
        }
        parts = ["XADD", routing.stream_key, "*"]
        for name, text in fields.items():
            parts += (name, text)
        return Entry(routing.stream_key, fields, _wire(parts))

    @staticmethod
    def command(config: Any, record: Entry) -> ShellCommand:
        from routestudio.sinks._shared.redis.shell import redis_cli

        pairs = [part for pair in record.fields.items() for part in pair]
        return redis_cli(config.account(), "XADD", record.key, "*", *pairs)

    @staticmethod
    def connect(config: AccountConfig) -> Link:
        return _StreamLink(config.account())

    @classmethod
    def at_standin(cls, config: AccountConfig, address: StandinAddress) -> AccountConfig:
        return cls.Config(host=address.host, port=address.port, database=config.database)


class _StreamLink(RedisLink):
    def probe(self, target: Any) -> Probe:
        command = ("XADD", target.stream_key, "*", "field", "value")
        return Probe(target.stream_key, command, holds="stream")


def _wire(parts: list[str]) -> bytes:
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    body = b"".join(b"$%d\r\n%b\r\n" % (len(item), item) for item in encoded)
    return b"*%d\r\n%b" % (len(encoded), body)
