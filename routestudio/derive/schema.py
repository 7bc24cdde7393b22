"""JSON schema of the project file, for editors that complete and check YAML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from routestudio.derive.describe import plain
from routestudio.model.function import FunctionKind, Language
from routestudio.model.project import (
    ENVIRONMENT_COLOURS,
    ENVIRONMENT_NAME,
    LEGACY_KEYS,
    SHARED_KEYS,
    SharedKey,
)
from routestudio.sinks.base import Sink
from routestudio.sinks.fields import config_fields, resources, static_fields

_NAME = {"type": "string", "pattern": "^[a-zA-Z0-9_\\-.]+$"}
_REFERENCE = {"type": "string", "pattern": "\\$"}

_TABLE: dict[str, Any] = {
    "type": "object",
    "description": "RouteStudio's own key: what rows do not state about a table.",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "description": "`schema.table`, or `table`."},
        "key": {"type": ["string", "array"], "items": {"type": "string"},
                "description": "Columns of the primary key, in its order."},
        "columns": {"type": "object", "additionalProperties": {"type": "string"},
                    "description": "Types of columns, by PostgreSQL's names."},
    },
    "additionalProperties": False,
}  # fmt: skip


_ENVIRONMENT: dict[str, Any] = {
    "type": "object",
    "description": "RouteStudio's own key: marks of an environment.",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": f"^{ENVIRONMENT_NAME}$",
                 "description": "Its variables are in `.env.NAME`."},
        "colour": {"enum": list(ENVIRONMENT_COLOURS)},
        "read_only": {"type": "boolean",
                      "description": "Whether a delivery there needs its name to be given."},
    },
    "additionalProperties": False,
}  # fmt: skip


def project_schema(sinks: Iterable[type[Sink]]) -> dict[str, Any]:
    """Draft 2020-12 schema of `sequin.yaml` with RouteStudio's keys.

    Every value may also be a `${VAR}` reference where a number or a flag is expected.
    """
    types = list(sinks)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "RouteStudio project",
        "type": "object",
        "properties": {
            "databases": {"type": "array", "items": {"type": "object", "required": ["name"],
                                                     "properties": {"name": _NAME}}},
            **_resources(types),
            "functions": {"type": "array", "items": _function(types)},
            "transforms": {"type": "array"},
            "tables": {"type": "array", "items": _TABLE},
            "environments": {"type": "array", "items": _ENVIRONMENT},
            "sinks": {"type": "array", "items": _sink(types)},
        },
    }  # fmt: skip


def _sink(types: list[type[Sink]]) -> dict[str, Any]:
    properties: dict[str, Any] = {key.name: _shared(key) for key in SHARED_KEYS}
    properties["destination"] = {"oneOf": [_destination(sink) for sink in types]}
    for name in sorted(LEGACY_KEYS):
        properties[name] = {"description": "Ignored by a server."}
    return {
        "type": "object",
        "required": [key.name for key in SHARED_KEYS if key.required],
        "properties": properties,
        "additionalProperties": False,
    }


def _shared(key: SharedKey) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": key.help}
    match key.kind:
        case "text" | "function":
            schema["type"] = ["string", "null"]
        case "integer":
            schema |= {"type": ["integer", "null"], "minimum": key.minimum, "maximum": key.maximum}
        case "flag":
            schema["type"] = ["boolean", "string"]
        case "choice":
            schema["enum"] = list(key.choices)
        case "choices":
            schema |= {"type": "array", "items": {"enum": list(key.choices)}}
        case "map":
            schema["type"] = ["object", "null"]
        case "list":
            schema["type"] = ["array", "null"]
    if key.default is not None:
        schema["default"] = (
            plain(key.default) if not isinstance(key.default, tuple) else list(key.default)
        )
    return schema


def _destination(sink: type[Sink]) -> dict[str, Any]:
    names = [sink.yaml_type or sink.key, *{sink.key, *sink.aliases} - {sink.yaml_type or sink.key}]
    properties: dict[str, Any] = {"type": {"enum": sorted(names)}}
    properties |= _fields(sink.Config)
    for field in static_fields(sink):
        properties[field.yaml_name] = {
            "description": field.routed.help,
            "anyOf": [field.static_rule.json_schema(), _REFERENCE, {"type": "null"}],
        }
    required = ["type", *(f.name for f in config_fields(sink.Config) if f.required)]
    return {
        "type": "object",
        "title": sink.title,
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    properties = {}
    for field in config_fields(model):
        options = [field.rule.json_schema(), _REFERENCE]
        if field.optional:
            options.append({"type": "null"})
        properties[field.name] = {"description": field.ui.help or field.ui.label, "anyOf": options}
    return properties


def _resources(types: list[type[Sink]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for sink in types:
        for _, rule in resources(sink):
            if rule.model is not None:
                found[rule.resource] = {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": _NAME, **_fields(rule.model)},
                    },
                }
    return found


def _function(types: list[type[Sink]]) -> dict[str, Any]:
    names = sorted({n for s in types for n in (s.key, s.yaml_type or s.key, *s.aliases)})
    return {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": _NAME,
            "description": {"type": ["string", "null"]},
            "type": {"enum": [*(k.value for k in FunctionKind), "function"]},
            "sink_type": {"enum": names},
            "language": {"enum": [language.value for language in Language],
                         "description": "RouteStudio's own key; a server runs Elixir."},
            "code": {"type": "string"},
            "file": {"type": "string", "description": "Path relative to this file."},
            "path": {"type": "string"},
            "function": {"type": "object"},
            "transform": {"type": "object"},
        },
    }  # fmt: skip
