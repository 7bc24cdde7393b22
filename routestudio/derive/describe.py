"""A sink type as plain data: what `routestudio sinks` prints."""

from __future__ import annotations

from typing import Any

from routestudio.derive.form_spec import summary
from routestudio.model.fields import Choice
from routestudio.sinks.base import Sink
from routestudio.sinks.fields import config_fields, routed_fields
from routestudio.sinks.reading import ReadBack


def describe(sink: type[Sink]) -> dict[str, Any]:
    """Key, titles, fields and batch limits (docs/guides/command-line.md)."""
    limits = sink.batch
    return {
        "key": sink.key,
        "title": sink.title,
        "summary": summary(sink),
        "yaml_type": sink.yaml_type or sink.key,
        "aliases": list(sink.aliases),
        "config": [
            {
                "name": f.name,
                "type": f.rule.kind,
                "required": f.required,
                "secret": f.secret,
                "default": None if f.secret else plain(f.default),
                "choices": list(f.rule.values) if isinstance(f.rule, Choice) else [],
                "help": f.ui.help or f.ui.label,
                "limits": f.rule.limits(),
            }
            for f in config_fields(sink.Config)
        ],
        "routing": [
            {
                "name": f.name,
                "type": f.rule.kind,
                "required": f.routed.required,
                "secret": False,
                "default": f.routed.default.describe(),
                "choices": list(f.rule.values) if isinstance(f.rule, Choice) else [],
                "help": f.routed.help,
                "limits": f.rule.limits(),
                "static": f.routed.static.value,
                "yaml_name": f.yaml_name,
            }
            for f in routed_fields(sink)
        ],
        "batch": {
            "messages": limits.messages,
            "default": limits.default,
            "bytes": limits.size,
            "wait_ms": limits.wait * 1000,
            "fixed": limits.fixed,
            "by": list(sink.batch_by),
        },
        "stand_in": sink.standin,
        "reads_back": isinstance(sink.read_back, ReadBack),
        "differences": [{"id": d.id, "field": d.field, "text": d.text} for d in sink.differences],
    }


def plain(value: Any) -> Any:
    """A default as JSON-able data."""
    return (
        value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)
    )
