"""Generated configurations, written in generated styles: the same round trips as the kept ones.

`ROUTESTUDIO_CONFIGURATIONS` is how many are made; the default keeps the test short.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routestudio.project.canonical import canonical
from routestudio.project.changes import differences
from routestudio.project.document import YamlDocument
from routestudio.sinks import registry
from tests.support.sequin_model import DEFAULTS, ROUTED, SequinModel
from tests.unit.project.test_configurations import VALUES, env_of, exported, imported, opened, order

COUNT = int(os.environ.get("ROUTESTUDIO_CONFIGURATIONS", "40"))
ACCOUNT = "arn:aws:{}:eu-west-1:123456789012:{}orders"

FIXED: dict[str, dict[str, Any]] = {
    "webhook": {"http_endpoint": "hooks"},
    "kafka": {"hosts": "k-1:9092,k-2:9092", "topic": "orders"},
    "redis_string": {"host": "h", "port": 6379},
    "redis_stream": {"host": "h", "port": 6379, "stream_key": "orders"},
    "nats": {"host": "h", "port": 4222},
    "gcp_pubsub": {"project_id": "my-project", "topic_id": "orders"},
    "azure_event_hub": {"namespace": "my-namespace", "event_hub_name": "orders",
                        "shared_access_key_name": "send", "shared_access_key": "${KEY}"},
    "sns": {"topic_arn": ACCOUNT.format("sns", "")},
    "sqs": {"queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"},
    "kinesis": {"stream_arn": ACCOUNT.format("kinesis", "stream/")},
    "typesense": {"endpoint_url": "http://h:8108", "collection_name": "orders", "api_key": "${T}"},
    "meilisearch": {"endpoint_url": "http://h:7700", "index_name": "orders", "api_key": "${T}"},
    "elasticsearch": {"endpoint_url": "http://h:9200", "index_name": "orders",
                      "auth_value": "${T}"},
    "s2": {"basin": "shop-basin", "stream": "orders", "access_token": "${T}"},
    "rabbitmq": {"host": "h", "port": 5672, "exchange": "orders"},
}  # fmt: skip
OPTIONAL: dict[str, dict[str, list[Any]]] = {
    "webhook": {"http_endpoint_path": ["/a", "/a/b"], "batch": [True, False]},
    "kafka": {"tls": [True, False], "compression": ["none", "lz4", None]},
    "redis_string": {"database": [0, 3], "tls": [True], "expire_ms": [1000, None],
                     "username": ["u"], "password": ["${A}", "hunter-two", "pa$$word1"]},
    "redis_stream": {"database": [0, 3], "username": ["u"], "password": ["${B}"]},
    "nats": {"tls": [False], "username": ["u"], "password": ["${C}", "a secret: # yes"]},
    "elasticsearch": {"auth_type": ["api_key", "bearer", None], "batch_size": [1, 100, None]},
    "typesense": {"batch_size": [40, None], "timeout_seconds": [5]},
    "meilisearch": {"primary_key": ["id", "key"], "batch_size": [100, 7], "timeout_seconds": [9]},
    "rabbitmq": {"virtual_host": ["/", "shop"], "tls": [True, False], "username": ["u"],
                 "password": ["${A}"]},
}  # fmt: skip
AWS = ({"use_task_role": True}, {"access_key_id": "${A}", "secret_access_key": "${B}"})
GOOGLE = ("${GOOGLE_KEY}", {"type": "service_account", "project_id": "my-project",
          "private_key_id": "${K}", "private_key": "${K2}", "client_id": "1",
          "client_email": "a@my-project.iam.gserviceaccount.com"})  # fmt: skip
SHARED: dict[str, list[Any]] = {
    "status": ["active", "disabled", "paused"], "actions": [["insert"], ["update", "delete"]],
    "filter": ["keep", "none", None], "transform": ["id", "none"], "enrichment": ["none", None],
    "timestamp_format": ["iso8601", "unix_microsecond"], "max_retry_count": [1, 7, None],
    "load_shedding_policy": ["discard_on_full"], "message_grouping": [True, False, "true"],
    "annotations": [{"a": 1, "b c": ["x", None, True]}, {}, {"note": "line\nline\n"}],
    "source": [{"include_tables": ["orders", "sales.items"]}, {"exclude_schemas": ["audit"]}],
    "tables": [[{"name": "orders", "group_column_names": ["id"]}]],
}  # fmt: skip
FUNCTIONS = [
    {"name": "keep", "type": "filter",
     "code": "def filter(action, record, changes, metadata) do\n  true  # ${A} $1\nend\n"},
    {"name": "id", "transform": {"type": "path", "path": "record.id"}},
]  # fmt: skip
NAMES = st.from_regex(r"[a-zA-Z0-9_\-.]{1,12}", fullmatch=True).filter(
    lambda name: name not in ("none", "null", "nil")
)


@st.composite
def sinks(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A sink of any type with some of its optional keys, in any order."""
    kind = draw(st.sampled_from(sorted(FIXED)))
    optional = OPTIONAL.get(kind, {})
    taken = draw(st.sets(st.sampled_from(sorted(optional)))) if optional else set()
    destination = {"type": kind, **FIXED[kind]}
    destination |= {key: draw(st.sampled_from(optional[key])) for key in sorted(taken)}
    if kind in ("sns", "sqs", "kinesis"):
        destination |= draw(st.sampled_from(AWS))
    if kind == "gcp_pubsub":
        destination["credentials"] = draw(st.sampled_from(GOOGLE))
    shared = draw(st.sets(st.sampled_from(sorted(SHARED)), max_size=6))
    values: dict[str, Any] = {"name": name, "database": "shop", "destination": destination}
    values |= {key: draw(st.sampled_from(SHARED[key])) for key in sorted(shared)}
    batching = kind != "webhook" or destination.get("batch") is not False
    values["batch_size"] = draw(st.sampled_from([1, 10, 1000])) if batching else 1
    if values.get("message_grouping") is False:
        values.pop("tables", None)
    keys = draw(st.permutations(sorted(values)))
    return {key: values[key] for key in keys}


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """A configuration with one to four sinks."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    return {
        "databases": [{"name": "shop", "hostname": "localhost", "database": "shop",
                       "password": draw(st.sampled_from(["${DB_PASSWORD}", "a-password"])),
                       "slot": {"name": "s"}, "publication": {"name": "p"}}],
        "http_endpoints": [{"name": "hooks", "url": "https://example.com",
                            "encrypted_headers": {"X-Key": "${TOKEN}"}}],
        "functions": FUNCTIONS,
        "sinks": [draw(sinks(name)) for name in names],
    }  # fmt: skip


class Writer:
    """Writes data as YAML in a style that is drawn as it goes. `comments` are those it wrote."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.comments: list[str] = []

    def chance(self, of: int) -> bool:
        return self.draw(st.integers(0, of - 1)) == 0

    def comment(self) -> str:
        if not self.chance(6):
            return ""
        self.comments.append(f"# note {len(self.comments)}: 'it''s' {{a}} [b")
        return self.comments[-1]

    def document(self, value: dict[str, Any]) -> str:
        text = "---\n" if self.chance(5) else ""
        text += self.map(value, 0)
        text = ("\ufeff" if self.chance(8) else "") + text
        return text.replace("\n", "\r\n") if self.chance(6) else text

    def map(self, value: dict[str, Any], indent: int) -> str:
        out = ""
        for key, item in value.items():
            note = self.comment()
            out += f"{' ' * indent}{note}\n" if note else ""
            out += "\n" if self.chance(12) else ""
            out += f"{' ' * indent}{self.scalar(key, key=True)}:{self.value(item, indent)}"
        return out

    def value(self, item: Any, indent: int) -> str:
        if isinstance(item, str) and "\n" in item and item.endswith("\n") and not self.chance(3):
            pad = " " * (indent + 2)
            return " |\n" + "".join(f"{pad}{line}\n" for line in item.split("\n")[:-1])
        if not isinstance(item, (dict, list)) or not item or self.chance(5):
            note = self.comment()
            return f" {self.flow(item)}" + (f"   {note}\n" if note else "\n")
        note = self.comment()
        head = f"   {note}\n" if note else "\n"
        if isinstance(item, dict):
            return head + self.map(item, indent + self.draw(st.sampled_from([1, 2, 4])))
        at = indent + self.draw(st.sampled_from([0, 2, 3]))
        return head + "".join(self.item(each, at) for each in item)

    def item(self, item: Any, indent: int) -> str:
        if isinstance(item, dict) and item and not self.chance(5):
            gap = self.draw(st.sampled_from([1, 3]))
            body = self.map(item, indent + 1 + gap)
            body = body.lstrip("\n")
            if body.lstrip().startswith("#"):
                return f"{' ' * indent}-\n{body}"
            return f"{' ' * indent}-{' ' * gap}{body.lstrip(' ')}"
        return f"{' ' * indent}- {self.flow(item)}\n"

    def flow(self, item: Any) -> str:
        if isinstance(item, dict):
            parts = (f"{self.scalar(k, key=True)}: {self.flow(v)}" for k, v in item.items())
            return "{" + ", ".join(parts) + "}"
        if isinstance(item, list):
            return "[" + ", ".join(map(self.flow, item)) + "]"
        return self.scalar(item)

    def scalar(self, item: Any, *, key: bool = False) -> str:
        if item is None:
            return self.draw(st.sampled_from(["null", "~"]))
        if not isinstance(item, str):
            return json.dumps(item)
        plain = re.fullmatch(r"[a-zA-Z/][\w./:-]*[\w/-]|[a-z]", item) and ": " not in item
        style = self.draw(st.sampled_from(["plain", "single", "double"]))
        if style == "plain" and plain and not item.endswith(":") and item.lower() not in WORDS:
            return item
        if style == "single" and "\n" not in item:
            return "'" + item.replace("'", "''") + "'"
        return json.dumps(item, ensure_ascii=key)


WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


@pytest.mark.slow
@settings(max_examples=COUNT, suppress_health_check=list(HealthCheck), deadline=None)
@given(configurations(), st.data())
def test_round_trips(data: dict[str, Any], drawn: st.DataObject) -> None:
    writer = Writer(drawn.draw)  # type: ignore[arg-type]
    text = writer.document(data)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        source = root / "server.yaml"
        source.write_bytes(text.encode())
        project = opened(source)
        assert project.document.plain() == data, text
        assert [p.message for p in project.project.problems if p.severity == "error"] == []
        assert project.save() == []
        target = imported(source, root / "project")
        first = exported(target)
        again = root / "again.yaml"
        again.write_bytes(first.text.encode())
        assert exported(again).text == first.text
        assert (imported(again, root / "third") / "sequin.yaml").read_bytes() == again.read_bytes()
        model = SequinModel()
        environment = {**VALUES, **env_of(target)}
        model.apply(first.text, environment)
        server = root / "from-server.yaml"
        server.write_text(model.export(show_sensitive=True))
        kept = iter(re.findall(r"# note \d+:[^\r\n]*", first.text))
        assert all(comment in kept for comment in writer.comments), (text, first.text)
        assert order(YamlDocument(text).plain(), YamlDocument(first.text).plain())
        old, new = (canonical(opened(p), registry.default()) for p in (server, target))
        for change in differences(old, new).changes:
            assert all(setting.secret for setting in change.settings), change


def test_the_types_are_those_of_the_model() -> None:
    assert set(FIXED) == set(DEFAULTS) - {"sequin_stream"}
    assert all(set(keys) <= set(FIXED[kind]) for kind, keys in ROUTED.items())
