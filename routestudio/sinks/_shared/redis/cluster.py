"""A Redis cluster: which of its servers holds a key, and batches cut up between them.

A key's slot is a checksum of it; each server holds some of the 16,384 slots, and names another one
for the others (`MOVED`, or `ASK` while a slot is moved). See
https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/.
"""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from routestudio.model.outcome import DELIVERED, Outcome
from routestudio.sinks._shared.redis.node import Account, Node, Redirect
from routestudio.sinks._shared.waves import in_waves
from routestudio.sinks.base import InOrder

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

SLOTS: Final = 16_384
_ROUNDS: Final = 5
"""How often a command follows a redirection before it is tried again later."""
_ASKING: Final = b"*1\r\n$6\r\nASKING\r\n"
_TOPOLOGY: Final = b"*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n"

Address = tuple[str, int]


class Keyed(Protocol):
    """A record that is one ready command for one key."""

    @property
    def key(self) -> str: ...

    @property
    def wire(self) -> bytes: ...


def slot_of(key: str) -> int:
    """The slot of a key; of a key with braces, that of the first text between them."""
    raw = key.encode("utf-8", "surrogatepass")
    _, opened, rest = raw.partition(b"{")
    tag, closed, _ = rest.partition(b"}")
    return binascii.crc_hqx(tag if opened and closed and tag else raw, 0) % SLOTS


def owners(reply: Any, asked: str) -> dict[int, Address]:
    """Who holds which slot, from the reply to CLUSTER SLOTS of the server `asked`.

    A server that does not know its own address sends none; it is the one that was asked.
    """
    found: dict[int, Address] = {}
    for entry in reply if isinstance(reply, list) else []:
        first, last, (host, port, *_), *_ = entry
        name = host.decode("utf-8", "replace") if isinstance(host, bytes) else host
        address = (name if name and name != "?" else asked, int(port))
        found.update(dict.fromkeys(range(int(first), int(last) + 1), address))
    return found


class Cluster:
    """Sends batches to the servers of a cluster; `account` is that of the one that is known."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._nodes: dict[Address, Node] = {}
        self._owners: dict[int, Address] = {}
        self._stale = True

    async def send(self, batch: Sequence[Keyed]) -> list[Outcome]:
        """The outcomes of a batch. Nothing of a group passes what failed of it."""
        if not isinstance(batch, InOrder):
            return await self._scatter(batch)
        found: dict[int, Outcome] = {}

        async def scatter(wave: Sequence[int]) -> None:
            found.update(zip(wave, await self._scatter([batch[i] for i in wave]), strict=True))

        await in_waves(batch, found, scatter)
        return [found[index] for index in range(len(batch))]

    async def close(self) -> None:
        """End all connections."""
        for node in self._nodes.values():
            await node.close()

    async def _scatter(self, batch: Sequence[Keyed]) -> list[Outcome]:
        """A pipeline to each server that holds some of the keys, and again where it names others.

        Commands for one key stay in their order.
        """
        if self._stale:
            await self._look_around()
        slots = [slot_of(item.key) for item in batch]
        found: dict[int, Outcome] = {}
        asked: dict[int, Address] = {}
        left = list(range(len(batch)))
        for _ in range(_ROUNDS):
            parts: dict[tuple[Address, bool], list[int]] = {}
            for index in left:
                place = asked.get(index) or self._owners.get(slots[index]) or self._known
                parts.setdefault((place, index in asked), []).append(index)
            results = await asyncio.gather(
                *(self._part(place, once, [batch[i].wire for i in indexes])
                  for (place, once), indexes in parts.items())
            )  # fmt: skip
            asked, left = {}, []
            for indexes, (outcomes, moves) in zip(parts.values(), results, strict=True):
                for position, index in enumerate(indexes):
                    found[index] = outcomes[position]
                    if (to := moves.get(position)) is None:
                        self._stale = self._stale or outcomes[position].unreachable
                        continue
                    left.append(index)
                    if to.once:
                        asked[index] = (to.host, to.port)
                    else:
                        self._owners[to.slot] = (to.host, to.port)
            if not left:
                break
            left.sort()
        return [found[index] for index in range(len(batch))]

    async def _part(
        self, place: Address, once: bool, wires: list[bytes]
    ) -> tuple[list[Outcome], dict[int, Redirect]]:
        moves: dict[int, Redirect] = {}
        if once:
            wires = [_ASKING + wire for wire in wires]
        outcomes = await self._node(place).pipeline(wires, moves, before=int(once))
        return [self._named(place, each) for each in outcomes], moves

    def _named(self, place: Address, outcome: Outcome) -> Outcome:
        """What cannot be reached is named: it is not the server of the configuration."""
        if not outcome.unreachable or place == self._known:
            return outcome
        host, port = place
        return replace(outcome, reason=f"{host}:{port} of the cluster: {outcome.reason}")

    @property
    def _known(self) -> Address:
        return self._account.host, self._account.port

    def _node(self, place: Address) -> Node:
        if place not in self._nodes:
            host, port = place
            self._nodes[place] = Node(replace(self._account, host=host, port=port))
        return self._nodes[place]

    async def _look_around(self) -> None:
        """Ask who holds which slot. Without an answer the redirections have to do."""
        self._stale = False
        for place in [self._known, *(each for each in self._nodes if each != self._known)]:
            if found := await self._slots(place):
                self._owners = found
                return

    async def _slots(self, place: Address) -> dict[int, Address]:
        found: dict[int, Address] = {}

        async def talk(connection: Connection, outcomes: dict[int, Outcome]) -> None:
            from redis.exceptions import ResponseError

            await connection.send_packed_command(_TOPOLOGY)
            try:
                found.update(owners(await connection.read_response(), place[0]))
            except ResponseError:
                pass  # the user may not ask
            outcomes[0] = DELIVERED

        await self._node(place).run(1, talk)
        return found
