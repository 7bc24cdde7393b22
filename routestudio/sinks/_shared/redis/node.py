"""One Redis server: whose it is, its connections, pipelines to it, and replies as outcomes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from routestudio.model.outcome import DELIVERED, Outcome, rejected, retry, unreachable
from routestudio.sinks._shared import tls as machine_tls
from routestudio.sinks._shared.idle import Idle, fresh, unread

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
ELSEWHERE: Final = frozenset({"MOVED", "ASK"})
"""How a server of a cluster answers for a key that another one holds."""

_OF_THE_SERVER: Final = frozenset({"NOAUTH", *ELSEWHERE})
"""What the server answers to everybody, so that no record is to blame."""

_MOVING: Final = "the cluster moves this key from server to server"
_HINTS: Final = {
    "NOPERM": "the user may not do this",
    "NOAUTH": "the server refused the credentials",
    "MOVED": _MOVING,
    "ASK": _MOVING,
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

        kind: type[Connection] = SSLConnection if self.tls else Connection
        return kind(
            host=self.host,
            port=self.port,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            db=self.database if select else 0,
            protocol=2,
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=None,
            **(machine_tls.redis() if self.tls else {}),
        )


@dataclass(frozen=True, slots=True)
class Redirect:
    """The server of a cluster that holds a key, as another one names it. `once`: for now (ASK)."""

    slot: int
    host: str
    port: int
    once: bool


class Node:
    """Pipelines to one server, one connection for each that is under way."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._idle: Idle[Connection] = Idle()

    async def run(
        self,
        count: int,
        talk: Callable[[Connection, dict[int, Outcome]], Any],
        *,
        whole: bool = False,
    ) -> list[Outcome]:
        """The outcomes of `count` commands that `talk` sends, and whose outcomes it fills in.

        It raises when the connection ends. Nothing is known then of what is missing; with `whole`
        a command may have been carried out although an earlier one ended the connection.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                connection = await self._take()
        except TimeoutError:
            lost = unreachable("connect_timeout", f"no connection within {CONNECT_TIMEOUT:g} s")
            return [lost] * count
        except Exception as error:
            return [_refused_connection(error)] * count
        found: dict[int, Outcome] = {}
        try:
            async with asyncio.timeout(TIMEOUT):
                await talk(connection, found)
        except TimeoutError:
            rest = retry("timeout", f"no reply within {TIMEOUT:g} s", unknown=True)
        except Exception as error:
            rest = _broken_off(error)
            if whole:
                rest = replace(rest, unknown=True)
            elif rest.code == "LOADING":
                # The client ends the connection at this reply, and later commands may have fared
                # better: the server may have been ready in the middle of the pipeline.
                found[len(found)] = rest
                rest = replace(rest, unknown=True)
        else:
            self._idle.give(connection)
            return [found[index] for index in range(count)]
        finally:
            if len(found) < count:
                await connection.disconnect(nowait=True)
        return [found.get(index, rest) for index in range(count)]

    async def pipeline(
        self, wires: Sequence[bytes], moves: dict[int, Redirect] | None = None, *, before: int = 0
    ) -> list[Outcome]:
        """Send commands at once; where others hold their keys, `moves` gets who.

        Of every command so many replies (`before`) are of what is sent in front of it.
        """

        async def talk(connection: Connection, found: dict[int, Outcome]) -> None:
            from redis.exceptions import AskError, ResponseError

            await connection.send_packed_command(b"".join(wires))
            read = connection.read_response
            for index in range(len(wires)):
                for _ in range(before):
                    with contextlib.suppress(ResponseError):
                        await read()
                try:
                    await read()
                except ResponseError as error:
                    found[index] = outcome_of(error)
                    if moves is not None and isinstance(error, AskError):
                        once = code_of(error) == "ASK"
                        host = error.host or self.account.host
                        moves[index] = Redirect(error.slot_id, host, error.port, once)
                else:
                    found[index] = DELIVERED

        return await self.run(len(wires), talk)

    async def close(self) -> None:
        """End the connections."""
        for connection in self._idle.empty():
            await connection.disconnect()

    async def _take(self) -> Connection:
        """An idle connection that still lives, else a new one."""
        found = await self._idle.take(_usable, _drop)
        return found or await connected(self.account.connection())


async def connected(connection: Connection) -> Connection:
    """Connect; when that fails or is cancelled, nothing stays open."""
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return connection


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
