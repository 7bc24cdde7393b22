"""The Typesense sink against a strict server that follows an API description.

No Typesense server runs here. Each exchange of these tests is held against a description of its
API (`typesense_api`), requests and answers alike.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from routestudio.engine.service import EngineService
from routestudio.model.fields import RuleError
from routestudio.model.message import message_from
from routestudio.model.outcome import Outcome
from routestudio.sinks._shared.http import service as service_module
from routestudio.sinks.base import Payload
from routestudio.sinks.typesense.sink import Document, Typesense, TypesenseLink
from tests.support.check_table import CheckTable
from tests.support.http_server import Reply
from tests.support.openapi import Description, DeviationError
from tests.support.projects import document_rows, write_project
from tests.support.typesense_server import (
    ADMIN,
    LIMITED,
    READER,
    SEARCHER,
    WRITER,
    TypesenseServer,
)

pytestmark = pytest.mark.real


def config(server: TypesenseServer, key: str = WRITER, **values: Any) -> Any:
    url = server.url.replace("127.0.0.1", "localhost") if server.receiver.authority else server.url
    return Typesense.Config.model_validate(
        {"endpoint_url": url, "api_key": SecretStr(key), **values}
    )


def document(config: Any, value: dict[str, Any], action: str = "index",
             collection: str = "orders") -> Document:  # fmt: skip
    message = message_from({"action": "insert", "record": value})
    routing = Typesense.Routing(action=action, collection_name=collection)
    return Typesense.encode(config, message, routing, Payload(value))


@asynccontextmanager
async def linked(config: Any) -> AsyncIterator[TypesenseLink]:
    link = TypesenseLink(config)
    try:
        yield link
    finally:
        await link.close()


async def send(config: Any, batch: Sequence[Document]) -> list[Outcome]:
    async with linked(config) as link:
        return list(await link.send(batch))


# --- the description of the API ------------------------------------------------------------------


async def test_every_request_and_answer_follows_the_description(
    typesense_server: TypesenseServer, typesense_api: Description
) -> None:
    server = typesense_server
    server.create("orders", total="float", **{"note?": "string?"})
    server.fail_document("2", 400, 503)
    settings = config(server, ADMIN)
    batch = [document(settings, {"id": n, "total": 1.5, "x": {"é": "\u2028"}}) for n in range(5)]
    async with linked(settings) as link:
        await link.send(batch)
        await link.send([document(settings, {"id": n}, "delete") for n in (0, 2, 99)])
        await link.send([document(settings, {"id": "a/b?c"}, collection="no such")])
        targets = [Typesense.Routing(action="index", collection_name=n) for n in ("orders", "no")]
        assert [step async for step in link.check(targets)]
    async with linked(config(server, LIMITED)) as link:
        assert [step async for step in link.check(targets)]
    operations = server.follows(typesense_api)
    assert {op.partition(" ")[2] for op in operations} == {
        "/health", "/keys", "/collections", "/collections/{collectionName}",
        "/collections/{collectionName}/documents/import",
        "/collections/{collectionName}/documents/{documentId}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "target", "body", "what"),
    [("GET", "/collections?all=1", b"", "unknown query"),
     ("GET", "/collections?limit=x", b"", "not of type integer"),
     ("GET", "/nothing", b"", "no operation"),
     ("POST", "/collections/a/documents/import?action=replace", b"{}", "'replace' is not one of"),
     ("POST", "/collections/a/documents/import?action=emplace", b"", "body is missing"),
     ("DELETE", "/collections/a/documents/1?ignore_not_found=true", b"", "unknown query"),
     ("DELETE", "/collections/a/documents/1", b"x", "body that nothing describes")],
)  # fmt: skip
def test_the_description_is_enforced(
    typesense_api: Description, method: str, target: str, body: bytes, what: str
) -> None:
    headers = [("X-TYPESENSE-API-KEY", "k"), ("content-type", "application/octet-stream")]
    with pytest.raises(DeviationError, match=what):
        typesense_api.allow(method, target, headers, body, 200, b"{}")


def test_answers_are_held_against_the_description_too(typesense_api: Description) -> None:
    headers = [("X-TYPESENSE-API-KEY", "k")]
    typesense_api.allow("GET", "/health", headers, b"", 200, b'{"ok": true}')
    for status, answer in ((200, b'{"fine": true}'), (299, b'{"ok": true}')):
        with pytest.raises(DeviationError):
            typesense_api.allow("GET", "/health", headers, b"", status, answer)
    with pytest.raises(DeviationError, match="no credentials"):
        typesense_api.allow("GET", "/collections", [], b"", 200, b"[]")


# --- delivery ----------------------------------------------------------------------------------


async def test_a_batch_is_one_request_and_order_within_it_is_kept(
    typesense_server: TypesenseServer,
) -> None:
    typesense_server.create("orders", n="int32")
    settings = config(typesense_server)
    batch = [document(settings, {"id": "same", "n": n}) for n in range(50)]
    assert {o.status for o in await send(settings, batch)} == {"delivered"}
    [exchange] = typesense_server.exchanges
    assert exchange.request.body.split(b"\n") == [d.body for d in batch]
    assert typesense_server.collections["orders"] == {"same": {"id": "same", "n": 49}}


async def test_only_the_failed_documents_of_a_batch_fail(typesense_server: TypesenseServer) -> None:
    typesense_server.create("orders", n="int32")
    typesense_server.fail_document("3", 503)
    settings = config(typesense_server)
    values: list[dict[str, Any]] = [{"id": n, "n": n} for n in range(6)]
    values[1]["n"] = "text"
    outcomes = await send(settings, [document(settings, value) for value in values])
    assert [o.status for o in outcomes] == ["delivered", "rejected", "delivered", "retry",
                                            "delivered", "delivered"]  # fmt: skip
    assert outcomes[1].reason == "Field `n` must be a int32."
    assert (outcomes[1].code, outcomes[3].code) == ("document_400", "document_503")
    assert not outcomes[3].unknown
    assert sorted(typesense_server.collections["orders"]) == ["0", "2", "4", "5"]


async def test_deletes_have_an_outcome_each(typesense_server: TypesenseServer) -> None:
    typesense_server.create("orders", n="int32")
    settings = config(typesense_server)
    names = ["1", "a/b?c#d", "...", "é ü", "%2F"]
    await send(settings, [document(settings, {"id": name, "n": 1}) for name in names])
    assert sorted(typesense_server.collections["orders"]) == sorted(names)
    typesense_server.fail_document("...", 500)
    gone = [document(settings, {"id": name}, "delete") for name in [*names, "never"]]
    outcomes = await send(settings, gone)
    assert [o.status for o in outcomes] == ["delivered", "delivered", "retry", "delivered",
                                            "delivered", "delivered"]  # fmt: skip
    assert list(typesense_server.collections["orders"]) == ["..."]
    missing = document(settings, {"id": "1"}, "delete", collection="nowhere")
    [outcome] = await send(settings, [missing])
    assert (outcome.status, outcome.code) == ("rejected", "no_collection")


@pytest.mark.parametrize("name", ["..", ".", "../documents", "a/../..", "a\\.."])
def test_no_id_climbs_to_the_collection(typesense_server: TypesenseServer, name: str) -> None:
    """Behind a proxy that undoes escapes, `DELETE …/orders/documents/..` would delete `orders`."""
    settings = config(typesense_server)
    with pytest.raises(RuleError, match="cannot be deleted"):
        document(settings, {"id": name}, "delete")
    assert document(settings, {"id": name}).id == name


@pytest.mark.parametrize("action", ["index", "delete"])
async def test_a_lost_answer_is_an_unknown_write(
    typesense_server: TypesenseServer, action: str
) -> None:
    typesense_server.create("orders", n="int32")
    settings = config(typesense_server)
    batch = [document(settings, {"id": n, "n": n}, action) for n in range(3)]
    typesense_server.lose("POST" if action == "index" else "DELETE", "/collections")
    outcomes = await send(settings, batch)
    assert [o.status for o in outcomes] == ["retry"] * 3
    assert [o.unknown for o in outcomes] == [True, action == "index", action == "index"]
    assert {o.status for o in await send(settings, batch)} == {"delivered"}


async def test_slow_answers_end_at_the_time_out(typesense_server: TypesenseServer) -> None:
    typesense_server.create("orders", n="int32")
    settings = config(typesense_server, timeout_seconds=1)
    typesense_server.hold("POST", "/collections", 5)
    [outcome] = await send(settings, [document(settings, {"id": 1, "n": 1})])
    assert (outcome.status, outcome.code, outcome.unknown) == ("retry", "timeout", True)


async def test_nothing_is_written_where_nobody_listens(
    typesense_server: TypesenseServer, closed_port: int
) -> None:
    settings = config(typesense_server, endpoint_url=f"http://127.0.0.1:{closed_port}")
    for action in ("index", "delete"):
        batch = [document(settings, {"id": n}, action) for n in range(3)]
        assert [(o.status, o.unreachable) for o in await send(settings, batch)] == (
            [("retry", True)] * 3
        )


async def test_refusals_of_a_request(typesense_server: TypesenseServer) -> None:
    server = typesense_server
    server.create("orders", n="int32")
    settings = config(server)
    batch = [document(settings, {"id": n, "n": n}) for n in range(2)]
    path = "/collections"

    async def outcome(status: int, text: str, *headers: tuple[str, str]) -> Outcome:
        server.fail("POST", path, Reply(status, json.dumps({"message": text}).encode(), headers))
        first, second = await send(settings, batch)
        assert first == second
        return first

    busy = await outcome(503, "Not Ready or Lagging", ("retry-after", "3"))
    assert (busy.status, busy.after) == ("retry", 3)
    full = await outcome(422, "Rejecting write: running out of resource type: OUT_OF_DISK")
    assert full.status == "retry"
    assert (
        await outcome(400, f"what is {WRITER}?")
    ).reason == "HTTP 400 Bad Request: what is ••••?"
    refused = await send(config(server, "wrong-key-1"), batch)
    assert all(o.unreachable for o in refused)
    assert "wrong-key-1" not in str(refused)
    [gone] = await send(settings, [document(settings, {"id": 1}, collection="nowhere")])
    assert (gone.status, gone.code) == ("rejected", "no_collection")


@pytest.mark.parametrize(
    "body",
    [b"", b'{"success":true}', b'{"success":true}\nnot json\n{"success":true}\n{"success":true}',
     b'{"success":true}\n[]\n{"ok":1}\n{"success":true}'],
)  # fmt: skip
async def test_unreadable_results_are_never_taken_for_success(
    typesense_server: TypesenseServer, body: bytes
) -> None:
    typesense_server.create("orders", n="int32")
    settings = config(typesense_server)
    typesense_server.fail("POST", "/collections", Reply(200, body))
    outcomes = await send(settings, [document(settings, {"id": n, "n": n}) for n in range(4)])
    lines = body.split(b"\n")
    sure = [len(lines) == 4 and line == b'{"success":true}' for line in (lines * 4)[:4]]
    assert [o.status == "delivered" for o in outcomes] == sure
    assert all(o.unknown for o in outcomes if o.status != "delivered")


async def test_a_request_that_is_too_large_is_split(typesense_server: TypesenseServer) -> None:
    typesense_server.create("orders", n="int32")
    settings = config(typesense_server)
    batch = [document(settings, {"id": n, "n": n, "x": "y" * 100}) for n in range(9)]
    batch.append(document(settings, {"id": "big", "n": 1, "x": "y" * 1000}))
    typesense_server.max_body = 400
    outcomes = await send(settings, batch)
    assert [o.status for o in outcomes] == ["delivered"] * 9 + ["rejected"]
    assert outcomes[-1].code == "http_413"


# --- whole routes ------------------------------------------------------------------------------

YAML = """
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: u, password: p}}
functions:
  - {{name: flat, type: transform, language: python, file: functions/flat.py}}
  - {{name: by-table, type: routing, sink_type: typesense, language: python,
     file: functions/by_table.py}}
sinks:
  - name: search
    database: shop
    transform: flat
    {routing}
    destination:
      type: typesense
      endpoint_url: {url}
      api_key: ${{TYPESENSE_KEY}}
      batch_size: 7
      {static}
"""
FLAT = """
def transform(action, record, changes, metadata):
    return {"id": record["id"], "name": record["name"], "action": action}
"""
BY_TABLE = """
def route(action, record, changes, metadata):
    return {"collection_name": "rows-" + metadata.table_name,
            "action": "delete" if action == "delete" else "index"}
"""


async def opened(
    service: EngineService, tmp_path: Path, server: TypesenseServer, dynamic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> str:  # fmt: skip
    monkeypatch.setenv("TYPESENSE_KEY", WRITER)
    text = YAML.format(
        url=server.url,
        routing="routing: by-table" if dynamic else "max_retry_count: 3",
        static="timeout_seconds: 5" if dynamic else "collection_name: rows-orders",
    )
    write_project(tmp_path, text, {"flat": FLAT, "by_table": BY_TABLE}, document_rows())
    for name in ("orders", "customers"):
        server.create(f"rows-{name}", name="string", action="string")
    await service.open(str(tmp_path))
    return "search"


def delivered(server: TypesenseServer) -> list[tuple[str, str, str]]:
    """What arrived, message by message: method, path and JSON."""
    found = []
    for each in server.exchanges:
        path = each.request.target
        if each.request.method == "DELETE":
            found.append(("DELETE", path, ""))
        elif each.request.method == "POST":
            found += [("POST", path, line.decode()) for line in each.request.body.split(b"\n")]
    return found


@pytest.mark.parametrize("dynamic", [False, True])
async def test_what_arrives_is_what_the_preview_said(
    service: EngineService, tmp_path: Path, typesense_server: TypesenseServer, dynamic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sink = await opened(service, tmp_path, typesense_server, dynamic, monkeypatch)
    seen: list[dict[str, Any]] = []
    await service.preview_all(sink, seen.append, sample="rows")
    assert len(seen) == 60
    assert all(row["ok"] for row in seen), seen[0]
    assert typesense_server.exchanges == []
    summary = await service.run(sink, sample="rows")
    assert summary["delivered"] == 60
    wanted = [
        (r["request"]["method"], r["request"]["url"].removeprefix(typesense_server.url),
         r["request"].get("body", ""))
        for r in seen
    ]  # fmt: skip
    assert sorted(delivered(typesense_server)) == sorted(wanted)
    stored: dict[str, dict[str, Any]] = {}
    for row in seen:
        place = row["routing"]["collection_name"]
        if row["routing"]["action"] == "delete":
            stored.setdefault(place, {}).pop(row["request"]["id"], None)
        else:
            stored.setdefault(place, {})[row["request"]["id"]] = json.loads(row["request"]["body"])
    assert {k: v for k, v in typesense_server.collections.items() if v} == stored


async def test_exactly_the_failed_documents_are_sent_again(
    service: EngineService, tmp_path: Path, typesense_server: TypesenseServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sink = await opened(service, tmp_path, typesense_server, True, monkeypatch)
    typesense_server.fail_document("0", 503)
    typesense_server.fail_document("40", 500)
    typesense_server.fail_document("51", 400, error="never")
    letters = tmp_path / "dead.jsonl"
    summary = await service.run(sink, sample="rows", dead_letters=str(letters))
    assert (summary["delivered"], summary["rejected"], summary["retried"]) == (59, 1, 2)
    assert "never" in letters.read_text()
    counts: dict[str, int] = {}
    for method, path, body in delivered(typesense_server):
        key = json.loads(body)["id"] + path if method == "POST" else path
        counts[key + body] = counts.get(key + body, 0) + 1
    again = sorted(key for key, count in counts.items() if count == 2)
    assert len(again) == 2
    assert max(counts.values()) == 2
    assert sum(counts.values()) == 62


# --- the check ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted_ca")
async def test_typesense_check_table(
    typesense_server: TypesenseServer, typesense_tls_server: TypesenseServer, closed_port: int,
    silent_port: int, garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(service_module, "CHECK_SECONDS", 1.0)
    server, tls = typesense_server, typesense_tls_server
    for each in (server, tls):
        each.create("orders", n="int32")
    target = Typesense.Routing(action="index", collection_name="orders")
    table = CheckTable(Typesense, "a strict server that follows the description of Typesense 30")
    right, unsure = "right credentials", "target inconclusive"
    await table.run_both(right, config(server, ADMIN), target, "target passed", variant="admin key")
    await table.run_both(right, config(tls, ADMIN), target, "target passed", variant="TLS")
    await table.run_both(right, config(server, WRITER), target, unsure, variant="key that writes")
    steps = await table.run("right credentials", "dynamic", config(server, ADMIN), [],
                            "authenticate passed", variant="no samples")  # fmt: skip
    assert steps[-1].status == "skipped"
    await table.run(right, "static", config(server, LIMITED), [target], "authenticate inconclusive",
                    variant="key for documents only")  # fmt: skip
    wrong = config(server, "wrong-key-12345")
    await table.run_both("wrong credentials", wrong, target, "target failed")
    await table.run("wrong credentials", "dynamic", wrong, [], "authenticate inconclusive",
                    variant="no samples")  # fmt: skip
    search = config(server, SEARCHER)
    await table.run_both("missing right", search, target, "target failed", variant="search key")
    await table.run_both("missing right", config(server, READER), target, unsure,
                         variant="key that reads")  # fmt: skip
    other = replace_name(target, "customers")
    await table.run("missing right", "dynamic", config(server, LIMITED), [target, other],
                    "target failed", variant="one of two collections")  # fmt: skip
    await table.run_both("missing target", config(server), other, "target failed")
    await table.run("missing target", "static", config(server, LIMITED),
                    [replace_name(target, "orders-2")], "target failed",
                    variant="key for documents only")  # fmt: skip
    nowhere = config(server, endpoint_url=f"http://127.0.0.1:{closed_port}")
    await table.run_both("unreachable", nowhere, target, "connect failed", variant="port")
    unknown = config(server, endpoint_url="http://no-such-host.invalid:8108")
    await table.run_both("unreachable", unknown, target, "resolve failed", variant="host")
    server.ready = False
    await table.run_both("unreachable", config(server), target, "authenticate failed",
                         variant="still loading")  # fmt: skip
    server.ready = True
    garbage = config(server, endpoint_url=f"http://127.0.0.1:{garbage_port}")
    await table.run_both("wrong protocol", garbage, target, "authenticate failed",
                         variant="not HTTP")  # fmt: skip
    other_api = config(server, endpoint_url=server.url + "/elsewhere")
    await table.run_both("wrong protocol", other_api, target, "authenticate failed",
                         variant="another API")  # fmt: skip
    secure = config(server, endpoint_url=server.url.replace("http", "https"))
    await table.run_both("wrong protocol", secure, target, "TLS failed",
                         variant="TLS against a plain port")  # fmt: skip
    plain = config(tls, endpoint_url=f"http://localhost:{tls.receiver.port}")
    await table.run_both("wrong protocol", plain, target, "authenticate failed",
                         variant="plain against a TLS port")  # fmt: skip
    silent = config(server, endpoint_url=f"http://127.0.0.1:{silent_port}")
    await table.run_both("timeout", silent, target, "authenticate failed")
    assert {e.request.method for s in (server, tls) for e in s.exchanges} == {"GET"}
    table.finish()


def replace_name(target: Any, name: str) -> Any:
    return target.model_copy(update={"collection_name": name})


async def test_each_target_is_a_step(typesense_server: TypesenseServer) -> None:
    typesense_server.create("orders", n="int32")
    names = ["orders", "a b", "orders"]
    targets = [Typesense.Routing(action="index", collection_name=name) for name in names]
    async with linked(config(typesense_server, ADMIN)) as link:
        steps = [step async for step in link.check(targets)]
    found = [(step.target, step.status) for step in steps if step.step == "target"]
    assert found == [("index orders", "passed"), ("index a b", "failed")]
    assert all(replace(step).step for step in steps)
