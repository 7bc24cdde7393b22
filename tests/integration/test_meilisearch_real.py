"""The Meilisearch sink against a strict server that follows an API description.

No Meilisearch server runs here. Exchanges are held against a description of its API
(`meilisearch_api`), requests and answers alike.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from routestudio import tasks
from routestudio.engine.service import EngineService
from routestudio.model.message import message_from
from routestudio.model.outcome import Outcome
from routestudio.sinks._shared.http import service as service_module
from routestudio.sinks.base import InOrder, Link, Payload
from routestudio.sinks.meilisearch import link as meilisearch_link
from routestudio.sinks.meilisearch.link import Change
from routestudio.sinks.meilisearch.sink import Meilisearch
from tests.support.check_table import CheckTable
from tests.support.http_server import Reply
from tests.support.meilisearch_server import (
    BLIND,
    LIMITED,
    MASTER,
    READER,
    WRITE_ONLY,
    WRITER,
    MeilisearchServer,
)
from tests.support.openapi import Description, DeviationError
from tests.support.projects import document_rows, write_project
from tests.support.strict_server import as_json

pytestmark = pytest.mark.real
EDIT = {"filter": "kind = a", "function": "doc.n += context.by", "context": {"by": 1}}


def config(server: MeilisearchServer, key: str = WRITER, **values: Any) -> Any:
    url = server.url.replace("127.0.0.1", "localhost") if server.receiver.authority else server.url
    return Meilisearch.Config.model_validate(
        {"endpoint_url": url, "api_key": SecretStr(key), **values}
    )


def target(index: str = "orders", action: str = "index", **more: Any) -> Any:
    return Meilisearch.Routing(action=action, index_name=index, **more)


def change(config: Any, value: dict[str, Any], **routed: Any) -> Change:
    message = message_from({"action": "insert", "record": value})
    return Meilisearch.encode(config, message, target(**routed), Payload(value))


@asynccontextmanager
async def linked(config: Any) -> AsyncIterator[Link]:
    link = Meilisearch.connect(config)
    try:
        yield link
    finally:
        await link.close()


async def send(config: Any, batch: Sequence[Change]) -> list[Outcome]:
    async with linked(config) as link:
        return list(await link.send(batch))


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


# --- the description of the API ------------------------------------------------------------------


async def test_every_request_and_answer_follows_the_description(
    meilisearch_server: MeilisearchServer, meilisearch_api: Description
) -> None:
    server = meilisearch_server
    server.fail_document("2")
    settings = config(server, MASTER)
    async with linked(settings) as link:
        batch = [change(settings, {"id": n, "x": "é" * 300}) for n in range(5)]
        assert statuses(await link.send(batch)).count("rejected") == 1
        await link.send([change(settings, {"id": n}, action="delete") for n in (0, "b")])
        await link.send([change(settings, {}, action="function", **EDIT)])
        await link.send([change(settings, {"id": 1}, index="no.such")])
        targets = [target("orders", action) for action in ("index", "delete", "function")]
        assert [step async for step in link.check([*targets, target("none")])]
    async with linked(config(server, READER)) as link:
        assert [step async for step in link.check(targets)]
    probes = [e for e in server.exchanges if e.request.method == "POST" and not e.request.body]
    assert len(probes) == 7
    operations = server.follows(meilisearch_api, but=probes)
    assert operations == {
        "GET /health", "GET /indexes/{indexUid}", "GET /tasks", "GET /tasks/{taskUid}",
        "GET /experimental-features", "POST /indexes/{indexUid}/documents",
        "POST /indexes/{indexUid}/documents/delete-batch",
        "POST /indexes/{indexUid}/documents/edit",
    }  # fmt: skip
    # The probes are refused by design: what the description requires is left out.
    assert {e.reply.status for e in probes} == {400, 403}
    for probe in probes:
        with pytest.raises(DeviationError, match="required body is missing"):
            server.follows(meilisearch_api, but=[e for e in server.exchanges if e is not probe])


@pytest.mark.parametrize(
    ("target", "kind", "body", "what"),
    [("/indexes/a/documents?action=x", "application/json", b"{}", "unknown query"),
     ("/indexes/a/documents", "text/csv", b"a,b", "content type"),
     ("/indexes/a/documents/edit", "application/json", b'{"filter": "a"}', "'function' is a req"),
     ("/indexes/a/documents/delete-batch", "application/json", b'{"id": 1}', "not of type 'array'"),
     ("/indexes/a/documents/all", "application/json", b"{}", "no operation")],
)  # fmt: skip
def test_the_description_is_enforced(
    meilisearch_api: Description, target: str, kind: str, body: bytes, what: str
) -> None:
    headers = [("Authorization", "Bearer k"), ("content-type", kind)]
    answer = b'{"taskUid": 1, "status": "enqueued", "type": "indexUpdate", "enqueuedAt": "x"}'
    with pytest.raises(DeviationError, match=what):
        meilisearch_api.allow("POST", target, headers, body, 202, answer)


def test_answers_are_held_against_the_description_too(meilisearch_api: Description) -> None:
    headers = [("Authorization", "Bearer k"), ("content-type", "application/x-ndjson")]
    for status, answer in ((202, b'{"uid": 1}'), (400, b'{"message": "x"}'), (299, b"{}")):
        with pytest.raises(DeviationError):
            meilisearch_api.allow("POST", "/indexes/a/documents", headers, b"{}", status, answer)


# --- delivery ----------------------------------------------------------------------------------


async def test_documents_are_added_replaced_and_deleted(
    meilisearch_server: MeilisearchServer,
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = [change(settings, {"id": n % 3, "n": n, "x": "y" * 99}) for n in range(30)]
    assert statuses(await send(settings, batch)) == ["delivered"] * 30
    [added] = server.said("POST")
    assert added.request.target == "/indexes/orders/documents?primaryKey=id"
    assert added.request.header("content-encoding") == "gzip"
    assert gzip.decompress(added.request.body).split(b"\n") == [c.body for c in batch]
    assert {name: d["n"] for name, d in server.indexes["orders"].items()} == {
        "0": 27, "1": 28, "2": 29
    }  # fmt: skip
    [fresh] = [change(settings, {"id": 1, "m": 1})]
    await send(settings, [fresh])
    assert server.indexes["orders"]["1"] == {"id": 1, "m": 1}
    gone = [change(settings, {"id": n}, action="delete") for n in (0, "1", 99)]
    assert statuses(await send(settings, gone)) == ["delivered"] * 3
    assert list(server.indexes["orders"]) == ["2"]
    assert server.primary_keys == {"orders": "id"}


@pytest.mark.parametrize("action", ["index", "delete"])
@pytest.mark.parametrize("bad", [[0], [7], [3, 4], [0, 5, 10], list(range(11))])
async def test_only_the_bad_documents_of_a_batch_are_rejected(
    meilisearch_server: MeilisearchServer, action: str, bad: list[int]
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    if action == "delete":
        await send(settings, [change(settings, {"id": n}) for n in range(11)])
    for number in bad:
        server.fail_document(str(number))
    batch = [change(settings, {"id": n}, action=action) for n in range(11)]
    outcomes = await send(settings, batch)
    assert [n for n, o in enumerate(outcomes) if o.status == "rejected"] == bad
    assert {o.code for o in outcomes if o.status == "rejected"} == {"invalid_document_fields"}
    left = {str(n) for n in range(11)} - {str(n) for n in bad}
    held = server.indexes.get("orders", {})
    assert set(held) == (left if action == "index" else {str(n) for n in bad})


async def test_a_temporary_failure_is_no_documents_fault(
    meilisearch_server: MeilisearchServer,
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = [change(settings, {"id": n}) for n in range(4)]
    for code in ("no_space_left_on_device", "internal", "canceled"):
        server.fail_tasks(code)
        outcomes = await send(settings, batch)
        assert statuses(outcomes) == ["retry"] * 4
        assert not any(o.unknown for o in outcomes)
    assert len(server.tasks) == 3
    assert server.indexes == {}


async def test_a_refusal_of_the_index_is_not_split(meilisearch_server: MeilisearchServer) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    server.create("orders", "sku")
    batch = [change(settings, {"id": n}) for n in range(4)]
    outcomes = await send(settings, batch)
    assert {(o.status, o.code) for o in outcomes} == {
        ("rejected", "index_primary_key_already_exists")
    }
    none = [change(settings, {"id": n}, action="delete", index="none") for n in range(4)]
    assert {o.code for o in await send(settings, none)} == {"index_not_found"}
    dots = [change(settings, {"id": n}, index="a.b c?d") for n in range(4)]
    assert {o.code for o in await send(settings, dots)} == {"invalid_index_uid"}
    assert len(server.said("POST")) == 3


async def test_a_request_that_is_too_large_is_split(meilisearch_server: MeilisearchServer) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    server.max_body = 500
    batch = [change(settings, {"id": n, "x": "y" * 100}) for n in range(9)]
    batch.append(change(settings, {"id": 9, "x": "y" * 900}))
    outcomes = await send(settings, batch)
    assert statuses(outcomes) == ["delivered"] * 9 + ["rejected"]
    assert outcomes[-1].code == "payload_too_large"


async def test_slow_tasks_are_followed_side_by_side(meilisearch_server: MeilisearchServer) -> None:
    server, settings = meilisearch_server, config(meilisearch_server, timeout_seconds=1)
    server.delay = 1.5
    async with linked(settings) as link:
        started = asyncio.get_running_loop().time()
        work = [
            tasks.spawn(link.send([change(settings, {"id": n}, index=f"i{n}")]), name=f"send {n}")
            for n in range(5)
        ]
        outcomes = await asyncio.gather(*work)
        assert asyncio.get_running_loop().time() - started < 5
    assert [statuses(o) for o in outcomes] == [["delivered"]] * 5
    assert len(server.indexes) == 5


async def test_a_lost_answer_is_an_unknown_write(meilisearch_server: MeilisearchServer) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = [change(settings, {"id": n}) for n in range(3)]
    server.lose("POST", "/indexes")
    outcomes = await send(settings, batch)
    assert [(o.status, o.unknown) for o in outcomes] == [("retry", True)] * 3
    assert statuses(await send(settings, batch)) == ["delivered"] * 3
    assert len(server.indexes["orders"]) == 3
    server.hold("POST", "/indexes", 5)
    held = await send(config(server, timeout_seconds=1), batch)
    assert {(o.status, o.code, o.unknown) for o in held} == {("retry", "timeout", True)}


async def test_following_a_task_survives_lost_and_odd_answers(
    meilisearch_server: MeilisearchServer,
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    server.lose("GET", "/tasks", times=2)
    server.fail("GET", "/tasks", Reply(503, b"busy"))
    server.fail("GET", "/tasks", Reply(200, b"not json"))
    packed = gzip.compress(json.dumps({"uid": 0, "status": "processing"}).encode())
    server.fail("GET", "/tasks", Reply(200, packed, (("content-encoding", "gzip"),)))
    assert statuses(await send(settings, [change(settings, {"id": 1})])) == ["delivered"]
    assert len(server.said("POST")) == 1
    assert len(server.said("GET")) == 6


async def test_a_task_that_cannot_be_followed_is_an_unknown_write(
    meilisearch_server: MeilisearchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    one = [change(settings, {"id": 1})]
    monkeypatch.setattr(meilisearch_link, "TASK_SECONDS", 0.3)
    server.delay = 60
    [late] = await send(settings, one)
    assert (late.status, late.code, late.unknown) == ("retry", "task_timeout", True)
    [unseen] = await send(config(server, BLIND), one)
    assert (unseen.status, unseen.code, unseen.unknown) == ("retry", "task_lost", True)
    monkeypatch.setattr(meilisearch_link, "SILENCE_SECONDS", 0.1)
    server.fail("GET", "/tasks", Reply(500), times=99)
    [silent] = await send(settings, one)
    assert (silent.status, silent.code, silent.unknown) == ("retry", "task_lost", True)
    server.fail("POST", "/indexes", as_json(202, {"status": "enqueued"}))
    [odd] = await send(settings, one)
    assert (odd.code, odd.unknown) == ("no_task", True)


async def test_refused_credentials_reject_nothing(
    meilisearch_server: MeilisearchServer, closed_port: int
) -> None:
    server = meilisearch_server
    server.create("orders")
    for key in ("wrong-key-1", READER):
        for action in ("index", "delete", "function"):
            settings = config(server, key)
            more = EDIT if action == "function" else {}
            batch = [change(settings, {"id": n}, action=action, **more) for n in range(2)]
            outcomes = await send(settings, batch)
            assert all(o.unreachable for o in outcomes)
            assert key not in str(outcomes)
    nowhere = config(server, endpoint_url=f"http://127.0.0.1:{closed_port}")
    assert all(o.unreachable for o in await send(nowhere, batch))
    assert server.tasks == []


# --- edits by function -------------------------------------------------------------------------


def edits(server: MeilisearchServer, settings: Any, count: int) -> list[Change]:
    server.create("orders")
    server.indexes["orders"] = {"1": {"id": 1, "kind": "a", "n": 0}}
    return [
        change(settings, {}, action="function",
               **{**EDIT, "context": {"by": 10**number}})
        for number in range(count)
    ]  # fmt: skip


def counted(server: MeilisearchServer) -> int:
    return int(server.indexes["orders"]["1"]["n"])


async def test_each_edit_is_one_request_and_done_once(
    meilisearch_server: MeilisearchServer,
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = edits(server, settings, 5)
    assert statuses(await send(settings, batch)) == ["delivered"] * 5
    assert counted(server) == 11111
    assert [e.request.body for e in server.said("POST")] == [c.body for c in batch]


async def test_an_edit_with_a_lost_answer_is_never_repeated(
    meilisearch_server: MeilisearchServer,
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = edits(server, settings, 4)
    server.fail("POST", "/indexes", apply=True)
    server.lose("POST", "/indexes")
    outcomes = await send(settings, batch)
    assert statuses(outcomes) == ["delivered", "rejected", "retry", "retry"]
    assert outcomes[1].code == "unknown_edit"
    assert "not repeated" in outcomes[1].reason
    assert not any(o.unknown for o in outcomes)
    assert statuses(await send(settings, batch[2:])) == ["delivered"] * 2
    assert counted(server) == 1111


async def test_failed_edits_have_an_outcome_each(meilisearch_server: MeilisearchServer) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = edits(server, settings, 3)
    wrong = change(settings, {}, action="function", **{**EDIT, "function": "what"})
    server.fail_tasks("internal")
    outcomes = await send(settings, [batch[0], wrong, *batch[1:]])
    assert statuses(outcomes) == ["retry", "rejected", "delivered", "delivered"]
    assert outcomes[1].code == "edit_documents_by_function_error"
    assert statuses(await send(settings, batch[:1])) == ["delivered"]
    assert counted(server) == 111
    server.function_edits = False
    [off] = await send(settings, batch[:1])
    assert (off.status, off.code) == ("rejected", "feature_not_enabled")


async def test_an_edit_that_failed_keeps_back_the_next_ones_of_its_group(
    meilisearch_server: MeilisearchServer,
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = edits(server, settings, 5)
    server.fail_tasks("internal")
    async with linked(settings) as link:
        outcomes = await link.send(InOrder(batch, ["a", "b", "a", "b", None]))
    assert statuses(outcomes) == ["retry", "delivered", "retry", "delivered", "delivered"]
    assert [o.unsent for o in outcomes] == [False, False, True, False, False]
    assert counted(server) == 11010


@pytest.mark.parametrize("code", ["internal", "no_space_left_on_device"])
async def test_a_task_that_failed_has_changed_no_row_of_its_batch(
    meilisearch_server: MeilisearchServer, code: str
) -> None:
    """All changes of a row are one task: the last one is kept, or none."""
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = InOrder(
        [change(settings, {"id": n % 2, "n": n}) for n in range(6)], [f"g{n % 2}" for n in range(6)]
    )
    async with linked(settings) as link:
        server.fail_tasks(code)
        assert statuses(await link.send(batch)) == ["retry"] * 6
        assert not server.indexes.get("orders")
        assert statuses(await link.send(batch)) == ["delivered"] * 6
    held = {key: document["n"] for key, document in server.indexes["orders"].items()}
    assert held == {"0": 4, "1": 5}


@pytest.mark.parametrize("status", [500, 502, 504, 408])
async def test_a_gateways_failure_leaves_an_edit_unknown(
    meilisearch_server: MeilisearchServer, status: int
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = edits(server, settings, 1)
    server.fail("POST", "/indexes", apply=True, change=lambda right: Reply(status, b"gateway"))
    [outcome] = await send(settings, batch)
    assert (outcome.status, outcome.code) == ("rejected", "unknown_edit")
    busy = as_json(503, {"message": "wait", "code": "internal", "type": "internal", "link": ""})
    server.fail("POST", "/indexes", busy)
    [again] = await send(settings, batch)
    assert (again.status, again.unknown) == ("retry", False)


async def test_an_edit_whose_task_is_lost_is_never_repeated(
    meilisearch_server: MeilisearchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, settings = meilisearch_server, config(meilisearch_server)
    batch = edits(server, settings, 2)
    server.delay = 60
    monkeypatch.setattr(meilisearch_link, "TASK_SECONDS", 0.2)
    outcomes = await send(settings, batch)
    assert {(o.status, o.code) for o in outcomes} == {("rejected", "unknown_edit")}
    assert "task" in outcomes[0].reason


# --- whole routes ------------------------------------------------------------------------------

YAML = """
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: u, password: p}}
functions:
  - {{name: flat, type: transform, language: python, file: functions/flat.py}}
  - {{name: by-table, type: routing, sink_type: meilisearch, language: python,
     file: functions/by_table.py}}
sinks:
  - name: search
    database: shop
    transform: flat
    {routing}
    destination:
      type: meilisearch
      endpoint_url: {url}
      api_key: ${{MEILI_KEY}}
      primary_key: key
      batch_size: 7
      {static}
"""
FLAT = """
def transform(action, record, changes, metadata):
    return {"key": record["id"], "name": record["name"], "action": action}
"""
BY_TABLE = """
def route(action, record, changes, metadata):
    return {"index_name": "rows-" + metadata.table_name,
            "action": "delete" if action == "delete" else "index"}
"""


async def opened(
    service: EngineService, tmp_path: Path, server: MeilisearchServer, dynamic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> str:  # fmt: skip
    monkeypatch.setenv("MEILI_KEY", WRITER)
    text = YAML.format(
        url=server.url,
        routing="routing: by-table" if dynamic else "max_retry_count: 3",
        static="timeout_seconds: 5" if dynamic else "index_name: rows-orders",
    )
    write_project(tmp_path, text, {"flat": FLAT, "by_table": BY_TABLE}, document_rows())
    for name in ("orders", "customers"):
        server.create(f"rows-{name}", "key")
    await service.open(str(tmp_path))
    return "search"


def delivered(server: MeilisearchServer) -> list[tuple[str, str]]:
    """What was requested, message by message: path with query, and JSON."""
    found = []
    for each in server.said("POST"):
        body = each.request.plain
        path = each.request.target
        if path.endswith("/delete-batch"):
            found += [(path, json.dumps([name])) for name in json.loads(body)]
        else:
            found += [(path, line.decode()) for line in body.split(b"\n")]
    return found


@pytest.mark.parametrize("dynamic", [False, True])
async def test_what_arrives_is_what_the_preview_said(
    service: EngineService, tmp_path: Path, meilisearch_server: MeilisearchServer, dynamic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server = meilisearch_server
    sink = await opened(service, tmp_path, server, dynamic, monkeypatch)
    seen: list[dict[str, Any]] = []
    await service.preview_all(sink, seen.append, sample="rows")
    assert len(seen) == 60
    assert all(row["ok"] for row in seen), seen[0]
    assert server.exchanges == []
    summary = await service.run(sink, sample="rows")
    assert summary["delivered"] == 60
    wanted = [(r["request"]["url"].removeprefix(server.url), r["request"]["body"]) for r in seen]
    assert sorted(delivered(server)) == sorted(wanted)
    stored: dict[str, dict[str, Any]] = {}
    for row in seen:
        place = stored.setdefault(row["routing"]["index_name"], {})
        if row["routing"]["action"] == "delete":
            place.pop(str(row["request"]["id"]), None)
        else:
            place[str(row["request"]["id"])] = json.loads(row["request"]["body"])
    assert {k: v for k, v in server.indexes.items() if v} == {k: v for k, v in stored.items() if v}


async def test_exactly_the_failed_documents_are_lost_or_sent_again(
    service: EngineService, tmp_path: Path, meilisearch_server: MeilisearchServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server = meilisearch_server
    sink = await opened(service, tmp_path, server, True, monkeypatch)
    server.fail_document("51")
    server.fail_tasks("internal")
    letters = tmp_path / "dead.jsonl"
    summary = await service.run(sink, sample="rows", dead_letters=str(letters))
    assert (summary["delivered"], summary["rejected"]) == (59, 1)
    assert 1 <= summary["retried"] <= 7
    [letter] = letters.read_text().splitlines()
    assert "invalid_document_fields" in letter
    applied = Counter(
        (task.index, task.kind) for task in server.tasks if task.status == "succeeded"
    )
    assert sum(applied.values()) == sum(1 for t in server.tasks if t.error is None)
    assert "51" not in server.indexes["rows-orders"] | server.indexes["rows-customers"]
    sent = {path + body for path, body in delivered(server)}
    assert len(sent) == len({json.dumps(row) for row in document_rows()}) == 60


# --- the check ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted_ca")
async def test_meilisearch_check_table(
    meilisearch_server: MeilisearchServer, meilisearch_tls_server: MeilisearchServer,
    closed_port: int, silent_port: int, garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(service_module, "CHECK_SECONDS", 1.0)
    server, tls = meilisearch_server, meilisearch_tls_server
    for each in (server, tls):
        each.create("orders")
        each.create("empty", None)
        each.create("stock", "sku")
    table = CheckTable(Meilisearch, "a strict server that follows the description of Meilisearch "
                       "1.15")  # fmt: skip
    right, unsure, one = "right credentials", "target inconclusive", target()
    await table.run_both(right, config(server), one, "target passed")
    await table.run_both(right, config(tls), one, "target passed", variant="TLS")
    await table.run_both(right, config(server), target("empty"), "target passed",
                         variant="index without documents")  # fmt: skip
    actions = [target(action="delete"), target(action="function"), one]
    await table.run(right, "dynamic", config(server, MASTER), actions, "target passed",
                    variant="all actions")  # fmt: skip
    steps = await table.run(right, "dynamic", config(server), [], "authenticate passed",
                            variant="no samples")  # fmt: skip
    assert steps[-1].status == "skipped"
    wrong = config(server, "wrong-key-12345")
    await table.run_both("wrong credentials", wrong, one, "authenticate failed")
    missing = "missing right"
    await table.run_both(missing, config(server, READER), one, "target failed", variant="writing")
    await table.run_both(missing, config(server, BLIND), one, "authenticate failed",
                         variant="reading tasks")  # fmt: skip
    await table.run_both(missing, config(server, WRITE_ONLY), one, unsure,
                         variant="looking at indexes")  # fmt: skip
    await table.run(missing, "dynamic", config(server, LIMITED), [one, target("stock")],
                    "target failed", variant="one of two indexes")  # fmt: skip
    server.function_edits = False
    await table.run(missing, "dynamic", config(server, MASTER), [target(action="function")],
                    "target failed", variant="editing by function is off")  # fmt: skip
    gone = "missing target"
    await table.run_both(gone, config(server), target("new"), unsure)
    await table.run_both(gone, config(server), target("stock"), "target failed",
                         variant="another primary key")  # fmt: skip
    await table.run_both(gone, config(server), target("public.orders"), "target failed",
                         variant="not a name")  # fmt: skip
    nowhere = config(server, endpoint_url=f"http://127.0.0.1:{closed_port}")
    await table.run_both("unreachable", nowhere, one, "connect failed", variant="port")
    unknown = config(server, endpoint_url="http://no-such-host.invalid:7700")
    await table.run_both("unreachable", unknown, one, "resolve failed", variant="host")
    server.available = False
    await table.run_both("unreachable", config(server), one, "authenticate failed",
                         variant="still loading")  # fmt: skip
    garbage = config(server, endpoint_url=f"http://127.0.0.1:{garbage_port}")
    strange = "wrong protocol"
    await table.run_both(strange, garbage, one, "authenticate failed", variant="not HTTP")
    other_api = config(server, endpoint_url=server.url + "/elsewhere")
    await table.run_both(strange, other_api, one, "authenticate failed", variant="another API")
    secure = config(server, endpoint_url=server.url.replace("http", "https"))
    await table.run_both(strange, secure, one, "TLS failed", variant="TLS against a plain port")
    plain = config(tls, endpoint_url=f"http://localhost:{tls.receiver.port}")
    await table.run_both(strange, plain, one, "authenticate failed",
                         variant="plain against a TLS port")  # fmt: skip
    silent = config(server, endpoint_url=f"http://127.0.0.1:{silent_port}")
    await table.run_both("timeout", silent, one, "authenticate failed")
    assert not server.tasks
    assert not tls.tasks
    assert not any(server.indexes.values())
    table.finish()
