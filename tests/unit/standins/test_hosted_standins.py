"""Stand-ins of Elasticsearch, S2 and Event Hubs, asked by a plain HTTP client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from routestudio.sinks import standins
from routestudio.sinks.standin import Standin


class Asker:
    """A stand-in with a client."""

    def __init__(self, standin: Standin, client: httpx.AsyncClient) -> None:
        self.standin, self.client = standin, client

    async def post(self, path: str, body: bytes) -> tuple[int, Any]:
        answer = await self.client.post(path, content=body)
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, answer.text

    async def bodies(self) -> list[tuple[str, str]]:
        return [(item.destination, item.body) for item in await self.standin.arrived()]


@asynccontextmanager
async def asking(kind: str) -> AsyncIterator[Asker]:
    standin = standins.create(kind)
    address = await standin.start()
    try:
        base = f"http://{address.host}:{address.port}"
        async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
            yield Asker(standin, client)
    finally:
        await standin.stop()


async def test_elasticsearch_answers_entry_by_entry() -> None:
    async with asking("elasticsearch") as asker:
        body = b'{"index":{"_id":"1"}}\n{"a":"\xc3\xbc"}\n{"delete":{"_id":"2"}}\n'
        status, answer = await asker.post("/orders/_bulk", body)
        assert status == 200
        assert [next(iter(item)) for item in answer["items"]] == ["index", "delete"]
        assert await asker.bodies() == [("orders", '{"a":"ü"}'), ("orders", "")]
        for bad in (b"nonsense\n", b'{"update":{}}\n{}\n', b"[]\n"):
            assert (await asker.post("/orders/_bulk", bad))[0] == 400
        assert (await asker.post("/orders/_search", b"{}"))[0] == 400


async def test_s2_numbers_records_and_keeps_conditions() -> None:
    async with asking("s2") as asker:
        records = json.dumps({"records": [{"body": "a"}, {"body": "ü"}]}).encode()
        assert (await asker.post("/v1/streams/s/records", records))[1]["end"]["seq_num"] == 2
        assert (await asker.post("/v1/streams/s/records", records))[1]["start"]["seq_num"] == 2
        never = json.dumps({"records": [{"body": ""}], "match_seq_num": 99}).encode()
        assert (await asker.post("/v1/streams/s/records", never))[0] == 412
        assert (await asker.post("/v1/streams/s/records", b"{}"))[0] == 400
        assert (await asker.post("/v1/streams/s/records", b"\xff"))[0] == 400
        assert [body for _, body in await asker.bodies()] == ["a", "ü", "a", "ü"]
        await asker.standin.clear()
        assert (await asker.post("/v1/streams/s/records", records))[1]["start"]["seq_num"] == 0


async def test_event_hubs_takes_batches_of_events() -> None:
    async with asking("event_hub") as asker:
        events = json.dumps([{"Body": "one"}, {"Body": "zwei"}]).encode()
        assert (await asker.post("/orders/messages", events))[0] == 201
        for bad in (b"", b"{}", b'["x"]'):
            assert (await asker.post("/orders/messages", bad))[0] == 400
        assert await asker.bodies() == [("orders", "one"), ("orders", "zwei")]
        assert "not supported" in (await asker.client.get("/orders/nowhere")).text


async def test_web_pages_are_not_answered() -> None:
    """A page of another site can send requests to this machine, by its address or a name."""
    async with asking("http") as asker:
        strange = [("Origin", "http://evil.example"), ("Origin", "null"),
                   ("Host", "evil.example"), ("Host", "127.0.0.1.evil.example:80")]  # fmt: skip
        for headers in (dict([pair]) for pair in strange):
            answer = await asker.client.post("/orders", content=b"{}", headers=headers)
            assert answer.status_code == 403
        assert await asker.bodies() == []
        for host in ("localhost:1", "127.0.0.1"):
            answer = await asker.client.post("/orders", content=b"{}", headers={"Host": host})
            assert answer.status_code == 200


async def test_http_on_the_port_of_redis_ends_the_connection() -> None:
    standin = standins.create("redis")
    address = await standin.start()
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nSET stolen 1\r\n")
        assert b"OK" not in await reader.read()
        writer.close()
        assert await standin.arrived() == []
    finally:
        await standin.stop()
