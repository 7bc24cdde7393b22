"""The one walk over a sink's fields. Forms, docs, schema, YAML and validation all read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from functools import cache
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from routestudio.model.fields import Headers, Ref, Routed, Rule, Secret, Static, Ui
from routestudio.sinks.base import Sink


@dataclass(frozen=True, slots=True)
class ConfigField:
    """One configuration field. `default` is `None` for required fields without one."""

    name: str
    rule: Rule
    ui: Ui
    required: bool
    optional: bool
    default: Any

    @property
    def secret(self) -> bool:
        return isinstance(self.rule, Secret) or (
            isinstance(self.rule, Headers) and self.rule.secret
        )


@dataclass(frozen=True, slots=True)
class RoutedField:
    """One routed field. `yaml_name` is its key in a destination in static mode."""

    name: str
    rule: Rule
    routed: Routed
    optional: bool

    @property
    def yaml_name(self) -> str:
        return self.routed.static_name or self.name

    @property
    def static_rule(self) -> Rule:
        return self.routed.static_rule or self.rule

    @property
    def label(self) -> str:
        return self.routed.label or self.name.replace("_", " ").capitalize()


def config_fields(model: Any) -> tuple[ConfigField, ...]:
    """The fields of a `Config` class (or of a resource class), in form order.

    Raises `TypeError` for a field without a known rule and label: such a field has no form.
    """
    return _config_fields(model)


@cache
def _config_fields(model: Any) -> tuple[ConfigField, ...]:
    return tuple(_config_field(name, info) for name, info in model.model_fields.items())


@cache
def routed_fields(sink: type[Sink]) -> tuple[RoutedField, ...]:
    """The routed fields of a sink type, in form order."""
    return tuple(
        RoutedField(name, _one(name, info, Rule), _one(name, info, Routed), _optional(info))
        for name, info in sink.Routing.model_fields.items()
    )


def static_fields(sink: type[Sink]) -> tuple[RoutedField, ...]:
    """The routed fields that static mode offers."""
    return tuple(f for f in routed_fields(sink) if f.routed.static is not Static.NEVER)


def resources(sink: type[Sink]) -> Iterator[tuple[ConfigField, Ref]]:
    """Configuration fields that name a project resource."""
    for field in config_fields(sink.Config):
        if isinstance(field.rule, Ref):
            yield field, field.rule


def secret_names(sink: type[Sink]) -> frozenset[str]:
    """Names of the configuration fields that hold secrets."""
    return frozenset(f.name for f in config_fields(sink.Config) if f.secret)


def _config_field(name: str, info: FieldInfo) -> ConfigField:
    required = info.is_required()
    return ConfigField(
        name,
        _one(name, info, Rule),
        _one(name, info, Ui),
        required,
        _optional(info),
        None if required else info.get_default(call_default_factory=True, validated_data={}),
    )


def _optional(info: FieldInfo) -> bool:
    return NoneType in get_args(info.annotation)


def _one(name: str, info: FieldInfo, kind: type[Any]) -> Any:
    found = [item for item in info.metadata if isinstance(item, kind)]
    if len(found) != 1:
        raise TypeError(f"field `{name}` needs exactly one {kind.__name__}, has {len(found)}")
    return found[0]


def secret_values(value: Any) -> set[str]:
    """Every secret that a validated configuration holds, at any depth.

    Of `user:password` the password alone is a secret, too.
    """
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return {secret, secret.rpartition(":")[2]}
    parts: Iterable[Any] = ()
    if isinstance(value, BaseModel):
        parts = (getattr(value, name) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        parts = value.values()
    elif is_dataclass(value) and not isinstance(value, type):
        parts = (getattr(value, item.name) for item in dataclass_fields(value))
    return {secret for part in parts for secret in secret_values(part)}
