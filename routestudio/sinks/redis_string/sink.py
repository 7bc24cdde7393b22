"""The Redis string sink: one key per change, set or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from routestudio.model.defaults import ByAction, Const, Template
from routestudio.model.fields import (
    Choice,
    Integer,
    Routed,
    Static,
    Text,
)
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

MAX_EXPIRE_MS = 2**53
"""The largest time to live that is surely exact in JSON; Redis itself takes some more."""


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """One Redis command for one key. `wire` is the command in the Redis protocol."""

    key: str
    value: bytes | None
    expire_ms: int | None
    wire: bytes

    @property
    def size(self) -> int:
        return len(self.wire)

    def describe(self) -> dict[str, Any]:
        if self.value is None:
            return {"command": f"DEL {self.key}", "key": self.key}
        suffix = f" PX {self.expire_ms}" if self.expire_ms else ""
        found: dict[str, Any] = {
            "command": f"SET {self.key} <value>{suffix}",
            "key": self.key,
            "value": self.value.decode("utf-8", "replace"),
        }
        if self.expire_ms:
            found["expire_ms"] = self.expire_ms
        return found


def _stored(command: Command) -> Stored:
    return Stored("", command.key, command.value)


def _reader(config: AccountConfig) -> Reader:
    from routestudio.sinks._shared.redis.read import StringReader

    return StringReader(config.account())


class RedisString(Sink):
    """Keep each row as a string under a Redis key."""

    key, title = "redis_string", "Redis String"
    icon = "redis"
    batch = BatchLimits(messages=1000, default=10)
    keeps_order = True
    """A batch in which groups repeat is one transaction: it is refused as a whole, or carried out
    in its order (`_shared.redis.order`)."""
    batch_by = ()
    standin = "redis"
    tool = "redis-cli"
    max_record = 512 * 1024 * 1024
    differences = DIFFERENCES
    read_back = ReadBack(
        "The values under the keys of the preview (GET).",
        _reader,
        _stored,
        keyed=True,
        note="A key with a time to live may have expired since the run.",
    )

    class Config(AccountConfig):
        pass

    class Routing(SinkRouting):
        key: Annotated[
            str,
            Text(
                max=512,
                pattern=r"[^\s]+",
                pattern_text="cannot contain whitespace",
                numbers=True,
                any_default=True,
            ),
            Routed(
                "Redis key to set or delete.",
                Template("sequin:{table_name}:{primary_keys}"),
                required=True,
                example="orders:42",
                note="The default has no schema in it: tables of the same name in two schemas "
                "share their keys.",
            ),
        ]
        action: Annotated[
            str,
            Choice(values=("set", "del")),
            Routed(
                "`set` stores the value, `del` deletes the key.",
                ByAction({"delete": "del"}, "set"),
                required=True,
                example="set",
            ),
        ]
        expire_ms: Annotated[
            int | None,
            Integer(minimum=1, maximum=MAX_EXPIRE_MS, unit="ms"),
            Routed(
                "Milliseconds after which Redis deletes the key.",
                Const(None),
                static=Static.OPTIONAL,
                example=3_600_000,
                label="Expiration (ms)",
                note="In dynamic mode the configured expiration is not used.",
            ),
        ] = None

    @staticmethod
    def encode(config: Config, message: Message, routing: Routing, payload: Payload) -> Command:
        name = routing.key
        key = name.encode("utf-8", "surrogatepass")
        if routing.action == "del":
            wire = b"*2\r\n$3\r\nDEL\r\n$%d\r\n%b\r\n" % (len(key), key)
            return Command(name, None, None, wire)
        content = payload.value
        value = content.encode("utf-8", "surrogatepass") if type(content) is str else payload.json
        expire = routing.expire_ms
        if expire is None:
            wire = b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
                len(key), key, len(value), value,
            )  # fmt: skip
        else:
            time = b"%d" % expire
            wire = b"*5\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$2\r\nPX\r\n$%d\r\n%b\r\n" % (
                len(key), key, len(value), value, len(time), time,
            )  # fmt: skip
        return Command(name, value, expire, wire)

    @staticmethod
    def command(config: Any, record: Command) -> ShellCommand:
        from routestudio.sinks._shared.redis.shell import as_text, redis_cli

        if record.value is None:
            return redis_cli(config.account(), "DEL", record.key)
        expire = ("PX", str(record.expire_ms)) if record.expire_ms is not None else ()
        return redis_cli(config.account(), "SET", record.key, as_text(record.value), *expire)

    @staticmethod
    def connect(config: Config) -> Link:
        return _StringLink(config.account())

    @classmethod
    def at_standin(cls, config: Config, address: StandinAddress) -> Config:
        return cls.Config(host=address.host, port=address.port, database=config.database)


class _StringLink(RedisLink):
    def probe(self, target: Any) -> Probe:
        if target.action == "del":
            return Probe(target.key, ("DEL", target.key), grows=False)
        px = ("PX", str(target.expire_ms)) if target.expire_ms else ()
        return Probe(target.key, ("SET", target.key, "value", *px))
