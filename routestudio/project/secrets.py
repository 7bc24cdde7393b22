"""Finds secrets that stand in a YAML file itself, and those that a server masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from routestudio.project.environment import is_reference, references

SecretKeys = Callable[[str], Collection[str]]
"""For a sink key: its destination keys that hold secrets."""

Found = tuple[tuple[str, ...], str]

_MASKED: Final = re.compile(r"\*{3,}|.\*{3,}.|.{3}\*{4,}.", re.DOTALL)
"""How a server shows secrets of up to five, up to nine, and more characters.

docs/reference/sequin.md#secrets-in-an-export
"""

_DIGEST: Final = re.compile(r"\(\d+ encrypted header\(s\)\) - sha256sum: [0-9a-f]+")
"""How older servers exported encrypted headers; newer ones skip such a value."""

_TELLING_HEADER: Final = re.compile(
    r"(?i)authori[sz]ation|^(set-)?cookie$|auth([-_]|$)|token|secret|pass(word|wd)|signature"
    r"|(api|access|private|subscription|functions)[-_]?key$|credential"
)
"""Names of plain headers that hold secrets nevertheless."""

_REFERENCE: Final = re.compile(r"\$\{[^}]*\}|\$[A-Za-z_]\w*")
_USER_INFO: Final = re.compile(r"^[A-Za-z][\w+.-]*://((?:\$\{[^}]*\}|[^/?#])*)@")

HIDDEN: Final = "••••"
"""What a snapshot shows for user info in a URL; given back, it means the same as before."""

_TELLING: Final = re.compile(
    r"(?i)pass(word|phrase)?$|secret|token$|api_?key$|access_key|private_key|jwt$|seed$"
    r"|credentials$|auth_value$"
)
"""Names of keys that hold secrets in destinations of types that are not known."""

_PLAIN_PARTS: Final = frozenset(
    {"type", "project_id", "client_email", "client_id", "auth_uri", "token_uri",
     "auth_provider_x509_cert_url", "client_x509_cert_url", "universe_domain"}
)  # fmt: skip
"""Parts of a secret that is a map (Google's `credentials`) which name things and open nothing."""


def looks_masked(value: object) -> bool:
    """Whether a text is a secret as a server's export hides it."""
    return isinstance(value, str) and _MASKED.fullmatch(value) is not None


def mask(secret: str) -> str:
    """A secret as a server's export shows it (docs/reference/sequin.md#secrets-in-an-export)."""
    size = len(secret)
    if size <= 5:
        return "*" * size
    start = 1 if size <= 9 else 3
    return secret[:start] + "*" * min(size - start - 1, 20) + secret[-1]


def telling_header(name: str) -> bool:
    """Whether a plain header of this name holds a secret nevertheless."""
    return _TELLING_HEADER.search(name) is not None


def masked_secrets(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, ...]]:
    """Where in `value`, which is at `path`, masked secrets are."""
    for found, text in _texts(path, value):
        if _MASKED.fullmatch(text) or _DIGEST.fullmatch(text):
            yield found


def literal_secrets(
    data: Mapping[str, Any], sink_types: Mapping[str, str], secret_keys: SecretKeys | None = None
) -> Iterator[Found]:
    """Path and value of each secret that is written out in the data of a `sequin.yaml`.

    Without `secret_keys`, and in sinks of unknown type, the names of keys decide.
    """
    for path, value in _secret_values(data, sink_types, secret_keys):
        for found, text in _texts(path, value):
            # A reference in a longer text (`Bearer ${TOKEN}`) is what keeps it out of the file.
            bare = "${" not in text or "-----BEGIN" in text
            literal = text and bare and not is_reference(text)
            if literal or isinstance(text, UserInfo):
                yield found, text


def secret_variables(
    data: Mapping[str, Any], sink_types: Mapping[str, str], secret_keys: SecretKeys | None = None
) -> set[str]:
    """Names of the variables that stand where a `sequin.yaml` has secrets."""
    found: set[str] = set()
    for _, value in _secret_values(data, sink_types, secret_keys):
        for _, text in _texts((), value):
            found |= references(text)
    return found


def _secret_values(
    data: Mapping[str, Any], sink_types: Mapping[str, str], secret_keys: SecretKeys | None
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, sink in _items(data, "sinks"):
        destination = sink.get("destination")
        if isinstance(destination, Mapping):
            kind = destination.get("type")
            known = sink_types.get(kind) if isinstance(kind, str) else None
            keys = secret_keys(known) if secret_keys and known else None
            for key, value in destination.items():
                if key in keys if keys is not None else _TELLING.search(str(key)):
                    place = ("sinks", name, "destination", str(key))
                    if isinstance(value, Mapping):
                        parts = [(k, v) for k, v in value.items() if k not in _PLAIN_PARTS]
                        yield from (((*place, str(part)), text) for part, text in parts)
                    else:
                        yield place, value
    for name, endpoint in _items(data, "http_endpoints"):
        url = endpoint.get("url")
        if isinstance(url, str) and (info := literal_user_info(url)):
            yield ("http_endpoints", name, "url"), UserInfo(info)
        for header, path, value in _headers(endpoint.get("headers")):
            if _TELLING_HEADER.search(header):
                yield ("http_endpoints", name, "headers", *path), value
        headers = endpoint.get("encrypted_headers")
        path = ("http_endpoints", name, "encrypted_headers")
        if isinstance(headers, list):
            for index, item in enumerate(headers):
                if isinstance(item, Mapping):
                    yield (*path, str(index), "value"), item.get("value")
        else:
            yield path, headers
    for name, database in _items(data, "databases"):
        yield from _connection(("databases", name), database)
        yield from _connection(("databases", name, "primary"), database.get("primary"))
    for key, part in (("users", "password"), ("api_tokens", "token")):
        for name, item in _items(data, key):
            yield (key, name, part), item.get(part)


def _connection(path: tuple[str, ...], part: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(part, Mapping):
        yield (*path, "password"), part.get("password")
        url = part.get("url")
        if isinstance(url, str) and re.search(r"://[^/@]*:[^/]*@", url):
            yield (*path, "url"), url


def _items(data: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    items = data.get(key)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, Mapping):
            name = item.get("name")
            yield name if isinstance(name, str) else str(index), item


def _texts(path: tuple[str, ...], value: Any) -> Iterator[Found]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts((*path, str(key)), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts((*path, str(index)), item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, str(value)
    elif isinstance(value, str):
        yield path, value


class UserInfo(str):
    """The user info of a URL, which is the secret part of it."""

    __slots__ = ()


def literal_user_info(url: str) -> str | None:
    """The user info of a URL when its password, or the token in its place, is written out."""
    match = _USER_INFO.match(url)
    if match is None:
        return None
    user, colon, password = _REFERENCE.sub("", match[1]).partition(":")
    return match[1] if (password if colon else user) else None


def with_reference(text: str, secret: str, reference: str) -> str:
    """`text` with a reference in the place of a secret that `literal_secrets` found in it."""
    if isinstance(secret, UserInfo):
        return text.replace(f"//{secret}@", f"//{reference}@", 1)
    return reference


def masked(values: Mapping[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    """A destination for display: literal secrets become `{"$secret": true}`."""
    return {key: _hidden(value) if key in secrets else value for key, value in values.items()}


def masked_endpoint(values: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of `http_endpoints` for display, also without secrets in its URL and headers."""
    shown = dict(values)
    url, headers = values.get("url"), values.get("headers")
    if isinstance(url, str) and (info := literal_user_info(url)):
        shown["url"] = with_reference(url, UserInfo(info), HIDDEN)
    if isinstance(headers, (Mapping, list)):
        shown["headers"] = _masked_headers(headers, _TELLING_HEADER)
    secret = values.get("encrypted_headers")
    if isinstance(secret, (Mapping, list)):
        shown["encrypted_headers"] = _masked_headers(secret, re.compile(""))
    elif secret is not None:
        shown["encrypted_headers"] = _hidden(secret)
    return shown


def masked_database(values: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of `databases` for display: without passwords, also of a URL and of `primary`."""
    shown = masked(values, ("password",))
    if isinstance(url := values.get("url"), str) and (info := literal_user_info(url)):
        shown["url"] = with_reference(url, UserInfo(info), HIDDEN)
    if isinstance(primary := values.get("primary"), Mapping):
        shown["primary"] = masked_database(primary)
    return shown


def unmasked(value: Any, old: Any) -> Any:
    """A value that comes back from display, with what was hidden put back from `old`."""
    if isinstance(value, Mapping):
        if value.get("$secret") is True:
            return old
        parts = {name: item for name, _, item in _headers(old)}
        return {key: unmasked(item, parts.get(key)) for key, item in value.items()}
    if value == HIDDEN:
        return value if old is None else old
    if isinstance(value, str) and isinstance(old, str) and f"//{HIDDEN}@" in value:
        return value.replace(HIDDEN, literal_user_info(old) or "", 1)
    return value


def _masked_headers(headers: Any, telling: re.Pattern[str]) -> Any:
    if isinstance(headers, Mapping):
        return {
            name: _hidden(value) if telling.search(str(name)) else value
            for name, value in headers.items()
        }
    return [
        {**item, "value": _hidden(item.get("value"))}
        if isinstance(item, Mapping) and telling.search(str(item.get("key")))
        else item if isinstance(item, Mapping) else _hidden(item)
        for item in headers
    ]  # fmt: skip


def _headers(headers: Any) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Name, path and value of headers, which are a map or a list of `key` and `value`."""
    if isinstance(headers, Mapping):
        for name, value in headers.items():
            yield str(name), (str(name),), value
    elif isinstance(headers, list):
        for index, item in enumerate(headers):
            if isinstance(item, Mapping):
                yield str(item.get("key")), (str(index), "value"), item.get("value")


def _hidden(value: Any) -> Any:
    return value if value in (None, "") or is_reference(value) else {"$secret": True}
