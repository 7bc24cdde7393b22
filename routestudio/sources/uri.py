"""Addresses of sources: `kafka://host:port/topic?group=name` and `redis://host:port/0?...`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from routestudio.errors import UsageError

_FORM: Final = re.compile(
    r"(?P<scheme>[a-z]+)://(?:(?P<user>[^@/?#]*)@)?(?P<hosts>[^/?#]*)"
    r"(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?"
)
_REFERENCE: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")

Resolve = Callable[[str], str | None]
"""The value of `${VAR}`; `None` when the variable is set nowhere."""


@dataclass(frozen=True, slots=True)
class SourceUri:
    """A parsed address. `shown` holds no secret; `options` are checked by the kind of source."""

    scheme: str
    hosts: tuple[tuple[str, int], ...]
    path: str
    user: str | None
    options: Mapping[str, str]
    shown: str

    @property
    def tls(self) -> bool:
        """Whether the scheme asks for TLS."""
        return self.scheme.endswith("s") and self.scheme != "redis"


def is_uri(text: str) -> bool:
    """Whether an input names a source's address rather than a file."""
    return "://" in text


def scheme_of(text: str) -> str:
    """The scheme of an address."""
    return text.partition("://")[0]


def take(text: str, names: Iterable[str]) -> tuple[str, dict[str, str]]:
    """An address without the options of these names, and those options.

    Raises `UsageError` for one that is given twice.
    """
    start, mark, query = text.partition("?")
    wanted, kept = frozenset(names), []
    found: dict[str, str] = {}
    for part in query.split("&") if mark else ():
        name, _, value = part.partition("=")
        if name not in wanted:
            kept.append(part)
            continue
        if name in found:
            raise UsageError(f"the option `{name}` is given twice")
        found[name] = unquote(value.replace("+", " "))
    return (f"{start}?{'&'.join(kept)}" if kept else start), found


def parse(text: str, port: int) -> SourceUri:
    """Take an address apart; hosts without port get `port`. Raises `UsageError`.

    A password in the address itself is refused: it would be seen in the list of processes.
    """
    found = _FORM.fullmatch(text)
    scheme = scheme_of(text)
    if found is None:
        raise UsageError(
            "the address cannot be read", hint=f"write {scheme[:40]}://host:port/…?name=value"
        )
    user = found["user"]
    if user is not None and ":" in user:
        raise UsageError(
            "the address holds a password",
            hint="write it as a variable: ?password=${NAME}, and set NAME",
        )
    hosts = tuple(_hosts(found["hosts"], port))
    try:
        pairs = parse_qsl(found["query"] or "", keep_blank_values=True, strict_parsing=True,
                          errors="strict") if found["query"] else []  # fmt: skip
    except ValueError:
        raise UsageError(
            "the options of the address cannot be read", hint="write ?name=value&name=value"
        ) from None
    options: dict[str, str] = {}
    for name, value in pairs:
        if name in options:
            raise UsageError(f"the option `{name}` is given twice")
        options[name] = value
    path = unquote(found["path"] or "")
    password = options.get("password")
    if password is not None and not _REFERENCE.fullmatch(password):
        raise UsageError(
            "the password must be a variable", hint="write password=${NAME}, and set NAME"
        )
    return SourceUri(found["scheme"], hosts, path, unquote(user) if user else None, options, text)


def check_options(uri: SourceUri, known: Iterable[str], required: Iterable[str]) -> None:
    """Raise `UsageError` for options that are not known, or required and not given."""
    names = sorted(known)
    for name in uri.options:
        if name not in names:
            raise UsageError(f"`{name}` is not an option of {uri.scheme}://",
                             hint=f"known: {', '.join(names)}")  # fmt: skip
    for name in required:
        if not uri.options.get(name):
            raise UsageError(f"the address needs ?{name}=…", hint="see the guide to sources")


def password_of(uri: SourceUri, resolve: Resolve) -> str | None:
    """The password that the address refers to. Raises `UsageError` when it is set nowhere."""
    reference = uri.options.get("password")
    if reference is None:
        return None
    value = resolve(reference)
    if not value:
        name = reference[2:-1]
        raise UsageError(f"variable `{name}` is not set", hint=f"set {name} or add it to .env")
    return value


def choice(uri: SourceUri, name: str, allowed: tuple[str, ...]) -> str:
    """An option with few values; the first is its default. Raises `UsageError`."""
    value = uri.options.get(name, allowed[0])
    if value not in allowed:
        raise UsageError(f"`{name}` must be {' or '.join(allowed)}, not `{value[:40]}`")
    return value


def number(uri: SourceUri, name: str, default: float, low: float, high: float) -> float:
    """An option that is a number. Raises `UsageError`."""
    text: Any = uri.options.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise UsageError(f"`{name}` must be a number from {low:g} to {high:g}")
    return value


def _hosts(text: str, port: int) -> Iterable[tuple[str, int]]:
    if not text:
        raise UsageError("the address names no host", hint="write kafka://host:port/topic?group=…")
    for part in text.split(","):
        found = _HOST.fullmatch(part)
        if found is None or not 0 < int(found[2] or port) < 65536:
            raise UsageError(f"`{part[:60]}` is not a host with a port", hint="write host:port")
        yield found[1].strip("[]"), int(found[2] or port)
