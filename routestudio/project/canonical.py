"""What a project means to a server: every setting by section, name and field, defaults filled in.

Two files that mean the same in other words have the same canonical form: order, formatting,
anchors, the shape of a function, deprecated keys and values written out that are defaults anyway
make no difference.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from routestudio.model.fields import RuleError
from routestudio.model.function import Function
from routestudio.model.project import SHARED_KEYS
from routestudio.project.secrets import telling_header
from routestudio.project.server_keys import CONNECTION, RETENTION, SOURCE
from routestudio.project.store import OpenProject
from routestudio.sinks import server
from routestudio.sinks.base import Sink
from routestudio.sinks.fields import config_fields, static_fields
from routestudio.sinks.registry import Registry

SECTIONS: Final = ("databases", "http_endpoints", "functions", "sinks", "change_retentions")
RANDOM_SITE: Final = "https://webhook.site/(made by the server)"
"""The URL of an endpoint with `webhook.site: true`: a server makes it."""

_DATABASE: Final[Mapping[str, Any]] = {
    "hostname": None, "port": 5432, "database": None, "username": "postgres", "pool_size": 10,
    "ssl": False, "ipv6": False, "use_local_tunnel": False,
}  # fmt: skip
_ACTIONS: Final = ("delete", "insert", "update")
_PLAIN_SHARED: Final = ("status", "batch_size", "timestamp_format", "max_retry_count",
                        "load_shedding_policy", "message_grouping", "database")  # fmt: skip
_ROLES: Final = ("filter", "transform", "routing", "enrichment")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value. `missing` are unset variables: with any, the value is not known here.

    `written` shows whether the file has it; secrets are never shown.
    """

    value: Any
    written: bool = True
    secret: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A database, endpoint, function, sink or change retention. `kind` is a sink's type key."""

    section: str
    name: str
    settings: Mapping[str, Setting]
    kind: str | None = None


Configuration = Mapping[str, Mapping[str, Item]]
"""Items by section and name."""


@dataclass
class _Settings:
    """Collects the settings of one item, references resolved as a server's command line does."""

    opened: OpenProject
    found: dict[str, Setting] = field(default_factory=dict)

    def add(
        self, name: str, raw: Any, default: Any = None, *, secret: bool = False,
        cast: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        environment = self.opened.environment
        missing = tuple(sorted(environment.missing(raw)))
        value = raw if missing else environment.resolve(raw)
        written = raw is not None
        if not written:
            value = default
        elif cast is not None and not missing:
            with contextlib.suppress(RuleError, TypeError, ValueError):
                value = cast(value)
        self.found[name] = Setting(_plain(value), written, secret, missing)


def canonical(opened: OpenProject, sinks: Registry) -> dict[str, dict[str, Item]]:
    """The canonical form of an open project or server file. Broken entries are left out."""
    data = opened.document.plain()
    found: dict[str, dict[str, Item]] = {section: {} for section in SECTIONS}
    for name, raw in _named(data, "databases"):
        found["databases"][name] = _database(opened, name, raw)
    for name, raw in _named(data, "http_endpoints"):
        found["http_endpoints"][name] = _endpoint(opened, name, raw)
    for function in opened.project.functions:
        found["functions"][function.name] = _function(opened, function, sinks)
    for name, raw in _named(data, "sinks"):
        found["sinks"][name] = _sink(opened, name, raw, sinks)
    for name, raw in _named(data, "change_retentions"):
        found["change_retentions"][name] = _retention(opened, name, raw)
    return found


def _named(data: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    items = data.get(section)
    seen = set()
    for item in items if isinstance(items, list) else []:
        name = item.get("name") if isinstance(item, Mapping) else None
        if isinstance(name, str) and name not in seen:
            seen.add(name)
            yield name, item


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


# --- databases, endpoints, retentions --------------------------------------------------------


def _database(opened: OpenProject, name: str, raw: Mapping[str, Any]) -> Item:
    settings = _Settings(opened)
    _connection(settings, "", raw)
    primary = raw.get("primary")
    if isinstance(primary, Mapping):
        _connection(settings, "primary.", primary)
    for part, flat in (("slot", "slot_name"), ("publication", "publication_name")):
        block = raw.get(part)
        value = block.get("name") if isinstance(block, Mapping) else raw.get(flat)
        settings.add(f"{part}.name", value)
    return Item("databases", name, settings.found)


def _connection(settings: _Settings, prefix: str, raw: Mapping[str, Any]) -> None:
    values = dict(raw)
    url = settings.opened.environment.resolve(raw.get("url"))
    if isinstance(url, str) and not settings.opened.environment.missing(raw.get("url")):
        values |= _of_url(url)
    names = [*CONNECTION] if prefix else [*_DATABASE, "password"]
    for key in names:
        cast = _integer if key in ("port", "pool_size") else _flag
        default = "postgres" if key == "password" else _DATABASE.get(key)
        secret = key == "password"
        settings.add(prefix + key, values.get(key), default, secret=secret, cast=cast)


def _of_url(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        found = {"hostname": parts.hostname, "port": parts.port, "username": parts.username,
                 "password": parts.password, "database": parts.path.lstrip("/")}  # fmt: skip
    except ValueError:
        return {}
    return {key: unquote(value) if isinstance(value, str) else value
            for key, value in found.items() if value}  # fmt: skip


def _endpoint(opened: OpenProject, name: str, raw: Mapping[str, Any]) -> Item:
    settings = _Settings(opened)
    local = str(raw.get("local")).lower() == "true"
    if local:
        settings.add("local", True)
        settings.add("path", raw.get("path"))
    elif str(raw.get("webhook.site")).lower() == "true":
        settings.add("url", RANDOM_SITE)
    else:
        settings.add("url", raw.get("url"), cast=_url)
    for key in ("headers", "encrypted_headers"):
        for header, value in _pairs(raw.get(key)):
            secret = key != "headers" or telling_header(header)
            settings.add(f"{key}.{header}", value, secret=secret)
    return Item("http_endpoints", name, settings.found)


def _pairs(headers: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(headers, Mapping):
        yield from ((str(name), value) for name, value in headers.items())
    elif isinstance(headers, list):
        for item in headers:
            if isinstance(item, Mapping):
                yield str(item.get("key")), item.get("value")


def _url(value: Any) -> Any:
    """A URL without its user info, which a server drops, and without a usual port."""
    parts = urlsplit(str(value))
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return parts._replace(netloc=f"{parts.hostname or ''}{port}").geturl()


def _retention(opened: OpenProject, name: str, raw: Mapping[str, Any]) -> Item:
    settings = _Settings(opened)
    for key in RETENTION:
        settings.add(key, raw.get(key))
    settings.add("status", raw.get("status"), "active")
    settings.add("actions", raw.get("actions"), list(_ACTIONS), cast=_actions)
    settings.add("filters", raw.get("filters"), [])
    return Item("change_retentions", name, settings.found)


# --- functions and sinks ---------------------------------------------------------------------


def plain_code(code: str) -> str:
    """Code as it is compared: never substituted, without the blank ends that YAML may add."""
    return "\n".join(line.rstrip() for line in code.strip("\n").splitlines())


def _function(opened: OpenProject, function: Function, sinks: Registry) -> Item:
    kind = function.sink_type
    if kind is not None and kind in sinks:
        kind = sinks.get(kind).key
    values: dict[str, Any] = {
        "type": function.kind.value, "language": function.language.value,
        "description": function.description, "sink_type": kind, "path": function.path,
    }  # fmt: skip
    found = {key: Setting(value, value is not None) for key, value in values.items()}
    found["code"] = Setting(plain_code(function.code) or None)
    return Item("functions", function.name, found)


def _sink(opened: OpenProject, name: str, raw: Mapping[str, Any], sinks: Registry) -> Item:
    settings = _Settings(opened)
    defaults = {key.name: key.default for key in SHARED_KEYS}
    for key in _PLAIN_SHARED:
        cast = _same if key == "database" else _integer_or_flag
        settings.add(key, raw.get(key), defaults[key], cast=cast)
    settings.add("actions", raw.get("actions"), list(_ACTIONS), cast=_actions)
    for role in _ROLES:
        value = raw.get(role)
        settings.add(role, None if value == "none" else value)
    annotations = raw.get("annotations")
    for key, value in annotations.items() if isinstance(annotations, Mapping) else ():
        settings.add(f"annotations.{key}", value)
    source = raw.get("source")
    given = dict(source) if isinstance(source, Mapping) else {}
    if raw.get("table") is not None:
        given["include_tables"] = [raw["table"]]
    if raw.get("schema") is not None:
        given["include_schemas"] = [raw["schema"]]
    for key in SOURCE:
        cast = _tables if key.endswith("tables") else _sorted
        settings.add(f"source.{key}", given.get(key) or None, cast=cast)
    tables = raw.get("tables")
    for item in tables if isinstance(tables, list) else []:
        if isinstance(item, Mapping) and isinstance(item.get("name"), str):
            columns = item.get("group_column_names") or None
            settings.add(f"tables.{_table(item['name'])}.group_column_names", columns)
    destination = raw.get("destination")
    kind = None
    if isinstance(destination, Mapping):
        kind = _destination(settings, destination, sinks)
    return Item("sinks", name, settings.found, kind)


def _destination(
    settings: _Settings, raw: Mapping[str, Any], sinks: Registry
) -> str | None:  # fmt: skip
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in sinks:
        for key, value in raw.items():
            settings.add(f"destination.{key}", value)
        return None
    sink = sinks.get(kind)
    settings.add("destination.type", sink.yaml_type or sink.key)
    dynamic = settings.found["routing"].value is not None
    fields = {f.name: (f.rule.cast, f.default, f.secret) for f in config_fields(sink.Config)}
    fields |= {f.yaml_name: (f.static_rule.cast, None, False) for f in static_fields(sink)}
    routed = {f.yaml_name for f in static_fields(sink)}
    own = {f.name for f in config_fields(sink.Config)}
    keys = server.of(sink.key)
    skipped = (keys.derived if keys else frozenset()) | (routed - own if dynamic else frozenset())
    for key in [*fields, *(str(key) for key in raw if key not in fields and key != "type")]:
        if key in skipped:
            continue
        cast, default, secret = fields.get(key, (_same, None, False))
        value = raw.get(key)
        if keys is not None and key in keys.maps:
            _parts(settings, key, value, keys.maps[key].secret)
        else:
            value = None if value == "" else value
            settings.add(f"destination.{key}", value, default, secret=secret, cast=cast)
    _region(settings, sink)
    return sink.key


def _parts(settings: _Settings, name: str, raw: Any, hidden: Set[str]) -> None:
    """A key part by part, whether it is a map or JSON text; `hidden` are its secret parts."""
    if not isinstance(raw, Mapping):
        missing = settings.opened.environment.missing(raw)
        text = settings.opened.environment.resolve(raw)
        try:
            loaded = json.loads(text) if isinstance(text, str) and not missing else None
        except ValueError:
            loaded = None
        if not isinstance(loaded, dict):
            settings.add(f"destination.{name}", raw, secret=True)
            return
        for key, value in loaded.items():
            setting = Setting(value, secret=key in hidden)
            settings.found[f"destination.{name}.{key}"] = setting
        return
    for key, value in raw.items():
        settings.add(f"destination.{name}.{key}", value, secret=key in hidden)


def _region(settings: _Settings, sink: type[Sink]) -> None:
    """A region that is not written is the one that the ARN or URL names, as on a server."""
    region = settings.found.get("destination.region")
    if region is None or region.written:
        return
    for key in ("topic_arn", "stream_arn", "queue_url"):
        target = settings.found.get(f"destination.{key}")
        match = re.search(
            r"arn:[^:]*:[^:]*:([^:]+):|//sqs\.([^.]+)\.", str(target and target.value)
        )
        if match:
            found = Setting(match[1] or match[2], False)
            settings.found["destination.region"] = found


# --- values ----------------------------------------------------------------------------------


def _same(value: Any) -> Any:
    return value


def _integer(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def _flag(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _integer_or_flag(value: Any) -> Any:
    return _integer(_flag(value))


def _actions(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value


def _sorted(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value


def _tables(value: Any) -> Any:
    return sorted(_table(str(item)) for item in value) if isinstance(value, list) else value


def _table(name: str) -> str:
    return name if "." in name else f"public.{name}"
