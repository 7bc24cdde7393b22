"""The services behind the fifteen sinks: how to break each of them, and how to read it.

Each reader belongs to its service and gives the numbers of messages in the order of arrival. A
fault that a service cannot have is a row with the reason (`Service.cannot`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from routestudio.model.message import Message
from routestudio.sinks import (
    _kafka_link,
    _nats_link,
    _rabbitmq_link,
    _redis,
    registry,
)
from tests.support import guards
from tests.support.aws_server import AwsServer, emulator
from tests.support.certificates import Authority
from tests.support.event_hub_server import start_event_hubs
from tests.support.fault_gate import Gate, forwarding
from tests.support.fault_proxy import FaultProxy, start_fault_proxy
from tests.support.http_server import Reply, start_http
from tests.support.kafka_client import allow_writes, answers, read
from tests.support.kafka_server import start_kafka
from tests.support.meilisearch_server import WRITER as MEILISEARCH_KEY
from tests.support.meilisearch_server import start_meilisearch
from tests.support.nats_server import start_nats
from tests.support.opensearch_server import OpenSearchServer
from tests.support.oracle import NUMBER, number_in, numbers_in
from tests.support.ports import LOOPBACK
from tests.support.process import Child
from tests.support.pubsub_server import PROJECT, PubSubServer
from tests.support.rabbitmq_server import PASSWORD, VHOST, start_rabbitmq
from tests.support.redis_server import start_redis
from tests.support.s2_server import BASIN, start_s2
from tests.support.s2_server import WRITER as S2_TOKEN
from tests.support.typesense_server import WRITER as TYPESENSE_KEY
from tests.support.typesense_server import start_typesense

PLACES: Final = 3
READY: Final = 60.0
MEMORY: Final = "keeps nothing when it ends: the proxy before it goes down instead"
INSIDE: Final = "runs inside of the test: the proxy before it goes down instead"
FREEZE: Final = "no process of its own that keeps what it took: see held"

Sequences = Mapping[str, list[int]]


@dataclass
class Service:
    """A service behind a proxy. Its destinations have names that end with 0 to `PLACES` - 1.

    `route` gives the routed fields for a place and a message; `begin` empties it and makes the
    destinations, for `fault`; `arrived` reads it; `states` are the last numbers by place and group,
    where it keeps only those. `refuse` makes it refuse (true) and take (false) what is sent.
    `share` of the messages are enough where it is slow. `child` is its process, when what it took
    survives that. `deadline` sets the seconds after which the sink gives up waiting for an answer,
    by attributes of modules or of its link. `cannot` has the reasons of faults that it cannot have.
    """

    key: str
    proxy: FaultProxy
    destination: dict[str, Any]
    route: Callable[[int, Message], dict[str, Any]]
    begin: Callable[[], None]
    arrived: Callable[[], Sequences]
    gate: Gate | None = None
    refuse: Callable[[bool], None] | None = None
    share: float = 1.0
    child: Child | None = None
    ready: Callable[[], bool] = lambda: True
    states: Callable[[], dict[str, int]] | None = None
    path: str | None = None
    deadline: Callable[[Any, Callable[[Any, str, Any], None]], None] = lambda link, put: None
    cannot: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    def excuse(self, fault: str) -> str | None:
        """Why the service cannot have a fault; `None` when it can."""
        if fault == "frozen" and self.child is None:
            return FREEZE
        return self.cannot.get(fault)

    def kill(self) -> None:
        """End it as a crash does."""
        self.proxy.down()
        if self.child is not None:
            self.child.kill()

    def start(self) -> None:
        """Start it again, with what it had. Belongs into the main thread, with which it ends."""
        if self.child is not None:
            self.child.start()
            guards.adopt(process=self.child.pid)

    def open(self) -> None:
        """Let clients in as soon as it is ready."""
        if self.child is not None:
            self.child.wait_ready(self.ready, READY)
        self.proxy.up()


Start = Callable[["Tools"], Iterator[Service]]


@dataclass
class Tools:
    """What a service needs to start: a folder of its own, fixtures, and an end."""

    folder: Path
    fixture: Callable[[str], Any]
    stack: ExitStack

    def proxied(self, port: int) -> FaultProxy:
        """A proxy in front of a port."""
        return self.stack.enter_context(start_fault_proxy(port))

    def gated(self, port: int) -> tuple[Gate, FaultProxy]:
        """A gate and a proxy in front of a server of its own process that speaks HTTP."""
        receiver = self.stack.enter_context(start_http())
        gate = Gate(forwarding(port))
        receiver.answer = gate.answer
        return gate, self.proxied(receiver.port)


def _names(prefix: str = "place") -> list[str]:
    return [f"{prefix}-{number}" for number in range(PLACES)]


def _module(module: Any, name: str = "TIMEOUT") -> Callable[[Any, Any], None]:
    return lambda link, put: put(module, name, 0.4)


def _http_deadline(link: Any, put: Callable[[Any, str, Any], None]) -> None:
    if hasattr(link, "timeout"):
        put(link, "timeout", 0.4)
    put(link._client, "_timeout", 0.4)


def _key(message: Message) -> str:
    return str(message.record["id"])


# --- Redis ------------------------------------------------------------------------------------


def _redis_service(tools: Tools, key: str) -> Service:
    server = tools.stack.enter_context(start_redis(tools.folder, keep=True))
    proxy = tools.proxied(server.port)
    streams = _names()

    def entries() -> Sequences:
        found = {}
        for name in streams:
            items = server.command("XRANGE", name, "-", "+")
            assert isinstance(items, list)
            found[name] = [number_in(repr_of(item)) for item in items]
        return found

    def begin() -> None:
        server.command("CONFIG", "SET", "maxmemory", 0)
        server.flush()

    def log() -> Sequences:
        words = written(tools.folder / "appendonlydir")
        start = max((n for n, each in enumerate(words) if each[0] == b"FLUSHALL"), default=-1)
        return {"log": [number_in(each[2].decode()) for each in words[start + 1 :]
                        if each[0] == b"SET"]}  # fmt: skip

    def states() -> dict[str, int]:
        found = server.contents()
        return {key.decode(): number_in(value.decode()) for key, value in found.items()}

    return Service(
        key, proxy, {"host": LOOPBACK, "port": proxy.port},
        (lambda place, message: {"stream_key": streams[place]}) if key == "redis_stream"
        else (lambda place, message: {"key": f"{place}/{_key(message)}"}),
        begin, entries if key == "redis_stream" else log,
        refuse=lambda on: void(server.command("CONFIG", "SET", "maxmemory", 1 if on else 0)),
        child=server.child, ready=lambda: server.command("PING") == b"PONG",
        states=None if key == "redis_stream" else states, deadline=_module(_redis),
        notes={"refused": "its memory is full again and again"},
    )  # fmt: skip


def repr_of(item: Any) -> str:
    """A stream entry as one text."""
    return " ".join(part.decode() for part in item[1])


def written(folder: Path) -> list[list[bytes]]:
    """The commands in Redis' append-only file, in order."""
    found: list[list[bytes]] = []
    for path in sorted(folder.glob("*.incr.aof"), key=lambda p: int(p.name.split(".")[-3])):
        data, place = path.read_bytes(), 0
        while (end := data.find(b"\r\n", place)) >= 0:
            count, place, words = int(data[place + 1 : end]), end + 2, []
            for _ in range(count):
                end = data.index(b"\r\n", place)
                size = int(data[place + 1 : end])
                words.append(data[end + 2 : end + 2 + size])
                place = end + 4 + size
            found.append(words)
    return found


def void(value: object) -> None:
    """Nothing."""


# --- brokers ----------------------------------------------------------------------------------


def _kafka(tools: Tools) -> Service:
    from tests.support.ports import free_port

    authority: Authority = tools.fixture("ca")
    proxy = tools.proxied(free_port())
    port = {"SASL_PLAINTEXT": proxy.port}
    server = tools.stack.enter_context(start_kafka(tools.folder, authority, advertised=port))
    proxy.target = int(server.sasl_plaintext.partition(":")[2])
    run = 0

    def names() -> list[str]:
        return _names(f"run{run}")

    def begin() -> None:
        nonlocal run
        run += 1
        for name in names():
            server.create_topic(name, 2)

    def arrived() -> Sequences:
        found: dict[str, list[int]] = {}
        for item in read(server.plaintext, names()):
            sequence = found.setdefault(f"{item.topic}/{item.partition}", [])
            sequence.append(number_in((item.value or b"").decode()))
        return found

    def deadline(link: Any, put: Callable[[Any, str, Any], None]) -> None:
        usual = _kafka_link.producer_settings
        put(_kafka_link, "producer_settings", lambda config: {
            **usual(config), "socket.timeout.ms": 400, "request.timeout.ms": 400,
            "socket.connection.setup.timeout.ms": 1000, "message.timeout.ms": 20_000})  # fmt: skip

    return Service(
        "kafka", proxy,
        {"hosts": f"{LOOPBACK}:{proxy.port}", "sasl_mechanism": "plain", "username": "writer",
         "password": server.passwords["writer"]},
        lambda place, message: {"topic": names()[place]}, begin, arrived,
        refuse=lambda on: allow_writes(server.plaintext, "writer", f"run{run}", not on),
        child=server.child, ready=lambda: answers(server.plaintext), deadline=deadline,
        notes={"refused": "the right to write is taken away"},
    )  # fmt: skip


def _nats(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_nats(tools.folder))
    proxy = tools.proxied(server.port)

    def begin() -> None:
        nonlocal room
        room = 0
        server.reset()
        # Without a window for repeats, a message that is sent twice is stored twice.
        server.create_stream("ALL", "place.>", storage="file", duplicate_window=100_000_000)

    def arrived() -> Sequences:
        return {"ALL": [number_in(item.body.decode()) for item in server.stored("ALL")]}

    def ready() -> bool:
        with server.wire() as wire:
            return "error" not in wire.ask("$JS.API.STREAM.INFO.ALL")

    room = 0

    def refuse(on: bool) -> None:
        nonlocal room
        if on and not room:
            room = 60
            server.update_stream("ALL", max_msgs=room, discard="new")
        elif not on:
            room += 100
            server.update_stream("ALL", max_msgs=room)

    return Service(
        "nats", proxy, {"host": LOOPBACK, "port": proxy.port},
        lambda place, message: {"subject": f"place.{place}"}, begin, arrived, refuse=refuse,
        child=server.child, ready=ready, deadline=_module(_nats_link),
        notes={"refused": "its stream is full again and again"},
    )  # fmt: skip


def _rabbitmq(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_rabbitmq(tools.folder))
    proxy = tools.proxied(server.port)
    early: dict[str, list[int]] = {}

    def begin() -> None:
        server.reset()
        early.clear()
        for name in _names():
            server.exchange(name, "fanout", durable=True)
            full = {"x_max_length": 60, "x_overflow": "reject-publish"}
            server.queue(name, (name, ""), **(full if service.fault == "refused" else {}))

    def arrived() -> Sequences:
        for name in _names():
            early.setdefault(name, []).extend(
                number_in(item.body.decode()) for item in server.drain(name)
            )
        return early

    service = Service(
        "rabbitmq", proxy,
        {"host": LOOPBACK, "port": proxy.port, "virtual_host": VHOST, "username": "orders",
         "password": PASSWORD},
        lambda place, message: {"exchange": _names()[place]}, begin, arrived,
        refuse=lambda on: None if on else void(arrived()),
        child=server.process, ready=lambda: _signs_in(server), deadline=_module(_rabbitmq_link),
        notes={"refused": "its queues are full until they are read"},
    )  # fmt: skip
    return service


def _signs_in(server: Any) -> bool:
    import pika.exceptions

    try:
        with server.channel():
            return True
    except pika.exceptions.AMQPError:
        return False


# --- HTTP -------------------------------------------------------------------------------------


def _http_push(tools: Tools) -> Service:
    receiver = tools.stack.enter_context(start_http())
    gate = Gate(lambda request: Reply())
    proxy = tools.proxied(receiver.port)

    def begin() -> None:
        receiver.reset()
        receiver.answer = gate.answer

    url = f"http://{LOOPBACK}:{proxy.port}"
    return Service(
        "http_push", proxy, {"http_endpoint": "api", "batch": True},
        lambda place, message: {"endpoint_path": f"/place-{place}"}, begin,
        lambda: {"requests": [n for _, body in gate.taken for n in numbers_in(body)]},
        gate=gate, deadline=_http_deadline, notes={"killed": INSIDE},
        resources={"http_endpoints": {"api": {"name": "api", "url": url}}},
    )  # fmt: skip


def _s2(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_s2())
    gate = Gate(server.answer)
    proxy = tools.proxied(server.receiver.port)

    def begin() -> None:
        server.reset()
        server.receiver.answer = gate.answer
        for name in _names():
            server.create(name)

    return Service(
        "s2", proxy,
        {"access_token": SecretStr(S2_TOKEN), "endpoint_url": f"http://{LOOPBACK}:{proxy.port}"},
        lambda place, message: {"basin": BASIN, "stream": _names()[place]}, begin,
        lambda: {name: [number_in(text) for text in server.records(name)] for name in _names()},
        gate=gate, deadline=_http_deadline, notes={"killed": INSIDE},
    )  # fmt: skip


def _event_hub(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_event_hubs(tools.fixture("ca")))
    gate = Gate(server.answer)
    proxy = tools.proxied(server.http.port)
    server.http.port = proxy.port  # signatures are for the address that clients use

    def begin() -> None:
        server.http.reset()
        server.http.answer = gate.answer
        server.hubs.update(_names())
        server.events.clear()

    def arrived() -> Sequences:
        assert server.broken_rules == []
        return {hub: [number_in(body) for body in bodies] for hub, bodies in server.events.items()}

    return Service(
        "azure_event_hub", proxy,
        {"namespace": "shop-events", "shared_access_key_name": "sender",
         "shared_access_key": SecretStr(server.policies["sender"].key),
         "endpoint_url": f"https://{LOOPBACK}:{proxy.port}"},
        lambda place, message: {"event_hub_name": _names()[place]}, begin, arrived,
        gate=gate, deadline=_http_deadline, notes={"killed": INSIDE},
    )  # fmt: skip


def _meilisearch(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_meilisearch())
    gate = Gate(server.answer)
    proxy = tools.proxied(server.receiver.port)

    def begin() -> None:
        server.reset()
        server.receiver.answer = gate.answer
        for name in _names():
            server.create(name)

    return Service(
        "meilisearch", proxy,
        {"endpoint_url": f"http://{LOOPBACK}:{proxy.port}", "api_key": SecretStr(MEILISEARCH_KEY)},
        lambda place, message: {"action": "index", "index_name": _names()[place]}, begin,
        lambda: by_target(gate), gate=gate, path="record", deadline=_http_deadline,
        states=lambda: documents(server.indexes), notes={"killed": INSIDE},
    )  # fmt: skip


def _typesense(tools: Tools) -> Service:
    server = tools.stack.enter_context(start_typesense())
    gate = Gate(server.answer)
    proxy = tools.proxied(server.receiver.port)

    def begin() -> None:
        server.reset()
        server.receiver.answer = gate.answer
        for name in _names():
            server.create(name)

    return Service(
        "typesense", proxy,
        {"endpoint_url": f"http://{LOOPBACK}:{proxy.port}", "api_key": SecretStr(TYPESENSE_KEY)},
        lambda place, message: {"action": "index", "collection_name": _names()[place]}, begin,
        lambda: by_target(gate), gate=gate, path="record", deadline=_http_deadline,
        states=lambda: documents(server.collections), notes={"killed": INSIDE},
    )  # fmt: skip


def _elasticsearch(tools: Tools) -> Service:
    server: OpenSearchServer = tools.fixture("_opensearch")
    gate, proxy = tools.gated(server.port)

    def states() -> dict[str, int]:
        return documents({name: server.documents(name) for name in _names()})

    def begin() -> None:
        server.clear()
        for name in _names():
            server.create_index(name, number="integer")

    return Service(
        "elasticsearch", proxy,
        {"endpoint_url": f"http://{LOOPBACK}:{proxy.port}", "auth_type": "none"},
        lambda place, message: {"index_name": _names()[place]}, begin, lambda: by_target(gate),
        gate=gate, path="record", deadline=_http_deadline, states=states,
        notes={"killed": "starts slowly: the proxy before it goes down instead"},
    )  # fmt: skip


def by_target(gate: Gate) -> Sequences:
    """What a gate let through, by the path of the request."""
    found: dict[str, list[int]] = {}
    for target, body in gate.taken:
        found.setdefault(target.partition("?")[0], []).extend(numbers_in(body))
    return found


def documents(kept: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """The number in each document, by place and id."""
    return {
        f"{name.rpartition('-')[2]}/{key}": int(document[NUMBER])
        for name, held in kept.items()
        for key, document in held.items()
    }


def _pubsub(tools: Tools) -> Service:
    server: PubSubServer = tools.fixture("pubsub_server")
    gate, proxy = tools.gated(server.port)
    run = 0

    def names() -> list[str]:
        return _names(f"{tools.folder.name}-run{run}")

    def begin() -> None:
        nonlocal run
        run += 1
        for name in names():
            server.create_topic(name)

    def arrived() -> Sequences:
        found = {}
        for name in names():
            items = []
            while True:
                more = server.pull(name, 1, timeout=0.1)
                items += more
                if not more:
                    break
            found[name] = [number_in(item.data.decode()) for item in items]
        return found

    return Service(
        "gcp_pubsub", proxy,
        {"project_id": PROJECT, "use_emulator": True,
         "emulator_base_url": f"http://{LOOPBACK}:{proxy.port}"},
        lambda place, message: {"topic_id": names()[place]}, begin, arrived, gate=gate,
        deadline=_http_deadline, notes={"killed": MEMORY},
    )  # fmt: skip


def _aws(tools: Tools, key: str) -> Service:
    server: AwsServer = tools.fixture("aws_server")
    gate, proxy = tools.gated(server.port)
    names: list[str] = []
    queues: list[str] = []

    def begin() -> None:
        names.clear()
        queues.clear()
        with server.talking(key), server.talking("sqs"):
            make()

    def make() -> None:
        for _ in range(PLACES):
            if key == "kinesis":
                names.append(server.stream())
            elif key == "sqs":
                names.append(server.queue(fifo=True))
            else:
                names.append(server.topic(fifo=True))
                queues.append(server.subscribed(names[-1]))

    def arrived() -> Sequences:
        with server.talking("kinesis" if key == "kinesis" else "sqs"):
            return look()

    def look() -> Sequences:
        if key != "kinesis":
            return {url: [number_in(item["Body"]) for item in server.messages(url)]
                    for url in (queues or names)}  # fmt: skip
        found: dict[str, list[int]] = {}
        for arn in names:
            for item in server.records(arn):
                found.setdefault(f"{arn}/{item['PartitionKey']}", []).append(
                    number_in(item["Data"].decode())
                )
        return found

    field = {"kinesis": "stream_arn", "sqs": "queue_url", "sns": "topic_arn"}[key]
    return Service(
        key, proxy, emulator(f"http://{LOOPBACK}:{proxy.port}"),
        lambda place, message: {field: names[place]}, begin, arrived, gate=gate,
        deadline=_http_deadline, notes={"killed": MEMORY},
        share=1.0 if key == "kinesis" else 0.35,
    )  # fmt: skip


STARTS: Final[dict[str, Callable[[Tools], Service]]] = {
    "redis_stream": lambda tools: _redis_service(tools, "redis_stream"),
    "redis_string": lambda tools: _redis_service(tools, "redis_string"),
    "nats": _nats,
    "http_push": _http_push,
    "s2": _s2,
    "azure_event_hub": _event_hub,
    "meilisearch": _meilisearch,
    "typesense": _typesense,
    "kinesis": lambda tools: _aws(tools, "kinesis"),
    "sqs": lambda tools: _aws(tools, "sqs"),
    "sns": lambda tools: _aws(tools, "sns"),
    "gcp_pubsub": _pubsub,
    "rabbitmq": _rabbitmq,
    "kafka": _kafka,
    "elasticsearch": _elasticsearch,
}


@contextmanager
def started(key: str, folder: Path, fixture: Callable[[str], Any]) -> Iterator[Service]:
    """The service of a sink, until the block ends."""
    with ExitStack() as stack:
        yield STARTS[key](Tools(folder, fixture, stack))


def sink_of(key: str) -> Any:
    """The sink type."""
    return registry.default().get(key)
