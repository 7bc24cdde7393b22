"""Of a name with several addresses, the first that answers counts (RFC 8305)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from routestudio.sinks._shared.http.dial import dialled, reason

NAME = "several.invalid"
V4, V6 = "127.0.0.1", "::1"


class Dialling:
    """A loop whose names and connections are made up: what an address does is an event to wait
    for, or an error."""

    def __init__(self, loop: Any, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        self.tried: list[str] = []
        self.two = asyncio.Event()
        self.ended: list[str] = []
        self.does: dict[str, asyncio.Event | Exception] = {}
        self.addresses: list[str] = []
        self._real, self._port = loop.create_connection, port
        monkeypatch.setattr(loop, "getaddrinfo", self._resolve)
        monkeypatch.setattr(loop, "create_connection", self._connect)

    async def _resolve(self, host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port))
                for each in self.addresses]  # fmt: skip

    async def _connect(self, protocol: Any, host: str, port: int, **_: object) -> Any:
        self.tried.append(host)
        if len(self.tried) == 2:
            self.two.set()
        does = self.does.get(host)
        try:
            if isinstance(does, Exception):
                raise does
            if does is not None:
                await does.wait()
            return await self._real(protocol, V4, self._port)
        finally:
            self.ended.append(host)


@pytest.fixture
async def dialling(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dialling]:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, V4, 0)
    loop = asyncio.get_running_loop()
    yield Dialling(loop, monkeypatch, server.sockets[0].getsockname()[1])
    monkeypatch.undo()
    server.close()
    await server.wait_closed()


async def connects() -> None:
    transport, _ = await dialled(asyncio.Protocol, NAME, 80)
    assert not transport.is_closing()
    transport.abort()
    await asyncio.sleep(0)


async def test_kinds_of_addresses_take_turns_and_a_refusal_lets_the_next_begin(
    dialling: Dialling,
) -> None:
    dialling.addresses = ["::1", "::2", "::2", "10.0.0.1", "10.0.0.2"]
    dialling.does = {each: ConnectionRefusedError(111, "refused") for each in ("::1", "10.0.0.1")}
    await connects()
    assert dialling.tried == ["::1", "10.0.0.1", "::2"]


async def test_one_that_does_not_answer_does_not_hold_up_the_next(dialling: Dialling) -> None:
    dialling.addresses = [V6, V4]
    dialling.does = {V6: asyncio.Event()}
    await connects()
    assert dialling.tried == [V6, V4]
    assert sorted(dialling.ended) == sorted([V6, V4])


async def test_the_first_one_counts_although_another_was_begun(dialling: Dialling) -> None:
    late = asyncio.Event()
    dialling.addresses = [V6, V4]
    dialling.does = {V6: late, V4: asyncio.Event()}
    waiting = asyncio.ensure_future(connects())
    await dialling.two.wait()
    late.set()
    await waiting
    assert sorted(dialling.ended) == sorted([V6, V4])


async def test_of_two_at_once_one_is_closed_again(dialling: Dialling) -> None:
    both = asyncio.Event()
    dialling.addresses = [V6, V4]
    dialling.does = {V6: both, V4: both}
    waiting = asyncio.ensure_future(connects())
    await dialling.two.wait()
    both.set()
    await waiting  # a socket that stays open fails the test


async def test_why_none_can_be_reached(dialling: Dialling) -> None:
    dialling.addresses = [V4]
    dialling.does = {V4: ConnectionRefusedError(111, "refused"), V6: OSError(101, "no way")}
    with pytest.raises(OSError, match="refused") as one:
        await connects()
    assert reason(one.value) == "Connection refused"
    dialling.addresses = [V4, V6]
    with pytest.raises(OSError, match="no address of the host can be reached"):
        await connects()


async def test_a_server_that_breaks_tls_has_answered(dialling: Dialling) -> None:
    dialling.addresses = [V4, V6]
    dialling.does = {V4: ssl.SSLError(1, "wrong version number")}
    with pytest.raises(ssl.SSLError):
        await connects()
    assert dialling.tried == [V4]


async def test_giving_up_ends_all_attempts(dialling: Dialling) -> None:
    dialling.addresses = [V4, V6]
    dialling.does = {V4: asyncio.Event(), V6: asyncio.Event()}
    waiting = asyncio.ensure_future(connects())
    await dialling.two.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert sorted(dialling.ended) == sorted([V4, V6])
