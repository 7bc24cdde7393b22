"""Shared by sinks that speak HTTP: endpoint URLs, safe joins, heads of requests, answers.

No routed value may choose host, scheme or credentials. That is ensured twice: `path_problem` and
`RoutedHeaders` refuse what tries, and `join` and `merge` could not express it anyway.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from pydantic import SecretStr

from routestudio.model.fields import Headers, RuleError, Text

DOTS: Final = "••••"
MAX_WAIT: Final = 600.0
"""Seconds: the longest `Retry-After` that is honoured, as long as the longest back-off."""

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
RETRY_STATUS: Final = frozenset({408, 425, 429})

FRAMING: Final = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
"""Header names that belong to the connection, so neither endpoint nor function may set them."""

CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
"""Names whose values are never shown, and which no function replaces when the endpoint has them."""

OTHER_HOST: Final = frozenset({"host", "forwarded", "x-forwarded-host"})
"""Header names that give a server or proxy another host."""

_SAFE_PATH: Final = "/-._~!$&'()*+,;=:@%"
_SAFE_QUERY: Final = _SAFE_PATH + "?"


@dataclass(frozen=True, slots=True)
class EndpointUrl:
    """An endpoint's URL in parts. Its text form never shows `userinfo`."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    userinfo: SecretStr | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and explicit port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port is not None else "")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to connect to."""
        return self.host, self.port or (443 if self.scheme == "https" else 80)

    def basic(self) -> str | None:
        """The value of an `Authorization` header for the user info, if there is any."""
        if self.userinfo is None:
            return None
        user, _, password = self.userinfo.get_secret_value().partition(":")
        pair = f"{unquote(user)}:{unquote(password)}".encode()
        return "Basic " + base64.b64encode(pair).decode()

    def __str__(self) -> str:
        user = f"{DOTS}@" if self.userinfo else ""
        query = f"?{self.query}" if self.query else ""
        return self.origin.replace("://", f"://{user}", 1) + self.path + query

    def __repr__(self) -> str:
        return f"EndpointUrl({str(self)!r})"


@dataclass(frozen=True)
class UrlRule(Text):
    """An `http` or `https` URL, kept as `EndpointUrl`. Its errors never repeat the URL."""

    kind: ClassVar[str] = "text"
    max: int | None = 4096

    def cast(self, value: Any) -> Any:
        if isinstance(value, EndpointUrl):
            return value
        text = super().cast(value).strip()
        if re.search(r"[\s\\<>\"{}|^`]", text):
            raise RuleError("must not contain spaces, backslashes, quotes or braces")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise RuleError("is not a URL", hint="e.g. https://api.example.com/hook") from None
        if parts.scheme not in ("http", "https"):
            raise RuleError("must start with http:// or https://")
        if not host:
            raise RuleError("has no host", hint="e.g. https://api.example.com/hook")
        if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host, re.ASCII):
            raise RuleError(
                "has a host with characters that no host name has",
                hint="write a name with other letters in its xn-- form",
            )
        if port == 0:
            raise RuleError("has port 0; ports are 1-65535")
        userinfo, at, _ = parts.netloc.rpartition("@")
        return EndpointUrl(
            parts.scheme,
            host,
            port,
            resolve_dots(quote(parts.path, safe=_SAFE_PATH)) or "/",
            quote(parts.query, safe=_SAFE_QUERY),
            SecretStr(userinfo) if at and userinfo else None,
        )

    def warnings(self, value: Any) -> tuple[str, ...]:
        host = value.host if isinstance(value, EndpointUrl) else ""
        if host and not re.fullmatch(r"[a-zA-Z0-9.-]+", host):
            return ("a Sequin server takes only letters, digits, dots and dashes in a host",)
        return ()


@dataclass(frozen=True)
class EndpointHeaders(Headers):
    """Headers of an endpoint: everything but what frames a request."""

    kind: ClassVar[str] = "headers"
    refused: frozenset[str] = FRAMING

    def cast(self, value: Any) -> Any:
        result = super().cast(value)
        names = [name for name in result if name.lower() in self.refused]
        if names:
            raise RuleError(
                *(f"`{name}` cannot be set: it is made by the client" for name in names)
            )
        return result


@dataclass(frozen=True)
class RoutedHeaders(EndpointHeaders):
    """Headers from a function: also nothing that names another host."""

    refused: frozenset[str] = FRAMING | OTHER_HOST


def path_problem(path: str) -> str | None:
    """Why a routed path is refused, or `None`. It may not leave the endpoint's own path."""
    if not path:
        return None
    if path.startswith(("//", "/\\", "\\")):
        return "must not start with `//`: that would name another host"
    if "\\" in path:
        return "must not contain a backslash"
    if "#" in path:
        return "must not contain `#`: a fragment is never sent"
    plain = path.partition("?")[0]
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", plain):
        return "must not start with a scheme: only the path below the endpoint's URL may vary"
    if plain.startswith("@"):
        return "must not start with `@`"
    for _ in range(3):
        if "\\" in plain or re.search(r"[\x00-\x1f\x7f]", plain):
            return "must not contain an escaped backslash or control character"
        depth = 0
        for segment in plain.split("/"):
            name = segment.partition(";")[0]
            depth += -1 if name == ".." else 0 if name in ("", ".") else 1
            if depth < 0:
                return "must not climb above the endpoint's path with `..`"
        plain = unquote(plain)
    return None


def resolve_dots(path: str) -> str:
    """`path` without `.` and `..` segments (RFC 3986, 5.2.4), never above its root."""
    if "/." not in path and not path.startswith("."):
        return path
    kept: list[str] = []
    parts = path.split("/")
    for part in parts:
        if part == "..":
            if len(kept) > 1:
                kept.pop()
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)


def join(base: EndpointUrl, path: str) -> str:
    """The full URL, without user info, for a routed `path` that `path_problem` accepts.

    The path is appended to the endpoint's path, before its query; exactly one `/` is between
    them; queries of both are kept, the endpoint's first. An empty path leaves the URL as it is.
    """
    query = base.query
    full = base.path
    if path:
        plain, _, more = path.partition("?")
        plain = quote(plain.encode("utf-8", "surrogatepass"), safe=_SAFE_PATH)
        more = quote(more.encode("utf-8", "surrogatepass"), safe=_SAFE_QUERY)
        full = resolve_dots(f"{full.rstrip('/')}/{plain.removeprefix('/')}")
        query = "&".join(part for part in (query, more) if part)
    return base.origin + full + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Merged:
    """Headers that are sent, with their origin. `notes` show which value won over which."""

    pairs: tuple[tuple[str, str], ...]
    shown: dict[str, str]
    notes: tuple[str, ...]

    def get(self, name: str) -> str | None:
        """The value of one header; `name` in lower case."""
        return next((value for key, value in self.pairs if key.lower() == name), None)


def merge(
    defaults: Mapping[str, str],
    basic: str | None,
    plain: Mapping[str, str],
    secret: Mapping[str, SecretStr],
    routed: Mapping[str, str],
) -> Merged:
    """Merge headers without regard to case; later layers win, credentials stay the endpoint's.

    Order: defaults, the URL's user info, plain headers, secret headers, routed headers.
    """
    found: dict[str, tuple[str, str, str, bool]] = {}
    notes: list[str] = []

    def put(layer: str, items: Iterable[tuple[str, str]], hidden: bool = False) -> None:
        for name, value in items:
            key = name.lower()
            before = found.get(key)
            if layer == "function" and key in FRAMING | OTHER_HOST:
                notes.append(f"{name}: not sent, a function cannot set it")
                continue
            if layer == "function" and before and (before[3] or key in CREDENTIALS):
                notes.append(f"{name}: the endpoint's credential stays, the function's is not sent")
                continue
            if before and before[2] != "default":
                notes.append(f"{name}: the value of the {layer} replaces that of the {before[2]}")
            found[key] = (name, value.strip(), layer, hidden or key in CREDENTIALS)

    put("default", defaults.items())
    put("URL's user info", [("Authorization", basic)] if basic else [], True)
    put("endpoint", plain.items())
    put("endpoint's secrets", ((k, v.get_secret_value()) for k, v in secret.items()), True)
    put("function", routed.items())
    return Merged(
        tuple((name, value) for name, value, _, _ in found.values()),
        {name: DOTS if hidden else value for name, value, _, hidden in found.values()},
        tuple(notes),
    )


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number or an HTTP date; `None` otherwise."""
    if not value:
        return None
    text = value.strip()
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return min(float(text), MAX_WAIT)
    try:
        from email.utils import parsedate_to_datetime

        moment = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, moment - (time.time() if now is None else now)), MAX_WAIT)


def same_origin(url: str, location: str) -> str | None:
    """The absolute URL of a redirect, or `None` when it leaves the origin of `url`."""
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
        same = (here.scheme, here.hostname, _port(here.scheme, here.port)) == (
            there.scheme,
            there.hostname,
            _port(there.scheme, there.port),
        )
    except ValueError:
        return None
    return target if same and "@" not in there.netloc else None


def _port(scheme: str, port: int | None) -> int:
    return port or (443 if scheme == "https" else 80)
