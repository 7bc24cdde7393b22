"""Real RabbitMQ servers, and a reader over `pika`, which shares no code with the program."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support.certificates import Authority
from tests.support.ports import LOOPBACK, free_ports
from tests.support.process import Child
from tests.support.require import program

if TYPE_CHECKING:
    from pika.adapters.blocking_connection import BlockingChannel

TIMEOUT: Final = 60.0
PASSWORD: Final = "a-secret-word"
VHOST: Final = "shop"
MAX_MESSAGE: Final = 200_000

_ALL: Final = {"configure": ".*", "write": ".*", "read": ".*"}
PERMISSIONS: Final = {
    "orders": _ALL,
    "limited": {"configure": "", "write": "^allowed", "read": ""},
    "topical": {"configure": "", "write": ".*", "read": ""},
}
"""Users of the virtual host `shop` and their rights; `stranger` has none. All share a password.

`topical` may write to the topic exchange `topics` with routing keys that start with `eu.` only.
"""


@dataclass(frozen=True)
class Got:
    """A message that a queue had."""

    exchange: str
    routing_key: str
    headers: dict[str, Any]
    message_id: str | None
    content_type: str | None
    delivery_mode: int | None
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class RabbitServer:
    """A running server. `port` speaks plainly, `tls_port` only TLS (0 without an authority)."""

    port: int
    tls_port: int
    folder: Path
    env: dict[str, str]
    process: Child
    host: str = LOOPBACK
    made: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def channel(self) -> Iterator[BlockingChannel]:
        """A channel of an independent client, signed in as somebody who may do everything."""
        import pika

        credentials = pika.PlainCredentials("orders", PASSWORD)
        parameters = pika.ConnectionParameters(
            self.host, self.port, VHOST, credentials, socket_timeout=60, heartbeat=0
        )
        connection = pika.BlockingConnection(parameters)
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def exchange(self, name: str, kind: str = "topic", **options: Any) -> None:
        """Make an exchange."""
        with self.channel() as channel:
            channel.exchange_declare(name, kind, **options)
        self.made.append(("exchange", name))

    def delete_exchange(self, name: str) -> None:
        """Remove an exchange."""
        with self.channel() as channel:
            channel.exchange_delete(name)

    def queue(self, name: str, *bindings: tuple[str, str], **arguments: Any) -> None:
        """Make a durable queue and bind it, each time to an exchange with a key."""
        with self.channel() as channel:
            options = {name.replace("_", "-"): value for name, value in arguments.items()}
            channel.queue_declare(name, durable=True, arguments=options)
            self.made.append(("queue", name))
            for exchange, key in bindings:
                channel.queue_bind(name, exchange, key)

    def has_queue(self, name: str) -> bool:
        """Whether there is such a queue: after a start the port is open a moment earlier."""
        from pika.exceptions import AMQPError

        try:
            with self.channel() as channel:
                channel.queue_declare(name, passive=True)
        except AMQPError:
            return False
        return True

    def drain(self, name: str) -> list[Got]:
        """Take everything out of a queue, in order."""
        found: list[Any] = []
        with self.channel() as channel:
            while True:
                method, properties, body = channel.basic_get(name, auto_ack=True)
                if method is None:
                    return found
                found.append(
                    Got(method.exchange, method.routing_key, properties.headers or {},
                        properties.message_id, properties.content_type,
                        properties.delivery_mode, body)
                )  # fmt: skip

    def reset(self) -> None:
        """Remove what was made here."""
        with self.channel() as channel:
            while self.made:
                kind, name = self.made.pop()
                remove = channel.queue_delete if kind == "queue" else channel.exchange_delete
                remove(name)

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl`, and return what it printed."""
        done = subprocess.run(
            [str(_bin() / "rabbitmqctl"), "-q", *arguments], env=self.env, capture_output=True,
            text=True, timeout=300, check=True,
        )  # fmt: skip
        return done.stdout

    def alarm(self, on: bool) -> None:
        """Raise or clear the alarm of too little memory: then nobody may publish."""
        act, tail = ("set_alarm", ", []}") if on else ("clear_alarm", "")
        head = "{" if on else ""
        self.control("eval", f"rabbit_alarm:{act}({head}{{resource_limit, memory, node()}}{tail}).")


@contextmanager
def start_rabbitmq(
    folder: Path, *, authority: Authority | None = None, port: int | None = None
) -> Iterator[RabbitServer]:
    """Run a server until the block ends. What it stores stays in `folder` for the next one."""
    program("rabbitmq-server")
    epmd = program("epmd")
    folder.mkdir(parents=True, exist_ok=True)
    names, plain, tls, distribution = free_ports(4)
    plain = port or plain
    lines = [
        f"listeners.tcp.1 = {LOOPBACK}:{plain}", "loopback_users = none", "log.console = true",
        "log.file = false", f"max_message_size = {MAX_MESSAGE}",
        "disk_free_limit.absolute = 1MB", "vm_memory_high_watermark.absolute = 4GB",
        f"load_definitions = {folder / 'definitions.json'}",
    ]  # fmt: skip
    if authority is not None:
        chain, key = authority.server_files(f"rabbitmq-{tls}")
        lines += [
            f"listeners.ssl.1 = {LOOPBACK}:{tls}", f"ssl_options.cacertfile = {authority.file}",
            f"ssl_options.certfile = {chain}", f"ssl_options.keyfile = {key}",
        ]  # fmt: skip
        if authority.clients:
            lines += ["ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = true"]
    (folder / "rabbitmq.conf").write_text("\n".join([*lines, ""]))
    (folder / "definitions.json").write_text(json.dumps(_definitions()))
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "env.conf").write_text("")
    env = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_NODENAME": f"test{plain}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_SCHEDULER_BIND_TYPE": "u",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +A 8",
        # The start script then becomes the server, instead of waiting for a child of its own.
        "detached": "true",
    }
    with ExitStack() as stack:
        mapper = Child([epmd, "-port", str(names)], folder / "epmd.log", env=env)
        stack.enter_context(mapper)
        mapper.wait_ready(partial(_listens, names), 10)
        server = Child(
            [str(_bin() / "rabbitmq-server"), "-noinput"], folder / "server.log", env=env,
            cwd=folder,
        )  # fmt: skip
        stack.enter_context(server)
        server.wait_ready(partial(_listens, plain), TIMEOUT)
        server.wait_ready(lambda: b"startup complete" in server.log.read_bytes(), TIMEOUT)
        yield RabbitServer(plain, tls if authority else 0, folder, env, server)


def _bin() -> Path:
    """Where the scripts are that do not insist on a user of the system."""
    return Path(program("rabbitmq-server")).resolve().parent


def _listens(port: int) -> bool:
    with socket.create_connection((LOOPBACK, port), 1):
        return True


def _definitions() -> dict[str, Any]:
    users = [
        {"name": name, "password_hash": _hash(PASSWORD), "tags": "",
         "hashing_algorithm": "rabbit_password_hashing_sha256"}
        for name in (*PERMISSIONS, "stranger")
    ]  # fmt: skip
    rights = [{"user": name, "vhost": VHOST, **given} for name, given in PERMISSIONS.items()]
    topical = {"user": "topical", "vhost": VHOST, "exchange": "topics", "write": r"^eu\.",
               "read": ""}  # fmt: skip
    return {
        "users": users, "vhosts": [{"name": "/"}, {"name": VHOST}], "permissions": rights,
        "topic_permissions": [topical],
    }  # fmt: skip


def _hash(password: str) -> str:
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
