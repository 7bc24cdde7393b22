"""Deliveries and checks go through the proxy that the environment names, and through no other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from routestudio.model.outcome import CheckStep
from routestudio.sinks._shared.http.client import Answer, HttpClient, UnansweredError
from routestudio.sinks._shared.proxy import Proxy, ProxyError, chosen, secrets
from routestudio.sinks.http_push.sink import HttpEndpoint, HttpPush
from tests.support.certificates import Authority
from tests.support.strict_proxy import proxying

SECRET = "p@ss:word"
USER = "clerk:p%40ss%3Aword"
HOST = "orders.example"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextlib.asynccontextmanager
async def receiver(context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Answers every request with 200; what it was sent, and its port."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                heads.append(head)
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        await reader.readexactly(int(line.split(b":")[1]))
                close = b"connection: close" in head.lower()
                end = b"connection: close\r\n" if close else b""
                writer.write(b"HTTP/1.1 200 OK\r\n" + end + b"content-length: 2\r\n\r\nok")
                await writer.drain()
                if close:
                    break
        writer.transport.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)


async def ask(client: HttpClient, url: str) -> Answer | UnansweredError:
    try:
        return await client.exchange("POST", url, [(b"x-a", b"1")], b"{}")
    except UnansweredError as failure:
        return failure


async def test_plain_requests_name_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as (port, heads):
        async with proxying({(HOST, 80): ("127.0.0.1", port)}, f"clerk:{SECRET}") as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://{USER}@127.0.0.1:{proxy.port}")
            client = HttpClient(tls=False, timeout=30)
            for _ in range(3):
                found = await ask(client, f"http://{HOST}/hooks?a=1")
                assert isinstance(found, Answer), found.outcome
                assert (found.status, found.body) == (200, b"ok")
            await client.close()
        assert proxy.faults == []
        assert proxy.seen == [b"POST http://orders.example/hooks?a=1"] * 3
    assert all(head.startswith(b"POST /hooks?a=1 HTTP/1.1\r\n") for head in heads)
    assert len(heads) == 3
    assert b"proxy-authorization" not in b"".join(heads).lower()


async def test_tls_goes_through_a_tunnel(ca: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy sees the host, the server its certificate's name, and one tunnel serves many."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    async with receiver(ca.server_context(HOST)) as (port, heads):
        async with proxying({(HOST, 443): ("127.0.0.1", port)}, f"clerk:{SECRET}") as proxy:
            monkeypatch.setenv("https_proxy", f"{USER}@127.0.0.1:{proxy.port}")
            client = HttpClient(timeout=30)
            for _ in range(3):
                found = await ask(client, f"https://{HOST}/hooks")
                assert isinstance(found, Answer), found.outcome
            await client.close()
        assert proxy.faults == []
        assert proxy.seen == [b"CONNECT orders.example:443"]
    assert [head.split(b"\r\n")[0] for head in heads] == [b"POST /hooks HTTP/1.1"] * 3
    assert b"proxy-authorization" not in b"".join(heads).lower()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_with_other_letters_stays_in_its_xn_form(
    scheme: str, ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its letters, encoded again by an older rule, would be another host (here: strasse)."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    host, port = "xn--strae-oqa.example", 443 if scheme == "https" else 80
    async with receiver(ca.server_context(host) if scheme == "https" else None) as (there, heads):
        async with proxying({(host, port): ("127.0.0.1", there)}) as proxy:
            monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
            client = HttpClient(timeout=30)
            found = await ask(client, f"{scheme}://{host}/hooks")
            await client.close()
        assert isinstance(found, Answer), found.outcome
        assert proxy.faults == []
    assert b"\r\nhost: " + host.encode() in heads[0].lower()


async def test_the_servers_certificate_counts_behind_a_proxy(
    ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    async with (
        receiver(ca.server_context("other.example")) as (port, heads),
        proxying({(HOST, 443): ("127.0.0.1", port)}) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        client = HttpClient(timeout=30)
        found = await ask(client, f"https://{HOST}/")
        await client.close()
    assert isinstance(found, UnansweredError)
    assert found.outcome.code == "tls"
    assert not heads


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("user", "host", "status"), [("clerk:wrong-one", HOST, "407"), (USER, "no.example", "403")]
)
async def test_what_the_proxy_refuses_is_no_messages_fault(
    scheme: str, user: str, host: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying({(HOST, 80): ("127.0.0.1", 1)}, f"clerk:{SECRET}") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"http://{user}@127.0.0.1:{proxy.port}")
        client = HttpClient(timeout=30)
        found = await ask(client, f"{scheme}://{host}/")
        outcome = client.refused(found) if isinstance(found, Answer) else found.outcome
        await client.close()
    assert status in outcome.reason
    assert not outcome.unknown
    if (scheme, status) != ("http", "403"):  # that may be the server's own answer
        assert outcome.unreachable, outcome
    assert "wrong-one" not in repr(outcome)
    assert SECRET not in repr(outcome)


async def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxying({}) as proxy:
        port = proxy.port
    monkeypatch.setenv("ALL_PROXY", f"http://{USER}@127.0.0.1:{port}")
    client = HttpClient(timeout=30)
    for scheme in ("http", "https"):
        found = await ask(client, f"{scheme}://{HOST}/")
        assert isinstance(found, UnansweredError)
        assert found.outcome.unreachable
        assert f"the proxy 127.0.0.1:{port}" in found.outcome.reason
        assert found.outcome.reason.endswith("Connection refused")
        assert SECRET not in found.outcome.reason
    await client.close()


async def test_bytes_in_front_of_the_servers_own_are_not_its(
    ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    async with (
        receiver(ca.server_context(HOST)) as (port, heads),
        proxying({(HOST, 443): ("127.0.0.1", port)}) as proxy,
    ):
        proxy.extra = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
        client = HttpClient(timeout=30)
        found = await ask(client, f"https://{HOST}/")
        await client.close()
    assert isinstance(found, UnansweredError)
    assert found.outcome.unreachable
    assert not heads


async def test_a_server_that_speaks_first_gets_no_request(
    ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its greeting comes together with the end of the handshake: TLS 1.2 ends it so."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    context = ca.server_context(HOST)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    strange: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: strange.append(told))
    with socket.create_server(("127.0.0.1", 0)) as server:
        greeting = asyncio.ensure_future(asyncio.to_thread(greet, server, context))
        async with proxying({(HOST, 443): server.getsockname()}) as proxy:
            monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
            client = HttpClient(timeout=30)
            found = await ask(client, f"https://{HOST}/")
            await client.close()
        got = await greeting
    assert isinstance(found, UnansweredError)
    assert found.outcome.code == "connection_lost"
    assert got == b""
    assert strange == []


def greet(server: socket.socket, context: ssl.SSLContext) -> bytes:
    """Send the end of a handshake and a greeting as one piece; return what comes then."""
    incoming, outgoing, got = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
    talk = context.wrap_bio(incoming, outgoing, server_side=True)
    plain, _ = server.accept()
    with plain, contextlib.suppress(OSError):
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                talk.do_handshake()
                break
            plain.sendall(outgoing.read())
            incoming.write(plain.recv(1 << 16))
        talk.write(b"220 mail.example ESMTP\r\n")
        plain.sendall(outgoing.read())
        while data := plain.recv(1 << 16):
            incoming.write(data)
            with contextlib.suppress(ssl.SSLWantReadError):
                got += talk.read(100)
    return got


async def test_loopback_and_exceptions_go_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with receiver() as (port, _):
        client = HttpClient(tls=False, timeout=30)
        assert isinstance(await ask(client, f"http://127.0.0.1:{port}/"), Answer)
        assert isinstance(await ask(client, f"http://localhost:{port}/"), Answer)
        await client.close()


@pytest.mark.parametrize(
    ("names", "direct"),
    [
        ("", False), ("*", True), ("orders.example", True), (".example", True), ("example", True),
        ("*.example", True), ("rders.example", False), ("orders.example:443", True),
        ("orders.example:80", False), ("a.example, ORDERS.example.", True), ("10.0.0.0/8", False),
    ],
)  # fmt: skip
def test_no_proxy(names: str, direct: bool) -> None:
    environ = {"https_proxy": "http://proxy.example", "no_proxy": names}
    found = chosen("https", "Orders.example", 443, environ)
    assert found == (None if direct else Proxy("proxy.example", 3128, "", "", "https_proxy"))


@pytest.mark.parametrize(
    ("host", "direct"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("::1", True), ("fd00::7", True), ("fe00::7", False)],
)
def test_networks_in_no_proxy(host: str, direct: bool) -> None:
    environ = {"all_proxy": "http://proxy.example:80", "no_proxy": "10.0.0.0/8,fd00::/8"}
    assert (chosen("http", host, 80, environ) is None) is direct


def test_which_variable_counts() -> None:
    environ = {"HTTP_PROXY": "http://a:1", "http_proxy": "http://b:2", "ALL_PROXY": "c:3"}
    assert chosen("http", HOST, 80, environ) == Proxy("b", 2, "", "", "http_proxy")
    assert chosen("https", HOST, 443, environ) == Proxy("c", 3, "", "", "ALL_PROXY")
    assert chosen("http", HOST, 80, {"HTTP_PROXY": "http://a:1", "REQUEST_METHOD": "GET"}) is None
    empty = {"HTTPS_PROXY": "http://a:1", "https_proxy": ""}
    assert chosen("https", HOST, 443, empty) is None


@pytest.mark.parametrize(
    "value", ["socks5://u:geheim@h:1", "http://u:geheim@h:x", "http://:geheim@"]
)
def test_a_value_that_is_not_a_proxy_is_named_without_its_text(value: str) -> None:
    with pytest.raises(ProxyError, match="https_proxy") as caught:
        chosen("https", HOST, 443, {"https_proxy": value})
    assert "geheim" not in str(caught.value)
    assert any("geheim" in secret for secret in secrets({"https_proxy": value}))


async def steps(endpoint: dict[str, Any]) -> list[CheckStep]:
    config = HttpPush.Config(http_endpoint=HttpEndpoint.model_validate(endpoint))
    link = HttpPush.connect(config)
    found = [step async for step in link.check([])]
    await link.close()
    return found


async def test_a_check_goes_the_way_of_a_delivery(
    ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    async with (
        receiver(ca.server_context(HOST)) as (port, heads),
        proxying({(HOST, 443): ("127.0.0.1", port)}, f"clerk:{SECRET}") as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{USER}@127.0.0.1:{proxy.port}")
        found = await steps({"url": f"https://{HOST}/hooks"})
        by_name = {step.step: step for step in found}
        assert [by_name[name].status for name in ("resolve", "connect", "TLS")] == ["passed"] * 3
        assert "`HTTPS_PROXY`" in by_name["connect"].detail
        assert "through the proxy" in by_name["TLS"].detail
        assert heads, "OPTIONS came through, too"
        monkeypatch.setenv("HTTPS_PROXY", f"http://clerk:wrong-one@127.0.0.1:{proxy.port}")
        found = await steps({"url": f"https://{HOST}/hooks"})
        tls = next(step for step in found if step.step == "TLS")
        assert tls.status == "failed"
        assert "HTTP 407" in tls.detail
        assert "wrong-one" not in repr(found)
        assert [step.status for step in found if step.step in ("authenticate", "target")] == [
            "skipped", "skipped"
        ]  # fmt: skip
        assert set(proxy.seen) == {b"CONNECT orders.example:443"}
        assert proxy.faults == []
