"""Forms as data: which fields a sink's panels have, in which groups, with which words and limits.

No widgets here: `ui.forms` maps the kind of a field to a widget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from routestudio.model.fields import Choice, Integer, Ref, Rule, Static
from routestudio.model.project import SHARED_KEYS
from routestudio.sinks.base import Sink
from routestudio.sinks.fields import ConfigField, RoutedField, config_fields, routed_fields


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form.

    `kind` is that of its rule (`text`, `secret`, `integer`, `choice`, `choices`, `flag`,
    `headers`, `ref`, `function`); `name` is its key in YAML; `limits` are its limits in words.
    """

    name: str
    kind: str
    label: str
    help: str = ""
    required: bool = False
    optional: bool = False
    secret: bool = False
    default: Any = None
    example: str = ""
    choices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""
    limits: str = ""
    visible_when: tuple[str, tuple[Any, ...]] | None = None
    wide: bool = False
    resource: str = ""
    static: str = ""
    routed: str = ""
    default_text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class FormSection:
    """Fields under one heading; `title` is empty for the first section of a panel."""

    title: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class SinkForm:
    """Both panels of a sink, and the settings that every sink has."""

    key: str
    title: str
    summary: str
    configuration: tuple[FormSection, ...]
    routing: tuple[FormField, ...]
    settings: tuple[FormField, ...]
    differences: tuple[tuple[str, str | None, str], ...]


def sink_form(sink: type[Sink]) -> SinkForm:
    """The form of a sink type."""
    return SinkForm(
        sink.key,
        sink.title,
        summary(sink),
        _sections(sink.Config),
        tuple(_routed(field) for field in routed_fields(sink)),
        settings_fields(),
        tuple((item.id, item.field, item.text) for item in sink.differences),
    )


def resource_form(model: type[BaseModel]) -> tuple[FormSection, ...]:
    """The form of a project resource, e.g. an HTTP endpoint."""
    return _sections(model)


def settings_fields() -> tuple[FormField, ...]:
    """The shared sink keys that a form offers."""
    return tuple(
        FormField(
            key.name, key.kind, key.label, key.help, key.required, not key.required,
            default=key.default, choices=key.choices, minimum=key.minimum, maximum=key.maximum,
            limits=_range(key.minimum, key.maximum),
        )
        for key in SHARED_KEYS
        if key.form and key.name != "name"
    )  # fmt: skip


def summary(sink: type[Sink]) -> str:
    """The first line of the sink's docstring."""
    return (sink.__doc__ or "").strip().split("\n", 1)[0]


def visible(field: FormField, values: Mapping[str, Any]) -> bool:
    """Whether a field matters with these form values."""
    return field.visible_when is None or values.get(field.visible_when[0]) in field.visible_when[1]


def _sections(model: type[BaseModel]) -> tuple[FormSection, ...]:
    groups: dict[str, list[FormField]] = {}
    for field in config_fields(model):
        groups.setdefault(field.ui.group, []).append(_config(field))
    return tuple(FormSection(title, tuple(fields)) for title, fields in groups.items())


def _config(field: ConfigField) -> FormField:
    rule, ui = field.rule, field.ui
    return FormField(
        field.name, rule.kind, ui.label, ui.help, field.required, field.optional, field.secret,
        field.default if not field.secret else None, ui.example, *_choices(rule),
        minimum=_bounds(rule)[0], maximum=_bounds(rule)[1], unit=_bounds(rule)[2],
        limits=rule.limits(), visible_when=ui.visible_when, wide=ui.wide,
        resource=rule.resource if isinstance(rule, Ref) else "",
    )  # fmt: skip


def _routed(field: RoutedField) -> FormField:
    rule, routed = field.static_rule, field.routed
    return FormField(
        field.yaml_name if routed.static is not Static.NEVER else field.name,
        rule.kind, field.label, routed.help, routed.static is Static.REQUIRED, field.optional,
        example=str(routed.example) if routed.example is not None else "",
        choices=_choices(rule)[0], labels=_choices(rule)[1], minimum=_bounds(rule)[0],
        maximum=_bounds(rule)[1], unit=_bounds(rule)[2], limits=field.rule.limits(),
        static=routed.static.value, routed=field.name,
        default_text=routed.default.describe(), note=routed.note,
    )  # fmt: skip


def _choices(rule: Rule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (rule.values, rule.labels) if isinstance(rule, Choice) else ((), ())


def _bounds(rule: Rule) -> tuple[int | None, int | None, str]:
    if isinstance(rule, Integer):
        return rule.minimum, rule.maximum, rule.unit
    return None, None, ""


def _range(minimum: int | None, maximum: int | None) -> str:
    return "" if minimum is None else f"{minimum}-{maximum}"
