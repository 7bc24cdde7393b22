"""200 random refusals for each sink: the run ends within its retry policy, and its sums are right.

What a service refuses for good goes to the dead letters, what it refuses for now is tried again, up
to five times. Kafka and NATS have tests of their own.
"""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import pytest

from routestudio.pipeline.retry import RetryPolicy
from routestudio.sinks._shared.redis import node
from tests.fault.harness import deliver_under
from tests.fault.service import PLACES, Service, Tools, by_module
from tests.fault.services import STARTS
from tests.support.http_server import Reply
from tests.support.oracle import number_in
from tests.support.ports import LOOPBACK

pytestmark = pytest.mark.real

REFUSALS = 200
ROUNDS = 30
POLICY = RetryPolicy(base=0.01, cap=0.05, max_attempts=5)
AWS = ("sqs", "sns", "kinesis")
WEB = ("http_push", "s2", "azure_event_hub", "meilisearch", "typesense", "gcp_pubsub",
       "elasticsearch", *AWS)  # fmt: skip

_STATUSES = (400, 403, 404, 405, 408, 409, 413, 415, 422, 425, 429, 500, 502, 503, 504)
_BODIES = (
    b"", b"no", b"<html>Bad Gateway</html>", b"{}", b"[]", b"null", b'{"message": "x"}',
    b'{"code": "invalid", "message": "x", "type": "invalid_request"}',
    b'{"code": "transaction_conflict", "message": "x", "type": "system"}',
    b'{"error": {"type": "x_exception", "reason": "x"}, "status": 400}',
    b'{"error": {"code": 400, "message": "x", "status": "INVALID_ARGUMENT"}}',
    b"<Error><Code>400</Code><Detail>The message size exceeds the limit.</Detail></Error>",
)  # fmt: skip
_ODD_SUCCESSES = (
    Reply(204), *(Reply(status, body) for status in (200, 202)
                  for body in (b"", b"<html>ok</html>", b"{}", b'{"items": []}')),
)  # fmt: skip
_AWS_CODES = ((400, "InvalidMessageContents"), (400, "ThrottlingException"),
              (400, "ValidationException"), (403, "AccessDenied"), (500, "InternalFailure"),
              (503, "ServiceUnavailable"), (413, "RequestEntityTooLarge"))  # fmt: skip


class Refusals:
    """Four of five requests are refused, in any of many ways."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._random = Random(key)

    def __call__(self) -> Reply | None:
        chance = self._random
        if chance.random() < 0.2:
            return None
        if self._key in AWS:
            return self._of_aws()
        if self._key != "http_push" and chance.random() < 0.15:
            return chance.choice(_ODD_SUCCESSES)
        if chance.random() < 0.1:
            return Reply(cut="before")
        return Reply(chance.choice(_STATUSES), chance.choice(_BODIES))

    def _of_aws(self) -> Reply:
        chance = self._random
        if chance.random() < 0.15:
            return chance.choice((Reply(cut="before"), *_ODD_SUCCESSES))
        status, code = chance.choice(_AWS_CODES)
        if self._key == "sns":
            text = f"<ErrorResponse><Error><Code>{code}</Code><Message>x</Message></Error>"
            return Reply(status, f"{text}</ErrorResponse>".encode())
        return Reply(status, json.dumps({"__type": code, "message": "x"}).encode())


@pytest.mark.usefixtures("trusted_ca")
@pytest.mark.parametrize("service", WEB, indirect=True)
async def test_a_run_ends_whatever_is_refused(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "random", Refusals(service.key))
    fired = rejected = delivered = 0
    for turn in range(ROUNDS):
        folder = tmp_path / str(turn)
        folder.mkdir()
        row, verdict = await deliver_under(
            service, "random", folder, monkeypatch.setattr, policy=POLICY
        )
        # Every message arrived or is a dead letter, and none is both but after a lost answer.
        assert verdict.good, str(verdict)
        fired += row.fired
        rejected += row.rejected
        delivered += row.sent - row.rejected
        if fired >= REFUSALS and rejected and delivered:
            return
    pytest.fail(f"{fired} refusals, {rejected} rejected, {delivered} delivered in {ROUNDS} runs")


# --- Redis ------------------------------------------------------------------------------------

_ERRORS = (b"OOM full", b"READONLY replica", b"MISCONF disk", b"BUSY script",
           b"WRONGTYPE other", b"NOPERM no", b"ERR no", b"MASTERDOWN x", b"TRYAGAIN x")  # fmt: skip


@dataclass
class RefusingRedis:
    """Takes a command or refuses it, by chance, and keeps what it took."""

    errors: tuple[bytes, ...]
    port: int = 0
    refused: int = 0
    taken: list[bytes] = field(default_factory=list)
    chance: Random = field(default_factory=lambda: Random(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refusal(self) -> bytes | None:
        """An error in three of five cases, until enough were refused.

        A transaction is refused as a whole, so with errors for ever everything may be given up.
        """
        if self.refused >= 3 * REFUSALS or self.chance.random() >= 0.6:
            return None
        self.refused += 1
        return b"-%b\r\n" % self.chance.choice(self.errors)

    def write(self, words: list[bytes]) -> bytes:
        self.taken.append(b" ".join(words))
        return b"+OK\r\n" if words[0] == b"SET" else b"$3\r\n1-1\r\n"


class RedisSession:
    """One connection to a `RefusingRedis`, with the transaction that is open on it.

    As https://redis.io/docs/latest/develop/interact/transactions/ describes: an error while
    commands are queued discards all of them at EXEC; a wrong type is found at EXEC only, and the
    other commands are carried out.
    """

    def __init__(self, server: RefusingRedis) -> None:
        self._server = server
        self._queue: list[tuple[list[bytes], bytes | None]] | None = None
        self._broken = False

    def reply(self, words: list[bytes]) -> bytes:
        with self._server.lock:
            if words[0] == b"MULTI":
                self._queue, self._broken = [], False
            elif words[0] == b"EXEC" and self._queue is not None:
                return self._exec()
            elif words[0] in (b"SET", b"XADD"):
                return self._command(words)
        return b"+OK\r\n"

    def _command(self, words: list[bytes]) -> bytes:
        error = self._server.refusal()
        if self._queue is None:
            return error or self._server.write(words)
        if error is not None and not error.startswith(b"-WRONGTYPE"):
            self._broken = True
            return error
        self._queue.append((words, error))
        return b"+QUEUED\r\n"

    def _exec(self) -> bytes:
        queue, self._queue = self._queue or [], None
        if self._broken:
            return b"-EXECABORT Transaction discarded because of previous errors.\r\n"
        replies = [error or self._server.write(words) for words, error in queue]
        return b"*%d\r\n%b" % (len(replies), b"".join(replies))


def _command(stream: BinaryIO) -> list[bytes]:
    head = stream.readline()
    words = []
    for _ in range(int(head[1:] or 0) if head else 0):
        size = int(stream.readline()[1:])
        words.append(stream.read(size + 2)[:-2])
    return words


@contextlib.contextmanager
def refusing_redis(errors: tuple[bytes, ...]) -> Iterator[RefusingRedis]:
    """Run one until the block ends."""
    server = RefusingRedis(errors)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            session = RedisSession(server)
            with contextlib.suppress(OSError, ValueError):
                while words := _command(self.rfile):  # type: ignore[arg-type]
                    self.wfile.write(session.reply(words))

    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads = False

    with Threads((LOOPBACK, 0), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), name="redis")
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join(10)


@pytest.mark.parametrize("loading", [False, True], ids=["ready", "loading"])
@pytest.mark.parametrize("key", ["redis_stream", "redis_string"])
async def test_a_run_into_redis_ends_whatever_is_refused(
    key: str,
    loading: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    errors = (*_ERRORS, b"LOADING data") if loading else _ERRORS
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(refusing_redis(errors))
        proxy = Tools(tmp_path, request.getfixturevalue, stack).proxied(server.port)
        service = Service(
            key, proxy, {"host": LOOPBACK, "port": proxy.port},
            (lambda place, message: {"stream_key": f"place-{place}"}) if key == "redis_stream"
            else (lambda place, message: {"key": f"{place}/{message.record['id']}"}),
            server.taken.clear,
            lambda: {"log": [number_in(each.decode()) for each in server.taken]},
            deadline=by_module(node),
        )  # fmt: skip
        row, verdict = await deliver_under(
            service, "random", tmp_path, monkeypatch.setattr, policy=POLICY
        )
    assert verdict.good, str(verdict)
    assert server.refused >= REFUSALS
    assert 0 < row.rejected < row.sent
    # At LOADING the client ends the connection: what became of the commands behind is not seen.
    if not loading:
        assert len(server.taken) == row.sent - row.rejected


# --- RabbitMQ ---------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["rabbitmq"], indirect=True)
async def test_a_run_into_rabbitmq_ends_whatever_is_refused(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exchanges that are not there, and messages that no queue gets, between good ones."""
    right = service.route
    bad: set[int] = set()

    def route(place: int, message: Any) -> dict[str, Any]:
        number = int(number_in(json.dumps(message.as_json())))
        kind = Random(number).randrange(5)
        if kind > 1:
            bad.add(number)
        wrong = [{"exchange": f"missing-{number % PLACES}"}, {"exchange": "amq.topic"},
                 {"exchange": "amq.rabbitmq.log"}]  # fmt: skip
        return right(place, message) if kind < 2 else wrong[kind - 2]

    monkeypatch.setattr(service, "route", route)
    row, verdict = await deliver_under(
        service, "random", tmp_path, monkeypatch.setattr, policy=POLICY
    )
    assert verdict.good, str(verdict)
    assert row.rejected == len(bad) >= REFUSALS


def test_the_sinks_are_all_that_others_do_not_test() -> None:
    assert set(STARTS) - {*WEB, "redis_stream", "redis_string", "rabbitmq"} == {"kafka", "nats"}
