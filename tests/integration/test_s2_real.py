"""The S2 sink against a strict server that follows an API description.

No S2 service runs here. Each exchange of these tests is held against a description of its API
(`s2_api`), requests and answers alike.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from routestudio.engine.service import EngineService
from routestudio.model.message import message_from
from routestudio.model.outcome import Outcome
from routestudio.sinks._shared.http import service as service_module
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks.base import Payload
from routestudio.sinks.binding import examine
from routestudio.sinks.s2 import sink as s2
from routestudio.sinks.s2.sink import S2, Append, S2Link
from tests.support.check_table import CheckTable
from tests.support.http_server import Reply
from tests.support.openapi import Description, DeviationError
from tests.support.projects import document_rows, write_project
from tests.support.s2_server import (
    ADMIN,
    BASIN,
    LIMITED,
    READER,
    WRITER,
    Access,
    Basin,
    S2Server,
)

pytestmark = pytest.mark.real


def config(server: S2Server, token: str = WRITER, **values: Any) -> Any:
    url = server.url.replace("127.0.0.1", "localhost") if server.receiver.authority else server.url
    given = {"access_token": SecretStr(token), "endpoint_url": url, **values}
    return S2.Config.model_validate(given)


def place(stream: str = "orders", basin: str = BASIN) -> Any:
    return S2.Routing(basin=basin, stream=stream)


def record(config: Any, value: Any, stream: str = "orders", basin: str = BASIN) -> Append:
    message = message_from({"action": "insert", "record": {"id": 1}})
    return S2.encode(config, message, place(stream, basin), Payload(value))


@asynccontextmanager
async def linked(config: Any) -> AsyncIterator[S2Link]:
    link = S2Link(config)
    try:
        yield link
    finally:
        await link.close()


async def send(config: Any, batch: Sequence[Append]) -> list[Outcome]:
    async with linked(config) as link:
        return list(await link.send(batch))


@pytest.fixture
def hosted(s2_server: S2Server, s2_basin_host: S2Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A configuration for s2.dev, whose hosts are the two servers."""

    def url(server: S2Server) -> EndpointUrl:
        return EndpointUrl("http", "127.0.0.1", server.receiver.port, "/v1", "")

    def basin_url(basin: str) -> EndpointUrl:
        assert basin == BASIN
        return url(s2_basin_host)

    monkeypatch.setattr(s2, "ACCOUNT", url(s2_server))
    monkeypatch.setattr(s2, "basin_url", basin_url)
    return S2.Config(access_token=SecretStr(ADMIN))


# --- the description of the API ------------------------------------------------------------------


async def test_every_request_and_answer_follows_the_description(
    s2_server: S2Server, s2_basin_host: S2Server, hosted: Any, s2_api: Description
) -> None:
    s2_server.create("orders")
    targets = [place(), place("a b/c"), place(basin="no-such-basin")]
    for settings in (config(s2_server), config(s2_server, READER), config(s2_server, "wrong-1")):
        async with linked(settings) as link:
            assert [step async for step in link.check(targets)]
            await link.send([record(settings, {"n": n, "é": "\u2028\ud800"}) for n in range(3)])
            await link.send([record(settings, {"n": 1}, stream="no/such")])
    async with linked(hosted) as link:
        assert [step async for step in link.check(targets[:2])]
        assert [step async for step in link.check([])]
        await link.send([record(hosted, {"n": 1})])
    operations = s2_server.follows(s2_api) | s2_basin_host.follows(s2_api)
    assert operations == {
        "GET /v1/basins", "GET /v1/basins/{basin}", "GET /v1/streams",
        "GET /v1/streams/{stream}", "POST /v1/streams/{stream}/records",
    }  # fmt: skip
    # Only the conditional append of each check that may append, and each delivery.
    assert len(s2_server.records("orders")) == 4


@pytest.mark.parametrize(
    ("headers", "body", "what"),
    [({}, b'{"records":[{"body":1}]}', "not of type 'string'"), ({}, b"{}", "required"),
     ({}, b"", "body is missing"), ({"s2-format": "hex"}, b'{"records":[]}', "'hex' is not one of"),
     ({"s2-other": "x"}, b'{"records":[]}', "headers that nothing describes"),
     ({"authorization": ""}, b'{"records":[]}', "no credentials")],
)  # fmt: skip
def test_the_description_is_enforced(
    s2_api: Description, headers: dict[str, str], body: bytes, what: str
) -> None:
    usual = {"authorization": "Bearer x", "content-type": "application/json", "s2-format": "raw"}
    sent = [(name, value) for name, value in {**usual, **headers}.items() if value]
    target, position = "/v1/streams/a/records", {"seq_num": 1, "timestamp": 1}
    answer = json.dumps(dict.fromkeys(("start", "end", "tail"), position)).encode()
    s2_api.allow("POST", target, list(usual.items()), b'{"records":[{"body":"x"}]}', 200, answer)
    with pytest.raises(DeviationError, match=what):
        s2_api.allow("POST", target, sent, body, 200, answer)


# --- delivery ----------------------------------------------------------------------------------


async def test_a_batch_is_one_append_in_order(s2_server: S2Server) -> None:
    s2_server.create("orders")
    settings = config(s2_server)
    batch = [record(settings, {"n": n, "text": f"é \u2028 {n}"}) for n in range(1000)]
    assert {o.status for o in await send(settings, batch)} == {"delivered"}
    [exchange] = s2_server.exchanges
    assert exchange.request.header("content-encoding") == "gzip"
    assert exchange.request.header("s2-format") == "raw"
    assert s2_server.records("orders") == [each.body.decode() for each in batch]


@pytest.mark.parametrize(
    "stream", ["a/b?c#d", "...", "é ü", "%2F", "a\\b", "x" * 512, "\U0001f600" * 128]
)
async def test_streams_of_any_name(s2_server: S2Server, stream: str) -> None:
    s2_server.create(stream)
    settings = config(s2_server)
    [outcome] = await send(settings, [record(settings, {"n": 1}, stream)])
    assert outcome.status == "delivered"
    assert s2_server.records(stream) == ['{"n":1}']


@pytest.mark.parametrize(
    "stream", [".", "..", "x" * 513, "\U0001f600" * 129, "../records", "a/../b", "a\\..", "./a"]
)
def test_names_that_no_stream_has_are_refused_before_they_are_sent(stream: str) -> None:
    values = {"access_token": "token-123456", "basin": BASIN, "stream": stream}
    _, problems = examine(S2, values, dynamic=False)
    assert [problem.field for problem in problems] == ["stream"]


@pytest.mark.parametrize(
    ("settings", "code", "text"),
    [({"timestamping": {"orders": "client-require"}}, "http_422", "timestamp was required"),
     ({"ciphers": {"orders": "aegis-256"}}, "http_400", "missing encryption key")],
)  # fmt: skip
async def test_what_the_stream_refuses_of_everybody_is_asked_once(
    s2_server: S2Server, settings: dict[str, Any], code: str, text: str
) -> None:
    s2_server.basins[BASIN] = Basin(**settings)
    s2_server.create("orders")
    own = config(s2_server)
    outcomes = await send(own, [record(own, {"n": n}) for n in range(1000)])
    assert {(o.status, o.code) for o in outcomes} == {("rejected", code)}
    assert text in outcomes[0].reason
    assert len(s2_server.exchanges) == 1


async def test_records_that_escapes_make_long_are_sent_in_base64(s2_server: S2Server) -> None:
    """A text of quotes is four times as long as text in JSON in JSON, and requests have a limit."""
    s2_server.create("orders")
    settings = config(s2_server)
    batch = [record(settings, {"n": n, "text": '"' * 170_000}) for n in range(3)]
    assert sum(each.size for each in batch) < 2**20
    assert {o.status for o in await send(settings, batch)} == {"delivered"}
    [exchange] = s2_server.exchanges
    assert exchange.request.header("s2-format") == "base64"
    assert s2_server.records("orders") == [each.body.decode() for each in batch]


async def test_at_s2_dev_each_basin_has_a_host(
    s2_server: S2Server, s2_basin_host: S2Server, hosted: Any
) -> None:
    s2_server.create("orders")
    outcomes = await send(hosted, [record(hosted, {"n": 1}), record(hosted, {"n": 2})])
    assert {o.status for o in outcomes} == {"delivered"}
    assert s2_server.exchanges == []
    [exchange] = s2_basin_host.exchanges
    assert exchange.request.target == "/v1/streams/orders/records"
    assert exchange.request.header("s2-basin") is None
    assert len(s2_server.records("orders")) == 2
    async with linked(hosted) as link:
        steps = [step async for step in link.check([place(), place("nothing")])]
    assert [s.status for s in steps if s.step == "target"] == ["passed", "failed"]
    assert [e.request.target for e in s2_server.exchanges] == [f"/v1/basins/{BASIN}"]


async def test_a_record_that_is_too_large_is_refused_alone(s2_server: S2Server) -> None:
    s2_server.create("orders")
    settings = config(s2_server)
    batch = [record(settings, {"n": n}) for n in range(7)]
    batch.insert(3, record(settings, {"x": "y" * 2**20}))
    outcomes = await send(settings, batch)
    assert [o.status for o in outcomes] == ["delivered"] * 3 + ["rejected"] + ["delivered"] * 4
    assert "1 MiB" in outcomes[3].reason
    assert s2_server.records("orders") == [each.body.decode() for each in batch if each.size < 100]


async def test_what_fails_in_a_split_batch_keeps_the_order(s2_server: S2Server) -> None:
    s2_server.create("orders")
    settings = config(s2_server)
    batch = [record(settings, {"n": n}) for n in range(8)]
    too_large = Reply(413, b'{"code":"invalid","message":"too large"}')
    s2_server.fail("POST", "/v1/streams", too_large)
    s2_server.fail("POST", "/v1/streams", Reply(503, b'{"code":"unavailable","message":"busy"}'))
    outcomes = await send(settings, batch)
    assert [(o.status, o.unknown) for o in outcomes] == (
        [("retry", True)] * 4 + [("retry", False)] * 4
    )
    assert s2_server.records("orders") == []
    assert len(s2_server.exchanges) == 2


async def test_a_lost_answer_is_an_unknown_write(s2_server: S2Server) -> None:
    s2_server.create("orders")
    settings = config(s2_server)
    batch = [record(settings, {"n": n}) for n in range(3)]
    s2_server.lose("POST", "/v1/streams")
    assert [(o.status, o.unknown) for o in await send(settings, batch)] == [("retry", True)] * 3
    assert len(s2_server.records("orders")) == 3


async def test_slow_answers_end_at_the_time_out(
    s2_server: S2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s2, "_TIMEOUT", 0.3)
    s2_server.create("orders")
    s2_server.hold("POST", "/v1/streams", 5)
    settings = config(s2_server)
    [outcome] = await send(settings, [record(settings, {"n": 1})])
    assert (outcome.status, outcome.code, outcome.unknown) == ("retry", "timeout", True)


async def test_nothing_is_written_where_nobody_listens(
    s2_server: S2Server, closed_port: int
) -> None:
    settings = config(s2_server, endpoint_url=f"http://127.0.0.1:{closed_port}")
    [outcome] = await send(settings, [record(settings, {"n": 1})])
    assert (outcome.status, outcome.unreachable, outcome.unknown) == ("retry", True, False)


@pytest.mark.parametrize(
    ("status", "code", "wanted", "unknown"),
    [(400, "bad_json", "rejected", False), (403, "permission_denied", "rejected", False),
     (403, "quota_exhausted", "retry", False), (404, "basin_not_found", "rejected", False),
     (404, "stream_not_found", "rejected", False), (408, "request_timeout", "retry", True),
     (409, "transaction_conflict", "retry", False),
     (409, "stream_deletion_pending", "retry", False), (422, "invalid", "rejected", False),
     (429, "rate_limited", "retry", False), (500, "storage", "retry", True),
     (502, "hot_server", "retry", False), (503, "server_draining", "retry", False),
     (502, "", "retry", True),
     (503, "unavailable", "retry", True), (504, "upstream_timeout", "retry", True)],
)  # fmt: skip
async def test_every_error_code(
    s2_server: S2Server, status: int, code: str, wanted: str, unknown: bool
) -> None:
    settings = config(s2_server)
    body = json.dumps({"code": code, "message": f"because of {WRITER}"}).encode()
    s2_server.fail("POST", "/v1/streams", Reply(status, body, (("retry-after", "2"),)))
    [outcome] = await send(settings, [record(settings, {"n": 1})])
    assert (outcome.status, outcome.unknown) == (wanted, unknown)
    assert not outcome.unreachable
    assert code in outcome.reason
    assert WRITER not in str(outcome)
    if status in (429, 503):
        assert outcome.after == 2


async def test_a_refused_token_blames_no_record(s2_server: S2Server) -> None:
    s2_server.create("orders")
    settings = config(s2_server, "wrong-token-1")
    [outcome] = await send(settings, [record(settings, {"n": 1})])
    assert outcome.unreachable
    assert "wrong-token-1" not in str(outcome)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"start":{"seq_num":0},"end":{"seq_num":1}}',
     b'{"start":{"seq_num":"0"},"end":{"seq_num":2}}', b'{"start":0,"end":2}'],
)  # fmt: skip
async def test_unreadable_answers_are_never_taken_for_success(
    s2_server: S2Server, body: bytes
) -> None:
    s2_server.fail("POST", "/v1/streams", Reply(200, body))
    settings = config(s2_server)
    outcomes = await send(settings, [record(settings, {"n": 1}), record(settings, {"n": 2})])
    assert [(o.status, o.unknown) for o in outcomes] == [("retry", True)] * 2


# --- whole routes ------------------------------------------------------------------------------

YAML = """
databases:
  - {{name: shop, hostname: localhost, port: 5432, database: shop, username: u, password: p}}
functions:
  - {{name: flat, type: transform, language: python, file: functions/flat.py}}
  - {{name: by-table, type: routing, sink_type: s2, language: python,
     file: functions/by_table.py}}
sinks:
  - name: log
    database: shop
    transform: flat
    {routing}
    destination:
      type: s2
      access_token: ${{S2_TOKEN}}
      endpoint_url: {url}
      {static}
"""
FLAT = """
def transform(action, record, changes, metadata):
    return {"id": record["id"], "name": record["name"], "action": action}
"""
BY_TABLE = """
def route(action, record, changes, metadata):
    basin = "my-basin" if action != "delete" else "my-deleted"
    return {"basin": basin, "stream": "rows/" + metadata.table_name}
"""


async def opened(
    service: EngineService, tmp_path: Path, server: S2Server, dynamic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> str:  # fmt: skip
    monkeypatch.setenv("S2_TOKEN", WRITER)
    server.basins["my-deleted"] = Basin(create_stream_on_append=True)
    for name in ("orders", "customers"):
        server.create(f"rows/{name}")
    text = YAML.format(
        url=server.url,
        routing="routing: by-table" if dynamic else "max_retry_count: 4",
        static="" if dynamic else "basin: my-basin\n      stream: rows/orders",
    )
    write_project(tmp_path, text, {"flat": FLAT, "by_table": BY_TABLE}, document_rows())
    await service.open(str(tmp_path))
    return "log"


def stored(server: S2Server) -> dict[tuple[str, str], Counter[str]]:
    return {
        (name, stream): Counter(records)
        for name, basin in server.basins.items()
        for stream, records in basin.streams.items()
        if records
    }


@pytest.mark.parametrize("dynamic", [False, True])
async def test_what_arrives_is_what_the_preview_said(
    service: EngineService, tmp_path: Path, s2_server: S2Server, dynamic: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sink = await opened(service, tmp_path, s2_server, dynamic, monkeypatch)
    seen: list[dict[str, Any]] = []
    await service.preview_all(sink, seen.append, sample="rows")
    assert len(seen) == 60
    assert all(row["ok"] for row in seen), seen[0]
    assert s2_server.exchanges == []
    summary = await service.run(sink, sample="rows")
    assert summary["delivered"] == 60
    wanted: dict[tuple[str, str], Counter[str]] = {}
    for row in seen:
        request, routing = row["request"], row["routing"]
        stream = quote(routing["stream"], safe="")
        assert request["url"] == f"{s2_server.url}/v1/streams/{stream}/records"
        assert request["headers"]["s2-basin"] == routing["basin"]
        wanted.setdefault((routing["basin"], routing["stream"]), Counter())[request["body"]] += 1
    assert stored(s2_server) == wanted
    assert len(wanted) == (4 if dynamic else 1)
    # Changes of one row keep their order.
    order = {json.dumps(row["request"]["body"]): n for n, row in enumerate(seen)}
    for name, basin in s2_server.basins.items():
        for stream in basin.streams:
            last: dict[Any, int] = {}
            for text in s2_server.records(stream, name):
                place = order[json.dumps(text)]
                key = json.loads(text)["id"]
                assert last.get(key, -1) < place
                last[key] = place


async def test_refused_and_failed_appends_of_a_run(
    service: EngineService, tmp_path: Path, s2_server: S2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append succeeds or fails as a whole: only those of failed requests are sent again."""
    sink = await opened(service, tmp_path, s2_server, True, monkeypatch)
    s2_server.basins["my-basin"].streams.pop("rows/customers")
    s2_server.fail("POST", "/v1/streams", Reply(429, b'{"code":"rate_limited","message":"slow"}'))
    letters = tmp_path / "dead.jsonl"
    summary = await service.run(sink, sample="rows", dead_letters=str(letters))
    kept = [r for r in document_rows() if r["action"] == "delete" or
            r["metadata"]["table_name"] != "customers"]  # fmt: skip
    lost = 60 - len(kept)
    assert lost > 5
    assert summary["rejected"] == lost
    assert summary["delivered"] == len(kept)
    assert summary["retried"] > 0
    assert letters.read_text().count("stream_not_found") >= lost
    assert sum(sum(counts.values()) for counts in stored(s2_server).values()) == len(kept)
    assert {max(counts.values()) for counts in stored(s2_server).values()} == {1}


# --- the check ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted_ca")
async def test_s2_check_table(
    s2_server: S2Server, s2_tls_server: S2Server, closed_port: int, silent_port: int,
    garbage_port: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(service_module, "CHECK_SECONDS", 1.0)
    server, tls = s2_server, s2_tls_server
    for each in (server, tls):
        each.create("orders")
    server.basins["my-other"] = Basin(create_stream_on_append=True)
    target, absent = place(), place("customers")
    table = CheckTable(S2, "a strict server that follows S2's API description")
    right, unsure = "right credentials", "target inconclusive"
    await table.run_both(right, config(server), target, "target passed")
    await table.run_both(right, config(tls), target, "target passed", variant="TLS")
    steps = await table.run(right, "dynamic", config(server), [], "authenticate passed",
                            variant="no samples")  # fmt: skip
    assert steps[-1].status == "skipped"
    await table.run_both(right, config(server, LIMITED), target, "authenticate inconclusive",
                         variant="may only append")  # fmt: skip
    refused = "authenticate failed"
    await table.run_both("wrong credentials", config(server, "wrong-token-1"), target, refused)
    reader = config(server, READER)
    await table.run_both("missing right", reader, target, "target failed", variant="only reads")
    server.tokens["one-stream-token"] = Access(server.tokens[ADMIN].operations, "*", "orders*")
    both = [target, absent]
    await table.run("missing right", "dynamic", config(server, "one-stream-token"), both, unsure,
                    variant="one of two streams")  # fmt: skip
    await table.run_both("missing target", config(server), absent, "target failed",
                         variant="stream")  # fmt: skip
    await table.run_both("missing target", config(server), place(basin="my-other"), unsure,
                         variant="stream that is created on append")  # fmt: skip
    server.basins["no-clocks"] = Basin(
        create_stream_on_append=True, default_timestamping="client-require",
        timestamping={"timed": "client-require"}, ciphers={"sealed": "aegis-256"}, going={"going"},
    )  # fmt: skip
    for name in ("timed", "sealed", "going"):
        server.create(name, "no-clocks")
    for name, variant in (
        ("timed", "stream that wants timestamps"), ("sealed", "stream that is encrypted"),
        ("going", "stream that is being deleted"),
        ("new", "stream that would be created, and want timestamps"),
    ):  # fmt: skip
        await table.run_both("missing target", config(server), place(name, "no-clocks"),
                             "target failed", variant=variant)  # fmt: skip
    await table.run_both("missing target", config(server), place(basin="no-such-basin"),
                         "target failed", variant="basin")  # fmt: skip
    server.tokens["no-config-token"] = Access(
        server.tokens[ADMIN].operations - {"get-basin-config"}
    )
    await table.run_both("missing target", config(server, "no-config-token"), absent, unsure,
                         variant="stream, settings of the basin unseen")  # fmt: skip
    nowhere = config(server, endpoint_url=f"http://127.0.0.1:{closed_port}")
    await table.run_both("unreachable", nowhere, target, "connect failed", variant="port")
    unknown = config(server, endpoint_url="http://no-such-host.invalid:8080")
    await table.run_both("unreachable", unknown, target, "resolve failed", variant="host")
    for _ in range(2):
        server.fail("GET", "/v1/basins", Reply(503, b'{"code":"unavailable","message":"busy"}'))
    await table.run_both("unreachable", config(server), target, refused, variant="overloaded")
    garbage = config(server, endpoint_url=f"http://127.0.0.1:{garbage_port}")
    await table.run_both("wrong protocol", garbage, target, refused, variant="not HTTP")
    other_api = config(server, endpoint_url=server.url + "/elsewhere")
    await table.run_both("wrong protocol", other_api, target, refused, variant="another API")
    secure = config(server, endpoint_url=server.url.replace("http", "https"))
    await table.run_both("wrong protocol", secure, target, "TLS failed",
                         variant="TLS against a plain port")  # fmt: skip
    plain = config(tls, endpoint_url=f"http://localhost:{tls.receiver.port}")
    await table.run_both("wrong protocol", plain, target, refused,
                         variant="plain against a TLS port")  # fmt: skip
    silent = config(server, endpoint_url=f"http://127.0.0.1:{silent_port}")
    await table.run_both("timeout", silent, target, refused)
    for each in (server, tls):
        posted = each.said("POST")
        assert {e.reply.status for e in posted} <= {400, 403, 412}, "nothing was appended"
        assert {e.request.json()["match_seq_num"] for e in posted} <= {2**63 - 1}
    assert stored(server) == stored(tls) == {}
    assert "customers" not in server.basins[BASIN].streams
    assert server.basins["my-other"].streams == {}
    table.finish()


async def test_each_target_is_a_step(s2_server: S2Server) -> None:
    s2_server.create("orders")
    targets = [place(), place("a b"), place()]
    async with linked(config(s2_server)) as link:
        steps = [step async for step in link.check(targets)]
    found = [(step.target, step.status) for step in steps if step.step == "target"]
    assert found == [(f"{BASIN}/orders", "passed"), (f"{BASIN}/a b", "failed")]


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [(404, "stream_not_found", "failed"), (409, "stream_deletion_pending", "failed"),
     (503, "server_draining", "inconclusive"), (429, "rate_limited", "inconclusive")],
)  # fmt: skip
async def test_what_is_said_of_the_append_of_a_check(
    s2_server: S2Server, status: int, code: str, verdict: str
) -> None:
    s2_server.create("orders")
    body = json.dumps({"code": code, "message": "no"}).encode()
    s2_server.fail("POST", "/v1/streams/orders", Reply(status, body))
    async with linked(config(s2_server)) as link:
        steps = [step async for step in link.check([place()])]
    assert steps[-1].status == verdict
    assert ("being deleted" in steps[-1].detail) is (verdict == "failed")


# --- the strict server -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/streams/x", None, 404, "stream_not_found"),
        ("GET", "/v1/streams?limit=1001", None, 200, ""),
        ("GET", "/v1/streams?limit=0&more=1", None, 200, ""),
        ("GET", "/v1/elsewhere", None, 404, ""),
        ("DELETE", "/v1/basins/my-basin", None, 405, ""),
        ("POST", "/v1/streams/%2E%2E/records", b'{"records":[]}', 400, "bad_path"),
        ("POST", "/v1/streams/orders/records", b'{"records":[{"body":"a","x":1}],"y":2}', 200, ""),
        ("POST", "/v1/streams/orders/records", b'{"records":[]}', 200, ""),
        ("POST", "/v1/streams/orders/records", b"[]", 400, "bad_json"),
        ("POST", "/v1/streams/orders/records", b'{"records":[],"match_seq_num":-1}', 400,
         "bad_json"),
        ("POST", "/v1/streams/orders/records",
         b'{"records":[],"fencing_token":"%b"}' % (b"x" * 37), 400, "bad_json"),
        ("POST", "/v1/streams/orders/records", b'{"records":[{"body":"%b"}]}' % (b"x" * 2**21),
         400, "bad_json"),
        ("POST", "/v1/streams/orders/records", b'{"records":[{"body":"%b"}]}' % (b"x" * 2**20),
         422, "invalid"),
        ("POST", "/v1/streams/orders/records",
         b'{"records":[%b]}' % b",".join([b'{"body":""}'] * 1001), 422, "invalid"),
    ],
)  # fmt: skip
async def test_it_answers_as_s2_lite_does(
    s2_server: S2Server, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    s2_server.create("orders")
    headers = {"authorization": f"Bearer {ADMIN}", "s2-basin": BASIN,
               "content-type": "application/json; charset=utf-8"}  # fmt: skip
    async with httpx.AsyncClient() as client:
        url = s2_server.url + path
        answer = await client.request(method, url, content=body, headers=headers)
    assert answer.status_code == status
    assert (answer.json()["code"] if code else "") == code
