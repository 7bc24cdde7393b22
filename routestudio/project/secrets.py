"""Finds secrets that stand in a YAML file itself, and those that a server masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from routestudio.project.environment import is_reference

SecretKeys = Callable[[str], Collection[str]]
"""For a sink key: its destination keys that hold secrets."""

Found = tuple[tuple[str, ...], str]

_MASKED: Final = re.compile(r"\*{3,}|.\*{3,}.|.{3}\*{4,}.", re.DOTALL)
"""How a server shows secrets of up to five, up to nine, and more characters (sinks.md, 1.12)."""

_TELLING: Final = re.compile(
    r"(?i)pass(word|phrase)?$|secret|token$|api_?key$|access_key|private_key|jwt$|seed$"
    r"|credentials$|auth_value$"
)
"""Names of keys that hold secrets in destinations of types that are not known."""


def masked_secrets(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, ...]]:
    """Where in `value`, which is at `path`, masked secrets are."""
    yield from (found for found, text in _texts(path, value) if _MASKED.fullmatch(text))


def literal_secrets(
    data: Mapping[str, Any], sink_types: Mapping[str, str], secret_keys: SecretKeys | None = None
) -> Iterator[Found]:
    """Path and value of each secret that is written out in the data of a `sequin.yaml`.

    Without `secret_keys`, and in sinks of unknown type, the names of keys decide.
    """
    for path, value in _secret_values(data, sink_types, secret_keys):
        for found, text in _texts(path, value):
            # A reference in a longer text (`Bearer ${TOKEN}`) is what keeps it out of the file.
            if text and "${" not in text and not is_reference(text):
                yield found, text


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
                    yield ("sinks", name, "destination", str(key)), value
    for name, endpoint in _items(data, "http_endpoints"):
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
