"""The stand-ins of search engines, used by an HTTP client and by the sinks themselves."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from routestudio.model.message import message_from
from routestudio.model.outcome import DELIVERED
from routestudio.sinks import standins
from routestudio.sinks.base import Payload, StandinAddress
from routestudio.sinks.binding import bind
from routestudio.sinks.meilisearch.sink import Meilisearch
from routestudio.sinks.meilisearch.standin import MeilisearchStandin
from routestudio.sinks.standin import Standin
from routestudio.sinks.typesense.sink import Typesense
from routestudio.sinks.typesense.standin import TypesenseStandin
from tests.support.openapi import Description

Started = tuple[Standin, StandinAddress]


@pytest.fixture
async def typesense() -> AsyncIterator[Started]:
    standin = TypesenseStandin()
    yield standin, await standin.start()
    await standin.stop()


@pytest.fixture
async def meilisearch() -> AsyncIterator[Started]:
    standin = MeilisearchStandin()
    yield standin, await standin.start()
    await standin.stop()


async def asked(
    started: Started, method: str, target: str, body: bytes = b"", **headers: str
) -> httpx.Response:
    address = started[1]
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(base_url=f"http://{address.host}:{address.port}") as client:
        return await client.request(method, target, content=body, headers=sent)


def test_they_are_found_by_kind() -> None:
    assert standins.kinds()["typesense"] is TypesenseStandin
    assert standins.kinds()["meilisearch"] is MeilisearchStandin


async def test_typesense_keeps_documents_and_deletes(typesense: Started) -> None:
    lines = b'{"id":"1","n":"\xc3\xa9"}\n{"id":2}\nnot json\n{"id":"a/b"}'
    answer = await asked(typesense, "POST", "/collections/a%2Fb/documents/import?action=emplace",
                         lines)  # fmt: skip
    results = [json.loads(line) for line in answer.text.split("\n")]
    assert [result["success"] for result in results] == [True, False, False, True]
    assert {result.get("code") for result in results} == {None, 400}
    gone = await asked(typesense, "DELETE", "/collections/a%2Fb/documents/a%2Fb")
    assert gone.json() == {"id": "a/b"}
    found = (await asked(typesense, "GET", "/collections/a%2Fb")).json()
    assert (found["name"], found["num_documents"]) == ("a/b", 1)
    arrived = await typesense[0].arrived()
    assert [(a.destination, a.key, a.body, a.details["action"]) for a in arrived] == [
        ("a/b", "1", '{"id":"1","n":"é"}', "index"), ("a/b", "a/b", '{"id":"a/b"}', "index"),
        ("a/b", "a/b", "", "delete"),
    ]  # fmt: skip
    await typesense[0].clear()
    assert list(await typesense[0].arrived()) == []
    assert (await asked(typesense, "GET", "/collections")).json() == []
    assert (await asked(typesense, "GET", "/other")).status_code == 404


async def test_meilisearch_keeps_documents_deletes_and_edits(meilisearch: Started) -> None:
    lines = gzip.compress(b'{"m":{"k":1}}\n{"m":{"k":"b"}}')
    added = await asked(meilisearch, "POST", "/indexes/shop/documents?primaryKey=m.k", lines,
                        content_encoding="gzip")  # fmt: skip
    assert (added.status_code, added.json()["taskUid"]) == (202, 0)
    await asked(meilisearch, "POST", "/indexes/shop/documents/delete-batch", b'[1,"b"]')
    await asked(meilisearch, "POST", "/indexes/shop/documents/edit", b'{"function":"x"}')
    for number, kind in enumerate(("AdditionOrUpdate", "Deletion", "Edition")):
        task = (await asked(meilisearch, "GET", f"/tasks/{number}")).json()
        assert (task["status"], task["type"]) == ("succeeded", f"document{kind}")
    assert (await asked(meilisearch, "GET", "/indexes/shop")).json()["primaryKey"] == "m.k"
    arrived = await meilisearch[0].arrived()
    assert [(a.key, a.body, a.details["action"]) for a in arrived] == [
        ("1", '{"m":{"k":1}}', "index"), ("b", '{"m":{"k":"b"}}', "index"), ("1", "", "delete"),
        ("b", "", "delete"), (None, '{"function":"x"}', "function"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("documents", b"", 400), ("documents", b"x", 400), ("documents", b"[1]", 400),
     ("documents/delete-batch", b'{"a":1}', 400), ("documents/all", b"{}", 404)],
)  # fmt: skip
async def test_meilisearch_refuses_what_is_malformed(
    meilisearch: Started, path: str, body: bytes, status: int
) -> None:
    answer = await asked(meilisearch, "POST", f"/indexes/shop/{path}", body)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert (await asked(meilisearch, "GET", "/tasks/0")).status_code == 404
    assert list(await meilisearch[0].arrived()) == []


@pytest.mark.slow
async def test_they_answer_as_the_vendors_describe(
    typesense: Started, meilisearch: Started, typesense_api: Description,
    meilisearch_api: Description,
) -> None:  # fmt: skip
    async def follow(started: Started, api: Description, method: str, target: str,
                     body: bytes = b"", kind: str = "application/json") -> None:  # fmt: skip
        key = "authorization" if api is meilisearch_api else "x-typesense-api-key"
        headers = {key: "Bearer k", "content-type": kind}
        found = await asked(started, method, target, body,
                            **{k.replace("-", "_"): v for k, v in headers.items()})  # fmt: skip
        api.allow(method, target, headers.items(), body, found.status_code, found.content)

    documents = "/collections/a/documents"
    await follow(typesense, typesense_api, "POST", f"{documents}/import?action=emplace",
                 b'{"id":"1"}', "application/octet-stream")  # fmt: skip
    for target in ("/health", "/keys", "/collections", "/collections/a"):
        await follow(typesense, typesense_api, "GET", target)
    await follow(typesense, typesense_api, "DELETE", f"{documents}/1")
    await follow(meilisearch, meilisearch_api, "POST", "/indexes/a/documents", b'{"id":1}',
                 "application/x-ndjson")  # fmt: skip
    await follow(meilisearch, meilisearch_api, "POST", "/indexes/a/documents/delete-batch", b"[1]")
    for target in ("/health", "/tasks?limit=1", "/tasks/0", "/indexes", "/indexes/a",
                   "/experimental-features"):  # fmt: skip
        await follow(meilisearch, meilisearch_api, "GET", target)


VALUES = {"endpoint_url": "https://search.example", "api_key": "key-123456"}


@pytest.mark.parametrize("action", ["index", "delete", "function"])
async def test_a_sink_delivers_each_action(meilisearch: Started, action: str) -> None:
    config = bind(Meilisearch, {**VALUES, "index_name": "shop"}, dynamic=False).config
    given: dict[str, Any] = {"filter": "a = 1", "function": "doc.n = 1"}
    routing = Meilisearch.Routing(action=action, index_name="shop", **given)
    await deliver(Meilisearch, config, meilisearch, routing, action)


@pytest.mark.parametrize("action", ["index", "delete"])
async def test_a_typesense_sink_delivers_each_action(typesense: Started, action: str) -> None:
    config = bind(Typesense, {**VALUES, "collection_name": "shop"}, dynamic=False).config
    routing = Typesense.Routing(action=action, collection_name="shop")
    await deliver(Typesense, config, typesense, routing, action)


async def deliver(sink: Any, config: Any, started: Started, routing: Any, action: str) -> None:
    """Three messages arrive as three entries, after a check without any failure."""
    standin, address = started
    moved = sink.at_standin(config, address)
    batch = []
    for number in range(3):
        message = message_from({"action": "insert", "record": {"id": number}})
        batch.append(sink.encode(moved, message, routing, Payload({"id": str(number)})))
    link = sink.connect(moved)
    try:
        steps = [step async for step in link.check([routing])]
        assert list(await standin.arrived()) == []
        assert list(await link.send(batch)) == [DELIVERED] * 3
    finally:
        await link.close()
    assert [step.status for step in steps] == ["passed", "passed", "skipped", "passed", "passed"]
    arrived = await standin.arrived()
    assert [each.details["action"] for each in arrived] == [action] * 3
    assert {each.destination for each in arrived} == {"shop"}
