"""Shared by sinks that speak the Redis protocol: account, connections, replies as outcomes."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

from pydantic import SecretStr

from routestudio.model.fields import Difference, Flag, Integer, Secret, Text, Ui
from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, rejected, retry, unreachable
from routestudio.sinks._idle import Idle, fresh, unread
from routestudio.sinks._redis_order import Ordered
from routestudio.sinks.base import InOrder, Link, SinkConfig, SinkRouting

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

TIMEOUT: Final = 15.0
"""Seconds for one pipeline with all its replies, as on a Sequin server."""

CONNECT_TIMEOUT: Final = 10.0
_CODES: Final = {
    "BusyLoadingError": "LOADING",
    "ReadOnlyError": "READONLY",
    "OutOfMemoryError": "OOM",
    "NoPermissionError": "NOPERM",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "TryAgainError": "TRYAGAIN",
    "MovedError": "MOVED",
    "AskError": "ASK",
    "AuthenticationError": "NOAUTH",
    "AuthenticationWrongNumberOfArgsError": "NOAUTH",
    "AuthorizationError": "NOAUTH",
    "MaxConnectionsError": "MAXCLIENTS",
}
_PASSING: Final = frozenset(
    {"LOADING", "READONLY", "OOM", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS",
     "MISCONF", "UNKILLABLE", "MAXCLIENTS", "FAILOVER"}
)  # fmt: skip
CLUSTER: Final = "this is a Redis cluster of several servers, which this sink cannot follow"
_OF_THE_SERVER: Final = frozenset({"NOAUTH", "MOVED", "ASK"})
"""What the server answers to everybody, so that no record is to blame."""

_HINTS: Final = {
    "NOPERM": "the user may not do this",
    "NOAUTH": "the server refused the credentials",
    "MOVED": CLUSTER,
    "ASK": CLUSTER,
    "OOM": "the server's memory is full",
    "READONLY": "the server is a read-only replica",
    "LOADING": "the server is still loading its data",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Where a Redis server is and as whom to use it."""

    host: str
    port: int
    username: str | None
    password: SecretStr | None
    tls: bool
    database: int

    def connection(self, *, select: bool = True) -> Connection:
        """An unconnected client connection; `select` off leaves it at database 0."""
        from redis.asyncio.connection import Connection, SSLConnection

        kind = SSLConnection if self.tls else Connection
        return kind(
            host=self.host,
            port=self.port,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            db=self.database if select else 0,
            protocol=2,
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=None,
        )


class AccountConfig(SinkConfig):
    """Where a Redis server is and as whom to use it: the same for every Redis sink."""

    host: Annotated[
        str,
        Text(max=255, pattern=r"[^\s/@]+", pattern_text="must be a host name or an address"),
        Ui("Host", example="localhost", card=True),
    ]
    port: Annotated[int, Integer(minimum=1, maximum=65535), Ui("Port", example="6379", card=True)]
    username: Annotated[
        str | None,
        Text(max=255),
        Ui("Username", "Only for servers with access control lists.", group="Authentication"),
    ] = None
    password: Annotated[SecretStr | None, Secret(), Ui("Password", group="Authentication")] = None
    tls: Annotated[bool, Flag(), Ui("TLS", "Encrypt the connection.", card=True)] = False
    database: Annotated[
        int, Integer(minimum=0), Ui("Database", "Number of the database.", card=True)
    ] = 0

    def account(self) -> Account:
        """The account that these settings describe."""
        return Account(self.host, self.port, self.username, self.password, self.tls, self.database)


DIFFERENCES: Final = (
    Difference(
        "tls_verified",
        "With TLS, the server's certificate is verified against the system's trusted "
        "authorities (or SSL_CERT_FILE). A Sequin server does not verify it.",
        "tls",
    ),
    Difference(
        "replies",
        "The reply to each command is read: what Redis refuses is tried again or goes to the "
        "dead letters. A Sequin server ignores these replies, so such changes are lost.",
    ),
)
"""Where Redis sinks knowingly differ from a Sequin server."""


class Packed(Protocol):
    """A record that is one ready Redis command."""

    @property
    def wire(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Probe:
    """A key, and a command that delivery would use for it, as its parts.

    `holds` is what must be under the key for the command, if there is anything; `None`: whatever.
    `grows`: the command is refused while the server's memory is full.
    """

    key: str
    command: tuple[str, ...]
    holds: str | None = None
    grows: bool = True


class RedisLink(Link, ABC):
    """Sends packed commands in pipelines, one connection per batch in flight."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._idle: Idle[Connection] = Idle()
        self._ordered = Ordered(outcome_of)

    async def send(self, batch: Sequence[Packed]) -> Sequence[Outcome]:
        if not batch:
            return []
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                connection = await self._take()
        except TimeoutError:
            lost = unreachable("connect_timeout", f"no connection within {CONNECT_TIMEOUT:g} s")
            return [lost] * len(batch)
        except Exception as error:
            return [_refused_connection(error)] * len(batch)
        if isinstance(batch, InOrder):
            return await self._send_in_order(connection, batch)
        outcomes: list[Outcome] = []
        try:
            async with asyncio.timeout(TIMEOUT):
                await connection.send_packed_command(b"".join([item.wire for item in batch]))
                await _replies(connection, len(batch), outcomes)
        except TimeoutError:
            rest = retry("timeout", f"no reply within {TIMEOUT:g} s", unknown=True)
        except Exception as error:
            rest = _broken_off(error)
            if rest.code == "LOADING":
                # The client ends the connection at this reply, and later commands may have fared
                # better: the server may have been ready in the middle of the pipeline.
                outcomes.append(rest)
                rest = replace(rest, unknown=True)
        else:
            self._idle.give(connection)
            return outcomes
        finally:
            if len(outcomes) < len(batch):
                await connection.disconnect(nowait=True)
        return outcomes + [rest] * (len(batch) - len(outcomes))

    async def _send_in_order(self, connection: Connection, batch: InOrder) -> Sequence[Outcome]:
        found: dict[int, Outcome] = {}
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._ordered.send(connection, batch, found)
        except TimeoutError:
            rest = retry("timeout", f"no reply within {TIMEOUT:g} s", unknown=True)
        except Exception as error:
            rest = replace(_broken_off(error), unknown=True)
        else:
            self._idle.give(connection)
            return [found[index] for index in range(len(batch))]
        finally:
            if len(found) < len(batch):
                await connection.disconnect(nowait=True)
        return [found.get(index, rest) for index in range(len(batch))]

    @abstractmethod
    def probe(self, target: SinkRouting) -> Probe:
        """What to ask the server about one target."""

    async def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        from routestudio.sinks._redis_check import check_server

        probes = list(dict.fromkeys(map(self.probe, targets)))
        async with aclosing(check_server(self._account, probes)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield step

    async def close(self) -> None:
        for connection in self._idle.empty():
            await connection.disconnect()

    async def _take(self) -> Connection:
        """An idle connection that still lives, else a new one."""
        found = await self._idle.take(_usable, _drop)
        return found or await connected(self._account.connection())


async def connected(connection: Connection) -> Connection:
    """Connect; when that fails or is cancelled, nothing stays open."""
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return connection


async def _replies(connection: Connection, count: int, outcomes: list[Outcome]) -> None:
    """Read `count` replies into `outcomes`. Raises when the connection ends before the last."""
    from redis.exceptions import ResponseError

    read = connection.read_response
    for _ in range(count):
        try:
            await read()
        except ResponseError as error:
            outcomes.append(outcome_of(error))
        else:
            outcomes.append(DELIVERED)


def code_of(error: BaseException) -> str:
    """The code of a Redis error reply, e.g. `WRONGTYPE`; `ERR` when it has none."""
    for kind in type(error).__mro__:
        if kind.__name__ in _CODES:
            return _CODES[kind.__name__]
    word = str(error).partition(" ")[0]
    return word if word.isupper() and word.isalpha() else "ERR"


def outcome_of(error: BaseException) -> Outcome:
    """The outcome of a command that Redis answered with an error."""
    code = code_of(error)
    hint = _HINTS.get(code)
    reason = f"{hint}: {error}" if hint else str(error)
    if code in _OF_THE_SERVER:
        # Rejecting the records would empty the source into the dead letters.
        return unreachable(code, reason)
    return retry(code, reason) if code in _PASSING else rejected(code, reason)


def _refused_connection(error: Exception) -> Outcome:
    code = code_of(error)
    if code != "ERR":
        return outcome_of(error)
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return unreachable("tls", f"the server's certificate is not trusted: {text}")
    return unreachable("connect", f"no connection to Redis: {text}")


def _broken_off(error: Exception) -> Outcome:
    """The outcome of commands whose replies did not come.

    Some error replies end the connection in the client library; these mean that the command was
    not carried out.
    """
    if code_of(error) != "ERR":
        return outcome_of(error)
    return retry("connection_lost", f"the connection ended early: {error}", unknown=True)


async def _drop(connection: Connection) -> None:
    await connection.disconnect(nowait=True)


async def _usable(connection: Connection, since: float) -> bool:
    """Whether an idle connection has neither ended nor unread bytes."""
    if unread(getattr(connection, "_reader", None)):
        return False
    if fresh(since):
        return True
    probe: Any = getattr(connection, "can_read", None) or connection.can_read_destructive
    try:
        return bool(connection.is_connected) and not await probe()
    except Exception:
        return False
