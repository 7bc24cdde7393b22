"""Shared by sinks that speak the Redis protocol: their settings, and batches to a server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import SecretStr

from routestudio.model.fields import Difference, Flag, Integer, Secret, Text, Ui
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.sinks._shared.redis.cluster import Cluster, Keyed
from routestudio.sinks._shared.redis.node import ELSEWHERE, Account, Node, outcome_of
from routestudio.sinks._shared.redis.order import Ordered
from routestudio.sinks.base import InOrder, Link, SinkConfig, SinkRouting

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection


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
    Difference(
        "cluster",
        "A Redis cluster is followed: each command goes to the server that holds its key. A Sequin "
        "server sends everything to the one server of its configuration, and ignores that this "
        "one refuses the keys that others hold, so such changes are lost.",
    ),
)
"""Where Redis sinks knowingly differ from a Sequin server."""


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
    """Sends packed commands in pipelines, one connection per batch in flight.

    A server that names another one for a key is one of a cluster: from then on batches go to those
    that hold their keys.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._node = Node(account)
        self._ordered = Ordered(outcome_of)
        self._cluster: Cluster | None = None

    async def send(self, batch: Sequence[Keyed]) -> Sequence[Outcome]:
        if not batch:
            return []
        if self._cluster is not None:
            return await self._cluster.send(batch)
        if isinstance(batch, InOrder):
            outcomes = await self._send_in_order(batch)
        else:
            outcomes = await self._node.pipeline([item.wire for item in batch])
        if all(each.code not in ELSEWHERE for each in outcomes):
            return outcomes
        if self._cluster is None:  # several batches may find it out at the same time
            self._cluster = Cluster(self._account)
        if isinstance(batch, InOrder):
            # What was not taken comes again, and is then sent in waves.
            return outcomes
        left = [index for index, each in enumerate(outcomes) if each.code in ELSEWHERE]
        again = await self._cluster.send([batch[index] for index in left])
        for index, outcome in zip(left, again, strict=True):
            outcomes[index] = outcome
        return outcomes

    async def _send_in_order(self, batch: InOrder) -> list[Outcome]:
        async def talk(connection: Connection, found: dict[int, Outcome]) -> None:
            await self._ordered.send(connection, batch, found)

        return await self._node.run(len(batch), talk, whole=True)

    @abstractmethod
    def probe(self, target: SinkRouting) -> Probe:
        """What to ask the server about one target."""

    async def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        from routestudio.sinks._shared.redis.check import check_server

        probes = list(dict.fromkeys(map(self.probe, targets)))
        async with aclosing(check_server(self._account, probes)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield step

    async def close(self) -> None:
        await self._node.close()
        if self._cluster is not None:
            await self._cluster.close()
