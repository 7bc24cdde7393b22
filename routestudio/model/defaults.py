"""Defaults of routed fields as data: one expression gives value, description and starter code.

The vocabulary is closed (`Const`, `Template`, `ByAction`, `Mapping`). A new kind of default means
one more class here and one more case in `derive/starter.py`, never code inside a sink.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

from routestudio.model.message import Action, Message

Evaluate = Callable[[Message, str | None], Any]

NAMES: Final[MappingType[str, Evaluate]] = {
    "database_name": lambda m, g: m.metadata["database_name"],
    "table_schema": lambda m, g: m.metadata["table_schema"],
    "table_name": lambda m, g: m.metadata["table_name"],
    "action": lambda m, g: m.action,
    "idempotency_key": lambda m, g: m.metadata["idempotency_key"],
    "primary_keys": lambda m, g: "-".join(m.metadata["record_pks"]),
    "group_id": lambda m, g: g,
}
"""Names that a template may use. `primary_keys` are joined with `-` in column order."""


@dataclass(frozen=True, slots=True)
class Const:
    """The same value for every message; `Const(None)` means there is no default."""

    value: Any

    def compile(self) -> Evaluate:
        constant = self.value
        if isinstance(constant, dict):
            return lambda message, group: dict(constant)
        return lambda message, group: constant

    def describe(self) -> str:
        """One line for documentation, e.g. `POST` or `none`."""
        if self.value is None:
            return "none"
        if self.value == "":
            return "empty text"
        return "no entries" if self.value == {} else str(self.value)


@dataclass(frozen=True, slots=True)
class Template:
    """Text with bare names in braces, e.g. `sequin.{table_schema}.{table_name}`.

    A template that is one name only yields that name's value, so it may be `None` (no group id).
    """

    text: str

    def parts(self) -> tuple[tuple[str, str | None], ...]:
        """Pairs of literal text and the name that follows it (`None` at the end)."""
        found = []
        for literal, name, spec, conversion in Formatter().parse(self.text):
            if name is not None and (name not in NAMES or spec or conversion):
                raise ValueError(f"`{self.text}`: `{name}` is not a name a template may use")
            found.append((literal, name))
        return tuple(found)

    def compile(self) -> Evaluate:
        parts = self.parts()
        if len(parts) == 1 and parts[0][0] == "" and parts[0][1]:
            return NAMES[parts[0][1]]
        # One %-format of all values is several times faster than joining pieces.
        pattern = "".join(lit.replace("%", "%%") + ("%s" if name else "") for lit, name in parts)
        getters = tuple(NAMES[name] for _, name in parts if name)
        if "group_id" in (name for _, name in parts):
            return lambda message, group: (
                pattern % tuple(_text(get(message, group)) for get in getters)
            )
        if len(getters) == 2:
            first, second = getters
            return lambda message, group: pattern % (first(message, group), second(message, group))
        return lambda message, group: pattern % tuple([get(message, group) for get in getters])

    def describe(self) -> str:
        """The template with `<name>` for each name."""
        return "".join(lit + (f"<{name}>" if name else "") for lit, name in self.parts())


@dataclass(frozen=True, slots=True)
class ByAction:
    """A value per action; `otherwise` for actions without a case."""

    cases: MappingType[Action, Any]
    otherwise: Any

    def compile(self) -> Evaluate:
        cases, otherwise = dict(self.cases), self.otherwise
        return lambda message, group: cases.get(message.action, otherwise)

    def describe(self) -> str:
        """E.g. `set; del for delete`."""
        cases = ", ".join(f"{value} for {action}" for action, value in self.cases.items())
        return f"{self.otherwise}; {cases}"


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map with a default expression per key."""

    entries: MappingType[str, Const | Template]

    def compile(self) -> Evaluate:
        entries = {key: value.compile() for key, value in self.entries.items()}
        return lambda message, group: {key: get(message, group) for key, get in entries.items()}

    def describe(self) -> str:
        """E.g. `Nats-Msg-Id: <idempotency_key>`."""
        return ", ".join(f"{key}: {value.describe()}" for key, value in self.entries.items())


Default = Const | Template | ByAction | Mapping


def _text(value: object) -> str:
    return "" if value is None else str(value)
