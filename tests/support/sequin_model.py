"""What a Sequin server does with a configuration, after docs/reference: accept or refuse
it, keep what it reads, export it. Written from those pages and the server's source; it shares no
code with the product.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import ReusedAnchorWarning

NAME = re.compile(r"[a-zA-Z0-9_\-.]+\Z")
ROLES = ("transform", "filter", "routing", "enrichment")
IGNORED = {"consumer_start", "active_backfill", "active_backfills", "message_kind", "id",
           "inserted_at", "updated_at", "account_id", "replication_slot_id",
           "sequence_id"}  # fmt: skip
SECRETS = {"password", "jwt", "nkey_seed", "aws_secret_access_key", "shared_access_key", "api_key",
           "auth_value", "access_token"}  # fmt: skip
AWS_SECRETS = {"access_key_id", "secret_access_key"}
GOOGLE_SECRETS = {"private_key_id", "private_key", "client_email", "client_id", "universe_domain",
                  "client_secret", "api_key"}  # fmt: skip
NULL_TRAPS = {"kafka": ["compression"], "typesense": ["batch_size", "timeout_seconds"],
              "meilisearch": ["primary_key", "timeout_seconds"],
              "elasticsearch": ["batch_size"]}  # fmt: skip
DEFAULTS: dict[str, dict[str, Any]] = {
    "webhook": {"http_endpoint": None, "http_endpoint_path": None, "batch": True},
    "kafka": {"hosts": None, "topic": None, "tls": False, "username": None, "password": None,
              "sasl_mechanism": None, "aws_access_key_id": None, "aws_secret_access_key": None,
              "aws_region": None, "compression": None},
    "redis_string": {"host": None, "port": None, "database": 0, "tls": False, "username": None,
                     "password": None, "expire_ms": None},
    "redis_stream": {"host": None, "port": None, "database": 0, "tls": False, "username": None,
                     "password": None, "stream_key": None},
    "nats": {"host": None, "port": None, "username": None, "password": None, "jwt": None,
             "nkey_seed": None, "tls": False},
    "gcp_pubsub": {"project_id": None, "topic_id": None, "use_emulator": False,
                   "emulator_base_url": None, "credentials": None},
    "azure_event_hub": {"namespace": None, "event_hub_name": None, "shared_access_key_name": None,
                        "shared_access_key": None},
    "sns": {"topic_arn": None, "region": None, "access_key_id": None, "secret_access_key": None,
            "use_task_role": False, "use_emulator": False, "emulator_base_url": None},
    "sqs": {"queue_url": None, "region": None, "access_key_id": None, "secret_access_key": None,
            "use_task_role": False, "use_emulator": False, "emulator_base_url": None},
    "kinesis": {"stream_arn": None, "access_key_id": None, "secret_access_key": None,
                "use_task_role": False},
    "typesense": {"endpoint_url": None, "collection_name": None, "api_key": None,
                  "batch_size": None, "timeout_seconds": None},
    "meilisearch": {"endpoint_url": None, "index_name": None, "primary_key": None,
                    "api_key": None, "batch_size": None, "timeout_seconds": None},
    "elasticsearch": {"endpoint_url": None, "index_name": None, "auth_type": "api_key",
                      "auth_value": None, "batch_size": None},
    "s2": {"basin": None, "stream": None, "access_token": None},
    "rabbitmq": {"host": None, "port": None, "username": None, "password": None,
                 "virtual_host": "/", "tls": False, "exchange": None},
    "sequin_stream": {},
}  # fmt: skip
ROUTED = {"kafka": ["topic"], "redis_stream": ["stream_key"], "gcp_pubsub": ["topic_id"],
          "azure_event_hub": ["event_hub_name"], "sns": ["topic_arn"], "sqs": ["queue_url"],
          "kinesis": ["stream_arn"], "typesense": ["collection_name"],
          "meilisearch": ["index_name"], "elasticsearch": ["index_name"],
          "s2": ["basin", "stream"], "rabbitmq": ["exchange"]}  # fmt: skip
NUMBERS = {"port", "database", "expire_ms", "batch_size", "timeout_seconds"}
FLAGS = {"tls", "batch", "use_emulator", "use_task_role"}


class _Constructor(SafeConstructor):
    """The server's YAML library reads dates and times as texts."""


_Constructor.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda constructor, node: constructor.construct_scalar(node)
)


def _untabbed(text: str) -> str:
    """Tabs before a comment or the end of a line, at which this reader stumbles, as spaces."""
    text = re.sub(r"(?m)^[ \t]+$", "", text)
    text = re.sub(r"(?m)^( *\w+:)\t", r"\1 ", text)
    return re.sub(r"(?m)(?<=[\w}\]\"'])[ \t]*\t[ \t]*(?=#|$)", "  ", text)


class RefusedError(Exception):
    """What a server, or its command line, answers to a configuration that it does not take."""


def interpolated(value: Any, environ: Mapping[str, str]) -> Any:
    """What the command line sends: references replaced in every text but code."""
    if isinstance(value, dict):
        return {k: v if k == "code" else interpolated(v, environ) for k, v in value.items()}
    if isinstance(value, list):
        return [interpolated(item, environ) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, operator, word = match[1] or match[2], match[3] or "", match[4] or ""
        given = environ.get(name)
        there = given is not None and (given != "" or ":" not in operator)
        if "+" in operator:
            return word if there else ""
        return given if there and given is not None else word

    pattern = r"\$\$|\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)(?:(:?[-+=])([^}]*))?\}"
    return re.sub(pattern, replace, value)


class SequinModel:
    """One account of a server. `apply` takes YAML, `export` gives it back as a server does."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, dict[str, Any]]] = {
            key: {} for key in ("databases", "http_endpoints", "functions", "sinks",
                                "change_retentions")
        }  # fmt: skip

    def apply(self, text: str, environ: Mapping[str, str] | None = None) -> None:
        """Take a configuration. Raises `RefusedError`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            yaml = YAML(typ="safe", pure=True)
            yaml.Constructor = _Constructor
            data = yaml.load(_untabbed(text.removeprefix("\ufeff")))
        data = interpolated(data or {}, environ or {})
        if "functions" in data and "transforms" in data:
            raise RefusedError("cannot specify both `functions` and `transforms`")
        steps: list[tuple[str, str, Callable[[dict[str, Any]], dict[str, Any]]]] = [
            ("databases", "databases", self._database),
            ("http_endpoints", "http_endpoints", self._endpoint),
            ("transforms", "functions", self._function),
            ("functions", "functions", self._function),
            ("sinks", "sinks", self._sink),
        ]
        for key, section, take in steps:
            if key not in data:
                continue
            if not isinstance(data[key], list):
                raise RefusedError(f"`{key}` is no list: the server crashes")
            for raw in data[key]:
                name = raw.get("name")
                if not isinstance(name, str) or not NAME.match(name):
                    raise RefusedError(f"`name` is required in {key}")
                self.items[section][name] = {"name": name, **take(raw)}

    def _database(self, raw: dict[str, Any]) -> dict[str, Any]:
        values = {"username": "postgres", "password": "postgres", "port": 5432, "pool_size": 10,
                  "ssl": False, "ipv6": False, "use_local_tunnel": False}  # fmt: skip
        raw = dict(raw)
        if "url" in raw:
            if any(raw.get(k) for k in ("hostname", "port", "username", "password", "database")):
                raise RefusedError("If `url` is specified, no other connection params are allowed")
            parts = urlsplit(raw.pop("url"))
            if not (parts.hostname and parts.port and parts.path.strip("/")) or parts.query:
                raise RefusedError("Parameters missing from `url`")
            raw |= {"hostname": parts.hostname, "port": parts.port,
                    "database": parts.path.strip("/")}  # fmt: skip
            raw |= (
                {"username": parts.username, "password": parts.password} if parts.username else {}
            )
        for block, flat in (("slot", "slot_name"), ("publication", "publication_name")):
            if block in raw and flat in raw:
                raise RefusedError(f"`{block}` and `{flat}` are both specified")
            name = (raw.get(block) or {}).get("name") or raw.get(flat)
            if not name:
                raise RefusedError(f"`{block}` is not specified")
            values[block] = {"name": name}
        for key in ("hostname", "database"):
            if not raw.get(key):
                raise RefusedError(f"{key} can't be blank")
        known = (*values, "hostname", "database", "primary")
        values |= {k: v for k, v in raw.items() if k in known and k not in ("slot", "publication")}
        for key in ("port", "pool_size"):
            values[key] = int(values[key])  # type: ignore[call-overload]
        for key in ("ssl", "ipv6", "use_local_tunnel"):
            values[key] = values[key] in (True, "true")
        if values.get("primary"):
            values["primary"] = {"port": 5432, **values["primary"]}  # type: ignore[dict-item]
        return values

    def _endpoint(self, raw: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in raw.items():
            match key:
                case "headers" | "encrypted_headers":
                    if not isinstance(value, (dict, list, type(None))):
                        raise RefusedError("Invalid headers configuration")
                    pairs = value if isinstance(value, list) else []
                    values[key] = {p["key"]: p["value"] for p in pairs} or dict(value or {})
                case "url":
                    parts = urlsplit(value)
                    host = parts.hostname or ""
                    netloc = f"{host}:{parts.port}" if parts.port else host
                    values["url"] = parts._replace(netloc=netloc).geturl()
                case "local" if value == "true":
                    values |= {"local": True, "path": raw.get("path")}
                case "webhook.site" if value in (True, "true"):
                    values["url"] = "https://webhook.site/7a1c0c7e-0000-4000-8000-000000000000"
                case ("local" | "webhook.site" | "path" | "name" | "id" | "inserted_at"
                      | "updated_at" | "account_id"):  # fmt: skip
                    pass
                case _:
                    raise RefusedError(f"Unknown field: {key}")
        return {"headers": {}, "encrypted_headers": {}, **values}

    def _function(self, raw: dict[str, Any]) -> dict[str, Any]:
        if "file" in raw:
            raise RefusedError("`file` parameter found")
        if "function" in raw and "transform" in raw:
            raise RefusedError("Cannot specify both `function` and `transform`")
        body = raw.get("function") or raw.get("transform") or raw
        kind = {"function": "transform"}.get(str(body.get("type")), body.get("type"))
        if kind not in ("path", "transform", "filter", "routing", "enrichment"):
            raise RefusedError(f"type is invalid: {kind}")
        if kind == "enrichment" and "$1" not in body.get("code", ""):
            raise RefusedError("Enrichment functions must use parameterization")
        if not body.get("path" if kind == "path" else "code"):
            raise RefusedError("code can't be blank")
        values = {"description": None if body is raw else raw.get("description"), "type": kind}
        if kind == "routing":
            sink_type = {"webhook": "http_push"}.get(body.get("sink_type"), body.get("sink_type"))  # type: ignore[arg-type]
            if sink_type not in {*DEFAULTS, "http_push"} - {"webhook", "sequin_stream"}:
                raise RefusedError("sink_type is invalid")
            values["sink_type"] = sink_type
        return values | ({"path": body["path"]} if kind == "path" else {"code": body["code"]})

    def _sink(self, raw: dict[str, Any]) -> dict[str, Any]:
        known = {"name", "status", "annotations", "batch_size", "actions", "database", "source",
                 "tables", "destination", *ROLES, "timestamp_format", "max_retry_count",
                 "load_shedding_policy", "message_grouping", "initial_backfill", "table",
                 "schema"}  # fmt: skip
        for key in raw:
            if key not in known | IGNORED:
                raise RefusedError(f"Unknown field: {key}")
        if raw.get("database") not in self.items["databases"]:
            raise RefusedError("Not found: database")
        size = raw.get("batch_size", 1)
        if type(size) is not int or not 0 < size <= 1000:
            raise RefusedError("batch_size must be a positive integer <= 1000")
        attempts = raw.get("max_retry_count")
        if attempts is not None and (type(attempts) is not int or attempts < 1):
            raise RefusedError("max_retry_count must be a non-negative integer")
        policy = raw.get("load_shedding_policy", "pause_on_full")
        if policy not in ("pause_on_full", "discard_on_full"):
            raise RefusedError("load_shedding_policy must be one of")
        grouping = {"true": True, "false": False}.get(
            str(raw.get("message_grouping", True)).lower()
        )
        if grouping is None:
            raise RefusedError("message_grouping must be a boolean")
        values: dict[str, Any] = {
            "database": raw["database"], "status": raw.get("status") or "active",
            "actions": raw.get("actions", ["insert", "update", "delete"]), "batch_size": size,
            "max_retry_count": attempts, "load_shedding_policy": policy,
            "message_grouping": grouping, "annotations": raw.get("annotations") or {},
            "timestamp_format": raw.get("timestamp_format") or "iso8601", "active_backfills": [],
        }  # fmt: skip
        for role in ROLES:
            name = raw.get(role)
            if name not in (None, "none") and name not in self.items["functions"]:
                raise RefusedError(f"Function '{name}' not found.")
            values[role] = name or "none"
        source = dict(raw.get("source") or {})
        source |= {"include_tables": [raw["table"]]} if raw.get("table") else {}
        source |= {"include_schemas": [raw["schema"]]} if raw.get("schema") else {}
        names = ("include_schemas", "exclude_schemas", "include_tables", "exclude_tables")
        values["source"] = {n: source.get(n) for n in names}
        for name in ("include_tables", "exclude_tables"):
            if values["source"][name] is not None:
                values["source"][name] = [_table(t) for t in values["source"][name]]
        values["tables"] = [
            {"name": _table(t["name"]), "group_column_names": t.get("group_column_names") or []}
            for t in raw.get("tables") or []
        ]
        values["destination"] = self._destination(raw.get("destination"), values["routing"])
        return values

    def _destination(self, raw: Any, routing: str) -> dict[str, Any]:
        if raw is None:
            raise RefusedError("`sink` is required on sink consumers.")
        kind = {"redis": "redis_stream"}.get(raw.get("type"), raw.get("type"))
        if kind not in DEFAULTS:
            raise RefusedError(f"the server crashes: there is no clause for type {kind}")
        values = {k: d if raw.get(k) is None else raw[k] for k, d in DEFAULTS[kind].items()}
        for key in NULL_TRAPS.get(kind, ()):
            if values[key] is None:
                raise RefusedError(f"{key} becomes null, which defeats its default")
        if kind == "webhook" and values["http_endpoint"] not in self.items["http_endpoints"]:
            raise RefusedError("Not found: http_endpoint")
        if kind == "gcp_pubsub" and not isinstance(values["credentials"], dict):
            raise RefusedError("credentials is invalid")
        if kind == "elasticsearch" and values["auth_type"] not in ("api_key", "basic", "bearer"):
            raise RefusedError("the server crashes: there is no clause for that auth_type")
        for key in ROUTED.get(kind, ()):
            if routing != "none":
                values[key] = None
            elif values[key] is None:
                raise RefusedError(f"{key} can't be blank")
        for key, value in values.items():
            if isinstance(value, str) and key in NUMBERS:
                values[key] = int(value)
            elif isinstance(value, str) and key in FLAGS:
                values[key] = value == "true"
        for key in ("topic_arn", "queue_url", "stream_arn"):
            found = re.search(r"arn:aws[^:]*:\w+:([^:]+):|//sqs\.([^.]+)\.", str(values.get(key)))
            if found and "region" in values and values["region"] is None:
                values["region"] = found[1] or found[2]
        return {"type": kind, **values}

    def export(self, *, show_sensitive: bool = False) -> str:
        """All items as YAML: sorted keys, one shape of functions, secrets masked."""

        def hide(value: Any) -> Any:
            return value if value is None or show_sensitive else masked(str(value))

        found: dict[str, Any] = {}
        for section, items in self.items.items():
            rows = []
            for item in items.values():
                row = dict(item)
                if section == "databases":
                    row["password"] = hide(row["password"])
                    if row.get("primary"):
                        secret = hide(row["primary"].get("password"))
                        row["primary"] = {**row["primary"], "password": secret}
                elif section == "http_endpoints":
                    headers = row["encrypted_headers"].items()
                    row["encrypted_headers"] = {k: hide(v) for k, v in headers}
                elif section == "sinks":
                    row["destination"] = _exported(row["destination"], hide)
                rows.append(row)
            if rows:
                found[section] = rows
        out = StringIO()
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = False
        yaml.explicit_start = True
        yaml.dump(_sorted(found), out)
        return out.getvalue()


def _exported(values: dict[str, Any], hide: Callable[[Any], Any]) -> dict[str, Any]:
    kind = values["type"]
    secrets = SECRETS | (AWS_SECRETS if kind in ("sns", "sqs", "kinesis") else set())
    left_out = {"sqs": {"use_emulator", "emulator_base_url"},
                "meilisearch": {"batch_size"}}.get(kind, set())  # fmt: skip
    if values.get("use_task_role"):
        left_out = left_out | AWS_SECRETS
    row = {k: hide(v) if k in secrets else v for k, v in values.items() if k not in left_out}
    if kind == "gcp_pubsub":
        parts = values["credentials"].items()
        row["credentials"] = {k: hide(v) if k in GOOGLE_SECRETS else v for k, v in parts}
    if kind in ("sns", "sqs"):
        row["is_fifo"] = str(values.get("topic_arn") or values.get("queue_url")).endswith(".fifo")
    if kind == "rabbitmq":
        row["connection_id"] = "5b0c7a0e"
    keep = {"http_endpoint_path", "batch"} if kind == "webhook" else set()
    return {k: v for k, v in row.items() if v is not None or k in keep}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _table(name: str) -> str:
    return name if "." in name else f"public.{name}"


def masked(secret: str) -> str:
    """A secret as an export shows it."""
    if len(secret) <= 5:
        return "*" * len(secret)
    if len(secret) <= 9:
        return secret[0] + "*" * (len(secret) - 2) + secret[-1]
    return secret[:3] + "*" * min(len(secret) - 4, 20) + secret[-1]
