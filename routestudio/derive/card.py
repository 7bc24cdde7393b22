"""A sink's card: the few rows that show what it is and where it delivers to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routestudio.sinks.base import Sink
from routestudio.sinks.fields import config_fields, routed_fields


@dataclass(frozen=True, slots=True)
class CardRow:
    """One row: `source` is `config`, `static`, `default` or `function`."""

    label: str
    text: str
    source: str


def card(sink: type[Sink], destination: Mapping[str, Any], function: str | None) -> list[CardRow]:
    """The rows of a sink's card. `destination` holds the raw values as the file has them."""
    rows = []
    for field in config_fields(sink.Config):
        if field.ui.card:
            value = destination.get(field.name, field.default)
            rows.append(CardRow(field.ui.label, _text(value, field.secret), "config"))
    for routed in routed_fields(sink):
        static = destination.get(routed.yaml_name)
        if function is not None:
            rows.append(CardRow(routed.label, f"determined by {function}", "function"))
        elif static not in (None, "") and routed.routed.static.value != "never":
            rows.append(CardRow(routed.label, _text(static, False), "static"))
        else:
            rows.append(CardRow(routed.label, routed.routed.default.describe(), "default"))
    return rows


def _text(value: Any, secret: bool) -> str:
    if value is None or value == "":
        return "not set"
    if secret or isinstance(value, Mapping):
        return "••••"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
