"""Which proxy requests go through: the variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
`NO_PROXY` of the process, as other clients read them. Loopback addresses never need one.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

_PORT: Final = 3128
"""The port of a proxy whose address has none."""

_HINT: Final = "write it as http://host:port, or http://user:password@host:port"


class ProxyError(Exception):
    """A variable that names a proxy cannot be used; its text holds nothing of the value."""


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """An HTTP proxy. `variable` is where its address comes from."""

    host: str
    port: int
    user: str
    password: str
    variable: str

    @property
    def shown(self) -> str:
        """The proxy for people, without its credentials."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authorization(self) -> bytes | None:
        """The value of `Proxy-Authorization`."""
        if not self.user and not self.password:
            return None
        pair = f"{self.user}:{self.password}".encode()
        return b"Basic " + base64.b64encode(pair)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no text may repeat."""
        basic = (self.authorization or b"").decode("ascii")
        return (self.password, f"{self.user}:{self.password}", basic, basic.removeprefix("Basic "))


def chosen(
    scheme: str, host: str, port: int, environ: Mapping[str, str] | None = None
) -> Proxy | None:
    """The proxy for requests to a place, or `None`. Raises `ProxyError`."""
    known = os.environ if environ is None else environ
    found = _variable(known, scheme) or _variable(known, "all")
    if found is None or _is_loopback(host) or _excepted(_value(known, "no"), host, port):
        return None
    return _parsed(*found)


def secrets(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The credentials in all variables that name proxies."""
    known = os.environ if environ is None else environ
    values: list[str] = []
    for scheme in ("http", "https", "all"):
        if (found := _variable(known, scheme)) is not None:
            try:
                values += _parsed(*found).secrets
            except ProxyError:
                values.append(found[1])
    return tuple(values)


def _variable(environ: Mapping[str, str], scheme: str) -> tuple[str, str] | None:
    """Name and value of a variable. The name in small letters counts first, also when it is empty;
    `HTTP_PROXY` of a CGI program is a header of somebody's request."""
    for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
        if name == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
            continue
        if name in environ:
            value = environ[name].strip()
            return (name, value) if value else None
    return None


def _value(environ: Mapping[str, str], scheme: str) -> str:
    found = _variable(environ, scheme)
    return "" if found is None else found[1]


def _parsed(variable: str, value: str) -> Proxy:
    text = value if "://" in value else f"http://{value}"
    try:
        parts: SplitResult = urlsplit(text)
        host, port = parts.hostname or "", parts.port or _PORT
    except ValueError:
        raise ProxyError(f"`{variable}` holds no address of a proxy; {_HINT}") from None
    if parts.scheme != "http":
        kind = parts.scheme if parts.scheme.isalnum() else "this kind"
        raise ProxyError(f"`{variable}`: proxies of {kind} are not supported; {_HINT}")
    if not host:
        raise ProxyError(f"`{variable}` holds no address of a proxy; {_HINT}")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Proxy(host, port, user, password, variable)


def _excepted(names: str, host: str, port: int) -> bool:
    """Whether `NO_PROXY` names a host: itself, its domain, its address or network, or everything;
    with a port only for that one."""
    host = host.lower().rstrip(".")
    for item in names.replace(" ", ",").split(","):
        name = item.strip().lower()
        if not name:
            continue
        if name == "*":
            return True
        if _in_network(host, name):
            return True
        bare, colon, digits = name.rpartition(":")
        if colon and digits.isdigit() and ":" not in bare:
            if int(digits) != port:
                continue
            name = bare
        name = name.removeprefix("*").lstrip(".").rstrip(".")
        if name and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _in_network(host: str, name: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name.strip("[]"), strict=False)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
