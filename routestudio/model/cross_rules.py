"""Rules over several fields of a sink's configuration: what must be given together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr


@dataclass(frozen=True)
class Together:
    """Cross-field rule: when any of `fields` is given, all must be."""

    fields: tuple[str, ...]
    text: str = "must be set together with {others}"

    def problems(self, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Pairs of field and message for what is missing."""
        given = [name for name in self.fields if _given(values.get(name))]
        if not given or len(given) == len(self.fields):
            return []
        others = " and ".join(f"`{name}`" for name in given)
        missing = [name for name in self.fields if name not in given]
        return [(name, self.text.format(others=others)) for name in missing]


@dataclass(frozen=True)
class RequiredWhen:
    """Cross-field rule: `fields` are required while `field` has one of `values`.

    With `value` they must equal it (e.g. TLS must be on for one mechanism).
    """

    field: str
    values: tuple[Any, ...]
    fields: tuple[str, ...]
    text: str
    value: Any = None

    def problems(self, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Pairs of field and message for what is missing."""
        if values.get(self.field) not in self.values:
            return []
        text = self.text.format(value=values.get(self.field))
        if self.value is not None:
            return [(name, text) for name in self.fields if values.get(name) != self.value]
        return [(name, text) for name in self.fields if not _given(values.get(name))]


@dataclass(frozen=True)
class RequiresAny:
    """Cross-field rule: `field` must be set as soon as one of `fields` is given."""

    field: str
    fields: tuple[str, ...]
    text: str

    def problems(self, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Pairs of field and message for what is missing."""
        given = any(_given(values.get(name)) for name in self.fields)
        return [(self.field, self.text)] if given and not _given(values.get(self.field)) else []


CrossRule = Together | RequiredWhen | RequiresAny


def _given(value: Any) -> bool:
    if isinstance(value, SecretStr):
        return bool(value.get_secret_value())
    return value not in (None, "")
