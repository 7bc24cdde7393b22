"""The webhook sink: URLs, headers, requests, answers as outcomes, check steps."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routestudio.model.fields import RuleError
from routestudio.model.message import message_from
from routestudio.model.outcome import CheckStep, Outcome
from routestudio.sinks._shared.http.endpoint import (
    EndpointUrl,
    UrlRule,
    join,
    path_problem,
    resolve_dots,
    retry_after,
    same_origin,
)
from routestudio.sinks.base import Payload
from routestudio.sinks.fields import routed_fields
from routestudio.sinks.http_push.sink import HttpEndpoint, HttpPush
from routestudio.sinks.http_push.standin import HttpStandin

MESSAGE = message_from({"action": "insert", "record": {"id": 1}})
RULES = {field.name: field for field in routed_fields(HttpPush)}
HOSTILE = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="/\\@:.?#%2eEfF5c;&=a \r\n\x00", max_size=30),
    st.lists(
        st.sampled_from(["..", ".", "/", "//", "\\", "@", "http:", "evil.example", "%2e%2e", "%2F",
                         "%5c", ":8080", "?", "#", "a", ";x", "%252e"]),
        max_size=8,
    ).map("".join),
)  # fmt: skip
BASES = ["https://api.example.com", "http://api.example.com:8080/v1/in/", "http://[::1]:9/a?k=1&x",
         "https://user:pw@api.example.com/base?token=1"]  # fmt: skip


def config(url: str = "https://api.example.com/in", batch: bool = True, **endpoint: Any) -> Any:
    return HttpPush.Config(http_endpoint=HttpEndpoint(url=url, **endpoint), batch=batch)


def encode(settings: Any, value: Any = None, **routing: Any) -> Any:
    routing = {"method": "POST", "endpoint_path": "", "headers": {}, **routing}
    payload = Payload(MESSAGE.as_json() if value is None else value)
    return HttpPush.encode(settings, MESSAGE, HttpPush.Routing.model_construct(**routing), payload)


Answer = Callable[[str, str, dict[str, str], bytes], bytes | None]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """A server that answers each request with raw bytes, or hangs up on `None`."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                reply = answer(method, target, headers, body)
                if reply is None:
                    break
                writer.write(reply)
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.01)


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def send(settings: Any, *records: Any) -> list[Outcome]:
    link = HttpPush.connect(settings)
    try:
        return list(await link.send(records or [encode(settings)]))
    finally:
        await link.close()


async def check(settings: Any, *targets: Any) -> list[CheckStep]:
    link = HttpPush.connect(settings)
    try:
        return [step async for step in link.check(targets)]
    finally:
        await link.close()


# --- URLs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "path", "full"),
    [
        ("https://h", "", "https://h/"),
        ("https://h/in", "", "https://h/in"),
        ("https://h/in/", "/a", "https://h/in/a"),
        ("https://h/in", "a/b", "https://h/in/a/b"),
        ("https://h/in?k=1", "/a?x=2", "https://h/in/a?k=1&x=2"),
        ("https://h/in?k=1", "", "https://h/in?k=1"),
        ("https://h/in", "?a=1", "https://h/in/?a=1"),
        ("https://h/in", "/a/../b/./c", "https://h/in/b/c"),
        ("https://h/in", "/ü b", "https://h/in/%C3%BC%20b"),
        ("https://h:8443/in", "/a:b@c", "https://h:8443/in/a:b@c"),
        ("https://u:p@h/in", "/a", "https://h/in/a"),
    ],
)
def test_paths_are_joined_before_the_query(base: str, path: str, full: str) -> None:
    assert path_problem(path) is None
    assert join(UrlRule().cast(base), path) == full


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "http://evil.example/", "HTTPS:evil", "javascript:x", "/\\evil.example",
     "\\\\evil", "@evil.example", "../x", "/a/../../x", "/%2e%2e/x", "/a/%2E%2e%2f%2e%2e/x",
     "/%252e%252e/x", "/a#b", "/..;/x", "/a%5c..%5c..", "/%00", "a//../../b"],
)  # fmt: skip
def test_paths_that_try_to_leave_are_refused(path: str) -> None:
    assert path_problem(path)
    with pytest.raises(RuleError):
        RULES["endpoint_path"].rule.cast(path)


@given(base=st.sampled_from(BASES), path=HOSTILE)
def test_no_path_changes_host_scheme_or_credentials(base: str, path: str) -> None:
    """Also those that the rule refuses, as if somebody had forgotten to ask it."""
    settings = config(base)
    request = encode(settings, endpoint_path=path)
    for url in (httpx.URL(request.head.url), urlsplit(request.head.url)):
        expected = settings.http_endpoint.url
        assert url.scheme == expected.scheme
        assert (url.host if isinstance(url, httpx.URL) else url.hostname) == expected.host
        assert url.port == expected.port
    assert "@" not in request.head.url.split("/")[2]
    assert request.head.headers.get("authorization") == expected.basic()
    if path_problem(path) is None and isinstance(url, tuple):
        assert (url.path + "/").startswith(expected.path.rstrip("/") + "/")
        sent = httpx.URL(request.head.url).raw_path.decode()
        assert (sent.partition("?")[0] + "/").startswith(expected.path.rstrip("/") + "/")


@given(HOSTILE)
def test_resolving_dots_never_climbs(path: str) -> None:
    found = resolve_dots("/base/" + path)
    assert found.startswith("/")
    assert not {"..", "."} & set(found.split("/"))


@pytest.mark.parametrize(
    ("path", "fine"),
    [("", True), ("/a-b._~!$&'()*+,;=:@%20?x=1", True), ("/", True), ("a", False), ("?a", False),
     ("#a", False), ("/ü", False), ("/a b", False), ("//x", False), ("/../x", False),
     ("/" + "a" * 1999, True), ("/" + "a" * 2000, False), ("/a\n", False)],
)  # fmt: skip
def test_the_static_path_has_one_rule(path: str, fine: bool) -> None:
    field = RULES["endpoint_path"]
    assert field.yaml_name == "http_endpoint_path"
    if fine:
        assert field.static_rule.cast(path) == path
    else:
        with pytest.raises(RuleError):
            field.static_rule.cast(path)


@pytest.mark.parametrize(
    "url", ["", "example.com", "ftp://x", "http://", "http://a b/", "http://x:0/", "http://x:99999/",
            "https://exa\\mple.com", "http://ü.example/", "http://[::1", "http://a\nb/"],
)  # fmt: skip
def test_bad_endpoint_urls(url: str) -> None:
    with pytest.raises(RuleError):
        UrlRule().cast(url)


def test_user_info_is_a_secret() -> None:
    settings = config("https://bob:hunter2@api.example.com/in")
    url = settings.http_endpoint.url
    assert isinstance(url, EndpointUrl)
    assert url.basic() == "Basic Ym9iOmh1bnRlcjI="
    shown = f"{settings!r}{settings}{url}{url!r}{encode(settings).describe()}"
    for secret in ("hunter2", "Ym9iOmh1bnRlcjI"):
        assert secret not in shown
    with pytest.raises(RuleError) as caught:
        UrlRule().cast("ftp://bob:hunter2@x/")
    assert "hunter2" not in str(caught.value)


def test_hosts_that_a_sequin_server_refuses_are_warned_of() -> None:
    rule = UrlRule()
    assert rule.warnings(rule.cast("http://my_host/"))
    assert rule.warnings(rule.cast("http://[::1]/"))
    assert not rule.warnings(rule.cast("http://my-host.example/"))


@pytest.mark.parametrize(
    ("location", "target"),
    [("/b", "https://h/b"), ("https://h:443/b", "https://h:443/b"), ("http://h/b", None),
     ("//evil/b", None), ("https://u@h/b", None), ("https://h:444/b", None), ("http://[", None)],
)  # fmt: skip
def test_same_origin(location: str, target: str | None) -> None:
    assert same_origin("https://h/a", location) == target


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), (" 0 ", 0.0), ("99999", 600.0), ("-1", None), ("soon", None), (None, None),
     (formatdate(1_000_030, usegmt=True), 30.0), (formatdate(999_000, usegmt=True), 0.0),
     ("1e3", None), ("Wed, 99 Foo 2024", None)],
)  # fmt: skip
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=1_000_000) == seconds


# --- headers ----------------------------------------------------------------------------------


def test_headers_are_merged_without_regard_to_case_and_name_the_winner() -> None:
    settings = config(headers={"X-A": "endpoint", "Accept": "text/plain"},
                      encrypted_headers={"X-Secret": "hunter2"})  # fmt: skip
    request = encode(settings, headers={"x-a": "function", "X-B": "b"})
    found = {name.lower(): value for name, value in request.head.headers.pairs}
    assert len(found) == len(request.head.headers.pairs)
    assert (found["x-a"], found["x-b"], found["accept"]) == ("function", "b", "text/plain")
    assert found["x-secret"] == "hunter2"
    described = request.describe()
    assert described["headers"]["X-Secret"] == "••••"
    assert described["notes"] == ["x-a: the value of the function replaces that of the endpoint"]


def test_a_function_never_replaces_credentials() -> None:
    settings = config(headers={"Authorization": "Bearer plain"},
                      encrypted_headers={"X-Secret": "hunter2"})  # fmt: skip
    request = encode(settings, headers={"authorization": "evil", "x-secret": "evil", "Host": "evil",
                                        "Content-Length": "1"})  # fmt: skip
    found = {name.lower(): value for name, value in request.head.headers.pairs}
    assert found["authorization"] == "Bearer plain"
    assert found["x-secret"] == "hunter2"
    assert "evil" not in found.values()
    assert len(request.describe()["notes"]) == 4
    assert "Bearer plain" not in str(request.describe())


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_functions_cannot_frame_requests(name: str) -> None:
    with pytest.raises(RuleError, match="cannot be set"):
        RULES["headers"].rule.cast({name: "x"})


@given(st.dictionaries(HOSTILE, HOSTILE, max_size=3))
def test_headers_that_pass_the_rule_can_be_sent(headers: dict[str, str]) -> None:
    try:
        accepted = RULES["headers"].rule.cast(headers)
    except RuleError:
        return
    request = encode(config(), headers=accepted)
    pairs = [(k.encode("ascii"), v.encode()) for k, v in request.head.headers.pairs]
    h11.Request(method="POST", target="/", headers=[("host", "x"), *pairs])


# --- requests and answers ---------------------------------------------------------------------


async def test_a_batch_is_one_request() -> None:
    seen: list[Any] = []

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        seen.append((method, target, headers, json.loads(body)))
        return reply()

    async with server(answer) as url:
        settings = config(url + "/in", encrypted_headers={"X-Key": "ü"})
        records = [encode(settings, {"n": n}, method="PUT", endpoint_path="/a") for n in range(3)]
        outcomes = await send(settings, *records)
    assert [o.status for o in outcomes] == ["delivered"] * 3
    [(method, target, headers, body)] = seen
    assert (method, target, body) == ("PUT", "/in/a", {"data": [{"n": 0}, {"n": 1}, {"n": 2}]})
    assert headers["content-type"] == headers["accept"] == "application/json"
    assert records[0].describe()["body"] == '{"data":[{"n":0}]}'


async def test_a_batch_that_is_refused_for_its_size_is_split() -> None:
    """Only what is too large alone is rejected; a refusal of another kind splits nothing."""
    held: list[Any] = []
    requests = 0

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        nonlocal requests
        requests += 1
        if target == "/in/odd":
            return reply(422)
        if len(body) > 300:
            return reply(413)
        held.extend(item["n"] for item in json.loads(body)["data"])
        return reply()

    async with server(answer) as url:
        settings = config(url + "/in")
        values = [{"n": n, "text": "x" * (500 if n == 4 else 50)} for n in range(12)]
        outcomes = await send(settings, *(encode(settings, value) for value in values))
        assert [n for n, o in enumerate(outcomes) if o.status == "rejected"] == [4]
        assert outcomes[4].code == "http_413"
        assert held == [n for n in range(12) if n != 4]
        requests = 0
        odd = [encode(settings, value, endpoint_path="/odd") for value in values]
        assert {o.code for o in await send(settings, *odd)} == {"http_422"}
        assert requests == 1


async def test_without_batching_the_body_is_the_message() -> None:
    seen = []

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        seen.append(json.loads(body))
        return reply(500 if b"1" in body else 200)

    async with server(answer) as url:
        settings = config(url, batch=False)
        outcomes = await send(settings, *[encode(settings, {"n": n}) for n in range(3)])
    assert seen == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [o.status for o in outcomes] == ["delivered", "retry", "delivered"]


async def test_gzip() -> None:
    seen = []

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        seen.append(gzip.decompress(body))
        return reply()

    async with server(answer) as url:
        settings = config(url, headers={"Content-Encoding": "GZIP"})
        assert encode(settings).describe()["encoding"] == "gzip"
        await send(settings, encode(settings, {"n": 1}))
    assert seen == [b'{"data":[{"n":1}]}']


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "delivered"), (204, "delivered"), (299, "delivered"), (304, "rejected"),
     (400, "rejected"), (401, "rejected"), (404, "rejected"), (408, "retry"), (413, "rejected"),
     (425, "retry"), (429, "retry"), (500, "retry"), (503, "retry"), (599, "retry")],
)  # fmt: skip
async def test_statuses(status: int, outcome: str) -> None:
    async with server(lambda *_: reply(status, b"" if status in (204, 304) else b"why")) as url:
        [found] = await send(config(url))
    assert (found.status, found.unknown) == (outcome, False)
    if outcome != "delivered":
        assert found.code == f"http_{status}"
        assert f"HTTP {status}" in found.reason


async def test_retry_after_is_honoured() -> None:
    async with server(lambda *_: reply(429, retry_after="12")) as url:
        [found] = await send(config(url))
    assert found.after == 12.0


async def test_what_a_server_repeats_is_cleaned_of_secrets() -> None:
    def echo(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        return reply(400, f"no: {headers['x-key']} {headers['authorization']}".encode())

    async with server(echo) as url:
        url = url.replace("http://", "http://bob:hunter2@")
        [found] = await send(config(url, encrypted_headers={"X-Key": "topsecret"}))
    assert found.status == "rejected"
    for secret in ("topsecret", "hunter2", "Ym9iOmh1bnRlcjI"):
        assert secret not in found.reason


@pytest.mark.parametrize(
    ("first", "outcome", "targets"),
    [
        (reply(307, location="/b"), "delivered", ["/a", "/b"]),
        (reply(308, location="b?x=1"), "delivered", ["/a", "/b?x=1"]),
        (reply(307, location="http://127.0.0.1:1/b"), "rejected", ["/a"]),
        (reply(302, location="/b"), "rejected", ["/a"]),
        (reply(301), "rejected", ["/a"]),
        (reply(307, location="/a"), "rejected", ["/a"] * 4),
    ],
)
async def test_redirects(first: bytes, outcome: str, targets: list[str]) -> None:
    seen = []

    def answer(method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
        seen.append(target)
        assert body
        return first if target == "/a" else reply()

    async with server(answer) as url:
        [found] = await send(config(url + "/a"))
    assert (found.status, seen) == (outcome, targets)


async def test_a_cut_connection_is_an_unknown_retry() -> None:
    async with server(lambda *_: None) as url:
        [found] = await send(config(url))
    assert (found.status, found.code, found.unknown) == ("retry", "connection_lost", True)


async def test_a_slow_answer_is_an_unknown_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routestudio.sinks._shared.http.client.TIMEOUT", 0.1)
    async with server(lambda *_: b"") as url:
        [found] = await send(config(url))
    assert (found.status, found.code, found.unknown) == ("retry", "timeout", True)


async def test_no_server_is_a_retry_of_what_was_never_sent() -> None:
    [found] = await send(config("http://127.0.0.1:1"))
    assert (found.status, found.code, found.unknown) == ("retry", "connect", False)


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 9000000000\r\n\r\n"
    async with server(lambda *_: head + b"x" * 3_000_000) as url:
        async with asyncio.timeout(5):
            [found] = await send(config(url))
    assert found.status == "delivered"


# --- check ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "auth", "authenticate", "target"),
    [
        (204, {"allow": "POST, OPTIONS"}, False, "skipped", "passed"),
        (405, {"allow": "POST"}, False, "skipped", "passed"),
        (204, {"allow": "GET"}, False, "skipped", "failed"),
        (200, {}, False, "skipped", "inconclusive"),
        (404, {}, False, "skipped", "inconclusive"),
        (500, {}, False, "skipped", "inconclusive"),
        (401, {}, False, "failed", "skipped"),
        (401, {}, True, "failed", "skipped"),
        (403, {}, True, "inconclusive", "inconclusive"),
        (204, {"allow": "POST"}, True, "inconclusive", "passed"),
        (301, {"location": "https://other.example/"}, False, "skipped", "failed"),
    ],
)
async def test_what_options_tells(
    status: int, headers: dict[str, str], auth: bool, authenticate: str, target: str
) -> None:
    methods = []

    def answer(method: str, path: str, given: dict[str, str], body: bytes) -> bytes:
        methods.append((method, body))
        return reply(status, **headers)

    async with server(answer) as url:
        secret = {"Authorization": "Bearer hunter2"} if auth else {}
        found = await check(config(url, encrypted_headers=secret), HttpPush.Routing(method="POST"))
    assert [s.step for s in found] == ["resolve", "connect", "TLS", "authenticate", "target"]
    assert [s.status for s in found[:3]] == ["passed", "passed", "skipped"]
    assert (found[3].status, found[4].status) == (authenticate, target)
    assert set(methods) == {("OPTIONS", b"")}, "the check delivered something"
    assert "hunter2" not in repr(found)


async def test_credentials_are_proven_by_asking_without_them() -> None:
    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        return reply(204 if headers.get("authorization") == "bearer good" else 401)

    async with server(answer) as url:
        for token, status in (("Bearer good", "passed"), ("Bearer bad", "failed")):
            found = await check(config(url, encrypted_headers={"Authorization": token}))
            assert found[3].status == status


async def test_a_port_that_does_not_speak_http_fails() -> None:
    async with server(lambda *_: b"-ERR unknown command\r\n\r\n") as url:
        found = await check(config(url))
    assert (found[3].step, found[3].status) == ("authenticate", "failed")
    assert "port" in (found[3].hint or "")


# --- stand-in ---------------------------------------------------------------------------------


async def test_the_standin_shows_what_arrived() -> None:
    standin = HttpStandin()
    address = await standin.start()
    try:
        settings = HttpPush.at_standin(
            config("https://bob:hunter2@api.example.com/in?k=1", headers={"X-A": "1"},
                   encrypted_headers={"X-Key": "topsecret"}),
            address,
        )  # fmt: skip
        assert "topsecret" not in repr(settings.http_endpoint.encrypted_headers)
        records = [encode(settings, {"n": n}, endpoint_path="/a",
                          headers={"content-encoding": "gzip"}) for n in range(2)]  # fmt: skip
        await send(settings, *records)
        await check(settings)
        arrived = await standin.arrived()
        assert [(a.destination, a.body, a.details["batch_index"]) for a in arrived] == [
            ("/in/a?k=1", '{"n":0}', 0), ("/in/a?k=1", '{"n":1}', 1),
        ]  # fmt: skip
        headers = arrived[0].details["headers"]
        assert headers["x-a"] == "1"
        assert "authorization" not in headers
        assert "x-key" not in headers
        standin.answer(503, {"retry-after": "3"})
        [found] = await send(settings, records[0])
        assert (found.status, found.after) == ("retry", 3.0)
        assert len(await standin.arrived(limit=1)) == 1
        await standin.clear()
        assert list(await standin.arrived()) == []
    finally:
        await standin.stop()
        await standin.stop()


@pytest.mark.parametrize(
    ("noise", "status"),
    [(b"nonsense\r\n\r\n", b"400"), (b"POST / HTTP/1.1\r\n\r\n", b"400"),
     (b"GET /" + b"a" * 400_000, b"4"), (b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999"
      b"\r\n\r\nabc", b""), (b"", b"")],
)  # fmt: skip
async def test_the_standin_survives_bad_requests(noise: bytes, status: bytes) -> None:
    standin = HttpStandin()
    address = await standin.start()
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(noise)
        writer.write_eof()
        try:
            said = await asyncio.wait_for(reader.read(), 5)
        except ConnectionResetError:
            said = b"HTTP/1.1 400"
        writer.close()
        assert status in said[:16]
        assert [o.status for o in await send(config(f"http://127.0.0.1:{address.port}"))] == [
            "delivered"
        ]
    finally:
        await standin.stop()
