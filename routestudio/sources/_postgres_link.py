"""Connections to PostgreSQL: where to, with which session settings, and what errors mean.

The text of a value depends on settings that a database or a role may have set to anything
(`DateStyle`, `bytea_output`, ...). Every connection sets those that change texts itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from routestudio.errors import LinkError, UsageError
from routestudio.model.postgres import TLS_MODES
from routestudio.sinks._shared import tls
from routestudio.sources.uri import SourceUri, choice

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 30.0
"""What a statement may take that reads rows, unless the address says `timeout`."""

TLS_OPTIONS: Final[Mapping[str, str]] = {
    "sslmode": "`prefer` (default), `disable`, `require` (encrypted), `verify-ca` (and of a "
    "trusted authority) or `verify-full` (and for this host)",
    "sslrootcert": "a file with the certificates of authorities to trust, or `system`",
    "sslcert": "a file with the client's certificate",
    "sslkey": "a file with its key",
}
LOST: Final = ("08", "57P", "53300")
"""How the SQLSTATEs begin of a connection that is gone, or may be there later."""
_TEXTS: Final[Mapping[str, str]] = {
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "xmlbinary": "base64",
    "search_path": "public",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
}
"""Settings on which texts of values depend. `search_path`: names in a `regclass`."""
_NAME: Final = "RouteStudio"
UNKNOWN_ENCODING: Final = "SQL_ASCII"
"""The encoding of databases that hold any bytes: asked for UTF-8, they refuse others as a whole."""


@dataclass(frozen=True, slots=True)
class Server:
    """A database and how to get there. Files of certificates are as libpq takes them."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = None
    sslmode: str = TLS_MODES[0]
    sslrootcert: str | None = None
    sslcert: str | None = None
    sslkey: str | None = None

    @property
    def where(self) -> str:
        """For people: the database and its server, without a secret."""
        return f"PostgreSQL database `{self.database}` at {self.host}:{self.port}"

    def arguments(self, settings: Mapping[str, str], seconds: int) -> dict[str, Any]:
        """Arguments for psycopg; nothing is taken from variables such as PGOPTIONS."""
        found: dict[str, Any] = {
            "host": self.host, "port": self.port, "dbname": self.database, "user": self.user,
            "password": self.password, "sslmode": self.sslmode, "gssencmode": "disable",
            "sslrootcert": self.sslrootcert, "sslcert": self.sslcert, "sslkey": self.sslkey,
            "connect_timeout": seconds, "application_name": _NAME, "client_encoding": "UTF8",
            "options": " ".join(f"-c {name}={_escaped(text)}" for name, text in settings.items()),
            "keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10,
            "keepalives_count": 3,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}


def server_of(uri: SourceUri, password: str | None) -> Server:
    """The server of an address. Raises `UsageError`."""
    if len(uri.hosts) != 1:
        raise UsageError("an address of PostgreSQL names one host")
    if not uri.path or "/" in uri.path:
        raise UsageError(
            "the address names no database", hint=f"write {uri.scheme}://user@host:5432/database?…"
        )
    if not uri.user:
        raise UsageError(
            "the address names no user", hint=f"write {uri.scheme}://user@host:5432/{uri.path}?…"
        )
    host, port = uri.hosts[0]
    mode = choice(uri, "sslmode", TLS_MODES)
    files = {name: uri.options.get(name) for name in ("sslrootcert", "sslcert", "sslkey")}
    for name, file in files.items():
        if file and file != "system" and not Path(file).is_file():
            raise UsageError(f"`{name}`: there is no file {file}", hint="correct the path")
    return Server(host.strip("[]"), port, uri.path, uri.user, password, mode, **files)


@asynccontextmanager
async def connected(
    server: Server,
    *,
    read_only: bool = True,
    seconds: float = READ_SECONDS,
    replication: bool = False,
    more: Mapping[str, str] | None = None,
    connect_seconds: int = CONNECT_SECONDS,
) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection whose texts depend on no setting of the server, closed at the end.

    With `read_only` nothing can be written and a statement ends after `seconds`. Raises
    `LinkError` for what goes wrong in connecting, and for errors of the server in the block.
    """
    link = await connect(server, read_only=read_only, seconds=seconds, replication=replication,
                         more=more, connect_seconds=connect_seconds)  # fmt: skip
    try:
        with translated(server):
            yield link
    finally:
        # Not a wait: whoever cancels must not hang on a server that has gone.
        await asyncio.shield(link.close())


async def connect(
    server: Server,
    *,
    read_only: bool = True,
    seconds: float = READ_SECONDS,
    replication: bool = False,
    more: Mapping[str, str] | None = None,
    connect_seconds: int = CONNECT_SECONDS,
) -> AsyncConnection[Any]:
    """The same connection, for those who close it themselves."""
    from psycopg import AsyncConnection

    settings = dict(_TEXTS)
    if read_only:
        settings |= {
            "default_transaction_read_only": "on",
            "statement_timeout": str(round(seconds * 1000)),
            "lock_timeout": str(round(min(seconds, 10.0) * 1000)),
        }
    settings |= more or {}
    arguments = server.arguments(settings, connect_seconds)
    if replication:
        arguments["replication"] = "database"
    with translated(server):
        async with asyncio.timeout(connect_seconds + 1):
            link = await AsyncConnection.connect(**arguments, autocommit=True)
    link.prepare_threshold = None
    return link


@contextlib.contextmanager
def translated(server: Server) -> Iterator[None]:
    """Make `LinkError` of what psycopg raises."""
    from psycopg import Error

    try:
        yield
    except TimeoutError:
        raise PostgresError(
            f"{server.where} did not answer in time",
            hint="a firewall may drop the connection; check host and port",
            state="",
            lost=True,
        ) from None
    except Error as error:
        raise link_error(server, error) from None


class PostgresError(LinkError):
    """What a server refused, or how its connection ended. `state` is its SQLSTATE, where it has
    one; `lost` says that trying again may help; `character` is the place in the statement that
    the server names, from 1."""

    def __init__(
        self, message: str, *, hint: str | None, state: str, lost: bool,
        character: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message, hint=hint)
        self.state = state
        self.lost = lost
        self.character = character


def link_error(server: Server, error: BaseException) -> PostgresError:
    """What an error of psycopg means, and what to do."""
    from psycopg import OperationalError

    text, hint = said(server, error)
    state = state_of(error)
    lost = state.startswith(LOST) or (not state and isinstance(error, OperationalError))
    at = str(getattr(getattr(error, "diag", None), "statement_position", None) or "")
    return PostgresError(f"{server.where}: {text}", hint=hint, state=state, lost=lost,
                         character=int(at) if at.isdigit() else None)  # fmt: skip


def state_of(error: BaseException) -> str:
    """The SQLSTATE of an error, or nothing. One in connecting has none but in its text."""
    return str(getattr(error, "sqlstate", None) or "")


def said(server: Server, error: BaseException) -> tuple[str, str | None]:
    """An error in words, and what to do. The server's text may be in any language."""
    state = state_of(error)
    text = text_of(error)
    if server.password:
        text = text.replace(server.password, "***")
    if tls.wanted(error):
        text = "the server does not take the client certificate"
    hint = _HINTS.get(state) or next((h for mark, h in _MARKS if mark in text), None)
    if hint is None and state[:2] == "08":
        hint = "check that the server runs, and the network"
    return text, hint.format(user=server.user, database=server.database) if hint else None


def text_of(error: BaseException) -> str:
    """The message of an error without the client's and the server's decoration."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    if primary:
        return str(primary)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    # `connection failed: connection to server at "::1", port 5432 failed: FATAL:  …`
    text = re.sub(r"^(connection failed: )?(connection to server at .*? failed: )?", "", text)
    return re.sub(r"^(FATAL|ERROR|FEHLER|PANIC): +", "", text)[:500]


def quoted(*names: str) -> str:
    """Names as identifiers of SQL: `"public"."orders"`."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """A text as a literal of SQL, for commands that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(" ", "\\ ")


_HINTS: Final[Mapping[str, str]] = {
    "28P01": "check the password of `{user}`",
    "28000": "check the user `{user}`, and what pg_hba.conf allows from here",
    "3D000": "check the name `{database}`",
    "42501": "grant the right to `{user}`",
    "42P01": "check schema and name of the table",
    "42703": "check the column's name",
    "42601": "check the SQL",
    "53300": "the server has no connection left; close some, or raise max_connections",
    "57014": "the statement took too long, or was cancelled; narrow it, or raise `timeout`",
    "55P03": "a lock is held on the table; try again later",
    "25006": "only reading is allowed here",
    "57P01": "the server was shut down, or ended the connection; try again",
    "57P03": "the server is starting; try again",
}
_MARKS: Final = (
    ("client certificate", "name the files of a client certificate that the server's authority "
     "signed: sslcert=… and sslkey=…"),
    ("password authentication failed", "check user and password"),
    ("no password supplied", "the address needs password=${{NAME}}"),
    ("pg_hba.conf", "the server's pg_hba.conf does not allow this user from here, or not "
     "without TLS"),
    ("does not exist", "check the names of user and database"),
    ("Connection refused", "check the port, and that the server is running"),
    ("could not translate host name", "check the spelling of the host name"),
    ("timeout expired", "a firewall may drop the connection; check host and port"),
    ("does not support SSL", "turn TLS on at the server, or take sslmode=disable"),
    ("certificate verify failed", "name the authority's file with sslrootcert=…"),
    ("root certificate file", "name the authority's file with sslrootcert=…, or "
     "sslrootcert=system"),
    ("unsupported startup parameter", "connect to PostgreSQL itself, not to a pooler"),
)  # fmt: skip
