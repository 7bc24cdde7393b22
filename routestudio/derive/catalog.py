"""Derivations by sink key, for those who know sink types by name only (the window)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from routestudio.derive.card import card
from routestudio.derive.docs import DocRow, doc_rows
from routestudio.derive.form_spec import FormSection, SinkForm, resource_form, sink_form, summary
from routestudio.derive.starter import starter
from routestudio.model.function import Language
from routestudio.sinks import registry
from routestudio.sinks.fields import resources


def all_keys() -> tuple[str, ...]:
    """Keys of all sink types."""
    return registry.default().keys()


def proposed() -> str:
    """The key of the sink type that is proposed for a new project."""
    return registry.proposed()


def known(key: str | None) -> bool:
    """Whether there is a sink type of this name."""
    return key is not None and key in registry.default()


def title(key: str) -> str:
    """The title of a sink type."""
    return registry.default().get(key).title


def describe_line(key: str) -> str:
    """What a sink type does, in one sentence."""
    return summary(registry.default().get(key))


def icon_name(key: str | None) -> str:
    """The icon of a sink type."""
    return registry.default().get(key).icon if key and known(key) else "sink"


def yaml_type(key: str) -> str:
    """The type's name in YAML."""
    sink = registry.default().get(key)
    return sink.yaml_type or sink.key


def card_text(key: str, destination: Mapping[str, Any], function: str | None) -> str:
    """The card of a sink as lines: where it delivers to, and what decides the routing."""
    return "\n".join(f"{name}: {text}" for name, text, _ in card_rows(key, destination, function))


def card_rows(
    key: str, destination: Mapping[str, Any], function: str | None
) -> list[tuple[str, str, str]]:
    """The card of a sink as label, text and source (`config`, `static`, `default`, `function`)."""
    rows = card(registry.default().get(key), destination, function)
    return [(row.label, row.text, row.source) for row in rows]


def default_batch(key: str) -> int:
    """The batch size proposed for a new sink."""
    return registry.default().get(key).batch.default


@cache
def form(key: str) -> SinkForm:
    """The form of a sink type."""
    return sink_form(registry.default().get(key))


@cache
def docs(key: str) -> tuple[DocRow, ...]:
    """The rows of the docs pane."""
    return tuple(doc_rows(registry.default().get(key)))


def differences(key: str) -> tuple[tuple[str, str], ...]:
    """Id and text of each difference from a Sequin server."""
    return tuple((item.id, item.text) for item in registry.default().get(key).differences)


def starter_code(key: str, language: Language = Language.PYTHON) -> str:
    """The starter function of a sink type."""
    return starter(registry.default().get(key), language)


@cache
def resource_sections(resource: str) -> tuple[FormSection, ...]:
    """The form of a resource such as `http_endpoints`; empty for an unknown one."""
    for sink in registry.default():
        for _, rule in resources(sink):
            if rule.resource == resource and rule.model is not None:
                return resource_form(rule.model)
    return ()


def starter_destination(key: str) -> dict[str, object]:
    """The destination of a new sink: its type and example values of required fields."""
    values: dict[str, object] = {"type": yaml_type(key)}
    for section in form(key).configuration:
        for field in section.fields:
            if field.required and field.kind != "ref":
                values[field.name] = int(field.example) if field.kind == "integer" else (
                    field.example
                )  # fmt: skip
    return values
