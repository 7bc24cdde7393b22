"""A new project folder: one sink, its starter function, and samples of all four actions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from routestudio.derive.starter import document_transform, starter
from routestudio.errors import Place, ProjectError
from routestudio.model import jsonio
from routestudio.model.cross_rules import RequiredWhen
from routestudio.model.fields import Ref
from routestudio.model.function import Language
from routestudio.project import environments
from routestudio.project.environment import ignore
from routestudio.project.files import write_text
from routestudio.project.store import FILE
from routestudio.project.yamltext import block
from routestudio.sinks.base import Sink
from routestudio.sinks.fields import ConfigField, config_fields


def create_project(path: Path, sink: type[Sink] | None) -> list[Path]:
    """Write a new project; returns the files. Raises `ProjectError` when the folder has files."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ProjectError("is not an empty folder", place=Place(str(path)), hint="name a new one")
    written = []

    def put(relative: str, text: str) -> None:
        write_text(path / relative, text)
        written.append(path / relative)

    name = path.absolute().name
    parts = [f"# {name}: a RouteStudio project. The keys are those of sequin.yaml.", ""]
    parts.append(block({"databases": [_database()]}, 0))
    if sink is not None:
        stem = (sink.yaml_type or sink.key).replace("_", "-")
        function = f"{stem}-route"
        file = f"functions/{function.replace('-', '_')}.py"
        for field in config_fields(sink.Config):
            if isinstance(field.rule, Ref):
                parts += ["", block({field.rule.resource: [_resource(field.rule)]}, 0)]
        functions = [{"name": function, "type": "routing", "sink_type": sink.yaml_type or sink.key,
                      "language": "python", "file": file}]  # fmt: skip
        roles = {"routing": function}
        if sink.payload_keys:
            document = f"{stem}-document"
            shape = f"functions/{document.replace('-', '_')}.py"
            functions.append({"name": document, "type": "transform", "language": "python",
                              "file": shape})  # fmt: skip
            roles["transform"] = document
            put(shape, document_transform(sink))
        parts += ["", block({"functions": functions}, 0)]
        parts += ["", block({"sinks": [
            {"name": f"orders-to-{stem}", "database": "shop",
             **roles, "batch_size": sink.batch.default,
             "destination": _destination(sink)}]}, 0)]  # fmt: skip
        put(file, starter(sink, Language.PYTHON))
    put(FILE, "\n".join(parts) + "\n")
    put("samples/orders.jsonl", "".join(jsonio.dumps(m) + "\n" for m in _samples()))
    ignore(path, *environments.IGNORED)
    return written


def _database() -> dict[str, Any]:
    return {"name": "shop", "hostname": "localhost", "port": 5432, "database": "shop",
            "username": "${SHOP_DB_USER:-postgres}", "password": "${SHOP_DB_PASSWORD}"}  # fmt: skip


def _destination(sink: type[Sink]) -> dict[str, Any]:
    values: dict[str, Any] = {"type": sink.yaml_type or sink.key}
    fields = {field.name: field for field in config_fields(sink.Config)}
    needed = {
        name
        for rule in sink.Config.rules
        if isinstance(rule, RequiredWhen) and fields[rule.field].default in rule.values
        for name in rule.fields
    }
    for field in fields.values():
        if isinstance(field.rule, Ref):
            values[field.name] = "example"
        elif not (field.required or field.name in needed or field.name in sink.write_always):
            continue
        elif field.secret:
            values[field.name] = f"${{{sink.key}_{field.name}}}".upper()
        else:
            values[field.name] = _example(field)
    return values


def _resource(rule: Ref) -> dict[str, Any]:
    assert rule.model is not None
    required = [field for field in config_fields(rule.model) if field.required or field.ui.example]
    return {"name": "example", **{f.name: _example(f) for f in required if not f.secret}}


def _example(field: ConfigField) -> Any:
    if field.default is not None and not field.required:
        return field.default
    if not field.ui.example:
        return field.default
    value = field.rule.cast(field.ui.example)
    return value if isinstance(value, (str, int, float)) else field.ui.example


def _samples() -> list[dict[str, Any]]:
    rows = []
    order = {"id": 1001, "customer_id": 7, "status": "new", "region": "eu", "total": "49.90"}
    metadata = {"table_schema": "public", "table_name": "orders", "database_name": "shop",
                "commit_timestamp": "2024-05-01T09:30:00.000000Z"}  # fmt: skip
    changes: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
        ("insert", order, None),
        ("update", {**order, "status": "paid"}, {"status": "new"}),
        ("read", {**order, "id": 1002, "region": "us"}, None),
        ("delete", {**dict.fromkeys(order), "id": 1001}, None),
    ]
    for index, (action, record, old) in enumerate(changes):
        rows.append({"action": action, "record": record, "changes": old,
                     "metadata": {**metadata, "commit_lsn": 1000 + index, "commit_idx": 0,
                                  "record_pks": [str(record["id"])]}})  # fmt: skip
    return rows
