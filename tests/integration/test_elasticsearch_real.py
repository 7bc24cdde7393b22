"""The Elasticsearch sink against a real OpenSearch server, read back by plain HTTP requests.

Credentials, failures of single entries, lost and late answers come from a proxy in front of it.
"""

from __future__ import annotations

import json
import urllib.error
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from routestudio.engine.service import EngineService
from routestudio.model.message import message_from
from routestudio.model.outcome import Outcome
from routestudio.sinks._shared.http import service as service_module
from routestudio.sinks.base import Payload
from routestudio.sinks.elasticsearch.sink import Elasticsearch, ElasticsearchLink, Entry
from tests.support.check_table import CheckTable
from tests.support.http_server import Reply
from tests.support.opensearch_proxy import (
    API_KEY,
    BASIC,
    BEARER,
    LIMITED,
    READER,
    OpenSearchProxy,
)
from tests.support.opensearch_server import OpenSearchServer, start_opensearch
from tests.support.projects import write_project

pytestmark = pytest.mark.real


def open_config(server: OpenSearchServer, **values: Any) -> Any:
    return Elasticsearch.Config.model_validate(
        {"endpoint_url": server.url, "auth_type": "none", **values}
    )


def config(proxy: OpenSearchProxy, value: str = API_KEY, kind: str = "api_key", **more: Any) -> Any:
    url = proxy.url.replace("127.0.0.1", "localhost") if proxy.receiver.authority else proxy.url
    given = {"endpoint_url": url, "auth_type": kind, "auth_value": value, **more}
    return Elasticsearch.Config.model_validate(given)


def entry(config: Any, key: Any, value: dict[str, Any] | None = None, *, action: str = "insert",
          index: str = "orders") -> Entry:  # fmt: skip
    pks = key if isinstance(key, list) else [str(key)]
    message = message_from({"action": action, "record": {"id": key},
                            "metadata": {"record_pks": pks}})  # fmt: skip
    routing = Elasticsearch.Routing(index_name=index)
    return Elasticsearch.encode(config, message, routing, Payload(value or {"n": 1}))


@asynccontextmanager
async def linked(config: Any) -> AsyncIterator[ElasticsearchLink]:
    link = ElasticsearchLink(config)
    try:
        yield link
    finally:
        await link.close()


async def send(config: Any, batch: Sequence[Entry]) -> list[Outcome]:
    async with linked(config) as link:
        return list(await link.send(batch))


# --- delivery ----------------------------------------------------------------------------------


async def test_documents_are_indexed_and_deleted(opensearch_server: OpenSearchServer) -> None:
    settings = open_config(opensearch_server)
    keys = ["1", "é ü", 'a"b\\c', "..", "a/b?c#d", "line\u2028", ["7", "eu"], "\U0001f600"]
    values = [
        {"n": n, "text": f"\u2028 \\n ü {n}", "deep": {"list": [n]}} for n in range(len(keys))
    ]
    batch = [entry(settings, key, value) for key, value in zip(keys, values, strict=True)]
    assert {o.status for o in await send(settings, batch)} == {"delivered"}
    names = [*(key for key in keys if isinstance(key, str))]
    names.insert(6, "7-eu")
    assert opensearch_server.documents("orders") == dict(zip(names, values, strict=True))
    gone = [entry(settings, key, action="delete") for key in [*keys[:7], "never"]]
    assert {o.status for o in await send(settings, gone)} == {"delivered"}
    assert list(opensearch_server.documents("orders")) == ["\U0001f600"]


async def test_order_within_a_batch_is_kept(opensearch_server: OpenSearchServer) -> None:
    settings = open_config(opensearch_server)
    batch = []
    for n in range(100):
        batch.append(entry(settings, n % 3, {"n": n}, action="update"))
        batch.append(entry(settings, n % 3, action="delete"))
    batch.append(entry(settings, 1, {"n": "last"}))
    # Text would not fit an index whose first value was a number.
    opensearch_server.create_index("orders", n="keyword")
    assert {o.status for o in await send(settings, batch)} == {"delivered"}
    assert opensearch_server.documents("orders") == {"1": {"n": "last"}}


async def test_only_what_the_server_refuses_is_refused(opensearch_server: OpenSearchServer) -> None:
    opensearch_server.create_index("orders", n="integer")
    settings = open_config(opensearch_server)
    values: list[Any] = [{"n": 1}, {"n": "many"}, {"n": 2}, {"n": {"deep": 1}}, {"n": 3}]
    batch = [entry(settings, key, value) for key, value in enumerate(values)]
    outcomes = await send(settings, batch)
    wanted = ["delivered", "rejected", "delivered", "rejected", "delivered"]
    assert [o.status for o in outcomes] == wanted
    # OpenSearch has the older name; Elasticsearch also puts the place in front of the text.
    assert outcomes[1].code in ("mapper_parsing_exception", "document_parsing_exception")
    assert outcomes[1].reason.startswith(f"{outcomes[1].code}: ")
    assert "failed to parse field [n]" in outcomes[1].reason
    assert sorted(opensearch_server.documents("orders")) == ["0", "2", "4"]


async def test_names_that_are_no_indexes_are_refused(opensearch_server: OpenSearchServer) -> None:
    settings = open_config(opensearch_server)
    names = ["Orders", "a b", "_all", "_cluster", "a*", "a,b", "-a", "a?b#c",
             "a:b", "x" * 300]  # fmt: skip
    for name in names:
        [outcome] = await send(settings, [entry(settings, 1, index=name)])
        assert (outcome.status, outcome.code) == ("rejected", "invalid_index_name_exception")
        [outcome] = await send(settings, [entry(settings, 1, action="delete", index=name)])
        assert outcome.status in ("delivered", "rejected"), "there is nothing to delete"
    assert opensearch_server.indexes() == set()


async def test_an_index_that_is_not_created(opensearch_server: OpenSearchServer) -> None:
    settings = open_config(opensearch_server)
    batch = [entry(settings, 1, index="denied-1"),
             entry(settings, 2, index="denied-1", action="delete")]  # fmt: skip
    inserted, deleted = await send(settings, batch)
    assert (inserted.status, inserted.code) == ("rejected", "index_not_found_exception")
    assert deleted.status == "delivered", "there is nothing to delete"


async def test_a_read_only_index_is_waited_for(opensearch_server: OpenSearchServer) -> None:
    opensearch_server.create_index("orders", n="integer")
    settings = open_config(opensearch_server)
    block = "/orders/_settings"
    opensearch_server.ask("PUT", block, {"index.blocks.read_only_allow_delete": True})
    [outcome] = await send(settings, [entry(settings, 1)])
    assert (outcome.status, outcome.code) == ("retry", "cluster_block_exception")
    opensearch_server.ask("PUT", block, {"index.blocks.read_only_allow_delete": None})
    opensearch_server.ask("PUT", block, {"index.blocks.read_only": True})
    [outcome] = await send(settings, [entry(settings, 1)])
    assert (outcome.status, outcome.code) == ("retry", "cluster_block_exception")
    opensearch_server.ask("PUT", block, {"index.blocks.read_only": None})
    assert [o.status for o in await send(settings, [entry(settings, 1)])] == ["delivered"]


async def test_a_request_that_is_too_large_is_split(opensearch_server: OpenSearchServer) -> None:
    settings = open_config(opensearch_server)
    batch = [entry(settings, n, {"text": "x" * 400_000}) for n in range(9)]
    batch.insert(4, entry(settings, "big", {"text": "x" * 2_500_000}))
    outcomes = await send(settings, batch)
    assert [o.status for o in outcomes] == ["delivered"] * 4 + ["rejected"] + ["delivered"] * 5
    assert outcomes[4].code == "http_413"
    assert len(opensearch_server.documents("orders")) == 9


async def test_one_malformed_entry_spoils_only_itself(
    opensearch_server: OpenSearchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = open_config(opensearch_server)
    monkeypatch.setattr("routestudio.sinks.elasticsearch.sink._MAX_ID", 10_000)
    batch = [entry(settings, n) for n in (1, 2, "x" * 600, 3)]
    outcomes = await send(settings, batch)
    assert [o.status for o in outcomes] == ["delivered", "delivered", "rejected", "delivered"]
    assert "is too long" in outcomes[2].reason
    assert sorted(opensearch_server.documents("orders")) == ["1", "2", "3"]


# --- credentials and failures ------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "value"), [("api_key", API_KEY), ("basic", BASIC),
                                             ("bearer", BEARER)])  # fmt: skip
async def test_every_kind_of_credential(
    opensearch_proxy: OpenSearchProxy, opensearch_server: OpenSearchServer, kind: str, value: str
) -> None:
    settings = config(opensearch_proxy, value, kind)
    assert [o.status for o in await send(settings, [entry(settings, 1)])] == ["delivered"]
    assert opensearch_server.documents("orders") == {"1": {"n": 1}}
    [exchange] = opensearch_proxy.said("POST")
    assert exchange.request.header("content-encoding") == "gzip"
    assert exchange.request.header("content-type") == "application/x-ndjson"
    wrong = config(opensearch_proxy, "wrong-secret-123", kind)
    [outcome] = await send(wrong, [entry(wrong, 1)])
    assert outcome.unreachable
    assert "wrong-secret-123" not in str(outcome)
    denied = config(opensearch_proxy, READER, "basic")
    [outcome] = await send(denied, [entry(denied, 1)])
    assert (outcome.status, outcome.code) == ("rejected", "security_exception")


@pytest.mark.usefixtures("trusted_ca")
async def test_delivery_over_tls(
    opensearch_tls_proxy: OpenSearchProxy, opensearch_server: OpenSearchServer
) -> None:
    settings = config(opensearch_tls_proxy)
    assert [o.status for o in await send(settings, [entry(settings, 1)])] == ["delivered"]
    assert opensearch_server.documents("orders") == {"1": {"n": 1}}


async def test_only_failed_entries_fail(
    opensearch_proxy: OpenSearchProxy, opensearch_server: OpenSearchServer
) -> None:
    for name, status in (("1", 429), ("2", 503), ("3", 400), ("5", 409), ("6", 404)):
        opensearch_proxy.fail_item(name, status, kind=f"kind_{status}")
    settings = config(opensearch_proxy)
    batch = [entry(settings, n) for n in range(6)]
    batch.append(entry(settings, 6, action="delete"))
    outcomes = await send(settings, batch)
    assert [o.status for o in outcomes] == ["delivered", "retry", "retry", "rejected", "delivered",
                                            "retry", "delivered"]  # fmt: skip
    assert [o.code for o in outcomes[1:4]] == ["kind_429", "kind_503", "kind_400"]
    assert outcomes[3].reason == "kind_400: kind_400 for 3"
    assert not any(o.unknown for o in outcomes)
    assert sorted(opensearch_server.documents("orders")) == ["0", "4"]


async def test_a_lost_answer_is_an_unknown_write(
    opensearch_proxy: OpenSearchProxy, opensearch_server: OpenSearchServer
) -> None:
    settings = config(opensearch_proxy)
    batch = [entry(settings, n) for n in range(3)]
    opensearch_proxy.lose("POST", "/orders/_bulk")
    assert [(o.status, o.unknown) for o in await send(settings, batch)] == [("retry", True)] * 3
    assert len(opensearch_server.documents("orders")) == 3
    assert {o.status for o in await send(settings, batch)} == {"delivered"}
    assert len(opensearch_server.documents("orders")) == 3


async def test_slow_answers_end_at_the_time_out(
    opensearch_server: OpenSearchServer, opensearch_proxy: OpenSearchProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("routestudio.sinks.elasticsearch.sink._TIMEOUT", 0.5)
    opensearch_server.create_index("orders", n="integer")  # what makes it late is only the proxy
    opensearch_proxy.hold("POST", "/orders", 5)
    settings = config(opensearch_proxy)
    [outcome] = await send(settings, [entry(settings, 1)])
    assert (outcome.status, outcome.code, outcome.unknown) == ("retry", "timeout", True)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"items":[]}', b'{"items":[{"index":{"status":201}}]}', b"[1,2]",
     b'{"items":[{"delete":{"status":200}},{"index":{}}]}',
     b'{"items":[1,{"index":{"status":"2"}}]}'],
)  # fmt: skip
async def test_unreadable_results_are_never_taken_for_success(
    opensearch_proxy: OpenSearchProxy, body: bytes
) -> None:
    opensearch_proxy.fail("POST", "/orders", Reply(200, body))
    settings = config(opensearch_proxy)
    outcomes = await send(settings, [entry(settings, 1), entry(settings, 2)])
    assert [(o.status, o.unknown) for o in outcomes] == [("retry", True)] * 2


async def test_refusals_of_a_request(opensearch_proxy: OpenSearchProxy) -> None:
    settings = config(opensearch_proxy)
    batch = [entry(settings, n) for n in range(2)]
    error = {"error": {"type": "es_rejected_execution_exception", "reason": f"no {API_KEY}"}}
    busy = Reply(429, json.dumps(error).encode(), (("retry-after", "7"),))
    opensearch_proxy.fail("POST", "/orders", busy)
    first, second = await send(settings, batch)
    assert first == second
    assert (first.status, first.after) == ("retry", 7)
    assert "es_rejected_execution_exception: no ••••" in first.reason


async def test_a_server_that_dies_and_comes_back(tmp_path: Path) -> None:
    with start_opensearch(tmp_path / "home") as server:
        settings = open_config(server)
        async with linked(settings) as link:
            batch = [entry(settings, n) for n in range(3)]
            assert {o.status for o in await link.send(batch)} == {"delivered"}
            port = server.port
            server.ask("POST", "/orders/_refresh")
    async with linked(settings) as link:
        outcomes = await link.send(batch)
        assert [(o.status, o.unreachable) for o in outcomes] == [("retry", True)] * 3
        with start_opensearch(tmp_path / "home", port) as server:
            again = [*batch, entry(settings, 3)]
            # Shards of the index may still be recovering.
            assert {o.status for o in await link.send(again)} == {"delivered"}
            assert len(server.documents("orders")) == 4


# --- whole routes ------------------------------------------------------------------------------

YAML = """
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: u, password: p}}
functions:
  - {{name: flat, type: transform, language: python, file: functions/flat.py}}
  - {{name: by-table, type: routing, sink_type: elasticsearch, language: python,
     file: functions/by_table.py}}
sinks:
  - name: search
    database: shop
    transform: flat
    {routing}
    destination:
      type: elasticsearch
      endpoint_url: {url}
      auth_type: basic
      auth_value: ${{SEARCH_LOGIN}}
      batch_size: 7
      {static}
"""
FLAT = """
def transform(action, record, changes, metadata):
    return {"name": record["name"], "action": action, "big": record["big"]}
"""
BY_TABLE = """
def route(action, record, changes, metadata):
    return {"index_name": "rows-" + metadata.table_name}
"""


def rows() -> list[dict[str, Any]]:
    found = []
    for number in range(60):
        action = ("insert", "update", "read", "delete")[number % 4]
        key = number // 4 * 10 + number % 3
        found.append({
            "action": action,
            "record": {"id": key, "name": f"é {number}", "big": 2**53 + number},
            "changes": {"name": "before"} if action == "update" else None,
            "metadata": {"table_name": "orders" if number % 5 else "customers",
                         "record_pks": [str(key), "eu"], "commit_lsn": 1000 + number,
                         "commit_idx": number},
        })  # fmt: skip
    return found


async def opened(
    service: EngineService, tmp_path: Path, proxy: OpenSearchProxy, dynamic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> str:  # fmt: skip
    monkeypatch.setenv("SEARCH_LOGIN", BASIC)
    text = YAML.format(
        url=proxy.url,
        routing="routing: by-table" if dynamic else "max_retry_count: 4",
        static="" if dynamic else "index_name: rows-orders",
    )
    write_project(tmp_path, text, {"flat": FLAT, "by_table": BY_TABLE}, rows())
    await service.open(str(tmp_path))
    return "search"


def arrived(proxy: OpenSearchProxy) -> Counter[tuple[str, str, str]]:
    return Counter((index, *each) for index, entries in proxy.bulks for each in entries)


@pytest.mark.parametrize("dynamic", [False, True])
async def test_what_arrives_is_what_the_preview_said(
    service: EngineService, tmp_path: Path, opensearch_proxy: OpenSearchProxy, dynamic: bool,
    opensearch_server: OpenSearchServer, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sink = await opened(service, tmp_path, opensearch_proxy, dynamic, monkeypatch)
    seen: list[dict[str, Any]] = []
    await service.preview_all(sink, seen.append, sample="rows")
    assert len(seen) == 60
    assert all(row["ok"] for row in seen), seen[0]
    assert opensearch_proxy.exchanges == []
    summary = await service.run(sink, sample="rows")
    assert summary["delivered"] == 60
    assert summary["batches"] < 30
    wanted: Counter[tuple[str, str, str]] = Counter()
    stored: dict[str, dict[str, Any]] = {}
    for row in seen:
        request, index = row["request"], row["routing"]["index_name"]
        assert request["url"] == f"{opensearch_proxy.url}/{index}/_bulk"
        assert request["headers"] == {"authorization": "••••"}
        head, _, body = request["body"].partition("\n")
        operation = "delete" if row["action"] == "delete" else "index"
        assert json.loads(head) == {operation: {"_id": request["id"]}}
        wanted[index, operation, request["id"]] += 1
        if operation == "delete":
            stored.setdefault(index, {}).pop(request["id"], None)
        else:
            stored.setdefault(index, {})[request["id"]] = json.loads(body)
    assert arrived(opensearch_proxy) == wanted
    found = {name: opensearch_server.documents(name) for name in opensearch_server.indexes()}
    assert found == {name: documents for name, documents in stored.items() if documents}
    assert set(found) == ({"rows-orders", "rows-customers"} if dynamic else {"rows-orders"})


async def test_exactly_the_failed_entries_are_sent_again(
    service: EngineService, tmp_path: Path, opensearch_proxy: OpenSearchProxy,
    opensearch_server: OpenSearchServer, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sink = await opened(service, tmp_path, opensearch_proxy, True, monkeypatch)
    opensearch_proxy.fail_item("20-eu", 429)
    opensearch_proxy.fail_item("41-eu", 503)
    opensearch_proxy.fail_item("52-eu", 400, kind="mapper_parsing_exception")
    letters = tmp_path / "dead.jsonl"
    summary = await service.run(sink, sample="rows", dead_letters=str(letters))
    assert (summary["delivered"], summary["rejected"], summary["retried"]) == (59, 1, 2)
    assert "mapper_parsing_exception" in letters.read_text()
    counts = arrived(opensearch_proxy)
    assert sum(counts.values()) == 62
    expected = Counter(
        ("rows-" + row["metadata"]["table_name"],
         "delete" if row["action"] == "delete" else "index", f"{row['record']['id']}-eu")
        for row in rows()
    )  # fmt: skip
    twice = counts - expected
    assert {name for _, _, name in twice.elements()} == {"20-eu", "41-eu"}
    held: dict[str, set[str]] = {}
    for row in rows():
        names = held.setdefault("rows-" + row["metadata"]["table_name"], set())
        change = names.discard if row["action"] == "delete" else names.add
        change(f"{row['record']['id']}-eu")
    held["rows-customers"].remove("52-eu")  # the first change of this row, which was refused
    found = {name: set(opensearch_server.documents(name)) for name in opensearch_server.indexes()}
    assert found == {name: names for name, names in held.items() if names}


# --- the check ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted_ca")
async def test_elasticsearch_check_table(
    opensearch_server: OpenSearchServer, opensearch_proxy: OpenSearchProxy,
    opensearch_tls_proxy: OpenSearchProxy, closed_port: int, silent_port: int, garbage_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server, proxy, tls = opensearch_server, opensearch_proxy, opensearch_tls_proxy
    server.create_index("orders", n="integer")
    target, absent, denied, bad = (
        Elasticsearch.Routing(index_name=name)
        for name in ("orders", "orders-new", "denied-1", "Orders")
    )
    table = CheckTable(
        Elasticsearch,
        "OpenSearch; for credentials through a proxy that asks for them. Rows that name "
        "Elasticsearch are from that proxy answering as Elasticsearch documents it",
        hide={f"{server.product} {server.version}": f"{server.product} VERSION"},
    )
    right, unsure = "right credentials", "target inconclusive"
    none = open_config(server)
    await table.run_both(right, none, target, "target passed", variant="none, no security")
    keyed = config(proxy)
    await table.run_both(right, keyed, target, unsure, variant="API key, OpenSearch")
    basic = config(tls, BASIC, "basic")
    await table.run_both(right, basic, target, unsure, variant="basic, OpenSearch, TLS")
    await table.run(right, "dynamic", keyed, [], "authenticate passed", variant="no samples")
    proxy.elastic = True
    await table.run_both(right, keyed, target, "target passed", variant="API key, Elasticsearch")
    limited = config(proxy, LIMITED, "basic")
    await table.run_both(right, limited, target, unsure,
                         variant="may only write, Elasticsearch")  # fmt: skip
    proxy.elastic = False
    await table.run_both(right, limited, target, "authenticate inconclusive",
                         variant="may only write, OpenSearch")  # fmt: skip
    refused = "authenticate failed"
    for kind in ("api_key", "basic", "bearer"):
        wrong = config(proxy, "wrong:secret-123", kind)
        await table.run_both("wrong credentials", wrong, target, refused, variant=kind)
    bare = config(proxy, kind="none")
    await table.run_both("wrong credentials", bare, target, refused, variant="none given")
    reader = config(proxy, READER, "basic")
    await table.run_both("missing right", reader, target, unsure, variant="OpenSearch")
    proxy.elastic = True
    await table.run_both("missing right", reader, target, "target failed",
                         variant="Elasticsearch")  # fmt: skip
    others = Elasticsearch.Routing(index_name="customers")
    await table.run("missing right", "dynamic", limited, [target, others], "target failed",
                    variant="one of two indexes, Elasticsearch")  # fmt: skip
    await table.run_both("missing target", keyed, absent, "target passed",
                         variant="created by use, Elasticsearch")  # fmt: skip
    proxy.elastic = False
    await table.run_both("missing target", none, absent, "target passed",
                         variant="created by use")  # fmt: skip
    await table.run_both("missing target", none, denied, "target failed",
                         variant="not created by use")  # fmt: skip
    await table.run_both("missing target", none, bad, "target failed", variant="no index name")
    await table.run_both("missing target", config(proxy, LIMITED, "basic"), absent,
                         "authenticate inconclusive", variant="may only write")  # fmt: skip

    made = make_places_that_take_nothing(server)
    for name, variant in PLACES_THAT_TAKE_NOTHING:
        place = Elasticsearch.Routing(index_name=name)
        await table.run_both("missing target", none, place, "target failed", variant=variant)
    for name, variant in (("written", "alias with a write index"), ("single", "alias of one")):
        place = Elasticsearch.Routing(index_name=name)
        await table.run_both(right, none, place, "target passed", variant=variant)
    proxy.fail("GET", "/orders", Reply(403, b"{}"), times=2)
    proxy.elastic = True
    await table.run_both("missing right", keyed, target, unsure,
                         variant="may not see settings, Elasticsearch")  # fmt: skip
    proxy.elastic = False

    def elsewhere(url: str) -> Any:
        return config(proxy, endpoint_url=url)

    nowhere = elsewhere(f"http://127.0.0.1:{closed_port}")
    await table.run_both("unreachable", nowhere, target, "connect failed", variant="port")
    unknown = elsewhere("http://no-such-host.invalid:9200")
    await table.run_both("unreachable", unknown, target, "resolve failed", variant="host")
    garbage = elsewhere(f"http://127.0.0.1:{garbage_port}")
    await table.run_both("wrong protocol", garbage, target, refused, variant="not HTTP")
    other_api = elsewhere(proxy.url)
    for _ in range(2):
        proxy.fail("GET", "/", Reply(200, b'{"hello":"world"}'))
    await table.run_both("wrong protocol", other_api, target, refused, variant="another API")
    secure = elsewhere(proxy.url.replace("http", "https"))
    await table.run_both("wrong protocol", secure, target, "TLS failed",
                         variant="TLS against a plain port")  # fmt: skip
    plain = elsewhere(f"http://localhost:{tls.receiver.port}")
    await table.run_both("wrong protocol", plain, target, refused,
                         variant="plain against a TLS port")  # fmt: skip
    silent = elsewhere(f"http://127.0.0.1:{silent_port}")
    monkeypatch.setattr(service_module, "CHECK_SECONDS", 2.0)
    await table.run_both("timeout", silent, target, refused)
    said = {e.request.method for each in (proxy, tls) for e in each.exchanges}
    assert said == {"GET", "HEAD"}
    assert server.indexes() == {"orders", *made}
    assert server.documents("orders") == {}
    table.finish()


PLACES_THAT_TAKE_NOTHING = (
    ("shut", "closed index"), ("no-writer", "alias of two without write index"),
    ("set-not-to", "alias whose index is set not to write"),
    ("shut-alias", "alias of a closed one"), ("logs", "data stream"),
    ("sealed", "blocks.write"), ("frozen", "blocks.read_only"),
    ("full-disk", "blocks.read_only_allow_delete"), ("routed", "_routing.required"),
)  # fmt: skip


def make_places_that_take_nothing(server: OpenSearchServer) -> set[str]:
    """Make an index, alias or data stream of each kind; gives the indexes that it made."""
    names = ("shut", "a1", "a2", "a3", "a4", "a5", "sealed", "frozen", "full-disk", "routed")
    for name in names[:-1]:
        server.ask("PUT", f"/{name}")
    server.ask("PUT", "/routed", {"mappings": {"_routing": {"required": True}}})
    server.ask("POST", "/_aliases", {"actions": [
        {"add": {"index": "a1", "alias": "no-writer"}},
        {"add": {"index": "a2", "alias": "no-writer"}},
        {"add": {"index": "a1", "alias": "written"}},
        {"add": {"index": "a2", "alias": "written", "is_write_index": True}},
        {"add": {"index": "a3", "alias": "single"}},
        {"add": {"index": "a4", "alias": "set-not-to", "is_write_index": False}},
        {"add": {"index": "a5", "alias": "shut-alias"}},
    ]})  # fmt: skip
    for name in ("shut", "a5"):
        server.ask("POST", f"/{name}/_close")
    if server.data_streams:
        server.ask("PUT", "/_index_template/logs", {"index_patterns": ["logs"], "data_stream": {}})
        server.ask("PUT", "/_data_stream/logs")
    for name, block in (("sealed", "write"), ("frozen", "read_only"),
                        ("full-disk", "read_only_allow_delete")):  # fmt: skip
        server.ask("PUT", f"/{name}/_settings", {f"index.blocks.{block}": True})
    return set(names)


async def test_what_the_check_refuses_takes_nothing(opensearch_server: OpenSearchServer) -> None:
    """The check is right: no document gets into these places, and one gets into the others."""
    make_places_that_take_nothing(opensearch_server)
    settings = open_config(opensearch_server)
    for name, kind in PLACES_THAT_TAKE_NOTHING:
        if kind == "data stream" and not opensearch_server.data_streams:
            continue
        [outcome] = await send(settings, [entry(settings, 1, index=name)])
        assert outcome.status != "delivered", name
    for name in ("written", "single", "a1"):
        [outcome] = await send(settings, [entry(settings, 1, index=name)])
        assert outcome.status == "delivered", name


async def test_each_target_is_a_step(opensearch_server: OpenSearchServer) -> None:
    opensearch_server.create_index("orders", n="integer")
    names = ["orders", "a b", "orders", "denied-2"]
    targets = [Elasticsearch.Routing(index_name=name) for name in names]
    async with linked(open_config(opensearch_server)) as link:
        steps = [step async for step in link.check(targets)]
    found = [(step.target, step.status) for step in steps if step.step == "target"]
    assert found == [("orders", "passed"), ("a b", "failed"), ("denied-2", "failed")]
    server = opensearch_server
    assert [s.detail for s in steps if s.step == "authenticate"] == [
        f"{server.product} {server.version} answers, nothing is asked for"
    ]


async def test_a_server_that_hides_its_settings(
    opensearch_proxy: OpenSearchProxy, opensearch_server: OpenSearchServer
) -> None:
    opensearch_proxy.fail("GET", "/_cluster/settings", Reply(403, b"{}"))
    async with linked(config(opensearch_proxy)) as link:
        target = Elasticsearch.Routing(index_name="orders-new")
        steps = [step async for step in link.check([target])]
    assert steps[-1].status == "inconclusive"
    assert "only seen by writing" in steps[-1].detail
    with pytest.raises(urllib.error.HTTPError) as caught:
        opensearch_server.ask("GET", "/orders-new")
    caught.value.close()
    opensearch_proxy.fail("HEAD", "/orders", Reply(503))
    async with linked(config(opensearch_proxy)) as link:
        steps = [step async for step in link.check([Elasticsearch.Routing(index_name="orders")])]
    assert steps[-1].status == "failed"
