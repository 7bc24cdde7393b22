"""Real Redis servers, and a reader that shares no code with the client under test."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tests.support.certificates import Authority
from tests.support.ports import LOOPBACK, free_port
from tests.support.process import Child
from tests.support.require import program

TIMEOUT = 60.0
SLOTS = 16_384

Reply = bytes | int | None | list["Reply"]


class RedisReplyError(RuntimeError):
    """The server's error reply, for example `WRONGTYPE Operation against …`."""


@dataclass(frozen=True)
class RedisServer:
    """A running server.

    `username` and `password` sign in somebody who may do everything; `reader` (with the same
    password) may read only, `prefixed` may write only keys that start with `allowed:`.
    """

    port: int
    username: str | None = None
    password: str | None = None
    authority: Authority | None = None
    reader: str = "reader"
    prefixed: str = "prefixed"
    host: str = LOOPBACK
    child: Child | None = None
    release: tuple[int, ...] = ()
    """Major and minor version, e.g. (7, 0)."""

    @property
    def judges_rights(self) -> bool:
        """Whether ACL DRYRUN is there, by which the check asks what a user may do (7.0)."""
        return self.release >= (7, 0)

    @property
    def tls(self) -> bool:
        """Whether the port speaks TLS."""
        return self.authority is not None

    def command(self, *words: str | bytes | int, database: int = 0) -> Reply:
        """Send one command over a connection of its own and return the reply (RESP 2).

        Raises `RedisReplyError` for an error reply and `OSError` when the server is not there.
        """
        with socket.create_connection((self.host, self.port), TIMEOUT) as plain:
            context = self.authority.client_context() if self.authority else None
            with context.wrap_socket(plain, server_hostname=self.host) if context else plain as one:
                return self._talk(one, words, database)

    def _talk(
        self, connection: socket.socket, words: tuple[str | bytes | int, ...], database: int
    ) -> Reply:
        with connection.makefile("rb") as replies:

            def ask(*parts: str | bytes | int) -> Reply:
                connection.sendall(_encoded(parts))
                return _read(replies)

            if self.password is not None:
                ask("AUTH", *([self.username] if self.username else []), self.password)
            if database:
                ask("SELECT", database)
            return ask(*words)

    def flush(self) -> None:
        """Remove every key of every database."""
        self.command("FLUSHALL")

    def contents(self, database: int = 0) -> dict[bytes, bytes]:
        """Return every string key and its value."""
        keys = self.command("KEYS", "*", database=database)
        assert isinstance(keys, list)
        found: dict[bytes, bytes] = {}
        for key in keys:
            assert isinstance(key, bytes)
            value = self.command("GET", key, database=database)
            assert isinstance(value, bytes)
            found[key] = value
        return found


def _encoded(words: tuple[str | bytes | int, ...]) -> bytes:
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def _read(replies: BinaryIO) -> Reply:
    head = replies.readline()
    if not head.endswith(b"\r\n"):
        raise ConnectionResetError("Redis closed the connection")
    kind, rest = head[:1], head[1:-2]
    if kind == b"+":
        return rest
    if kind == b"-":
        raise RedisReplyError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else replies.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return None if rest == b"-1" else [_read(replies) for _ in range(int(rest))]
    raise RedisReplyError(f"not a RESP 2 reply: {head!r}")


@contextmanager
def start_cluster(folder: Path, servers: int = 2) -> Iterator[list[RedisServer]]:
    """Run servers that share the keys, each about as many slots in their order."""
    with ExitStack() as stack:
        found = [stack.enter_context(start_redis(folder / str(number), cluster=True))
                 for number in range(servers)]  # fmt: skip
        one, share = found[0], -(-SLOTS // servers)
        for number, server in enumerate(found):
            last = min((number + 1) * share, SLOTS) - 1
            server.command("CLUSTER", "ADDSLOTSRANGE", number * share, last)
            server.command("CONFIG", "SET", "cluster-announce-ip", LOOPBACK)
            bus = server.command("CONFIG", "GET", "cluster-port")
            assert isinstance(bus, list)
            assert isinstance(bus[1], bytes)
            if server is not one:
                one.command("CLUSTER", "MEET", LOOPBACK, server.port, bus[1])

        def joined() -> bool:
            wanted = (b"cluster_state:ok", b"cluster_size:%d" % servers)
            said = [each.command("CLUSTER", "INFO") for each in found]
            return all(isinstance(s, bytes) and all(w in s for w in wanted) for s in said)

        assert one.child is not None
        one.child.wait_ready(joined, TIMEOUT)
        yield found


def _release(executable: str) -> tuple[int, ...]:
    """The version of a server's program, e.g. (7, 0). Valkey's is later than any of Redis' here."""
    printed = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"v=(\d+)\.(\d+)", printed.stdout)
    assert found, printed.stdout
    return tuple(int(part) for part in found.groups())


@contextmanager
def start_redis(
    folder: Path,
    *,
    username: str | None = None,
    password: str | None = None,
    authority: Authority | None = None,
    keep: bool = False,
    cluster: bool = False,
) -> Iterator[RedisServer]:
    """Run a server on a free port until the block ends; nothing is written to disk.

    With `keep`, an append-only file keeps everything, and its process may be killed and started
    again. With `cluster` it is a server for clusters, without any slots. With `password` alone the
    default user needs it; with `username` too, only that user can sign in (and the two restricted
    ones of `RedisServer`).
    """
    executable = program("redis-server")
    release = _release(executable)
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    lines = [f"bind {LOOPBACK}", f"dir {folder}", 'save ""', "daemonize no"]
    lines.append(f"appendonly {'yes' if keep else 'no'}")
    if authority is None:
        lines.append(f"port {port}")
    else:
        chain, key = authority.server_files(f"redis-{port}")
        lines += ["port 0", f"tls-port {port}", f"tls-cert-file {chain}", f"tls-key-file {key}"]
        wanted = "yes" if authority.clients else "no"
        lines += [f"tls-ca-cert-file {authority.file}", f"tls-auth-clients {wanted}"]
    if username:
        channels = "&* " if release >= (6, 2) else ""
        lines += [
            "user default off",
            f"user {username} on >{password} ~* {channels}+@all",
            f"user reader on >{password} ~* {channels}+@read +@connection",
            f"user prefixed on >{password} ~allowed:* {channels}+@all",
        ]
    elif password:
        lines.append(f"requirepass {password}")
    if cluster:
        lines += ["cluster-enabled yes", f"cluster-port {free_port()}"]
    settings = folder / "redis.conf"
    settings.write_text("\n".join([*lines, ""]))
    with Child([executable, str(settings)], folder / "redis.log") as child:
        server = RedisServer(port, username, password, authority, child=child, release=release)
        child.wait_ready(lambda: server.command("PING") == b"PONG", TIMEOUT)
        yield server
