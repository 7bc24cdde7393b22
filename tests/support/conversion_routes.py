"""Realistic Python routes for every sink type, messages for them, and values as Elixir text."""

from __future__ import annotations

import random
from typing import Any, Final

from routestudio.model.message import ACTIONS, Message, complete_metadata

_HEAD: Final = "def route(action, record, changes, metadata):\n"

BY_REGION: Final = """\
    # Rows without a region belong to the default one.
    region = (record.get("region") or "eu").lower()
    if action == "delete":
        name = f"{metadata.table_name}.deleted"
    elif isinstance(record.get("total"), (int, float)) and record["total"] >= 1000:
        name = f"{metadata.table_name}.{region}.large"
    else:
        name = f"{metadata.table_name}.{region}"
"""

BY_CHANGE: Final = """\
    moved = [key for key in sorted(changes or {}) if key not in ("updated_at", "version")]
    if action == "update" and not moved:
        name = "untouched"
    elif "status" in moved:
        name = f"status-{record['status']}"
    elif any(key.startswith("addr") for key in moved):
        name = "address"
    else:
        name = action
"""

BY_TENANT: Final = """\
    tenant = record.get("tenant_id")
    email = record.get("email") or ""
    domain = email.split("@")[-1].strip().lower() if "@" in email else "none"
    match metadata.table_schema:
        case "public" | "shop":
            name = f"shared.{domain}"
        case "audit":
            name = "audit"
        case _:
            name = f"tenant-{tenant}"
    labels = {}
    for tag in record.get("tags") or []:
        labels[f"tag-{tag}"] = "yes"
"""

_LABELS: Final = "    labels = {}\n"
_PK: Final = '"-".join(metadata.record_pks)'

FIELDS: Final[dict[str, dict[str, str]]] = {
    "azure_event_hub": {"event_hub_name": "name[:50]"},
    "elasticsearch": {"index_name": 're.sub(r"[^a-z0-9.-]+", "-", name.lower())'},
    "gcp_pubsub": {"topic_id": 'f"t-{name}"'},
    "http_push": {
        "method": '"DELETE" if action == "delete" else "PUT" if action == "update" else "POST"',
        "endpoint_path": f"\"/\" + url.quote(name, safe=\"\") + \"/\" + {_PK}",
        "headers": '{"x-table": metadata.table_name, "x-pos": str(metadata.commit_lsn), **labels}',
    },
    "kafka": {"topic": "name", "message_key": f'f"{{metadata.table_name}}:" + {_PK}'},
    "kinesis": {"stream_arn": 'f"arn:aws:kinesis:eu-west-1:1:stream/{name}"'},
    "meilisearch": {
        "action": '"delete" if action == "delete" else "index"', "index_name": "name",
        "filter": "None", "function": "None", "context": "None",
    },
    "nats": {"subject": 'f"cdc.{name}.{action}"',
             "headers": '{"Nats-Msg-Id": metadata.idempotency_key, **labels}'},
    "rabbitmq": {
        "exchange": '"amq.topic" if name else "amq.direct"', "routing_key": "name",
        "message_id": "metadata.idempotency_key", "headers": "labels",
    },
    "redis_stream": {"stream_key": 'f"stream:{name}"'},
    "redis_string": {
        "key": f'f"{{name}}:" + {_PK}', "action": '"del" if action == "delete" else "set"',
        "expire_ms": 'record["ttl"] * 1000 if isinstance(record.get("ttl"), int) '
                     'and not isinstance(record["ttl"], bool) else None',
    },
    "s2": {"basin": '"main-basin"', "stream": 'f"{metadata.table_schema}/{name}"'},
    "sns": {"topic_arn": 'f"arn:aws:sns:eu-west-1:1:{name}"'},
    "sqs": {"queue_url": 'f"https://sqs.eu-west-1.amazonaws.com/1/{name}"'},
    "typesense": {"action": '"delete" if action == "delete" else "index"',
                  "collection_name": "name"},
}  # fmt: skip
"""The routed fields of each sink type, as expressions of `name` and `labels`."""


def routes(sink: str) -> dict[str, str]:
    """Three realistic routes of a sink type, each with all of its routed fields."""
    entries = "".join(f'        "{name}": {text},\n' for name, text in FIELDS[sink].items())
    end = f"    return {{\n        # where it goes\n{entries}    }}\n"
    return {
        "region": _HEAD + BY_REGION + _LABELS + end,
        "change": _HEAD + BY_CHANGE + _LABELS + end,
        "tenant": _HEAD + BY_TENANT + end,
    }


_TEXTS: Final = (
    "paid",
    "",
    "Zoë",
    "EU",
    "us-east",
    "a/b c",
    'say "hi" #{x}',
    "naïve\n2",
    "0",
    "é" * 9,
)
_WILD: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -3, 2**63, 10**25, 1.0, 1200.0, 1e-7, 0.1, 1e22, "", "7", "ümläut",
)  # fmt: skip


_MANY: Final[tuple[Any, ...]] = (*_WILD, ["a", None], ["a", 1, 2.5], {}, {"k": 1}, [])


def messages(count: int, seed: int) -> list[Message]:
    """Generated messages: each action, nulls, missing columns, wrong types, big numbers."""
    chance = random.Random(seed)

    def value(usual: Any, wild: tuple[Any, ...] = _WILD) -> Any:
        return chance.choice(wild) if chance.random() < 0.12 else usual

    found = []
    for index in range(count):
        record: dict[str, Any] = {
            "id": chance.choice((index, 2**62 + index)),
            "region": value(chance.choice((*_TEXTS, None))),
            "status": value(chance.choice(_TEXTS)),
            "total": value(chance.choice((5, 1000, 999.99, 12345.5, 1e16))),
            "tenant_id": value(chance.choice((1, 77, "t-9", 3.5))),
            "email": value(chance.choice(("a@Example.com ", "none", "x@y@ö.de", None))),
            "tags": value(chance.choice(([], ["new"], ["a b", "ü"], ["x", "x"], None)), _MANY),
            "ttl": value(chance.choice((60, 0, None))),
            "updated_at": "2024-05-01T09:30:00Z",
        }
        for name in list(record):
            if name != "id" and chance.random() < 0.08:
                del record[name]
        action = chance.choice(ACTIONS)
        if action == "delete" and chance.random() < 0.5:
            record = {"id": record["id"]}
        changes = None
        if action == "update":
            names = ("status", "updated_at", "version", "address_line", "note")
            changes = {n: value("old") for n in names if chance.random() < 0.4}
        given = {
            "table_name": chance.choice(("orders", "Üsers", "line_items")),
            "table_schema": chance.choice(("public", "shop", "audit", "tenant_7")),
            "commit_lsn": chance.randrange(1 << 60), "commit_idx": index,
            "database_name": "shop",
        }  # fmt: skip
        metadata = complete_metadata(given, record)
        found.append(Message(action, record, changes, metadata, index))
    return found


def literal(value: Any, *, atoms: bool = False) -> str:
    """A value as Elixir text; with `atoms`, the keys of a map are atoms."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        inner = "".join(f"\\u{{{ord(c):X}}}" if ord(c) < 32 or c in '"\\#' else c for c in value)
        return f'"{inner}"'
    if isinstance(value, float):
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e")
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (
            f":{key} => {literal(item, atoms=key in ('consumer', 'database'))}"
            if atoms else f"{literal(key)} => {literal(item)}"
            for key, item in value.items()
        )  # fmt: skip
        return "%{" + ", ".join(pairs) + "}"
    return str(value)


def elixir_messages(found: list[Message]) -> str:
    """Elixir text that binds `messages` to a list of tuples."""
    rows = []
    for message in found:
        moment = "~U[2024-01-01 00:00:00.000000Z]"
        metadata = dict(message.metadata)
        metadata.pop("commit_timestamp")
        known = literal(metadata, atoms=True)[:-1] + f", :commit_timestamp => {moment}}}"
        rows.append(f"{{{literal(message.action)}, {literal(message.record)}, "
                    f"{literal(message.changes)}, {known}}}")  # fmt: skip
    return "messages = [\n" + ",\n".join(rows) + "\n]"
